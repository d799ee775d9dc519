-- Blocks, their states, and what may be done in each.

CREATE TABLE x_t (id int PRIMARY KEY, n int NOT NULL CHECK (n >= 0))
--> CREATE TABLE

BEGIN
--> BEGIN

BEGIN
--> WARNING: there is already a transaction in progress
--> BEGIN

INSERT INTO x_t VALUES (1, 10), (2, 20)
--> INSERT 0 2

COMMIT
--> COMMIT

COMMIT
--> WARNING: there is no transaction in progress
--> COMMIT

ROLLBACK
--> WARNING: there is no transaction in progress
--> ROLLBACK

ABORT
--> WARNING: there is no transaction in progress
--> ROLLBACK

-- A failed statement: only the ways out are open.

BEGIN
--> BEGIN

INSERT INTO x_t VALUES (3, 30)
--> INSERT 0 1

INSERT INTO x_t VALUES (1, 11)
--> ERROR 23505: duplicate key value violates unique constraint "x_t_pkey"
-->   detail: Key (id)=(1) already exists.
-->   table: x_t
-->   constraint: x_t_pkey

SELECT 1
--> ERROR 25P02: current transaction is aborted, commands ignored until end of transaction block

SELECT nothing FROM nowhere
--> ERROR 25P02: current transaction is aborted, commands ignored until end of transaction block

SAVEPOINT x_late
--> ERROR 25P02: current transaction is aborted, commands ignored until end of transaction block

RELEASE SAVEPOINT x_late
--> ERROR 25P02: current transaction is aborted, commands ignored until end of transaction block

ROLLBACK TO SAVEPOINT x_late
--> ERROR 3B001: savepoint "x_late" does not exist

SET application_name = 'x'
--> ERROR 25P02: current transaction is aborted, commands ignored until end of transaction block

SHOW application_name
--> ERROR 25P02: current transaction is aborted, commands ignored until end of transaction block

PREPARE x_late AS SELECT 1
--> ERROR 25P02: current transaction is aborted, commands ignored until end of transaction block

FETCH x_late
--> ERROR 25P02: current transaction is aborted, commands ignored until end of transaction block

BEGIN
--> ERROR 25P02: current transaction is aborted, commands ignored until end of transaction block

COMMIT
--> ROLLBACK

SELECT * FROM x_t ORDER BY id
--> id int4 | n int4
--> 1 | 10
--> 2 | 20
--> SELECT 2

BEGIN
--> BEGIN

SELECT 1 / 0
--> ERROR 22012: division by zero

COMMIT AND CHAIN
--> ROLLBACK

SHOW transaction_isolation
--> transaction_isolation text
--> read committed
--> SHOW

ROLLBACK
--> ROLLBACK

-- Savepoints: names are reused and hide the older one; outer names take the inner ones with them.

BEGIN
--> BEGIN

SAVEPOINT a
--> SAVEPOINT

UPDATE x_t SET n = n + 1 WHERE id = 1
--> UPDATE 1

SAVEPOINT a
--> SAVEPOINT

UPDATE x_t SET n = n + 10 WHERE id = 1
--> UPDATE 1

SAVEPOINT b
--> SAVEPOINT

UPDATE x_t SET n = n + 100 WHERE id = 1
--> UPDATE 1

SELECT n FROM x_t WHERE id = 1
--> n int4
--> 121
--> SELECT 1

ROLLBACK TO b
--> ROLLBACK

SELECT n FROM x_t WHERE id = 1
--> n int4
--> 21
--> SELECT 1

ROLLBACK TO a
--> ROLLBACK

SELECT n FROM x_t WHERE id = 1
--> n int4
--> 11
--> SELECT 1

ROLLBACK TO b
--> ERROR 3B001: savepoint "b" does not exist

ROLLBACK TO a
--> ROLLBACK

RELEASE a
--> RELEASE

ROLLBACK TO a
--> ROLLBACK

SELECT n FROM x_t WHERE id = 1
--> n int4
--> 10
--> SELECT 1

RELEASE SAVEPOINT "A"
--> ERROR 3B001: savepoint "A" does not exist

ROLLBACK TO SAVEPOINT a
--> ROLLBACK

RELEASE a
--> RELEASE

SAVEPOINT c
--> SAVEPOINT

RELEASE SAVEPOINT c
--> RELEASE

ROLLBACK TO c
--> ERROR 3B001: savepoint "c" does not exist

ROLLBACK
--> ROLLBACK

