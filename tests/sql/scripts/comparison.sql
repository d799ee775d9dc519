-- Values compare as their type does, not as they are stored: arrays, jsonb, numeric, interval.
create table cm (id int primary key, a int[], n numeric[], j jsonb, i interval, t text[], f float8)
--> CREATE TABLE

insert into cm values (1,'{7}','{1}','1','1 day','{b}',0), (2,'{1,1,2}','{1.0}','1.0','24:00','{a,b}',1e10), (3,'{1,2,3}','{1.00,2}','"a"','2 days','{a,NULL}','-Infinity'), (4,null,null,null,null,null,null), (5,'{}','{}','{}','0','{}','Infinity'),(6,'{{1,2},{3,4}}','{NaN}','[]','-1 day','{"",a}',1.5)
--> INSERT 0 6

select id from cm order by a, id
--> id int4
--> 5
--> 2
--> 3
--> 6
--> 1
--> 4
--> SELECT 6

select id from cm order by a desc nulls last, id
--> id int4
--> 1
--> 6
--> 3
--> 2
--> 5
--> 4
--> SELECT 6

select a from cm order by 1
--> a int4[]
--> {}
--> {1,1,2}
--> {1,2,3}
--> {{1,2},{3,4}}
--> {7}
--> ∅
--> SELECT 6

select id from cm order by n, id
--> id int4
--> 5
--> 1
--> 2
--> 3
--> 6
--> 4
--> SELECT 6

select id from cm order by j, id
--> id int4
--> 6
--> 3
--> 1
--> 2
--> 5
--> 4
--> SELECT 6

select id from cm order by i, id
--> id int4
--> 6
--> 5
--> 1
--> 2
--> 3
--> 4
--> SELECT 6

select id from cm order by t, id
--> id int4
--> 5
--> 6
--> 2
--> 3
--> 1
--> 4
--> SELECT 6

select id from cm order by f desc, id
--> id int4
--> 4
--> 5
--> 2
--> 6
--> 1
--> 3
--> SELECT 6

select count(distinct a), count(distinct n), count(distinct j), count(distinct i), count(distinct t) from cm
--> count int8 | count int8 | count int8 | count int8 | count int8
--> 5 | 4 | 4 | 4 | 5
--> SELECT 1

select count(*) from (select distinct n from cm) s
--> count int8
--> 5
--> SELECT 1

select distinct a from cm order by a
--> a int4[]
--> {}
--> {1,1,2}
--> {1,2,3}
--> {{1,2},{3,4}}
--> {7}
--> ∅
--> SELECT 6

select distinct a, id > 3 as b from cm order by a desc, b
--> a int4[] | b bool
--> ∅ | t
--> {7} | f
--> {{1,2},{3,4}} | t
--> {1,2,3} | f
--> {1,1,2} | f
--> {} | t
--> SELECT 6

select count(*) from (select distinct j from cm) s
--> count int8
--> 5
--> SELECT 1

select count(*), min(id) from cm group by n order by min(id)
--> count int8 | min int4
--> 2 | 1
--> 1 | 3
--> 1 | 4
--> 1 | 5
--> 1 | 6
--> SELECT 5

select count(*), min(id) from cm group by j order by min(id)
--> count int8 | min int4
--> 2 | 1
--> 1 | 3
--> 1 | 4
--> 1 | 5
--> 1 | 6
--> SELECT 5

select count(*), min(id) from cm group by i order by min(id)
--> count int8 | min int4
--> 2 | 1
--> 1 | 3
--> 1 | 4
--> 1 | 5
--> 1 | 6
--> SELECT 5

select n, count(*) from cm group by n having count(*) > 1
--> n numeric[] | count int8
--> {1} | 2
--> SELECT 1

select count(*) from (select n from cm union select n from cm) s
--> count int8
--> 5
--> SELECT 1

select count(*) from (select j from cm union select '1.00'::jsonb) s
--> count int8
--> 5
--> SELECT 1

select count(*) from (select i from cm union select '24 hours') s
--> count int8
--> 5
--> SELECT 1

select array[1.0] union select array[1.00] order by 1
--> array numeric[]
--> {1.0}
--> SELECT 1

select array[1.0] union all select array[1.00] order by 1
--> array numeric[]
--> {1.0}
--> {1.00}
--> SELECT 2

