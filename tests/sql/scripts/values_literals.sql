-- Literals and names as they are written.

SELECT 1_000
--> ERROR 42601: trailing junk after numeric literal at or near "1_000"

SELECT 0x1F
--> ERROR 42601: trailing junk after numeric literal at or near "0x1F"

SELECT 123abc
--> ERROR 42601: trailing junk after numeric literal at or near "123abc"

SELECT 1AS x
--> ERROR 42601: trailing junk after numeric literal at or near "1AS"

SELECT 1.5_0
--> ERROR 42601: trailing junk after numeric literal at or near "1.5_0"

SELECT 1e
--> ERROR 42601: trailing junk after numeric literal at or near "1e"

SELECT 5 WHERE 1<2AND 3<4
--> ERROR 42601: trailing junk after numeric literal at or near "2AND"

SELECT 1.e3, .5, 5., 1e-2, 1.5e+3, 7 AS _1
--> ?column? numeric | ?column? numeric | ?column? numeric | ?column? numeric | ?column? numeric | _1 int4
--> 1000 | 0.5 | 5 | 0.01 | 1500 | 7
--> SELECT 1

SELECT 1 == 1
--> ERROR 42883: operator does not exist: integer == integer

SELECT U&'\0041b\+01F600', U&'d!0061t!!' UESCAPE '!', u&'it''s' AS U&"\0062!", 2 AS U&"q*0063" UESCAPE '*'
--> ?column? text | ?column? text | b! text | qc int4
--> Ab😀 | dat! | it's | 2
--> SELECT 1

SELECT U&'\0041'
  '\0042', E'a\n'
  'b\tc', 'd'
  'e'
--> ?column? text | ?column? text | ?column? text
--> AB | a
--> b	c | de
--> SELECT 1

SELECT U&'\D83D\DE00', E'\uD83D\uDE00', E'\u00e4\U0001F600', length(E'\uD83D\uDE00')
--> ?column? text | ?column? text | ?column? text | length int4
--> 😀 | 😀 | ä😀 | 1
--> SELECT 1

SELECT U&'wrong \00'
--> ERROR 42601: invalid Unicode escape

SELECT U&'wrong \D83D'
--> ERROR 42601: invalid Unicode surrogate pair

SELECT U&'wrong \D83Dx'
--> ERROR 42601: invalid Unicode surrogate pair

SELECT U&'wrong' UESCAPE '+'
--> ERROR 42601: invalid Unicode escape character at or near "'+'"

SELECT U&'wrong' UESCAPE x
--> ERROR 42601: UESCAPE must be followed by a simple string literal at or near "x"

SELECT E'wrong \u00'
--> ERROR 22025: invalid Unicode escape

SELECT 'x' 'y'
--> ERROR 42601: syntax error at or near "'y'"

SELECT N'abc', n'd' || 'e'
--> bpchar bpchar | ?column? text
--> abc | de
--> SELECT 1

CREATE TABLE U&"v\006c" (U&"a!0062" UESCAPE '!' text DEFAULT U&'\0078')
--> CREATE TABLE

INSERT INTO vl DEFAULT VALUES RETURNING *
--> ab text
--> x
--> INSERT 0 1

INSERT INTO vl TABLE vl
--> INSERT 0 1

INSERT INTO vl (ab) TABLE vl ON CONFLICT DO NOTHING
--> INSERT 0 2

SELECT count(*), min(ab) FROM vl
--> count int8 | min text
--> 4 | x
--> SELECT 1

DROP TABLE vl
--> DROP TABLE

SELECT interval '1 month - 1 second', interval '2 days - 12:34:56', interval '+ 3 hours', interval '1 2' day to hour, interval '2 millenniums 3 centuries'
--> interval interval | interval interval | interval interval | interval interval | interval interval
--> 1 mon -00:00:01 | 2 days -12:34:56 | 03:00:00 | 1 day 02:00:00 | 2300 years
--> SELECT 1

SELECT make_timestamptz(2024, 7, 1, 12, 0, 0, '+02') AT TIME ZONE 'UTC', make_timestamptz(2024, 7, 1, 12, 0, 0, '-0530') AT TIME ZONE 'UTC', make_timestamptz(2024, 7, 1, 12, 0, 0, 'UTC+2') AT TIME ZONE 'UTC'
--> timezone timestamp | timezone timestamp | timezone timestamp
--> 2024-07-01 10:00:00 | 2024-07-01 17:30:00 | 2024-07-01 14:00:00
--> SELECT 1

SELECT make_timestamptz(2024, 7, 1, 12, 0, 0, '2')
--> ERROR 22023: invalid input syntax for type numeric time zone: "2"

SELECT make_timestamptz(2024, 7, 1, 12, 0, 0, '+16')
--> ERROR 22023: numeric time zone "+16" out of range

SELECT substr('abc', 2), substring('abc', 2), substring('abc' from 2)
--> substr text | substring text | substring text
--> bc | bc | bc
--> SELECT 1

SELECT hashtext('x'), hashtext(''), hashtext('twelve bytes'), hashtext('thirteen byte'), hashtext('ä long text with many more letters'), hashtext(NULL), hashtextextended('x', 0), hashtextextended('x', 42), hashname('x')
--> hashtext int4 | hashtext int4 | hashtext int4 | hashtext int4 | hashtext int4 | hashtext int4 | hashtextextended int8 | hashtextextended int8 | hashname int4
--> 1074944137 | -1477818771 | 652846557 | -1367827268 | 2101769884 | ∅ | -474845166489675639 | 5924832983353149656 | 1074944137
--> SELECT 1

SELECT hashint4(1), hashint4(-1), hashint8(1), hashint8(-1), hashint8(5000000000), hashint8(-5000000000), hashint2(7::int2), hashint8extended(1, 9), hashint4extended(1, 0), hashoid(26)
--> hashint4 int4 | hashint4 int4 | hashint8 int4 | hashint8 int4 | hashint8 int4 | hashint8 int4 | hashint2 int4 | hashint8extended int8 | hashint4extended int8 | hashoid int4
--> -1905060026 | 385747274 | -1905060026 | 385747274 | -694934712 | 954517114 | -978793473 | 5702160639948485477 | -3670598878359251130 | -1668038584
--> SELECT 1
