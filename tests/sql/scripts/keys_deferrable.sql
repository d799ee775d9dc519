-- Keys that may be there twice until a statement or a transaction is over.

CREATE TABLE kd_now (id int PRIMARY KEY, n int UNIQUE DEFERRABLE, t text)
--> CREATE TABLE

INSERT INTO kd_now SELECT g, g, 'r' || g FROM generate_series(1, 5) g
--> INSERT 0 5

UPDATE kd_now SET n = n + 1
--> UPDATE 5

UPDATE kd_now SET n = 7 - n
--> UPDATE 5

SELECT id, n FROM kd_now ORDER BY id
--> id int4 | n int4
--> 1 | 5
--> 2 | 4
--> 3 | 3
--> 4 | 2
--> 5 | 1
--> SELECT 5

UPDATE kd_now SET n = 3 WHERE id = 1
--> ERROR 23505: duplicate key value violates unique constraint "kd_now_n_key"
-->   detail: Key (n)=(3) already exists.
-->   table: kd_now
-->   constraint: kd_now_n_key

UPDATE kd_now SET n = 4 WHERE id > 3 RETURNING id, n
--> ERROR 23505: duplicate key value violates unique constraint "kd_now_n_key"
-->   detail: Key (n)=(4) already exists.
-->   table: kd_now
-->   constraint: kd_now_n_key

INSERT INTO kd_now VALUES (6, 4, 'x'), (7, 8, 'y')
--> ERROR 23505: duplicate key value violates unique constraint "kd_now_n_key"
-->   detail: Key (n)=(4) already exists.
-->   table: kd_now
-->   constraint: kd_now_n_key

INSERT INTO kd_now VALUES (6, 8, 'x'), (7, 8, 'y')
--> ERROR 23505: duplicate key value violates unique constraint "kd_now_n_key"
-->   detail: Key (n)=(8) already exists.
-->   table: kd_now
-->   constraint: kd_now_n_key

INSERT INTO kd_now VALUES (6, NULL, 'x'), (7, NULL, 'y')
--> INSERT 0 2

DELETE FROM kd_now WHERE id = 3
--> DELETE 1

INSERT INTO kd_now VALUES (3, 4, 'again')
--> ERROR 23505: duplicate key value violates unique constraint "kd_now_n_key"
-->   detail: Key (n)=(4) already exists.
-->   table: kd_now
-->   constraint: kd_now_n_key

INSERT INTO kd_now SELECT 8, n, t FROM kd_now WHERE id = 1
--> ERROR 23505: duplicate key value violates unique constraint "kd_now_n_key"
-->   detail: Key (n)=(5) already exists.
-->   table: kd_now
-->   constraint: kd_now_n_key

WITH gone AS (DELETE FROM kd_now WHERE id = 1 RETURNING n, t) INSERT INTO kd_now SELECT 8, n, t FROM gone RETURNING *
--> id int4 | n int4 | t text
--> 8 | 5 | r1
--> INSERT 0 1

SELECT id, n FROM kd_now ORDER BY id
--> id int4 | n int4
--> 2 | 4
--> 4 | 2
--> 5 | 1
--> 6 | ∅
--> 7 | ∅
--> 8 | 5
--> SELECT 6

MERGE INTO kd_now k USING (VALUES (8, 1), (2, 1), (20, 6)) v (id, d) ON k.id = v.id WHEN MATCHED AND k.id = 2 THEN DELETE WHEN MATCHED THEN UPDATE SET n = k.n - d WHEN NOT MATCHED THEN INSERT VALUES (v.id, v.d)
--> MERGE 3

SELECT id, n FROM kd_now ORDER BY id
--> id int4 | n int4
--> 4 | 2
--> 5 | 1
--> 6 | ∅
--> 7 | ∅
--> 8 | 4
--> 20 | 6
--> SELECT 6

UPDATE kd_now SET n = n FROM generate_series(1, 2)
--> UPDATE 6