select array[1.0] intersect select array[1.00]
--> array numeric[]
--> {1.0}
--> SELECT 1

select array[1.0] except select array[1.00]
--> array numeric[]
--> SELECT 0

select array[1.0], 5 except select array[1.00], 6
--> array numeric[] | ?column? int4
--> {1.0} | 5
--> SELECT 1

select null::numeric[] intersect select null
--> numeric numeric[]
--> ∅
--> SELECT 1

select a from cm intersect select a from cm where id < 3 order by 1
--> a int4[]
--> {1,1,2}
--> {7}
--> SELECT 2

select a from cm except select a from cm where id < 3 order by 1
--> a int4[]
--> {}
--> {1,2,3}
--> {{1,2},{3,4}}
--> ∅
--> SELECT 4

select a from cm where id = 1 union select a from cm where id = 2 union all select a from cm where id = 1 order by 1
--> a int4[]
--> {1,1,2}
--> {7}
--> {7}
--> SELECT 3

select array[1.0, 2] intersect all select array[1, 2.0]
--> array numeric[]
--> {1.0,2}
--> SELECT 1

select 1.0 = any(array[1]), 1 = any(array[1.0]), 1.0 = any(array[1, 2.00]), 2.0 <> all (array[2]), 1.0 in (1, 2)
--> ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool
--> t | t | t | f | t
--> SELECT 1

select interval '1 day' = any(array[interval '24 hours']), interval '1 day' in (interval '24 hours'), '1 day' = any(array['24:00'::interval])
--> ?column? bool | ?column? bool | ?column? bool
--> t | t | t
--> SELECT 1

select x = any(array[1]) from (values (1.0), (2.0)) v(x)
--> ?column? bool
--> t
--> f
--> SELECT 2

select x = any(y) from (values (1.0, array[1.00]), (2.0, array[3])) v(x, y)
--> ?column? bool
--> t
--> f
--> SELECT 2

select array[1,2] = any (select a from cm), array[1.0] in (select n from cm), array[7] in (select a from cm), array[9] not in (select a from cm where a is not null)
--> ?column? bool | ?column? bool | ?column? bool | ?column? bool
--> ∅ | t | t | t
--> SELECT 1

select array[1.0] in (array[1.00], array[2.0]), array[1,2] in (array[2,1]), array[1.0] not in (array[1.00])
--> ?column? bool | ?column? bool | ?column? bool
--> t | f | f
--> SELECT 1

select array[1] < array[1,0], array[2] > array[1,5], array[1,null] > array[1,2], array[1,null] = array[1,null], array[[1,2]] = array[1,2], '[0:0]={1}'::int[] = '{1}'::int[]
--> ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool
--> t | t | t | t | f | f
--> SELECT 1

select array[1.0] = array[1.00], array['a','b'] < array['b'], array[true] > array[false], array[date '2020-01-01'] < array[date '2020-01-02']
--> ?column? bool | ?column? bool | ?column? bool | ?column? bool
--> t | t | t | t
--> SELECT 1

select min(a), max(a), min(n), max(t) from cm
--> min int4[] | max int4[] | min numeric[] | max text[]
--> {} | {7} | {} | {b}
--> SELECT 1

select greatest(array[1,2], array[3], array[2,9]), least(array[1.0], array[0.5,1]), greatest(array[1.0], null)
--> greatest int4[] | least numeric[] | greatest numeric[]
--> {3} | {0.5,1} | {1.0}
--> SELECT 1

select nullif(array[1.0], array[1.00]), nullif('1'::jsonb, '1.0'::jsonb), case array[1.0] when array[1.00] then 'same' end
--> nullif numeric[] | nullif jsonb | case text
--> ∅ | ∅ | same
--> SELECT 1

select array[1.0] is distinct from array[1.00], array[1] is not distinct from null, '1'::jsonb is distinct from '1.0'
--> ?column? bool | ?column? bool | ?column? bool
--> f | f | f
--> SELECT 1

select (array[1.0], 2) = (array[1.00], 2.0), (1, array[2]) < (1, array[3]), row(array[1.0]) in (select array[1.00])
--> ?column? bool | ?column? bool | ?column? bool
--> t | t | t
--> SELECT 1

