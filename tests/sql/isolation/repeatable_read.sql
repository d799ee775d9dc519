-- REPEATABLE READ: one snapshot for all statements; the first updater wins.

s: CREATE TABLE rr (id int PRIMARY KEY, n int)
--> CREATE TABLE

s: INSERT INTO rr VALUES (1, 10), (2, 20)
--> INSERT 0 2

-- The snapshot is taken by the first statement, not by BEGIN.

a: BEGIN ISOLATION LEVEL REPEATABLE READ
--> BEGIN

b: UPDATE rr SET n = 11 WHERE id = 1
--> UPDATE 1

a: SELECT n FROM rr ORDER BY id
--> n int4
--> 11
--> 20
--> SELECT 2

b: UPDATE rr SET n = 12 WHERE id = 1
--> UPDATE 1

b: INSERT INTO rr VALUES (3, 30)
--> INSERT 0 1

a: SELECT n FROM rr ORDER BY id
--> n int4
--> 11
--> 20
--> SELECT 2

a: COMMIT
--> COMMIT

a: SELECT n FROM rr ORDER BY id
--> n int4
--> 12
--> 20
--> 30
--> SELECT 3

-- Lost update: who comes second fails.

a: BEGIN ISOLATION LEVEL REPEATABLE READ
--> BEGIN

b: BEGIN ISOLATION LEVEL REPEATABLE READ
--> BEGIN

a: SELECT n FROM rr WHERE id = 1
--> n int4
--> 12
--> SELECT 1

b: SELECT n FROM rr WHERE id = 1
--> n int4
--> 12
--> SELECT 1

a: UPDATE rr SET n = n + 1 WHERE id = 1
--> UPDATE 1

b: UPDATE rr SET n = n + 1 WHERE id = 1
--> waits

a: COMMIT
--> COMMIT
--> b: ERROR 40001: could not serialize access due to concurrent update

b: SELECT 1
--> ERROR 25P02: current transaction is aborted, commands ignored until end of transaction block

b: ROLLBACK
--> ROLLBACK

s: SELECT n FROM rr WHERE id = 1
--> n int4
--> 13
--> SELECT 1

-- If the first gives up, the second goes on.

a: BEGIN ISOLATION LEVEL REPEATABLE READ
--> BEGIN

b: BEGIN ISOLATION LEVEL REPEATABLE READ
--> BEGIN

a: SELECT n FROM rr WHERE id = 1
--> n int4
--> 13
--> SELECT 1

b: SELECT n FROM rr WHERE id = 1
--> n int4
--> 13
--> SELECT 1

a: UPDATE rr SET n = n + 1 WHERE id = 1
--> UPDATE 1

b: UPDATE rr SET n = n + 1 WHERE id = 1
--> waits

a: ROLLBACK
--> ROLLBACK
--> b: UPDATE 1

b: COMMIT
--> COMMIT

s: SELECT n FROM rr WHERE id = 1
--> n int4
--> 14
--> SELECT 1

-- The other has committed before: no wait, and too late all the same.

a: BEGIN ISOLATION LEVEL REPEATABLE READ
--> BEGIN

a: SELECT n FROM rr WHERE id = 1
--> n int4
--> 14
--> SELECT 1

b: UPDATE rr SET n = 100 WHERE id = 1
--> UPDATE 1

a: UPDATE rr SET n = n + 1 WHERE id = 1
--> ERROR 40001: could not serialize access due to concurrent update

a: ROLLBACK
--> ROLLBACK

a: BEGIN ISOLATION LEVEL REPEATABLE READ
--> BEGIN

a: SELECT n FROM rr WHERE id = 2
--> n int4
--> 20
--> SELECT 1

b: DELETE FROM rr WHERE id = 2
--> DELETE 1

-- What the other has done is not told apart.
a: DELETE FROM rr WHERE id = 2
--> ERROR 40001: could not serialize access due to concurrent delete
--!> ERROR 40001: could not serialize access due to concurrent update

a: ROLLBACK
--> ROLLBACK

-- Locking a row that has changed fails as well.

a: BEGIN ISOLATION LEVEL REPEATABLE READ
--> BEGIN

a: SELECT n FROM rr WHERE id = 1
--> n int4
--> 100
--> SELECT 1

b: UPDATE rr SET n = 101 WHERE id = 1
--> UPDATE 1

