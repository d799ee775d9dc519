#!/usr/bin/env bash
# pg_dump of a schema with most kinds of objects; its output is loaded back and must dump to the same: app_pg_dump.sh PORT
set -euo pipefail
port=$1
sql() { psql -X -q -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$port" -U quorate quorate "$@"; }
dump() { pg_dump -h 127.0.0.1 -p "$port" -U quorate -n dumped quorate | grep -v '^--\|^$\|^SET\|restrict '; }
sql <<'S'
DROP SCHEMA IF EXISTS dumped CASCADE;
CREATE SCHEMA dumped;
SET search_path = dumped;
CREATE TYPE mood AS ENUM ('sad', 'it''s fine');
CREATE SEQUENCE own START 5 INCREMENT 3;
CREATE TABLE a (id serial PRIMARY KEY, name varchar(20) NOT NULL DEFAULT 'x', m mood, n numeric(10,2) CHECK (n >= 0),
  at timestamptz DEFAULT now(), tags text[], j jsonb DEFAULT '{}', UNIQUE (name, m));
CREATE TABLE b (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a_id int REFERENCES a ON DELETE CASCADE, k bigint DEFAULT nextval('own'));
CREATE INDEX b_a ON b (a_id DESC) WHERE k > 3;
CREATE INDEX a_lower ON a (lower(name));
CREATE VIEW v AS SELECT a.id, upper(a.name) AS up, count(b.id) AS n FROM a LEFT JOIN b ON b.a_id = a.id GROUP BY a.id;
COMMENT ON TABLE a IS 'a table'; COMMENT ON COLUMN a.name IS 'a column';
INSERT INTO a (name, m, n, tags) VALUES ('one', 'sad', 1.5, '{p,"q r"}'), (E'two\ttab\\', 'it''s fine', NULL, NULL);
INSERT INTO b (a_id) SELECT id FROM a;
S
first=$(dump)
echo "$first" | grep -q 'CREATE VIEW dumped.v' || { echo "the view is missing"; exit 1; }
sql -c 'DROP SCHEMA dumped CASCADE'
# What was dumped, with its comments and settings, is loaded as it is.
printf '%s\n' "$first" | sql > /dev/null
second=$(dump)
diff <(printf '%s\n' "$first") <(printf '%s\n' "$second")
echo ok