select rank() over (order by n), id from cm order by id
--> rank int8 | id int4
--> 2 | 1
--> 2 | 2
--> 4 | 3
--> 6 | 4
--> 1 | 5
--> 5 | 6
--> SELECT 6

select count(*) over (partition by n), id from cm order by id
--> count int8 | id int4
--> 2 | 1
--> 2 | 2
--> 1 | 3
--> 1 | 4
--> 1 | 5
--> 1 | 6
--> SELECT 6

select count(*) over (partition by j), id from cm order by id
--> count int8 | id int4
--> 2 | 1
--> 2 | 2
--> 1 | 3
--> 1 | 4
--> 1 | 5
--> 1 | 6
--> SELECT 6

select row_number() over (partition by i order by id), id from cm order by id
--> row_number int8 | id int4
--> 1 | 1
--> 2 | 2
--> 1 | 3
--> 1 | 4
--> 1 | 5
--> 1 | 6
--> SELECT 6

select count(*) over (order by a), id from cm order by id
--> count int8 | id int4
--> 5 | 1
--> 2 | 2
--> 3 | 3
--> 6 | 4
--> 1 | 5
--> 4 | 6
--> SELECT 6

select first_value(id) over (order by a desc nulls last), id from cm order by id
--> first_value int4 | id int4
--> 1 | 1
--> 1 | 2
--> 1 | 3
--> 1 | 4
--> 1 | 5
--> 1 | 6
--> SELECT 6

select array_agg(distinct i), count(distinct i) from cm
--> array_agg 1187 | count int8
--> {"-1 days",00:00:00,"1 day","2 days",NULL} | 4
--> SELECT 1

select array_agg(distinct j) from cm
--> array_agg 3807
--> {[],"\"a\"",1,"{}",NULL}
--> SELECT 1

select array_agg(distinct x) from (values (1.0),(1),(2)) v(x)
--> array_agg numeric[]
--> {1.0,2}
--> SELECT 1

select array_agg(x order by x) from (values (1.0),(1),(0.5)) v(x)
--> array_agg numeric[]
--> {0.5,1.0,1}
--> SELECT 1

select array_agg(a order by a) from (values (array[2]), (array[1]), (array[10])) v(a)
--> array_agg int4[]
--> {{1},{2},{10}}
--> SELECT 1

select array_agg(id order by a, id) from cm
--> array_agg int4[]
--> {5,2,3,6,1,4}
--> SELECT 1

select string_agg(id::text, ',' order by j desc nulls last, id) from cm
--> string_agg text
--> 5,1,2,3,6,4
--> SELECT 1

select distinct on (n) n, id from cm order by n, id
--> n numeric[] | id int4
--> {} | 5
--> {1} | 1
--> {1.00,2} | 3
--> {NaN} | 6
--> ∅ | 4
--> SELECT 5

select distinct on (j) id from cm order by j, id desc
--> id int4
--> 6
--> 3
--> 2
--> 5
--> 4
--> SELECT 5

create table cu (n numeric[] unique, j jsonb unique, i interval unique, a int[])
--> CREATE TABLE

insert into cu values ('{1}', '1', '1 day', '{1}')
--> INSERT 0 1

insert into cu values ('{1.0}', '2', '2 days', '{1}')
--> ERROR 23505: duplicate key value violates unique constraint "cu_n_key"
-->   detail: Key (n)=({1.0}) already exists.
-->   table: cu
-->   constraint: cu_n_key

insert into cu values ('{2}', '1.0', '2 days', '{1}')
--> ERROR 23505: duplicate key value violates unique constraint "cu_j_key"
-->   detail: Key (j)=(1.0) already exists.
-->   table: cu
-->   constraint: cu_j_key

insert into cu values ('{2}', '2', '24:00', '{1}')
--> ERROR 23505: duplicate key value violates unique constraint "cu_i_key"
-->   detail: Key (i)=(24:00:00) already exists.
-->   table: cu
-->   constraint: cu_i_key

insert into cu values ('{2}', '{"b":1,"a":2.0}', '25:00', '{1}')
--> INSERT 0 1

insert into cu values ('{3}', '{"a":2,"b":1}', '26:00', '{1}')
--> ERROR 23505: duplicate key value violates unique constraint "cu_j_key"
-->   detail: Key (j)=({"a": 2, "b": 1}) already exists.
-->   table: cu
-->   constraint: cu_j_key

