-- DO with variables, loops and what hands values on.

CREATE TABLE dv (id int PRIMARY KEY, name text NOT NULL, n numeric(8,2), at date)
--> CREATE TABLE

INSERT INTO dv VALUES (1, 'one', 1.5, '2024-01-01'), (2, 'two', NULL, '2024-02-01'), (3, 'three', 3.25, NULL)
--> INSERT 0 3

-- Assignments, and the types of variables.

DO $$
DECLARE
  x int := 1;
  y numeric(6,2) DEFAULT 1.005;
  z text = 'a';
  w varchar(3);
  c CONSTANT int := 7;
  t timestamptz;
  a int[] := ARRAY[1, 2];
  b boolean := true;
BEGIN
  x := x + 1;
  z := z || x || c;
  w := 'abc';
  a := a || 5;
  RAISE NOTICE 'x % y % z % w % a % b % t %', x, y, z, w, a, b, t;
  RAISE NOTICE '% %', a[3], x * 2;
END $$
--> NOTICE: x 2 y 1.01 z a27 w abc a {1,2,5} b t t <NULL>
--> NOTICE: 5 4
--> DO

DO $$ DECLARE c CONSTANT int := 1; BEGIN c := 2; END $$
--> ERROR 22005: variable "c" is declared CONSTANT

DO $$ DECLARE x int NOT NULL := 1; BEGIN x := NULL; END $$
--> ERROR 22004: null value cannot be assigned to variable "x" declared NOT NULL

DO $$ DECLARE x int; BEGIN x := 'a'; END $$
--> ERROR 22P02: invalid input syntax for type integer: "a"

DO $$ BEGIN nobody := 1; END $$
--> ERROR 42601: "nobody" is not a known variable

-- Loops.

DO $$ BEGIN FOR i IN 1..3 LOOP RAISE NOTICE 'i %', i; END LOOP; END $$
--> NOTICE: i 1
--> NOTICE: i 2
--> NOTICE: i 3
--> DO

DO $$ BEGIN FOR i IN REVERSE 6..1 BY 2 LOOP RAISE NOTICE 'i %', i; END LOOP; END $$
--> NOTICE: i 6
--> NOTICE: i 4
--> NOTICE: i 2
--> DO

DO $$ DECLARE lo int := 2; BEGIN FOR i IN lo..lo + 1 LOOP INSERT INTO dv VALUES (i * 10, 'row ' || i); END LOOP; END $$
--> DO

SELECT id, name FROM dv ORDER BY id
--> id int4 | name text
--> 1 | one
--> 2 | two
--> 3 | three
--> 20 | row 2
--> 30 | row 3
--> SELECT 5

DO $$
DECLARE n int := 0;
BEGIN
  WHILE n < 10 LOOP
    n := n + 1;
    CONTINUE WHEN n % 2 = 0;
    EXIT WHEN n > 5;
    RAISE NOTICE 'n %', n;
  END LOOP;
  LOOP
    n := n - 1;
    IF n < 0 THEN EXIT; END IF;
  END LOOP;
  RAISE NOTICE 'end %', n;
END $$
--> NOTICE: n 1
--> NOTICE: n 3
--> NOTICE: n 5
--> NOTICE: end -1
--> DO

DO $$
<<outer>>
DECLARE k int := 0;
BEGIN
  <<rows>>
  FOR i IN 1..3 LOOP
    FOR j IN 1..3 LOOP
      k := k + 1;
      CONTINUE rows WHEN j = 2;
      EXIT outer WHEN i = 3;
      RAISE NOTICE '% %', i, j;
    END LOOP;
  END LOOP rows;
  RAISE NOTICE 'not here';
END $$
--> NOTICE: 1 1
--> NOTICE: 2 1
--> DO

DO $$ DECLARE r record; BEGIN FOR r IN SELECT id, name FROM dv WHERE id < 4 ORDER BY id LOOP RAISE NOTICE '% is %', r.id, r.name; END LOOP; END $$
--> NOTICE: 1 is one
--> NOTICE: 2 is two
--> NOTICE: 3 is three
--> DO

