-- Frames of windows: distances of every type that has them, and sums over rows that come and go.

-- Distances between numerics are exact.
select x, count(*) over (order by x range between 0.1 preceding and current row), sum(x) over (order by x range between 0.5 preceding and 0.5 following) from (values (0.1), (0.2), (0.3), (0.7), (0.8), (1.3), (100.25)) v(x)
--> x numeric | count int8 | sum numeric
--> 0.1 | 1 | 0.6
--> 0.2 | 2 | 1.3
--> 0.3 | 2 | 2.1
--> 0.7 | 1 | 2.0
--> 0.8 | 2 | 3.1
--> 1.3 | 1 | 2.1
--> 100.25 | 1 | 100.25
--> SELECT 7

select x, count(*) over (order by x range between 0.15 preceding and 0.05 preceding), count(*) over (order by x range between 0.05 following and 0.15 following) from (values (0.1::numeric(5,1)), (0.2), (0.3), (0.4)) v(x)
--> x numeric | count int8 | count int8
--> 0.1 | 0 | 1
--> 0.2 | 1 | 1
--> 0.3 | 1 | 1
--> 0.4 | 1 | 0
--> SELECT 4

select x, count(*) over (order by x desc range between 0.2 preceding and current row), count(*) over (order by x desc nulls last range between current row and 0.2 following) from (values (0.1), (0.2), (0.3), (0.4), (null)) v(x) order by x
--> x numeric | count int8 | count int8
--> 0.1 | 3 | 1
--> 0.2 | 3 | 2
--> 0.3 | 2 | 3
--> 0.4 | 1 | 3
--> ∅ | 1 | 1
--> SELECT 5

select x, count(*) over (order by x range between 1 preceding and 1 following) from (values ('NaN'::numeric), (1), ('Infinity'), ('-Infinity'), (2.5), (null)) v(x)
--> x numeric | count int8
--> -Infinity | 1
--> 1 | 1
--> 2.5 | 1
--> Infinity | 1
--> NaN | 1
--> ∅ | 1
--> SELECT 6

select x, array_agg(x) over (order by x range between '0.5' preceding and 'Infinity' following) from (values (1.0), (1.5), (3)) v(x)
--> x numeric | array_agg numeric[]
--> 1.0 | {1.0,1.5,3}
--> 1.5 | {1.0,1.5,3}
--> 3 | {3}
--> SELECT 3

select x, count(*) over (order by x range between 'Infinity' preceding and 'Infinity' following) from (values ('NaN'::numeric), (1), ('Infinity'), ('-Infinity'), (2.5), (null)) v(x)
--> x numeric | count int8
--> -Infinity | 4
--> 1 | 4
--> 2.5 | 4
--> Infinity | 4
--> NaN | 1
--> ∅ | 1
--> SELECT 6

create table fr (id int primary key, n numeric(6,2), f float8, g float4, s int2, b int8, d date, t timestamp, tz timestamptz, tm time, i interval)
--> CREATE TABLE

insert into fr values (1, 1.25, 0.5, 0.5, 1, 10, '2020-01-01', '2020-01-01 10:00', '2020-01-01 10:00+00', '10:00', '1 day'), (2, 1.75, 0.75, 1.5, 2, 20, '2020-01-02', '2020-01-01 22:00', '2020-01-02 09:00+00', '10:30', '36 hours'), (3, 2.25, 1.5, 2.75, 5, 21, '2020-01-04', '2020-01-02 10:00', '2020-01-02 10:00+00', '23:59', '1 mon'), (4, 9.99, 9, 9, 7, 9223372036854775807, '2020-02-01', '2020-01-02 10:00:01', '2020-03-01 00:00+00', '00:00', '31 days'), (5, null, null, null, null, null, null, null, null, null, null)
--> INSERT 0 5

select id, sum(n) over (order by n range between 0.5 preceding and 0.499 following), count(*) over (order by f range between 0.25 preceding and 0.75 following), count(*) over (order by g range between 1 preceding and 1.25 following) from fr order by id
--> id int4 | sum numeric | count int8 | count int8
--> 1 | 1.25 | 2 | 2
--> 2 | 3.00 | 3 | 3
--> 3 | 4.00 | 1 | 1
--> 4 | 9.99 | 1 | 1
--> 5 | ∅ | 1 | 1
--> SELECT 5

select id, count(*) over (order by s range between 2 preceding and 1 following), count(*) over (order by b range between 1 preceding and 10 following), count(*) over (order by b desc range between 1 preceding and 10::int2 following) from fr order by id
--> id int4 | count int8 | count int8 | count int8
--> 1 | 2 | 2 | 1
--> 2 | 2 | 2 | 3
--> 3 | 1 | 2 | 2
--> 4 | 2 | 1 | 1
--> 5 | 1 | 1 | 1
--> SELECT 5

