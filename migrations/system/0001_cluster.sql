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

-- A database is a Raft group. `oid` is what pg_database shows.
CREATE TABLE databases(
  name TEXT PRIMARY KEY,
  group_id INTEGER NOT NULL UNIQUE,
  oid INTEGER NOT NULL UNIQUE
) STRICT;

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
INSERT INTO counters(name, next) VALUES ('node', 1), ('group', 2), ('replica', 1), ('oid', 16384);
