-- The system group: which nodes there are, which databases, and where their replicas live.
-- Every node carries this group. This file is append-only history: a later change is a new file.

-- A process of the cluster. `incarnation` rises each time its data directory is set up anew.
CREATE TABLE nodes(
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  incarnation INTEGER NOT NULL,
  peer_addr TEXT NOT NULL,
  pg_addr TEXT NOT NULL,
  http_addr TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('joining', 'up', 'leaving', 'gone')),
  -- The highest version of the cluster that its program can take part in, as of its last start; 0: not yet told.
  speaks INTEGER NOT NULL DEFAULT 0
) STRICT;

-- A database is a Raft group, once somebody uses it: those that every cluster begins with have none until then. `oid` is what
-- pg_database shows. `founders` are the first voters of its group, as `replica:node …`; `template` the group that it is made
-- of, whose content comes from the node `seed`; `owner` the role that it is made for.
CREATE TABLE databases(
  oid INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  group_id INTEGER UNIQUE,
  state TEXT NOT NULL CHECK (state IN ('asleep', 'creating', 'live', 'dropping')),
  owner INTEGER NOT NULL DEFAULT 10,
  founders TEXT NOT NULL DEFAULT '',
  template INTEGER,
  seed INTEGER,
  connections INTEGER NOT NULL DEFAULT 1,
  is_template INTEGER NOT NULL DEFAULT 0,
  connection_limit INTEGER NOT NULL DEFAULT -1
) STRICT;
INSERT INTO databases(oid, name, group_id, state, connections, is_template)
VALUES (1, 'template1', NULL, 'asleep', 1, 1), (4, 'template0', NULL, 'asleep', 0, 1), (5, 'postgres', NULL, 'asleep', 1, 0),
  (16384, 'quorate', 2, 'live', 1, 0);

-- The replicas of each group, as last agreed. The group's own Raft configuration is the truth about votes.
CREATE TABLE placement(
  group_id INTEGER NOT NULL,
  node_id INTEGER NOT NULL REFERENCES nodes(id),
  replica_id INTEGER NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('voter', 'learner')),
  PRIMARY KEY (group_id, replica_id),
  UNIQUE (group_id, node_id)
) STRICT, WITHOUT ROWID;

-- Settings of the whole cluster.
CREATE TABLE settings(
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

-- What is handed out once and never again: each row is the next free number.
CREATE TABLE counters(
  name TEXT PRIMARY KEY,
  next INTEGER NOT NULL
) STRICT;
INSERT INTO counters(name, next) VALUES ('node', 1), ('group', 3), ('replica', 1), ('oid', 16385);
