-- Views that are written through.
CREATE TABLE vt (id int PRIMARY KEY, name text NOT NULL DEFAULT 'none', n int DEFAULT 5, up text GENERATED ALWAYS AS (upper(name)) STORED)
--> CREATE TABLE

INSERT INTO vt (id, name, n) VALUES (1, 'one', 10), (2, 'two', 20), (3, 'three', 30)
--> INSERT 0 3

CREATE VIEW v_all AS SELECT * FROM vt
--> CREATE VIEW

CREATE VIEW v_some (key, label, twice) AS SELECT t.id, t.name, t.n * 2 FROM vt t WHERE t.n > 15
--> CREATE VIEW

CREATE VIEW v_over AS SELECT label AS l, key AS k, 'x' AS c FROM v_some WHERE key < 100
--> CREATE VIEW

INSERT INTO v_all (id, name) VALUES (4, 'four') RETURNING *
--> id int4 | name text | n int4 | up text
--> 4 | four | 5 | FOUR
--> INSERT 0 1

INSERT INTO v_all VALUES (5) RETURNING id, name, n, up
--> id int4 | name text | n int4 | up text
--> 5 | none | 5 | NONE
--> INSERT 0 1

INSERT INTO v_all VALUES (6, DEFAULT, 60, DEFAULT)
--> INSERT 0 1

INSERT INTO v_some (key, label) VALUES (7, 'seven'), (8, 'eight')
--> INSERT 0 2

INSERT INTO v_some (key, label) SELECT id + 10, name || '!' FROM vt WHERE id < 3 RETURNING key, label, twice
--> key int4 | label text | twice int4
--> 11 | one! | 10
--> 12 | two! | 10
--> INSERT 0 2

INSERT INTO v_some (key, twice) VALUES (9, 9)
--> ERROR 0A000: cannot insert into column "twice" of view "v_some"
-->   detail: View columns that are not columns of their base relation are not updatable.

INSERT INTO v_some VALUES (9, 'nine', 18)
--> ERROR 0A000: cannot insert into column "twice" of view "v_some"
-->   detail: View columns that are not columns of their base relation are not updatable.

INSERT INTO v_some VALUES (9, 'nine', DEFAULT)
--> ERROR 0A000: cannot insert into column "twice" of view "v_some"
-->   detail: View columns that are not columns of their base relation are not updatable.

UPDATE v_some SET label = label || '+' WHERE key <= 3 RETURNING *
--> key int4 | label text | twice int4
--> 2 | two+ | 40
--> 3 | three+ | 60
--> UPDATE 2

UPDATE v_some SET twice = 4
--> ERROR 0A000: cannot update column "twice" of view "v_some"
-->   detail: View columns that are not columns of their base relation are not updatable.

UPDATE v_some SET key = 3 WHERE key = 2
--> ERROR 23505: duplicate key value violates unique constraint "vt_pkey"
-->   detail: Key (id)=(3) already exists.
-->   table: vt
-->   constraint: vt_pkey

UPDATE v_some v SET label = v.label || x.b FROM (VALUES (2, 'b')) x(a, b) WHERE x.a = v.key RETURNING v.*, x.b
--> key int4 | label text | twice int4 | b text
--> 2 | two+b | 40 | b
--> UPDATE 1

UPDATE v_over SET l = 'over' WHERE k = 3 RETURNING l, k, c
--> l text | k int4 | c text
--> over | 3 | x
--> UPDATE 1

UPDATE v_over SET c = 'y'
--> ERROR 0A000: cannot update column "c" of view "v_over"
-->   detail: View columns that are not columns of their base relation are not updatable.

INSERT INTO v_over (k, l) VALUES (50, 'fifty') RETURNING *
--> l text | k int4 | c text
--> fifty | 50 | x
--> INSERT 0 1

DELETE FROM v_over WHERE k = 50
--> DELETE 0

DELETE FROM v_all WHERE id = 50 RETURNING id, up
--> id int4 | up text
--> 50 | FIFTY
--> DELETE 1

