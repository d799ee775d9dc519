-- READ COMMITTED: each statement sees what is committed when it begins. Dirty writes and reads, non-repeatable reads,
-- phantoms, lost updates.

s: CREATE TABLE rc (id int PRIMARY KEY, n int)
--> CREATE TABLE

s: INSERT INTO rc VALUES (1, 10), (2, 20)
--> INSERT 0 2

-- A row that somebody has changed is waited for; what is not committed is seen by nobody.

a: BEGIN
--> BEGIN

b: BEGIN
--> BEGIN

a: UPDATE rc SET n = 11 WHERE id = 1
--> UPDATE 1

b: SELECT n FROM rc ORDER BY id
--> n int4
--> 10
--> 20
--> SELECT 2

b: UPDATE rc SET n = 12 WHERE id = 1
--> waits

a: UPDATE rc SET n = 21 WHERE id = 2
--> UPDATE 1

a: COMMIT
--> COMMIT
--> b: UPDATE 1

b: SELECT n FROM rc ORDER BY id
--> n int4
--> 12
--> 21
--> SELECT 2

b: UPDATE rc SET n = 22 WHERE id = 2
--> UPDATE 1

b: COMMIT
--> COMMIT

s: SELECT n FROM rc ORDER BY id
--> n int4
--> 12
--> 22
--> SELECT 2

-- What is rolled back was never there.

a: BEGIN
--> BEGIN

a: UPDATE rc SET n = 101 WHERE id = 1
--> UPDATE 1

b: UPDATE rc SET n = n + 1 WHERE id = 1
--> waits

a: ROLLBACK
--> ROLLBACK
--> b: UPDATE 1

s: SELECT n FROM rc WHERE id = 1
--> n int4
--> 13
--> SELECT 1

-- The second writer adds to what the first has made of the row.

a: BEGIN
--> BEGIN

b: BEGIN
--> BEGIN

a: UPDATE rc SET n = n + 1 WHERE id = 1 RETURNING n
--> n int4
--> 14
--> UPDATE 1

b: UPDATE rc SET n = n + 1 WHERE id = 1 RETURNING n
--> waits

a: COMMIT
--> COMMIT
--> b: n int4
--> b: 15
--> b: UPDATE 1

b: COMMIT
--> COMMIT

s: SELECT n FROM rc WHERE id = 1
--> n int4
--> 15
--> SELECT 1

-- An update lost by reading first and writing later: nothing stands in its way at this level.

a: BEGIN
--> BEGIN

b: BEGIN
--> BEGIN

a: SELECT n FROM rc WHERE id = 1
--> n int4
--> 15
--> SELECT 1

b: SELECT n FROM rc WHERE id = 1
--> n int4
--> 15
--> SELECT 1

a: UPDATE rc SET n = 15 WHERE id = 1
--> UPDATE 1

a: COMMIT
--> COMMIT

b: UPDATE rc SET n = 15 WHERE id = 1
--> UPDATE 1

b: COMMIT
--> COMMIT

-- Non-repeatable reads and phantoms.

a: BEGIN
--> BEGIN

a: SELECT count(*), sum(n) FROM rc
--> count int8 | sum int8
--> 2 | 37
--> SELECT 1

b: INSERT INTO rc VALUES (3, 30)
--> INSERT 0 1

b: UPDATE rc SET n = 1 WHERE id = 2
--> UPDATE 1

a: SELECT count(*), sum(n) FROM rc
--> count int8 | sum int8
--> 3 | 46
--> SELECT 1

a: COMMIT
--> COMMIT

-- The same in a block that has written.

a: BEGIN
--> BEGIN

a: INSERT INTO rc VALUES (4, 40)
--> INSERT 0 1

b: INSERT INTO rc VALUES (5, 50)
--> INSERT 0 1

a: SELECT id FROM rc WHERE id > 3 ORDER BY id
--> id int4
--> 4
--> 5
--> SELECT 2

b: DELETE FROM rc WHERE id = 5
--> DELETE 1