select id, count(*) over (order by d range between interval '1 day' preceding and current row), count(*) over (order by d range between '2 days' preceding and '1 day' following), count(*) over (order by d desc range between current row and '27 days 1 hour' following) from fr order by id
--> id int4 | count int8 | count int8 | count int8
--> 1 | 1 | 2 | 1
--> 2 | 2 | 2 | 2
--> 3 | 1 | 2 | 3
--> 4 | 1 | 1 | 1
--> 5 | 1 | 1 | 1
--> SELECT 5

select id, count(*) over (order by t range between interval '12 hours' preceding and current row), count(*) over (order by t range between '1 day' preceding and '1 day' following), min(t) over (order by t desc range between '1 second' preceding and '12:00:01' following) from fr order by id
--> id int4 | count int8 | count int8 | min timestamp
--> 1 | 1 | 3 | 2020-01-01 10:00:00
--> 2 | 2 | 4 | 2020-01-01 10:00:00
--> 3 | 2 | 4 | 2020-01-01 22:00:00
--> 4 | 2 | 3 | 2020-01-01 22:00:00
--> 5 | 1 | 1 | ∅
--> SELECT 5

select id, count(*) over (order by tz range between interval '23 hours' preceding and current row), count(*) over (order by tz range between interval '1 day' preceding and current row) from fr order by id
--> id int4 | count int8 | count int8
--> 1 | 1 | 1
--> 2 | 2 | 2
--> 3 | 2 | 3
--> 4 | 1 | 1
--> 5 | 1 | 1
--> SELECT 5

select id, count(*) over (order by tm range between interval '30 minutes' preceding and current row), count(*) over (order by tm range between interval '1 day 30 minutes' preceding and '20 hours' following) from fr order by id
--> id int4 | count int8 | count int8
--> 1 | 1 | 3
--> 2 | 2 | 3
--> 3 | 1 | 1
--> 4 | 1 | 3
--> 5 | 1 | 1
--> SELECT 5

select id, count(*) over (order by i range between interval '12 hours' preceding and current row), count(*) over (order by i range between '1 month' preceding and '1 day' following) from fr order by id
--> id int4 | count int8 | count int8
--> 1 | 1 | 2
--> 2 | 2 | 2
--> 3 | 1 | 4
--> 4 | 1 | 4
--> 5 | 1 | 1
--> SELECT 5

select id, array_agg(id) over (partition by id % 2 order by n range between 1 preceding and unbounded following), first_value(id) over w, last_value(id) over w, rank() over w from fr window w as (order by d range between '3 days' preceding and '1 day' following) order by id
--> id int4 | array_agg int4[] | first_value int4 | last_value int4 | rank int8
--> 1 | {1,3,5} | 1 | 2 | 1
--> 2 | {2,4} | 1 | 2 | 2
--> 3 | {1,3,5} | 1 | 3 | 3
--> 4 | {4} | 4 | 4 | 4
--> 5 | {5} | 5 | 5 | 5
--> SELECT 5

select d, count(*) over (order by d range between '1 day' preceding and current row) from (values (date 'infinity'), ('-infinity'), ('2020-01-01'), ('2020-01-02')) v(d)
--> d date | count int8
--> -infinity | 1
--> 2020-01-01 | 1
--> 2020-01-02 | 2
--> infinity | 1
--> SELECT 4

select n, sum(count(*)) over (order by n range between 0.5 preceding and current row exclude current row) from fr where n < 5 group by n order by n
--> n numeric | sum numeric
--> 1.25 | ∅
--> 1.75 | 1
--> 2.25 | 1
--> SELECT 3

select id, count(*) over (order by t range '12 hours'::interval preceding), count(*) over (order by n range between '0.5'::numeric preceding and '1'::numeric following), count(*) over (order by id rows between '1'::int preceding and 1 + 1 following) from fr order by id
--> id int4 | count int8 | count int8 | count int8
--> 1 | 1 | 3 | 3
--> 2 | 2 | 3 | 4
--> 3 | 2 | 2 | 4
--> 4 | 2 | 1 | 3
--> 5 | 1 | 1 | 2
--> SELECT 5

select id from fr where n between '1'::numeric and '2'::numeric order by id
--> id int4
--> 1
--> 2
--> SELECT 2