DELETE FROM v_some USING (VALUES (60)) x(n) WHERE twice = 2 * x.n RETURNING key, label
--> key int4 | label text
--> 6 | none
--> DELETE 1

SELECT * FROM vt ORDER BY id
--> id int4 | name text | n int4 | up text
--> 1 | one | 10 | ONE
--> 2 | two+b | 20 | TWO+B
--> 3 | over | 30 | OVER
--> 4 | four | 5 | FOUR
--> 5 | none | 5 | NONE
--> 7 | seven | 5 | SEVEN
--> 8 | eight | 5 | EIGHT
--> 11 | one! | 5 | ONE!
--> 12 | two! | 5 | TWO!
--> SELECT 9

INSERT INTO v_all (id, nope) VALUES (1, 2)
--> ERROR 42703: column "nope" of relation "v_all" does not exist

UPDATE v_all SET nope = 1
--> ERROR 42703: column "nope" of relation "v_all" does not exist

UPDATE v_some SET id = 1
--> ERROR 42703: column "id" of relation "v_some" does not exist

SELECT ctid FROM v_all
--> ERROR 42703: column "ctid" does not exist

UPDATE v_all SET name = 'x' WHERE ctid IS NOT NULL
--> ERROR 42703: column "ctid" does not exist

INSERT INTO v_all (id, id) VALUES (1, 2)
--> ERROR 42701: column "id" specified more than once

UPDATE v_all SET n = 1, n = 2
--> ERROR 42601: multiple assignments to same column "n"

UPDATE v_all SET (name, n) = (SELECT 'both', 77) WHERE id = 1 RETURNING *
--> id int4 | name text | n int4 | up text
--> 1 | both | 77 | BOTH
--> UPDATE 1

UPDATE v_all SET (n, name) = (DEFAULT, 'def') WHERE id = 1 RETURNING *
--> id int4 | name text | n int4 | up text
--> 1 | def | ∅ | DEF
--> UPDATE 1

INSERT INTO v_all (id, name) VALUES (1, NULL)
--> ERROR 23502: null value in column "name" of relation "vt" violates not-null constraint
-->   detail: Failing row contains (1, null, 5, null).
-->   table: vt
-->   column: name

INSERT INTO v_all (id, name) VALUES (1, 'a')
--> ERROR 23505: duplicate key value violates unique constraint "vt_pkey"
-->   detail: Key (id)=(1) already exists.
-->   table: vt
-->   constraint: vt_pkey

-- ON CONFLICT
INSERT INTO v_all (id, name) VALUES (1, 'again') ON CONFLICT (id) DO UPDATE SET name = excluded.name || '/' || v_all.name RETURNING id, name
--> id int4 | name text
--> 1 | again/def
--> INSERT 0 1

INSERT INTO v_some (key, label) VALUES (2, 'again') ON CONFLICT (key) DO UPDATE SET label = excluded.label RETURNING *
--> key int4 | label text | twice int4
--> 2 | again | 40
--> INSERT 0 1

INSERT INTO v_some (key, label) VALUES (1, 'again') ON CONFLICT (key) DO UPDATE SET label = excluded.label RETURNING *
--> key int4 | label text | twice int4
--> 1 | again | ∅
--> INSERT 0 1

INSERT INTO v_some (key, label) VALUES (2, 'again') ON CONFLICT DO NOTHING
--> INSERT 0 0

INSERT INTO v_some (key, label) VALUES (2, 'again') ON CONFLICT (twice) DO NOTHING
--> ERROR 42P10: there is no unique or exclusion constraint matching the ON CONFLICT specification

INSERT INTO v_some (key, label) VALUES (2, 'again') ON CONFLICT ON CONSTRAINT vt_pkey DO NOTHING
--> ERROR 42704: constraint "vt_pkey" for table "v_some" does not exist

-- Views that are not.
CREATE VIEW n_distinct AS SELECT DISTINCT name FROM vt
--> CREATE VIEW

CREATE VIEW n_group AS SELECT n, count(*) FROM vt GROUP BY n
--> CREATE VIEW

CREATE VIEW n_having AS SELECT 1 AS one FROM vt HAVING count(*) > 0
--> CREATE VIEW

