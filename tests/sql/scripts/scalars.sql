-- Values of functions: ages, classes of characters, matches of nothing, precisions of intervals, texts of values.

-- A month is borrowed with the length of the earlier date's, whichever comes first.
select age(timestamp '2020-01-31', timestamp '2020-03-01'), age(timestamp '2020-03-01', timestamp '2020-01-31'), age(timestamp '2019-12-31 23:00', timestamp '2020-01-01 01:00'), age(timestamp '2001-04-10', timestamp '2001-06-13'), age(timestamp '2020-02-29', timestamp '2021-02-28')
--> age interval | age interval | age interval | age interval | age interval
--> -1 mons -1 days | 1 mon 1 day | -02:00:00 | -2 mons -3 days | -11 mons -28 days
--> SELECT 1

select age(timestamp '2020-01-01 10:00', timestamp '2020-01-05 09:00'), age(timestamp '2020-05-31', timestamp '2020-07-30 12:00'), age(timestamp '2021-02-28', timestamp '2020-02-29'), age(timestamp '2020-07-30 12:00', timestamp '2020-05-31')
--> age interval | age interval | age interval | age interval
--> -3 days -23:00:00 | -1 mons -30 days -12:00:00 | 11 mons 28 days | 1 mon 30 days 12:00:00
--> SELECT 1

select age(a, b), age(b, a) from (values (timestamptz '2020-02-29 12:00+00', timestamptz '2020-04-01 11:59:59.5+00'), ('1999-12-31 00:00+00', '2000-03-01 00:00:01+00'), ('2023-03-31 00:00+00', '2023-04-30 00:00+00')) v(a, b)
--> age interval | age interval
--> -1 mons -23:59:59.5 | 1 mon 23:59:59.5
--> -2 mons -1 days -00:00:01 | 2 mons 1 day 00:00:01
--> -30 days | 30 days
--> SELECT 3

select age(date '2020-01-31', date '2020-03-30'), age(date '2020-03-30', date '2020-01-31')
--> age interval | age interval
--> -1 mons -30 days | 1 mon 30 days
--> SELECT 1

-- Classes of characters are those of all scripts.
select 'é' ~ '[[:alpha:]]', 'É' ~ '^[[:upper:]]$', 'é' ~ '^[[:lower:]]$', 'É' ~ '[[:lower:]]', 'é' ~ '[[:upper:]]', '中' ~ '[[:alpha:]]', 'ж' ~ '[^[:alpha:]]', '1' ~ '[[:alpha:]]', 'ª' ~ '[[:alpha:]]', 'é1' ~ '^[[:alnum:]]+$'
--> ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool
--> t | t | t | f | f | t | f | f | t | t
--> SELECT 1

select 'ж' ~ '\w', '٣' ~ '\d', '٣' ~ '[[:digit:]]', '٣' ~ '\D', '٣' ~ '[[:alnum:]]', '²' ~ '\w', 'é' ~ '\W', 'é' ~ '[\w-]', '_' ~ '[[:word:]]', '5' ~ '[\d]'
--> ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool
--> t | f | f | t | t | f | f | t | t | t
--> SELECT 1

select E'\u00a0' ~ '\s', E'\u2003' ~ '\s', E'\u2003' ~ '[[:space:]]', E'\u2003' ~ '[[:blank:]]', ' ' ~ '[[:blank:]]', E'\t' ~ '\S', E'\u2003' ~ '[^[:space:]]', E'a b' ~ '^\w\s\w$'
--> ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool
--> f | t | t | f | t | f | f | t
--> SELECT 1

select '«' ~ '[[:punct:]]', '€' ~ '[[:punct:]]', 'é' ~ '[[:punct:]]', '-' ~ '[[:punct:]]', 'é' ~ '[[:graph:]]', ' ' ~ '[[:graph:]]', 'é' ~ '[[:print:]]', E'\u0085' ~ '[[:cntrl:]]', 'f' ~ '[[:xdigit:]]', 'g' ~ '[[:xdigit:]]', 'é' ~ '[[:ascii:]]'
--> ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool
--> t | t | f | t | t | f | t | t | t | f | f
--> SELECT 1

select 'É' ~* '[[:lower:]]', 'a' ~ '(?i)[[:upper:]]', '中' ~* '[[:lower:]]', '1' ~* '[[:upper:]]', 'É' ~* 'é'
--> ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool
--> t | t | t | f | t
--> SELECT 1