-- A constant orders nothing, but it has a value.
select x, count(*) over (order by 1 range between 1 preceding and 1 following), count(*) over (order by 1 range between 1 following and 2 following), count(*) over (order by 1.5 range between 0.5 preceding and 0.5 preceding), count(*) over (order by date '2020-01-01' range '1 day' preceding) from (values (1), (2)) v(x)
--> x int4 | count int8 | count int8 | count int8 | count int8
--> 1 | 2 | 0 | 0 | 2
--> 2 | 2 | 0 | 0 | 2
--> SELECT 2

select x, count(*) over (order by null::int range between 1 preceding and 1 following), sum(x) over (order by 'a'::text range between unbounded preceding and current row) from (values (1), (2)) v(x)
--> x int4 | count int8 | sum int8
--> 1 | 2 | 3
--> 2 | 2 | 3
--> SELECT 2

-- Offsets are checked.
select x, sum(x) over (order by x range between 1 preceding and 1.5 following) from (values (1), (2)) v(x)
--> ERROR 0A000: RANGE with offset PRECEDING/FOLLOWING is not supported for column type integer and offset type numeric

select count(*) over (order by x range between 1 preceding and current row) from (values ('a')) v(x)
--> ERROR 0A000: RANGE with offset PRECEDING/FOLLOWING is not supported for column type text

select count(*) over (order by x range between 1 preceding and current row) from (values (date '2020-01-01')) v(x)
--> ERROR 0A000: RANGE with offset PRECEDING/FOLLOWING is not supported for column type date and offset type integer

select count(*) over (order by x range between interval '1 day' preceding and current row) from (values (1)) v(x)
--> ERROR 0A000: RANGE with offset PRECEDING/FOLLOWING is not supported for column type integer and offset type interval

select count(*) over (order by x range between -1 preceding and current row) from (values (1)) v(x)
--> ERROR 22013: invalid preceding or following size in window function

select count(*) over (order by x range between -0.5 preceding and current row) from (values (1.5)) v(x)
--> ERROR 22013: invalid preceding or following size in window function

select count(*) over (order by x range between current row and '-0.5' following) from (values (1.5::float8)) v(x)
--> ERROR 22013: invalid preceding or following size in window function

select count(*) over (order by x range between 'NaN'::float8 preceding and current row) from (values (1::float8)) v(x)
--> ERROR 22013: invalid preceding or following size in window function

select count(*) over (order by x range between '-1 day' preceding and current row) from (values (timestamp '2020-01-01')) v(x)
--> ERROR 22013: invalid preceding or following size in window function

select count(*) over (order by x range between null preceding and current row) from (values (1)) v(x)
--> ERROR 22004: frame starting offset must not be null

select count(*) over (order by x range between current row and null following) from (values (1.5)) v(x)
--> ERROR 22004: frame ending offset must not be null

select count(*) over (order by x rows between null preceding and current row) from (values (1)) v(x)
--> ERROR 22004: frame starting offset must not be null

select count(*) over (order by x rows between -1 preceding and current row) from (values (1)) v(x)
--> ERROR 22013: frame starting offset must not be negative

select count(*) over (order by x groups between current row and -1 following) from (values (1)) v(x)
--> ERROR 22013: frame ending offset must not be negative

select count(*) over (order by x rows between x preceding and current row) from (values (1)) v(x)
--> ERROR 42P10: argument of ROWS must not contain variables

select count(*) over (order by x range between x preceding and current row) from (values (1)) v(x)
--> ERROR 42P10: argument of RANGE must not contain variables

select count(*) over (range between 1 preceding and current row) from (values (1)) v(x)
--> ERROR 42P20: RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column

select count(*) over (order by x, x + 1 range between 1 preceding and current row) from (values (1)) v(x)
--> ERROR 42P20: RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column

select count(*) over (w rows 1 preceding) from (values (1)) v(x) window w as (order by x rows 2 preceding)
--> ERROR 42P20: cannot copy window "w" because it has a frame clause

-- Sums of floats are added up in order, and a frame that moves is added up anew.
select sum(x), avg(x), var_pop(x), var_samp(x), stddev_pop(x), stddev(x), variance(x) from (values (0.1::float8), (0.2), (0.3), (1e10)) v(x)
--> sum float8 | avg float8 | var_pop float8 | var_samp float8 | stddev_pop float8 | stddev float8 | variance float8
--> 10000000000.6 | 2500000000.15 | 1.874999999925e+19 | 2.4999999999000003e+19 | 4330127018.835591 | 4999999999.900001 | 2.4999999999000003e+19
--> SELECT 1

select sum(x), avg(x), var_pop(x), stddev_samp(x) from (values (0.1::float4), (0.2), (0.3)) v(x)
--> sum float4 | avg float8 | var_pop float8 | stddev_samp float8
--> 0.6 | 0.2000000054637591 | 0.00666666736205421 | 0.10000000521540643
--> SELECT 1