SELECT n FROM x_t WHERE id = 1
--> n int4
--> 10
--> SELECT 1

BEGIN
--> BEGIN

SAVEPOINT s
--> SAVEPOINT

SELECT 1 / 0
--> ERROR 22012: division by zero

ROLLBACK WORK TO SAVEPOINT s
--> ROLLBACK

INSERT INTO x_t VALUES (4, 40)
--> INSERT 0 1

INSERT INTO x_t VALUES (4, 41)
--> ERROR 23505: duplicate key value violates unique constraint "x_t_pkey"
-->   detail: Key (id)=(4) already exists.
-->   table: x_t
-->   constraint: x_t_pkey

ROLLBACK TRANSACTION TO s
--> ROLLBACK

INSERT INTO x_t VALUES (5, 50)
--> INSERT 0 1

COMMIT
--> COMMIT

SELECT id, n FROM x_t ORDER BY id
--> id int4 | n int4
--> 1 | 10
--> 2 | 20
--> 5 | 50
--> SELECT 3

SAVEPOINT outside
--> ERROR 25P01: SAVEPOINT can only be used in transaction blocks

ROLLBACK TO outside
--> ERROR 25P01: ROLLBACK TO SAVEPOINT can only be used in transaction blocks

RELEASE outside
--> ERROR 25P01: RELEASE SAVEPOINT can only be used in transaction blocks

SAVEPOINT x_implicit; INSERT INTO x_t VALUES (6, 60)
--> ERROR 25P01: SAVEPOINT can only be used in transaction blocks

-- AND CHAIN keeps the characteristics.

COMMIT AND CHAIN
--> ERROR 25P01: COMMIT AND CHAIN can only be used in transaction blocks

ROLLBACK AND CHAIN
--> ERROR 25P01: ROLLBACK AND CHAIN can only be used in transaction blocks

BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY, DEFERRABLE
--> BEGIN

COMMIT AND CHAIN
--> COMMIT

SELECT current_setting('transaction_isolation') AS level, current_setting('transaction_read_only') AS ro, current_setting('transaction_deferrable') AS def
--> level text | ro text | def text
--> repeatable read | on | on
--> SELECT 1

ROLLBACK AND NO CHAIN
--> ROLLBACK

BEGIN
--> BEGIN

UPDATE x_t SET n = 0 WHERE id = 5
--> UPDATE 1

COMMIT AND CHAIN
--> COMMIT

UPDATE x_t SET n = 1 WHERE id = 5
--> UPDATE 1

ROLLBACK AND CHAIN
--> ROLLBACK

SELECT n FROM x_t WHERE id = 5
--> n int4
--> 0
--> SELECT 1

COMMIT
--> COMMIT

-- Characteristics, and until when they may be set.

SET TRANSACTION READ ONLY
--> WARNING: SET TRANSACTION can only be used in transaction blocks
--> SET

BEGIN
--> BEGIN

SET TRANSACTION ISOLATION LEVEL SERIALIZABLE
--> SET

SELECT 1
--> ?column? int4
--> 1
--> SELECT 1

SET TRANSACTION ISOLATION LEVEL SERIALIZABLE
--> SET

SET TRANSACTION ISOLATION LEVEL READ COMMITTED
--> ERROR 25001: SET TRANSACTION ISOLATION LEVEL must be called before any query

ROLLBACK
--> ROLLBACK

BEGIN
--> BEGIN

SELECT 1
--> ?column? int4
--> 1
--> SELECT 1

SET TRANSACTION READ ONLY
--> SET

SET TRANSACTION READ WRITE
--> ERROR 25001: transaction read-write mode must be set before any query

ROLLBACK
--> ROLLBACK

BEGIN READ ONLY
--> BEGIN

SET TRANSACTION READ WRITE
--> SET

INSERT INTO x_t VALUES (7, 70)
--> INSERT 0 1

ROLLBACK
--> ROLLBACK

BEGIN
--> BEGIN

SAVEPOINT s
--> SAVEPOINT

SET TRANSACTION ISOLATION LEVEL REPEATABLE READ
--> ERROR 25001: SET TRANSACTION ISOLATION LEVEL must not be called in a subtransaction

ROLLBACK
--> ROLLBACK

BEGIN
--> BEGIN

INSERT INTO x_t VALUES (7, 70)
--> INSERT 0 1

SET TRANSACTION READ ONLY
--> SET

