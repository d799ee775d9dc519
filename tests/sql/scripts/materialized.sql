-- Materialized views.
CREATE TABLE mt (id int PRIMARY KEY, g text, n numeric(10,2))
--> CREATE TABLE

INSERT INTO mt VALUES (1, 'a', 1.5), (2, 'a', 2.5), (3, 'b', 10)
--> INSERT 0 3

CREATE MATERIALIZED VIEW mv AS SELECT g, sum(n) AS total, count(*) FROM mt GROUP BY g
--> SELECT 2

SELECT * FROM mv ORDER BY g
--> g text | total numeric | count int8
--> a | 4.00 | 2
--> b | 10.00 | 1
--> SELECT 2

INSERT INTO mt VALUES (4, 'b', 5), (5, 'c', NULL)
--> INSERT 0 2

SELECT * FROM mv ORDER BY g
--> g text | total numeric | count int8
--> a | 4.00 | 2
--> b | 10.00 | 1
--> SELECT 2

REFRESH MATERIALIZED VIEW mv
--> REFRESH MATERIALIZED VIEW

SELECT * FROM mv ORDER BY g
--> g text | total numeric | count int8
--> a | 4.00 | 2
--> b | 15.00 | 2
--> c | ∅ | 1
--> SELECT 3

CREATE MATERIALIZED VIEW mv AS SELECT 1
--> ERROR 42P07: relation "mv" already exists

CREATE MATERIALIZED VIEW IF NOT EXISTS mv AS SELECT 1
--> NOTICE: relation "mv" already exists, skipping
--> CREATE MATERIALIZED VIEW

CREATE MATERIALIZED VIEW mv_empty (a, b) AS SELECT id, g FROM mt WITH NO DATA
--> CREATE MATERIALIZED VIEW

SELECT * FROM mv_empty
--> ERROR 55000: materialized view "mv_empty" has not been populated

SELECT count(*) FROM mv_empty e JOIN mt ON a = id
--> ERROR 55000: materialized view "mv_empty" has not been populated

CREATE VIEW over_empty AS SELECT a FROM mv_empty
--> CREATE VIEW

SELECT * FROM over_empty
--> ERROR 55000: materialized view "mv_empty" has not been populated

SELECT relkind, relispopulated, relhasindex, relhasrules FROM pg_class WHERE relname IN ('mv', 'mv_empty') ORDER BY relname
--> relkind char1 | relispopulated bool | relhasindex bool | relhasrules bool
--> m | t | f | t
--> m | f | f | t
--> SELECT 2

CREATE UNIQUE INDEX mv_empty_a ON mv_empty (a)
--> CREATE INDEX

REFRESH MATERIALIZED VIEW CONCURRENTLY mv_empty
--> ERROR 0A000: CONCURRENTLY cannot be used when the materialized view is not populated

REFRESH MATERIALIZED VIEW mv_empty WITH DATA
--> REFRESH MATERIALIZED VIEW

SELECT a, b FROM mv_empty WHERE a = 3
--> a int4 | b text
--> 3 | b
--> SELECT 1

SELECT count(*) FROM over_empty
--> count int8
--> 5
--> SELECT 1

UPDATE mt SET g = 'z' WHERE id = 3
--> UPDATE 1

REFRESH MATERIALIZED VIEW CONCURRENTLY mv_empty
--> REFRESH MATERIALIZED VIEW

SELECT a, b FROM mv_empty WHERE a = 3
--> a int4 | b text
--> 3 | z
--> SELECT 1

REFRESH MATERIALIZED VIEW CONCURRENTLY mv
--> ERROR 55000: cannot refresh materialized view "mv" concurrently
--!> ERROR 55000: cannot refresh materialized view "public.mv" concurrently

REFRESH MATERIALIZED VIEW CONCURRENTLY mv_empty WITH NO DATA
--> ERROR 42601: CONCURRENTLY and WITH NO DATA options cannot be used together

REFRESH MATERIALIZED VIEW mv_empty WITH NO DATA
--> REFRESH MATERIALIZED VIEW

SELECT * FROM mv_empty
--> ERROR 55000: materialized view "mv_empty" has not been populated

REFRESH MATERIALIZED VIEW mv_empty
--> REFRESH MATERIALIZED VIEW

REFRESH MATERIALIZED VIEW mt
--> ERROR 0A000: "mt" is not a materialized view

REFRESH MATERIALIZED VIEW over_empty
--> ERROR 42809: "over_empty" is not a table or materialized view

REFRESH MATERIALIZED VIEW nothing
--> ERROR 42P01: relation "nothing" does not exist

-- Nobody else writes them.
INSERT INTO mv VALUES ('x', 1, 1)
--> ERROR 42809: cannot change materialized view "mv"

UPDATE mv SET total = 0
--> ERROR 42809: cannot change materialized view "mv"

DELETE FROM mv
--> ERROR 42809: cannot change materialized view "mv"

