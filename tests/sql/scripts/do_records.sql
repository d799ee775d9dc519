-- Records and rows of DO as wholes, parts of arrays and of JSON that are assigned to, labels, aliases.

CREATE TYPE dr_mood AS ENUM ('sad', 'happy'); CREATE TABLE dr (id int PRIMARY KEY, b text, c numeric(5,2), m dr_mood); INSERT INTO dr VALUES (1, 'x', 1.5, 'sad'), (2, NULL, 2, NULL)
--> CREATE TYPE
--> CREATE TABLE
--> INSERT 0 2

DO $$ DECLARE r record; BEGIN RAISE NOTICE 'a % %', r, r IS NULL; SELECT * INTO r FROM dr WHERE id = 9; RAISE NOTICE 'b % % %', r, r IS NULL, r.id; SELECT * INTO r FROM dr WHERE id = 2; RAISE NOTICE 'c % % % %', r, r IS NULL, r IS NOT NULL, r.b; RAISE NOTICE 'd % %', row_to_json(r), to_jsonb(r)->>'c'; END $$
--> NOTICE: a <NULL> t
--> NOTICE: b (,,,) t <NULL>
--> NOTICE: c (2,,2.00,) f f <NULL>
--> NOTICE: d {"id":2,"b":null,"c":2.00,"m":null} 2.00
--> DO

DO $$ DECLARE r dr%ROWTYPE; q dr; BEGIN RAISE NOTICE 'a % % %', r, r IS NULL, r.id; SELECT c, b, id INTO r FROM dr WHERE id = 1; RAISE NOTICE 'b % % %', r, r.id, pg_typeof(r.id); q := r; q.b := 'zz'; RAISE NOTICE 'c % %', q, q = r; q := ROW(7, 'y', 3.14159, 'happy'::dr_mood); RAISE NOTICE 'd % %', q, (q).c; INSERT INTO dr SELECT q.*; INSERT INTO dr SELECT (q).id + 1, (q).b, (q).c; q.id := 10; INSERT INTO dr VALUES (q.*); q.id = 12; INSERT INTO dr VALUES (q.id, q.b, q.c) RETURNING * INTO r; RAISE NOTICE 'e %', r; UPDATE dr SET c = r.c + 1 WHERE id = r.id; END $$
--> NOTICE: a <NULL> t <NULL>
--> NOTICE: b (2,x,1.00,) 2 integer
--> NOTICE: c (2,zz,1.00,) f
--> NOTICE: d (7,y,3.14,happy) 3.14
--> NOTICE: e (12,y,3.14,)
--> DO

SELECT * FROM dr ORDER BY id
--> id int4 | b text | c numeric | m user
--> 1 | x | 1.50 | sad
--> 2 | ∅ | 2.00 | ∅
--> 7 | y | 3.14 | happy
--> 8 | y | 3.14 | ∅
--> 10 | y | 3.14 | happy
--> 12 | y | 4.14 | ∅
--> SELECT 6

DO $$ DECLARE r record; s record; BEGIN r := (1, 'a'::text, true); RAISE NOTICE '% % % %', r, r.f1, r.f2, r.f3; FOR r IN SELECT id, b FROM dr ORDER BY id LOOP RAISE NOTICE '% %', r, r.b; END LOOP; FOR r IN SELECT 1 AS one WHERE false LOOP NULL; END LOOP; RAISE NOTICE '% %', r, r.one; r := NULL; RAISE NOTICE '%', r; SELECT 1 AS a, 'x' AS b INTO r; s := r; s.a := 2; RAISE NOTICE '% % %', r, s, r < s; RAISE NOTICE '%', r.nope; END $$
--> NOTICE: (1,a,t) 1 a t
--> NOTICE: (1,x) x
--> NOTICE: (2,) <NULL>
--> NOTICE: (7,y) y
--> NOTICE: (8,y) y
--> NOTICE: (10,y) y
--> NOTICE: (12,y) y
--> NOTICE: () <NULL>
--> NOTICE: <NULL>
--> NOTICE: (1,x) (2,x) t
--> ERROR 42703: record "r" has no field "nope"

