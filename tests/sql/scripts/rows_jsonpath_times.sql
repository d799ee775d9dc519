-- Times in jsonpath, and how its words are read.
SELECT jsonb_path_query('["2017-03-10", "12:34:56", "12:34:56.789 +3", "2017-03-10 12:34:56", "2017-03-10T12:34:56+05:30"]', '$[*].datetime()') AS t;
--> t jsonb
--> "2017-03-10"
--> "12:34:56"
--> "12:34:56.789+03:00"
--> "2017-03-10T12:34:56"
--> "2017-03-10T12:34:56+05:30"
--> SELECT 5

SELECT jsonb_path_query('["2017-03-10", "12:34:56", "12:34:56 +3:10", "2017-03-10 12:34:56", "2017-03-10 12:34:56+5"]', '$[*].datetime().type()') AS t;
--> t jsonb
--> "date"
--> "time without time zone"
--> "time with time zone"
--> "timestamp without time zone"
--> "timestamp with time zone"
--> SELECT 5

SELECT jsonb_path_query('"10-03-2017 12:34 +05:20"', '$.datetime("dd-mm-yyyy HH24:MI TZH:TZM")') AS t, jsonb_path_query('"12:34:56.789"', '$.datetime("HH24:MI:SS.FF2")') AS f;
--> t jsonb | f jsonb
--> "2017-03-10T12:34:00+05:20" | "12:34:56.79"
--> SELECT 1

SELECT jsonb_path_query('"10-03-2017"', '$.datetime("dd-mm-yyyy HH24:MI")');
--> ERROR 22007: input string is too short for datetime format

SELECT jsonb_path_query('"10-03-2017t"', '$.datetime("dd-mm-yyyy")');
--> ERROR 22007: trailing characters remain in input string after datetime format

SELECT jsonb_path_query('"10/03/2017"', '$.datetime("dd-mm-yyyy")');
--> ERROR 22007: unmatched format separator "-"

SELECT jsonb_path_query('"2017-02-30"', '$.datetime("yyyy-mm-dd")');
--> ERROR 22008: date/time field value out of range: "2017-02-30"

SELECT jsonb_path_query('"12"', '$.datetime("yyyy|mm")');
--> ERROR 22007: invalid datetime format separator: "|"

SELECT jsonb_path_query('"2017-03-10"', '$.datetime("TZH")');
--> ERROR 22007: trailing characters remain in input string after datetime format

SELECT jsonb_path_query('"tomorrow"', '$.datetime()');
--> ERROR 22031: datetime format is not recognized: "tomorrow"

SELECT jsonb_path_query('[1]', '$.datetime()');
--> ERROR 22031: jsonpath item method .datetime() can only be applied to a string

SELECT jsonb_path_query('["tomorrow", 5]', '$[*].datetime()', silent => true) AS nothing;
--> nothing jsonb
--> SELECT 0

SELECT jsonb_path_query_array('["2017-03-10", "2017-03-11", "2017-03-09", "12:34", "2017-03-10 00:00:00", "2017-03-10 12:00:00"]', '$[*].datetime() ? (@ >= "2017-03-10".datetime())') AS later, jsonb_path_query_array('["12:34:56", "12:35:00", "12:34:56 +1"]', '$[*].datetime() ? (@ < "12:35".datetime("HH24:MI"))', silent => true) AS earlier;
--> ERROR 22031: datetime format is not recognized: "12:34"

SELECT jsonb_path_query_array('["12:34:56 +1", "12:34:57 +1", "12:34:56 +00"]', '$[*].datetime() ? (@ > "12:34:56 +1".datetime())') AS later;
--> later jsonb
--> ["12:34:57+01:00", "12:34:56+00:00"]
--> SELECT 1

SELECT jsonb_path_query('["2017-03-10"]', '$[*].datetime() ? (@ == "2017-03-10 00:00:00+0".datetime())');
--> ERROR 0A000: cannot convert value from date to timestamptz without time zone usage

