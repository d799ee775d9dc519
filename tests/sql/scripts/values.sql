-- Blanks of char(n), GROUP BY of every kind of string, zones by offset, types of parameters.
create table ch (id int primary key, c char(5), d char(3), u varchar(5), b bpchar)
--> CREATE TABLE

insert into ch values (1,'ab','x','ab','q  '), (2,'abc','y','u','q'), (3,null,null,null,null), (4, 'ab   ', 'x', 'ab ', ' q ')
--> INSERT 0 4

select max(c) = c, '[' || array_to_string(array_agg(c), ',') || ']' from ch group by c order by c
--> ?column? bool | ?column? text
--> t | [ab   ,ab   ]
--> t | [abc  ]
--> ∅ | []
--> SELECT 3

select octet_length(c), c like 'ab', c like 'ab%', c ~ '^ab$', json_agg(c) from ch group by c order by c
--> octet_length int4 | ?column? bool | ?column? bool | ?column? bool | json_agg json
--> 5 | f | t | f | ["ab   ", "ab   "]
--> 5 | f | t | f | ["abc  "]
--> ∅ | ∅ | ∅ | ∅ | [null]
--> SELECT 3

select case when id = 1 then c end, case when id = 1 then c else d end, coalesce(c, d), coalesce(d, c), length(coalesce(c,d)), octet_length(coalesce(c, d)) from ch order by id
--> case bpchar | d bpchar | coalesce bpchar | coalesce bpchar | length int4 | octet_length int4
--> ab    | ab    | ab    | x   | 2 | 5
--> ∅ | y   | abc   | y   | 3 | 5
--> ∅ | ∅ | ∅ | ∅ | ∅ | ∅
--> ∅ | x   | ab    | x   | 2 | 5
--> SELECT 4

select min(c), max(d), octet_length(max(d)) from ch
--> min bpchar | max bpchar | octet_length int4
--> ab    | y   | 3
--> SELECT 1

select to_json(c), to_jsonb(d), json_build_array(c, d), json_build_object('a', c) from ch where id = 1
--> to_json json | to_jsonb jsonb | json_build_array json | json_build_object json
--> "ab   " | "x  " | ["ab   ", "x  "] | {"a" : "ab   "}
--> SELECT 1

select array[c, d], array[c], array[c]::text[] from ch where id = 1
--> array 1014 | array 1014 | array text[]
--> {"ab   ","x  "} | {"ab   "} | {ab}
--> SELECT 1

select '{ab}'::char(5)[], '{ab,"c "}'::char(3)[], ('{ab}'::char(5)[])[1] || '|'
--> bpchar 1014 | bpchar 1014 | ?column? text
--> {"ab   "} | {"ab ","c  "} | ab|
--> SELECT 1

select octet_length(c), length(c), char_length(c), c || '|', c::text || '|', upper(c) || '|', octet_length(c::text) from ch where id = 1
--> octet_length int4 | length int4 | char_length int4 | ?column? text | ?column? text | ?column? text | octet_length int4
--> 5 | 2 | 2 | ab| | ab| | AB| | 2
--> SELECT 1

select c = 'ab', c = 'ab   ', c = 'ab'::text, c = u, c in ('ab ', 'x'), c = any(array['ab']), c = any(array['ab '::char(7)]), c <> 'ab ' from ch order by id
--> ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool
--> t | t | t | t | t | t | t | f
--> f | f | f | f | f | f | f | t
--> ∅ | ∅ | ∅ | ∅ | ∅ | ∅ | ∅ | ∅
--> t | t | t | t | t | t | t | f
--> SELECT 4

select id from ch where c = 'ab ' order by id
--> id int4
--> 1
--> 4
--> SELECT 2

select id from ch where c in (select max(c) from ch where id <> 2) order by id
--> id int4
--> 1
--> 4
--> SELECT 2

select id from ch where c = (select max(c) from ch where id <> 2) order by id
--> id int4
--> 1
--> 4
--> SELECT 2

select a.id, z.id from ch a join ch z on a.c = z.c where a.id < z.id
--> id int4 | id int4
--> 1 | 4
--> SELECT 1