a: SELECT n FROM rr WHERE id = 1 FOR UPDATE
--> ERROR 40001: could not serialize access due to concurrent update

a: ROLLBACK
--> ROLLBACK

-- Write skew is possible at this level: each has read what the other writes.

s: INSERT INTO rr VALUES (4, 1), (5, 1)
--> INSERT 0 2

a: BEGIN ISOLATION LEVEL REPEATABLE READ
--> BEGIN

b: BEGIN ISOLATION LEVEL REPEATABLE READ
--> BEGIN

a: SELECT sum(n) FROM rr WHERE id > 3
--> sum int8
--> 2
--> SELECT 1

b: SELECT sum(n) FROM rr WHERE id > 3
--> sum int8
--> 2
--> SELECT 1

a: UPDATE rr SET n = 0 WHERE id = 4
--> UPDATE 1

b: UPDATE rr SET n = 0 WHERE id = 5
--> UPDATE 1

a: COMMIT
--> COMMIT

b: COMMIT
--> COMMIT

s: SELECT sum(n) FROM rr WHERE id > 3
--> sum int8
--> 0
--> SELECT 1

-- Rows of others that are not touched do not matter.

a: BEGIN ISOLATION LEVEL REPEATABLE READ
--> BEGIN

a: SELECT count(*) FROM rr
--> count int8
--> 4
--> SELECT 1

b: UPDATE rr SET n = 7 WHERE id = 4
--> UPDATE 1

a: UPDATE rr SET n = 8 WHERE id = 5
--> UPDATE 1

b: UPDATE rr SET n = 9 WHERE id = 4
--> UPDATE 1

a: SELECT id, n FROM rr WHERE id > 3 ORDER BY id
--> id int4 | n int4
--> 4 | 0
--> 5 | 8
--> SELECT 2

a: COMMIT
--> COMMIT

s: SELECT id, n FROM rr WHERE id > 3 ORDER BY id
--> id int4 | n int4
--> 4 | 9
--> 5 | 8
--> SELECT 2

-- What it has changed or locked itself it may lock and change again, whatever others have done meanwhile.

s: CREATE TABLE rr_of (id int PRIMARY KEY, rr int REFERENCES rr, note text)
--> CREATE TABLE

s: INSERT INTO rr_of VALUES (1, 4, 'a'), (2, 4, 'b'), (3, 5, 'c')
--> INSERT 0 3

a: BEGIN ISOLATION LEVEL REPEATABLE READ
--> BEGIN

a: UPDATE rr_of SET note = 'x' WHERE id = 1
--> UPDATE 1

a: INSERT INTO rr_of VALUES (9, 5, 'new')
--> INSERT 0 1

b: UPDATE rr SET n = n + 1 WHERE id = 5
--> UPDATE 1

a: SELECT note FROM rr_of WHERE id = 1 FOR UPDATE
--> note text
--> x
--> SELECT 1

b: UPDATE rr SET n = n + 1 WHERE id = 5
--> UPDATE 1

a: UPDATE rr_of SET rr = 5 WHERE id = 1
--> UPDATE 1

b: UPDATE rr SET n = n + 1 WHERE id = 5
--> UPDATE 1

a: SELECT note FROM rr_of WHERE id = 9 FOR SHARE
--> note text
--> new
--> SELECT 1

b: CREATE TEMPORARY TABLE rr_other (a int)
--> CREATE TABLE

a: UPDATE rr_of SET note = note || '!' WHERE id = 9
--> UPDATE 1

a: SELECT note FROM rr_of WHERE id = 2 FOR NO KEY UPDATE
--> note text
--> b
--> SELECT 1

b: DROP TABLE rr_other
--> DROP TABLE

a: UPDATE rr_of SET id = 22 WHERE id = 2
--> UPDATE 1

b: UPDATE rr SET n = n + 1 WHERE id = 5
--> UPDATE 1

a: DELETE FROM rr_of WHERE id = 22
--> DELETE 1

a: SELECT * FROM rr_of ORDER BY id
--> id int4 | rr int4 | note text
--> 1 | 5 | x
--> 3 | 5 | c
--> 9 | 5 | new!
--> SELECT 3

a: COMMIT
--> COMMIT

s: DROP TABLE rr_of
--> DROP TABLE

s: DROP TABLE rr
--> DROP TABLE