UPDATE kd_now k SET n = o.n FROM kd_now o WHERE k.id IN (4, 5) AND o.id IN (4, 5) AND o.id <> k.id
--> UPDATE 2

SELECT id, n FROM kd_now ORDER BY id
--> id int4 | n int4
--> 4 | 1
--> 5 | 2
--> 6 | ∅
--> 7 | ∅
--> 8 | 4
--> 20 | 6
--> SELECT 6

-- ON CONFLICT cannot rest on it.

INSERT INTO kd_now VALUES (40, 1, 'x') ON CONFLICT DO NOTHING
--> ERROR 55000: ON CONFLICT does not support deferrable unique constraints/exclusion constraints as arbiters
-->   table: kd_now
-->   constraint: kd_now_n_key

INSERT INTO kd_now VALUES (4, 1, 'x') ON CONFLICT (n) DO NOTHING
--> ERROR 55000: ON CONFLICT does not support deferrable unique constraints/exclusion constraints as arbiters
-->   table: kd_now
-->   constraint: kd_now_n_key

INSERT INTO kd_now VALUES (4, 1, 'x') ON CONFLICT ON CONSTRAINT kd_now_n_key DO UPDATE SET n = 5
--> ERROR 55000: ON CONFLICT does not support deferrable unique constraints/exclusion constraints as arbiters
-->   table: kd_now
-->   constraint: kd_now_n_key

INSERT INTO kd_now VALUES (4, 100, 'x') ON CONFLICT (id) DO UPDATE SET n = excluded.n RETURNING id, n
--> id int4 | n int4
--> 4 | 100
--> INSERT 0 1

INSERT INTO kd_now VALUES (4, 2, 'x') ON CONFLICT (id) DO UPDATE SET n = excluded.n RETURNING id, n
--> ERROR 23505: duplicate key value violates unique constraint "kd_now_n_key"
-->   detail: Key (n)=(2) already exists.
-->   table: kd_now
-->   constraint: kd_now_n_key

-- Nor can foreign keys.

CREATE TABLE kd_child (n int REFERENCES kd_now (n))
--> ERROR 55000: cannot use a deferrable unique constraint for referenced table "kd_now"

CREATE TABLE kd_key (id int PRIMARY KEY DEFERRABLE, v int)
--> CREATE TABLE

CREATE TABLE kd_child (k int REFERENCES kd_key)
--> ERROR 55000: cannot use a deferrable primary key for referenced table "kd_key"

CREATE TABLE kd_child (k int REFERENCES kd_key (id))
--> ERROR 55000: cannot use a deferrable unique constraint for referenced table "kd_key"

CREATE TABLE kd_child (k int REFERENCES kd_now (id))
--> CREATE TABLE

-- A primary key.

INSERT INTO kd_key VALUES (1, 1), (2, 2), (3, 3)
--> INSERT 0 3

UPDATE kd_key SET id = id + 1
--> UPDATE 3

INSERT INTO kd_key VALUES (3, 0)
--> ERROR 23505: duplicate key value violates unique constraint "kd_key_pkey"
-->   detail: Key (id)=(3) already exists.
-->   table: kd_key
-->   constraint: kd_key_pkey

INSERT INTO kd_key VALUES (NULL, 0)
--> ERROR 23502: null value in column "id" of relation "kd_key" violates not-null constraint
-->   detail: Failing row contains (null, 0).
-->   table: kd_key
-->   column: id

SELECT * FROM kd_key ORDER BY id
--> id int4 | v int4
--> 2 | 1
--> 3 | 2
--> 4 | 3
--> SELECT 3

SELECT * FROM kd_key WHERE id = 3
--> id int4 | v int4
--> 3 | 2
--> SELECT 1

SELECT id, v, count(*) FROM kd_key GROUP BY id
--> ERROR 42803: column "kd_key.v" must appear in the GROUP BY clause or be used in an aggregate function

