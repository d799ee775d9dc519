-- Constraints, by the names and fields that ORMs read.
CREATE TABLE c_parent (id int PRIMARY KEY, code text UNIQUE, CONSTRAINT code_upper CHECK (code = upper(code)))
--> CREATE TABLE

CREATE TABLE c_child (id int PRIMARY KEY, parent int CONSTRAINT child_of REFERENCES c_parent (id), code text REFERENCES c_parent (code) ON UPDATE CASCADE ON DELETE SET NULL, x int NOT NULL, y int, CONSTRAINT xy UNIQUE (x, y))
--> CREATE TABLE

INSERT INTO c_parent VALUES (1, 'A'), (2, 'B'), (3, NULL), (4, NULL)
--> INSERT 0 4

INSERT INTO c_child VALUES (1, 1, 'A', 1, 1), (2, 2, 'B', 1, NULL), (3, 2, 'B', 1, NULL)
--> INSERT 0 3

INSERT INTO c_parent VALUES (1, 'C')
--> ERROR 23505: duplicate key value violates unique constraint "c_parent_pkey"
-->   detail: Key (id)=(1) already exists.
-->   table: c_parent
-->   constraint: c_parent_pkey

INSERT INTO c_parent VALUES (5, 'A')
--> ERROR 23505: duplicate key value violates unique constraint "c_parent_code_key"
-->   detail: Key (code)=(A) already exists.
-->   table: c_parent
-->   constraint: c_parent_code_key

INSERT INTO c_parent VALUES (5, 'c')
--> ERROR 23514: new row for relation "c_parent" violates check constraint "code_upper"
-->   detail: Failing row contains (5, c).
-->   table: c_parent
-->   constraint: code_upper

INSERT INTO c_parent VALUES (NULL, 'C')
--> ERROR 23502: null value in column "id" of relation "c_parent" violates not-null constraint
-->   detail: Failing row contains (null, C).
-->   table: c_parent
-->   column: id

INSERT INTO c_child VALUES (9, 99, NULL, 5, 5)
--> ERROR 23503: insert or update on table "c_child" violates foreign key constraint "child_of"
-->   detail: Key (parent)=(99) is not present in table "c_parent".
-->   table: c_child
-->   constraint: child_of

INSERT INTO c_child VALUES (9, NULL, 'Z', 5, 5)
--> ERROR 23503: insert or update on table "c_child" violates foreign key constraint "c_child_code_fkey"
-->   detail: Key (code)=(Z) is not present in table "c_parent".
-->   table: c_child
-->   constraint: c_child_code_fkey

INSERT INTO c_child VALUES (9, NULL, NULL, 1, 1)
--> ERROR 23505: duplicate key value violates unique constraint "xy"
-->   detail: Key (x, y)=(1, 1) already exists.
-->   table: c_child
-->   constraint: xy

INSERT INTO c_child VALUES (9, NULL, NULL, NULL, 1)
--> ERROR 23502: null value in column "x" of relation "c_child" violates not-null constraint
-->   detail: Failing row contains (9, null, null, null, 1).
-->   table: c_child
-->   column: x

DELETE FROM c_parent WHERE id = 1
--> ERROR 23503: update or delete on table "c_parent" violates foreign key constraint "child_of" on table "c_child"
-->   detail: Key (id)=(1) is still referenced from table "c_child".
-->   table: c_child
-->   constraint: child_of

UPDATE c_parent SET id = 10 WHERE id = 2
--> ERROR 23503: update or delete on table "c_parent" violates foreign key constraint "child_of" on table "c_child"
-->   detail: Key (id)=(2) is still referenced from table "c_child".
-->   table: c_child
-->   constraint: child_of

UPDATE c_parent SET code = 'AA' WHERE id = 1
--> UPDATE 1

SELECT id, code FROM c_child ORDER BY id
--> id int4 | code text
--> 1 | AA
--> 2 | B
--> 3 | B
--> SELECT 3

UPDATE c_child SET parent = NULL WHERE parent = 1
--> UPDATE 1

DELETE FROM c_parent WHERE id = 1
--> DELETE 1

SELECT id, parent, code FROM c_child ORDER BY id
--> id int4 | parent int4 | code text
--> 1 | ∅ | ∅
--> 2 | 2 | B
--> 3 | 2 | B
--> SELECT 3

INSERT INTO c_child VALUES (4, 2, NULL, 7, 7), (5, 2, NULL, 7, 7)
--> ERROR 23505: duplicate key value violates unique constraint "xy"
-->   detail: Key (x, y)=(7, 7) already exists.
-->   table: c_child
-->   constraint: xy

