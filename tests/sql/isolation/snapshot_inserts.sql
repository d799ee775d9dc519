-- REPEATABLE READ: what a block has read may change before it writes something else; only what it writes must not have.

s: CREATE TABLE seen (id int PRIMARY KEY, n int)
--> CREATE TABLE

s: CREATE TABLE note (id int PRIMARY KEY, seen_id int REFERENCES seen (id), what text UNIQUE)
--> CREATE TABLE

s: CREATE TABLE log (id serial, n int)
--> CREATE TABLE

s: INSERT INTO seen VALUES (1, 10), (2, 20), (3, 30)
--> INSERT 0 3

-- A new row, with a key that points to a row that was read and has changed.

a: BEGIN ISOLATION LEVEL REPEATABLE READ
--> BEGIN

a: SELECT n FROM seen ORDER BY id
--> n int4
--> 10
--> 20
--> 30
--> SELECT 3

b: UPDATE seen SET n = n + 1
--> UPDATE 3

a: INSERT INTO note VALUES (1, 1, 'one'), (2, NULL, 'two')
--> INSERT 0 2

a: INSERT INTO log (n) VALUES (1) RETURNING id
--> id int4
--> 1
--> INSERT 0 1

b: INSERT INTO log (n) VALUES (2)
--> INSERT 0 1

a: INSERT INTO log (n) VALUES (3) RETURNING id
--> id int4
--> 3
--> INSERT 0 1

a: SELECT n FROM seen ORDER BY id
--> n int4
--> 10
--> 20
--> 30
--> SELECT 3

a: SELECT id, n FROM log ORDER BY id
--> id int4 | n int4
--> 1 | 1
--> 3 | 3
--> SELECT 2

a: COMMIT
--> COMMIT

s: SELECT id, seen_id, what FROM note ORDER BY id
--> id int4 | seen_id int4 | what text
--> 1 | 1 | one
--> 2 | ∅ | two
--> SELECT 2

-- A key that somebody else has taken since: known although it is not seen.

a: BEGIN ISOLATION LEVEL REPEATABLE READ
--> BEGIN

a: SELECT n FROM seen WHERE id = 1
--> n int4
--> 11
--> SELECT 1

b: INSERT INTO note VALUES (3, NULL, 'three')
--> INSERT 0 1

b: UPDATE seen SET n = 0 WHERE id = 1
--> UPDATE 1

a: SAVEPOINT s
--> SAVEPOINT

a: INSERT INTO note VALUES (4, NULL, 'three')
--> ERROR 23505: duplicate key value violates unique constraint "note_what_key"
-->   detail: Key (what)=(three) already exists.
-->   table: note
-->   constraint: note_what_key

a: ROLLBACK TO s
--> ROLLBACK

a: INSERT INTO note VALUES (3, NULL, 'other')
--> ERROR 23505: duplicate key value violates unique constraint "note_pkey"
-->   detail: Key (id)=(3) already exists.
-->   table: note
-->   constraint: note_pkey

a: ROLLBACK TO s
--> ROLLBACK

a: INSERT INTO note VALUES (4, NULL, 'four')
--> INSERT 0 1

a: SELECT n FROM seen WHERE id = 1
--> n int4
--> 11
--> SELECT 1

a: SELECT id FROM note ORDER BY id
--> id int4
--> 1
--> 2
--> 4
--> SELECT 3

a: COMMIT
--> COMMIT

-- A key that points to what is gone.

a: BEGIN ISOLATION LEVEL REPEATABLE READ
--> BEGIN

a: SELECT count(*) FROM seen
--> count int8
--> 3
--> SELECT 1

b: DELETE FROM seen WHERE id = 3
--> DELETE 1

a: SAVEPOINT s
--> SAVEPOINT

a: INSERT INTO note VALUES (5, 3, 'five')
--> ERROR 40001: could not serialize access due to concurrent update

a: ROLLBACK TO s
--> ROLLBACK

a: INSERT INTO note VALUES (5, 2, 'five')
--> INSERT 0 1

a: COMMIT
--> COMMIT

-- What the block itself has made or removed counts.

a: BEGIN ISOLATION LEVEL REPEATABLE READ
--> BEGIN

