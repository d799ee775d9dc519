-- Locks that are asked for: FOR UPDATE and its kin, LOCK TABLE, NOWAIT, SKIP LOCKED, lock_timeout.

s: CREATE TABLE lk (id int PRIMARY KEY, n int)
--> CREATE TABLE

s: INSERT INTO lk VALUES (1, 10), (2, 20), (3, 30)
--> INSERT 0 3

-- Handing over: in the order of arrival, each sees what its predecessor left.

a: BEGIN
--> BEGIN

b: BEGIN
--> BEGIN

c: BEGIN
--> BEGIN

a: SELECT n FROM lk WHERE id = 1 FOR UPDATE
--> n int4
--> 10
--> SELECT 1

b: SELECT n FROM lk WHERE id = 1 FOR UPDATE
--> waits

c: SELECT n FROM lk WHERE id = 1 FOR UPDATE
--> waits

a: UPDATE lk SET n = n + 1 WHERE id = 1
--> UPDATE 1

a: COMMIT
--> COMMIT
--> b: n int4
--> b: 11
--> b: SELECT 1

b: UPDATE lk SET n = n + 1 WHERE id = 1
--> UPDATE 1

b: COMMIT
--> COMMIT
--> c: n int4
--> c: 12
--> c: SELECT 1

c: COMMIT
--> COMMIT

-- Plain reads wait for nobody.

a: BEGIN
--> BEGIN

a: SELECT n FROM lk WHERE id = 1 FOR UPDATE
--> n int4
--> 12
--> SELECT 1

b: SELECT n FROM lk WHERE id = 1
--> n int4
--> 12
--> SELECT 1

a: COMMIT
--> COMMIT

-- Sharing.

a: BEGIN
--> BEGIN

b: BEGIN
--> BEGIN

a: SELECT n FROM lk WHERE id = 1 FOR SHARE
--> n int4
--> 12
--> SELECT 1

b: SELECT n FROM lk WHERE id = 1 FOR KEY SHARE
--> n int4
--> 12
--> SELECT 1

c: SELECT n FROM lk WHERE id = 1 FOR SHARE NOWAIT
--> n int4
--> 12
--> SELECT 1

-- Locking clauses count outside of blocks as well.
c: SELECT n FROM lk WHERE id = 1 FOR UPDATE NOWAIT
--> ERROR 55P03: could not obtain lock on row in relation "lk"

c: UPDATE lk SET n = 0 WHERE id = 1
--> waits

a: COMMIT
--> COMMIT
--> c: UPDATE 1

b: COMMIT
--> COMMIT

-- A key share does not stand against changing other columns; deleting is another matter.

a: BEGIN
--> BEGIN

a: SELECT n FROM lk WHERE id = 1 FOR KEY SHARE
--> n int4
--> 0
--> SELECT 1

b: UPDATE lk SET n = 11 WHERE id = 1
--> UPDATE 1

b: DELETE FROM lk WHERE id = 1
--> waits

a: ROLLBACK
--> ROLLBACK
--> b: DELETE 1

s: INSERT INTO lk VALUES (1, 10)
--> INSERT 0 1

-- Children lock their parents' keys.

s: CREATE TABLE lk_child (id int PRIMARY KEY, parent int REFERENCES lk (id))
--> CREATE TABLE

a: BEGIN
--> BEGIN

a: INSERT INTO lk_child VALUES (1, 2)
--> INSERT 0 1

b: UPDATE lk SET n = 21 WHERE id = 2
--> UPDATE 1

b: DELETE FROM lk WHERE id = 2
--> waits

a: COMMIT
--> COMMIT
--> b: ERROR 23503: update or delete on table "lk" violates foreign key constraint "lk_child_parent_fkey" on table "lk_child"
--> b:   detail: Key (id)=(2) is still referenced from table "lk_child".
--> b:   table: lk_child
--> b:   constraint: lk_child_parent_fkey

s: INSERT INTO lk VALUES (2, 21) ON CONFLICT DO NOTHING
--> INSERT 0 0