TRUNCATE mv
--> ERROR 42809: "mv" is not a table

COPY mv FROM STDIN
--> ERROR 42809: cannot copy to materialized view "mv"

COPY mv TO STDOUT
--> ERROR 42809: cannot copy from materialized view "mv"

COPY (SELECT g, count FROM mv ORDER BY g) TO STDOUT
--> a	2
--> b	2
--> c	1
--> COPY 3

CREATE VIEW mv_through AS SELECT g FROM mv
--> CREATE VIEW

INSERT INTO mv_through VALUES ('x')
--> ERROR 55000: cannot insert into view "mv_through"
-->   detail: Views that do not select from a single table or view are not automatically updatable.

ALTER TABLE mt ADD FOREIGN KEY (g) REFERENCES mv (g)
--> ERROR 42809: referenced relation "mv" is not a table

-- Indexes.
CREATE INDEX ON mv (total DESC)
--> CREATE INDEX

CREATE UNIQUE INDEX mv_g ON mv (g)
--> CREATE INDEX

CREATE INDEX ON mv (lower(g)) WHERE total > 0
--> CREATE INDEX

CREATE INDEX ON over_empty (a)
--> ERROR 42809: cannot create index on relation "over_empty"
-->   detail: This operation is not supported for views.

SELECT indexname, replace(indexdef, current_schema() || '.', '') AS def FROM pg_indexes WHERE tablename = 'mv' ORDER BY 1
--> indexname name | def text
--> mv_g | CREATE UNIQUE INDEX mv_g ON mv USING btree (g)
--> mv_lower_idx | CREATE INDEX mv_lower_idx ON mv USING btree (lower(g)) WHERE (total > (0)::numeric)
--> mv_total_idx | CREATE INDEX mv_total_idx ON mv USING btree (total DESC)
--> SELECT 3

SELECT * FROM mv WHERE g = 'a'
--> g text | total numeric | count int8
--> a | 4.00 | 2
--> SELECT 1

-- What the catalog says.
SELECT matviewname, hasindexes, ispopulated, tablespace FROM pg_matviews ORDER BY 1
--> matviewname name | hasindexes bool | ispopulated bool | tablespace name
--> mv | t | t | ∅
--> mv_empty | t | t | ∅
--> SELECT 2

SELECT table_name, table_type FROM information_schema.tables WHERE table_name IN ('mv', 'mv_empty', 'over_empty') ORDER BY 1
--> table_name name | table_type varchar
--> over_empty | VIEW
--> SELECT 1

SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'mv'::regclass AND attnum > 0 ORDER BY attnum
--> attname name | format_type text
--> g | text
--> total | numeric
--> count | bigint
--> SELECT 3

SELECT count(*) FROM pg_views WHERE viewname IN ('mv', 'mv_empty', 'over_empty')
--> count int8
--> 1
--> SELECT 1

SELECT pg_relation_is_updatable('mv', true)
--> pg_relation_is_updatable int4
--> 0
--> SELECT 1

-- ALTER.
ALTER MATERIALIZED VIEW mv RENAME COLUMN total TO whole
--> ALTER MATERIALIZED VIEW

SELECT g, whole FROM mv ORDER BY g LIMIT 1
--> g text | whole numeric
--> a | 4.00
--> SELECT 1

ALTER MATERIALIZED VIEW mv RENAME TO mv2
--> ALTER MATERIALIZED VIEW

SELECT g FROM mv_through ORDER BY g LIMIT 1
--> g text
--> a
--> SELECT 1

REFRESH MATERIALIZED VIEW mv2
--> REFRESH MATERIALIZED VIEW

SELECT * FROM mv2 ORDER BY g
--> g text | whole numeric | count int8
--> a | 4.00 | 2
--> b | 5.00 | 1
--> c | ∅ | 1
--> z | 10.00 | 1
--> SELECT 4

ALTER TABLE mt RENAME COLUMN g TO grp
--> ALTER TABLE

ALTER TABLE mt RENAME TO mt2
--> ALTER TABLE

REFRESH MATERIALIZED VIEW mv2
--> REFRESH MATERIALIZED VIEW

SELECT count(*) FROM mv2
--> count int8
--> 4
--> SELECT 1

ALTER MATERIALIZED VIEW mv2 ADD COLUMN x int
--> ERROR 42809: ALTER action ADD COLUMN cannot be performed on relation "mv2"
-->   detail: This operation is not supported for materialized views.

ALTER MATERIALIZED VIEW mv2 ALTER COLUMN whole SET STATISTICS 100
--> ALTER MATERIALIZED VIEW

ALTER MATERIALIZED VIEW mv2 SET (fillfactor = 70)
--> ALTER MATERIALIZED VIEW

ALTER MATERIALIZED VIEW IF EXISTS nothing RENAME TO something
--> NOTICE: relation "nothing" does not exist, skipping
--> ALTER MATERIALIZED VIEW

