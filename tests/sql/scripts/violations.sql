-- Which row, which key, which constraint: the DETAIL of violations, and when they are found.
CREATE TABLE v_dept (id int PRIMARY KEY, name varchar(20) NOT NULL, CONSTRAINT short CHECK (length(name) < 15))
--> CREATE TABLE

CREATE TABLE v_emp (id serial PRIMARY KEY, dept int CONSTRAINT works_in REFERENCES v_dept, boss int REFERENCES v_emp DEFERRABLE INITIALLY DEFERRED, email text NOT NULL, pay numeric(8,2) DEFAULT 100 CHECK (pay > 0), born date, double numeric GENERATED ALWAYS AS (pay * 2) STORED)
--> CREATE TABLE

CREATE UNIQUE INDEX v_emp_email ON v_emp (lower(email))
--> CREATE INDEX

CREATE UNIQUE INDEX v_emp_born ON v_emp (born, (pay + 1)) WHERE pay > 50
--> CREATE INDEX

INSERT INTO v_dept VALUES (1, 'Sales'), (2, 'Tools')
--> INSERT 0 2

INSERT INTO v_emp (dept, email, born) VALUES (1, 'ann@x.org', '1990-01-02'), (1, 'Bob@x.org', NULL)
--> INSERT 0 2

INSERT INTO v_emp (id, email) VALUES (1, 'cid@x.org')
--> ERROR 23505: duplicate key value violates unique constraint "v_emp_pkey"
-->   detail: Key (id)=(1) already exists.
-->   table: v_emp
-->   constraint: v_emp_pkey

INSERT INTO v_emp (email) VALUES ('ANN@X.ORG')
--> ERROR 23505: duplicate key value violates unique constraint "v_emp_email"
-->   detail: Key (lower(email))=(ann@x.org) already exists.
-->   table: v_emp
-->   constraint: v_emp_email

-- Expressions are shown as in the definition of the index.
INSERT INTO v_emp (email, pay, born) VALUES ('dot@x.org', 100.00, '1990-01-02')
--> ERROR 23505: duplicate key value violates unique constraint "v_emp_born"
-->   detail: Key (born, (pay + 1::numeric))=(1990-01-02, 101.00) already exists.
-->   table: v_emp
-->   constraint: v_emp_born

-- The sequence gave out two values meanwhile, and this one collides.
INSERT INTO v_emp (id, email) VALUES (5, 'eve@x.org')
--> INSERT 0 1

INSERT INTO v_emp (email) VALUES ('fay@x.org')
--> ERROR 23505: duplicate key value violates unique constraint "v_emp_pkey"
-->   detail: Key (id)=(5) already exists.
-->   table: v_emp
-->   constraint: v_emp_pkey

INSERT INTO v_emp (id, email, pay) VALUES (9, NULL, 5), (10, 'x', -1)
--> ERROR 23502: null value in column "email" of relation "v_emp" violates not-null constraint
-->   detail: Failing row contains (9, null, null, null, 5.00, null, 10.00).
-->   table: v_emp
-->   column: email

INSERT INTO v_emp (id, email, pay) VALUES (9, 'ok', 5), (10, 'x', -1)
--> ERROR 23514: new row for relation "v_emp" violates check constraint "v_emp_pay_check"
-->   detail: Failing row contains (10, null, null, x, -1.00, null, -2.00).
-->   table: v_emp
-->   constraint: v_emp_pay_check

INSERT INTO v_emp (id, email, born) SELECT 20 + i, CASE WHEN i < 3 THEN 'm' || i END, date '2000-01-01' + i FROM generate_series(1, 5) AS i
--> ERROR 23502: null value in column "email" of relation "v_emp" violates not-null constraint
-->   detail: Failing row contains (23, null, null, null, 100.00, 2000-01-04, 200.00).
-->   table: v_emp
-->   column: email

UPDATE v_emp SET email = NULL WHERE id = 2
--> ERROR 23502: null value in column "email" of relation "v_emp" violates not-null constraint
-->   detail: Failing row contains (2, 1, null, null, 100.00, null, 200.00).
-->   table: v_emp
-->   column: email