DO $$
DECLARE i int; s text;
BEGIN
  FOR i, s IN SELECT id, name FROM dv WHERE id < 3 ORDER BY id LOOP
    UPDATE dv SET name = s || '!' WHERE id = i;
  END LOOP;
  IF FOUND THEN RAISE NOTICE 'found'; END IF;
END $$
--> NOTICE: found
--> DO

DO $$ DECLARE r record; BEGIN FOR r IN SELECT 1 WHERE false LOOP NULL; END LOOP; RAISE NOTICE '%', FOUND; END $$
--> NOTICE: f
--> DO

DO $$ DECLARE x int; BEGIN FOREACH x IN ARRAY ARRAY[3, 1, 2] LOOP RAISE NOTICE 'x %', x; END LOOP; END $$
--> NOTICE: x 3
--> NOTICE: x 1
--> NOTICE: x 2
--> DO

DO $$ BEGIN FOR i IN 1..NULL LOOP NULL; END LOOP; END $$
--> ERROR 22004: upper bound of FOR loop cannot be null

DO $$ BEGIN FOR r IN SELECT 1 LOOP NULL; END LOOP; END $$
--> ERROR 42601: loop variable of loop over rows must be a record variable or list of scalar variables

DO $$ BEGIN EXIT; END $$
--> ERROR 42601: EXIT cannot be used outside a loop, unless it has a label

-- INTO, of queries and of changes.

DO $$
DECLARE total int; r record; s text; v dv.name%TYPE; w dv%ROWTYPE; d date;
BEGIN
  SELECT count(*) INTO total FROM dv;
  SELECT * INTO r FROM dv WHERE id = 1;
  SELECT name, at INTO s, d FROM dv WHERE id = 2;
  SELECT name INTO v FROM dv WHERE id = 3;
  SELECT * INTO w FROM dv WHERE id = 3;
  RAISE NOTICE '% % % % % % %', total, r.name, s, d, v, w.n, FOUND;
  SELECT name INTO s FROM dv WHERE id = 99;
  RAISE NOTICE '% %', s, FOUND;
  INSERT INTO dv VALUES (100, 'hundred') RETURNING id, name INTO total, s;
  RAISE NOTICE '% %', total, s;
  UPDATE dv SET n = 4 WHERE id = 100 RETURNING n INTO w.n;
END $$
--> NOTICE: 5 one! two! 2024-02-01 three 3.25 t
--> NOTICE: <NULL> f
--> NOTICE: 100 hundred
--> DO

DO $$
DECLARE total int; s text;
BEGIN
  INSERT INTO dv VALUES (101, 'more') RETURNING id, name INTO total, s;
  RAISE NOTICE '% %', total, s;
  UPDATE dv SET n = 4 WHERE id IN (100, 101);
  GET DIAGNOSTICS total = ROW_COUNT;
  RAISE NOTICE '% %', total, FOUND;
  DELETE FROM dv WHERE id = 999;
  RAISE NOTICE '%', FOUND;
  WITH gone AS (DELETE FROM dv WHERE id >= 100 RETURNING id) SELECT count(*) INTO total FROM gone;
  RAISE NOTICE '%', total;
  PERFORM 1 FROM dv;
  GET DIAGNOSTICS total := ROW_COUNT;
  RAISE NOTICE '% %', total, FOUND;
END $$
--> NOTICE: 101 more
--> NOTICE: 2 t
--> NOTICE: f
--> NOTICE: 2
--> NOTICE: 5 t
--> DO

DO $$ DECLARE x int; BEGIN SELECT id INTO STRICT x FROM dv WHERE id = 77; END $$
--> ERROR P0002: query returned no rows

DO $$ DECLARE x int; BEGIN SELECT id INTO STRICT x FROM dv; END $$
--> ERROR P0003: query returned more than one row

DO $$ DECLARE x int; BEGIN SELECT id INTO STRICT x FROM dv WHERE id = 77; EXCEPTION WHEN no_data_found THEN RAISE NOTICE 'none'; END $$
--> NOTICE: none
--> DO

-- EXECUTE.

