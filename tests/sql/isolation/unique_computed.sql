-- Unique indexes whose keys are computed, have a condition, or whose type takes several spellings for the same: who would have the
-- same key waits, as with plain columns.

s: CREATE TABLE e (id int PRIMARY KEY, b text)
--> CREATE TABLE

s: CREATE UNIQUE INDEX ON e (lower(b))
--> CREATE INDEX

-- The one that waits hears of a violation, or goes on.

a: BEGIN
--> BEGIN

a: INSERT INTO e VALUES (1, 'x')
--> INSERT 0 1

b: BEGIN
--> BEGIN

b: INSERT INTO e VALUES (2, 'X')
--> waits

a: COMMIT
--> COMMIT
--> b: ERROR 23505: duplicate key value violates unique constraint "e_lower_idx"
--> b:   detail: Key (lower(b))=(x) already exists.
--> b:   table: e
--> b:   constraint: e_lower_idx

b: ROLLBACK
--> ROLLBACK

a: BEGIN
--> BEGIN

a: INSERT INTO e VALUES (3, 'y')
--> INSERT 0 1

b: INSERT INTO e VALUES (4, 'Y')
--> waits

a: ROLLBACK
--> ROLLBACK
--> b: INSERT 0 1

s: SELECT * FROM e ORDER BY id
--> id int4 | b text
--> 1 | x
--> 4 | Y
--> SELECT 2

-- An UPDATE comes to a key as well, or leaves it.

a: BEGIN
--> BEGIN

a: UPDATE e SET b = 'z' WHERE id = 1
--> UPDATE 1

b: BEGIN
--> BEGIN

b: UPDATE e SET b = 'Z' WHERE id = 4
--> waits

a: COMMIT
--> COMMIT
--> b: ERROR 23505: duplicate key value violates unique constraint "e_lower_idx"
--> b:   detail: Key (lower(b))=(z) already exists.
--> b:   table: e
--> b:   constraint: e_lower_idx

b: ROLLBACK
--> ROLLBACK

-- ON CONFLICT waits, and then sees what is there.

a: BEGIN
--> BEGIN

a: INSERT INTO e VALUES (5, 'w')
--> INSERT 0 1

b: BEGIN
--> BEGIN

b: INSERT INTO e VALUES (6, 'W') ON CONFLICT ((lower(b))) DO UPDATE SET b = 'again'
--> waits

a: COMMIT
--> COMMIT
--> b: INSERT 0 1

b: COMMIT
--> COMMIT

s: SELECT * FROM e ORDER BY id
--> id int4 | b text
--> 1 | z
--> 4 | Y
--> 5 | again
--> SELECT 3

-- Other keys are nobody's business, and NULL is no key.

a: BEGIN
--> BEGIN

a: INSERT INTO e VALUES (7, 'p'), (8, NULL)
--> INSERT 0 2

b: INSERT INTO e VALUES (9, 'q'), (10, NULL)
--> INSERT 0 2

a: COMMIT
--> COMMIT

s: CREATE TABLE c (id int PRIMARY KEY, b text, live bool)
--> CREATE TABLE

s: CREATE UNIQUE INDEX ON c (b) WHERE live
--> CREATE INDEX

a: BEGIN
--> BEGIN

a: INSERT INTO c VALUES (1, 'x', true), (2, 'y', false)
--> INSERT 0 2

b: INSERT INTO c VALUES (3, 'x', false), (4, 'y', true)
--> INSERT 0 2

b: INSERT INTO c VALUES (5, 'x', true)
--> waits

a: COMMIT
--> COMMIT
--> b: ERROR 23505: duplicate key value violates unique constraint "c_b_idx"
--> b:   detail: Key (b)=(x) already exists.
--> b:   table: c
--> b:   constraint: c_b_idx

-- A row comes into the index.

a: BEGIN
--> BEGIN

a: UPDATE c SET live = true WHERE id = 3 AND b <> 'x'
--> UPDATE 0

a: UPDATE c SET b = 'v' WHERE id = 1
--> UPDATE 1

b: BEGIN
--> BEGIN

b: INSERT INTO c VALUES (6, 'v', true) ON CONFLICT (b) WHERE live DO NOTHING
--> waits

a: COMMIT
--> COMMIT
--> b: INSERT 0 0

b: COMMIT
--> COMMIT

s: SELECT * FROM c ORDER BY id
--> id int4 | b text | live bool
--> 1 | v | t
--> 2 | y | f
--> 3 | x | f
--> 4 | y | t
--> SELECT 4

-- 1 is 1.0.

s: CREATE TABLE n (id int PRIMARY KEY, v numeric UNIQUE)
--> CREATE TABLE

a: BEGIN
--> BEGIN

a: INSERT INTO n VALUES (1, 1)
--> INSERT 0 1

b: INSERT INTO n VALUES (2, 1.0)
--> waits

a: COMMIT
--> COMMIT
--> b: ERROR 23505: duplicate key value violates unique constraint "n_v_key"
--> b:   detail: Key (v)=(1.0) already exists.
--> b:   table: n
--> b:   constraint: n_v_key

s: CREATE TABLE k (v numeric PRIMARY KEY)
--> CREATE TABLE

a: BEGIN
--> BEGIN

a: INSERT INTO k VALUES (1)
--> INSERT 0 1

b: INSERT INTO k VALUES (1.00)
--> waits

a: COMMIT
--> COMMIT
--> b: ERROR 23505: duplicate key value violates unique constraint "k_pkey"
--> b:   detail: Key (v)=(1.00) already exists.
--> b:   table: k
--> b:   constraint: k_pkey

s: CREATE TABLE d (id int PRIMARY KEY, v int[], w interval, UNIQUE NULLS NOT DISTINCT (v, w))
--> CREATE TABLE

a: BEGIN
--> BEGIN

a: INSERT INTO d VALUES (1, '{1,2}', '1 day')
--> INSERT 0 1

b: INSERT INTO d VALUES (2, '{1,2}', '24:00')
--> waits

a: COMMIT
--> COMMIT
--> b: ERROR 23505: duplicate key value violates unique constraint "d_v_w_key"
--> b:   detail: Key (v, w)=({1,2}, 24:00:00) already exists.
--> b:   table: d
--> b:   constraint: d_v_w_key

a: BEGIN
--> BEGIN

a: INSERT INTO d VALUES (3, '{1}', NULL)
--> INSERT 0 1

b: INSERT INTO d VALUES (4, '{1}', NULL)
--> waits

a: COMMIT
--> COMMIT
--> b: ERROR 23505: duplicate key value violates unique constraint "d_v_w_key"
--> b:   detail: Key (v, w)=({1}, null) already exists.
--> b:   table: d
--> b:   constraint: d_v_w_key

s: SELECT id FROM d ORDER BY id
--> id int4
--> 1
--> 3
--> SELECT 2
