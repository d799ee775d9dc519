CREATE TABLE an_small (id int PRIMARY KEY, kind text)
--> CREATE TABLE

CREATE TABLE an_big (id int PRIMARY KEY, small_id int, status text, n int)
--> CREATE TABLE

INSERT INTO an_small SELECT g, 'k' || g FROM generate_series(1, 100) g
--> INSERT 0 100

INSERT INTO an_big SELECT g, g % 100 + 1, CASE WHEN g % 1000 = 0 THEN 'open' ELSE 'done' END, g FROM generate_series(1, 5000) g
--> INSERT 0 5000

CREATE INDEX an_status ON an_big (status, small_id)
--> CREATE INDEX

CREATE INDEX an_lower ON an_big (lower(status), n DESC)
--> CREATE INDEX

CREATE INDEX an_part ON an_big (n DESC) WHERE status = 'open'
--> CREATE INDEX

CREATE VIEW an_view AS SELECT * FROM an_big
--> CREATE VIEW

CREATE MATERIALIZED VIEW an_made AS SELECT * FROM an_small
--> SELECT 100

ANALYZE
--> ANALYZE

ANALYZE an_big
--> ANALYZE

ANALYZE an_big (status, n), an_small
--> ANALYZE

ANALYZE VERBOSE an_nothing
--> ERROR 42P01: relation "an_nothing" does not exist

ANALYZE an_big (nothing)
--> ERROR 42703: column "nothing" of relation "an_big" does not exist

ANALYZE (SKIP_LOCKED) an_small
--> ANALYZE

ANALYZE (nothing) an_small
--> ERROR 42601: unrecognized ANALYZE option "nothing"

ANALYZE an_view
--> WARNING: skipping "an_view" --- cannot analyze non-tables or special system tables
--> ANALYZE

ANALYZE an_made
--> ANALYZE

VACUUM ANALYZE an_big
--> VACUUM

VACUUM (ANALYZE, VERBOSE off) an_big
--> VACUUM

VACUUM (ANALYZE false) an_big
--> VACUUM

VACUUM (FULL, ANALYZE) an_small
--> VACUUM

VACUUM (nothing) an_small
--> ERROR 42601: unrecognized VACUUM option "nothing"

SELECT count(*) FROM an_big b JOIN an_small s ON s.id = b.small_id WHERE s.kind = 'k7'
--> count int8
--> 50
--> SELECT 1

SELECT count(*) FROM an_big WHERE status = 'open' AND small_id = 1
--> count int8
--> 5
--> SELECT 1

SELECT id FROM an_big WHERE lower(status) = 'open' ORDER BY n DESC
--> id int4
--> 5000
--> 4000
--> 3000
--> 2000
--> 1000
--> SELECT 5

SELECT id FROM an_big WHERE status = 'open' AND n < 3000 ORDER BY n
--> id int4
--> 1000
--> 2000
--> SELECT 2

BEGIN
--> BEGIN

ANALYZE an_small
--> ANALYZE

INSERT INTO an_small VALUES (101, 'z')
--> INSERT 0 1

SAVEPOINT a
--> SAVEPOINT

ANALYZE
--> ANALYZE

ROLLBACK TO a
--> ROLLBACK

COMMIT
--> COMMIT

SELECT count(*) FROM an_small
--> count int8
--> 101
--> SELECT 1

BEGIN
--> BEGIN

ANALYZE
--> ANALYZE

ROLLBACK
--> ROLLBACK

ALTER TABLE an_big ALTER COLUMN n TYPE bigint
--> ERROR 0A000: cannot alter type of a column used by a view or rule
-->   detail: rule _RETURN on view an_view depends on column "n"

ANALYZE an_big
--> ANALYZE

DELETE FROM an_big WHERE id > 10
--> DELETE 4990

ANALYZE an_big
--> ANALYZE

DROP INDEX an_status
--> DROP INDEX

DROP TABLE an_small CASCADE
--> NOTICE: drop cascades to materialized view an_made
--> DROP TABLE

ANALYZE
--> ANALYZE

SELECT count(*) FROM an_big
--> count int8
--> 10
--> SELECT 1
