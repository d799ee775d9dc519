-- Numbers read by a template.
select to_number('-34,338,492', '99G999G999'), to_number('-34,338,492.654,878', '99G999G999D999G999'), to_number('<564646.654564>', '999999.999999PR'), to_number('0.00001-', '9.999999S'), to_number('5.01-', 'FM9.999999S'), to_number('5.01-', 'FM9.999999MI'), to_number('5 4 4 4 4 8 . 7 8', '9 9 9 9 9 9 . 9 9')
--> to_number numeric | to_number numeric | to_number numeric | to_number numeric | to_number numeric | to_number numeric | to_number numeric
--> -34338492 | -34338492.654878 | -564646.654564 | -0.00001 | -5.01 | -5.01 | 544448.78
--> SELECT 1

select to_number('.01', 'FM9.99'), to_number('.0', '99999999.99999999'), to_number('0', '99.99'), to_number('.-01', 'S99.99'), to_number('.01-', '99.99S'), to_number(' . 0 1-', ' 9 9 . 9 9 S'), to_number('34,50', '999,99'), to_number('123,000', '999G'), to_number('123456', '999G999')
--> to_number numeric | to_number numeric | to_number numeric | to_number numeric | to_number numeric | to_number numeric | to_number numeric | to_number numeric | to_number numeric
--> 0.01 | 0.0 | 0 | -0.01 | -0.01 | -0.01 | 3450 | 123 | 123456
--> SELECT 1

select to_number('$1234.56', 'L9,999.99'), to_number('$1234.56', 'L99,999.99'), to_number('$1,234.56', 'L99,999.99'), to_number('1234.56', 'L99,999.99'), to_number('1,234.56', 'L99,999.99'), to_number('42nd', '99th'), to_number('123', '99V9'), to_number('1 000', '9G999')
--> to_number numeric | to_number numeric | to_number numeric | to_number numeric | to_number numeric | to_number numeric | to_number numeric | to_number numeric
--> 1234.56 | 1234.56 | 1234.56 | 1234.56 | 1234.56 | 42 | 12.3000000000000000 | 1000
--> SELECT 1

select to_number('5.01-', '9.9999MI'), to_number('5.01+', '9.9999PL'), to_number('5.01-', '9.9999SG'), to_number('5.01-', '9.9999'), to_number('12-', '99S'), to_number('-12', 'S99'), to_number('12 -', '99MI'), to_number('-0.5', '9.9'), to_number('+5', '9'), to_number('x5', '"x"9'), to_number('5€', '9"€"')
--> to_number numeric | to_number numeric | to_number numeric | to_number numeric | to_number numeric | to_number numeric | to_number numeric | to_number numeric | to_number numeric | to_number numeric | to_number numeric
--> -5.01 | 5.01 | -5.01 | 5.01 | -12 | -12 | 12 | -0.5 | 5 | 5 | 5
--> SELECT 1

select to_number('12', ''), to_number(null, '9'), to_number('9', null)
--> to_number numeric | to_number numeric | to_number numeric
--> ∅ | ∅ | ∅
--> SELECT 1

select to_number('abc', '999')
--> ERROR 22P02: invalid input syntax for type numeric: " "

select to_number('', '999')
--> ERROR 22P02: invalid input syntax for type numeric: " "

select to_number('12.34', '9.99')
--> ERROR 22003: numeric field overflow
-->   detail: A field with precision 2, scale 1 must round to an absolute value less than 10^1.

select to_number('XII', 'RN')
--> ERROR 0A000: "RN" not supported for input

select to_number('1e3', '9EEEE')
--> ERROR 0A000: "EEEE" not supported for input

select to_number('1', '9.9.9')
--> ERROR 42601: multiple decimal points

-- Months and days of templates that say TM are not padded.
select '[' || to_char(timestamp '2020-05-01', 'TMMonth|TMDay|Month|FMMonth') || ']'
--> ?column? text
--> [May|Friday|May      |May]
--> SELECT 1

-- Keys of JSON objects are times as JSON writes them.
create table jk (k date, t timestamp, tz timestamptz, v int)
--> CREATE TABLE