select distinct c from ch order by c
--> c bpchar
--> ab
--> abc
--> ∅
--> SELECT 3

select count(distinct c), count(distinct b) from ch
--> count int8 | count int8
--> 2 | 2
--> SELECT 1

select c from ch union select d from ch order by 1
--> c bpchar
--> ab
--> abc
--> x
--> y
--> ∅
--> SELECT 5

select octet_length(x) from (select c as x from ch where id = 1 union all select d from ch where id = 1) s
--> octet_length int4
--> 5
--> 3
--> SELECT 2

select c, count(*) from ch group by c order by c
--> c bpchar | count int8
--> ab    | 2
--> abc   | 1
--> ∅ | 1
--> SELECT 3

select x, octet_length(x) from (select c x from ch where id = 1) s
--> x bpchar | octet_length int4
--> ab    | 5
--> SELECT 1

select greatest(c, d), least(c, d), nullif(c, 'ab ') from ch where id = 1
--> greatest bpchar | least bpchar | nullif bpchar
--> x   | ab    | ∅
--> SELECT 1

select 'ab'::char(5), 'ab'::char(5) = 'ab', 'ab  '::bpchar || '|', octet_length('ab  '::bpchar), 'ab  '::bpchar = 'ab', length('ab  '::bpchar), 'ab  '::char(2)
--> bpchar bpchar | ?column? bool | ?column? text | octet_length int4 | ?column? bool | length int4 | bpchar bpchar
--> ab    | t | ab| | 4 | t | 2 | ab
--> SELECT 1

select b, octet_length(b), b || '|', b = 'q' from ch order by id
--> b bpchar | octet_length int4 | ?column? text | ?column? bool
--> q   | 3 | q| | t
--> q | 1 | q| | t
--> ∅ | ∅ | ∅ | ∅
-->  q  | 3 |  q| | f
--> SELECT 4

select b, count(*) from ch group by b order by b
--> b bpchar | count int8
-->  q  | 1
--> q   | 2
--> ∅ | 1
--> SELECT 3

select format('%s|%s', c, d), concat(c, '|'), concat_ws('-', c, d), replace(c, 'a', 'b') || '|' from ch where id = 1
--> format text | concat text | concat_ws text | ?column? text
--> ab   |x   | ab   | | ab   -x   | bb|
--> SELECT 1

select string_agg(c, ','), array_agg(distinct c), array_agg(c order by c) from ch where id <> 3
--> string_agg text | array_agg 1014 | array_agg 1014
--> ab,abc,ab | {"ab   ","abc  "} | {"ab   ","ab   ","abc  "}
--> SELECT 1

select c is distinct from 'ab ', row(c) = row('ab  '::char(9)) from ch where id = 1
--> ?column? bool | ?column? bool
--> f | t
--> SELECT 1

select max(c) over (order by id), lag(c) over (order by id), first_value(d) over (order by id) from ch order by id
--> max bpchar | lag bpchar | first_value bpchar
--> ab    | ∅ | x
--> abc   | ab    | x
--> abc   | abc   | x
--> abc   | ∅ | x
--> SELECT 4

values ('a'::char(3)), ('bb'::char(5))
--> column1 bpchar
--> a
--> bb
--> SELECT 2

create unique index ch_c on ch (id, c)
--> CREATE INDEX

create table chu (c char(4) primary key, x int)
--> CREATE TABLE

insert into chu values ('a', 1), ('b ', 2)
--> INSERT 0 2

insert into chu values ('a   ', 3)
--> ERROR 23505: duplicate key value violates unique constraint "chu_pkey"
-->   detail: Key (c)=(a   ) already exists.
-->   table: chu
-->   constraint: chu_pkey

insert into chu values ('a ', 3) on conflict (c) do update set x = 9 returning *
--> c bpchar | x int4
--> a    | 9
--> INSERT 0 1

update chu set c = 'z' where c = 'a  ' returning c, octet_length(c)
--> c bpchar | octet_length int4
--> z    | 4
--> UPDATE 1

select * from chu where c between 'a' and 'z' order by c desc
--> c bpchar | x int4
--> z    | 9
--> b    | 2
--> SELECT 2

