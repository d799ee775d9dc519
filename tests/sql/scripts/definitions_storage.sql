-- Storage parameters, and CLUSTER: checked, kept and shown.
CREATE TABLE stoa (i int, s text) WITH (FiLLFaCToR = 30, autovacuum_enabled = false, autovacuum_analyze_scale_factor = 0.2, toast.autovacuum_enabled = off);
SELECT reloptions FROM pg_class WHERE oid = 'stoa'::regclass;
--> CREATE TABLE
--> reloptions text[]
--> {fillfactor=30,autovacuum_enabled=false,autovacuum_analyze_scale_factor=0.2}
--> SELECT 1

ALTER TABLE stoa SET (fillfactor = 31, vacuum_truncate, vacuum_index_cleanup = auto);
SELECT reloptions FROM pg_class WHERE oid = 'stoa'::regclass;
--> ALTER TABLE
--> reloptions text[]
--> {autovacuum_enabled=false,autovacuum_analyze_scale_factor=0.2,fillfactor=31,vacuum_truncate=true,vacuum_index_cleanup=auto}
--> SELECT 1

ALTER TABLE stoa RESET (autovacuum_enabled, fillfactor, parallel_workers);
SELECT reloptions FROM pg_class WHERE oid = 'stoa'::regclass;
--> ALTER TABLE
--> reloptions text[]
--> {autovacuum_analyze_scale_factor=0.2,vacuum_truncate=true,vacuum_index_cleanup=auto}
--> SELECT 1

ALTER TABLE stoa RESET (fillfactor = 12);
--> ERROR 42601: RESET must not include values for parameters

CREATE TABLE st2 (i int) WITH (fillfactor = 2);
--> ERROR 22023: value 2 out of bounds for option "fillfactor"
-->   detail: Valid values are between "10" and "100".

CREATE TABLE st2 (i int) WITH (fillfactor = -30.1);
--> ERROR 22023: value -30.1 out of bounds for option "fillfactor"
-->   detail: Valid values are between "10" and "100".

CREATE TABLE st2 (i int) WITH (fillfactor = 'string');
--> ERROR 22023: invalid value for integer option "fillfactor": string

CREATE TABLE st2 (i int) WITH (fillfactor);
--> ERROR 22023: invalid value for integer option "fillfactor": true

CREATE TABLE st2 (i int) WITH (autovacuum_enabled = 12);
--> ERROR 22023: invalid value for boolean option "autovacuum_enabled": 12

CREATE TABLE st2 (i int) WITH (autovacuum_analyze_scale_factor = 110.0);
--> ERROR 22023: value 110.0 out of bounds for option "autovacuum_analyze_scale_factor"
-->   detail: Valid values are between "0.000000" and "100.000000".

CREATE TABLE st2 (i int) WITH (autovacuum_analyze_scale_factor = 'string');
--> ERROR 22023: invalid value for floating point option "autovacuum_analyze_scale_factor": string

CREATE TABLE st2 (i int) WITH (vacuum_index_cleanup = sometimes);
--> ERROR 22023: invalid value for enum option "vacuum_index_cleanup": sometimes
-->   detail: Valid values are "on", "off", and "auto".

CREATE TABLE st2 (i int) WITH (not_existing_option = 2);
--> ERROR 22023: unrecognized parameter "not_existing_option"

CREATE TABLE st2 (i int) WITH (not_existing_namespace.fillfactor = 2);
--> ERROR 22023: unrecognized parameter namespace "not_existing_namespace"

CREATE TABLE st2 (i int) WITH (toast.not_existing_option = 42);
--> ERROR 22023: unrecognized parameter "not_existing_option"

CREATE TABLE st2 (i int) WITH (fillfactor = 30, fillfactor = 40);
--> ERROR 22023: parameter "fillfactor" specified more than once

CREATE TABLE st2 WITH (fillfactor = 50) AS SELECT 1 AS i;
CREATE MATERIALIZED VIEW stm WITH (fillfactor = 60) AS SELECT 1 AS i;
SELECT relname, reloptions FROM pg_class WHERE relname IN ('st2', 'stm') ORDER BY 1;
--> SELECT 1
--> SELECT 1
--> relname name | reloptions text[]
--> st2 | {fillfactor=50}
--> stm | {fillfactor=60}
--> SELECT 2