CREATE VIEW n_set AS SELECT id FROM vt UNION SELECT id FROM vt
--> CREATE VIEW

CREATE VIEW n_with AS WITH w AS (SELECT id FROM vt) SELECT * FROM w
--> CREATE VIEW

CREATE VIEW n_limit AS SELECT id FROM vt ORDER BY id LIMIT 1
--> CREATE VIEW

CREATE VIEW n_offset AS SELECT id FROM vt ORDER BY id OFFSET 1
--> CREATE VIEW

CREATE VIEW n_agg AS SELECT max(id) FROM vt
--> CREATE VIEW

CREATE VIEW n_window AS SELECT id, row_number() OVER () FROM vt
--> CREATE VIEW

CREATE VIEW n_srf AS SELECT id, generate_series(1, 2) FROM vt
--> CREATE VIEW

CREATE VIEW n_join AS SELECT a.id FROM vt a JOIN vt b USING (id)
--> CREATE VIEW

CREATE VIEW n_two AS SELECT a.id FROM vt a, vt b
--> CREATE VIEW

CREATE VIEW n_none AS SELECT 1 AS a
--> CREATE VIEW

CREATE VIEW n_values AS VALUES (1), (2)
--> CREATE VIEW

CREATE VIEW n_sub AS SELECT * FROM (SELECT id FROM vt) s
--> CREATE VIEW

CREATE VIEW n_func AS SELECT * FROM generate_series(1, 2) g
--> CREATE VIEW

CREATE VIEW n_over AS SELECT * FROM n_limit
--> CREATE VIEW

INSERT INTO n_distinct VALUES ('x')
--> ERROR 55000: cannot insert into view "n_distinct"
-->   detail: Views containing DISTINCT are not automatically updatable.

UPDATE n_group SET n = 1
--> ERROR 55000: cannot update view "n_group"
-->   detail: Views containing GROUP BY are not automatically updatable.

DELETE FROM n_having
--> ERROR 55000: cannot delete from view "n_having"
-->   detail: Views containing HAVING are not automatically updatable.

DELETE FROM n_set
--> ERROR 55000: cannot delete from view "n_set"
-->   detail: Views containing UNION, INTERSECT, or EXCEPT are not automatically updatable.

UPDATE n_with SET id = 1
--> ERROR 55000: cannot update view "n_with"
-->   detail: Views containing WITH are not automatically updatable.

INSERT INTO n_limit VALUES (1)
--> ERROR 55000: cannot insert into view "n_limit"
-->   detail: Views containing LIMIT or OFFSET are not automatically updatable.

DELETE FROM n_offset
--> ERROR 55000: cannot delete from view "n_offset"
-->   detail: Views containing LIMIT or OFFSET are not automatically updatable.

DELETE FROM n_agg
--> ERROR 55000: cannot delete from view "n_agg"
-->   detail: Views that return aggregate functions are not automatically updatable.

UPDATE n_window SET id = 1
--> ERROR 55000: cannot update view "n_window"
-->   detail: Views that return window functions are not automatically updatable.

INSERT INTO n_srf (id) VALUES (1)
--> ERROR 55000: cannot insert into view "n_srf"
-->   detail: Views that return set-returning functions are not automatically updatable.

DELETE FROM n_join
--> ERROR 55000: cannot delete from view "n_join"
-->   detail: Views that do not select from a single table or view are not automatically updatable.

DELETE FROM n_two
--> ERROR 55000: cannot delete from view "n_two"
-->   detail: Views that do not select from a single table or view are not automatically updatable.

INSERT INTO n_none VALUES (1)
--> ERROR 55000: cannot insert into view "n_none"
-->   detail: Views that do not select from a single table or view are not automatically updatable.

UPDATE n_values SET column1 = 1
--> ERROR 55000: cannot update view "n_values"
-->   detail: Views that do not select from a single table or view are not automatically updatable.

DELETE FROM n_sub
--> ERROR 55000: cannot delete from view "n_sub"
-->   detail: Views that do not select from a single table or view are not automatically updatable.