INSERT INTO x_t VALUES (8, 80)
--> ERROR 25006: cannot execute INSERT in a read-only transaction

ROLLBACK
--> ROLLBACK

BEGIN
--> BEGIN

SAVEPOINT s
--> SAVEPOINT

SET TRANSACTION READ ONLY
--> SET

SAVEPOINT t
--> SAVEPOINT

SET TRANSACTION READ WRITE
--> ERROR 25001: cannot set transaction read-write mode inside a read-only transaction

ROLLBACK
--> ROLLBACK

BEGIN ISOLATION LEVEL READ UNCOMMITTED
--> BEGIN

SHOW transaction_isolation
--> transaction_isolation text
--> read uncommitted
--> SHOW

COMMIT
--> COMMIT

BEGIN TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ WRITE, NOT DEFERRABLE
--> BEGIN

SHOW transaction_deferrable
--> transaction_deferrable text
--> off
--> SHOW

SHOW transaction_read_only
--> transaction_read_only text
--> off
--> SHOW

SET TRANSACTION DEFERRABLE
--> SET

SELECT 1
--> ?column? int4
--> 1
--> SELECT 1

SET TRANSACTION NOT DEFERRABLE
--> ERROR 25001: SET TRANSACTION [NOT] DEFERRABLE must be called before any query

COMMIT
--> ROLLBACK

BEGIN
--> BEGIN

SET transaction_isolation = 'serializable'
--> SET

SHOW transaction_isolation
--> transaction_isolation text
--> serializable
--> SHOW

SET transaction_isolation = 'sideways'
--> ERROR 22023: invalid value for parameter "transaction_isolation": "sideways"

ROLLBACK
--> ROLLBACK

START TRANSACTION ISOLATION LEVEL SIDEWAYS
--> ERROR 42601: syntax error at or near "SIDEWAYS"

SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE
--> SET

SHOW default_transaction_isolation
--> default_transaction_isolation text
--> serializable
--> SHOW

SELECT current_setting('default_transaction_read_only') AS ro, current_setting('default_transaction_deferrable') AS def
--> ro text | def text
--> on | on
--> SELECT 1

SHOW transaction_isolation
--> transaction_isolation text
--> serializable
--> SHOW

INSERT INTO x_t VALUES (7, 70)
--> ERROR 25006: cannot execute INSERT in a read-only transaction

BEGIN
--> BEGIN

SHOW transaction_isolation
--> transaction_isolation text
--> serializable
--> SHOW

SHOW transaction_deferrable
--> transaction_deferrable text
--> on
--> SHOW

COMMIT
--> COMMIT

BEGIN READ WRITE
--> BEGIN

UPDATE x_t SET n = 2 WHERE id = 5
--> UPDATE 1

ROLLBACK
--> ROLLBACK

SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE, NOT DEFERRABLE
--> SET

SET default_transaction_isolation = 'read uncommitted'
--> SET

SHOW transaction_isolation
--> transaction_isolation text
--> read uncommitted
--> SHOW

RESET default_transaction_isolation
--> RESET

SET default_transaction_isolation = 'nonsense'
--> ERROR 22023: invalid value for parameter "default_transaction_isolation": "nonsense"

-- What a read-only transaction refuses.

CREATE SEQUENCE x_seq
--> CREATE SEQUENCE

BEGIN READ ONLY
--> BEGIN

SELECT n FROM x_t WHERE id = 1
--> n int4
--> 10
--> SELECT 1

UPDATE x_t SET n = 1
--> ERROR 25006: cannot execute UPDATE in a read-only transaction

ROLLBACK
--> ROLLBACK

BEGIN READ ONLY
--> BEGIN

DELETE FROM x_t
--> ERROR 25006: cannot execute DELETE in a read-only transaction

ROLLBACK
--> ROLLBACK

BEGIN READ ONLY
--> BEGIN

SELECT n FROM x_t WHERE id = 1 FOR UPDATE
--> ERROR 25006: cannot execute SELECT FOR UPDATE in a read-only transaction

ROLLBACK
--> ROLLBACK

BEGIN READ ONLY
--> BEGIN

SELECT n FROM x_t WHERE id = 1 FOR SHARE
--> ERROR 25006: cannot execute SELECT FOR SHARE in a read-only transaction

ROLLBACK
--> ROLLBACK

BEGIN READ ONLY
--> BEGIN

SELECT nextval('x_seq')
--> ERROR 25006: cannot execute nextval() in a read-only transaction

