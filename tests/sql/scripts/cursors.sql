-- Cursors: which may move backward without being declared so, and where they stand.

CREATE TABLE cursor_rows (id int PRIMARY KEY, v text)
--> CREATE TABLE

INSERT INTO cursor_rows SELECT g, 'v' || g FROM generate_series(1, 5) g
--> INSERT 0 5

BEGIN
--> BEGIN

DECLARE a CURSOR FOR SELECT id FROM cursor_rows
--> DECLARE CURSOR

FETCH 2 FROM a
--> id int4
--> 1
--> 2
--> FETCH 2

FETCH BACKWARD 1 FROM a
--> id int4
--> 1
--> FETCH 1

FETCH FROM a
--> id int4
--> 2
--> FETCH 1

FETCH ALL FROM a
--> id int4
--> 3
--> 4
--> 5
--> FETCH 3

FETCH PRIOR FROM a
--> id int4
--> 5
--> FETCH 1

FETCH BACKWARD ALL FROM a
--> id int4
--> 4
--> 3
--> 2
--> 1
--> FETCH 4

FETCH PRIOR FROM a
--> id int4
--> FETCH 0

FETCH NEXT FROM a
--> id int4
--> 1
--> FETCH 1

FETCH LAST FROM a
--> id int4
--> 5
--> FETCH 1

FETCH ABSOLUTE 2 FROM a
--> id int4
--> 2
--> FETCH 1

FETCH ABSOLUTE -2 FROM a
--> id int4
--> 4
--> FETCH 1

FETCH RELATIVE -1 FROM a
--> id int4
--> 3
--> FETCH 1

FETCH RELATIVE 0 FROM a
--> id int4
--> 3
--> FETCH 1

FETCH ABSOLUTE 0 FROM a
--> id int4
--> FETCH 0

MOVE FORWARD 3 FROM a
--> MOVE 3

MOVE BACKWARD 2 FROM a
--> MOVE 2

FETCH FORWARD 0 FROM a
--> id int4
--> 1
--> FETCH 1

CLOSE a
--> CLOSE CURSOR

DECLARE b CURSOR FOR SELECT id, v FROM cursor_rows ORDER BY v DESC
--> DECLARE CURSOR

FETCH ALL FROM b
--> id int4 | v text
--> 5 | v5
--> 4 | v4
--> 3 | v3
--> 2 | v2
--> 1 | v1
--> FETCH 5

FETCH BACKWARD 2 FROM b
--> id int4 | v text
--> 1 | v1
--> 2 | v2
--> FETCH 2

DECLARE c CURSOR FOR VALUES (1), (2), (3)
--> DECLARE CURSOR

MOVE 3 FROM c
--> MOVE 3

FETCH BACKWARD 2 FROM c
--> column1 int4
--> 2
--> 1
--> FETCH 2

DECLARE d CURSOR FOR SELECT g FROM generate_series(1, 3) g
--> DECLARE CURSOR

FETCH 3 FROM d
--> g int4
--> 1
--> 2
--> 3
--> FETCH 3

FETCH BACKWARD ALL FROM d
--> g int4
--> 2
--> 1
--> FETCH 2

DECLARE e CURSOR FOR SELECT id FROM cursor_rows UNION ALL SELECT -id FROM cursor_rows
--> DECLARE CURSOR

FETCH ALL FROM e
--> id int4
--> 1
--> 2
--> 3
--> 4
--> 5
--> -1
--> -2
--> -3
--> -4
--> -5
--> FETCH 10

FETCH BACKWARD 2 FROM e
--> id int4
--> -5
--> -4
--> FETCH 2

DECLARE f NO SCROLL CURSOR FOR SELECT id FROM cursor_rows
--> DECLARE CURSOR

FETCH 2 FROM f
--> id int4
--> 1
--> 2
--> FETCH 2

SAVEPOINT s
--> SAVEPOINT

FETCH BACKWARD 1 FROM f
--> ERROR 55000: cursor can only scan forward

ROLLBACK TO s
--> ROLLBACK

DECLARE g CURSOR FOR SELECT count(*) FROM cursor_rows
--> DECLARE CURSOR

FETCH ALL FROM g
--> count int8
--> 5
--> FETCH 1

FETCH BACKWARD 1 FROM g
--> ERROR 55000: cursor can only scan forward

ROLLBACK TO s
--> ROLLBACK

DECLARE h CURSOR FOR SELECT DISTINCT v FROM cursor_rows
--> DECLARE CURSOR

MOVE 1 FROM h
--> MOVE 1

FETCH BACKWARD 1 FROM h
--> ERROR 55000: cursor can only scan forward

ROLLBACK TO s
--> ROLLBACK

DECLARE i CURSOR FOR SELECT id FROM cursor_rows FOR UPDATE
--> DECLARE CURSOR

FETCH 1 FROM i
--> id int4
--> 1
--> FETCH 1

FETCH BACKWARD 1 FROM i
--> ERROR 55000: cursor can only scan forward

ROLLBACK
--> ROLLBACK

-- The same rows again, whatever is changed meanwhile.

BEGIN
--> BEGIN

DECLARE a CURSOR FOR SELECT id, v FROM cursor_rows
--> DECLARE CURSOR

FETCH 2 FROM a
--> id int4 | v text
--> 1 | v1
--> 2 | v2
--> FETCH 2

DELETE FROM cursor_rows WHERE id = 1
--> DELETE 1

INSERT INTO cursor_rows VALUES (0, 'new')
--> INSERT 0 1

FETCH BACKWARD ALL FROM a
--> id int4 | v text
--> 1 | v1
--> FETCH 1

FETCH ALL FROM a
--> id int4 | v text
--> 1 | v1
--> 2 | v2
--> 3 | v3
--> 4 | v4
--> 5 | v5
--> FETCH 5

ROLLBACK
--> ROLLBACK

-- WITH HOLD, and empty ones.

BEGIN
--> BEGIN

DECLARE a CURSOR WITH HOLD FOR SELECT id FROM cursor_rows
--> DECLARE CURSOR

COMMIT
--> COMMIT

FETCH 2 FROM a
--> id int4
--> 1
--> 2
--> FETCH 2

FETCH BACKWARD 1 FROM a
--> id int4
--> 1
--> FETCH 1

CLOSE a
--> CLOSE CURSOR

BEGIN
--> BEGIN

DECLARE a CURSOR FOR SELECT id FROM cursor_rows WHERE id > 100
--> DECLARE CURSOR

FETCH BACKWARD 1 FROM a
--> id int4
--> FETCH 0

FETCH 1 FROM a
--> id int4
--> FETCH 0

FETCH BACKWARD 1 FROM a
--> id int4
--> FETCH 0

COMMIT
--> COMMIT

DISCARD PLANS
--> DISCARD PLANS

DISCARD SEQUENCES
--> DISCARD SEQUENCES

DISCARD TEMPORARY
--> DISCARD TEMP

DISCARD TEMP
--> DISCARD TEMP

DISCARD ALL
--> DISCARD ALL

EXPLAIN (FORMAT yaml2) SELECT 1
--> ERROR 22023: unrecognized value for EXPLAIN option "format": "yaml2"

DROP TABLE cursor_rows
--> DROP TABLE
