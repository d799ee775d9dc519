-- Precedence and the lexing of operators; ANY and ALL; rows; what is said in other words.
select -2 ^ 2
--> ?column? float8
--> 4
--> SELECT 1

select ~2 - ~2
--> ?column? int4
--> -6
--> SELECT 1

select @ 2 - 7
--> ?column? int4
--> 5
--> SELECT 1

select 'a' ~ 'a' || 'b'
--> ?column? text
--> trueb
--> SELECT 1

select 1 < 2 = true
--> ERROR 42601: syntax error at or near "="

select 1 >=-1, 2<=-3, 5*-2, 1<>-1, 2=-2, 2--1
--> ?column? bool | ?column? bool | ?column? int4 | ?column? bool | ?column? bool | ?column? int4
--> t | f | -10 | t | f | 2
--> SELECT 1

select '[1,2]'::jsonb->-1, '[1,2]'::json->>-1
--> ?column? jsonb | ?column? text
--> 2 | 2
--> SELECT 1

select 2 ^ -1, -2 ^ -2, 2 ^ 3 ^ 2
--> ?column? float8 | ?column? float8 | ?column? float8
--> 0.5 | 0.25 | 64
--> SELECT 1

select 1 + 2 * 3 % 4, 7 / 2 * 2, 10 - 4 - 3
--> ?column? int4 | ?column? int4 | ?column? int4
--> 3 | 6 | 3
--> SELECT 1

select not true and false, not 1 = 2, not 1 < 2
--> ?column? bool | ?column? bool | ?column? bool
--> f | t | f
--> SELECT 1

select 1 is null = false
--> ?column? bool
--> t
--> SELECT 1

select 'a' || 'b' like 'a%', 'a' like 'a' || '%'
--> ?column? bool | ?column? bool
--> t | t
--> SELECT 1

select 1 between 0 and 2 and true, 3 not between 1 and 2
--> ?column? bool | ?column? bool
--> t | t
--> SELECT 1

select 1 in (1,2) = true
--> ?column? bool
--> t
--> SELECT 1

select 1 = any(array[1,2]) and true
--> ?column? bool
--> t
--> SELECT 1

select '5' :: int + 1, -'5'::int, - 5 :: text || 'x'
--> ERROR 42883: operator does not exist: - text

select 2 & 3 = 2, 1 | 2 = 3, 1 << 2 + 1, 5 # 3 + 1
--> ?column? bool | ?column? bool | ?column? int4 | ?column? int4
--> t | t | 8 | 1
--> SELECT 1

select 1 != 2, 1 <> 2
--> ?column? bool | ?column? bool
--> t | t
--> SELECT 1

select 3 > 2 > 1
--> ERROR 42601: syntax error at or near ">"

select (3 > 2) = true
--> ?column? bool
--> t
--> SELECT 1

select 1 <= 2 is true, 1 = 1 is not null
--> ?column? bool | ?column? bool
--> t | t
--> SELECT 1

select true = not false
--> ?column? bool
--> t
--> SELECT 1

select 'x' is distinct from 'y' and true
--> ?column? bool
--> t
--> SELECT 1

select 1 operator(pg_catalog.+) 2 * 3
--> ?column? int4
--> 7
--> SELECT 1

select 2 operator(pg_catalog.*) 3 + 1
--> ?column? int4
--> 8
--> SELECT 1

select 'a' = 'b' || 'c', 'a' < 'b' || 'c'
--> ?column? bool | ?column? bool
--> f | t
--> SELECT 1

select array[1,2] || 3 @> array[3]
--> ?column? bool
--> t
--> SELECT 1

select '{"a":{"b":2}}'::jsonb -> 'a' ->> 'b' = '2'
--> ?column? bool
--> t
--> SELECT 1

select '{"a":1}'::jsonb ? 'a' and true
--> ?column? bool
--> t
--> SELECT 1

select 'abc' ~~ 'a%' , 'abc' !~~ 'b%', 'ABC' ~~* 'a%', 'ABC' !~~* 'b%'
--> ?column? bool | ?column? bool | ?column? bool | ?column? bool
--> t | t | t | t
--> SELECT 1

select 5 - -3, 5 - - 3, + 5, - + 5
--> ?column? int4 | ?column? int4 | ?column? int4 | ?column? int4
--> 8 | 8 | 5 | -5
--> SELECT 1

select 'a' collate "C" < 'b', 'a' < 'b' collate "C"
--> ?column? bool | ?column? bool
--> t | t
--> SELECT 1

select 'x'::text collate "C" || 'y', cast('a' as text) collate "C" > 'B'
--> ?column? text | ?column? bool
--> xy | t
--> SELECT 1

select now() at time zone 'UTC' is not null
--> ?column? bool
--> t
--> SELECT 1

