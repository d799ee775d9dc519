-- INSERT, UPDATE, DELETE in the forms that applications use.
CREATE TABLE m_items (id int PRIMARY KEY, name text NOT NULL, price numeric(8,2), qty int DEFAULT 0, tags text[])
--> CREATE TABLE

INSERT INTO m_items (id, name, price) VALUES (1, 'nut', 0.5), (2, 'bolt', 1.25), (3, 'gear', 12.999)
--> INSERT 0 3

SELECT * FROM m_items ORDER BY id
--> id int4 | name text | price numeric | qty int4 | tags text[]
--> 1 | nut | 0.50 | 0 | ∅
--> 2 | bolt | 1.25 | 0 | ∅
--> 3 | gear | 13.00 | 0 | ∅
--> SELECT 3

INSERT INTO m_items VALUES (4, 'cog', 3, 9, ARRAY['a', 'b']) RETURNING *
--> id int4 | name text | price numeric | qty int4 | tags text[]
--> 4 | cog | 3.00 | 9 | {a,b}
--> INSERT 0 1

INSERT INTO m_items VALUES (4, 'again', 1)
--> ERROR 23505: duplicate key value violates unique constraint "m_items_pkey"
-->   detail: Key (id)=(4) already exists.
-->   table: m_items
-->   constraint: m_items_pkey

INSERT INTO m_items VALUES (4, 'again', 1) ON CONFLICT DO NOTHING
--> INSERT 0 0

INSERT INTO m_items (id, name, price, qty) VALUES (4, 'cog2', 4, 1) ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name, qty = m_items.qty + EXCLUDED.qty RETURNING id, name, qty
--> id int4 | name text | qty int4
--> 4 | cog2 | 10
--> INSERT 0 1

INSERT INTO m_items (id, name) VALUES (4, 'x') ON CONFLICT (id) DO UPDATE SET name = 'y' WHERE m_items.qty > 1000 RETURNING *
--> id int4 | name text | price numeric | qty int4 | tags text[]
--> INSERT 0 0

INSERT INTO m_items (id, name) VALUES (4, 'x') ON CONFLICT (name) DO NOTHING
--> ERROR 42P10: there is no unique or exclusion constraint matching the ON CONFLICT specification

INSERT INTO m_items (id, name) SELECT id + 100, name || '!' FROM m_items WHERE id <= 2 RETURNING id, name
--> id int4 | name text
--> 101 | nut!
--> 102 | bolt!
--> INSERT 0 2

UPDATE m_items SET price = price * 2, qty = qty + 1 WHERE id IN (1, 2) RETURNING id, price, qty
--> id int4 | price numeric | qty int4
--> 1 | 1.00 | 1
--> 2 | 2.50 | 1
--> UPDATE 2

UPDATE m_items SET price = NULL WHERE id = 101
--> UPDATE 1

UPDATE m_items SET (name, qty) = ('pair', 77) WHERE id = 102 RETURNING name, qty
--> name text | qty int4
--> pair | 77
--> UPDATE 1

UPDATE m_items AS i SET qty = s.total FROM (SELECT 3 AS id, 500 AS total) AS s WHERE i.id = s.id RETURNING i.id, i.qty, s.total
--> id int4 | qty int4 | total int4
--> 3 | 500 | 500
--> UPDATE 1

UPDATE m_items SET id = 2 WHERE id = 1
--> ERROR 23505: duplicate key value violates unique constraint "m_items_pkey"
-->   detail: Key (id)=(2) already exists.
-->   table: m_items
-->   constraint: m_items_pkey

UPDATE m_items SET nothing = 1
--> ERROR 42703: column "nothing" of relation "m_items" does not exist

UPDATE m_items SET qty = 'many'
--> ERROR 22P02: invalid input syntax for type integer: "many"

UPDATE m_items SET price = 1000000
--> ERROR 22003: numeric field overflow
-->   detail: A field with precision 8, scale 2 must round to an absolute value less than 10^6.

DELETE FROM m_items WHERE id > 100 RETURNING id
--> id int4
--> 101
--> 102
--> DELETE 2

DELETE FROM m_items USING (VALUES (1), (2)) AS v(x) WHERE m_items.id = v.x AND x = 1 RETURNING m_items.name
--> name text
--> nut
--> DELETE 1

DELETE FROM m_items WHERE false
--> DELETE 0

SELECT id, name, price, qty FROM m_items ORDER BY id
--> id int4 | name text | price numeric | qty int4
--> 2 | bolt | 2.50 | 1
--> 3 | gear | 13.00 | 500
--> 4 | cog2 | 3.00 | 10
--> SELECT 3

INSERT INTO m_items (id, name) VALUES (1)
--> ERROR 42601: INSERT has more target columns than expressions

INSERT INTO m_items (id, nme) VALUES (1, 'a')
--> ERROR 42703: column "nme" of relation "m_items" does not exist

INSERT INTO m_items (id, name) VALUES ('abc', 'a')
--> ERROR 22P02: invalid input syntax for type integer: "abc"

INSERT INTO m_items (id, name) VALUES (99999999999, 'a')
--> ERROR 22003: integer out of range

INSERT INTO m_items DEFAULT VALUES
--> ERROR 23502: null value in column "id" of relation "m_items" violates not-null constraint
-->   detail: Failing row contains (null, null, null, 0, null).
-->   table: m_items
-->   column: id

INSERT INTO nowhere VALUES (1)
--> ERROR 42P01: relation "nowhere" does not exist

