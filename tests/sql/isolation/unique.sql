-- Values that only one row may have: who would have them too waits for the block that has them now.

s: CREATE TABLE un (id int PRIMARY KEY, name text UNIQUE, a int, b int, UNIQUE (a, b))
--> CREATE TABLE

s: INSERT INTO un VALUES (1, 'one', 1, 1)
--> INSERT 0 1

-- Two that insert the same.

a: BEGIN
--> BEGIN

b: BEGIN
--> BEGIN

a: INSERT INTO un VALUES (2, 'two', 2, 2)
--> INSERT 0 1

b: INSERT INTO un VALUES (3, 'two', 3, 3)
--> waits

a: ROLLBACK
--> ROLLBACK
--> b: INSERT 0 1

b: ROLLBACK
--> ROLLBACK

a: BEGIN
--> BEGIN

b: BEGIN
--> BEGIN

a: INSERT INTO un VALUES (2, 'two', 2, 2)
--> INSERT 0 1

b: INSERT INTO un VALUES (3, 'three', 2, 2)
--> waits

a: COMMIT
--> COMMIT
--> b: ERROR 23505: duplicate key value violates unique constraint "un_a_b_key"
--> b:   detail: Key (a, b)=(2, 2) already exists.
--> b:   table: un
--> b:   constraint: un_a_b_key

b: ROLLBACK
--> ROLLBACK

s: DELETE FROM un WHERE id = 2
--> DELETE 1

-- One of them alone.

a: BEGIN
--> BEGIN

a: INSERT INTO un VALUES (2, 'two', 2, 2)
--> INSERT 0 1

b: INSERT INTO un VALUES (3, 'two', 3, 3)
--> waits

a: COMMIT
--> COMMIT
--> b: ERROR 23505: duplicate key value violates unique constraint "un_name_key"
--> b:   detail: Key (name)=(two) already exists.
--> b:   table: un
--> b:   constraint: un_name_key

s: DELETE FROM un WHERE id = 2
--> DELETE 1

-- What there is to do about a conflict is known then.

a: BEGIN
--> BEGIN

b: BEGIN
--> BEGIN

a: INSERT INTO un VALUES (2, 'two', 2, 2)
--> INSERT 0 1

b: INSERT INTO un VALUES (3, 'two', 3, 3) ON CONFLICT (name) DO NOTHING
--> waits

a: COMMIT
--> COMMIT
--> b: INSERT 0 0

b: ROLLBACK
--> ROLLBACK

s: DELETE FROM un WHERE id = 2
--> DELETE 1

a: BEGIN
--> BEGIN

b: BEGIN
--> BEGIN

a: INSERT INTO un VALUES (2, 'two', 2, 2)
--> INSERT 0 1

b: INSERT INTO un VALUES (3, 'two', 3, 3) ON CONFLICT (name) DO UPDATE SET a = 7
--> waits

a: COMMIT
--> COMMIT
--> b: INSERT 0 1

b: ROLLBACK
--> ROLLBACK

s: DELETE FROM un WHERE id = 2
--> DELETE 1

-- An UPDATE that comes to the same, in a block and alone.

a: BEGIN
--> BEGIN

b: BEGIN
--> BEGIN

a: INSERT INTO un VALUES (2, 'two', 2, 2)
--> INSERT 0 1

b: UPDATE un SET name = 'two' WHERE id = 1
--> waits

a: ROLLBACK
--> ROLLBACK
--> b: UPDATE 1

b: ROLLBACK
--> ROLLBACK

a: BEGIN
--> BEGIN

a: UPDATE un SET name = 'two' WHERE id = 1
--> UPDATE 1

b: INSERT INTO un VALUES (3, 'two', 3, 3)
--> waits

a: ROLLBACK
--> ROLLBACK
--> b: INSERT 0 1

s: DELETE FROM un WHERE id = 3
--> DELETE 1

-- Other values, and NULLs, are nobody else's business.

a: BEGIN
--> BEGIN

b: BEGIN
--> BEGIN

a: INSERT INTO un VALUES (2, NULL, 2, NULL)
--> INSERT 0 1

b: INSERT INTO un VALUES (3, NULL, 2, NULL), (4, 'four', 2, 1)
--> INSERT 0 2

a: UPDATE un SET b = 3 WHERE id = 2
--> UPDATE 1

b: UPDATE un SET b = 4, name = name WHERE id = 3
--> UPDATE 1

a: COMMIT
--> COMMIT

b: COMMIT
--> COMMIT

-- Above READ COMMITTED.

a: BEGIN ISOLATION LEVEL REPEATABLE READ
--> BEGIN

b: BEGIN ISOLATION LEVEL REPEATABLE READ
--> BEGIN

a: INSERT INTO un VALUES (5, 'five', 5, 5)
--> INSERT 0 1

b: INSERT INTO un VALUES (6, 'five', 6, 6)
--> waits

a: ROLLBACK
--> ROLLBACK
--> b: INSERT 0 1

b: ROLLBACK
--> ROLLBACK

-- What a block has made itself is in nobody's way, nor in its own.

a: BEGIN ISOLATION LEVEL REPEATABLE READ
--> BEGIN

a: UPDATE un SET a = a WHERE id = 1
--> UPDATE 1

b: UPDATE un SET a = 10 WHERE id = 4
--> UPDATE 1

a: UPDATE un SET name = 'first' WHERE id = 1
--> UPDATE 1

a: UPDATE un SET name = 'one' WHERE id = 1
--> UPDATE 1

a: COMMIT
--> COMMIT

s: SELECT id, name FROM un ORDER BY id
--> id int4 | name text
--> 1 | one
--> 2 | ∅
--> 3 | ∅
--> 4 | four
--> SELECT 4

s: DROP TABLE un
--> DROP TABLE