DO $$
DECLARE t text; n int;
BEGIN
  FOR t IN SELECT tablename FROM pg_tables WHERE tablename = 'dv' LOOP
    EXECUTE 'ALTER TABLE ' || quote_ident(t) || ' ADD COLUMN more int DEFAULT 5';
    EXECUTE format('SELECT count(*) FROM %I WHERE more = $1', t) INTO n USING 5;
    RAISE NOTICE '% has %', t, n;
  END LOOP;
  EXECUTE 'UPDATE dv SET more = $1 WHERE id = $2' USING 8, 1;
  GET DIAGNOSTICS n = ROW_COUNT;
  RAISE NOTICE '%', n;
  FOR n IN EXECUTE 'SELECT id FROM dv WHERE more = $1' USING 8 LOOP RAISE NOTICE 'id %', n; END LOOP;
END $$
--> NOTICE: dv has 5
--> NOTICE: 1
--> NOTICE: id 1
--> DO

DO $$ DECLARE q text; BEGIN EXECUTE q; END $$
--> ERROR 22004: query string argument of EXECUTE is null

-- CASE, ASSERT, RAISE in all its forms.

DO $$
DECLARE x int := 2;
BEGIN
  CASE x WHEN 1 THEN RAISE NOTICE 'one'; WHEN 2, 3 THEN RAISE NOTICE 'some'; ELSE RAISE NOTICE 'many'; END CASE;
  CASE WHEN x > 5 THEN RAISE NOTICE 'big'; ELSE NULL; END CASE;
  CASE WHEN x > 5 THEN RAISE NOTICE 'big'; END CASE;
END $$
--> NOTICE: some
--> ERROR 20000: case not found

DO $$ BEGIN ASSERT 1 = 1; ASSERT 1 = 2, 'not equal'; END $$
--> ERROR P0004: not equal

DO $$ BEGIN ASSERT false; END $$
--> ERROR P0004: assertion failed

DO $$ BEGIN RAISE unique_violation USING MESSAGE = 'already ' || 'there', DETAIL = 'some', HINT = 'other', CONSTRAINT = 'k', TABLE = 't'; END $$
--> ERROR 23505: already there
-->   detail: some
-->   table: t
-->   constraint: k

DO $$ BEGIN RAISE EXCEPTION 'no %', 1 USING ERRCODE = '22012'; END $$
--> ERROR 22012: no 1

DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = 'division_by_zero'; END $$
--> ERROR 22012: no

DO $$ BEGIN RAISE SQLSTATE '22P02'; END $$
--> ERROR 22P02: 22P02

DO $$ BEGIN RAISE no_such_condition; END $$
--> ERROR 42704: unrecognized exception condition "no_such_condition"

DO $$ BEGIN RAISE EXCEPTION 'a %'; END $$
--> ERROR 42601: too few parameters specified for RAISE

-- Errors and what handlers know of them.

DO $$
DECLARE m text; c text; k text; d text;
BEGIN
  FOR i IN 1..2 LOOP
    BEGIN
      INSERT INTO dv (id, name) VALUES (i, 'again');
    EXCEPTION WHEN unique_violation THEN
      GET STACKED DIAGNOSTICS m = MESSAGE_TEXT, c = RETURNED_SQLSTATE, k = CONSTRAINT_NAME, d = PG_EXCEPTION_DETAIL;
      RAISE NOTICE '% % % %', m, c, k, d;
      RAISE NOTICE '% %', SQLERRM, SQLSTATE;
      CONTINUE;
    END;
    RAISE NOTICE 'not here';
  END LOOP;
END $$
--> NOTICE: duplicate key value violates unique constraint "dv_pkey" 23505 dv_pkey Key (id)=(1) already exists.
--> NOTICE: duplicate key value violates unique constraint "dv_pkey" 23505
--> NOTICE: duplicate key value violates unique constraint "dv_pkey" 23505 dv_pkey Key (id)=(2) already exists.
--> NOTICE: duplicate key value violates unique constraint "dv_pkey" 23505
--> DO

DO $$
BEGIN
  FOR i IN 1..3 LOOP
    BEGIN
      INSERT INTO dv (id, name) VALUES (200 + i, 'kept');
      EXIT WHEN i = 2;
    EXCEPTION WHEN others THEN NULL;
    END;
  END LOOP;
