-- How values look: the text forms of each type, and its errors.
SELECT 1::smallint, 2::int, 3::bigint, 4, 5000000000, 1.5, 1e3, '7'::int, true, 'text', NULL
--> int2 int2 | int4 int4 | int8 int8 | ?column? int4 | ?column? int8 | ?column? numeric | ?column? numeric | int4 int4 | ?column? bool | ?column? text | ?column? text
--> 1 | 2 | 3 | 4 | 5000000000 | 1.5 | 1000 | 7 | t | text | ∅
--> SELECT 1

SELECT 32768::smallint
--> ERROR 22003: smallint out of range

SELECT 2147483647 + 1
--> ERROR 22003: integer out of range

SELECT 9223372036854775807 + 1
--> ERROR 22003: bigint out of range

SELECT '12x'::int
--> ERROR 22P02: invalid input syntax for type integer: "12x"

SELECT 7 / 2, -7 / 2, 7 % 3, -7 % 3, 7.0 / 2, 2 ^ 10, 5 & 3, 5 | 3, 5 # 3, 1 << 4, @ -5
--> ?column? int4 | ?column? int4 | ?column? int4 | ?column? int4 | ?column? numeric | ?column? float8 | ?column? int4 | ?column? int4 | ?column? int4 | ?column? int4 | ?column? int4
--> 3 | -3 | 1 | -1 | 3.5000000000000000 | 1024 | 1 | 7 | 6 | 16 | 5
--> SELECT 1

SELECT round(2.5), round(-2.5), round(2.567, 2), trunc(2.99), ceil(1.1), floor(-1.1), abs(-3), sign(-2.5), mod(10, 3), power(2, 3), sqrt(16)
--> round numeric | round numeric | round numeric | trunc numeric | ceil numeric | floor numeric | abs int4 | sign numeric | mod int4 | power float8 | sqrt float8
--> 3 | -3 | 2.57 | 2 | 2 | -2 | 3 | -1 | 1 | 8 | 4
--> SELECT 1

SELECT 0.1 + 0.2, 1.0 / 3, 10.00 * 2, 1e10::numeric, 123456789012345678901234567890.123456789, 'NaN'::numeric
--> ?column? numeric | ?column? numeric | ?column? numeric | numeric numeric | ?column? numeric | numeric numeric
--> 0.3 | 0.33333333333333333333 | 20.00 | 10000000000 | 123456789012345678901234567890.123456789 | NaN
--> SELECT 1

SELECT 1.10::numeric(10,3), 12345.678::numeric(7,1), 99.995::numeric(4,2)
--> ERROR 22003: numeric field overflow
-->   detail: A field with precision 4, scale 2 must round to an absolute value less than 10^2.

SELECT 12345::numeric(4,2)
--> ERROR 22003: numeric field overflow
-->   detail: A field with precision 4, scale 2 must round to an absolute value less than 10^2.

SELECT 0.1::float8 + 0.2::float8, 1::float8 / 3, 1e100::float8, 1.5::float4, 'Infinity'::float8, '-0'::float8, 3.0::float8, 1e-7::float8
--> ?column? float8 | ?column? float8 | float8 float8 | float4 float4 | float8 float8 | float8 float8 | float8 float8 | float8 float8
--> 0.30000000000000004 | 0.3333333333333333 | 1e+100 | 1.5 | Infinity | -0 | 3 | 1e-07
--> SELECT 1

SELECT 1.0::float8 / 0
--> ERROR 22012: division by zero

SELECT 't'::boolean, 'no'::boolean, 'on'::bool, NOT true, true AND NULL, true OR NULL, 1::boolean
--> bool bool | bool bool | bool bool | ?column? bool | ?column? bool | ?column? bool | bool bool
--> t | f | t | f | ∅ | t | t
--> SELECT 1

SELECT 'maybe'::boolean
--> ERROR 22P02: invalid input syntax for type boolean: "maybe"

