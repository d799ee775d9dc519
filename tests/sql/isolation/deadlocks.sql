-- Deadlocks of two and of three. One of the circle fails with 40P01 and the others go on: in PostgreSQL the one whose wait has
-- closed the circle, in Quorate the youngest of them.

s: CREATE TABLE dl (id int PRIMARY KEY, n int)
--> CREATE TABLE

s: INSERT INTO dl VALUES (1, 0), (2, 0), (3, 0)
--> INSERT 0 3

a: BEGIN
--> BEGIN

a: UPDATE dl SET n = 1 WHERE id = 1
--> UPDATE 1

b: BEGIN
--> BEGIN

b: UPDATE dl SET n = 2 WHERE id = 2
--> UPDATE 1

a: UPDATE dl SET n = 1 WHERE id = 2
--> waits

b: UPDATE dl SET n = 2 WHERE id = 1
--> ERROR 40P01: deadlock detected
--> a: UPDATE 1

b: ROLLBACK
--> ROLLBACK

a: COMMIT
--> COMMIT

s: SELECT id, n FROM dl ORDER BY id
--> id int4 | n int4
--> 1 | 1
--> 2 | 1
--> 3 | 0
--> SELECT 3

-- The elder closes the circle.

a: BEGIN
--> BEGIN

a: UPDATE dl SET n = 3 WHERE id = 1
--> UPDATE 1

b: BEGIN
--> BEGIN

b: UPDATE dl SET n = 4 WHERE id = 2
--> UPDATE 1

b: UPDATE dl SET n = 4 WHERE id = 1
--> waits

a: UPDATE dl SET n = 3 WHERE id = 2
--> ERROR 40P01: deadlock detected
--> b: UPDATE 1
--!> UPDATE 1
--!> b: ERROR 40P01: deadlock detected

a: ROLLBACK
--> ROLLBACK

b: ROLLBACK
--> ROLLBACK

-- Of three.

a: BEGIN
--> BEGIN

b: BEGIN
--> BEGIN

c: BEGIN
--> BEGIN

a: UPDATE dl SET n = 5 WHERE id = 1
--> UPDATE 1

b: UPDATE dl SET n = 6 WHERE id = 2
--> UPDATE 1

c: UPDATE dl SET n = 7 WHERE id = 3
--> UPDATE 1

a: UPDATE dl SET n = 5 WHERE id = 2
--> waits

b: UPDATE dl SET n = 6 WHERE id = 3
--> waits

c: UPDATE dl SET n = 7 WHERE id = 1
--> ERROR 40P01: deadlock detected
--> b: UPDATE 1

c: ROLLBACK
--> ROLLBACK

b: COMMIT
--> COMMIT
--> a: UPDATE 1

a: COMMIT
--> COMMIT

s: SELECT id, n FROM dl ORDER BY id
--> id int4 | n int4
--> 1 | 5
--> 2 | 5
--> 3 | 6
--> SELECT 3

-- Two that share and both want more.

a: BEGIN
--> BEGIN

b: BEGIN
--> BEGIN

a: SELECT n FROM dl WHERE id = 1 FOR SHARE
--> n int4
--> 5
--> SELECT 1

b: SELECT n FROM dl WHERE id = 1 FOR SHARE
--> n int4
--> 5
--> SELECT 1

a: UPDATE dl SET n = 8 WHERE id = 1
--> waits

b: UPDATE dl SET n = 9 WHERE id = 1
--> ERROR 40P01: deadlock detected
--> a: UPDATE 1

b: ROLLBACK
--> ROLLBACK

a: COMMIT
--> COMMIT

s: SELECT n FROM dl WHERE id = 1
--> n int4
--> 8
--> SELECT 1

-- A savepoint saves what was done before it.

a: BEGIN
--> BEGIN

b: BEGIN
--> BEGIN

a: UPDATE dl SET n = 10 WHERE id = 1
--> UPDATE 1

b: UPDATE dl SET n = 11 WHERE id = 2
--> UPDATE 1

b: SAVEPOINT s
--> SAVEPOINT

a: UPDATE dl SET n = 10 WHERE id = 2
--> waits

b: UPDATE dl SET n = 11 WHERE id = 1
--> ERROR 40P01: deadlock detected

b: ROLLBACK TO s
--> ROLLBACK

b: COMMIT
--> COMMIT
--> a: UPDATE 1

a: COMMIT
--> COMMIT

s: SELECT id, n FROM dl ORDER BY id
--> id int4 | n int4
--> 1 | 10
--> 2 | 10
--> 3 | 6
--> SELECT 3

s: DROP TABLE dl
--> DROP TABLE