DO $$ DECLARE q dr; BEGIN q.b := 'only'; RAISE NOTICE '%', q; q := NULL; RAISE NOTICE '%', q; q.id := 3.7; RAISE NOTICE '%', q; q.m := 'happy'; RAISE NOTICE '%', q.m > 'sad'; q.c := 'abc'; END $$
--> NOTICE: (,only,,)
--> NOTICE: <NULL>
--> NOTICE: (4,,,)
--> NOTICE: t
--> ERROR 22P02: invalid input syntax for type numeric: "abc"

DO $$ DECLARE r record; BEGIN r := NULL; RAISE NOTICE '%', r.a; END $$
--> ERROR 55000: record "r" is not assigned yet
-->   detail: The tuple structure of a not-yet-assigned record is indeterminate.

DO $$ DECLARE v dr.b%TYPE := 'q'; w v%TYPE; BEGIN w := v || v; RAISE NOTICE '% %', w, pg_typeof(w); END $$
--> NOTICE: qq text
--> DO

DO $$ DECLARE a int[]; b int[] := '{1,2,3}'; j jsonb := '{"a":1}'; m int[][] := '{{1,2},{3,4}}'; i int := 2; BEGIN a[1] := 5; a[3] := 7; RAISE NOTICE '%', a; b[i] := b[i] * 10; b[i+1] = '9'; RAISE NOTICE '% %', b, b[2:3]; j['b'] := '[1,2]'; j['b'][5] := '7'; RAISE NOTICE '%', j; m[1][2] := 20; RAISE NOTICE '%', m; b[1:2] := '{100,200}'; RAISE NOTICE '%', b; b[:1] := '{5}'; b[b[1]] := 1; RAISE NOTICE '%', b; END $$
--> NOTICE: {5,NULL,7}
--> NOTICE: {1,20,9} {20,9}
--> NOTICE: {"a": 1, "b": [1, 2, null, null, null, 7]}
--> NOTICE: {{1,20},{3,4}}
--> NOTICE: {100,200,9}
--> NOTICE: {5,200,9,NULL,1}
--> DO

DO $$ DECLARE t text[]; r record; BEGIN t[2] := 5; RAISE NOTICE '%', t; t[1] := NULL; RAISE NOTICE '%', t; SELECT '{1,2}'::int[] AS a, 1 AS b INTO r; r.a[2] := 7; RAISE NOTICE '%', r; END $$
--> NOTICE: [2:2]={5}
--> NOTICE: {NULL,5}
--> NOTICE: ("{1,7}",1)
--> DO

DO $$ DECLARE i int; BEGIN i[1] := 2; END $$
--> ERROR 42804: cannot subscript type integer because it does not support subscripting

DO $$ DECLARE a int[]; BEGIN a[1] := 'x'; END $$
--> ERROR 22P02: invalid input syntax for type integer: "x"

DO $$ <<above>> DECLARE x int := 1; BEGIN DECLARE x int := 2; BEGIN RAISE NOTICE '% %', x, above.x; above.x := 5; END; RAISE NOTICE '%', x; <<l>> FOR i IN 1..2 LOOP FOR i IN 5..6 LOOP RAISE NOTICE '% %', l.i, i; END LOOP; END LOOP; END $$
--> NOTICE: 2 1
--> NOTICE: 5
--> NOTICE: 1 5
--> NOTICE: 1 6
--> NOTICE: 2 5
--> NOTICE: 2 6
--> DO

DO $$ <<b>> DECLARE id int := 1; r record; BEGIN SELECT * INTO r FROM dr WHERE dr.id = b.id; RAISE NOTICE '% %', r.b, b.r.b; UPDATE dr SET b = 'updated' WHERE dr.id = b.id; SELECT dr.b INTO b.r FROM dr WHERE dr.id = 1; RAISE NOTICE '%', r; END $$
--> NOTICE: x x
--> NOTICE: (updated)
--> DO