a: SELECT id FROM rc WHERE id > 3 ORDER BY id
--> id int4
--> 4
--> SELECT 1

a: ROLLBACK
--> ROLLBACK

-- A row that no longer fits when it is its turn is left alone.

a: BEGIN
--> BEGIN

a: UPDATE rc SET n = 0 WHERE id = 1
--> UPDATE 1

b: DELETE FROM rc WHERE n = 15
--> waits

a: COMMIT
--> COMMIT
--> b: DELETE 0

s: SELECT id, n FROM rc ORDER BY id
--> id int4 | n int4
--> 1 | 0
--> 2 | 1
--> 3 | 30
--> SELECT 3

-- A row that begins to fit while the statement waits. PostgreSQL looks again only at the row it waited for and takes it in
-- its new form; Quorate runs the whole statement again on what is committed then, and so finds what one statement at
-- that moment finds.

a: BEGIN
--> BEGIN

a: UPDATE rc SET n = n + 1
--> UPDATE 3

b: UPDATE rc SET n = 100 WHERE n = 1
--> waits

a: COMMIT
--> COMMIT
--> b: UPDATE 0
--!> COMMIT
--!> b: UPDATE 1

s: SELECT id, n FROM rc ORDER BY id
--> id int4 | n int4
--> 1 | 1
--> 2 | 2
--> 3 | 31
--> SELECT 3
--!> id int4 | n int4
--!> 1 | 100
--!> 2 | 2
--!> 3 | 31
--!> SELECT 3

-- Two new rows with the same key: the second waits for what becomes of the first.

a: BEGIN
--> BEGIN

a: INSERT INTO rc VALUES (6, 60)
--> INSERT 0 1

b: INSERT INTO rc VALUES (6, 61)
--> waits

a: ROLLBACK
--> ROLLBACK
--> b: INSERT 0 1

a: BEGIN
--> BEGIN

a: INSERT INTO rc VALUES (7, 70)
--> INSERT 0 1

b: INSERT INTO rc VALUES (7, 71)
--> waits

a: COMMIT
--> COMMIT
--> b: ERROR 23505: duplicate key value violates unique constraint "rc_pkey"
--> b:   detail: Key (id)=(7) already exists.
--> b:   table: rc
--> b:   constraint: rc_pkey

a: BEGIN
--> BEGIN

a: INSERT INTO rc VALUES (8, 80)
--> INSERT 0 1

b: INSERT INTO rc VALUES (8, 81) ON CONFLICT (id) DO UPDATE SET n = rc.n + 1 RETURNING n
--> waits

a: COMMIT
--> COMMIT
--> b: n int4
--> b: 81
--> b: INSERT 0 1

a: BEGIN
--> BEGIN

a: DELETE FROM rc WHERE id = 8
--> DELETE 1

-- Whoever would collide with a row waits for the one who is about to delete it.
b: INSERT INTO rc VALUES (8, 82)
--> waits

a: COMMIT
--> COMMIT
--> b: INSERT 0 1

s: SELECT id, n FROM rc WHERE id > 5 ORDER BY id
--> id int4 | n int4
--> 6 | 61
--> 7 | 70
--> 8 | 82
--> SELECT 3

-- Savepoints give back what was locked since.

a: BEGIN
--> BEGIN

a: UPDATE rc SET n = 0 WHERE id = 1
--> UPDATE 1

a: SAVEPOINT s
--> SAVEPOINT

a: UPDATE rc SET n = 0 WHERE id = 2
--> UPDATE 1

b: UPDATE rc SET n = 222 WHERE id = 2
--> waits

a: ROLLBACK TO s
--> ROLLBACK
--> b: UPDATE 1

b: BEGIN
--> BEGIN

b: UPDATE rc SET n = 111 WHERE id = 1
--> waits

a: COMMIT
--> COMMIT
--> b: UPDATE 1

b: ROLLBACK
--> ROLLBACK

s: DROP TABLE rc
--> DROP TABLE