select timestamptz '2020-01-01 00:00+00' at time zone 'UTC' + interval '1 hour'
--> ?column? timestamp
--> 2020-01-01 01:00:00
--> SELECT 1

select interval '1 day' * 2 + interval '1 hour'
--> ?column? interval
--> 2 days 01:00:00
--> SELECT 1

select date '2020-01-01' - 1 + 2
--> ?column? date
--> 2020-01-02
--> SELECT 1

select 1::int::text || 2
--> ?column? text
--> 12
--> SELECT 1

select 10 % 3 * 2, -7 % 3, 2 * -3
--> ?column? int4 | ?column? int4 | ?column? int4
--> 2 | -1 | -6
--> SELECT 1

select 1 isnull, 1 notnull, null isnull = true
--> ?column? bool | ?column? bool | ?column? bool
--> f | t | t
--> SELECT 1

select case when 1 < 2 then 'a' end || 'b'
--> ?column? text
--> ab
--> SELECT 1

select 'a' like any (array['a%','b%']), 'c' not like all (array['a%','b%']), 'A' ilike any(array['a'])
--> ?column? bool | ?column? bool | ?column? bool
--> t | t | t
--> SELECT 1

select 'a' ~ any(array['b','a']), 'a' !~ all(array['b']), 'a' ~* some (array['A'])
--> ?column? bool | ?column? bool | ?column? bool
--> t | t | t
--> SELECT 1

select 3 < any(array[1,2,5]), 3 >= all(array[1,2]), 3 <> all (array[1])
--> ?column? bool | ?column? bool | ?column? bool
--> t | t | t
--> SELECT 1

select '{"a":1}'::jsonb @> any(array['{}'::jsonb])
--> ?column? bool
--> t
--> SELECT 1

select 1 = any((select array[1,2])), 1 = any(select 1 union select 2), 1 = any((select 1 union select 2)), 1 = any((values (1),(2)))
--> ERROR 42883: operator does not exist: integer = integer[]

select 1 = any((select 1) union (select 2)), 1 in ((select 1) union (select 2)), 2 > all((select 1) union all (select 0))
--> ?column? bool | ?column? bool | ?column? bool
--> t | t | t
--> SELECT 1

select 1 operator(pg_catalog.=) any (array[1]), 'a' operator(pg_catalog.~) any(array['a']), 'a' operator(pg_catalog.~~) any(array['a'])
--> ?column? bool | ?column? bool | ?column? bool
--> t | t | t
--> SELECT 1

select 3 = any('{1,3}'), 3 = any('{1,3}'::int[]) , 'a' = any ('{a,b}')
--> ?column? bool | ?column? bool | ?column? bool
--> t | t | t
--> SELECT 1

select (1,2) = (select 1,2), (1,2) < (select 1,3), (1,2) <> (select 1,2), row(1,2) = (select 1, 3)
--> ?column? bool | ?column? bool | ?column? bool | ?column? bool
--> t | t | f | f
--> SELECT 1

select (1,null) = (select 1,2), (1,2) = (select 1,2 where false)
--> ?column? bool | ?column? bool
--> ∅ | ∅
--> SELECT 1

select (1,2) = (select 1)
--> ERROR 42601: subquery has too few columns

select (1,2) in ((1,2),(3,4)), (1,2) in (select 1,2), (1,2) not in (select 1,3)
--> ?column? bool | ?column? bool | ?column? bool
--> t | t | t
--> SELECT 1

select (1,2) = any(select 1,2), (1,2) <> all (select 1,3), (1,2) < any (select 1,3), (2,2) > all (select 1,3 union select 2,1)
--> ?column? bool | ?column? bool | ?column? bool | ?column? bool
--> t | t | t | t
--> SELECT 1

select (1,2) is distinct from (1,2), (1,null) is not distinct from (1,null)
--> ?column? bool | ?column? bool
--> f | t
--> SELECT 1

select (1,'a',2.0) = (1,'a',2), (1,2,3) > (1,2,2)
--> ?column? bool | ?column? bool
--> t | t
--> SELECT 1

select (select 1,2) = (1,2)
--> ERROR 42601: subquery must return only one column

select 1 between symmetric 2 and 0, 1 not between symmetric 2 and 0, 1 between asymmetric 0 and 2, 5 not between symmetric 2 and 3
--> ?column? bool | ?column? bool | ?column? bool | ?column? bool
--> t | f | t | t
--> SELECT 1

select (date '2020-01-01', date '2020-02-01') overlaps (date '2020-01-15', date '2020-03-01')
--> overlaps bool
--> t
--> SELECT 1

select (date '2020-01-01', interval '1 day') overlaps (date '2020-01-15', date '2020-03-01'), (timestamp '2020-01-01', interval '1 day') overlaps (timestamp '2020-01-01 12:00', interval '1 hour')
--> overlaps bool | overlaps bool
--> f | t
--> SELECT 1

