-- Functions of bytea, binary forms, sizes, identifiers, angles in degrees, and functions that carry out operators.

SELECT btrim('\x0001020100'::bytea, '\x00'::bytea), ltrim('\x0001'::bytea, '\x00'::bytea), rtrim('\x0001ff80'::bytea, '\x80ff'::bytea), trim(both '\x00'::bytea from '\x000100'::bytea)
--> btrim bytea | ltrim bytea | rtrim bytea | btrim bytea
--> \x010201 | \x01 | \x0001 | \x01
--> SELECT 1

SELECT overlay('\x01020304'::bytea placing '\xff'::bytea from 2 for 2), overlay('\x01020304'::bytea placing '\xffee'::bytea from 4)
--> overlay bytea | overlay bytea
--> \x01ff04 | \x010203ffee
--> SELECT 1

SELECT overlay('\x01'::bytea placing '\xff'::bytea from 0)
--> ERROR 22011: negative substring length not allowed

SELECT 'abc'::bytea LIKE '_b_'::bytea, 'abc'::bytea NOT LIKE 'a%'::bytea, 'a_c'::bytea LIKE 'a$__'::bytea ESCAPE '$'::bytea, '\xff41'::bytea LIKE '_A', '\xc3a9'::bytea LIKE '_'::bytea
--> ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool
--> t | f | t | t | f
--> SELECT 1

SELECT float4send(1.5::float4), float8send(1.5), int2send(1::int2), int4send(-2), int8send(3), boolsend(true), numeric_send(-12.5)
--> float4send bytea | float8send bytea | int2send bytea | int4send bytea | int8send bytea | boolsend bytea | numeric_send bytea
--> \x3fc00000 | \x3ff8000000000000 | \x0001 | \xfffffffe | \x0000000000000003 | \x01 | \x0002000040000001000c1388
--> SELECT 1

SELECT uuid_send('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'), date_send('2020-01-01'), timestamp_send('2020-01-01 00:00'), interval_send('1 month 2 days 3 seconds'), byteasend('\x01'), oidsend(5)
--> uuid_send bytea | date_send bytea | timestamp_send bytea | interval_send bytea | byteasend bytea | oidsend bytea
--> \xa0eebc999c0b4ef8bb6d6bb9bd380a11 | \x00001c89 | \x00023e0786c26000 | \x00000000002dc6c00000000200000001 | \x01 | \x00000005
--> SELECT 1

SELECT pg_size_bytes('1'), pg_size_bytes('1.5 GB'), pg_size_bytes(' 1kB'), pg_size_bytes('-1.5e2 mb'), pg_size_bytes('123bYteS'), pg_size_bytes('.5 kb ')
--> pg_size_bytes int8 | pg_size_bytes int8 | pg_size_bytes int8 | pg_size_bytes int8 | pg_size_bytes int8 | pg_size_bytes int8
--> 1 | 1610612736 | 1024 | -157286400 | 123 | 512
--> SELECT 1

SELECT pg_size_bytes('1 AB')
--> ERROR 22023: invalid size: "1 AB"
-->   detail: Invalid size unit: "AB".

SELECT pg_size_bytes('.')
--> ERROR 22023: invalid size: "."

SELECT pg_size_bytes('9e30')
--> ERROR 22003: bigint out of range

SELECT parse_ident('foo.boo'), parse_ident('"A b".c$1', true), parse_ident('foo.boo[]', strict => false), parse_ident(' A . "b""c" ')
--> parse_ident text[] | parse_ident text[] | parse_ident text[] | parse_ident text[]
--> {foo,boo} | {"A b",c$1} | {foo,boo} | {a,"b\"c"}
--> SELECT 1

SELECT parse_ident('foo.boo[]')
--> ERROR 22023: string is not a valid identifier: "foo.boo[]"

SELECT parse_ident('a.')
--> ERROR 22023: string is not a valid identifier: "a."
-->   detail: No valid identifier after ".".

SELECT parse_ident('.a')
--> ERROR 22023: string is not a valid identifier: ".a"
-->   detail: No valid identifier before ".".

SELECT parse_ident('"a')
--> ERROR 22023: string is not a valid identifier: ""a"
-->   detail: String has unclosed double quotes.

SELECT parse_ident('""')
--> ERROR 22023: string is not a valid identifier: """"
-->   detail: Quoted identifier must not be empty.

SELECT parse_ident(' ')
--> ERROR 22023: string is not a valid identifier: " "

SELECT sind(30), cosd(60), tand(45), cotd(45), asind(0.5), acosd(0.5), atand(1), atan2d(1, 1), sind(-90), cosd(180), tand(180), cotd(270), acosd(-1)
--> sind float8 | cosd float8 | tand float8 | cotd float8 | asind float8 | acosd float8 | atand float8 | atan2d float8 | sind float8 | cosd float8 | tand float8 | cotd float8 | acosd float8
--> 0.5 | 0.5 | 1 | 1 | 30 | 60 | 45 | 45 | -1 | -1 | 0 | 0 | 180
--> SELECT 1

SELECT asind(2)
--> ERROR 22003: input is out of range

SELECT cosd('Infinity')
--> ERROR 22003: input is out of range

SELECT booleq(true, false), int4pl(1, 2), textcat('a', 'b'), float8mul(2, 3), numeric_add(1, 2.5), texteq('a', 'b'), int8lt(1, 2), date_mi('2020-01-03', '2020-01-01'), int4um(5)
--> booleq bool | int4pl int4 | textcat text | float8mul float8 | numeric_add numeric | texteq bool | int8lt bool | date_mi int4 | int4um int4
--> f | 3 | ab | 6 | 3.5 | f | t | 2 | -5
--> SELECT 1

SELECT int4pl(2147483647, 1)
--> ERROR 22003: integer out of range

SELECT textcat(1, 2)
--> ERROR 42883: function textcat(integer, integer) does not exist

SELECT jsonb_build_object(null, 1)
--> ERROR 22023: argument 1: key must not be null

SELECT json_build_object(null, 1)
--> ERROR 22023: argument 1 cannot be null

SELECT jsonb_build_object(1)
--> ERROR 22023: argument list must have even number of elements

SELECT * FROM generate_series(1, 'NaN'::numeric)
--> ERROR 22023: stop value cannot be NaN

SELECT * FROM generate_series('infinity', 3::numeric)
--> ERROR 22023: start value cannot be infinity

SELECT * FROM generate_series(1, 3, '-infinity'::numeric)
--> ERROR 22023: step size cannot be infinity

SELECT * FROM json_populate_recordset(row(0::int, 0::int), '[{"f1":"1","b":"2"},{"a":"3"}]') AS q (a text, b text)
--> ERROR 42804: function return row and query-specified return row do not match
-->   detail: Returned type integer at ordinal position 1, but query expects text.

SELECT * FROM json_populate_recordset(row(0::int, 0::int, 0::int), '[{"a":"1"}]') AS q (a text, b text)
--> ERROR 42804: function return row and query-specified return row do not match
-->   detail: Returned row contains 3 attributes, but query expects 2.

SELECT * FROM json_populate_recordset(row(0::int, 7::int), '[{"f1":"1","b":"2"},{"a":"3"}]') AS q (a int, b int)
--> a int4 | b int4
--> 1 | 7
--> 0 | 7
--> SELECT 2

SELECT '(1,2)'::record
--> ERROR 0A000: input of anonymous composite types is not implemented

SELECT row() = row()
--> ERROR 0A000: cannot compare rows of zero length