select * from chu order by c, x
--> c bpchar | x int4
--> b    | 2
--> z    | 9
--> SELECT 2

create table gv (id int, v varchar(10), n name, k char(3), t text)
--> CREATE TABLE

insert into gv values (1,'a','n1','x','p'),(2,'a','n1','x','p'),(3,'b','n2','y','q')
--> INSERT 0 3

select v, upper(v), v || 'x', count(*) from gv group by v order by v
--> v varchar | upper text | ?column? text | count int8
--> a | A | ax | 2
--> b | B | bx | 1
--> SELECT 2

select case when v = 'a' then 1 else 0 end as r, count(*) from gv group by v having v <> 'zz' order by lower(v) desc
--> r int4 | count int8
--> 0 | 1
--> 1 | 2
--> SELECT 2

select n, n::text, n || 'z', lower(n) from gv group by n order by n
--> ERROR 42702: ORDER BY "n" is ambiguous

select k, k || 'z', k = 'x', length(k) from gv group by k order by k
--> k bpchar | ?column? text | ?column? bool | length int4
--> x   | xz | t | 1
--> y   | yz | f | 1
--> SELECT 2

select upper(v), count(*) from gv group by upper(v) order by upper(v)
--> upper text | count int8
--> A | 2
--> B | 1
--> SELECT 2

select v, t from gv group by v, t having max(id) > 1 and v like 'a%' order by v::text
--> v varchar | t text
--> a | p
--> SELECT 1

select v from gv group by id
--> ERROR 42803: column "gv.v" must appear in the GROUP BY clause or be used in an aggregate function

select lower(v || t) from gv group by v, t order by 1
--> lower text
--> ap
--> bq
--> SELECT 2

select coalesce(v, n::varchar) from gv group by v, n order by 1
--> coalesce varchar
--> a
--> b
--> SELECT 2

select v, (select count(*) from gv g2 where g2.v = gv.v) from gv group by v order by v
--> v varchar | count int8
--> a | 2
--> b | 1
--> SELECT 2

select timestamptz '2024-07-01 12:00+00' at time zone '+02', timestamptz '2024-07-01 12:00+00' at time zone '-05:30', timestamptz '2024-07-01 12:00+00' at time zone '<X>-2', timestamptz '2024-07-01 12:00+00' at time zone '2', timestamptz '2024-07-01 12:00+00' at time zone 'UTC-3', timestamptz '2024-07-01 12:00+00' at time zone interval '2 hours', timestamp '2024-07-01 12:00' at time zone 'FOO+5'
--> timezone timestamp | timezone timestamp | timezone timestamp | timezone timestamp | timezone timestamp | timezone timestamp | timezone timestamptz
--> 2024-07-01 10:00:00 | 2024-07-01 17:30:00 | 2024-07-01 14:00:00 | 2024-07-01 10:00:00 | 2024-07-01 15:00:00 | 2024-07-01 14:00:00 | 2024-07-01 17:00:00+00
--> SELECT 1

set timezone = 'UTC'
--> SET

select '2024-01-01 00:00 UTC+3'::timestamptz, '2024-01-01 00:00 FOO+3'::timestamptz, '2024-01-01 00:00 EST+3'::timestamptz, '2024-01-01 00:00 EST5EDT'::timestamptz, '2024-01-01 00:00+03'::timestamptz, '2024-01-01 01:00 PM+03'::timestamptz, '2024-01-01 00:00 UTC-3'::timestamptz
--> timestamptz timestamptz | timestamptz timestamptz | timestamptz timestamptz | timestamptz timestamptz | timestamptz timestamptz | timestamptz timestamptz | timestamptz timestamptz
--> 2024-01-01 03:00:00+00 | 2024-01-01 03:00:00+00 | 2024-01-01 03:00:00+00 | 2024-01-01 05:00:00+00 | 2023-12-31 21:00:00+00 | 2024-01-01 10:00:00+00 | 2023-12-31 21:00:00+00
--> SELECT 1

set time zone interval '-03:00' hour to minute
--> SET

show timezone
--> TimeZone text
--> <-03>+03
--> SHOW

select timestamptz '2024-07-01 12:00+00'
--> timestamptz timestamptz
--> 2024-07-01 09:00:00-03
--> SELECT 1

