-- MERGE.
CREATE TABLE mg (id int PRIMARY KEY, balance numeric DEFAULT 0, note text, n int GENERATED ALWAYS AS (id * 2) STORED)
--> CREATE TABLE

CREATE TABLE mg_src (sid int, delta numeric, what text)
--> CREATE TABLE

INSERT INTO mg (id, balance) VALUES (1, 10), (2, 20), (3, 30)
--> INSERT 0 3

INSERT INTO mg_src VALUES (1, 5, 'a'), (2, -20, 'b'), (4, 40, 'c'), (5, 0, 'd')
--> INSERT 0 4

MERGE INTO mg t USING mg_src s ON t.id = s.sid WHEN MATCHED AND t.balance + s.delta = 0 THEN DELETE WHEN MATCHED THEN UPDATE SET balance = t.balance + s.delta, note = s.what WHEN NOT MATCHED AND s.delta > 0 THEN INSERT (id, balance, note) VALUES (s.sid, s.delta, 'new ' || s.what) WHEN NOT MATCHED THEN DO NOTHING
--> MERGE 3

SELECT * FROM mg ORDER BY id
--> id int4 | balance numeric | note text | n int4
--> 1 | 15 | a | 2
--> 3 | 30 | ∅ | 6
--> 4 | 40 | new c | 8
--> SELECT 3

MERGE INTO mg USING (VALUES (1, 'one'), (9, 'nine')) AS v(k, w) ON id = k WHEN MATCHED THEN UPDATE SET note = w WHEN NOT MATCHED THEN INSERT (id, note) VALUES (k, w)
--> MERGE 2

SELECT * FROM mg ORDER BY id
--> id int4 | balance numeric | note text | n int4
--> 1 | 15 | one | 2
--> 3 | 30 | ∅ | 6
--> 4 | 40 | new c | 8
--> 9 | 0 | nine | 18
--> SELECT 4

MERGE INTO mg t USING mg_src s ON t.id = s.sid WHEN MATCHED THEN DO NOTHING
--> MERGE 0

MERGE INTO mg t USING mg_src s ON false WHEN NOT MATCHED AND s.sid = 5 THEN INSERT VALUES (s.sid + 100, DEFAULT, DEFAULT)
--> MERGE 1

MERGE INTO mg AS t USING (SELECT sid, sum(delta) AS d FROM mg_src GROUP BY sid) AS s ON s.sid = t.id WHEN MATCHED THEN UPDATE SET (balance, note) = (s.d, DEFAULT)
--> MERGE 2

SELECT id, balance, note FROM mg ORDER BY id
--> id int4 | balance numeric | note text
--> 1 | 5 | ∅
--> 3 | 30 | ∅
--> 4 | 40 | ∅
--> 9 | 0 | nine
--> 105 | 0 | ∅
--> SELECT 5

-- One row, several sources.
MERGE INTO mg t USING (VALUES (1), (1)) v(k) ON t.id = v.k WHEN MATCHED THEN UPDATE SET balance = 1
--> ERROR 21000: MERGE command cannot affect row a second time

MERGE INTO mg t USING (VALUES (1), (1)) v(k) ON t.id = v.k WHEN MATCHED THEN DELETE
--> ERROR 21000: MERGE command cannot affect row a second time

MERGE INTO mg t USING (VALUES (77), (77)) v(k) ON t.id = v.k WHEN NOT MATCHED THEN INSERT (id) VALUES (k)
--> ERROR 23505: duplicate key value violates unique constraint "mg_pkey"
-->   detail: Key (id)=(77) already exists.
-->   table: mg
-->   constraint: mg_pkey

MERGE INTO mg t USING (VALUES (1), (1)) v(k) ON t.id = v.k WHEN MATCHED THEN DO NOTHING
--> MERGE 0

-- What the clauses see.
MERGE INTO mg t USING mg u ON t.id = u.id WHEN MATCHED THEN UPDATE SET balance = (SELECT count(*) FROM mg x WHERE x.balance > 0)
--> MERGE 5

