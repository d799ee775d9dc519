-- Tables as a whole beside their rows; and what a locking read at READ COMMITTED has told besides the rows that it has locked.

s: CREATE TABLE p (id int PRIMARY KEY, v int)
--> CREATE TABLE

s: CREATE TABLE q (id int PRIMARY KEY, p int REFERENCES p)
--> CREATE TABLE

s: INSERT INTO p VALUES (1, 10), (2, 20)
--> INSERT 0 2

s: INSERT INTO q VALUES (1, 1), (2, 1)
--> INSERT 0 2

-- A new reference reads the table that it points to for a change.

a: BEGIN
--> BEGIN

a: LOCK TABLE p IN EXCLUSIVE MODE
--> LOCK TABLE

b: INSERT INTO q VALUES (3, 1)
--> waits

a: COMMIT
--> COMMIT
--> b: INSERT 0 1

-- SKIP LOCKED and NOWAIT are about rows: tables are waited for.

a: BEGIN
--> BEGIN

a: LOCK TABLE p IN EXCLUSIVE MODE
--> LOCK TABLE

b: SELECT id FROM p WHERE id = 1 FOR UPDATE SKIP LOCKED
--> waits

a: COMMIT
--> COMMIT
--> b: id int4
--> b: 1
--> b: SELECT 1

a: BEGIN
--> BEGIN

a: LOCK TABLE p IN ACCESS EXCLUSIVE MODE
--> LOCK TABLE

b: SELECT id FROM p ORDER BY id LIMIT 1 FOR SHARE NOWAIT
--> waits

a: COMMIT
--> COMMIT
--> b: id int4
--> b: 1
--> b: SELECT 1

-- A view is defined beside those who change the rows of its table, and they go on beside it.

a: BEGIN
--> BEGIN

a: UPDATE p SET v = 11 WHERE id = 1
--> UPDATE 1

b: BEGIN
--> BEGIN

b: CREATE VIEW w AS SELECT id, v FROM p
--> CREATE VIEW

a: UPDATE p SET v = 21 WHERE id = 2
--> UPDATE 1

b: COMMIT
--> COMMIT

a: UPDATE p SET v = 22 WHERE id = 2
--> UPDATE 1

a: COMMIT
--> COMMIT

s: SELECT * FROM w ORDER BY id
--> id int4 | v int4
--> 1 | 11
--> 2 | 22
--> SELECT 2

-- The rows of the other table of a join are not locked, and may change.

a: BEGIN
--> BEGIN

a: SELECT p.id, p.v, q.id AS q FROM p JOIN q ON q.p = p.id WHERE p.id = 1 ORDER BY q.id FOR UPDATE OF p
--> id int4 | v int4 | q int4
--> 1 | 11 | 1
--> 1 | 11 | 2
--> 1 | 11 | 3
--> SELECT 3

b: DELETE FROM q WHERE id = 2
--> DELETE 1

b: INSERT INTO q VALUES (5, 1)
--> waits

a: UPDATE p SET v = v + 1 WHERE id = 1
--> UPDATE 1

a: COMMIT
--> COMMIT
--> b: INSERT 0 1

-- Nor do others have to leave alone what has come to fit.

a: BEGIN
--> BEGIN

a: SELECT id FROM p WHERE v > 5 ORDER BY id FOR UPDATE
--> id int4
--> 1
--> 2
--> SELECT 2

b: INSERT INTO p VALUES (3, 30)
--> INSERT 0 1

a: UPDATE p SET v = 0 WHERE id = 2
--> UPDATE 1

a: COMMIT
--> COMMIT

-- FOR KEY SHARE leaves everything else to others.

a: BEGIN
--> BEGIN

a: SELECT v FROM p WHERE id = 1 FOR KEY SHARE
--> v int4
--> 12
--> SELECT 1

b: UPDATE p SET v = 100 WHERE id = 1
--> UPDATE 1

a: UPDATE p SET v = v + 1 WHERE id = 3
--> UPDATE 1

a: COMMIT
--> COMMIT

s: SELECT * FROM p ORDER BY id
--> id int4 | v int4
--> 1 | 100
--> 2 | 0
--> 3 | 31
--> SELECT 3

s: DROP VIEW w
--> DROP VIEW

s: DROP TABLE q, p
--> DROP TABLE