END $$
--> DO

SELECT id FROM dv WHERE id > 200 ORDER BY id
--> id int4
--> 201
--> 202
--> SELECT 2

-- Names of variables, columns and inner blocks.

DO $$
DECLARE id int := 1;
BEGIN
  UPDATE dv SET name = 'x' WHERE id = 1;
END $$
--> ERROR 42702: column reference "id" is ambiguous
-->   detail: It could refer to either a PL/pgSQL variable or a table column.

DO $$
DECLARE v int := 1; s text;
BEGIN
  DECLARE v int := 2;
  BEGIN
    RAISE NOTICE 'inner %', v;
  END;
  RAISE NOTICE 'outer %', v;
  SELECT dv.name INTO s FROM dv WHERE dv.id = v;
  RAISE NOTICE '%', s;
END $$
--> NOTICE: inner 2
--> NOTICE: outer 1
--> NOTICE: one!
--> DO

DO $$ DECLARE t regclass := 'dv'; BEGIN RAISE NOTICE '% %', t, t = 'dv'::regclass; END $$
--> NOTICE: dv t
--> DO

DO $$ DECLARE r record; BEGIN RAISE NOTICE '%', r.x; END $$
--> ERROR 55000: record "r" is not assigned yet
-->   detail: The tuple structure of a not-yet-assigned record is indeterminate.

DO $$ DECLARE r record; BEGIN SELECT 1 AS a INTO r; RAISE NOTICE '%', r.b; END $$
--> ERROR 42703: record "r" has no field "b"

DO $$
DECLARE r record; w dv%ROWTYPE;
BEGIN
  SELECT id, name INTO r FROM dv WHERE id = 1;
  r.name := upper(r.name);
  w.id := 5;
  w.n := 1.239;
  w.name := 'w';
  RAISE NOTICE '% % % % %', r.id, r.name, w.id, w.n, w.at;
  INSERT INTO dv (id, name) VALUES (w.id, w.name);
  r.nothing := 1;
END $$
--> NOTICE: 1 ONE! 5 1.24 <NULL>
--> ERROR 42703: record "r" has no field "nothing"

DO $$ DECLARE x int; x int; BEGIN END $$
--> ERROR 42601: duplicate declaration at or near "x"

DO $$ DECLARE x nothing; BEGIN END $$
--> ERROR 42704: type "nothing" does not exist

-- A program that draws from sequences and computes by functions of the session.

CREATE TABLE ds (id serial PRIMARY KEY, who text DEFAULT current_user)
--> CREATE TABLE

DO $$ DECLARE n bigint; BEGIN n := nextval('ds_id_seq'); INSERT INTO ds (id) VALUES (n); INSERT INTO ds DEFAULT VALUES RETURNING id INTO n; RAISE NOTICE '%', n; END $$
--> NOTICE: 2
--> DO

SELECT id FROM ds ORDER BY id
--> id int4
--> 1
--> 2
--> SELECT 2

DROP TABLE dv, ds
--> DROP TABLE

-- Settings.
DO $$ BEGIN SET LOCAL client_min_messages = 'ERROR'; RAISE WARNING 'not told'; SET LOCAL client_min_messages TO 'notice'; RAISE NOTICE '%', current_setting('client_min_messages'); END $$
--> NOTICE: notice
--> DO

SHOW client_min_messages
--> client_min_messages text
--> notice
--> SHOW

DO $$ BEGIN SET search_path = pg_catalog; SET LOCAL work_mem = '5MB'; RAISE NOTICE '% %', current_setting('search_path'), current_setting('work_mem'); RESET work_mem; END $$
--> NOTICE: pg_catalog 5MB
--> DO

SHOW search_path
--> search_path text
--> pg_catalog
--> SHOW

DO $$ BEGIN SET nothing_such = 1; EXCEPTION WHEN undefined_object THEN RAISE NOTICE '%', SQLERRM; END $$
--> NOTICE: unrecognized configuration parameter "nothing_such"
--> DO

RESET search_path
--> RESET