-- Until the end of the transaction.

CREATE TABLE kd_late (id int PRIMARY KEY, n int, a text, b text, CONSTRAINT kd_n UNIQUE (n) DEFERRABLE INITIALLY DEFERRED, CONSTRAINT kd_ab UNIQUE (a, b) DEFERRABLE INITIALLY IMMEDIATE)
--> CREATE TABLE

INSERT INTO kd_late VALUES (1, 1, 'a', 'b'), (2, 2, 'a', 'c'), (3, 3, 'b', NULL), (4, 4, 'b', NULL)
--> INSERT 0 4

INSERT INTO kd_late VALUES (5, 3)
--> ERROR 23505: duplicate key value violates unique constraint "kd_n"
-->   detail: Key (n)=(3) already exists.
-->   table: kd_late
-->   constraint: kd_n

INSERT INTO kd_late VALUES (5, 5, 'a', 'c')
--> ERROR 23505: duplicate key value violates unique constraint "kd_ab"
-->   detail: Key (a, b)=(a, c) already exists.
-->   table: kd_late
-->   constraint: kd_ab

BEGIN
--> BEGIN

UPDATE kd_late SET n = 2 WHERE id = 1
--> UPDATE 1

SELECT id, n FROM kd_late WHERE n = 2 ORDER BY id
--> id int4 | n int4
--> 1 | 2
--> 2 | 2
--> SELECT 2

UPDATE kd_late SET n = 1 WHERE id = 2
--> UPDATE 1

COMMIT
--> COMMIT

BEGIN
--> BEGIN

UPDATE kd_late SET n = 3 WHERE id = 1
--> UPDATE 1

INSERT INTO kd_late VALUES (9, 9)
--> INSERT 0 1

COMMIT
--> ERROR 23505: duplicate key value violates unique constraint "kd_n"
-->   detail: Key (n)=(3) already exists.
-->   table: kd_late
-->   constraint: kd_n

SELECT id, n FROM kd_late ORDER BY id
--> id int4 | n int4
--> 1 | 2
--> 2 | 1
--> 3 | 3
--> 4 | 4
--> SELECT 4

BEGIN
--> BEGIN

INSERT INTO kd_late VALUES (9, 1)
--> INSERT 0 1

SET CONSTRAINTS kd_n IMMEDIATE
--> ERROR 23505: duplicate key value violates unique constraint "kd_n"
-->   detail: Key (n)=(1) already exists.
-->   table: kd_late
-->   constraint: kd_n

ROLLBACK
--> ROLLBACK

BEGIN
--> BEGIN

INSERT INTO kd_late VALUES (9, 1)
--> INSERT 0 1

SAVEPOINT s
--> SAVEPOINT

SET CONSTRAINTS ALL IMMEDIATE
--> ERROR 23505: duplicate key value violates unique constraint "kd_n"
-->   detail: Key (n)=(1) already exists.
-->   table: kd_late
-->   constraint: kd_n

ROLLBACK TO s
--> ROLLBACK

DELETE FROM kd_late WHERE id = 9
--> DELETE 1

SET CONSTRAINTS ALL IMMEDIATE
--> SET CONSTRAINTS

INSERT INTO kd_late VALUES (9, 1)
--> ERROR 23505: duplicate key value violates unique constraint "kd_n"
-->   detail: Key (n)=(1) already exists.
-->   table: kd_late
-->   constraint: kd_n

ROLLBACK
--> ROLLBACK

BEGIN
--> BEGIN

SET CONSTRAINTS kd_ab DEFERRED
--> SET CONSTRAINTS

UPDATE kd_late SET b = 'c' WHERE id = 1
--> UPDATE 1

UPDATE kd_late SET b = 'b' WHERE id = 2
--> UPDATE 1

SAVEPOINT s
--> SAVEPOINT

UPDATE kd_late SET a = 'x', b = 'y'
--> UPDATE 4