SELECT 'abc' || 'def', 'n=' || 5, length('héllo'), upper('é'), substring('hello' from 2 for 3), position('l' in 'hello'), trim('  x '), replace('aXbX', 'X', '-'), left('hello', 2), right('hello', 2), lpad('7', 3, '0'), repeat('ab', 3), reverse('abc'), split_part('a,b,c', ',', 2), initcap('hello world'), strpos('hello', 'l')
--> ?column? text | ?column? text | length int4 | upper text | substring text | position int4 | btrim text | replace text | left text | right text | lpad text | repeat text | reverse text | split_part text | initcap text | strpos int4
--> abcdef | n=5 | 5 | É | ell | 3 | x | a-b- | he | lo | 007 | ababab | cba | b | Hello World | 3
--> SELECT 1

SELECT 'abc'::char(5) || '|', 'abcdef'::varchar(3), 'abc'::char(5) = 'abc', length('abc'::char(5))
--> ?column? text | varchar varchar | ?column? bool | length int4
--> abc| | abc | t | 3
--> SELECT 1

SELECT 'it''s', E'tab\there', $$dollar 'quoted'$$, 'é'::bytea, chr(65), ascii('A'), md5('a'), concat('a', NULL, 1, true), concat_ws('-', 'a', NULL, 'b'), format('%s is %L and %I', 'x', 'it''s', 'Col')
--> ?column? text | ?column? text | ?column? text | bytea bytea | chr text | ascii int4 | md5 text | concat text | concat_ws text | format text
--> it's | tab	here | dollar 'quoted' | \xc3a9 | A | 65 | 0cc175b9c0f1b6a831c399e269772661 | a1t | a-b | x is 'it''s' and "Col"
--> SELECT 1

SELECT 'a' < 'b', 'a' < 'B', 'abc' LIKE 'a_c', 'a%c' LIKE 'a\%c', 'ABC' ILIKE 'abc', 'abc' SIMILAR TO 'a(b|x)c', 'foobar' ~ 'o+b', regexp_replace('foobar', 'o+', '0'), regexp_match('foobar', '(o+)(b)')
--> ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | regexp_replace text | regexp_match text[]
--> t | f | t | t | t | t | t | f0bar | {oo,b}
--> SELECT 1

SELECT '2024-02-29'::date, '2024-02-29'::date + 1, '2024-03-01'::date - '2024-02-28'::date, date '2024-01-31' + interval '1 month', '0044-03-15 BC'::date, 'infinity'::date
--> date date | ?column? date | ?column? int4 | ?column? timestamp | date date | date date
--> 2024-02-29 | 2024-03-01 | 2 | 2024-02-29 00:00:00 | 0044-03-15 BC | infinity
--> SELECT 1

SELECT '2023-02-29'::date
--> ERROR 22008: date/time field value out of range: "2023-02-29"

SELECT 'yesterdayish'::date
--> ERROR 22007: invalid input syntax for type date: "yesterdayish"

SELECT '12:34:56'::time, '12:34:56.789'::time, '24:00'::time, '12:34:56+02'::timetz
--> time time | time time | time time | timetz timetz
--> 12:34:56 | 12:34:56.789 | 24:00:00 | 12:34:56+02
--> SELECT 1

SELECT '2024-01-02 03:04:05'::timestamp, '2024-01-02 03:04:05.678900'::timestamp, '2024-01-02T03:04:05Z'::timestamptz, '2024-01-02 03:04:05+05:30'::timestamptz, 'epoch'::timestamptz, 'infinity'::timestamp
--> timestamp timestamp | timestamp timestamp | timestamptz timestamptz | timestamptz timestamptz | timestamptz timestamptz | timestamp timestamp
--> 2024-01-02 03:04:05 | 2024-01-02 03:04:05.6789 | 2024-01-02 03:04:05+00 | 2024-01-01 21:34:05+00 | 1970-01-01 00:00:00+00 | infinity
--> SELECT 1

SELECT '2024-07-01 12:00+00'::timestamptz AT TIME ZONE 'Europe/Berlin', '2024-01-01 12:00'::timestamp AT TIME ZONE 'America/New_York'
--> timezone timestamp | timezone timestamptz
--> 2024-07-01 14:00:00 | 2024-01-01 17:00:00+00
--> SELECT 1

