-- REPEATABLE READ: what others have changed matters only where the block writes.

s: CREATE TABLE sw (id int PRIMARY KEY, n int)
--> CREATE TABLE

s: CREATE TABLE sx (id int PRIMARY KEY, n int)
--> CREATE TABLE

s: INSERT INTO sw VALUES (1, 10), (2, 20), (3, 30)
--> INSERT 0 3

s: INSERT INTO sx VALUES (1, 1)
--> INSERT 0 1

-- Others have changed a row that it has read: it writes other ones, and commits.

a: BEGIN ISOLATION LEVEL REPEATABLE READ
--> BEGIN

a: SELECT id, n FROM sw ORDER BY id
--> id int4 | n int4
--> 1 | 10
--> 2 | 20
--> 3 | 30
--> SELECT 3

b: UPDATE sw SET n = 11 WHERE id = 1
--> UPDATE 1

a: UPDATE sw SET n = 21 WHERE id = 2
--> UPDATE 1

a: SELECT n FROM sw WHERE id = 3 FOR UPDATE
--> n int4
--> 30
--> SELECT 1

a: DELETE FROM sx WHERE id = 1
--> DELETE 1

a: SELECT id, n FROM sw ORDER BY id
--> id int4 | n int4
--> 1 | 10
--> 2 | 21
--> 3 | 30
--> SELECT 3

a: COMMIT
--> COMMIT

s: SELECT id, n FROM sw ORDER BY id
--> id int4 | n int4
--> 1 | 11
--> 2 | 21
--> 3 | 30
--> SELECT 3

-- The row itself has changed. (It was seen before: of one that was not, a snapshot of now would do as well, and a statement that
-- has to wait for a lock may come to have one.)

a: BEGIN ISOLATION LEVEL REPEATABLE READ
--> BEGIN

a: SELECT n FROM sw WHERE id = 2
--> n int4
--> 21
--> SELECT 1

b: UPDATE sw SET n = 12 WHERE id = 1
--> UPDATE 1

b: UPDATE sw SET n = 22 WHERE id = 2
--> UPDATE 1

a: UPDATE sw SET n = 31 WHERE id = 3
--> UPDATE 1

a: UPDATE sw SET n = 23 WHERE id = 2
--> ERROR 40001: could not serialize access due to concurrent update

a: ROLLBACK
--> ROLLBACK

-- ROLLBACK TO gives row locks back that came after the savepoint.

a: BEGIN
--> BEGIN

a: UPDATE sw SET n = 0 WHERE id = 1
--> UPDATE 1

a: SAVEPOINT s
--> SAVEPOINT

a: SELECT n FROM sw WHERE id = 2 FOR UPDATE
--> n int4
--> 22
--> SELECT 1

b: BEGIN
--> BEGIN

b: UPDATE sw SET n = 24 WHERE id = 2
--> waits

a: ROLLBACK TO s
--> ROLLBACK
--> b: UPDATE 1

b: COMMIT
--> COMMIT

a: COMMIT
--> COMMIT

s: SELECT id, n FROM sw ORDER BY id
--> id int4 | n int4
--> 1 | 0
--> 2 | 24
--> 3 | 30
--> SELECT 3

s: DROP TABLE sw, sx
--> DROP TABLE