ROLLBACK TO s
--> ROLLBACK

COMMIT
--> COMMIT

SELECT * FROM kd_late ORDER BY id
--> id int4 | n int4 | a text | b text
--> 1 | 2 | a | c
--> 2 | 1 | a | b
--> 3 | 3 | b | ∅
--> 4 | 4 | b | ∅
--> SELECT 4

BEGIN
--> BEGIN

SET CONSTRAINTS kd_n IMMEDIATE
--> SET CONSTRAINTS

INSERT INTO kd_late VALUES (9, 1)
--> ERROR 23505: duplicate key value violates unique constraint "kd_n"
-->   detail: Key (n)=(1) already exists.
-->   table: kd_late
-->   constraint: kd_n

COMMIT
--> ROLLBACK

BEGIN
--> BEGIN

SET CONSTRAINTS ALL DEFERRED
--> SET CONSTRAINTS

INSERT INTO kd_late VALUES (9, 9, 'a', 'b')
--> INSERT 0 1

INSERT INTO kd_late VALUES (10, 9, 'a', 'x')
--> INSERT 0 1

DELETE FROM kd_late WHERE id = 9
--> DELETE 1

COMMIT
--> COMMIT

BEGIN
--> BEGIN

SET CONSTRAINTS ALL DEFERRED
--> SET CONSTRAINTS

INSERT INTO kd_late VALUES (11, 11, 'a', 'x')
--> INSERT 0 1

COMMIT
--> ERROR 23505: duplicate key value violates unique constraint "kd_ab"
-->   detail: Key (a, b)=(a, x) already exists.
-->   table: kd_late
-->   constraint: kd_ab

SELECT count(*) FROM kd_late WHERE a = 'x'
--> count int8
--> 0
--> SELECT 1

BEGIN
--> BEGIN

INSERT INTO kd_late VALUES (12, 2)
--> INSERT 0 1

ALTER TABLE kd_late DROP CONSTRAINT kd_n
--> ERROR 55006: cannot ALTER TABLE "kd_late" because it has pending trigger events

ROLLBACK
--> ROLLBACK

BEGIN
--> BEGIN

INSERT INTO kd_late VALUES (12, 2)
--> INSERT 0 1

TRUNCATE kd_now
--> ERROR 0A000: cannot truncate a table referenced in a foreign key constraint
-->   detail: Table "kd_child" references "kd_now".

DELETE FROM kd_late WHERE n = 2
--> ERROR 25P02: current transaction is aborted, commands ignored until end of transaction block

COMMIT
--> ROLLBACK

-- Values are the same as their types say.

CREATE TABLE kd_types (id int PRIMARY KEY, n numeric UNIQUE DEFERRABLE, c char(4), f float8 UNIQUE DEFERRABLE, ts timestamptz, u uuid, CONSTRAINT kd_c UNIQUE NULLS NOT DISTINCT (c, ts) DEFERRABLE INITIALLY DEFERRED)
--> CREATE TABLE

INSERT INTO kd_types VALUES (1, 1.0, 'a', 1.5, '2024-01-01 00:00+00'), (2, 2, 'b', 'NaN', NULL)
--> INSERT 0 2

INSERT INTO kd_types VALUES (3, 1.00)
--> ERROR 23505: duplicate key value violates unique constraint "kd_types_n_key"
-->   detail: Key (n)=(1.00) already exists.
-->   table: kd_types
-->   constraint: kd_types_n_key

INSERT INTO kd_types VALUES (3, 3, 'a  ', 3, '2024-01-01 01:00+01')
--> ERROR 23505: duplicate key value violates unique constraint "kd_c"
-->   detail: Key (c, ts)=(a   , 2024-01-01 00:00:00+00) already exists.
-->   table: kd_types
-->   constraint: kd_c