SELECT id, balance FROM mg ORDER BY id
--> id int4 | balance numeric
--> 1 | 3
--> 3 | 3
--> 4 | 3
--> 9 | 3
--> 105 | 3
--> SELECT 5

MERGE INTO mg t USING generate_series(1, 3) g ON t.id = g WHEN MATCHED THEN UPDATE SET note = 'g' || g WHEN NOT MATCHED THEN INSERT (id, note) VALUES (g, 'g' || g)
--> MERGE 3

SELECT id, note FROM mg WHERE id < 4 ORDER BY id
--> id int4 | note text
--> 1 | g1
--> 2 | g2
--> 3 | g3
--> SELECT 3

WITH w AS (SELECT 2 AS k) MERGE INTO mg USING w ON id = k WHEN MATCHED THEN UPDATE SET note = 'by with'
--> MERGE 1

SELECT id, note FROM mg WHERE note = 'by with'
--> id int4 | note text
--> 2 | by with
--> SELECT 1

-- Errors.
MERGE INTO mg USING mg_src ON id = sid WHEN MATCHED THEN DELETE WHEN MATCHED THEN DO NOTHING
--> ERROR 42601: unreachable WHEN clause specified after unconditional WHEN clause

MERGE INTO mg USING mg_src ON id = nope WHEN MATCHED THEN DELETE
--> ERROR 42703: column "nope" does not exist

MERGE INTO mg USING mg_src ON id = sid WHEN NOT MATCHED THEN INSERT (id) VALUES (mg.balance)
--> ERROR 42P01: invalid reference to FROM-clause entry for table "mg"

MERGE INTO mg USING mg ON true WHEN MATCHED THEN DELETE
--> ERROR 42712: name "mg" specified more than once
-->   detail: The name is used both as MERGE target table and data source.

MERGE INTO mg USING mg_src ON id = sid WHEN NOT MATCHED AND sid = 4 THEN INSERT (id, nope) VALUES (1, 2)
--> ERROR 42703: column "nope" of relation "mg" does not exist

MERGE INTO mg USING mg_src ON id = sid WHEN MATCHED THEN UPDATE SET nope = 1
--> ERROR 42703: column "nope" of relation "mg" does not exist

MERGE INTO mg USING mg_src ON id = sid WHEN MATCHED THEN UPDATE SET n = 1
--> ERROR 428C9: column "n" can only be updated to DEFAULT
-->   detail: Column "n" is a generated column.

MERGE INTO mg USING mg_src ON id = sid WHEN NOT MATCHED THEN INSERT (id, balance) VALUES (1)
--> ERROR 42601: INSERT has more target columns than expressions

MERGE INTO nothing USING mg_src ON true WHEN MATCHED THEN DELETE
--> ERROR 42P01: relation "nothing" does not exist

MERGE INTO mg USING (VALUES (500, -1)) v(k, b) ON id = k WHEN NOT MATCHED THEN INSERT (id) VALUES (NULL)
--> ERROR 23502: null value in column "id" of relation "mg" violates not-null constraint
-->   detail: Failing row contains (null, 0, null, null).
-->   table: mg
-->   column: id

MERGE INTO mg USING (VALUES (1)) v(k) ON false WHEN NOT MATCHED THEN INSERT (id) VALUES (k)
--> ERROR 23505: duplicate key value violates unique constraint "mg_pkey"
-->   detail: Key (id)=(1) already exists.
-->   table: mg
-->   constraint: mg_pkey

CREATE VIEW mg_view AS SELECT * FROM mg
--> CREATE VIEW

MERGE INTO mg_view USING mg_src ON id = sid WHEN MATCHED THEN DELETE
--> ERROR 0A000: cannot execute MERGE on relation "mg_view"
-->   detail: This operation is not supported for views.

WITH x AS (MERGE INTO mg USING mg_src ON id = sid WHEN MATCHED THEN DELETE) SELECT 1
--> ERROR 0A000: MERGE not supported in WITH query

-- Parameters, blocks, defaults that draw.
PREPARE mp AS MERGE INTO mg USING (VALUES ($1::int, $2::text)) v(k, w) ON id = k WHEN MATCHED THEN UPDATE SET note = w WHEN NOT MATCHED THEN INSERT (id, note) VALUES (k, w)
--> PREPARE