DELETE FROM n_func
--> ERROR 55000: cannot delete from view "n_func"
-->   detail: Views that do not select from a single table or view are not automatically updatable.

UPDATE n_over SET id = 1
--> ERROR 55000: cannot update view "n_limit"
-->   detail: Views containing LIMIT or OFFSET are not automatically updatable.

COPY v_all FROM STDIN
--> ERROR 42809: cannot copy to view "v_all"

-- Columns of no table.
CREATE VIEW v_none AS SELECT 1 AS one, upper(name) AS u FROM vt WHERE id > 1000
--> CREATE VIEW

DELETE FROM v_none
--> DELETE 0

UPDATE v_none SET one = 2
--> ERROR 55000: cannot update view "v_none"
-->   detail: Views that have no updatable columns are not automatically updatable.

INSERT INTO v_none DEFAULT VALUES
--> ERROR 55000: cannot insert into view "v_none"
-->   detail: Views that have no updatable columns are not automatically updatable.

CREATE VIEW v_system AS SELECT ctid AS place, id, vt AS whole FROM vt
--> CREATE VIEW

UPDATE v_system SET place = '(0,1)'
--> ERROR 0A000: cannot update column "place" of view "v_system"
-->   detail: View columns that refer to system columns are not updatable.

UPDATE v_system SET whole = NULL
--> ERROR 0A000: cannot update column "whole" of view "v_system"
-->   detail: View columns that return whole-row references are not updatable.

UPDATE v_system SET id = 99 WHERE id = 4 RETURNING id
--> id int4
--> 99
--> UPDATE 1

-- What the catalog says.
SELECT table_name, is_updatable, is_insertable_into, check_option FROM information_schema.views WHERE table_name IN ('n_agg', 'n_distinct', 'n_func', 'n_group', 'n_having', 'n_join', 'n_limit', 'n_none', 'n_offset', 'n_over', 'n_set', 'n_srf', 'n_sub', 'n_two', 'n_values', 'n_window', 'n_with', 'v_all', 'v_none', 'v_over', 'v_some', 'v_system') ORDER BY 1
--> table_name name | is_updatable varchar | is_insertable_into varchar | check_option varchar
--> n_agg | NO | NO | NONE
--> n_distinct | NO | NO | NONE
--> n_func | NO | NO | NONE
--> n_group | NO | NO | NONE
--> n_having | NO | NO | NONE
--> n_join | NO | NO | NONE
--> n_limit | NO | NO | NONE
--> n_none | NO | NO | NONE
--> n_offset | NO | NO | NONE
--> n_over | NO | NO | NONE
--> n_set | NO | NO | NONE
--> n_srf | NO | NO | NONE
--> n_sub | NO | NO | NONE
--> n_two | NO | NO | NONE
--> n_values | NO | NO | NONE
--> n_window | NO | NO | NONE
--> n_with | NO | NO | NONE
--> v_all | YES | YES | NONE
--> v_none | NO | NO | NONE
--> v_over | YES | YES | NONE
--> v_some | YES | YES | NONE
--> v_system | YES | YES | NONE
--> SELECT 22

SELECT table_name, column_name, is_updatable FROM information_schema.columns WHERE table_name IN ('v_all', 'v_some', 'v_over', 'v_none', 'v_system', 'n_over', 'vt') ORDER BY table_name, ordinal_position
--> table_name name | column_name name | is_updatable varchar
--> n_over | id | NO
--> v_all | id | YES
--> v_all | name | YES
--> v_all | n | YES
--> v_all | up | YES
--> v_none | one | NO
--> v_none | u | NO
--> v_over | l | YES
--> v_over | k | YES
--> v_over | c | NO
--> v_some | key | YES
--> v_some | label | YES
--> v_some | twice | NO
--> v_system | place | NO
--> v_system | id | YES
--> v_system | whole | NO
--> vt | id | YES
--> vt | name | YES
--> vt | n | YES
--> vt | up | YES
--> SELECT 20