WITH gone AS (DELETE FROM m_items WHERE id = 2 RETURNING *) SELECT name FROM gone
--> name text
--> bolt
--> SELECT 1

WITH new AS (INSERT INTO m_items (id, name) VALUES (50, 'w'), (51, 'v') RETURNING id) SELECT count(*), sum(id) FROM new
--> count int8 | sum int8
--> 2 | 101
--> SELECT 1

COPY m_items (id, name, price, tags) FROM STDIN
--< 200	first	1.5	{x,y}
--< 201	sec\tond	\N	\N
--< 202	third \\ one	7	{}
--> COPY 3

COPY m_items (id, name) FROM STDIN WITH (FORMAT csv, HEADER true)
--< id,name
--< 300,"quoted, with comma"
--< 301,plain
--> COPY 2

COPY m_items (id, name) FROM STDIN
--< not a number	x
--> ERROR 22P02: invalid input syntax for type integer: "not a number"

COPY m_items (id, name) FROM STDIN
--< 300	duplicate
--> ERROR 23505: duplicate key value violates unique constraint "m_items_pkey"
-->   detail: Key (id)=(300) already exists.
-->   table: m_items
-->   constraint: m_items_pkey

COPY (SELECT id, name, price, tags FROM m_items WHERE id >= 200 ORDER BY id) TO STDOUT
--> 200	first	1.50	{x,y}
--> 201	sec\tond	\N	\N
--> 202	third \\ one	7.00	{}
--> 300	quoted, with comma	\N	\N
--> 301	plain	\N	\N
--> COPY 5

COPY (SELECT id, name, price FROM m_items WHERE id >= 200 ORDER BY id) TO STDOUT WITH (FORMAT csv, HEADER)
--> id,name,price
--> 200,first,1.50
--> 201,sec	ond,
--> 202,third \ one,7.00
--> 300,"quoted, with comma",
--> 301,plain,
--> COPY 5

SELECT count(*) FROM m_items
--> count int8
--> 9
--> SELECT 1

BEGIN; INSERT INTO m_items (id, name) VALUES (1000, 'in a block'); COMMIT
--> BEGIN
--> INSERT 0 1
--> COMMIT

BEGIN
--> BEGIN

INSERT INTO m_items (id, name) VALUES (1001, 'undone')
--> INSERT 0 1

SELECT count(*) FROM m_items WHERE id = 1001
--> count int8
--> 1
--> SELECT 1

ROLLBACK
--> ROLLBACK

SELECT count(*) FROM m_items WHERE id IN (1000, 1001)
--> count int8
--> 1
--> SELECT 1

BEGIN
--> BEGIN

INSERT INTO m_items (id, name) VALUES (1000, 'duplicate')
--> ERROR 23505: duplicate key value violates unique constraint "m_items_pkey"
-->   detail: Key (id)=(1000) already exists.
-->   table: m_items
-->   constraint: m_items_pkey

SELECT 1
--> ERROR 25P02: current transaction is aborted, commands ignored until end of transaction block

COMMIT
--> ROLLBACK

BEGIN
--> BEGIN

SAVEPOINT a
--> SAVEPOINT

INSERT INTO m_items (id, name) VALUES (1000, 'duplicate')
--> ERROR 23505: duplicate key value violates unique constraint "m_items_pkey"
-->   detail: Key (id)=(1000) already exists.
-->   table: m_items
-->   constraint: m_items_pkey

ROLLBACK TO SAVEPOINT a
--> ROLLBACK

INSERT INTO m_items (id, name) VALUES (1002, 'kept')
--> INSERT 0 1

RELEASE SAVEPOINT a
--> RELEASE

COMMIT
--> COMMIT

SELECT id, name FROM m_items WHERE id >= 1000 ORDER BY id
--> id int4 | name text
--> 1000 | in a block
--> 1002 | kept
--> SELECT 2

COMMIT
--> WARNING: there is no transaction in progress
--> COMMIT

MERGE INTO m_items AS t USING (VALUES (1000, 'merged'), (1003, 'new')) AS s(id, name) ON t.id = s.id WHEN MATCHED THEN UPDATE SET name = s.name WHEN NOT MATCHED THEN INSERT (id, name) VALUES (s.id, s.name)
--> MERGE 2

SELECT id, name FROM m_items WHERE id >= 1000 ORDER BY id
--> id int4 | name text
--> 1000 | merged
--> 1002 | kept
--> 1003 | new
--> SELECT 3

DROP TABLE m_items
--> DROP TABLE

CREATE TABLE m_one (a int); INSERT INTO m_one VALUES (1); ALTER TABLE m_one ADD COLUMN b int DEFAULT 2; INSERT INTO m_one VALUES (3, 4)
--> CREATE TABLE
--> INSERT 0 1
--> ALTER TABLE
--> INSERT 0 1

SELECT * FROM m_one ORDER BY a
--> a int4 | b int4
--> 1 | 2
--> 3 | 4
--> SELECT 2

BEGIN
--> BEGIN

CREATE TABLE m_two (a int)
--> CREATE TABLE

INSERT INTO m_two VALUES (1)
--> INSERT 0 1

SELECT * FROM m_two
--> a int4
--> 1
--> SELECT 1

ROLLBACK
--> ROLLBACK

SELECT * FROM m_two
--> ERROR 42P01: relation "m_two" does not exist

DROP TABLE m_one
--> DROP TABLE