SELECT '1 year 2 months 3 days 04:05:06.7'::interval, '90 minutes'::interval, '1 day'::interval * 1.5, interval '1 month' - interval '1 day', '-1 day +2 hours'::interval, 'P1Y2M3DT4H'::interval
--> interval interval | interval interval | ?column? interval | ?column? interval | interval interval | interval interval
--> 1 year 2 mons 3 days 04:05:06.7 | 01:30:00 | 1 day 12:00:00 | 1 mon -1 days | -1 days +02:00:00 | 1 year 2 mons 3 days 04:00:00
--> SELECT 1

SELECT timestamp '2024-03-31 10:00' - timestamp '2024-03-30 09:30', age(timestamp '2024-03-01', timestamp '2023-01-15'), date_trunc('month', timestamp '2024-05-17 13:14:15'), extract(epoch FROM timestamp '2000-01-01'), extract(dow FROM date '2024-02-29'), date_part('day', timestamp '2024-05-17')
--> ?column? interval | age interval | date_trunc timestamp | extract numeric | extract numeric | date_part float8
--> 1 day 00:30:00 | 1 year 1 mon 17 days | 2024-05-01 00:00:00 | 946684800.000000 | 4 | 17
--> SELECT 1

SELECT to_char(timestamp '2024-05-07 13:04:05', 'YYYY-MM-DD HH24:MI:SS'), to_char(1234.5, 'FM9,999.00'), to_date('07/05/2024', 'DD/MM/YYYY'), to_timestamp(0), make_date(2024, 2, 3)
--> to_char text | to_char text | to_date date | to_timestamp timestamptz | make_date date
--> 2024-05-07 13:04:05 | 1,234.50 | 2024-05-07 | 1970-01-01 00:00:00+00 | 2024-02-03
--> SELECT 1

SELECT '{"b": 1, "a": [1, 2.50, null, "x"], "b": 2}'::jsonb, '{"b": 1,  "a": 2}'::json, '1'::jsonb, '"x"'::jsonb, 'null'::jsonb
--> jsonb jsonb | json json | jsonb jsonb | jsonb jsonb | jsonb jsonb
--> {"a": [1, 2.50, null, "x"], "b": 2} | {"b": 1,  "a": 2} | 1 | "x" | null
--> SELECT 1

SELECT '{"a": {"b": [10, 20]}}'::jsonb -> 'a' -> 'b' -> 1, '{"a": 1}'::jsonb ->> 'a', '{"a": {"b": 5}}'::jsonb #> '{a,b}', '{"a": {"b": 5}}'::jsonb #>> '{a,b}', '{"a": 1, "b": 2}'::jsonb @> '{"a": 1}', '{"a": 1}'::jsonb ? 'a', '{"a": 1}'::jsonb || '{"b": 2}', '{"a": 1, "b": 2}'::jsonb - 'a'
--> ?column? jsonb | ?column? text | ?column? jsonb | ?column? text | ?column? bool | ?column? bool | ?column? jsonb | ?column? jsonb
--> 20 | 1 | 5 | 5 | t | t | {"a": 1, "b": 2} | {"b": 2}
--> SELECT 1

SELECT jsonb_build_object('a', 1, 'b', ARRAY[1, 2]), to_jsonb('x'::text), jsonb_array_length('[1, 2, 3]'), jsonb_typeof('{"a": 1}'), jsonb_set('{"a": 1}', '{a}', '2'), jsonb_pretty('{"a": [1]}')
--> jsonb_build_object jsonb | to_jsonb jsonb | jsonb_array_length int4 | jsonb_typeof text | jsonb_set jsonb | jsonb_pretty text
--> {"a": 1, "b": [1, 2]} | "x" | 3 | object | {"a": 2} | {
-->     "a": [
-->         1
-->     ]
--> }
--> SELECT 1

SELECT jsonb_agg(n), json_agg(n), jsonb_object_agg('k' || n, n) FROM generate_series(1, 3) AS n
--> jsonb_agg jsonb | json_agg json | jsonb_object_agg jsonb
--> [1, 2, 3] | [1, 2, 3] | {"k1": 1, "k2": 2, "k3": 3}
--> SELECT 1