ROLLBACK
--> ROLLBACK

BEGIN READ ONLY
--> BEGIN

DROP TABLE x_t
--> ERROR 25006: cannot execute DROP TABLE in a read-only transaction

ROLLBACK
--> ROLLBACK

BEGIN READ ONLY
--> BEGIN

TRUNCATE x_t
--> ERROR 25006: cannot execute TRUNCATE TABLE in a read-only transaction

ROLLBACK
--> ROLLBACK

BEGIN READ ONLY
--> BEGIN

LOCK TABLE x_t IN ACCESS SHARE MODE
--> LOCK TABLE

LOCK TABLE x_t IN ROW EXCLUSIVE MODE
--> LOCK TABLE

ROLLBACK
--> ROLLBACK

BEGIN READ ONLY
--> BEGIN

COMMENT ON TABLE x_t IS 'x'
--> ERROR 25006: cannot execute COMMENT in a read-only transaction

ROLLBACK
--> ROLLBACK

BEGIN READ ONLY
--> BEGIN

PREPARE x_write AS DELETE FROM x_t
--> PREPARE

EXECUTE x_write
--> ERROR 25006: cannot execute DELETE in a read-only transaction

ROLLBACK
--> ROLLBACK

DEALLOCATE x_write
--> DEALLOCATE

-- Several statements in one query are one transaction, unless they say otherwise.

INSERT INTO x_t VALUES (7, 70); INSERT INTO x_t VALUES (8, -1); INSERT INTO x_t VALUES (9, 90)
--> INSERT 0 1
--> ERROR 23514: new row for relation "x_t" violates check constraint "x_t_n_check"
-->   detail: Failing row contains (8, -1).
-->   table: x_t
-->   constraint: x_t_n_check

SELECT count(*) FROM x_t
--> count int8
--> 3
--> SELECT 1

INSERT INTO x_t VALUES (7, 70); SELECT 1 / 0
--> INSERT 0 1
--> ERROR 22012: division by zero

SELECT count(*) FROM x_t
--> count int8
--> 3
--> SELECT 1

INSERT INTO x_t VALUES (7, 70); COMMIT; INSERT INTO x_t VALUES (8, 80); SELECT 1 / 0
--> INSERT 0 1
--> WARNING: there is no transaction in progress
--> COMMIT
--> INSERT 0 1
--> ERROR 22012: division by zero

SELECT id FROM x_t WHERE id > 5 ORDER BY id
--> id int4
--> 7
--> SELECT 1

BEGIN; INSERT INTO x_t VALUES (8, 80); COMMIT; INSERT INTO x_t VALUES (9, 90); ROLLBACK
--> BEGIN
--> INSERT 0 1
--> COMMIT
--> INSERT 0 1
--> WARNING: there is no transaction in progress
--> ROLLBACK

SELECT id FROM x_t WHERE id > 5 ORDER BY id
--> id int4
--> 7
--> 8
--> SELECT 2

INSERT INTO x_t VALUES (9, 90); BEGIN; INSERT INTO x_t VALUES (10, 100)
--> INSERT 0 1
--> BEGIN
--> INSERT 0 1

ROLLBACK
--> ROLLBACK

SELECT id FROM x_t WHERE id > 5 ORDER BY id
--> id int4
--> 7
--> 8
--> SELECT 2

BEGIN; SELECT 1 / 0; COMMIT
--> BEGIN
--> ERROR 22012: division by zero

SELECT 2
--> ERROR 25P02: current transaction is aborted, commands ignored until end of transaction block

ROLLBACK
--> ROLLBACK

INSERT INTO x_t VALUES (9, 90); UPDATE x_t SET n = n + 1 WHERE id = 9 RETURNING n; SELECT n FROM x_t WHERE id = 9
--> INSERT 0 1
--> n int4
--> 91
--> UPDATE 1
--> n int4
--> 91
--> SELECT 1

CREATE TABLE x_many (a int); INSERT INTO x_many VALUES (1); SELECT * FROM x_many; DROP TABLE x_many
--> CREATE TABLE
--> INSERT 0 1
--> a int4
--> 1
--> SELECT 1
--> DROP TABLE

SELECT * FROM x_many
--> ERROR 42P01: relation "x_many" does not exist

SELECT 1; SELECT FROM nowhere; SELECT 2
--> ?column? int4
--> 1
--> SELECT 1
--> ERROR 42P01: relation "nowhere" does not exist