select sum(x), avg(x), variance(x) from (values (1e15::float8), (1e15 + 1), (1e15 + 2), (1e15 + 4)) v(x)
--> sum float8 | avg float8 | variance float8
--> 4.000000000000007e+15 | 1.0000000000000018e+15 | 2.9166666666666665
--> SELECT 1

select sum(x) over w, avg(x) over w, stddev(x) over w, var_pop(x) over w from (values (1, 0.1::float8), (2, 0.2), (3, 0.3), (4, 1e10), (5, 0.1), (6, 0.2), (7, null)) v(i, x) window w as (order by i rows 1 preceding)
--> sum float8 | avg float8 | stddev float8 | var_pop float8
--> 0.1 | 0.1 | ∅ | 0
--> 0.30000000000000004 | 0.15000000000000002 | 0.07071067811865474 | 0.0024999999999999988
--> 0.5 | 0.25 | 0.07071067811865474 | 0.0024999999999999988
--> 10000000000.3 | 5000000000.15 | 7071067811.653344 | 2.4999999998500004e+19
--> 10000000000.1 | 5000000000.05 | 7071067811.7947645 | 2.4999999999499997e+19
--> 0.30000000000000004 | 0.15000000000000002 | 0.07071067811865474 | 0.0024999999999999988
--> 0.2 | 0.2 | ∅ | 0
--> SELECT 7

select sum(x) over w, avg(x) over w, variance(x) over w from (values (1, 1e20::float4), (2, 0.5), (3, 0.25), (4, null), (5, 3)) v(i, x) window w as (order by i rows between 1 preceding and 1 following)
--> sum float4 | avg float8 | variance float8
--> 1e+20 | 5.000000100204387e+19 | 5.0000002004087754e+39
--> 1e+20 | 3.333333400136258e+19 | 3.333333466939184e+39
--> 0.75 | 0.375 | 0.03125
--> 3.25 | 1.625 | 3.78125
--> 3 | 3 | ∅
--> SELECT 5

select sum(x) over (order by i), avg(x) over (order by i rows unbounded preceding), stddev_pop(x) over (order by i rows between 2 preceding and 1 preceding), sum(x) over (order by i rows between current row and unbounded following), sum(x) over (order by i rows between unbounded preceding and unbounded following exclude current row) from (values (1, 0.1::float8), (2, 0.7), (3, 0.3), (4, 0.9)) v(i, x)
--> sum float8 | avg float8 | stddev_pop float8 | sum float8 | sum float8
--> 0.1 | 0.1 | ∅ | 2 | 1.9
--> 0.7999999999999999 | 0.39999999999999997 | 0 | 1.9 | 1.3
--> 1.0999999999999999 | 0.36666666666666664 | 0.3 | 1.2 | 1.7
--> 2 | 0.5 | 0.2 | 0.9 | 1.0999999999999999
--> SELECT 4

select sum(x), avg(x), var_pop(x), var_samp(x) from (values ('Infinity'::float8), (1)) v(x)
--> sum float8 | avg float8 | var_pop float8 | var_samp float8
--> Infinity | Infinity | NaN | NaN
--> SELECT 1

select sum(x), avg(x), var_pop(x), var_samp(x), stddev(x) from (values ('NaN'::float8)) v(x)
--> sum float8 | avg float8 | var_pop float8 | var_samp float8 | stddev float8
--> NaN | NaN | NaN | ∅ | ∅
--> SELECT 1

select sum(x), avg(x), var_pop(x) from (values ('Infinity'::float8), ('-Infinity')) v(x)
--> sum float8 | avg float8 | var_pop float8
--> NaN | NaN | NaN
--> SELECT 1

select sum(x) over w, var_pop(x) over w from (values (1, 'Infinity'::float8), (2, 1), (3, 2), (4, 'NaN'), (5, 1), (6, 5)) v(i, x) window w as (order by i rows 1 preceding)
--> sum float8 | var_pop float8
--> Infinity | NaN
--> Infinity | NaN
--> 3 | 0.25
--> NaN | NaN
--> NaN | NaN
--> 6 | 4
--> SELECT 6

select sum(x) from (values (1.7e308::float8), (1.7e308)) v(x)
--> ERROR 22003: value out of range: overflow

select avg(x) from (values (1e200::float8), (-1e200)) v(x)
--> ERROR 22003: value out of range: overflow

select sum(x) from (values (3e38::float4), (3e38)) v(x)
--> ERROR 22003: value out of range: overflow

select sum(x), stddev(x) from (values (null::float8)) v(x)
--> sum float8 | stddev float8
--> ∅ | ∅
--> SELECT 1

drop table fr
--> DROP TABLE
