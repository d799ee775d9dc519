-- Advisory locks: of sessions and of transactions, shared and not, waits, queues, circles, and what ends them.

a: SELECT pg_advisory_lock(1)
--> pg_advisory_lock void
-->
--> SELECT 1

b: SELECT pg_try_advisory_lock(1)
--> pg_try_advisory_lock bool
--> f
--> SELECT 1

b: SELECT pg_advisory_lock(1)
--> waits

c: SELECT pg_try_advisory_lock_shared(1)
--> pg_try_advisory_lock_shared bool
--> f
--> SELECT 1

c: SELECT pg_advisory_lock_shared(1)
--> waits

a: SELECT pg_advisory_unlock(1)
--> pg_advisory_unlock bool
--> t
--> SELECT 1
--> b: pg_advisory_lock void
--> b: 
--> b: SELECT 1

b: SELECT pg_advisory_unlock(1)
--> pg_advisory_unlock bool
--> t
--> SELECT 1
--> c: pg_advisory_lock_shared void
--> c: 
--> c: SELECT 1

c: SELECT pg_advisory_unlock_shared(1)
--> pg_advisory_unlock_shared bool
--> t
--> SELECT 1

-- Keys of one and of two numbers are different keys.

a: SELECT pg_advisory_lock(4294967298)
--> pg_advisory_lock void
-->
--> SELECT 1

b: SELECT pg_try_advisory_lock(1, 2)
--> pg_try_advisory_lock bool
--> t
--> SELECT 1

b: SELECT pg_advisory_unlock_all()
--> pg_advisory_unlock_all void
-->
--> SELECT 1

a: SELECT pg_advisory_unlock_all()
--> pg_advisory_unlock_all void
-->
--> SELECT 1

-- Those of a transaction end with it, those of a session do not.

a: BEGIN
--> BEGIN

a: SELECT pg_advisory_xact_lock(2), pg_advisory_lock(3)
--> pg_advisory_xact_lock void | pg_advisory_lock void
-->  |
--> SELECT 1

b: SELECT pg_advisory_lock(2)
--> waits

a: ROLLBACK
--> ROLLBACK
--> b: pg_advisory_lock void
--> b: 
--> b: SELECT 1

b: SELECT pg_try_advisory_lock(3)
--> pg_try_advisory_lock bool
--> f
--> SELECT 1

a: SELECT pg_advisory_unlock(2), pg_advisory_unlock(3)
--> pg_advisory_unlock bool | pg_advisory_unlock bool
--> WARNING: you don't own a lock of type ExclusiveLock
--> f | t
--> SELECT 1

b: SELECT pg_advisory_unlock_all()
--> pg_advisory_unlock_all void
-->
--> SELECT 1

-- Outside of a block it ends with the statement; in a block, with an error.

a: SELECT pg_advisory_xact_lock(4)
--> pg_advisory_xact_lock void
-->
--> SELECT 1

b: SELECT pg_try_advisory_lock(4), pg_advisory_unlock(4)
--> pg_try_advisory_lock bool | pg_advisory_unlock bool
--> t | t
--> SELECT 1

a: BEGIN
--> BEGIN

a: SELECT pg_advisory_xact_lock(4)
--> pg_advisory_xact_lock void
-->
--> SELECT 1

b: SELECT pg_advisory_xact_lock(4)
--> waits

a: SELECT 1/0
--> ERROR 22012: division by zero
--> b: pg_advisory_xact_lock void
--> b: 
--> b: SELECT 1

a: ROLLBACK
--> ROLLBACK

-- ROLLBACK TO gives back what came after the savepoint.

a: BEGIN
--> BEGIN

a: SELECT pg_advisory_xact_lock(5)
--> pg_advisory_xact_lock void
-->
--> SELECT 1

a: SAVEPOINT s
--> SAVEPOINT

a: SELECT pg_advisory_xact_lock(6)
--> pg_advisory_xact_lock void
-->
--> SELECT 1

b: SELECT pg_try_advisory_lock(5), pg_try_advisory_lock(6)
--> pg_try_advisory_lock bool | pg_try_advisory_lock bool
--> f | f
--> SELECT 1

a: ROLLBACK TO s
--> ROLLBACK

b: SELECT pg_try_advisory_lock(5), pg_try_advisory_lock(6), pg_advisory_unlock(6)
--> pg_try_advisory_lock bool | pg_try_advisory_lock bool | pg_advisory_unlock bool
--> f | t | t
--> SELECT 1

a: COMMIT
--> COMMIT

b: SELECT pg_try_advisory_lock(5), pg_advisory_unlock(5)
--> pg_try_advisory_lock bool | pg_advisory_unlock bool
--> t | t
--> SELECT 1

-- A circle of two.

a: SELECT pg_advisory_lock(7)
--> pg_advisory_lock void
-->
--> SELECT 1

b: SELECT pg_advisory_lock(8)
--> pg_advisory_lock void
-->
--> SELECT 1