SELECT 1; this is no statement; SELECT 2
--> ERROR 42601: syntax error at or near "this"

-- SET belongs to its transaction.

SET application_name = 'first'
--> SET

BEGIN
--> BEGIN

SET application_name = 'second'
--> SET

SET LOCAL application_name = 'third'
--> SET

SHOW application_name
--> application_name text
--> third
--> SHOW

SAVEPOINT s
--> SAVEPOINT

SET LOCAL application_name = 'fourth'
--> SET

ROLLBACK TO s
--> ROLLBACK

SHOW application_name
--> application_name text
--> third
--> SHOW

COMMIT
--> COMMIT

SHOW application_name
--> application_name text
--> second
--> SHOW

BEGIN
--> BEGIN

SET application_name = 'fifth'
--> SET

ROLLBACK
--> ROLLBACK

SHOW application_name
--> application_name text
--> second
--> SHOW

SET LOCAL application_name = 'nobody'
--> WARNING: SET LOCAL can only be used in transaction blocks
--> SET

SHOW application_name
--> application_name text
--> second
--> SHOW

BEGIN
--> BEGIN

RESET application_name
--> RESET

SHOW application_name
--> application_name text
-->
--> SHOW

ROLLBACK
--> ROLLBACK

SHOW application_name
--> application_name text
--> second
--> SHOW

SET application_name = 'sixth'; SELECT 1 / 0
--> SET
--> ERROR 22012: division by zero

SHOW application_name
--> application_name text
--> second
--> SHOW

RESET application_name
--> RESET

-- Timeouts: values, units, and their end with the transaction.

SET lock_timeout = '1.5s'
--> SET

SHOW lock_timeout
--> lock_timeout text
--> 1500ms
--> SHOW

SET lock_timeout = 1500
--> SET

SHOW lock_timeout
--> lock_timeout text
--> 1500ms
--> SHOW

SET statement_timeout TO '2 min'
--> SET

SHOW statement_timeout
--> statement_timeout text
--> 2min
--> SHOW

SET statement_timeout = '1h'
--> SET

SHOW statement_timeout
--> statement_timeout text
--> 1h
--> SHOW

SET statement_timeout = -1
--> ERROR 22023: -1 ms is outside the valid range for parameter "statement_timeout" (0 .. 2147483647)

SET statement_timeout = '3 parsecs'
--> ERROR 22023: invalid value for parameter "statement_timeout": "3 parsecs"

SET statement_timeout = 'soon'
--> ERROR 22023: invalid value for parameter "statement_timeout": "soon"

SET statement_timeout = 3000000000
--> ERROR 22023: invalid value for parameter "statement_timeout": "3000000000"

BEGIN
--> BEGIN

SET LOCAL lock_timeout = 20
--> SET

SHOW lock_timeout
--> lock_timeout text
--> 20ms
--> SHOW

ROLLBACK
--> ROLLBACK

SHOW lock_timeout
--> lock_timeout text
--> 1500ms
--> SHOW

RESET lock_timeout
--> RESET

RESET statement_timeout
--> RESET

SHOW statement_timeout
--> statement_timeout text
--> 0
--> SHOW

SET idle_in_transaction_session_timeout = '90s'
--> SET

SHOW idle_in_transaction_session_timeout
--> idle_in_transaction_session_timeout text
--> 90s
--> SHOW

-- An idle transaction costs others its locks, so Quorate ends it after a while; PostgreSQL does so only when told.

RESET idle_in_transaction_session_timeout
--> RESET

SHOW idle_in_transaction_session_timeout
--> idle_in_transaction_session_timeout text
--> 0
--> SHOW
--!> idle_in_transaction_session_timeout text
--!> 10min
--!> SHOW

-- The setting came with PostgreSQL 17.

SET transaction_timeout = '1min'
--> ERROR 42704: unrecognized configuration parameter "transaction_timeout"
--!> SET

SHOW transaction_timeout
--> ERROR 42704: unrecognized configuration parameter "transaction_timeout"
--!> transaction_timeout text
--!> 1min
--!> SHOW

RESET transaction_timeout
--> ERROR 42704: unrecognized configuration parameter "transaction_timeout"
--!> RESET

-- Definitions are part of the transaction.

BEGIN
--> BEGIN

CREATE TABLE x_new (id int PRIMARY KEY, v text DEFAULT 'none')
--> CREATE TABLE

CREATE INDEX x_new_v ON x_new (v)
--> CREATE INDEX

