-- SERIALIZABLE: a block behaves as if it ran alone. PostgreSQL watches who reads what and fails a transaction when
-- a circle may form, sometimes at a statement. Quorate compares at COMMIT whether everything that the block was told is true at
-- its place in the log: the one that commits second fails, and only if something really changed.

s: CREATE TABLE sx (id int PRIMARY KEY, n int)
--> CREATE TABLE

s: INSERT INTO sx VALUES (1, 1), (2, 1)
--> INSERT 0 2

-- Write skew.

a: BEGIN ISOLATION LEVEL SERIALIZABLE
--> BEGIN

b: BEGIN ISOLATION LEVEL SERIALIZABLE
--> BEGIN

a: SELECT sum(n) FROM sx
--> sum int8
--> 2
--> SELECT 1

b: SELECT sum(n) FROM sx
--> sum int8
--> 2
--> SELECT 1

a: UPDATE sx SET n = 0 WHERE id = 1
--> UPDATE 1

b: UPDATE sx SET n = 0 WHERE id = 2
--> UPDATE 1

a: COMMIT
--> COMMIT

b: COMMIT
--> ERROR 40001: could not serialize access due to read/write dependencies among transactions
-->   detail: Reason code: Canceled on identification as a pivot, during commit attempt.
--!> ERROR 40001: could not serialize access due to read/write dependencies among transactions

s: SELECT id, n FROM sx ORDER BY id
--> id int4 | n int4
--> 1 | 0
--> 2 | 1
--> SELECT 2

-- Phantoms: each counts what the other adds to.

a: BEGIN ISOLATION LEVEL SERIALIZABLE
--> BEGIN

b: BEGIN ISOLATION LEVEL SERIALIZABLE
--> BEGIN

a: SELECT count(*) FROM sx WHERE n = 5
--> count int8
--> 0
--> SELECT 1

b: SELECT count(*) FROM sx WHERE n = 6
--> count int8
--> 0
--> SELECT 1

a: INSERT INTO sx VALUES (3, 6)
--> INSERT 0 1

b: INSERT INTO sx VALUES (4, 5)
--> INSERT 0 1

b: COMMIT
--> COMMIT

a: COMMIT
--> ERROR 40001: could not serialize access due to read/write dependencies among transactions
-->   detail: Reason code: Canceled on identification as a pivot, during commit attempt.
--!> ERROR 40001: could not serialize access due to read/write dependencies among transactions

s: SELECT id, n FROM sx ORDER BY id
--> id int4 | n int4
--> 1 | 0
--> 2 | 1
--> 4 | 5
--> SELECT 3

-- The read-only anomaly (Fekete, O'Neil and O'Neil, 2004): a withdrawal, a deposit, and a report between them.

s: CREATE TABLE sx_account (name text PRIMARY KEY, n int)
--> CREATE TABLE

s: INSERT INTO sx_account VALUES ('checking', 0), ('savings', 0)
--> INSERT 0 2

a: BEGIN ISOLATION LEVEL SERIALIZABLE
--> BEGIN

a: SELECT sum(n) FROM sx_account
--> sum int8
--> 0
--> SELECT 1

b: BEGIN ISOLATION LEVEL SERIALIZABLE
--> BEGIN

b: UPDATE sx_account SET n = n + 20 WHERE name = 'savings'
--> UPDATE 1

b: COMMIT
--> COMMIT

c: BEGIN ISOLATION LEVEL SERIALIZABLE
--> BEGIN

c: SELECT name, n FROM sx_account ORDER BY name
--> name text | n int4
--> checking | 0
--> savings | 20
--> SELECT 2

c: COMMIT
--> COMMIT

a: UPDATE sx_account SET n = -11 WHERE name = 'checking'
--> ERROR 40001: could not serialize access due to read/write dependencies among transactions
-->   detail: Reason code: Canceled on identification as a pivot, during write.
--!> ERROR 40001: could not serialize access due to read/write dependencies among transactions

a: COMMIT
--> ROLLBACK

a: ROLLBACK
--> WARNING: there is no transaction in progress
--> ROLLBACK

s: SELECT name, n FROM sx_account ORDER BY name
--> name text | n int4
--> checking | 0
--> savings | 20
--> SELECT 2

-- Who only reads never fails here, and one that read before it is no obstacle to a writer.

a: BEGIN ISOLATION LEVEL SERIALIZABLE
--> BEGIN

a: SELECT count(*) FROM sx
--> count int8
--> 3
--> SELECT 1

b: INSERT INTO sx VALUES (9, 9)
--> INSERT 0 1

a: SELECT count(*) FROM sx
--> count int8
--> 3
--> SELECT 1

a: COMMIT
--> COMMIT

-- A read that is still true at COMMIT does no harm.

a: BEGIN ISOLATION LEVEL SERIALIZABLE
--> BEGIN

a: SELECT n FROM sx WHERE id = 1
--> n int4
--> 0
--> SELECT 1

b: UPDATE sx SET n = 10 WHERE id = 9
--> UPDATE 1

a: UPDATE sx SET n = 2 WHERE id = 2
--> UPDATE 1

a: COMMIT
--> COMMIT

-- DEFERRABLE: nothing to wait for, the read is of one moment anyhow.

a: BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE
--> BEGIN

a: SELECT count(*) FROM sx
--> count int8
--> 4
--> SELECT 1

a: COMMIT
--> COMMIT

s: DROP TABLE sx, sx_account
--> DROP TABLE