SELECT key, value FROM jsonb_each('{"a": 1, "b": "x"}') ORDER BY key
--> key text | value jsonb
--> a | 1
--> b | "x"
--> SELECT 2

SELECT value FROM jsonb_array_elements('[1, {"a": 2}, "x"]')
--> value jsonb
--> 1
--> {"a": 2}
--> "x"
--> SELECT 3

SELECT '{bad json}'::jsonb
--> ERROR 22P02: invalid input syntax for type json
-->   detail: Token "bad" is invalid.

SELECT 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid, '{a0eebc999c0b4ef8bb6d6bb9bd380a11}'::uuid, length(gen_random_uuid()::text)
--> uuid uuid | uuid uuid | length int4
--> a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11 | a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11 | 36
--> SELECT 1

SELECT 'nonsense'::uuid
--> ERROR 22P02: invalid input syntax for type uuid: "nonsense"

SELECT '\xdeadBEEF'::bytea, 'abc\\x'::bytea, length('\x0001'::bytea), encode('\x0102'::bytea, 'hex'), decode('AQI=', 'base64'), '\x01'::bytea || '\x02'::bytea
--> bytea bytea | bytea bytea | length int4 | encode text | decode bytea | ?column? bytea
--> \xdeadbeef | \x6162635c78 | 2 | 0102 | \x0102 | \x0102
--> SELECT 1

SELECT '\x0'::bytea
--> ERROR 22023: invalid hexadecimal data: odd number of digits

SELECT ARRAY[1, 2, 3], '{1,NULL,3}'::int[], ARRAY['a b', 'c"d', 'e,f', '', NULL], ARRAY[[1, 2], [3, 4]], '{}'::text[], (ARRAY[10, 20, 30])[2], (ARRAY[1, 2, 3])[2:3], array_length(ARRAY[1, 2], 1), cardinality(ARRAY[1, 2]), ARRAY[1] || 2, ARRAY[1, 2] @> ARRAY[2], array_to_string(ARRAY[1, 2], '-'), string_to_array('a,b', ',')
--> array int4[] | int4 int4[] | array text[] | array int4[] | text text[] | array int4 | array int4[] | array_length int4 | cardinality int4 | ?column? int4[] | ?column? bool | array_to_string text | string_to_array text[]
--> {1,2,3} | {1,NULL,3} | {"a b","c\"d","e,f","",NULL} | {{1,2},{3,4}} | {} | 20 | {2,3} | 2 | 2 | {1,2} | t | 1-2 | {a,b}
--> SELECT 1

SELECT '{1,2'::int[]
--> ERROR 22P02: malformed array literal: "{1,2"
-->   detail: Unexpected end of input.

SELECT row(1, 'a', NULL), (1, 2) = (1, 2), (1, 2) < (1, 3), row(1, NULL) IS NULL
--> row record | ?column? bool | ?column? bool | ?column? bool
--> (1,a,) | t | t | f
--> SELECT 1

SELECT pg_typeof(1), pg_typeof(1.5), pg_typeof('a'::text), pg_typeof(now()), pg_typeof(ARRAY[1]), pg_typeof(NULL)
--> pg_typeof regtype | pg_typeof regtype | pg_typeof regtype | pg_typeof regtype | pg_typeof regtype | pg_typeof regtype
--> integer | numeric | text | timestamp with time zone | integer[] | unknown
--> SELECT 1

SELECT current_database() IS NOT NULL AS a, version() LIKE 'PostgreSQL 15%' AS b, now() = now() AS c, current_date = now()::date AS d
--> a bool | b bool | c bool | d bool
--> t | t | t | t
--> SELECT 1

SELECT CAST('5' AS integer) + 1, '5'::text::int, 5::text || 'x', '2024-01-01'::date::text, 1::numeric::int, 2.5::int, 3.5::int, (-2.5)::int, 2.5::float8::int
--> ?column? int4 | int4 int4 | ?column? text | text text | int4 int4 | int4 int4 | int4 int4 | int4 int4 | int4 int4
--> 6 | 5 | 5x | 2024-01-01 | 1 | 3 | 4 | -3 | 2
--> SELECT 1