a: SELECT count(*) FROM seen
--> count int8
--> 2
--> SELECT 1

b: UPDATE seen SET n = n + 1
--> UPDATE 2

a: INSERT INTO seen VALUES (7, 70)
--> INSERT 0 1

b: UPDATE seen SET n = n + 1 WHERE id = 1
--> UPDATE 1

a: INSERT INTO note VALUES (7, 7, 'seven')
--> INSERT 0 1

a: DELETE FROM note WHERE id = 1
--> DELETE 1

b: UPDATE seen SET n = n + 1 WHERE id = 1
--> UPDATE 1

a: INSERT INTO note VALUES (1, 7, 'one')
--> INSERT 0 1

a: SELECT id, seen_id, what FROM note ORDER BY id
--> id int4 | seen_id int4 | what text
--> 1 | 7 | one
--> 2 | ∅ | two
--> 3 | ∅ | three
--> 4 | ∅ | four
--> 5 | 2 | five
--> 7 | 7 | seven
--> SELECT 6

a: COMMIT
--> COMMIT

-- Rows found by a condition: as long as nobody has changed them.

a: BEGIN ISOLATION LEVEL REPEATABLE READ
--> BEGIN

a: SELECT n FROM seen WHERE id = 1
--> n int4
--> 3
--> SELECT 1

b: UPDATE seen SET n = 100 WHERE id = 1
--> UPDATE 1

a: UPDATE note SET what = what || '!' WHERE seen_id = 7
--> UPDATE 2

a: UPDATE seen SET n = n + 1 WHERE n < 30 AND id = 2
--> UPDATE 1

a: INSERT INTO log (n) SELECT id FROM note WHERE seen_id = 7
--> INSERT 0 2

a: SELECT id, what FROM note WHERE seen_id = 7 ORDER BY id FOR UPDATE
--> id int4 | what text
--> 1 | one!
--> 7 | seven!
--> SELECT 2

a: COMMIT
--> COMMIT

a: BEGIN ISOLATION LEVEL REPEATABLE READ
--> BEGIN

a: SELECT n FROM seen WHERE id = 2
--> n int4
--> 23
--> SELECT 1

b: UPDATE seen SET n = n + 1 WHERE id = 2
--> UPDATE 1

a: UPDATE seen SET n = 0 WHERE n > 5
--> ERROR 40001: could not serialize access due to concurrent update

a: ROLLBACK
--> ROLLBACK

s: SELECT id, n FROM seen ORDER BY id
--> id int4 | n int4
--> 1 | 100
--> 2 | 24
--> 7 | 70
--> SELECT 3

-- Upserts.

a: BEGIN ISOLATION LEVEL REPEATABLE READ
--> BEGIN

a: SELECT n FROM seen WHERE id = 1
--> n int4
--> 100
--> SELECT 1

b: UPDATE seen SET n = 1 WHERE id = 1
--> UPDATE 1

a: INSERT INTO note VALUES (8, NULL, 'eight') ON CONFLICT (id) DO UPDATE SET what = 'again'
--> INSERT 0 1

a: INSERT INTO note VALUES (8, NULL, 'eight') ON CONFLICT (id) DO UPDATE SET what = 'again' RETURNING what
--> what text
--> again
--> INSERT 0 1

a: INSERT INTO seen VALUES (9, 9) ON CONFLICT DO NOTHING
--> INSERT 0 1

a: COMMIT
--> COMMIT

a: BEGIN ISOLATION LEVEL REPEATABLE READ
--> BEGIN

a: SELECT count(*) FROM seen
--> count int8
--> 4
--> SELECT 1

b: INSERT INTO seen VALUES (10, 10)
--> INSERT 0 1

a: INSERT INTO seen VALUES (10, 11) ON CONFLICT (id) DO UPDATE SET n = 12
--> ERROR 40001: could not serialize access due to concurrent update

a: ROLLBACK
--> ROLLBACK

s: SELECT id, what FROM note ORDER BY id
--> id int4 | what text
--> 1 | one!
--> 2 | two
--> 3 | three
--> 4 | four
--> 5 | five
--> 7 | seven!
--> 8 | again
--> SELECT 7