s: SELECT id FROM lk ORDER BY id
--> id int4
--> 1
--> 2
--> 3
--> SELECT 3

-- NOWAIT and SKIP LOCKED.

a: BEGIN
--> BEGIN

a: UPDATE lk SET n = 0 WHERE id = 1
--> UPDATE 1

b: BEGIN
--> BEGIN

b: SELECT id FROM lk ORDER BY id FOR UPDATE SKIP LOCKED
--> id int4
--> 2
--> 3
--> SELECT 2

c: SELECT id FROM lk ORDER BY id FOR UPDATE SKIP LOCKED
--> id int4
--> SELECT 0

c: SELECT id FROM lk WHERE id = 1 FOR UPDATE NOWAIT
--> ERROR 55P03: could not obtain lock on row in relation "lk"

a: COMMIT
--> COMMIT

b: COMMIT
--> COMMIT

-- lock_timeout ends the statement, and with it the block, but not the session.

a: BEGIN
--> BEGIN

a: UPDATE lk SET n = 0 WHERE id = 1
--> UPDATE 1

b: SET lock_timeout = '100ms'
--> SET

b: BEGIN
--> BEGIN

b: UPDATE lk SET n = 1 WHERE id = 1
--> ERROR 55P03: canceling statement due to lock timeout

b: SELECT 1
--> ERROR 25P02: current transaction is aborted, commands ignored until end of transaction block

b: ROLLBACK
--> ROLLBACK

b: RESET lock_timeout
--> RESET

-- So does statement_timeout; a savepoint saves the rest.

b: BEGIN
--> BEGIN

b: SET LOCAL statement_timeout = '150ms'
--> SET

b: SAVEPOINT s
--> SAVEPOINT

b: UPDATE lk SET n = 1 WHERE id = 1
--> ERROR 57014: canceling statement due to statement timeout

b: ROLLBACK TO s
--> ROLLBACK

-- What waits for the disk may take longer.

b: SET LOCAL statement_timeout = 0
--> SET

b: UPDATE lk SET n = 1 WHERE id = 3
--> UPDATE 1

b: COMMIT
--> COMMIT

a: COMMIT
--> COMMIT

s: SELECT id, n FROM lk ORDER BY id
--> id int4 | n int4
--> 1 | 0
--> 2 | 21
--> 3 | 1
--> SELECT 3

-- LOCK TABLE.

a: BEGIN
--> BEGIN

a: LOCK TABLE lk IN SHARE MODE
--> LOCK TABLE

b: SELECT count(*) FROM lk
--> count int8
--> 3
--> SELECT 1

b: UPDATE lk SET n = 5 WHERE id = 1
--> waits

a: COMMIT
--> COMMIT
--> b: UPDATE 1

a: BEGIN
--> BEGIN

a: LOCK TABLE lk IN EXCLUSIVE MODE
--> LOCK TABLE

b: BEGIN
--> BEGIN

b: LOCK TABLE lk IN ROW SHARE MODE NOWAIT
--> ERROR 55P03: could not obtain lock on relation "lk"

b: ROLLBACK
--> ROLLBACK

b: BEGIN
--> BEGIN

b: LOCK TABLE lk IN ROW SHARE MODE
--> waits

a: COMMIT
--> COMMIT
--> b: LOCK TABLE

b: ROLLBACK
--> ROLLBACK

-- A definition waits for those who use the table.

a: BEGIN
--> BEGIN

a: UPDATE lk SET n = 6 WHERE id = 1
--> UPDATE 1

b: ALTER TABLE lk ADD COLUMN extra text
--> waits

a: COMMIT
--> COMMIT
--> b: ALTER TABLE

s: SELECT * FROM lk ORDER BY id
--> id int4 | n int4 | extra text
--> 1 | 6 | ∅
--> 2 | 21 | ∅
--> 3 | 1 | ∅
--> SELECT 3

-- A client that leaves lets go of everything.

a: BEGIN
--> BEGIN