set time zone interval '+05:30' hour to minute
--> SET

show timezone
--> TimeZone text
--> <+05:30>-05:30
--> SHOW

select timestamptz '2024-07-01 12:00+00', timetz '12:00+00' at time zone '+01'
--> timestamptz timestamptz | timezone timetz
--> 2024-07-01 17:30:00+05:30 | 11:00:00-01
--> SELECT 1

set time zone '+02'
--> SET

select timestamptz '2024-07-01 12:00+00'
--> timestamptz timestamptz
--> 2024-07-01 14:00:00+02
--> SELECT 1

set time zone '+02:30'
--> SET

select timestamptz '2024-07-01 12:00+00'
--> timestamptz timestamptz
--> 2024-07-01 09:30:00-02:30
--> SELECT 1

set time zone -7.5
--> SET

select timestamptz '2024-07-01 12:00+00'
--> timestamptz timestamptz
--> 2024-07-01 04:30:00-07:30
--> SELECT 1

set time zone 'UTC+3'
--> SET

select timestamptz '2024-07-01 12:00+00'
--> timestamptz timestamptz
--> 2024-07-01 09:00:00-03
--> SELECT 1

set time zone 'UTC'
--> SET

select '"s"'::jsonb ->> 0, '5'::jsonb -> 0, '"s"'::jsonb ->> -1, '"s"'::jsonb #>> '{0}', '"s"'::json ->> 0, '"s"'::jsonb ->> 1, jsonb_extract_path('5','0'), ('5'::jsonb)[0], 'null'::jsonb ->> 0, '{"a":1}'::jsonb -> 0
--> ?column? text | ?column? jsonb | ?column? text | ?column? text | ?column? text | ?column? text | jsonb_extract_path jsonb | jsonb jsonb | ?column? text | ?column? jsonb
--> s | 5 | s | ∅ | ∅ | ∅ | ∅ | ∅ | ∅ | ∅
--> SELECT 1

create table va (id int, ver bigint, f float8, n numeric)
--> CREATE TABLE

insert into va values (1, 5000000000, 1, 1)
--> INSERT 0 1

prepare u as update va set ver = $2 + 1 where id = $1 and ver = $2
--> PREPARE

execute u(1, 5000000000)
--> UPDATE 1

select ver from va
--> ver int8
--> 5000000001
--> SELECT 1

prepare u2 as update va set n = $1 where n < $1 returning n
--> PREPARE

execute u2(2.5)
--> n numeric
--> 2.5
--> UPDATE 1

prepare u3(int) as update va set ver = ver + $1 where id = $1
--> PREPARE

execute u3(1)
--> UPDATE 1

select 'pg_catalog.int4'::text::regtype, '"text"'::text::regtype, 'varchar(10)'::text::regtype, 'integer[]'::text::regtype, 'timestamp with time zone'::text::regtype
--> regtype regtype | regtype regtype | regtype regtype | regtype regtype | regtype regtype
--> integer | text | character varying | integer[] | timestamp with time zone
--> SELECT 1

select 'nosuch'::text::regtype
--> ERROR 42704: type "nosuch" does not exist

select 'array_in(cstring,oid,integer)'::regprocedure, 'array_in'::regproc, 'array_in(cstring, oid, int)'::text::regprocedure
--> regprocedure 2202 | regproc 24 | regprocedure 2202
--> array_in(cstring,oid,integer) | array_in | array_in(cstring,oid,integer)
--> SELECT 1

select 'lower(text)'::regprocedure::oid, 'nosuch(int)'::regprocedure
--> ERROR 42883: function "nosuch(int)" does not exist

select 'nosuch'::text::regproc
--> ERROR 42883: function "nosuch" does not exist

select '+(int4,int4)'::regoperator, '-(none, int4)'::text::regoperator, 96::oid::regoper, 96::oid::regoperator
--> regoperator 2204 | regoperator 2204 | regoper 2203 | regoperator 2204
--> +(integer,integer) | -(NONE,integer) | pg_catalog.= | =(integer,integer)
--> SELECT 1

execute r('va')
--> ERROR 26000: prepared statement "r" does not exist
