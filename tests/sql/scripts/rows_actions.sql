-- ON DELETE and ON UPDATE SET DEFAULT; pg_sleep; relations that monitors read.
CREATE TABLE sp (id int PRIMARY KEY, name text UNIQUE);
CREATE TABLE ss (id int PRIMARY KEY, p int DEFAULT 9 REFERENCES sp ON DELETE SET DEFAULT ON UPDATE SET DEFAULT, n text DEFAULT lower('NONE') REFERENCES sp (name) ON DELETE SET DEFAULT, q int REFERENCES sp ON DELETE SET DEFAULT);
INSERT INTO sp VALUES (1, 'one'), (2, 'two'), (9, 'none');
INSERT INTO ss VALUES (1, 1, 'one', 1), (2, 2, 'one', 2), (3, 2, 'two', NULL);
--> CREATE TABLE
--> CREATE TABLE
--> INSERT 0 3
--> INSERT 0 3

DELETE FROM sp WHERE id = 1 RETURNING name;
--> name text
--> one
--> DELETE 1

SELECT * FROM ss ORDER BY id;
--> id int4 | p int4 | n text | q int4
--> 1 | 9 | none | ∅
--> 2 | 2 | none | 2
--> 3 | 2 | two | ∅
--> SELECT 3

UPDATE sp SET id = 20 WHERE id = 2;
--> ERROR 23503: update or delete on table "sp" violates foreign key constraint "ss_q_fkey" on table "ss"
-->   detail: Key (id)=(2) is still referenced from table "ss".
-->   table: ss
-->   constraint: ss_q_fkey

UPDATE ss SET q = NULL;
--> UPDATE 3

UPDATE sp SET id = 20 WHERE id = 2;
--> UPDATE 1

SELECT * FROM ss ORDER BY id;
--> id int4 | p int4 | n text | q int4
--> 1 | 9 | none | ∅
--> 2 | 9 | none | ∅
--> 3 | 9 | two | ∅
--> SELECT 3

-- The default of now counts.
ALTER TABLE ss ALTER COLUMN p SET DEFAULT 20;
--> ALTER TABLE

UPDATE ss SET p = 9 WHERE id = 1;
--> UPDATE 1

DELETE FROM sp WHERE id = 9;
--> ERROR 23503: update or delete on table "sp" violates foreign key constraint "ss_n_fkey" on table "ss"
-->   detail: Key (name)=(none) is still referenced from table "ss".
-->   table: ss
-->   constraint: ss_n_fkey

INSERT INTO sp VALUES (7, 'seven');
--> INSERT 0 1

UPDATE ss SET p = 7, n = 'seven' WHERE id = 2;
--> UPDATE 1

ALTER TABLE ss ALTER COLUMN p DROP DEFAULT, ALTER COLUMN n SET DEFAULT 'two';
--> ALTER TABLE

DELETE FROM sp WHERE id = 7;
--> DELETE 1

SELECT id, p, n FROM ss ORDER BY id;
--> id int4 | p int4 | n text
--> 1 | 9 | none
--> 2 | ∅ | two
--> 3 | 9 | two
--> SELECT 3

CREATE TABLE st (a int DEFAULT 1, b int DEFAULT 2);
--> CREATE TABLE

ALTER TABLE st ADD COLUMN c int DEFAULT 20 REFERENCES sp ON DELETE SET DEFAULT;
--> ALTER TABLE

INSERT INTO st VALUES (1, 2, 9), (1, 2, DEFAULT);
--> INSERT 0 2

UPDATE ss SET n = NULL, p = NULL;
--> UPDATE 3

DELETE FROM sp WHERE id = 9;
--> DELETE 1

SELECT * FROM st;
--> a int4 | b int4 | c int4
--> 1 | 2 | 20
--> 1 | 2 | 20
--> SELECT 2

ALTER TABLE st DROP CONSTRAINT st_c_fkey;
--> ALTER TABLE

INSERT INTO st VALUES (3, 3, 333);
--> INSERT 0 1

DROP TABLE sp;
--> ERROR 2BP01: cannot drop table sp because other objects depend on it
-->   detail: constraint ss_p_fkey on table ss depends on table sp
--> constraint ss_n_fkey on table ss depends on table sp
--> constraint ss_q_fkey on table ss depends on table sp