INSERT INTO kd_types VALUES (3, 3, 'b', 4)
--> ERROR 23505: duplicate key value violates unique constraint "kd_c"
-->   detail: Key (c, ts)=(b   , null) already exists.
-->   table: kd_types
-->   constraint: kd_c

INSERT INTO kd_types VALUES (3, 3, 'x', 'NaN')
--> ERROR 23505: duplicate key value violates unique constraint "kd_types_f_key"
-->   detail: Key (f)=(NaN) already exists.
-->   table: kd_types
-->   constraint: kd_types_f_key

INSERT INTO kd_types VALUES (3, 3, 'x', '-0'), (4, 4, 'y', '0')
--> ERROR 23505: duplicate key value violates unique constraint "kd_types_f_key"
-->   detail: Key (f)=(0) already exists.
-->   table: kd_types
-->   constraint: kd_types_f_key

UPDATE kd_types SET n = n * 2, f = f + 0.5
--> UPDATE 2

SELECT id, n, f FROM kd_types ORDER BY id
--> id int4 | n numeric | f float8
--> 1 | 2.0 | 2
--> 2 | 4 | NaN
--> SELECT 2

CREATE TABLE kd_made (id int PRIMARY KEY, a int, g int GENERATED ALWAYS AS (a / 10) STORED UNIQUE DEFERRABLE)
--> CREATE TABLE

INSERT INTO kd_made VALUES (1, 10), (2, 20)
--> INSERT 0 2

INSERT INTO kd_made VALUES (3, 15)
--> ERROR 23505: duplicate key value violates unique constraint "kd_made_g_key"
-->   detail: Key (g)=(1) already exists.
-->   table: kd_made
-->   constraint: kd_made_g_key

UPDATE kd_made SET a = a + 10
--> UPDATE 2

UPDATE kd_made SET a = 35 WHERE id = 1
--> ERROR 23505: duplicate key value violates unique constraint "kd_made_g_key"
-->   detail: Key (g)=(3) already exists.
-->   table: kd_made
-->   constraint: kd_made_g_key

-- In the catalog, and changed afterwards.

SELECT conname, contype, condeferrable, condeferred, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid IN ('kd_now'::regclass, 'kd_late'::regclass, 'kd_key'::regclass) ORDER BY conname
--> conname name | contype char1 | condeferrable bool | condeferred bool | pg_get_constraintdef text
--> kd_ab | u | t | f | UNIQUE (a, b) DEFERRABLE
--> kd_key_pkey | p | t | f | PRIMARY KEY (id) DEFERRABLE
--> kd_late_pkey | p | f | f | PRIMARY KEY (id)
--> kd_n | u | t | t | UNIQUE (n) DEFERRABLE INITIALLY DEFERRED
--> kd_now_n_key | u | t | f | UNIQUE (n) DEFERRABLE
--> kd_now_pkey | p | f | f | PRIMARY KEY (id)
--> SELECT 6

SELECT c.relname, i.indisunique, i.indimmediate, i.indisprimary FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relname LIKE 'kd\_%' ORDER BY 1
--> relname name | indisunique bool | indimmediate bool | indisprimary bool
--> kd_ab | t | f | f
--> kd_c | t | f | f
--> kd_key_pkey | t | f | t
--> kd_late_pkey | t | t | t
--> kd_made_g_key | t | f | f
--> kd_made_pkey | t | t | t
--> kd_n | t | f | f
--> kd_now_n_key | t | f | f
--> kd_now_pkey | t | t | t
--> kd_types_f_key | t | f | f
--> kd_types_n_key | t | f | f
--> kd_types_pkey | t | t | t
--> SELECT 12

SELECT table_name, constraint_name, is_deferrable::text, initially_deferred::text FROM information_schema.table_constraints WHERE table_name IN ('kd_now', 'kd_late') AND constraint_type <> 'CHECK' ORDER BY 2
--> table_name name | constraint_name name | is_deferrable text | initially_deferred text
--> kd_late | kd_ab | YES | NO
--> kd_late | kd_late_pkey | NO | NO
--> kd_late | kd_n | YES | YES
--> kd_now | kd_now_n_key | YES | NO
--> kd_now | kd_now_pkey | NO | NO
--> SELECT 5