UPDATE v_emp SET pay = pay - 100 WHERE id = 1
--> ERROR 23514: new row for relation "v_emp" violates check constraint "v_emp_pay_check"
-->   detail: Failing row contains (1, 1, null, ann@x.org, 0.00, 1990-01-02, 0.00).
-->   table: v_emp
-->   constraint: v_emp_pay_check

UPDATE v_emp SET email = 'bob@x.org' WHERE id = 1
--> ERROR 23505: duplicate key value violates unique constraint "v_emp_email"
-->   detail: Key (lower(email))=(bob@x.org) already exists.
-->   table: v_emp
-->   constraint: v_emp_email

UPDATE v_emp SET email = n.email FROM (VALUES (1, 'BOB@x.org')) AS n(id, email) WHERE n.id = v_emp.id
--> ERROR 23505: duplicate key value violates unique constraint "v_emp_email"
-->   detail: Key (lower(email))=(bob@x.org) already exists.
-->   table: v_emp
-->   constraint: v_emp_email

INSERT INTO v_dept VALUES (1, 'again') ON CONFLICT (id) DO UPDATE SET name = NULL
--> ERROR 23502: null value in column "name" of relation "v_dept" violates not-null constraint
-->   detail: Failing row contains (1, null).
-->   table: v_dept
-->   column: name

INSERT INTO v_dept VALUES (1, 'a name that is too long')
--> ERROR 22001: value too long for type character varying(20)

INSERT INTO v_dept VALUES (3, 'Third'), (2, 'Second') ON CONFLICT (id) DO UPDATE SET name = excluded.name || ' with more'
--> ERROR 23514: new row for relation "v_dept" violates check constraint "short"
-->   detail: Failing row contains (2, Second with more).
-->   table: v_dept
-->   constraint: short

INSERT INTO v_dept VALUES (NULL, NULL)
--> ERROR 23502: null value in column "id" of relation "v_dept" violates not-null constraint
-->   detail: Failing row contains (null, null).
-->   table: v_dept
-->   column: id

CREATE TABLE v_long (a text, b bytea, c bool CHECK (c))
--> CREATE TABLE

INSERT INTO v_long VALUES (repeat('é', 40), decode(repeat('ab', 40), 'hex'), false)
--> ERROR 23514: new row for relation "v_long" violates check constraint "v_long_c_check"
-->   detail: Failing row contains (éééééééééééééééééééééééééééééééé..., \xababababababababababababababababababababababababababababababab..., f).
-->   table: v_long
-->   constraint: v_long_c_check

DROP TABLE v_long
--> DROP TABLE

INSERT INTO v_emp (dept, email) VALUES (1, 'gus@x.org'), (7, 'hal@x.org'), (8, 'ida@x.org')
--> ERROR 23503: insert or update on table "v_emp" violates foreign key constraint "works_in"
-->   detail: Key (dept)=(7) is not present in table "v_dept".
-->   table: v_emp
-->   constraint: works_in

UPDATE v_emp SET dept = id + 40 WHERE id = 2
--> ERROR 23503: insert or update on table "v_emp" violates foreign key constraint "works_in"
-->   detail: Key (dept)=(42) is not present in table "v_dept".
-->   table: v_emp
-->   constraint: works_in

DELETE FROM v_dept
--> ERROR 23503: update or delete on table "v_dept" violates foreign key constraint "works_in" on table "v_emp"
-->   detail: Key (id)=(1) is still referenced from table "v_emp".
-->   table: v_emp
-->   constraint: works_in

UPDATE v_dept SET id = id + 10 WHERE id = 1
--> ERROR 23503: update or delete on table "v_dept" violates foreign key constraint "works_in" on table "v_emp"
-->   detail: Key (id)=(1) is still referenced from table "v_emp".
-->   table: v_emp
-->   constraint: works_in

DELETE FROM v_dept WHERE id = 2
--> DELETE 1

INSERT INTO v_emp (id, boss, email) VALUES (30, 31, 'jo@x.org')
--> ERROR 23503: insert or update on table "v_emp" violates foreign key constraint "v_emp_boss_fkey"
-->   detail: Key (boss)=(31) is not present in table "v_emp".
-->   table: v_emp
-->   constraint: v_emp_boss_fkey