insert into jk values ('2020-01-31', '2020-01-31 10:00', '2020-01-31 10:00+00', 1)
--> INSERT 0 1

set datestyle = 'SQL, DMY'
--> SET

select json_object_agg(k, v), jsonb_object_agg(t, v), json_object_agg(tz, v), json_build_object(k, v, tz, t), jsonb_build_object(t, k) from jk
--> ERROR 42803: column "jk.k" must appear in the GROUP BY clause or be used in an aggregate function

reset datestyle
--> RESET

-- Casts of booleans to texts of some length, buckets between thresholds, and letters.
select true::varchar(2), false::char(3), true::varchar(9), width_bucket(now(), array[now()]), width_bucket(5, array[1, 3, 5]), width_bucket(0.5, array[1, 2]::float8[]), width_bucket('b'::text, array['a', 'c']), width_bucket(1, '{}'::int[])
--> varchar varchar | bpchar bpchar | varchar varchar | width_bucket int4 | width_bucket int4 | width_bucket int4 | width_bucket int4 | width_bucket int4
--> tr | fal | true | 1 | 3 | 0 | 1 | 0
--> SELECT 1

select width_bucket(1, array[1, null])
--> ERROR 22004: thresholds array must not contain NULLs

select width_bucket(1, '{{1,2},{3,4}}'::int[])
--> ERROR 2202E: thresholds must be one-dimensional array

select lower('İ'), length(lower('İI')), upper('ß'), lower('ÀÉ')
--> lower text | length int4 | upper text | lower text
--> i | 2 | ß | àé
--> SELECT 1

-- Where a moment on another clock is beyond the last one.
create table mx (id int, t timestamp, d date)
--> CREATE TABLE

insert into mx values (1, '294276-12-31 23:59:59.999999', '294276-12-31'), (2, '4714-11-24 00:00:00 BC', '4714-11-24 BC'), (3, 'infinity', '-infinity')
--> INSERT 0 3

create index mx_t on mx (t)
--> CREATE INDEX

create index mx_d on mx (d)
--> CREATE INDEX

set timezone = 'Asia/Tokyo'
--> SET

select id from mx where t < timestamptz '294276-12-31 14:59:59+00' order by 1
--> id int4
--> 2
--> SELECT 1

select id from mx where t >= timestamptz '294276-12-31 14:59:58+00' order by 1
--> id int4
--> 1
--> 3
--> SELECT 2

select id from mx where t > timestamptz '4714-11-24 01:00+00 BC' order by 1
--> id int4
--> 1
--> 3
--> SELECT 2

select id from mx where d < timestamptz '294276-12-31 13:59:59+00' order by 1
--> id int4
--> 1
--> 2
--> 3
--> SELECT 3

select id from mx where d >= timestamptz '294276-12-30 15:00:00+00' order by 1
--> id int4
--> 1
--> SELECT 1

select id from mx where t = timestamptz 'infinity' or d = timestamptz '-infinity' order by 1
--> id int4
--> 3
--> SELECT 1

set timezone = 'America/New_York'
--> SET

select id from mx where t < timestamptz '294276-12-31 23:59:59+00' order by 1
--> id int4
--> 2
--> SELECT 1

select id from mx where t > timestamptz '4714-11-24 00:00+00 BC' order by 1
--> id int4
--> 1
--> 2
--> 3
--> SELECT 3

reset timezone
--> RESET

-- Reading: fixed widths, conflicts, fractions, eras.
SELECT to_date('-44-02-01 BC', 'YYYY-MM-DD BC'), to_date('44-02-01 BC', 'YYYY-MM-DD BC'), to_date('2016 366', 'YYYY DDD')
--> to_date date | to_date date | to_date date
--> 0044-02-01 | 0044-02-01 BC | 2016-12-31
--> SELECT 1

SELECT to_date('2015 366', 'YYYY DDD')
--> ERROR 22008: date/time field value out of range: "2015 366"

SELECT to_timestamp('19971', 'YYYYMMDD')
--> ERROR 22007: source string too short for "MM" formatting field
-->   detail: Field requires 2 characters, but only 1 remain.

