-- Cursors of DO: bound and not, with arguments, in all directions, in loops, WHERE CURRENT OF.

CREATE TABLE dc (id int PRIMARY KEY, b text, c numeric(5,2)); INSERT INTO dc VALUES (1, 'x', 1.5), (2, NULL, 2), (3, 'y', 3.25), (4, 'z', NULL)
--> CREATE TABLE
--> INSERT 0 4

DO $$ DECLARE c CURSOR FOR SELECT id, b FROM dc ORDER BY id; r record; n int := 0; BEGIN OPEN c; LOOP FETCH c INTO r; EXIT WHEN NOT FOUND; n := n + 1; RAISE NOTICE '% % %', n, r, c; END LOOP; RAISE NOTICE '%', r; CLOSE c; END $$
--> NOTICE: 1 (1,x) c
--> NOTICE: 2 (2,) c
--> NOTICE: 3 (3,y) c
--> NOTICE: 4 (4,z) c
--> NOTICE: (,)
--> DO

DO $$ DECLARE c CURSOR (lo int, hi int) FOR SELECT id FROM dc WHERE id BETWEEN lo AND hi ORDER BY id DESC; v int; BEGIN OPEN c(1, 2); FETCH c INTO v; RAISE NOTICE '%', v; FETCH NEXT FROM c INTO v; RAISE NOTICE '%', v; FETCH c INTO v; RAISE NOTICE '% %', v, FOUND; CLOSE c; FOR r IN c(hi := 4, lo := 2) LOOP RAISE NOTICE 'loop %', r.id; END LOOP; RAISE NOTICE '%', FOUND; END $$
--> NOTICE: 2
--> NOTICE: 1
--> NOTICE: <NULL> f
--> NOTICE: loop 4
--> NOTICE: loop 3
--> NOTICE: loop 2
--> NOTICE: t
--> DO

DO $$ DECLARE c refcursor; v int; n int; BEGIN OPEN c SCROLL FOR SELECT id FROM dc ORDER BY id; FETCH LAST FROM c INTO v; RAISE NOTICE 'last %', v; FETCH PRIOR FROM c INTO v; RAISE NOTICE 'prior %', v; FETCH ABSOLUTE 1 FROM c INTO v; RAISE NOTICE 'absolute %', v; FETCH RELATIVE 2 FROM c INTO v; RAISE NOTICE 'relative %', v; MOVE BACKWARD 1 IN c; GET DIAGNOSTICS n = ROW_COUNT; FETCH c INTO v; RAISE NOTICE 'moved % %', n, v; FETCH FIRST FROM c INTO v; RAISE NOTICE 'first %', v; FETCH ABSOLUTE -2 FROM c INTO v; RAISE NOTICE 'from the end %', v; FETCH BACKWARD FROM c INTO v; RAISE NOTICE 'backward %', v; FETCH RELATIVE 0 FROM c INTO v; RAISE NOTICE 'again %', v; FETCH ABSOLUTE 9 FROM c INTO v; RAISE NOTICE 'beyond % %', v, FOUND; FETCH PRIOR FROM c INTO v; RAISE NOTICE 'back %', v; CLOSE c; END $$
--> NOTICE: last 4
--> NOTICE: prior 3
--> NOTICE: absolute 1
--> NOTICE: relative 3
--> NOTICE: moved 1 3
--> NOTICE: first 1
--> NOTICE: from the end 3
--> NOTICE: backward 2
--> NOTICE: again 2
--> NOTICE: beyond <NULL> f
--> NOTICE: back 4
--> DO

DO $$ DECLARE c refcursor := 'mine'; n int; BEGIN OPEN c SCROLL FOR SELECT id FROM dc; MOVE 3 FROM c; GET DIAGNOSTICS n = ROW_COUNT; RAISE NOTICE '% %', n, FOUND; MOVE FORWARD 3 FROM c; GET DIAGNOSTICS n = ROW_COUNT; RAISE NOTICE '% %', n, FOUND; MOVE FORWARD ALL FROM c; GET DIAGNOSTICS n = ROW_COUNT; RAISE NOTICE '% %', n, FOUND; MOVE BACKWARD ALL FROM c; GET DIAGNOSTICS n = ROW_COUNT; RAISE NOTICE '% %', n, FOUND; MOVE ALL FROM c; GET DIAGNOSTICS n = ROW_COUNT; RAISE NOTICE '% %', n, FOUND; MOVE BACKWARD 2 FROM c; GET DIAGNOSTICS n = ROW_COUNT; RAISE NOTICE '% %', n, FOUND; RAISE NOTICE '%', c; END $$
--> NOTICE: 3 t
--> NOTICE: 1 t
--> NOTICE: 0 f
--> NOTICE: 4 t
--> NOTICE: 4 t
--> NOTICE: 2 t
--> NOTICE: mine
--> DO