SELECT jsonb_path_exists('"12:34:00"', '$.datetime() < "12:34:00+0".datetime()');
--> ERROR 0A000: cannot convert value from time to timetz without time zone usage

SET TimeZone = 'Europe/Berlin';
--> SET

SELECT jsonb_path_query_array_tz('["2017-03-10", "2017-03-11", "2017-03-10 01:00:00", "2017-07-10 00:00:00+2", "2017-03-10 00:00:00+1"]', '$[*].datetime() ? (@ == "2017-03-10 00:00:00+1".datetime())') AS same, jsonb_path_match_tz('"2017-07-10"', '$.datetime() == "2017-07-09 22:00:00+0".datetime()') AS summer, jsonb_path_exists_tz('"2017-07-10"', '$ ? (@.datetime() < "2017-07-10 00:00:00+0".datetime())') AS e, jsonb_path_query_first_tz('["2018-01-01"]', '$[*] ? (@.datetime() > "2017-07-09 22:00:00+0".datetime())') AS f;
--> same jsonb | summer bool | e bool | f jsonb
--> ["2017-03-10", "2017-03-10T00:00:00+01:00"] | t | t | "2018-01-01"
--> SELECT 1

SELECT count(*) FROM jsonb_path_query_tz('["2017-03-10", "2017-03-11"]', '$[*] ? (@.datetime() >= "2017-03-10 23:00:00+0".datetime())');
--> count int8
--> 1
--> SELECT 1

RESET TimeZone;
--> RESET

SELECT '$.datetime()'::jsonpath AS a, '$.DateTime("HH24:MI")'::jsonpath AS b, 'STRICT $.A[LAST] ? (EXISTS(@.b) && (@.c > 1) IS UNKNOWN)'::jsonpath AS c;
--> a 4072 | b 4072 | c 4072
--> $.datetime() | $.datetime("HH24:MI") | strict $."A"[last]?(exists (@."b") && (@."c" > 1) is unknown)
--> SELECT 1

SELECT '"\v\x41\u{1F600}\z"'::jsonpath AS a, '$.foo\x50\u0067\u{53}\t\"bar'::jsonpath AS b, '$ ? (@.a < +1.5)'::jsonpath AS c, '$ ? (@ like_regex "a" flag "xqi")'::jsonpath AS d;
--> a 4072 | b 4072 | c 4072 | d 4072
--> "\u000bA😀z" | $."fooPgS\t\"bar" | $?(@."a" < 1.5) | $?(@ like_regex "a" flag "ixq")
--> SELECT 1

SELECT '1 + ($.a.b > 2).c.d'::jsonpath AS a, jsonb_path_query('[1, 2, 3]', '($[*] > 2).type()') AS b;
--> a 4072 | b jsonb
--> (1 + ($."a"."b" > 2)."c"."d") | "boolean"
--> SELECT 1

SELECT '"\u12"'::jsonpath;
--> ERROR 42601: invalid unicode sequence at or near "\u12" of jsonpath input

SELECT '"\ud83dX"'::jsonpath;
--> ERROR 22P02: invalid input syntax for type jsonpath
-->   detail: Unicode low surrogate must follow a high surrogate.

SELECT '"\u0000"'::jsonpath;
--> ERROR 22P05: unsupported Unicode escape sequence
-->   detail: \u0000 cannot be converted to text.

SELECT '1.type()'::jsonpath;
--> ERROR 42601: trailing junk after numeric literal at or near "1.t" of jsonpath input

SELECT '00'::jsonpath;
--> ERROR 42601: trailing junk after numeric literal at or near "00" of jsonpath input

SELECT '1e+'::jsonpath;
--> ERROR 42601: invalid numeric literal at or near "1e+" of jsonpath input

SELECT '$ ? (@ like_regex "a" flag "x")'::jsonpath;
--> ERROR 0A000: XQuery "x" flag (expanded regular expressions) is not implemented