SELECT relname, pg_relation_is_updatable(oid::regclass, false) FROM pg_class WHERE relname IN ('vt', 'v_all', 'v_some', 'v_over', 'v_none', 'n_over', 'vt_pkey') ORDER BY 1
--> relname name | pg_relation_is_updatable int4
--> n_over | 0
--> v_all | 28
--> v_none | 16
--> v_over | 28
--> v_some | 28
--> vt | 28
--> vt_pkey | 0
--> SELECT 7

SELECT table_name, is_insertable_into FROM information_schema.tables WHERE table_name IN ('vt', 'v_all', 'v_none', 'n_over') ORDER BY 1
--> table_name name | is_insertable_into varchar
--> n_over | NO
--> v_all | YES
--> v_none | NO
--> vt | YES
--> SELECT 4

-- Check options.
CREATE VIEW c_plain AS SELECT * FROM vt WHERE n > 0
--> CREATE VIEW

CREATE VIEW c_local AS SELECT * FROM c_plain WHERE n < 100 WITH LOCAL CHECK OPTION
--> CREATE VIEW

CREATE VIEW c_cascaded AS SELECT * FROM c_plain WHERE n < 100 WITH CASCADED CHECK OPTION
--> CREATE VIEW

CREATE VIEW c_check AS SELECT id AS i, n FROM c_plain WHERE n <> 50 WITH CHECK OPTION
--> CREATE VIEW

CREATE VIEW c_above AS SELECT * FROM c_local WHERE n <> 7
--> CREATE VIEW

INSERT INTO c_local (id, n) VALUES (21, 200)
--> ERROR 44000: new row violates check option for view "c_local"
-->   detail: Failing row contains (21, none, 200, NONE).

INSERT INTO c_local (id, n) VALUES (21, -1)
--> INSERT 0 1

INSERT INTO c_cascaded (id, n) VALUES (22, -1)
--> ERROR 44000: new row violates check option for view "c_plain"
-->   detail: Failing row contains (22, none, -1, NONE).

INSERT INTO c_cascaded (id, n) VALUES (22, 100) RETURNING id
--> ERROR 44000: new row violates check option for view "c_cascaded"
-->   detail: Failing row contains (22, none, 100, NONE).

INSERT INTO c_cascaded (id, n) VALUES (22, 1), (23, 101)
--> ERROR 44000: new row violates check option for view "c_cascaded"
-->   detail: Failing row contains (23, none, 101, NONE).

INSERT INTO c_cascaded (id, n) VALUES (22, NULL)
--> ERROR 44000: new row violates check option for view "c_plain"
-->   detail: Failing row contains (22, none, null, NONE).

INSERT INTO c_check (i, n) VALUES (24, 50)
--> ERROR 44000: new row violates check option for view "c_check"
-->   detail: Failing row contains (24, none, 50, NONE).

INSERT INTO c_check (i, n) VALUES (24, 51) RETURNING *
--> i int4 | n int4
--> 24 | 51
--> INSERT 0 1

INSERT INTO c_above (id, n) VALUES (25, 7)
--> INSERT 0 1

INSERT INTO c_above (id, n) VALUES (26, 700)
--> ERROR 44000: new row violates check option for view "c_local"
-->   detail: Failing row contains (26, none, 700, NONE).

UPDATE c_check SET n = 50 WHERE i = 24
--> ERROR 44000: new row violates check option for view "c_check"
-->   detail: Failing row contains (24, none, 50, NONE).

UPDATE c_check SET n = 50 WHERE i = 24 RETURNING n
--> ERROR 44000: new row violates check option for view "c_check"
-->   detail: Failing row contains (24, none, 50, NONE).

UPDATE c_check SET n = -50 WHERE i = 24
--> ERROR 44000: new row violates check option for view "c_plain"
-->   detail: Failing row contains (24, none, -50, NONE).

UPDATE c_check SET n = 52 WHERE i = 24 RETURNING i, n
--> i int4 | n int4
--> 24 | 52
--> UPDATE 1

INSERT INTO c_check (i, n) VALUES (24, 3) ON CONFLICT (i) DO UPDATE SET n = 50
--> ERROR 44000: new row violates check option for view "c_check"
-->   detail: Failing row contains (24, none, 50, NONE).