COMMENT ON MATERIALIZED VIEW mv2 IS 'rows kept'
--> COMMENT

SELECT obj_description('mv2'::regclass)
--> obj_description text
--> rows kept
--> SELECT 1

-- DROP.
DROP TABLE mv2
--> ERROR 42809: "mv2" is not a table

DROP VIEW mv2
--> ERROR 42809: "mv2" is not a view

DROP MATERIALIZED VIEW mt2
--> ERROR 42809: "mt2" is not a materialized view

DROP MATERIALIZED VIEW nothing
--> ERROR 42P01: materialized view "nothing" does not exist

DROP MATERIALIZED VIEW IF EXISTS nothing
--> NOTICE: materialized view "nothing" does not exist, skipping
--> DROP MATERIALIZED VIEW

DROP TABLE mt2
--> ERROR 2BP01: cannot drop table mt2 because other objects depend on it
-->   detail: materialized view mv2 depends on table mt2
--> view mv_through depends on materialized view mv2
--> materialized view mv_empty depends on table mt2
--> view over_empty depends on materialized view mv_empty

ALTER TABLE mt2 DROP COLUMN n
--> ERROR 2BP01: cannot drop column n of table mt2 because other objects depend on it
-->   detail: materialized view mv2 depends on column n of table mt2
--> view mv_through depends on materialized view mv2

ALTER TABLE mt2 ALTER COLUMN n TYPE int
--> ERROR 0A000: cannot alter type of a column used by a view or rule
-->   detail: rule _RETURN on materialized view mv2 depends on column "n"

DROP MATERIALIZED VIEW mv2
--> ERROR 2BP01: cannot drop materialized view mv2 because other objects depend on it
-->   detail: view mv_through depends on materialized view mv2

DROP MATERIALIZED VIEW mv2 CASCADE
--> NOTICE: drop cascades to view mv_through
--> DROP MATERIALIZED VIEW

DROP TABLE mt2 CASCADE
--> NOTICE: drop cascades to 2 other objects
--> DROP TABLE

SELECT count(*) FROM pg_matviews
--> count int8
--> 0
--> SELECT 1

-- A unique index may refuse the new rows; then the old ones stay.
CREATE TABLE mu (a int, b text)
--> CREATE TABLE

INSERT INTO mu VALUES (1, 'x')
--> INSERT 0 1

CREATE MATERIALIZED VIEW muv AS SELECT a, b, random() < 2 AS r, now() IS NOT NULL AS t FROM mu
--> SELECT 1

CREATE UNIQUE INDEX muv_a ON muv (a)
--> CREATE INDEX

INSERT INTO mu VALUES (1, 'y')
--> INSERT 0 1

BEGIN
--> BEGIN

DELETE FROM mu WHERE b = 'x'
--> DELETE 1

REFRESH MATERIALIZED VIEW muv
--> REFRESH MATERIALIZED VIEW

SELECT * FROM muv
--> a int4 | b text | r bool | t bool
--> 1 | y | t | t
--> SELECT 1

ROLLBACK
--> ROLLBACK

SELECT * FROM muv
--> a int4 | b text | r bool | t bool
--> 1 | x | t | t
--> SELECT 1

WITH gone AS (DELETE FROM mu RETURNING a) SELECT * FROM gone, muv
--> a int4 | a int4 | b text | r bool | t bool
--> 1 | 1 | x | t | t
--> 1 | 1 | x | t | t
--> SELECT 2

-- A view of a materialized view of a view; locks on rows of it.
CREATE MATERIALIZED VIEW muw AS SELECT v.a + 1 AS a FROM muv v
--> SELECT 1

SELECT * FROM muw
--> a int4
--> 2
--> SELECT 1

SELECT a FROM muw FOR UPDATE
--> ERROR 42809: cannot lock rows in materialized view "muw"

SELECT ctid IS NOT NULL AS c, tableoid::regclass::text FROM muw
--> c bool | tableoid text
--> t | muw
--> SELECT 1

CREATE TEMP TABLE mtemp (a int)
--> CREATE TABLE

CREATE MATERIALIZED VIEW muq AS SELECT * FROM mtemp
--> ERROR 0A000: materialized views must not use temporary tables or views

CREATE MATERIALIZED VIEW muq AS SELECT $1 AS a
--> ERROR 42P02: there is no parameter $1

CREATE MATERIALIZED VIEW muq AS WITH x AS (INSERT INTO mu VALUES (1) RETURNING a) SELECT * FROM x
--> ERROR 0A000: materialized views must not use data-modifying statements in WITH

CREATE MATERIALIZED VIEW muq (a, b) AS SELECT 1
--> ERROR 42601: too many column names were specified

DROP MATERIALIZED VIEW muv CASCADE
--> NOTICE: drop cascades to materialized view muw
--> DROP MATERIALIZED VIEW

DROP TABLE mu
--> DROP TABLE