SELECT '$ a b'::jsonpath;
--> ERROR 42601: syntax error at or near " " of jsonpath input

SELECT '$."a'::jsonpath;
--> ERROR 42601: unexpected end of quoted string at end of jsonpath input

-- What is read by a template: leniently, as to_timestamp does.
SELECT to_timestamp('2000 + + JUN', 'YYYY MON');
--> ERROR 22007: invalid value "+" for "MON"
-->   detail: The given value did not match any of the allowed values for this field.

SELECT to_timestamp('2000+JUN', 'YYYY/MON') AS a, to_timestamp(' 1997 AD 11 16', 'YYYY BC MM DD') AS b, to_timestamp('2011$03!18 23_38_15', 'YYYY-MM-DD HH24:MI:SS') AS c, to_date('2011x 12x 18', 'YYYYxMMxDD') AS d, to_timestamp('20000-1116', 'YYYY-MMDD') AS e;
--> a timestamptz | b timestamptz | c timestamptz | d date | e timestamptz
--> 2000-06-01 00:00:00+00 | 1997-11-16 00:00:00+00 | 2011-03-18 23:38:15+00 | 2011-12-18 | 20000-11-16 00:00:00+00
--> SELECT 1

SELECT to_timestamp('2018-11-02 12:34:56.1234', 'YYYY-MM-DD HH24:MI:SS.FF3') AS a, to_timestamp('2011-12-18 11:38 -05:20', 'YYYY-MM-DD HH12:MI TZH:TZM') AS b, to_date('2458872', 'J') AS c, to_timestamp('2005527', 'IYYYIWID') AS d, to_timestamp('2005300', 'YYYYDDD') AS e, to_timestamp('20050302 3600', 'YYYYMMDD SSSSS') AS f, to_date('44-02-01 BC', 'YYYY-MM-DD BC') AS g, to_date('XII', 'RM') AS h, to_timestamp('3 4 21 01', 'W MM CC YY') AS i;
--> a timestamptz | b timestamptz | c date | d timestamptz | e timestamptz | f timestamptz | g date | h date | i timestamptz
--> 2018-11-02 12:34:56.123+00 | 2011-12-18 16:58:00+00 | 2020-01-23 | 2006-01-01 00:00:00+00 | 2005-10-27 00:00:00+00 | 2005-03-02 01:00:00+00 | 0044-02-01 BC | 0001-12-01 BC | 2001-04-15 00:00:00+00
--> SELECT 1

SELECT to_timestamp('15 "text between quote marks" 98 54 45', E'HH24 "\\"text between quote marks\\"" YY MI SS') AS a, to_timestamp('97/2/16 8:14:30', 'FMYYYY/FMMM/FMDD FMHH:FMMI:FMSS') AS b, to_timestamp('1985 January 12', 'FXYYYY FXMonth FXDD') AS c;
--> a timestamptz | b timestamptz | c timestamptz
--> 1998-01-01 15:54:45+00 | 0097-02-16 08:14:30+00 | 1985-01-12 00:00:00+00
--> SELECT 1

SELECT to_timestamp('19971', 'YYYYMMDD');
--> ERROR 22007: source string too short for "MM" formatting field
-->   detail: Field requires 2 characters, but only 1 remain.

SELECT to_date('2016-02-30', 'YYYY-MM-DD');
--> ERROR 22008: date/time field value out of range: "2016-02-30"

SELECT to_timestamp('2015-02-11 86000', 'YYYY-MM-DD SSSS') AS a, to_date('2015 366', 'YYYY DDD');
--> ERROR 22008: date/time field value out of range: "2015 366"

SELECT to_timestamp('27/04/1999 13', 'DD/MM/YYYY HH12');
--> ERROR 22007: hour "13" is invalid for the 12-hour clock

SELECT to_timestamp('10', 'DDD');
--> ERROR 22007: cannot calculate day of year without year information