INSERT INTO c_check (i, n) VALUES (24, 50) ON CONFLICT (i) DO NOTHING
--> INSERT 0 0

INSERT INTO c_check (i, n) SELECT 30 + g, g FROM generate_series(49, 51) g
--> ERROR 44000: new row violates check option for view "c_check"
-->   detail: Failing row contains (80, none, 50, NONE).

WITH w AS (INSERT INTO c_check (i, n) VALUES (27, 50) RETURNING i) SELECT * FROM w
--> ERROR 44000: new row violates check option for view "c_check"
-->   detail: Failing row contains (27, none, 50, NONE).

WITH w AS (INSERT INTO c_check (i, n) VALUES (27, 49)) SELECT 1 AS one
--> one int4
--> 1
--> SELECT 1

PREPARE ins AS INSERT INTO c_check (i, n) VALUES ($1, $2)
--> PREPARE

EXECUTE ins(28, 50)
--> ERROR 44000: new row violates check option for view "c_check"
-->   detail: Failing row contains (28, none, 50, NONE).

EXECUTE ins(28, 28)
--> INSERT 0 1

CREATE VIEW c_wrong AS SELECT DISTINCT id FROM vt WITH CHECK OPTION
--> ERROR 0A000: WITH CHECK OPTION is supported only on automatically updatable views

CREATE VIEW c_sub AS SELECT * FROM vt a WHERE NOT EXISTS (SELECT 1 FROM vt b WHERE b.n = a.n + 1) WITH CHECK OPTION
--> CREATE VIEW

INSERT INTO c_sub (id, n) VALUES (40, 27)
--> ERROR 44000: new row violates check option for view "c_sub"
-->   detail: Failing row contains (40, none, 27, NONE).

INSERT INTO c_sub (id, n) VALUES (40, 1000)
--> INSERT 0 1

INSERT INTO c_sub (id, n) VALUES (41, 999)
--> ERROR 44000: new row violates check option for view "c_sub"
-->   detail: Failing row contains (41, none, 999, NONE).

SELECT pg_get_viewdef('c_local') LIKE '%OPTION%' AS told, reloptions FROM pg_class WHERE relname = 'c_local'
--> told bool | reloptions text[]
--> f | {check_option=local}
--> SELECT 1

ALTER VIEW c_local RESET (check_option)
--> ALTER VIEW

INSERT INTO c_local (id, n) VALUES (42, 2000)
--> INSERT 0 1

ALTER VIEW c_local SET (check_option = cascaded, security_barrier)
--> ALTER VIEW

INSERT INTO c_local (id, n) VALUES (43, -2000)
--> ERROR 44000: new row violates check option for view "c_plain"
-->   detail: Failing row contains (43, none, -2000, NONE).

SELECT reloptions FROM pg_class WHERE relname = 'c_local'
--> reloptions text[]
--> {check_option=cascaded,security_barrier=true}
--> SELECT 1

ALTER VIEW c_local SET (check_option = some)
--> ERROR 22023: invalid value for enum option "check_option": some
-->   detail: Valid values are "local" and "cascaded".

ALTER VIEW c_local SET (nonsense = 1)
--> ERROR 22023: unrecognized parameter "nonsense"

ALTER VIEW n_group SET (check_option = local)
--> ERROR 0A000: WITH CHECK OPTION is supported only on automatically updatable views

-- Defaults of views.
ALTER VIEW v_all ALTER COLUMN name SET DEFAULT 'by view'
--> ALTER VIEW

ALTER VIEW v_all ALTER n SET DEFAULT 1 + 1
--> ALTER VIEW

INSERT INTO v_all (id) VALUES (60) RETURNING name, n
--> name text | n int4
--> by view | 2
--> INSERT 0 1

INSERT INTO v_all VALUES (61, DEFAULT, DEFAULT) RETURNING name, n
--> name text | n int4
--> by view | 2
--> INSERT 0 1

INSERT INTO v_all (id, n) SELECT 62, 5 RETURNING name, n
--> name text | n int4
--> by view | 5
--> INSERT 0 1