INSERT INTO x_new (id) VALUES (1)
--> INSERT 0 1

ALTER TABLE x_new ADD COLUMN w int DEFAULT 5
--> ALTER TABLE

SELECT * FROM x_new
--> id int4 | v text | w int4
--> 1 | none | 5
--> SELECT 1

SAVEPOINT s
--> SAVEPOINT

DROP TABLE x_new
--> DROP TABLE

SELECT * FROM x_new
--> ERROR 42P01: relation "x_new" does not exist

ROLLBACK TO s
--> ROLLBACK

ALTER TABLE x_new RENAME COLUMN v TO words
--> ALTER TABLE

SELECT * FROM x_new
--> id int4 | words text | w int4
--> 1 | none | 5
--> SELECT 1

ROLLBACK
--> ROLLBACK

SELECT * FROM x_new
--> ERROR 42P01: relation "x_new" does not exist

BEGIN
--> BEGIN

CREATE TABLE x_new (id int)
--> CREATE TABLE

DROP TABLE x_t
--> DROP TABLE

SELECT count(*) FROM pg_class WHERE relname IN ('x_t', 'x_new')
--> count int8
--> 1
--> SELECT 1

ROLLBACK
--> ROLLBACK

SELECT count(*) FROM pg_class WHERE relname IN ('x_t', 'x_new')
--> count int8
--> 1
--> SELECT 1

BEGIN
--> BEGIN

TRUNCATE x_t
--> TRUNCATE TABLE

SELECT count(*) FROM x_t
--> count int8
--> 0
--> SELECT 1

ROLLBACK
--> ROLLBACK

SELECT count(*) > 3 AS restored FROM x_t
--> restored bool
--> t
--> SELECT 1

BEGIN
--> BEGIN

CREATE SEQUENCE x_own
--> CREATE SEQUENCE

SELECT nextval('x_own'), nextval('x_own')
--> nextval int8 | nextval int8
--> 1 | 2
--> SELECT 1

ROLLBACK
--> ROLLBACK

SELECT nextval('x_own')
--> ERROR 42P01: relation "x_own" does not exist

VACUUM; SELECT 1
--> ERROR 25001: VACUUM cannot run inside a transaction block

BEGIN
--> BEGIN

VACUUM
--> ERROR 25001: VACUUM cannot run inside a transaction block

ROLLBACK
--> ROLLBACK

BEGIN
--> BEGIN

CREATE INDEX CONCURRENTLY x_conc ON x_t (n)
--> ERROR 25001: CREATE INDEX CONCURRENTLY cannot run inside a transaction block

ROLLBACK
--> ROLLBACK

-- Cursors end with their transaction, unless they are held.

DECLARE x_c CURSOR FOR SELECT 1
--> ERROR 25P01: DECLARE CURSOR can only be used in transaction blocks

BEGIN
--> BEGIN

DECLARE x_c CURSOR FOR SELECT n FROM generate_series(1, 5) AS n
--> DECLARE CURSOR

DECLARE x_h CURSOR WITH HOLD FOR SELECT n FROM generate_series(10, 14) AS n
--> DECLARE CURSOR

FETCH 2 FROM x_c
--> n int4
--> 1
--> 2
--> FETCH 2

FETCH 2 FROM x_h
--> n int4
--> 10
--> 11
--> FETCH 2

COMMIT
--> COMMIT

FETCH 1 FROM x_c
--> ERROR 34000: cursor "x_c" does not exist

FETCH 2 FROM x_h
--> n int4
--> 12
--> 13
--> FETCH 2

FETCH BACKWARD 1 FROM x_h
--> n int4
--> 12
--> FETCH 1

CLOSE x_h
--> CLOSE CURSOR

BEGIN
--> BEGIN

DECLARE x_h CURSOR WITH HOLD FOR SELECT 1 AS one
--> DECLARE CURSOR

ROLLBACK
--> ROLLBACK

FETCH 1 FROM x_h
--> ERROR 34000: cursor "x_h" does not exist

BEGIN
--> BEGIN

DECLARE x_c CURSOR FOR SELECT n FROM generate_series(1, 5) AS n
--> DECLARE CURSOR

SAVEPOINT s
--> SAVEPOINT

DECLARE x_d CURSOR FOR SELECT 7 AS seven
--> DECLARE CURSOR

FETCH 1 FROM x_c
--> n int4
--> 1
--> FETCH 1

SELECT 1 / 0
--> ERROR 22012: division by zero