CREATE TABLE kd_like (LIKE kd_late INCLUDING ALL)
--> CREATE TABLE

SELECT conname, condeferrable, condeferred FROM pg_constraint WHERE conrelid = 'kd_like'::regclass ORDER BY conname
--> conname name | condeferrable bool | condeferred bool
--> kd_like_a_b_key | t | f
--> kd_like_n_key | t | t
--> kd_like_pkey | f | f
--> SELECT 3

CREATE TABLE kd_add (id int PRIMARY KEY, "N m" int, v int)
--> CREATE TABLE

INSERT INTO kd_add VALUES (1, 1, 1), (2, 1, 2)
--> INSERT 0 2

ALTER TABLE kd_add ADD CONSTRAINT kd_added UNIQUE ("N m") DEFERRABLE INITIALLY DEFERRED
--> ERROR 23505: could not create unique index "kd_added"
-->   detail: Key ("N m")=(1) is duplicated.
-->   table: kd_add
-->   constraint: kd_added

UPDATE kd_add SET "N m" = id
--> UPDATE 2

ALTER TABLE kd_add ADD CONSTRAINT kd_added UNIQUE ("N m") DEFERRABLE INITIALLY DEFERRED
--> ALTER TABLE

ALTER TABLE kd_add ADD COLUMN w int UNIQUE DEFERRABLE
--> ALTER TABLE

UPDATE kd_add SET "N m" = 3 - "N m", w = id
--> UPDATE 2

INSERT INTO kd_add VALUES (3, 1)
--> ERROR 23505: duplicate key value violates unique constraint "kd_added"
-->   detail: Key ("N m")=(1) already exists.
-->   table: kd_add
-->   constraint: kd_added

ALTER TABLE kd_add ALTER COLUMN "N m" TYPE bigint
--> ALTER TABLE

INSERT INTO kd_add VALUES (3, 1)
--> ERROR 23505: duplicate key value violates unique constraint "kd_added"
-->   detail: Key ("N m")=(1) already exists.
-->   table: kd_add
-->   constraint: kd_added

ALTER TABLE kd_add ALTER COLUMN "N m" TYPE int USING 5
--> ERROR 23505: could not create unique index "kd_added"
-->   detail: Key ("N m")=(5) is duplicated.
-->   table: kd_add
-->   constraint: kd_added

UPDATE kd_add SET "N m" = "N m" + 1
--> UPDATE 2

ALTER TABLE kd_add RENAME COLUMN "N m" TO nm
--> ALTER TABLE

ALTER TABLE kd_add RENAME TO kd_renamed
--> ALTER TABLE

ALTER TABLE kd_renamed RENAME CONSTRAINT kd_added TO kd_other
--> ALTER TABLE

INSERT INTO kd_renamed VALUES (3, 2)
--> ERROR 23505: duplicate key value violates unique constraint "kd_other"
-->   detail: Key (nm)=(2) already exists.
-->   table: kd_renamed
-->   constraint: kd_other

UPDATE kd_renamed SET nm = nm + 1
--> UPDATE 2

ALTER TABLE kd_renamed ALTER CONSTRAINT kd_other NOT DEFERRABLE
--> ERROR 42809: constraint "kd_other" of relation "kd_renamed" is not a foreign key constraint

ALTER TABLE kd_renamed DROP CONSTRAINT kd_other
--> ALTER TABLE

INSERT INTO kd_renamed VALUES (3, 3)
--> INSERT 0 1

UPDATE kd_renamed SET w = 4 - id
--> UPDATE 3

ALTER TABLE kd_renamed DROP COLUMN w
--> ALTER TABLE

CREATE UNIQUE INDEX kd_index ON kd_renamed (id, v)
--> CREATE INDEX

