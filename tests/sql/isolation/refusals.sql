-- READ COMMITTED does not fail for what others commit: 40001 is for what was computed from something that is no longer true.

s: CREATE TABLE g (id int PRIMARY KEY, name text UNIQUE, n int)
--> CREATE TABLE

s: CREATE TABLE other (id int)
--> CREATE TABLE

s: CREATE TABLE h (k text PRIMARY KEY, n int)
--> CREATE TABLE

-- Get or create: somebody else has created it since the block began.

a: BEGIN
--> BEGIN

a: INSERT INTO g VALUES (1, 'one', 1)
--> INSERT 0 1

a: SELECT id FROM g WHERE name = 'two' FOR UPDATE
--> id int4
--> SELECT 0

b: INSERT INTO g VALUES (2, 'two', 2)
--> INSERT 0 1

a: SAVEPOINT s
--> SAVEPOINT

a: INSERT INTO g VALUES (3, 'two', 3)
--> ERROR 23505: duplicate key value violates unique constraint "g_name_key"
-->   detail: Key (name)=(two) already exists.
-->   table: g
-->   constraint: g_name_key

a: ROLLBACK TO s
--> ROLLBACK

a: SELECT id FROM g WHERE name = 'two' FOR UPDATE
--> id int4
--> 2
--> SELECT 1

a: UPDATE g SET n = 20 WHERE name = 'two'
--> UPDATE 1

a: COMMIT
--> COMMIT

a: BEGIN
--> BEGIN

a: INSERT INTO h VALUES ('a', 1)
--> INSERT 0 1

b: INSERT INTO h VALUES ('b', 1)
--> INSERT 0 1

a: SAVEPOINT s
--> SAVEPOINT

a: INSERT INTO h VALUES ('b', 2)
--> ERROR 23505: duplicate key value violates unique constraint "h_pkey"
-->   detail: Key (k)=(b) already exists.
-->   table: h
-->   constraint: h_pkey

a: ROLLBACK TO s
--> ROLLBACK

a: INSERT INTO h VALUES ('b', 2) ON CONFLICT DO NOTHING
--> INSERT 0 0

b: DELETE FROM h WHERE k = 'b'
--> DELETE 1

a: COMMIT
--> COMMIT

s: SELECT k, n FROM h
--> k text | n int4
--> a | 1
--> SELECT 1

-- What a write did not find is not found later.

a: BEGIN
--> BEGIN

a: UPDATE g SET n = 0 WHERE id = 4
--> UPDATE 0

a: DELETE FROM g WHERE id = 5
--> DELETE 0

a: INSERT INTO g VALUES (6, 'six', 6)
--> INSERT 0 1

b: INSERT INTO g VALUES (4, 'four', 4), (5, 'five', 5)
--> INSERT 0 2

a: COMMIT
--> COMMIT

s: SELECT id, n FROM g ORDER BY id
--> id int4 | n int4
--> 1 | 1
--> 2 | 20
--> 4 | 4
--> 5 | 5
--> 6 | 6
--> SELECT 5

-- Definitions of tables that a block has nothing to do with.

a: BEGIN
--> BEGIN

a: UPDATE g SET n = 100 WHERE id = 1
--> UPDATE 1

b: CREATE INDEX ON other (id)
--> CREATE INDEX

b: ALTER TABLE other ADD COLUMN x int
--> ALTER TABLE

a: UPDATE g SET n = n + 1 WHERE id = 1
--> UPDATE 1

b: DROP TABLE other
--> DROP TABLE

b: CREATE TABLE third (id int)
--> CREATE TABLE

a: COMMIT
--> COMMIT

s: SELECT n FROM g WHERE id = 1
--> n int4
--> 101
--> SELECT 1

-- Definitions wait for the blocks that use their tables.

a: BEGIN
--> BEGIN

a: UPDATE g SET n = 7 WHERE id = 1
--> UPDATE 1

b: ALTER TABLE g ADD COLUMN x int DEFAULT 5
--> waits

a: UPDATE g SET n = 8 WHERE id = 1
--> UPDATE 1

a: COMMIT
--> COMMIT
--> b: ALTER TABLE

s: SELECT id, n, x FROM g WHERE id = 1
--> id int4 | n int4 | x int4
--> 1 | 8 | 5
--> SELECT 1

a: BEGIN
--> BEGIN

a: INSERT INTO g VALUES (9, 'nine', 9)
--> INSERT 0 1

b: CREATE INDEX ON g (n)
--> waits

a: COMMIT
--> COMMIT
--> b: CREATE INDEX

a: BEGIN
--> BEGIN

a: INSERT INTO g VALUES (10, 'ten', 10)
--> INSERT 0 1

b: BEGIN
--> BEGIN

b: INSERT INTO third VALUES (1)
--> INSERT 0 1

b: DROP TABLE h
--> DROP TABLE

b: ALTER TABLE g DROP COLUMN x
--> waits

a: ROLLBACK
--> ROLLBACK
--> b: ALTER TABLE

b: ROLLBACK
--> ROLLBACK

s: SELECT count(*) FROM h
--> count int8
--> 1
--> SELECT 1

-- A savepoint at the very beginning gives back its locks.

a: BEGIN
--> BEGIN

a: SAVEPOINT s
--> SAVEPOINT

a: UPDATE g SET n = 0 WHERE id = 1
--> UPDATE 1

b: UPDATE g SET n = 1 WHERE id = 1
--> waits

a: ROLLBACK TO s
--> ROLLBACK
--> b: UPDATE 1

a: COMMIT
--> COMMIT

s: DROP TABLE g, h, third
--> DROP TABLE

-- New rows keep the rows that they refer to, and wait for those that are about to go.

s: CREATE TABLE p (id int PRIMARY KEY, code text UNIQUE)
--> CREATE TABLE

s: CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p, code text REFERENCES p (code))
--> CREATE TABLE

s: INSERT INTO p VALUES (1, 'a'), (2, 'b'), (3, 'c')
--> INSERT 0 3

a: BEGIN
--> BEGIN

a: INSERT INTO c VALUES (1, 1, 'b')
--> INSERT 0 1

b: DELETE FROM p WHERE id = 2
--> waits

a: COMMIT
--> COMMIT
--> b: ERROR 23503: update or delete on table "p" violates foreign key constraint "c_code_fkey" on table "c"
--> b:   detail: Key (code)=(b) is still referenced from table "c".
--> b:   table: c
--> b:   constraint: c_code_fkey

a: BEGIN
--> BEGIN

a: DELETE FROM p WHERE id = 3
--> DELETE 1

b: INSERT INTO c VALUES (3, 3, NULL)
--> waits

a: COMMIT
--> COMMIT
--> b: ERROR 23503: insert or update on table "c" violates foreign key constraint "c_p_fkey"
--> b:   detail: Key (p)=(3) is not present in table "p".
--> b:   table: c
--> b:   constraint: c_p_fkey

a: BEGIN
--> BEGIN

a: UPDATE c SET p = 2 WHERE id = 1
--> UPDATE 1

b: DELETE FROM p WHERE id = 1
--> ERROR 23503: update or delete on table "p" violates foreign key constraint "c_p_fkey" on table "c"
-->   detail: Key (id)=(1) is still referenced from table "c".
-->   table: c
-->   constraint: c_p_fkey

a: COMMIT
--> COMMIT

s: SELECT id FROM p ORDER BY id
--> id int4
--> 1
--> 2
--> SELECT 2

s: DROP TABLE c, p
--> DROP TABLE