FETCH 1 FROM x_c
--> ERROR 25P02: current transaction is aborted, commands ignored until end of transaction block

ROLLBACK TO s
--> ROLLBACK

FETCH 1 FROM x_d
--> ERROR 34000: cursor "x_d" does not exist

ROLLBACK TO s
--> ROLLBACK

FETCH 1 FROM x_c
--> n int4
--> 2
--> FETCH 1

ROLLBACK
--> ROLLBACK

-- A cursor shows the data as of its declaration, also when its own transaction writes on.

BEGIN
--> BEGIN

DECLARE x_c CURSOR FOR SELECT id, n FROM x_t WHERE id < 3 ORDER BY id
--> DECLARE CURSOR

UPDATE x_t SET n = n + 1000 WHERE id < 3
--> UPDATE 2

FETCH ALL FROM x_c
--> id int4 | n int4
--> 1 | 10
--> 2 | 20
--> FETCH 2

SELECT id, n FROM x_t WHERE id < 3 ORDER BY id
--> id int4 | n int4
--> 1 | 1010
--> 2 | 1020
--> SELECT 2

ROLLBACK
--> ROLLBACK

BEGIN
--> BEGIN

INSERT INTO x_t VALUES (20, 1)
--> INSERT 0 1

DECLARE x_h CURSOR WITH HOLD FOR SELECT id FROM x_t WHERE id >= 20 ORDER BY id
--> DECLARE CURSOR

INSERT INTO x_t VALUES (21, 1)
--> INSERT 0 1

COMMIT
--> COMMIT

FETCH ALL FROM x_h
--> id int4
--> 20
--> FETCH 1

CLOSE ALL
--> CLOSE CURSOR ALL

-- A cursor belongs to its transaction: it sees what that has written, and not what the transaction does not see.

BEGIN
--> BEGIN

UPDATE x_t SET n = n + 1 WHERE id = 1
--> UPDATE 1

DECLARE x_c CURSOR FOR SELECT n FROM x_t WHERE id = 1
--> DECLARE CURSOR

FETCH 1 FROM x_c
--> n int4
--> 11
--> FETCH 1

ROLLBACK
--> ROLLBACK

INSERT INTO x_t VALUES (22, 1); DECLARE x_h CURSOR WITH HOLD FOR SELECT id FROM x_t WHERE id = 22
--> INSERT 0 1
--> DECLARE CURSOR

FETCH ALL FROM x_h
--> id int4
--> 22
--> FETCH 1

CLOSE x_h
--> CLOSE CURSOR

-- Prepared statements belong to the session and survive a rollback.

BEGIN
--> BEGIN

PREPARE x_get (int) AS SELECT n FROM x_t WHERE id = $1
--> PREPARE

ROLLBACK
--> ROLLBACK

EXECUTE x_get (2)
--> n int4
--> 20
--> SELECT 1

BEGIN
--> BEGIN

DEALLOCATE x_get
--> DEALLOCATE

ROLLBACK
--> ROLLBACK

EXECUTE x_get (2)
--> ERROR 26000: prepared statement "x_get" does not exist

-- What functions say inside a block that has written is what they say outside.

SET x.tenant = 'acme'
--> SET

BEGIN
--> BEGIN

INSERT INTO x_t VALUES (30, 0)
--> INSERT 0 1

SELECT current_setting('x.tenant') AS tenant, current_setting('x.none', true) AS none
--> tenant text | none text
--> acme | ∅
--> SELECT 1

SELECT current_setting('transaction_isolation') AS level, current_setting('search_path') <> '' AS path
--> level text | path bool
--> read committed | t
--> SELECT 1

SELECT pg_backend_pid() > 0 AS pid, current_user = session_user AS same, current_database() <> '' AS database
--> pid bool | same bool | database bool
--> t | t | t
--> SELECT 1

CREATE TABLE x_who (tenant text DEFAULT current_setting('x.tenant'), pid int, made timestamptz DEFAULT now())
--> CREATE TABLE

INSERT INTO x_who (pid) SELECT pg_backend_pid()
--> INSERT 0 1

SELECT tenant, pid = pg_backend_pid() AS mine, made = now() AS same FROM x_who
--> tenant text | mine bool | same bool
--> acme | t | t
--> SELECT 1

SET LOCAL x.tenant = 'other'
--> SET

INSERT INTO x_who (pid) VALUES (0) RETURNING tenant
--> tenant text
--> other
--> INSERT 0 1