ALTER TABLE kd_renamed ADD CONSTRAINT kd_index UNIQUE USING INDEX kd_index DEFERRABLE INITIALLY DEFERRED
--> ALTER TABLE

BEGIN
--> BEGIN

INSERT INTO kd_renamed VALUES (4, 4, 1), (5, 4, 1)
--> INSERT 0 2

COMMIT
--> COMMIT

CREATE SCHEMA kd_s
--> CREATE SCHEMA

ALTER TABLE kd_renamed SET SCHEMA kd_s
--> ALTER TABLE

INSERT INTO kd_s.kd_renamed VALUES (6, 4, 1), (6, 4, 1)
--> ERROR 23505: duplicate key value violates unique constraint "kd_add_pkey"
-->   detail: Key (id)=(6) already exists.
-->   table: kd_renamed
-->   constraint: kd_add_pkey

DROP SCHEMA kd_s CASCADE
--> NOTICE: drop cascades to table kd_s.kd_renamed
--> DROP SCHEMA

CREATE TABLE kd_self (id int PRIMARY KEY, up int REFERENCES kd_self ON UPDATE CASCADE ON DELETE CASCADE, place int, UNIQUE (up, place) DEFERRABLE INITIALLY DEFERRED)
--> CREATE TABLE

INSERT INTO kd_self VALUES (1, NULL, 1), (2, 1, 1), (3, 1, 2), (4, 2, 1)
--> INSERT 0 4

UPDATE kd_self SET up = 1 WHERE id = 4
--> ERROR 23505: duplicate key value violates unique constraint "kd_self_up_place_key"
-->   detail: Key (up, place)=(1, 1) already exists.
-->   table: kd_self
-->   constraint: kd_self_up_place_key

UPDATE kd_self SET place = place + 1 WHERE up = 1
--> UPDATE 2

UPDATE kd_self SET id = 10 WHERE id = 1
--> UPDATE 1

DELETE FROM kd_self WHERE id = 2
--> DELETE 1

SELECT * FROM kd_self ORDER BY id
--> id int4 | up int4 | place int4
--> 3 | 10 | 3
--> 10 | ∅ | 1
--> SELECT 2

CREATE TABLE kd_wrong (id int CHECK (id > 0) DEFERRABLE)
--> ERROR 42601: misplaced DEFERRABLE clause

CREATE TABLE kd_wrong (id int NOT NULL INITIALLY DEFERRED)
--> ERROR 42601: misplaced INITIALLY DEFERRED clause

CREATE TABLE kd_wrong (id int, CHECK (id > 0) DEFERRABLE)
--> ERROR 0A000: CHECK constraints cannot be marked DEFERRABLE

CREATE TABLE kd_wrong (id int UNIQUE NOT DEFERRABLE INITIALLY DEFERRED)
--> ERROR 42601: constraint declared INITIALLY DEFERRED must be DEFERRABLE

CREATE TABLE kd_wrong (id int UNIQUE DEFERRABLE NOT DEFERRABLE)
--> ERROR 42601: multiple DEFERRABLE/NOT DEFERRABLE clauses not allowed

CREATE TABLE kd_wrong (id int UNIQUE INITIALLY DEFERRED INITIALLY IMMEDIATE)
--> ERROR 42601: multiple INITIALLY IMMEDIATE/DEFERRED clauses not allowed

CREATE TEMP TABLE kd_temp (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)
--> CREATE TABLE

INSERT INTO kd_temp VALUES (1), (1)
--> ERROR 23505: duplicate key value violates unique constraint "kd_temp_n_key"
-->   detail: Key (n)=(1) already exists.
-->   table: kd_temp
-->   constraint: kd_temp_n_key

DROP TABLE kd_temp
--> DROP TABLE

DROP TABLE kd_now, kd_late, kd_key, kd_types, kd_made, kd_like, kd_self, kd_child
--> DROP TABLE