a: UPDATE lk SET n = 7 WHERE id = 1
--> UPDATE 1

b: UPDATE lk SET n = n + 1 WHERE id = 1 RETURNING n
--> waits

s: SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction' AND query = 'UPDATE lk SET n = 7 WHERE id = 1'
--> pg_terminate_backend bool
--> t
--> SELECT 1
--> b: n int4
--> b: 7
--> b: UPDATE 1

a: SELECT 1
--> ERROR 57P01: terminating connection due to administrator command
--> the connection has ended

-- pg_locks and pg_stat_activity show who has what, and who waits.

a: BEGIN
--> BEGIN

a: UPDATE lk SET n = 8 WHERE id = 1
--> UPDATE 1

b: UPDATE lk SET n = 9 WHERE id = 1
--> waits

s: SELECT l.mode, l.granted, l.relation::regclass AS relation FROM pg_locks l JOIN pg_stat_activity s USING (pid) WHERE s.query = 'UPDATE lk SET n = 8 WHERE id = 1' AND l.locktype = 'relation' AND l.relation = 'lk'::regclass ORDER BY 1
--> mode text | granted bool | relation regclass
--> RowExclusiveLock | t | lk
--> SELECT 1

-- A single statement does not wait under its session's name.
s: SELECT state, wait_event_type, query FROM pg_stat_activity WHERE query LIKE 'UPDATE lk SET n = %' ORDER BY query
--> state text | wait_event_type text | query text
--> idle in transaction | Client | UPDATE lk SET n = 8 WHERE id = 1
--> active | Lock | UPDATE lk SET n = 9 WHERE id = 1
--> SELECT 2

s: SELECT count(*) AS waiting FROM pg_locks WHERE NOT granted
--> waiting int8
--> 1
--> SELECT 1

-- Whether a single statement that waits is already in the log is not known where it is cancelled.
s: SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query = 'UPDATE lk SET n = 9 WHERE id = 1'
--> pg_cancel_backend bool
--> t
--> SELECT 1
--> b: ERROR 57014: canceling statement due to user request
--!> pg_cancel_backend bool
--!> t
--!> SELECT 1
--!> b: ERROR 57014: canceling statement due to user request
--!> b:   detail: The statement was already on its way and may still take effect.

a: ROLLBACK
--> ROLLBACK

s: SELECT pg_cancel_backend(0)
--> pg_cancel_backend bool
--> WARNING: PID 0 is not a PostgreSQL backend process
--> f
--> SELECT 1
--!> pg_cancel_backend bool
--!> f
--!> SELECT 1

-- A block that has failed holds nothing, whatever it was that failed: nobody waits for its ROLLBACK.

a: BEGIN
--> BEGIN

a: UPDATE lk SET n = n WHERE id = 1
--> UPDATE 1

b: UPDATE lk SET n = n WHERE id = 1
--> waits

a: RELEASE nothing
--> ERROR 3B001: savepoint "nothing" does not exist
--> b: UPDATE 1

a: COMMIT
--> ROLLBACK

a: BEGIN
--> BEGIN

a: SELECT id FROM lk WHERE id = 1 FOR UPDATE
--> id int4
--> 1
--> SELECT 1

b: UPDATE lk SET n = n WHERE id = 1
--> waits

a: SELECT nothing FROM lk
--> ERROR 42703: column "nothing" does not exist
--> b: UPDATE 1

b: LOCK TABLE lk
--> ERROR 25P01: LOCK TABLE can only be used in transaction blocks

a: ROLLBACK
--> ROLLBACK

a: BEGIN ISOLATION LEVEL REPEATABLE READ
--> BEGIN

a: LOCK TABLE lk IN EXCLUSIVE MODE
--> LOCK TABLE

b: UPDATE lk SET n = n WHERE id = 1
--> waits

a: nonsense
--> ERROR 42601: syntax error at or near "nonsense"
--> b: UPDATE 1

a: ROLLBACK
--> ROLLBACK

s: DROP TABLE lk_child, lk
--> DROP TABLE