insert into cu values ('{1.000}', '5', '27:00', '{5}') on conflict (n) do update set a = excluded.a returning n, a
--> n numeric[] | a int4[]
--> {1} | {5}
--> INSERT 0 1

insert into cu values ('{9}', '1.00', '28:00', '{6}') on conflict (j) do update set a = excluded.a returning n, j, a
--> n numeric[] | j jsonb | a int4[]
--> {1} | 1 | {6}
--> INSERT 0 1

insert into cu values ('{9}', '7', '24 hours', '{6}') on conflict (i) do nothing
--> INSERT 0 0

insert into cu values ('{9}', '1.00', '28:00', '{6}') on conflict do nothing
--> INSERT 0 0

select n, j from cu where n = array[1.00]
--> n numeric[] | j jsonb
--> {1} | 1
--> SELECT 1

select n, j from cu where j = '1.00'
--> n numeric[] | j jsonb
--> {1} | 1
--> SELECT 1

select n from cu where n = any (select array[1.00]) order by n
--> n numeric[]
--> {1}
--> SELECT 1

update cu set n = '{2.0}' where j = '1'
--> ERROR 23505: duplicate key value violates unique constraint "cu_n_key"
-->   detail: Key (n)=({2.0}) already exists.
-->   table: cu
-->   constraint: cu_n_key

create unique index cu_e on cu ((j->>'b'))
--> CREATE INDEX

create unique index cu_num on cu (((j->>'a')::numeric))
--> CREATE INDEX

insert into cu values ('{11}', '{"a":2.00}', '29:00', '{1}')
--> ERROR 23505: duplicate key value violates unique constraint "cu_num"
-->   detail: Key (((j ->> 'a'::text)::numeric))=(2.00) already exists.
-->   table: cu
-->   constraint: cu_num

insert into cu values ('{11}', '{"a":2.00}', '29:00', '{1}') on conflict (((j->>'a')::numeric)) do nothing
--> INSERT 0 0

create index cu_a on cu (a, n)
--> CREATE INDEX

create unique index cu_fail on cu (a)
--> CREATE INDEX

select a, count(*) from cu group by a order by a
--> a int4[] | count int8
--> {1} | 1
--> {6} | 1
--> SELECT 2

alter table cu add unique (a, i)
--> ALTER TABLE

select '{"a":1}'::jsonb < '{"a":2}', '{}'::jsonb > '[]', '[]'::jsonb < 'null', 'null'::jsonb < '"a"', '"z"'::jsonb < '1', '1'::jsonb < 'true', 'false'::jsonb < 'true', '[1]'::jsonb > 'true', '[1,2]'::jsonb > '[9]', '[[]]'::jsonb > '[null]'
--> ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool
--> t | t | t | t | t | t | t | t | t | t
--> SELECT 1

select j from (values ('{"b":1}'::jsonb), ('{"a":5}'), ('{"a":5,"b":1}'), ('[]'), ('[1]'), ('[[]]'), ('null'), ('"b"'), ('"a"'), ('10'), ('9.5'), ('true'), ('false'), ('{"aa":1}'), ('{}'), ('[null]'), ('["a"]')) v(j) order by j
--> j jsonb
--> []
--> null
--> "a"
--> "b"
--> 9.5
--> 10
--> false
--> true
--> [null]
--> ["a"]
--> [1]
--> [[]]
--> {}
--> {"a": 5}
--> {"aa": 1}
--> {"b": 1}
--> {"a": 5, "b": 1}
--> SELECT 17

select '{"a":1}'::jsonb = '{"a":1.0}', '[1,2]'::jsonb <> '[1,2.0]', '1'::jsonb >= '1.0', '{"a":1}'::jsonb between '{}' and '{"z":1}'
--> ?column? bool | ?column? bool | ?column? bool | ?column? bool
--> t | f | t | t
--> SELECT 1

select max(j) from cm
--> ERROR 42883: function max(jsonb) does not exist

select '1'::jsonb in ('1.0', '2'), '1'::jsonb = any (array['1.0'::jsonb]), '1.0'::jsonb in (select j from cm), '1'::jsonb = any(select j from cm)
--> ?column? bool | ?column? bool | ?column? bool | ?column? bool
--> t | t | t | t
--> SELECT 1