DROP TABLE sp CASCADE;
--> NOTICE: drop cascades to 3 other objects
--> DROP TABLE

INSERT INTO ss VALUES (5, 55, 'x', 66) RETURNING id;
--> id int4
--> 5
--> INSERT 0 1

CREATE TABLE sf (id int PRIMARY KEY, up int DEFAULT 1 REFERENCES sf ON DELETE SET DEFAULT);
--> CREATE TABLE

INSERT INTO sf VALUES (1, 1), (2, 1), (3, 2);
--> INSERT 0 3

DELETE FROM sf WHERE id = 2 RETURNING *;
--> id int4 | up int4
--> 2 | 1
--> DELETE 1

SELECT * FROM sf ORDER BY id;
--> id int4 | up int4
--> 1 | 1
--> 3 | 1
--> SELECT 2

ALTER TABLE sf ALTER COLUMN up TYPE bigint;
--> ALTER TABLE

DROP TABLE ss, st, sf;
--> DROP TABLE

SELECT pg_sleep(0.01);
--> pg_sleep void
-->
--> SELECT 1

SELECT n FROM (SELECT 1 AS n, pg_sleep(0.001)) x;
--> n int4
--> 1
--> SELECT 1

SELECT pg_sleep_for('2 milliseconds') IS NOT NULL AS done, pg_sleep_until(now() - interval '1 hour') IS NOT NULL AS at_once;
--> done bool | at_once bool
--> t | t
--> SELECT 1

SELECT pg_sleep(NULL) IS NULL AS t, pg_sleep(-1) IS NULL AS f;
--> t bool | f bool
--> t | f
--> SELECT 1

SELECT count(*) FROM pg_timezone_names WHERE name = 'Europe/Paris';
--> count int8
--> 1
--> SELECT 1

SELECT name, utc_offset, is_dst FROM pg_timezone_names WHERE name IN ('UTC', 'Asia/Kolkata') ORDER BY 1;
--> name text | utc_offset interval | is_dst bool
--> Asia/Kolkata | 05:30:00 | f
--> UTC | 00:00:00 | f
--> SELECT 2

SELECT count(*) > 300 AS many FROM pg_timezone_names();
--> many bool
--> t
--> SELECT 1

PREPARE sq (int, text) AS SELECT $1, $2;
--> PREPARE

SELECT name, parameter_types, from_sql, prepare_time <= now() + interval '1 minute' AS t FROM pg_prepared_statements WHERE name = 'sq';
--> name text | parameter_types 2211 | from_sql bool | t bool
--> sq | {integer,text} | t | t
--> SELECT 1

DEALLOCATE sq;
--> DEALLOCATE

SELECT count(*) FROM pg_prepared_statements WHERE name = 'sq';
--> count int8
--> 0
--> SELECT 1

SELECT relname FROM pg_stat_user_tables WHERE relname = 'nope';
--> relname name
--> SELECT 0

UPDATE pg_class SET relname = 'x' WHERE CURRENT OF nobody;
--> ERROR 34000: cursor "nobody" does not exist
--!> ERROR 42501: permission denied: "pg_class" is a system catalog

CREATE TABLE sl (a int);
--> CREATE TABLE

-- What writes runs again on every replica, where nothing may wait.
INSERT INTO sl SELECT 1 FROM (SELECT pg_sleep(0.001)) x;
--> INSERT 0 1
--!> ERROR 0A000: pg_sleep in a statement that writes is not supported

INSERT INTO sl VALUES (1);
--> INSERT 0 1

SELECT count(*) > 0 AS some, pg_sleep(0.001) FROM sl;
--> some bool | pg_sleep void
--> t |
--> SELECT 1

DROP TABLE sl;
--> DROP TABLE

DECLARE hc CURSOR WITH HOLD FOR SELECT 1 AS one;
--> DECLARE CURSOR

SELECT name, is_holdable, is_binary FROM pg_cursors WHERE name = 'hc';
--> name text | is_holdable bool | is_binary bool
--> hc | t | f
--> SELECT 1

CLOSE hc;
--> CLOSE CURSOR

SELECT count(*) FROM pg_cursors WHERE name = 'hc';
--> count int8
--> 0
--> SELECT 1