CREATE INDEX sti ON stoa (i) WITH (fillfactor = 70, deduplicate_items = off) WHERE i > 0;
SELECT reloptions, substring(pg_get_indexdef(oid) from 'USING.*') AS def FROM pg_class WHERE oid = 'sti'::regclass;
--> CREATE INDEX
--> reloptions text[] | def text
--> {fillfactor=70,deduplicate_items=off} | USING btree (i) WITH (fillfactor='70', deduplicate_items=off) WHERE (i > 0)
--> SELECT 1

ALTER INDEX sti SET (fillfactor = 40);
ALTER INDEX sti RESET (deduplicate_items);
SELECT reloptions FROM pg_class WHERE oid = 'sti'::regclass;
--> ALTER INDEX
--> ALTER INDEX
--> reloptions text[]
--> {fillfactor=40}
--> SELECT 1

CREATE INDEX stj ON stoa (i) WITH (fastupdate = on);
--> ERROR 22023: unrecognized parameter "fastupdate"

CREATE INDEX stj ON stoa (i) WITH (fillfactor = 130);
--> ERROR 22023: value 130 out of bounds for option "fillfactor"
-->   detail: Valid values are between "10" and "100".

CREATE TABLE stp (i int PRIMARY KEY WITH (fillfactor = 80), j int, UNIQUE (j) WITH (fillfactor = 90));
SELECT relname, reloptions FROM pg_class WHERE relname LIKE 'stp%' ORDER BY 1;
--> CREATE TABLE
--> relname name | reloptions text[]
--> stp | ∅
--> stp_j_key | {fillfactor=90}
--> stp_pkey | {fillfactor=80}
--> SELECT 3

CREATE TABLE stl (LIKE stp INCLUDING INDEXES);
SELECT relname, reloptions FROM pg_class WHERE relname LIKE 'stl%' ORDER BY 1;
--> CREATE TABLE
--> relname name | reloptions text[]
--> stl | ∅
--> stl_j_key | {fillfactor=90}
--> stl_pkey | {fillfactor=80}
--> SELECT 3

-- CLUSTER.
CREATE INDEX stk ON stoa (s);
CREATE INDEX sth ON stoa USING hash (s);
--> CREATE INDEX
--> CREATE INDEX

CLUSTER stoa;
--> ERROR 42704: there is no previously clustered index for table "stoa"

CLUSTER stoa USING stk;
SELECT indexrelid::regclass::text, indisclustered FROM pg_index WHERE indrelid = 'stoa'::regclass ORDER BY 1;
--> CLUSTER
--> indexrelid text | indisclustered bool
--> sth | f
--> sti | f
--> stk | t
--> SELECT 3

CLUSTER stoa;
CLUSTER (VERBOSE off) stoa;
--> CLUSTER
--> CLUSTER

ALTER TABLE stoa SET WITHOUT CLUSTER;
SELECT count(*) FROM pg_index WHERE indrelid = 'stoa'::regclass AND indisclustered;
--> ALTER TABLE
--> count int8
--> 0
--> SELECT 1

ALTER TABLE stoa CLUSTER ON stk;
SELECT count(*) FROM pg_index WHERE indrelid = 'stoa'::regclass AND indisclustered;
--> ALTER TABLE
--> count int8
--> 1
--> SELECT 1

CLUSTER stk ON stoa;
--> CLUSTER

CLUSTER stoa USING sti;
--> ERROR 0A000: cannot cluster on partial index "sti"

CLUSTER stoa USING sth;
--> ERROR 0A000: cannot cluster on index "sth" because access method does not support clustering

CLUSTER stoa USING stp_pkey;
--> ERROR 42809: "stp_pkey" is not an index for table "stoa"

CLUSTER stoa USING nothing;
--> ERROR 42704: index "nothing" for table "stoa" does not exist

CLUSTER nothing;
--> ERROR 42P01: relation "nothing" does not exist

DROP MATERIALIZED VIEW stm;
--> DROP MATERIALIZED VIEW
