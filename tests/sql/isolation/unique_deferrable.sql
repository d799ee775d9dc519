-- Keys of DEFERRABLE constraints in several sessions.

s: CREATE TABLE p (id int PRIMARY KEY, n int UNIQUE DEFERRABLE)
--> CREATE TABLE

s: INSERT INTO p VALUES (1, 1), (2, 2)
--> INSERT 0 2

-- Who would have a key that another transaction is about to have waits for it, and fails if it gets it.

a: BEGIN
--> BEGIN

a: INSERT INTO p VALUES (3, 3)
--> INSERT 0 1

b: INSERT INTO p VALUES (4, 3)
--> waits

a: COMMIT
--> COMMIT
--> b: ERROR 23505: duplicate key value violates unique constraint "p_n_key"
--> b:   detail: Key (n)=(3) already exists.
--> b:   table: p
--> b:   constraint: p_n_key

a: BEGIN
--> BEGIN

a: INSERT INTO p VALUES (5, 5)
--> INSERT 0 1

b: INSERT INTO p VALUES (6, 5)
--> waits

a: ROLLBACK
--> ROLLBACK
--> b: INSERT 0 1

b: BEGIN
--> BEGIN

b: UPDATE p SET n = n + 1
--> UPDATE 4

a: INSERT INTO p VALUES (7, 6)
--> waits

b: COMMIT
--> COMMIT
--> a: ERROR 23505: duplicate key value violates unique constraint "p_n_key"
--> a:   detail: Key (n)=(6) already exists.
--> a:   table: p
--> a:   constraint: p_n_key

s: SELECT * FROM p ORDER BY id
--> id int4 | n int4
--> 1 | 2
--> 2 | 3
--> 3 | 4
--> 6 | 6
--> SELECT 4

-- Two blocks that each go on without waiting.

a: BEGIN
--> BEGIN

b: BEGIN
--> BEGIN

a: UPDATE p SET n = 100 - n WHERE id = 1
--> UPDATE 1

b: UPDATE p SET n = 100 - n WHERE id = 2
--> UPDATE 1

a: COMMIT
--> COMMIT

b: COMMIT
--> COMMIT

s: SELECT * FROM p ORDER BY id
--> id int4 | n int4
--> 1 | 98
--> 2 | 97
--> 3 | 4
--> 6 | 6
--> SELECT 4