EXECUTE mp (1, 'p')
--> MERGE 1

EXECUTE mp (1000, 'q')
--> MERGE 1

BEGIN
--> BEGIN

MERGE INTO mg USING (VALUES (1000)) v(k) ON id = k WHEN MATCHED THEN DELETE
--> MERGE 1

SELECT count(*) FROM mg WHERE id = 1000
--> count int8
--> 0
--> SELECT 1

ROLLBACK
--> ROLLBACK

SELECT id, note FROM mg WHERE id IN (1, 1000) ORDER BY id
--> id int4 | note text
--> 1 | p
--> 1000 | q
--> SELECT 2

CREATE TABLE mg_serial (id serial PRIMARY KEY, k int UNIQUE, at timestamptz DEFAULT now(), u uuid DEFAULT gen_random_uuid())
--> CREATE TABLE

MERGE INTO mg_serial t USING generate_series(1, 3) g ON t.k = g WHEN NOT MATCHED THEN INSERT (k) VALUES (g)
--> MERGE 3

SELECT id, k, at IS NOT NULL AS a, count(*) OVER () FROM mg_serial ORDER BY id
--> id int4 | k int4 | a bool | count int8
--> 1 | 1 | t | 3
--> 2 | 2 | t | 3
--> 3 | 3 | t | 3
--> SELECT 3

SELECT count(DISTINCT u) FROM mg_serial
--> count int8
--> 3
--> SELECT 1

CREATE TABLE mg_ident (id int GENERATED ALWAYS AS IDENTITY, a text)
--> CREATE TABLE

MERGE INTO mg_ident USING (VALUES ('x')) v(a) ON mg_ident.a = v.a WHEN NOT MATCHED THEN INSERT (id, a) VALUES (7, v.a)
--> ERROR 428C9: cannot insert a non-DEFAULT value into column "id"
-->   detail: Column "id" is an identity column defined as GENERATED ALWAYS.

MERGE INTO mg_ident USING (VALUES ('x')) v(a) ON mg_ident.a = v.a WHEN NOT MATCHED THEN INSERT (id, a) OVERRIDING SYSTEM VALUE VALUES (7, v.a)
--> MERGE 1

SELECT * FROM mg_ident
--> id int4 | a text
--> 7 | x
--> SELECT 1

-- A row of defaults, joins as sources, and rights only for what is read.
CREATE TABLE stock (id int, n int DEFAULT 5)
--> CREATE TABLE

CREATE TABLE came (item int, d int)
--> CREATE TABLE

CREATE TABLE noted (thing int, v text)
--> CREATE TABLE

INSERT INTO stock VALUES (1, 10)
--> INSERT 0 1

INSERT INTO came VALUES (1, 1), (2, 2)
--> INSERT 0 2

INSERT INTO noted VALUES (1, 'a'), (2, 'b')
--> INSERT 0 2

MERGE INTO stock t USING came s ON t.id = s.item WHEN NOT MATCHED THEN INSERT DEFAULT VALUES
--> MERGE 1

SELECT * FROM stock ORDER BY 1, 2
--> id int4 | n int4
--> 1 | 10
--> ∅ | 5
--> SELECT 2

MERGE INTO stock t USING came c INNER JOIN noted s ON item = thing ON t.id = item WHEN MATCHED THEN UPDATE SET n = n + d WHEN NOT MATCHED THEN INSERT VALUES (item, length(v))
--> MERGE 2

SELECT * FROM stock ORDER BY 1, 2
--> id int4 | n int4
--> 1 | 11
--> 2 | 1
--> ∅ | 5
--> SELECT 3

MERGE INTO stock USING (SELECT 5 AS sid, 6 AS dd) one FULL JOIN noted ON one.sid = thing ON id = thing WHEN MATCHED THEN DELETE WHEN NOT MATCHED AND sid IS NOT NULL THEN INSERT (id) VALUES (sid)
--> MERGE 3

SELECT * FROM stock ORDER BY 1, 2
--> id int4 | n int4
--> 5 | 5
--> ∅ | 5
--> SELECT 2