DO $$ DECLARE c refcursor; v record; BEGIN OPEN c FOR EXECUTE 'SELECT * FROM dc WHERE id > $1 ORDER BY id' USING 2; FETCH c INTO v; RAISE NOTICE '% %', v, v.b; MOVE c; FETCH c INTO v; RAISE NOTICE '% %', v, FOUND; CLOSE c; END $$
--> NOTICE: (3,y,3.25) y
--> NOTICE: (,,) f
--> DO

DO $$ DECLARE c CURSOR FOR SELECT * FROM dc WHERE id < 3 ORDER BY id FOR UPDATE; BEGIN FOR x IN c LOOP UPDATE dc SET b = 'at ' || x.id WHERE CURRENT OF c; END LOOP; END $$
--> DO

DO $$ DECLARE c refcursor; i int; BEGIN OPEN c FOR SELECT id FROM dc ORDER BY id FOR UPDATE; FETCH c INTO i; FETCH c INTO i; DELETE FROM dc WHERE CURRENT OF c; CLOSE c; END $$
--> DO

SELECT * FROM dc ORDER BY id
--> id int4 | b text | c numeric
--> 1 | at 1 | 1.50
--> 3 | y | 3.25
--> 4 | z | ∅
--> SELECT 3

-- Loops that are left close their cursors; so do errors, what was opened within.
DO $$ DECLARE c CURSOR FOR SELECT id FROM dc ORDER BY id; i int; BEGIN FOR j IN 1..2 LOOP <<rows>> FOR r IN c LOOP FOR k IN 1..2 LOOP CONTINUE rows WHEN k = 2 AND r.id = 1; EXIT rows WHEN r.id = 3; END LOOP; RAISE NOTICE '% %', j, r.id; END LOOP; END LOOP; OPEN c; FETCH c INTO i; RAISE NOTICE '%', i; END $$
--> NOTICE: 1
--> DO

DO $$ DECLARE c CURSOR FOR SELECT id FROM dc ORDER BY id; d refcursor := 'd'; i int; BEGIN OPEN c; BEGIN FETCH c INTO i; OPEN d FOR SELECT 1; PERFORM 1 / 0; EXCEPTION WHEN division_by_zero THEN RAISE NOTICE '%', SQLERRM; END; FETCH c INTO i; RAISE NOTICE '%', i; FETCH d INTO i; END $$
--> NOTICE: division by zero
--> NOTICE: 3
--> ERROR 34000: cursor "d" does not exist

DO $$ DECLARE c refcursor; BEGIN FETCH c INTO c; END $$
--> ERROR 22004: cursor variable "c" is null

DO $$ DECLARE c CURSOR FOR SELECT 1; BEGIN OPEN c; OPEN c; END $$
--> ERROR 42P03: cursor "c" already in use

DO $$ DECLARE c CURSOR FOR SELECT 1; v int; BEGIN FETCH c INTO v; END $$
--> ERROR 34000: cursor "c" does not exist

DO $$ DECLARE c CURSOR FOR SELECT 1; BEGIN CLOSE c; END $$
--> ERROR 34000: cursor "c" does not exist

DO $$ DECLARE c NO SCROLL CURSOR FOR SELECT id FROM dc; v int; BEGIN OPEN c; FETCH c INTO v; FETCH PRIOR FROM c INTO v; END $$
--> ERROR 55000: cursor can only scan forward

DO $$ DECLARE v int; BEGIN OPEN v FOR SELECT 1; END $$
--> ERROR 42804: variable "v" must be of type cursor or refcursor

DO $$ DECLARE c CURSOR (a int) FOR SELECT a; BEGIN OPEN c; END $$
--> ERROR 42601: cursor "c" has arguments

DO $$ DECLARE c CURSOR (a int) FOR SELECT a; BEGIN OPEN c(1, 2); END $$
--> ERROR 42601: too many arguments for cursor "c"

DO $$ DECLARE c CURSOR (a int) FOR SELECT a; BEGIN OPEN c(b := 2); END $$
--> ERROR 42601: cursor "c" has no argument named "b"

DO $$ DECLARE c CURSOR FOR SELECT 1; BEGIN OPEN c(1); END $$
--> ERROR 42601: cursor "c" has no arguments

DO $$ DECLARE c CURSOR FOR SELECT 1; v int; BEGIN OPEN c; FETCH 2 FROM c INTO v; END $$
--> ERROR 0A000: FETCH statement cannot return multiple rows

DO $$ DECLARE c CURSOR FOR SELECT nope; BEGIN OPEN c; END $$
--> ERROR 42703: column "nope" does not exist