DO $$ <<b>> DECLARE id int := 1; BEGIN PERFORM 1 FROM dr WHERE id = b.id; END $$
--> ERROR 42702: column reference "id" is ambiguous
-->   detail: It could refer to either a PL/pgSQL variable or a table column.

DO $$ DECLARE v int; a ALIAS FOR v; BEGIN a := 3; RAISE NOTICE '% %', v, a; SELECT 4 INTO a; RAISE NOTICE '%', v; END $$
--> NOTICE: 3 3
--> NOTICE: 4
--> DO

DO $$ DECLARE a ALIAS FOR nothing; BEGIN END $$
--> ERROR 42704: variable "nothing" does not exist

DO $$ DECLARE r record; BEGIN FOR r IN EXECUTE 'SELECT 1 AS a, 2 AS b' LOOP RAISE NOTICE '%', r; END LOOP; FOR r IN VALUES (1, 'a'), (2, 'b') LOOP RAISE NOTICE '% %', r.column1, r; END LOOP; FOR r IN INSERT INTO dr (id) VALUES (90) RETURNING * LOOP RAISE NOTICE '%', r; END LOOP; END $$
--> NOTICE: (1,2)
--> NOTICE: 1 (1,a)
--> NOTICE: 2 (2,b)
--> NOTICE: (90,,,)
--> DO

VALUES ((ROW(1, 'x'::text)).*, 3), (4, (ROW('y'::text, 5)).*)
--> column1 int4 | column2 text | column3 int4
--> 1 | x | 3
--> 4 | y | 5
--> SELECT 2

CREATE TABLE dr2 (a int, b text); INSERT INTO dr2 VALUES (1, 'x'); INSERT INTO dr2 VALUES ((SELECT dr2 FROM dr2).*), ((ROW(2, 'y'::text)).*)
--> CREATE TABLE
--> INSERT 0 1
--> INSERT 0 2

SELECT * FROM dr2 ORDER BY a
--> a int4 | b text
--> 1 | x
--> 1 | x
--> 2 | y
--> SELECT 3

DO $$ DECLARE r record; BEGIN r.x := 1; END $$
--> ERROR 55000: record "r" is not assigned yet
-->   detail: The tuple structure of a not-yet-assigned record is indeterminate.

DO $$ DECLARE x int; BEGIN x.y := 1; END $$
--> ERROR 42601: "x.y" is not a known variable

DO $$ DECLARE r dr; BEGIN r.nope := 1; END $$
--> ERROR 42703: record "r" has no field "nope"

-- What changes several rows has no INTO, whether STRICT or not.
DO $$ DECLARE v int; BEGIN INSERT INTO dr2 VALUES (8, 'i'), (9, 'j') RETURNING a INTO v; END $$
--> ERROR P0003: query returned more than one row

DO $$ DECLARE v int; BEGIN UPDATE dr2 SET b = 'k' RETURNING a INTO v; EXCEPTION WHEN too_many_rows THEN RAISE NOTICE 'many'; END $$
--> NOTICE: many
--> DO

DO $$ DECLARE v int; BEGIN EXECUTE 'UPDATE dr2 SET b = b || ''l'' WHERE a < 3 RETURNING a' INTO v; RAISE NOTICE '%', v IS NOT NULL; WITH x AS (DELETE FROM dr2 RETURNING a) SELECT a INTO v FROM x; RAISE NOTICE '%', v IS NOT NULL; SELECT id INTO v FROM dr; RAISE NOTICE '%', FOUND; END $$
--> NOTICE: t
--> NOTICE: t
--> NOTICE: t
--> DO

SELECT * FROM dr2
--> a int4 | b text
--> SELECT 0

DO $$ DECLARE r record; n int; BEGIN SELECT 1 AS a INTO r; SELECT count(r) INTO n FROM dr r; RAISE NOTICE '%', n; END $$
--> ERROR 42702: column reference "r" is ambiguous
-->   detail: It could refer to either a PL/pgSQL variable or a table column.

DO $$ DECLARE q dr3; BEGIN RAISE NOTICE 'never'; END $$
--> ERROR 42704: type "dr3" does not exist