SELECT to_timestamp('19971)24', 'YYYYMMDD')
--> ERROR 22007: invalid value "1)" for "MM"
-->   detail: Field requires 2 characters, but only 1 could be parsed.

SELECT to_timestamp('1997-11-Jan-16', 'YYYY-MM-Mon-DD')
--> ERROR 22007: conflicting values for "Mon" field in formatting string
-->   detail: This value contradicts a previous setting for the same field type.

SELECT to_timestamp('10000000000', 'FMYYYY')
--> ERROR 22008: value for "YYYY" in source string is out of range
-->   detail: Value must be in the range -2147483648 to 2147483647.

SELECT to_timestamp('2005527', 'YYYYIWID')
--> ERROR 22007: invalid combination of date conventions

SELECT to_timestamp('97/Feb/16', 'YYMonDD')
--> ERROR 22007: invalid value "/Feb/16" for "Mon"
-->   detail: The given value did not match any of the allowed values for this field.

SELECT to_timestamp('2018-11-02 12:34:56.12345', 'YYYY-MM-DD HH24:MI:SS.FF4'), to_timestamp('2018-11-02 12:34:56.12', 'YYYY-MM-DD HH24:MI:SS.MS'), to_timestamp('20181102123456123456', 'YYYYMMDDHH24MISSFF6')
--> to_timestamp timestamptz | to_timestamp timestamptz | to_timestamp timestamptz
--> 2018-11-02 12:34:56.1235+00 | 2018-11-02 12:34:56.12+00 | 2018-11-02 12:34:56.123456+00
--> SELECT 1

SELECT to_timestamp('2018-11-02 12:34:56.123456789', 'YYYY-MM-DD HH24:MI:SS.FF4')
--> ERROR 22008: date/time field value out of range: "2018-11-02 12:34:56.123456789"

SELECT to_timestamp('15:12:02.020.001230', 'HH24:MI:SS.MS.US'), to_date('2011 12  18', 'YYYY MM DD'), to_timestamp('1985 01 7', 'YYYY MM D'), to_date('20210315', 'YYYYMMDD'), to_timestamp('05121445482000', 'MMDDHH24MISSYYYY')
--> to_timestamp timestamptz | to_date date | to_timestamp timestamptz | to_date date | to_timestamp timestamptz
--> 0001-01-01 15:12:02.02123+00 BC | 2011-12-18 | 1985-01-01 00:00:00+00 | 2021-03-15 | 2000-05-12 14:45:48+00
--> SELECT 1

SELECT i, to_char(i * interval '1 mon', 'rm|RM'), to_char(i * interval '1 year', 'RM') FROM generate_series(-13, 13) i
--> i int4 | to_char text | to_char text
--> -13 | xii |XII  | I
--> -12 | i   |I    | I
--> -11 | ii  |II   | I
--> -10 | iii |III  | I
--> -9 | iv  |IV   | I
--> -8 | v   |V    | I
--> -7 | vi  |VI   | I
--> -6 | vii |VII  | I
--> -5 | viii|VIII | I
--> -4 | ix  |IX   | I
--> -3 | x   |X    | I
--> -2 | xi  |XI   | I
--> -1 | xii |XII  | I
--> 0 | | |
--> 1 | i   |I    | XII
--> 2 | ii  |II   | XII
--> 3 | iii |III  | XII
--> 4 | iv  |IV   | XII
--> 5 | v   |V    | XII
--> 6 | vi  |VI   | XII
--> 7 | vii |VII  | XII
--> 8 | viii|VIII | XII
--> 9 | ix  |IX   | XII
--> 10 | x   |X    | XII
--> 11 | xi  |XI   | XII
--> 12 | xii |XII  | XII
--> 13 | i   |I    | XII
--> SELECT 27

SELECT to_char(interval '1 year 2 mons', 'RM|FMrm'), to_char(interval '-1 year -2 mons', 'RM|FMrm'), to_char(date '2024-09-01', 'RM|FMrm')
--> to_char text | to_char text | to_char text
--> II  |ii | XI  |xi | IX  |ix
--> SELECT 1