select regexp_replace('naïve café', '[[:alpha:]]+', 'X', 'g'), regexp_split_to_array('über älter', '[[:space:]]'), substring('—été—' from '[[:alpha:]]+'), regexp_replace('Ünïcode 12', '[^[:alnum:] ]', '', 'g')
--> regexp_replace text | regexp_split_to_array text[] | substring text | regexp_replace text
--> X X | {über,älter} | été | Ünïcode 12
--> SELECT 1

select 'e' ~ '[[:ALPHA:]]'
--> ERROR 2201B: invalid regular expression: invalid character class

select 'e' ~ '[[:letter:]]'
--> ERROR 2201B: invalid regular expression: invalid character class

-- A match of nothing counts right after another match, and at the end.
select regexp_replace('abc', 'x*$', 'Z'), regexp_replace('abc', 'b*', 'X', 'g'), regexp_replace('abc', '$', 'X', 'g'), regexp_replace('abc', 'c*', 'X', 'g'), regexp_replace('abc', 'x*', 'X', 'g'), regexp_replace('', 'x*', 'X', 'g'), regexp_replace('aéc', '[éc]*', 'X', 'g')
--> regexp_replace text | regexp_replace text | regexp_replace text | regexp_replace text | regexp_replace text | regexp_replace text | regexp_replace text
--> abcZ | XaXXcX | abcX | XaXbXX | XaXbXcX | X | XaXX
--> SELECT 1

select array(select m[1] from regexp_matches('abc', 'b*', 'g') m), array(select m[1] from regexp_matches('abc', 'c*', 'g') m), array(select m[1] from regexp_matches('éa', 'x*', 'g') m), array(select m[1] from regexp_matches('', 'x*', 'g') m)
--> array text[] | array text[] | array text[] | array text[]
--> {"",b,"",""} | {"","",c,""} | {"","",""} | {""}
--> SELECT 1

select regexp_count('abc', 'b*'), regexp_count('abc', 'c*'), regexp_count('abc', 'x*'), regexp_count('', 'x*'), regexp_count('abc', '$'), regexp_count('abc', '^', 2), regexp_count(E'a\nb', '$', 1, 'n'), regexp_count('abcabc', 'abc|$')
--> regexp_count int4 | regexp_count int4 | regexp_count int4 | regexp_count int4 | regexp_count int4 | regexp_count int4 | regexp_count int4 | regexp_count int4
--> 4 | 4 | 4 | 1 | 1 | 0 | 2 | 3
--> SELECT 1

select regexp_substr('abc', 'c*', 1, 3), regexp_substr('abc', 'c*', 1, 4), regexp_instr('abc', 'c*', 1, 3), regexp_instr('abc', 'c*', 1, 4), regexp_instr('abc', '$'), regexp_instr('abc', 'x*', 1, 4), regexp_instr('éabc', 'a', 2)
--> regexp_substr text | regexp_substr text | regexp_instr int4 | regexp_instr int4 | regexp_instr int4 | regexp_instr int4 | regexp_instr int4
--> c |  | 3 | 4 | 4 | 4 | 2
--> SELECT 1

select regexp_split_to_array('abc', 'b*'), regexp_split_to_array('abc', 'x*'), regexp_split_to_array('abc', 'c*'), regexp_split_to_array('abc', '$'), regexp_split_to_array('abc', '^'), regexp_split_to_array('', 'x*'), regexp_split_to_array('aabbcc', 'b*')
--> regexp_split_to_array text[] | regexp_split_to_array text[] | regexp_split_to_array text[] | regexp_split_to_array text[] | regexp_split_to_array text[] | regexp_split_to_array text[] | regexp_split_to_array text[]
--> {a,c} | {a,b,c} | {a,b,""} | {abc} | {abc} | {""} | {a,a,c,c}
--> SELECT 1

select regexp_replace('abc', 'c*', 'X', 1, 3), regexp_replace('abc', 'c*', 'X', 1, 4), regexp_replace('abc', 'x*', 'X', 4, 1), regexp_replace('abc', 'x*', 'X', 5, 1), regexp_replace('abc', 'x*$', 'X', 4, 0), regexp_replace('abc', '^', 'X', 2)
--> regexp_replace text | regexp_replace text | regexp_replace text | regexp_replace text | regexp_replace text | regexp_replace text
--> abX | abcX | abcX | abc | abcX | abc
--> SELECT 1