select array['1'::jsonb] = array['1.0'::jsonb], array['[]'::jsonb] < array['null'::jsonb]
--> ?column? bool | ?column? bool
--> t | t
--> SELECT 1

select a.id, b.id from cm a join cm b on a.n = b.n and a.id < b.id
--> id int4 | id int4
--> 1 | 2
--> SELECT 1

select a.id, b.id from cm a join cm b using (j) where a.id < b.id
--> id int4 | id int4
--> 1 | 2
--> SELECT 1

select n from cm natural join (values (array[1.0])) v(n) order by id
--> n numeric[]
--> {1}
--> {1.0}
--> SELECT 2

select time with time zone '10:00+00' = '11:00+01', '10:00+00'::timetz < '11:00+01', count(distinct x) from (values ('10:00+00'::timetz), ('11:00+01'), ('10:00+00')) v(x)
--> ?column? bool | ?column? bool | count int8
--> f | f | 2
--> SELECT 1

select array[timetz '10:00+00'] < array[timetz '11:00+01'], array['1 day'::interval] = array['24:00'::interval], array['-0'::float8] = array[0::float8], array['NaN'::float8] > array['Infinity'::float8]
--> ?column? bool | ?column? bool | ?column? bool | ?column? bool
--> f | t | t | t
--> SELECT 1

select '-0'::float8 = 0, count(distinct x) from (values ('-0'::float8), (0)) v(x)
--> ?column? bool | count int8
--> t | 1
--> SELECT 1

select array[-1.5] < array[-1.4], array[-10.0] < array[-9.99], array[0.0] = array[-0.0], array['NaN'::numeric] > array['Infinity'::numeric], array[100.0] > array[20.5], array[1e-10] > array[0.0], array['-Infinity'::numeric] < array[-1e30]
--> ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool
--> t | t | t | t | t | t | t
--> SELECT 1

select array['ab'] > array['a','b'], array['a'] < array['a',''], array['\x00'::bytea] < array['\x0000'::bytea], array['\x00ff'::bytea] > array['\x0001'::bytea], array['\x'::bytea] < array['\x00'::bytea]
--> ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool
--> t | t | t | t | t
--> SELECT 1

with recursive r(a) as (select array[1] union select a || 1 from r where array_length(a,1) < 3) select a from r order by a
--> a int4[]
--> {1}
--> {1,1}
--> {1,1,1}
--> SELECT 3

select n, id from cm order by n desc nulls last, id limit 3
--> n numeric[] | id int4
--> {NaN} | 6
--> {1.00,2} | 3
--> {1} | 1
--> SELECT 3

select id, n from cm union all select 9, array[0.5] order by n, id
--> id int4 | n numeric[]
--> 5 | {}
--> 9 | {0.5}
--> 1 | {1}
--> 2 | {1.0}
--> 3 | {1.00,2}
--> 6 | {NaN}
--> 4 | ∅
--> SELECT 7

select mode() within group (order by n), percentile_disc(0.5) within group (order by a) from cm
--> mode numeric[] | percentile_disc int4[]
--> {1} | {1,2,3}
--> SELECT 1

select x from (values (array[3]), (array[1,5]), (array[2])) v(x) order by x fetch first 1 row with ties
--> x int4[]
--> {1,5}
--> SELECT 1

values (array[3]), (array[1,5]) order by 1
--> column1 int4[]
--> {1,5}
--> {3}
--> SELECT 2

select json_agg(distinct n) from cm where id < 3
--> json_agg json
--> [[1]]
--> SELECT 1

select count(*) from cm where a in (array[7], array[1,1,2])
--> count int8
--> 2
--> SELECT 1

select id from cm where a > array[1,2] order by id
--> id int4
--> 1
--> 3
--> 6
--> SELECT 3

select id from cm where (a, id) >= (array[1,2,3], 3) order by id
--> id int4
--> 1
--> 3
--> 6
--> SELECT 3

select array[1,2] && array[2], array[1,2] = any (select array[1,2]), array[1] < any(select array[2])
--> ?column? bool | ?column? bool | ?column? bool
--> t | t | t
--> SELECT 1