SELECT 'abc'::regclass
--> ERROR 42P01: relation "abc" does not exist

CREATE TABLE t_all (a smallint, b int, c bigint, d numeric(12,4), e real, f double precision, g boolean, h text, i varchar(10), j char(4), k date, l time, m timestamp, n timestamptz, o interval, p jsonb, q json, r uuid, s bytea, t int[], u text[])
--> CREATE TABLE

INSERT INTO t_all VALUES (1, 2, 3, 4.5, 1.25, 2.5, true, 'tést', 'vc', 'ch', '2024-02-29', '23:59:59.5', '2024-02-29 12:00', '2024-02-29 12:00+02', '1 mon 2 days 3 hours', '{"z": 1, "a": 2}', '{"z": 1,  "a": 2}', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '\x00ff', '{1,2}', '{a,"b c"}'), (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
--> INSERT 0 2

SELECT * FROM t_all ORDER BY a
--> a int2 | b int4 | c int8 | d numeric | e float4 | f float8 | g bool | h text | i varchar | j bpchar | k date | l time | m timestamp | n timestamptz | o interval | p jsonb | q json | r uuid | s bytea | t int4[] | u text[]
--> 1 | 2 | 3 | 4.5000 | 1.25 | 2.5 | t | tést | vc | ch   | 2024-02-29 | 23:59:59.5 | 2024-02-29 12:00:00 | 2024-02-29 10:00:00+00 | 1 mon 2 days 03:00:00 | {"a": 2, "z": 1} | {"z": 1,  "a": 2} | a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11 | \x00ff | {1,2} | {a,"b c"}
--> ∅ | ∅ | ∅ | ∅ | ∅ | ∅ | ∅ | ∅ | ∅ | ∅ | ∅ | ∅ | ∅ | ∅ | ∅ | ∅ | ∅ | ∅ | ∅ | ∅ | ∅
--> SELECT 2

UPDATE t_all SET d = d / 3, e = e * 1.1, f = f / 3, k = k + 1, m = m + interval '1 day', p = p || '{"n": null}', t = t || 3 WHERE a = 1 RETURNING d, e, f, k, m, p, t
--> d numeric | e float4 | f float8 | k date | m timestamp | p jsonb | t int4[]
--> 1.5000 | 1.375 | 0.8333333333333334 | 2024-03-01 | 2024-03-01 12:00:00 | {"a": 2, "n": null, "z": 1} | {1,2,3}
--> UPDATE 1

SELECT count(*) FROM t_all WHERE n = '2024-02-29 10:00Z' AND r = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11' AND j = 'ch' AND s = '\x00ff' AND t @> '{1}' AND p ->> 'z' = '1'
--> count int8
--> 1
--> SELECT 1

INSERT INTO t_all (i) VALUES ('longer than ten')
--> ERROR 22001: value too long for type character varying(10)

INSERT INTO t_all (i) VALUES ('ten chars    ') RETURNING i || '|'
--> ?column? text
--> ten chars |
--> INSERT 0 1

INSERT INTO t_all (a) VALUES (40000)
--> ERROR 22003: smallint out of range

INSERT INTO t_all (k) VALUES ('2024-13-01')
--> ERROR 22008: date/time field value out of range: "2024-13-01"

SET timezone = 'America/New_York'
--> SET

SELECT n FROM t_all WHERE a = 1
--> n timestamptz
--> 2024-02-29 05:00:00-05
--> SELECT 1

SET datestyle = 'SQL, DMY'
--> SET

SELECT k, m, n FROM t_all WHERE a = 1
--> k date | m timestamp | n timestamptz
--> 01/03/2024 | 01/03/2024 12:00:00 | 29/02/2024 05:00:00 EST
--> SELECT 1

RESET datestyle; SET timezone = 'UTC'; SET intervalstyle = 'iso_8601'
--> RESET
--> SET
--> SET

SELECT o FROM t_all WHERE a = 1
--> o interval
--> P1M2DT3H
--> SELECT 1

RESET intervalstyle
--> RESET

SHOW timezone
--> TimeZone text
--> UTC
--> SHOW

DROP TABLE t_all
--> DROP TABLE