BEGIN
--> BEGIN

INSERT INTO v_emp (id, boss, email) VALUES (30, 31, 'jo@x.org'), (31, 31, 'kim@x.org'), (32, 33, 'lou@x.org')
--> INSERT 0 3

COMMIT
--> ERROR 23503: insert or update on table "v_emp" violates foreign key constraint "v_emp_boss_fkey"
-->   detail: Key (boss)=(33) is not present in table "v_emp".
-->   table: v_emp
-->   constraint: v_emp_boss_fkey

BEGIN
--> BEGIN

INSERT INTO v_emp (id, boss, email) VALUES (30, 31, 'jo@x.org')
--> INSERT 0 1

SET CONSTRAINTS ALL IMMEDIATE
--> ERROR 23503: insert or update on table "v_emp" violates foreign key constraint "v_emp_boss_fkey"
-->   detail: Key (boss)=(31) is not present in table "v_emp".
-->   table: v_emp
-->   constraint: v_emp_boss_fkey

ROLLBACK
--> ROLLBACK

BEGIN
--> BEGIN

INSERT INTO v_emp (id, boss, email) VALUES (30, 31, 'jo@x.org')
--> INSERT 0 1

INSERT INTO v_emp (id, boss, email) VALUES (31, 30, 'kim@x.org')
--> INSERT 0 1

SET CONSTRAINTS ALL IMMEDIATE
--> SET CONSTRAINTS

INSERT INTO v_emp (id, boss, email) VALUES (32, 99, 'lou@x.org')
--> ERROR 23503: insert or update on table "v_emp" violates foreign key constraint "v_emp_boss_fkey"
-->   detail: Key (boss)=(99) is not present in table "v_emp".
-->   table: v_emp
-->   constraint: v_emp_boss_fkey

ROLLBACK
--> ROLLBACK

BEGIN
--> BEGIN

SET CONSTRAINTS ALL DEFERRED
--> SET CONSTRAINTS

INSERT INTO v_emp (id, dept, email) VALUES (40, 77, 'mia@x.org')
--> ERROR 23503: insert or update on table "v_emp" violates foreign key constraint "works_in"
-->   detail: Key (dept)=(77) is not present in table "v_dept".
-->   table: v_emp
-->   constraint: works_in

ROLLBACK
--> ROLLBACK

BEGIN
--> BEGIN

INSERT INTO v_emp (id, boss, email) VALUES (50, 1, 'ned@x.org')
--> INSERT 0 1

DELETE FROM v_emp WHERE id = 1
--> DELETE 1

-- Both ends of a broken reference changed: here the later one is named.
SET CONSTRAINTS v_emp_boss_fkey IMMEDIATE
--> ERROR 23503: insert or update on table "v_emp" violates foreign key constraint "v_emp_boss_fkey"
-->   detail: Key (boss)=(1) is not present in table "v_emp".
-->   table: v_emp
-->   constraint: v_emp_boss_fkey
--!> ERROR 23503: update or delete on table "v_emp" violates foreign key constraint "v_emp_boss_fkey" on table "v_emp"
--!>   detail: Key (id)=(1) is still referenced from table "v_emp".
--!>   table: v_emp
--!>   constraint: v_emp_boss_fkey

ROLLBACK
--> ROLLBACK

-- The name is looked up first.
SET CONSTRAINTS nosuch DEFERRED
--> WARNING: SET CONSTRAINTS can only be used in transaction blocks
--> ERROR 42704: constraint "nosuch" does not exist
--!> ERROR 42704: constraint "nosuch" does not exist

BEGIN
--> BEGIN

SET CONSTRAINTS nosuch DEFERRED
--> ERROR 42704: constraint "nosuch" does not exist

ROLLBACK
--> ROLLBACK

BEGIN
--> BEGIN

SET CONSTRAINTS works_in DEFERRED
--> ERROR 42809: constraint "works_in" is not deferrable

ROLLBACK
--> ROLLBACK

SET CONSTRAINTS ALL DEFERRED
--> WARNING: SET CONSTRAINTS can only be used in transaction blocks
--> SET CONSTRAINTS