select regexp_replace('foo bar', '\m', '<', 'g'), regexp_replace('foo bar', '\M', '>', 'g'), regexp_replace('foo bar', '\y', '|', 'g')
--> regexp_replace text | regexp_replace text | regexp_replace text
--> <foo <bar | foo> bar> | |foo| |bar|
--> SELECT 1

-- The precision of an interval, wherever it stands.
select interval(0) '1.6 seconds', interval '1.678' second(2), '1.678'::interval(1), cast('1.678' as interval second(1)), interval '1 2:03:04.5678' day to second(2), interval(3) '1.23456'
--> interval interval | interval interval | interval interval | interval interval | interval interval | interval interval
--> 00:00:02 | 00:00:01.68 | 00:00:01.7 | 00:00:01.7 | 1 day 02:03:04.57 | 00:00:01.235
--> SELECT 1

create table sc (i interval(0), s interval second(2), d interval day to second(1))
--> CREATE TABLE

insert into sc values ('1.6 seconds', '1.678', '1 00:00:01.26') returning *
--> i interval | s interval | d interval
--> 00:00:02 | 00:00:01.68 | 1 day 00:00:01.3
--> INSERT 0 1

drop table sc
--> DROP TABLE

-- Texts of values, and arrays of them.
select '{t,f}'::bool[]::text[], quote_literal(false), quote_nullable(true), quote_literal(1.5), quote_literal(date '2020-01-02'), quote_nullable(null::int), quote_literal(array[true])
--> text text[] | quote_literal text | quote_nullable text | quote_literal text | quote_literal text | quote_nullable text | quote_literal text
--> {true,false} | 'false' | 'true' | '1.5' | '2020-01-02' | NULL | '{t}'
--> SELECT 1

select array[true, null]::varchar[], array[1.50, 2]::text[], array[date '2020-01-02']::text[], array[interval '1 day']::text[], '{1,2}'::int[]::text[], array['\x01'::bytea]::text[], '{true,false}'::text[]::bool[], array[1.5::float8]::text[]
--> array varchar[] | array text[] | array text[] | array text[] | text text[] | array text[] | bool bool[] | array text[]
--> {true,NULL} | {1.50,2} | {2020-01-02} | {"1 day"} | {1,2} | {"\\x01"} | {t,f} | {1.5}
--> SELECT 1

select true::text, format('%s %L', true, false), concat(true, false), true || 'x', concat_ws(',', true, array[false]), array_to_string(array[true, false], ',')
--> text text | format text | concat text | ?column? text | concat_ws text | array_to_string text
--> true | t 'f' | tf | truex | t,{f} | t,f
--> SELECT 1

-- A parameter of the type void is no argument: it holds the place of a result.
PREPARE void_one (void, text) AS SELECT upper($1, $2)
--> PREPARE

EXECUTE void_one (NULL, 'a')
--> upper text
--> A
--> SELECT 1

PREPARE void_from (void, text) AS SELECT * FROM upper($1, $2) AS result
--> PREPARE

EXECUTE void_from (NULL, 'a')
--> result text
--> A
--> SELECT 1

PREPARE void_rows (int, void) AS SELECT * FROM generate_series(1, $1, $2)
--> PREPARE

EXECUTE void_rows (2, NULL)
--> generate_series int4
--> 1
--> 2
--> SELECT 2

PREPARE void_cast (text, void) AS SELECT int4($1, $2), now($2) IS NOT NULL AS now
--> PREPARE

EXECUTE void_cast ('1', NULL)
--> int4 int4 | now bool
--> 1 | t
--> SELECT 1

-- Minus signs before a number are its own, however many there are.
SELECT -9223372036854775808 AS least, - -9223372036854775808 AS more, -(-9223372036854775808) AS same, - - -9223372036854775808 AS again, - -2147483648 AS plain, -(-(-32768)) AS odd, - -1.50 AS numeric, -(-1e3) AS float
--> least int8 | more numeric | same numeric | again int8 | plain int8 | odd int4 | numeric numeric | float numeric
--> -9223372036854775808 | 9223372036854775808 | 9223372036854775808 | -9223372036854775808 | 2147483648 | -32768 | 1.50 | 1000
--> SELECT 1

SELECT pg_typeof(-9223372036854775808) AS least, pg_typeof(- -9223372036854775808) AS more, pg_typeof(-(-2147483648)) AS plain, pg_typeof(-2147483648) AS integer
--> least regtype | more regtype | plain regtype | integer regtype
--> bigint | numeric | bigint | integer
--> SELECT 1