a: SELECT pg_advisory_lock(8)
--> waits

b: SELECT pg_advisory_lock(7)
--> ERROR 40P01: deadlock detected

b: SELECT pg_advisory_unlock_all()
--> pg_advisory_unlock_all void
-->
--> SELECT 1
--> a: pg_advisory_lock void
--> a: 
--> a: SELECT 1

a: SELECT pg_advisory_unlock_all()
--> pg_advisory_unlock_all void
-->
--> SELECT 1

-- lock_timeout and statement_timeout: what is given up is not waited for any more.

a: SELECT pg_advisory_lock(9)
--> pg_advisory_lock void
-->
--> SELECT 1

b: SET lock_timeout = '100ms'
--> SET

b: SELECT pg_advisory_lock(9)
--> ERROR 55P03: canceling statement due to lock timeout

b: SET lock_timeout = 0
--> SET

b: SET statement_timeout = '100ms'
--> SET

b: SELECT pg_advisory_lock_shared(9)
--> ERROR 57014: canceling statement due to statement timeout

b: SET statement_timeout = 0
--> SET

a: SELECT pg_advisory_unlock(9)
--> pg_advisory_unlock bool
--> t
--> SELECT 1

c: SELECT pg_try_advisory_lock(9), pg_advisory_unlock(9)
--> pg_try_advisory_lock bool | pg_advisory_unlock bool
--> t | t
--> SELECT 1

-- A lock is held as often as it was taken, and with both strengths.

a: SELECT pg_advisory_lock(10), pg_advisory_lock(10), pg_advisory_lock_shared(10)
--> pg_advisory_lock void | pg_advisory_lock void | pg_advisory_lock_shared void
-->  |  |
--> SELECT 1

a: SELECT pg_advisory_unlock(10)
--> pg_advisory_unlock bool
--> t
--> SELECT 1

b: SELECT pg_try_advisory_lock_shared(10)
--> pg_try_advisory_lock_shared bool
--> f
--> SELECT 1

a: SELECT pg_advisory_unlock(10)
--> pg_advisory_unlock bool
--> t
--> SELECT 1

b: SELECT pg_try_advisory_lock_shared(10)
--> pg_try_advisory_lock_shared bool
--> t
--> SELECT 1

b: SELECT pg_try_advisory_lock(10)
--> pg_try_advisory_lock bool
--> f
--> SELECT 1

b: SELECT pg_advisory_unlock_all()
--> pg_advisory_unlock_all void
-->
--> SELECT 1

a: SELECT pg_advisory_unlock_all()
--> pg_advisory_unlock_all void
-->
--> SELECT 1

-- A queue of jobs whose rows name the locks.

a: SELECT id FROM generate_series(1, 9) id WHERE pg_try_advisory_lock(id) LIMIT 2
--> id int4
--> 1
--> 2
--> SELECT 2

b: SELECT id FROM generate_series(1, 9) id WHERE pg_try_advisory_lock(id) LIMIT 2
--> id int4
--> 3
--> 4
--> SELECT 2

a: SELECT locktype, classid, objid, objsubid, mode, granted FROM pg_locks WHERE locktype = 'advisory' ORDER BY objid
--> locktype text | classid oid | objid oid | objsubid int2 | mode text | granted bool
--> advisory | 0 | 1 | 1 | ExclusiveLock | t
--> advisory | 0 | 2 | 1 | ExclusiveLock | t
--> advisory | 0 | 3 | 1 | ExclusiveLock | t
--> advisory | 0 | 4 | 1 | ExclusiveLock | t
--> SELECT 4

a: SELECT pg_advisory_unlock_all()
--> pg_advisory_unlock_all void
-->
--> SELECT 1

b: DISCARD ALL
--> DISCARD ALL

a: SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
--> count int8
--> 0
--> SELECT 1

-- What a block has locked stays locked while it waits for an advisory lock.

a: CREATE TABLE guarded (id int PRIMARY KEY, n int)
--> CREATE TABLE

a: INSERT INTO guarded VALUES (1, 0)
--> INSERT 0 1

a: BEGIN
--> BEGIN

a: UPDATE guarded SET n = 1 WHERE id = 1
--> UPDATE 1

b: SELECT pg_advisory_lock(7)
--> pg_advisory_lock void
-->
--> SELECT 1

a: SELECT pg_advisory_xact_lock(7)
--> waits

b: SELECT n FROM guarded WHERE id = 1 FOR UPDATE NOWAIT
--> ERROR 55P03: could not obtain lock on row in relation "guarded"

b: SELECT pg_advisory_unlock(7)
--> pg_advisory_unlock bool
--> t
--> SELECT 1
--> a: pg_advisory_xact_lock void
--> a: 
--> a: SELECT 1

b: SELECT n FROM guarded WHERE id = 1 FOR UPDATE NOWAIT
--> ERROR 55P03: could not obtain lock on row in relation "guarded"

a: COMMIT
--> COMMIT

a: DROP TABLE guarded
--> DROP TABLE