select (time '10:00', time '11:00') overlaps (time '10:30', interval '1 hour')
--> overlaps bool
--> t
--> SELECT 1

select (null::date, date '2020-02-01') overlaps (date '2020-01-15', date '2020-03-01')
--> overlaps bool
--> t
--> SELECT 1

select make_interval(days => 3), make_interval(hours := 2, mins => 5), make_interval(1, 2, days => 5), make_interval(secs => 1.5)
--> make_interval interval | make_interval interval | make_interval interval | make_interval interval
--> 3 days | 02:05:00 | 1 year 2 mons 5 days | 00:00:01.5
--> SELECT 1

select make_date(year => 2020, month => 1, day => 5), make_time(hour => 1, min => 2, sec => 3.5)
--> make_date date | make_time time
--> 2020-01-05 | 01:02:03.5
--> SELECT 1

select make_timestamp(year => 2020, month => 1, mday => 5, hour => 1, min => 2, sec => 3.5)
--> make_timestamp timestamp
--> 2020-01-05 01:02:03.5
--> SELECT 1

select jsonb_set(target => '{"a":1}', path => '{a}', new_value => '2'), jsonb_set('{"a":1}', '{b}', '2', create_if_missing => false)
--> ERROR 42883: function jsonb_set(target => unknown, path => unknown, new_value => unknown) does not exist

select jsonb_insert('{"a":[1]}', '{a,0}', '5', insert_after => true)
--> jsonb_insert jsonb
--> {"a": [1, 5]}
--> SELECT 1

select make_interval(foo => 3)
--> ERROR 42883: function make_interval(foo => integer) does not exist

select make_interval(days => 1, days => 2)
--> ERROR 42601: argument name "days" used more than once

select make_interval(days => 1, 2)
--> ERROR 42601: positional argument cannot follow named argument

select lower(x => 'a')
--> ERROR 42883: function lower(x => unknown) does not exist

select from generate_series(1,3)
-->
-->
-->
-->
--> SELECT 3

select
-->
-->
--> SELECT 1

select count(*) from (select from generate_series(1,3)) s
--> count int8
--> 3
--> SELECT 1

select exists (select from generate_series(1,0))
--> exists bool
--> f
--> SELECT 1

select * from generate_series(1,5) g order by 1 fetch first (1+1) rows only
--> g int4
--> 1
--> 2
--> SELECT 2

select * from generate_series(1,5) g order by 1 offset 1 row fetch next row only
--> g int4
--> 2
--> SELECT 1

select * from (values (1),(1),(2),(2),(3)) v(x) order by x fetch first 1 row with ties
--> x int4
--> 1
--> 1
--> SELECT 2

select * from (values (1),(1),(2),(2),(3)) v(x) order by x offset 1 fetch first 2 rows with ties
--> x int4
--> 1
--> 2
--> 2
--> SELECT 3

select * from (values (1),(1),(2),(2),(3)) v(x) fetch first 2 rows with ties
--> ERROR 42601: WITH TIES cannot be specified without ORDER BY clause

select * from generate_series(1,5) g order by 1 limit (select 2) offset (1)
--> g int4
--> 2
--> 3
--> SELECT 2

select * from generate_series(1,5) g fetch first 2 rows only offset 3
--> g int4
--> 4
--> 5
--> SELECT 2

select x, sum(x) over (order by x rows between 1 preceding and 1 following exclude current row) from generate_series(1,4) x
--> x int4 | sum int8
--> 1 | 2
--> 2 | 4
--> 3 | 6
--> 4 | 3
--> SELECT 4

select x, sum(x) over (order by x range between 1 preceding and 1 following exclude ties), count(*) over (order by x groups between unbounded preceding and unbounded following exclude group) from (values (1),(1),(2)) v(x)
--> x int4 | sum int8 | count int8
--> 1 | 3 | 1
--> 1 | 3 | 1
--> 2 | 4 | 2
--> SELECT 3

select x, sum(x) over (rows between unbounded preceding and unbounded following exclude no others) from generate_series(1,3) x
--> x int4 | sum int8
--> 1 | 6
--> 2 | 6
--> 3 | 6
--> SELECT 3

select * from (values (1),(1),(1),(2)) v(x) intersect all select * from (values (1),(1),(3)) w(y) order by 1
--> x int4
--> 1
--> 1
--> SELECT 2

select * from (values (1),(1),(1),(2)) v(x) except all select * from (values (1),(3)) w(y) order by 1
--> x int4
--> 1
--> 1
--> 2
--> SELECT 3

select 1 union all select 2 except all select 2 intersect all select 2
--> ?column? int4
--> 1
--> SELECT 1

(select 1 union all select 1) except all (select 1)
--> ?column? int4
--> 1
--> SELECT 1

select 'a', null except all select 'a', null
--> ?column? text | ?column? text
--> SELECT 0