SELECT count(*) FROM c_child
--> count int8
--> 3
--> SELECT 1

UPDATE c_child SET x = x + 1
--> UPDATE 3

SELECT id, x FROM c_child ORDER BY id
--> id int4 | x int4
--> 1 | 2
--> 2 | 2
--> 3 | 2
--> SELECT 3

DROP TABLE c_parent
--> ERROR 2BP01: cannot drop table c_parent because other objects depend on it
-->   detail: constraint child_of on table c_child depends on table c_parent
--> constraint c_child_code_fkey on table c_child depends on table c_parent

TRUNCATE c_parent
--> ERROR 0A000: cannot truncate a table referenced in a foreign key constraint
-->   detail: Table "c_child" references "c_parent".

ALTER TABLE c_child ADD CONSTRAINT positive CHECK (x > 5)
--> ERROR 23514: check constraint "positive" of relation "c_child" is violated by some row
-->   table: c_child
-->   constraint: positive

ALTER TABLE c_child ADD CONSTRAINT positive CHECK (x > 0)
--> ALTER TABLE

ALTER TABLE c_child ADD CONSTRAINT positive CHECK (x > 0)
--> ERROR 42710: constraint "positive" for relation "c_child" already exists

UPDATE c_child SET x = -1 WHERE id = 1
--> ERROR 23514: new row for relation "c_child" violates check constraint "positive"
-->   detail: Failing row contains (1, null, null, -1, 1).
-->   table: c_child
-->   constraint: positive

ALTER TABLE c_child DROP CONSTRAINT child_of
--> ALTER TABLE

UPDATE c_child SET parent = 999 WHERE id = 1
--> UPDATE 1

ALTER TABLE c_child ADD CONSTRAINT child_of FOREIGN KEY (parent) REFERENCES c_parent (id)
--> ERROR 23503: insert or update on table "c_child" violates foreign key constraint "child_of"
-->   detail: Key (parent)=(999) is not present in table "c_parent".
-->   table: c_child
-->   constraint: child_of

UPDATE c_child SET parent = 2 WHERE id = 1
--> UPDATE 1

ALTER TABLE c_child ADD CONSTRAINT child_of FOREIGN KEY (parent) REFERENCES c_parent (id) DEFERRABLE INITIALLY DEFERRED
--> ALTER TABLE

BEGIN; UPDATE c_child SET parent = 50 WHERE id = 1; INSERT INTO c_parent VALUES (50, 'FIFTY'); COMMIT
--> BEGIN
--> UPDATE 1
--> INSERT 0 1
--> COMMIT

BEGIN
--> BEGIN

UPDATE c_child SET parent = 51 WHERE id = 1
--> UPDATE 1

COMMIT
--> ERROR 23503: insert or update on table "c_child" violates foreign key constraint "child_of"
-->   detail: Key (parent)=(51) is not present in table "c_parent".
-->   table: c_child
-->   constraint: child_of

SELECT parent FROM c_child WHERE id = 1
--> parent int4
--> 50
--> SELECT 1

CREATE TABLE c_multi (a int, b int, c int, PRIMARY KEY (a, b))
--> CREATE TABLE

INSERT INTO c_multi VALUES (1, 1, 1)
--> INSERT 0 1

INSERT INTO c_multi VALUES (1, 1, 2)
--> ERROR 23505: duplicate key value violates unique constraint "c_multi_pkey"
-->   detail: Key (a, b)=(1, 1) already exists.
-->   table: c_multi
-->   constraint: c_multi_pkey

INSERT INTO c_multi VALUES (1, 1, 2) ON CONFLICT ON CONSTRAINT c_multi_pkey DO UPDATE SET c = excluded.c RETURNING *
--> a int4 | b int4 | c int4
--> 1 | 1 | 2
--> INSERT 0 1

INSERT INTO c_multi VALUES (1, 2, 2), (1, 2, 3) ON CONFLICT (a, b) DO UPDATE SET c = excluded.c
--> ERROR 21000: ON CONFLICT DO UPDATE command cannot affect row a second time

CREATE UNIQUE INDEX c_partial ON c_multi (c) WHERE c > 10
--> CREATE INDEX

INSERT INTO c_multi VALUES (3, 1, 11), (3, 2, 2)
--> INSERT 0 2

INSERT INTO c_multi VALUES (4, 1, 11)
--> ERROR 23505: duplicate key value violates unique constraint "c_partial"
-->   detail: Key (c)=(11) already exists.
-->   table: c_multi
-->   constraint: c_partial

DROP TABLE c_child, c_parent, c_multi
--> DROP TABLE