SELECT setting FROM pg_settings WHERE name = 'transaction_isolation'
--> setting text
--> read committed
--> SELECT 1

SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND relation = 'x_t'::regclass
--> count int8
--> 1
--> SELECT 1

SELECT state, query FROM pg_stat_activity WHERE pid = pg_backend_pid()
--> state text | query text
--> active | SELECT state, query FROM pg_stat_activity WHERE pid = pg_backend_pid()
--> SELECT 1

SELECT count(*) FROM pg_database WHERE datname = current_database()
--> count int8
--> 1
--> SELECT 1

COMMIT
--> COMMIT

SELECT tenant, pid = pg_backend_pid() AS mine FROM x_who ORDER BY 2
--> tenant text | mine bool
--> other | f
--> acme | t
--> SELECT 2

INSERT INTO x_who VALUES (current_setting('x.tenant'), pg_backend_pid()) RETURNING tenant, pid = pg_backend_pid() AS mine
--> tenant text | mine bool
--> acme | t
--> INSERT 0 1

INSERT INTO x_who VALUES (current_setting('x.unheard_of'), 1)
--> ERROR 42704: unrecognized configuration parameter "x.unheard_of"

-- now() stands still within a transaction; each transaction has its own.

BEGIN
--> BEGIN

CREATE TABLE x_now (at timestamptz)
--> CREATE TABLE

INSERT INTO x_now VALUES (now())
--> INSERT 0 1

INSERT INTO x_now VALUES (transaction_timestamp())
--> INSERT 0 1

SELECT count(DISTINCT at), bool_and(at = now()) FROM x_now
--> count int8 | bool_and bool
--> 1 | t
--> SELECT 1

COMMIT
--> COMMIT

INSERT INTO x_now VALUES (now())
--> INSERT 0 1

SELECT count(DISTINCT at) FROM x_now
--> count int8
--> 2
--> SELECT 1

-- Strengths of row locks, and whose rows they are.

BEGIN
--> BEGIN

SELECT n FROM x_t WHERE id = 2 FOR NO KEY UPDATE
--> n int4
--> 20
--> SELECT 1

SELECT n FROM x_t WHERE id = 2 FOR KEY SHARE NOWAIT
--> n int4
--> 20
--> SELECT 1

SELECT a.n FROM x_t AS a JOIN x_t AS b USING (id) WHERE id = 2 FOR SHARE OF a, b
--> n int4
--> 20
--> SELECT 1

SELECT a.n FROM x_t AS a JOIN x_t AS b USING (id) WHERE id = 2 FOR UPDATE OF a NOWAIT FOR KEY SHARE OF b SKIP LOCKED
--> n int4
--> 20
--> SELECT 1

ROLLBACK
--> ROLLBACK

SELECT n FROM x_t AS a WHERE id = 2 FOR NO KEY UPDATE OF x_t
--> ERROR 42P01: relation "x_t" in FOR NO KEY UPDATE clause not found in FROM clause

SELECT n FROM x_t WHERE id = 2 FOR UPDATE OF public.x_t
--> ERROR 42601: FOR UPDATE must specify unqualified relation names

-- Deferred constraints.

CREATE TABLE x_child (id int PRIMARY KEY, parent int REFERENCES x_t (id) DEFERRABLE INITIALLY DEFERRED)
--> CREATE TABLE

BEGIN
--> BEGIN

INSERT INTO x_child VALUES (1, 999)
--> INSERT 0 1

COMMIT
--> ERROR 23503: insert or update on table "x_child" violates foreign key constraint "x_child_parent_fkey"
-->   detail: Key (parent)=(999) is not present in table "x_t".
-->   table: x_child
-->   constraint: x_child_parent_fkey

SELECT count(*) FROM x_child
--> count int8
--> 0
--> SELECT 1

BEGIN
--> BEGIN

INSERT INTO x_child VALUES (1, 999)
--> INSERT 0 1

INSERT INTO x_t VALUES (999, 0)
--> INSERT 0 1

COMMIT
--> COMMIT

SELECT count(*) FROM x_child
--> count int8
--> 1
--> SELECT 1

SET CONSTRAINTS ALL DEFERRED
--> WARNING: SET CONSTRAINTS can only be used in transaction blocks
--> SET CONSTRAINTS

DROP TABLE x_child, x_who, x_now
--> DROP TABLE

DROP SEQUENCE x_seq
--> DROP SEQUENCE

DROP TABLE x_t
--> DROP TABLE
