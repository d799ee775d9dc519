-- Dates, times and intervals in the forms that are seldom written.

SELECT '2011-03-27 02:00:00 MSK'::timestamptz, '2014-10-26 00:59:59 MSK'::timestamptz, '2008-07-01 12:00 MSK'::timestamptz, '2020-01-01 VLAT'::timestamptz
--> timestamptz timestamptz | timestamptz timestamptz | timestamptz timestamptz | timestamptz timestamptz
--> 2011-03-26 22:00:00+00 | 2014-10-25 20:59:59+00 | 2008-07-01 09:00:00+00 | 2019-12-31 14:00:00+00
--> SELECT 1

SELECT timestamp '2011-03-27 02:00:00' AT TIME ZONE 'MSK', timestamptz '2012-03-27 02:00:00+00' AT TIME ZONE 'msk'
--> timezone timestamptz | timezone timestamp
--> 2011-03-26 22:00:00+00 | 2012-03-27 06:00:00
--> SELECT 1

SELECT 'Y2001M12D27H04M05S06.789+08'::timestamptz, 'Y2001M12D27H04MM05S06'::timestamptz, 'J2452271.5+08'::timestamptz, 'J2452271T040506-08'::timestamptz, 'J2452271'::date, 'J2452271-08'::timestamptz
--> timestamptz timestamptz | timestamptz timestamptz | timestamptz timestamptz | timestamptz timestamptz | date date | timestamptz timestamptz
--> 2001-12-26 20:05:06.789+00 | 2001-12-27 04:05:06+00 | 2001-12-27 04:00:00+00 | 2001-12-27 12:05:06+00 | 2001-12-27 | 2001-12-27 08:00:00+00
--> SELECT 1

SELECT 'Wed Jul 11 10:51:14 PST-03:00 2001'::timestamptz, '2001-07-11 10:51:14 EST5EDT'::timestamptz, '2001-07-11 10:51 UTC+3'::timestamptz
--> timestamptz timestamptz | timestamptz timestamptz | timestamptz timestamptz
--> 2001-07-11 07:51:14+00 | 2001-07-11 14:51:14+00 | 2001-07-11 13:51:00+00
--> SELECT 1

SELECT make_timestamptz(2014, 12, 10, 10, 10, 10, 'FOO8BAR'), make_timestamptz(2014, 7, 10, 10, 10, 10, 'FOO8BAR'), make_timestamptz(2014, 7, 10, 10, 10, 10, '+1:'), make_timestamptz(2014, 7, 10, 10, 10, 10, '+10:00:1')
--> make_timestamptz timestamptz | make_timestamptz timestamptz | make_timestamptz timestamptz | make_timestamptz timestamptz
--> 2014-12-10 18:10:10+00 | 2014-07-10 17:10:10+00 | 2014-07-10 09:10:10+00 | 2014-07-10 00:10:09+00
--> SELECT 1

SET datestyle TO ymd
--> SET

SHOW datestyle
--> DateStyle text
--> ISO, YMD
--> SHOW

SELECT '97FEB10 5:32:01PM UTC'::timestamptz
--> timestamptz timestamptz
--> 1997-02-10 17:32:01+00
--> SELECT 1

SET datestyle TO german
--> SET

SHOW datestyle
--> DateStyle text
--> German, DMY
--> SHOW

SET datestyle = 'sql'
--> SET

SHOW datestyle
--> DateStyle text
--> SQL, DMY
--> SHOW

SELECT set_config('datestyle', 'iso, ymd', false)
--> set_config text
--> ISO, YMD
--> SELECT 1

SET datestyle = 'iso, nope'
--> ERROR 22023: invalid value for parameter "DateStyle": "iso, nope"
-->   detail: Unrecognized key word: "nope".

RESET datestyle
--> RESET

SELECT interval 'P00021015T103020', interval 'P0002', interval 'P0002-10', interval 'P0002-10-15T10:30:20', interval 'PT10:30', interval 'PT103020', interval 'PT10', interval 'P10.5e4Y', interval '-P1Y2M3DT4H5M6.7S'
--> ERROR 22007: invalid input syntax for type interval: "-P1Y2M3DT4H5M6.7S"

SELECT interval 'P1Y-2', interval 'P12T'
--> ERROR 22007: invalid input syntax for type interval: "P1Y-2"

SELECT interval 'P1-2-3-4'
--> ERROR 22007: invalid input syntax for type interval: "P1-2-3-4"

SELECT interval '2147483647 years'
--> ERROR 22008: interval out of range

SELECT interval 'P2147483648'
--> ERROR 22015: interval field value out of range: "P2147483648"

SELECT interval 'P1-2147483647-2147483647'
--> ERROR 22008: interval out of range

SELECT interval '5.5 seconds 3 milliseconds'
--> ERROR 22007: invalid input syntax for type interval: "5.5 seconds 3 milliseconds"

SELECT interval '1:20:05 5 microseconds'
--> ERROR 22007: invalid input syntax for type interval: "1:20:05 5 microseconds"

SELECT interval '5 seconds 3 milliseconds', interval '-2147483648 months -2147483648 days -9223372036854775808 us'
--> interval interval | interval interval
--> 00:00:05.003 | -178956970 years -8 mons -2147483648 days -2562047788:00:54.775808
--> SELECT 1

SELECT timestamptz(date '1994-01-01', time '11:00'), timestamptz(date '1994-01-01', time with time zone '11:00-5'), time with time zone '11:00-5' AT TIME ZONE interval '02:00'
--> timestamptz timestamptz | timestamptz timestamptz | timezone timetz
--> 1994-01-01 11:00:00+00 | 1994-01-01 16:00:00+00 | 18:00:00+02
--> SELECT 1

SELECT '0xff'::xid, 'asdf'::xid, ''::xid, '-1'::xid, '010'::xid, '42'::xid8, '0x10'::xid8, '4294967298'::xid8::xid
--> xid 28 | xid 28 | xid 28 | xid 28 | xid 28 | xid8 5069 | xid8 5069 | xid 28
--> 255 | 0 | 0 | 4294967295 | 8 | 42 | 16 | 2
--> SELECT 1

SELECT '\101'::"char", 'xyz'::"char", ''::"char"
--> char char1 | char char1 | char char1
--> A | x |
--> SELECT 1

SELECT name 'x' = name 'y', pg_catalog.int4 '3', cast(name 'x' AS text)
--> ?column? bool | int4 int4 | text text
--> f | 3 | x
--> SELECT 1

SELECT '15:36:39 m2'::timetz
--> ERROR 22007: invalid input syntax for type time with time zone: "15:36:39 m2"

SELECT '15:36:39 MSK'::timetz
--> timetz timetz
--> 15:36:39+03
--> SELECT 1
