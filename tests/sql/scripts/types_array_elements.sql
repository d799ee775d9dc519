-- `ARRAY[…]::type[]` casts each element: they need no common type.

SELECT ARRAY[1, 3, 9, 'NaN', 'NaN']::float8[], ARRAY[1, '2.5']::numeric[], ARRAY[1.5, 2]::int[]
--> array float8[] | array numeric[] | array int4[]
--> {1,3,9,NaN,NaN} | {1,2.5} | {2,2}
--> SELECT 1

SELECT ARRAY['2020-01-01', current_date]::date[] IS NULL, ARRAY['a', 'bcd']::varchar(2)[], CAST(ARRAY['t', 1 = 1] AS boolean[])
--> ?column? bool | array varchar[] | array bool[]
--> f | {a,bc} | {t,t}
--> SELECT 1

SELECT ARRAY['a'::text, 'bcd']::varchar(2)[], ARRAY['ab'::bpchar, 'c']::char(3)[], ARRAY[1.25, '3.456']::numeric(4, 1)[]
--> array varchar[] | array 1014 | array numeric[]
--> {a,bc} | {"ab ","c  "} | {1.3,3.5}
--> SELECT 1

SELECT ARRAY[[1, '2'], [3, '4']]::bigint[], ARRAY['{1,2}', '{3,4}']::int[], ARRAY[ARRAY[1, 2]]::text[]
--> ERROR 22P02: invalid input syntax for type integer: "{1,2}"

SELECT ARRAY[NULL]::int[], ARRAY[]::int[], ARRAY[NULL, '1']::bigint[]
--> array int4[] | array int4[] | array int8[]
--> {NULL} | {} | {NULL,1}
--> SELECT 1

SELECT (ARRAY['1', 'x'])::text[], ((ARRAY[1, '2']))::numeric[]
--> array text[] | array numeric[]
--> {1,x} | {1,2}
--> SELECT 1

SELECT ARRAY['x']::int[]
--> ERROR 22P02: invalid input syntax for type integer: "x"

SELECT ARRAY[1, 'x']::int[]
--> ERROR 22P02: invalid input syntax for type integer: "x"

SELECT ARRAY[1, true]::int[]
--> array int4[]
--> {1,1}
--> SELECT 1

SELECT ARRAY[date '2020-01-01']::int[]
--> ERROR 42846: cannot cast type date to integer

SELECT pg_typeof(ARRAY[1, '2']::smallint[]), pg_typeof(ARRAY[1, 2]::numeric(10, 2)[])
--> pg_typeof regtype | pg_typeof regtype
--> smallint[] | numeric[]
--> SELECT 1

SELECT 1.0 = ANY (ARRAY[1, '2']::numeric[]), width_bucket(3, ARRAY[1, 3, 9, 'NaN']::float8[])
--> ?column? bool | width_bucket int4
--> t | 2
--> SELECT 1

CREATE DOMAIN ae_positive AS int CHECK (value > 0)
--> CREATE DOMAIN

SELECT ARRAY[1, '2']::ae_positive[]::text
--> array text
--> {1,2}
--> SELECT 1

SELECT ARRAY[1, -1]::ae_positive[]
--> ERROR 23514: value for domain ae_positive violates check constraint "ae_positive_check"
-->   type: ae_positive
-->   constraint: ae_positive_check

CREATE TABLE ae (a numeric[] DEFAULT ARRAY[1, '2.50']::numeric[], CHECK (a <> ARRAY[0, '1']::numeric[]))
--> CREATE TABLE

INSERT INTO ae DEFAULT VALUES RETURNING *
--> a numeric[]
--> {1,2.50}
--> INSERT 0 1

INSERT INTO ae VALUES (ARRAY['0', 1.0]::numeric[])
--> ERROR 23514: new row for relation "ae" violates check constraint "ae_a_check"
-->   detail: Failing row contains ({0,1.0}).
-->   table: ae
-->   constraint: ae_a_check

SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'ae'::regclass
--> pg_get_expr text
--> ARRAY[(1)::numeric, 2.50]
--> SELECT 1

SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'ae'::regclass
--> pg_get_constraintdef text
--> CHECK ((a <> ARRAY[(0)::numeric, '1'::numeric]))
--> SELECT 1

PREPARE ae_params AS SELECT ARRAY[$1, $2]::numeric[]
--> PREPARE

SELECT parameter_types FROM pg_prepared_statements WHERE name = 'ae_params'
--> parameter_types 2211
--> {numeric,numeric}
--> SELECT 1

EXECUTE ae_params(1, 2.5)
--> array numeric[]
--> {1,2.5}
--> SELECT 1

DEALLOCATE ae_params
--> DEALLOCATE

DROP TABLE ae
--> DROP TABLE

DROP DOMAIN ae_positive
--> DROP DOMAIN

SELECT format('%s %I %L', VARIADIC ARRAY['a b', 'C d', NULL]), format('%s', VARIADIC ARRAY[true]), format('%2$s', VARIADIC ARRAY[1, 2])
--> format text | format text | format text
--> a b "C d" NULL | t | 2
--> SELECT 1

SELECT format(NULL, VARIADIC ARRAY[1]), format('Hello', VARIADIC NULL::int[]), format('%1$s', VARIADIC '{a,b}')
--> ERROR 42804: VARIADIC argument must be an array

SELECT format('%s and %s', VARIADIC a) FROM (VALUES (ARRAY[1, 2]), (ARRAY[3, 4])) v(a)
--> format text
--> 1 and 2
--> 3 and 4
--> SELECT 2

SELECT format('%s %s', VARIADIC a) FROM (VALUES (ARRAY[1])) v(a)
--> ERROR 22023: too few arguments for format()

SELECT format('%s', VARIADIC 1)
--> ERROR 42804: VARIADIC argument must be an array

SELECT array_agg(a) FROM (VALUES ('{1,2}'::int[]), ('{3,4}')) v(a)
--> array_agg int4[]
--> {{1,2},{3,4}}
--> SELECT 1

SELECT array_agg(a) FROM (VALUES ('{1,2}'::int[]), ('{3}')) v(a)
--> ERROR 2202E: cannot accumulate arrays of different dimensionality

SELECT array_agg('{}'::int[]) FROM generate_series(1, 2)
--> ERROR 2202E: cannot accumulate empty arrays

SELECT array(SELECT a FROM (VALUES ('{1,2}'::int[]), ('{3}')) v(a))
--> ERROR 2202E: cannot accumulate arrays of different dimensionality

SELECT array_agg(a) FROM (VALUES ('{1,2}'::int[]), (NULL)) v(a)
--> ERROR 22004: cannot accumulate null arrays

-- Of untyped literals an array is one of texts, whatever it becomes.

SELECT length(ARRAY['a', 'b']::text), length(ARRAY[NULL, 'b']::text), ARRAY['a', 'b']::text = '{a,b}', left(ARRAY['a']::text, 2), upper(ARRAY['x', 'y']::varchar)
--> length int4 | length int4 | ?column? bool | left text | upper text
--> 5 | 8 | t | {a | {X,Y}
--> SELECT 1

SELECT coalesce(ARRAY['a', 'b']::text, 'x'), ARRAY['z'] || ARRAY['a', 'b']::text, replace(ARRAY['x']::text, 'x', 'y')
--> coalesce text | ?column? text[] | replace text
--> {a,b} | {z,"{a,b}"} | {y}
--> SELECT 1

CREATE TABLE ae_texts (s text)
--> CREATE TABLE

INSERT INTO ae_texts VALUES (ARRAY['a', 'b']::text) RETURNING s
--> s text
--> {a,b}
--> INSERT 0 1

UPDATE ae_texts SET s = ARRAY['c', 'd']::text RETURNING s
--> s text
--> {c,d}
--> UPDATE 1

SELECT ARRAY['1']::jsonb
--> ERROR 42846: cannot cast type text[] to jsonb

DROP TABLE ae_texts
--> DROP TABLE