-- A row is not changed twice.
INSERT INTO v_dept VALUES (5, 'five'), (5, 'cinq') ON CONFLICT (id) DO UPDATE SET name = excluded.name
--> ERROR 21000: ON CONFLICT DO UPDATE command cannot affect row a second time

INSERT INTO v_dept SELECT 1, 'n' || i FROM generate_series(1, 2) AS i ON CONFLICT (id) DO UPDATE SET name = excluded.name
--> ERROR 21000: ON CONFLICT DO UPDATE command cannot affect row a second time

INSERT INTO v_dept SELECT 1, 'n' || i FROM generate_series(1, 2) AS i ON CONFLICT (id) DO UPDATE SET name = excluded.name WHERE excluded.name = 'n2' RETURNING *
--> id int4 | name varchar
--> 1 | n2
--> INSERT 0 1

INSERT INTO v_dept VALUES (5, 'five'), (5, 'cinq') ON CONFLICT DO NOTHING
--> INSERT 0 1

-- RETURNING knows the other tables.
UPDATE v_emp AS e SET pay = pay + 1 FROM v_dept AS d WHERE d.id = e.dept AND e.id < 3 RETURNING e.id, d.name, e.pay, d.id + e.id AS sum
--> id int4 | name varchar | pay numeric | sum int4
--> 1 | n2 | 101.00 | 2
--> 2 | n2 | 101.00 | 3
--> UPDATE 2

UPDATE v_emp SET born = '2001-01-01' FROM v_dept AS d JOIN v_dept AS o ON o.id > d.id WHERE d.id = v_emp.dept AND v_emp.id = 1 AND o.id = 2 RETURNING v_emp.id, d.*, o.name
--> id int4 | id int4 | name varchar | name varchar
--> UPDATE 0

UPDATE v_dept AS d SET id = n.id FROM (VALUES (5, 6, 'moved')) AS n(old, id, why) WHERE d.id = n.old RETURNING *
--> id int4 | name varchar | old int4 | id int4 | why text
--> 6 | five | 5 | 6 | moved
--> UPDATE 1

UPDATE v_dept AS d SET (id, name) = (7, n.why) FROM (VALUES (6, 'moved')) AS n(old, why) WHERE d.id = n.old RETURNING d.id, n.why
--> id int4 | why text
--> 7 | moved
--> UPDATE 1

UPDATE v_emp AS e SET (email, pay) = (SELECT lower(e.email), 3) FROM v_dept AS d WHERE d.id = e.dept AND e.id = 2 RETURNING e.email, d.name, (SELECT count(*) FROM v_dept x WHERE x.id <= d.id) AS below
--> email text | name varchar | below int8
--> bob@x.org | n2 | 1
--> UPDATE 1

DELETE FROM v_emp AS e USING v_dept AS d WHERE d.id = e.dept AND e.id = 2 RETURNING e.email, d.name
--> email text | name varchar
--> bob@x.org | n2
--> DELETE 1

DELETE FROM v_emp USING (VALUES (1, 'gone'), (9, 'nobody')) AS n(id, note) WHERE n.id = v_emp.id RETURNING *
--> id int4 | dept int4 | boss int4 | email text | pay numeric | born date | double numeric | id int4 | note text
--> 1 | 1 | ∅ | ann@x.org | 101.00 | 1990-01-02 | 202.00 | 1 | gone
--> DELETE 1

CREATE VIEW v_names AS SELECT name FROM v_dept
--> CREATE VIEW

CREATE VIEW v_initials AS SELECT left(name, 1) AS i FROM v_names
--> CREATE VIEW

DROP TABLE v_dept
--> ERROR 2BP01: cannot drop table v_dept because other objects depend on it
-->   detail: constraint works_in on table v_emp depends on table v_dept
--> view v_names depends on table v_dept
--> view v_initials depends on view v_names

DROP TABLE v_dept, v_names
--> ERROR 42809: "v_names" is not a table

DROP VIEW v_names CASCADE
--> NOTICE: drop cascades to view v_initials
--> DROP VIEW

DROP INDEX v_nosuch
--> ERROR 42704: index "v_nosuch" does not exist

DROP TABLE v_dept, v_emp
--> DROP TABLE