INSERT INTO vt (id) VALUES (63) RETURNING name, n
--> name text | n int4
--> none | 5
--> INSERT 0 1

UPDATE v_all SET n = DEFAULT WHERE id = 63 RETURNING n
--> n int4
--> 2
--> UPDATE 1

SELECT column_name, column_default FROM information_schema.columns WHERE table_name = 'v_all' ORDER BY ordinal_position
--> column_name name | column_default varchar
--> id | ∅
--> name | 'by view'::text
--> n | (1 + 1)
--> up | ∅
--> SELECT 4

ALTER VIEW v_all ALTER COLUMN name DROP DEFAULT
--> ALTER VIEW

INSERT INTO v_all (id) VALUES (64) RETURNING name, n
--> name text | n int4
--> none | 2
--> INSERT 0 1

CREATE OR REPLACE VIEW v_all AS SELECT * FROM vt WHERE id > 0
--> CREATE VIEW

INSERT INTO v_all (id) VALUES (65) RETURNING name, n
--> name text | n int4
--> none | 2
--> INSERT 0 1

ALTER VIEW v_all ALTER COLUMN nope SET DEFAULT 1
--> ERROR 42703: column "nope" of relation "v_all" does not exist

ALTER VIEW v_all ADD COLUMN x int
--> ERROR 42809: ALTER action ADD COLUMN cannot be performed on relation "v_all"
-->   detail: This operation is not supported for views.

-- Renaming a view's column.
ALTER VIEW v_some RENAME COLUMN label TO title
--> ALTER VIEW

INSERT INTO v_some (key, title) VALUES (70, 'seventy') RETURNING key, title
--> key int4 | title text
--> 70 | seventy
--> INSERT 0 1

SELECT * FROM v_over WHERE k = 2
--> l text | k int4 | c text
--> again | 2 | x
--> SELECT 1

UPDATE v_over SET l = 'still' WHERE k = 2 RETURNING *
--> l text | k int4 | c text
--> still | 2 | x
--> UPDATE 1

ALTER TABLE v_some RENAME title TO label
--> ALTER TABLE

ALTER TABLE vt RENAME COLUMN n TO number
--> ALTER TABLE

UPDATE v_some SET label = 'renamed' WHERE key = 2 RETURNING *
--> key int4 | label text | twice int4
--> 2 | renamed | 40
--> UPDATE 1

INSERT INTO c_check (i, n) VALUES (80, 50)
--> ERROR 44000: new row violates check option for view "c_check"
-->   detail: Failing row contains (80, none, 50, NONE).

-- Recursive views.
CREATE RECURSIVE VIEW v_rec (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM v_rec WHERE n < 4
--> CREATE VIEW

SELECT sum(n) FROM v_rec
--> sum int8
--> 10
--> SELECT 1

INSERT INTO v_rec VALUES (1)
--> ERROR 55000: cannot insert into view "v_rec"
-->   detail: Views containing WITH are not automatically updatable.

-- A view's place in blocks and parts of statements.
BEGIN
--> BEGIN

UPDATE v_all SET name = 'in block' WHERE id = 2
--> UPDATE 1

WITH gone AS (DELETE FROM v_some WHERE key = 70 RETURNING key, label), back AS (INSERT INTO v_all (id, name) SELECT key + 100, label FROM gone RETURNING id) SELECT * FROM gone, back
--> key int4 | label text | id int4
--> SELECT 0

ROLLBACK
--> ROLLBACK

SELECT id, name FROM v_all WHERE id IN (2, 70, 170) ORDER BY id
--> id int4 | name text
--> 2 | renamed
--> 70 | seventy
--> SELECT 2

UPDATE v_all SET name = 'n' || id WHERE id IN (SELECT key FROM v_some WHERE key < 4)
--> UPDATE 2

SELECT id, name FROM v_all WHERE id < 4 ORDER BY id
--> id int4 | name text
--> 1 | again
--> 2 | n2
--> 3 | n3
--> SELECT 3

DELETE FROM v_all a USING v_all b WHERE a.id = b.id + 1 AND b.id < 3 RETURNING a.id
--> id int4
--> 2
--> 3
--> DELETE 2
