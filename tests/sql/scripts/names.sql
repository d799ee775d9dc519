-- Names of objects as values: regclass and its kin; not a number; the largest key.
create table nva (id int, ver bigint)
--> CREATE TABLE

create sequence nsq
--> CREATE SEQUENCE

prepare r as select cast($1 as regclass)
--> PREPARE

execute r('nva')
--> regclass regclass
--> nva
--> SELECT 1

execute r('nosuch')
--> ERROR 42P01: relation "nosuch" does not exist

execute r('-')
--> regclass regclass
--> -
--> SELECT 1

prepare r2 as select relname from pg_class where oid = $1::regclass
--> PREPARE

execute r2('nva')
--> relname name
--> nva
--> SELECT 1

prepare r3(regclass) as select $1, $1::oid > 0
--> PREPARE

execute r3('nva')
--> ?column? regclass | ?column? bool
--> nva | t
--> SELECT 1

prepare r4 as select $1::regtype, $2::regnamespace
--> PREPARE

select nextval('nsq'::text)
--> nextval int8
--> 1
--> SELECT 1

select setval('nsq'::varchar, 10)
--> setval int8
--> 10
--> SELECT 1

select nextval('"nsq"'::text)
--> nextval int8
--> 11
--> SELECT 1

select '+'::regoper
--> ERROR 42725: more than one operator named +

select '+(int4,int4)'::regoperator, '-(none, int4)'::text::regoperator, 96::oid::regoper, 96::oid::regoperator
--> regoperator 2204 | regoperator 2204 | regoper 2203 | regoperator 2204
--> +(integer,integer) | -(NONE,integer) | pg_catalog.= | =(integer,integer)
--> SELECT 1

select oid::regoper, oid::regoperator from pg_operator where oid in (96, 551) order by oid
--> ERROR 42702: ORDER BY "oid" is ambiguous

select set_config(name, 'view', false) from pg_settings where name = 'nosuchname'
--> set_config text
--> SELECT 0

select count(*) from pg_namespace n left join pg_roles r on r.oid = n.nspowner where r.oid is null
--> count int8
--> 0
--> SELECT 1

create table ff (id int primary key, f float8, g float4, h float8[] , unique (f))
--> CREATE TABLE

insert into ff values (1, 'NaN', 'NaN', '{NaN,1}'), (2, '-0', '-0', null), (3, 1, 2, null), (4, 'Infinity', '-Infinity', null), (5, 1e10, 1.5, null)
--> INSERT 0 5

insert into ff values (6, 'NaN', 1, null)
--> ERROR 23505: duplicate key value violates unique constraint "ff_f_key"
-->   detail: Key (f)=(NaN) already exists.
-->   table: ff
-->   constraint: ff_f_key

insert into ff values (6, 0, 1, null)
--> ERROR 23505: duplicate key value violates unique constraint "ff_f_key"
-->   detail: Key (f)=(0) already exists.
-->   table: ff
-->   constraint: ff_f_key

insert into ff values (7, 1.0, 1, null)
--> ERROR 23505: duplicate key value violates unique constraint "ff_f_key"
-->   detail: Key (f)=(1) already exists.
-->   table: ff
-->   constraint: ff_f_key

insert into ff select 8, 10, 11
--> INSERT 0 1

insert into ff select 9, x, x from generate_series(100,100) x
--> INSERT 0 1

select * from ff order by f
--> id int4 | f float8 | g float4 | h float8[]
--> 2 | -0 | -0 | ∅
--> 3 | 1 | 2 | ∅
--> 8 | 10 | 11 | ∅
--> 9 | 100 | 100 | ∅
--> 5 | 10000000000 | 1.5 | ∅
--> 4 | Infinity | -Infinity | ∅
--> 1 | NaN | NaN | {NaN,1}
--> SELECT 7

select f = 'NaN', f > 1, f + 1, f * 0, g = 'NaN' from ff order by id
--> ?column? bool | ?column? bool | ?column? float8 | ?column? float8 | ?column? bool
--> t | t | NaN | NaN | t
--> f | f | 1 | -0 | f
--> f | f | 2 | 0 | f
--> f | t | Infinity | NaN | f
--> f | t | 10000000001 | 0 | f
--> f | t | 11 | 0 | f
--> f | t | 101 | 0 | f
--> SELECT 7

select max(f), min(f), sum(f), avg(g), count(distinct f) from ff
--> max float8 | min float8 | sum float8 | avg float8 | count int8
--> NaN | -0 | NaN | NaN | 7
--> SELECT 1

select id from ff where f = 1
--> id int4
--> 3
--> SELECT 1

select id from ff where f = '-0'
--> id int4
--> 2
--> SELECT 1

update ff set f = 'NaN' where id = 3
--> ERROR 23505: duplicate key value violates unique constraint "ff_f_key"
-->   detail: Key (f)=(NaN) already exists.
-->   table: ff
-->   constraint: ff_f_key

update ff set f = f + 1 where id = 8 returning f
--> f float8
--> 11
--> UPDATE 1

alter table ff add column k float8 default 'NaN'
--> ALTER TABLE

select k, f::int from ff where id = 8
--> k float8 | f int4
--> NaN | 11
--> SELECT 1

alter table ff alter column g type float8
--> ALTER TABLE

create table ints (a int)
--> CREATE TABLE

insert into ints values (5)
--> INSERT 0 1

alter table ints alter column a type float8
--> ALTER TABLE

select a, a / 2, pg_typeof(a) from ints
--> a float8 | ?column? float8 | pg_typeof regtype
--> 5 | 2.5 | double precision
--> SELECT 1

create table big (id bigint primary key, v text)
--> CREATE TABLE

insert into big values (9223372036854775807, 'max'), (-9223372036854775808, 'min'), (0, 'z')
--> INSERT 0 3

select * from big order by id
--> id int8 | v text
--> -9223372036854775808 | min
--> 0 | z
--> 9223372036854775807 | max
--> SELECT 3

insert into big values (9223372036854775807, 'again')
--> ERROR 23505: duplicate key value violates unique constraint "big_pkey"
-->   detail: Key (id)=(9223372036854775807) already exists.
-->   table: big
-->   constraint: big_pkey

insert into big values (9223372036854775806, 'x') on conflict (id) do nothing returning id
--> id int8
--> 9223372036854775806
--> INSERT 0 1

create table bs (id bigserial primary key, v text)
--> CREATE TABLE

insert into bs values (9223372036854775807, 'max')
--> INSERT 0 1

insert into bs (v) values ('a') returning id
--> id int8
--> 1
--> INSERT 0 1

select 'pg_catalog.int4'::text::regtype, '"text"'::text::regtype, 'varchar(10)'::text::regtype, 'integer[]'::text::regtype
--> regtype regtype | regtype regtype | regtype regtype | regtype regtype
--> integer | text | character varying | integer[]
--> SELECT 1

select 'nva'::text::regclass, ('nv' || 'a')::regclass, cast('pg_class' as text)::regclass = 'pg_class'::regclass
--> regclass regclass | regclass regclass | ?column? bool
--> nva | nva | t
--> SELECT 1

select 'nosuch'::text::regclass
--> ERROR 42P01: relation "nosuch" does not exist

select to_regclass('nosuch'), to_regclass('nv' || 'a'), to_regtype('int' || '4'), to_regclass('no' || 'such')
--> to_regclass regclass | to_regclass regclass | to_regtype regtype | to_regclass regclass
--> ∅ | nva | integer | ∅
--> SELECT 1

select 'array_in(cstring,oid,integer)'::regprocedure, 'array_in'::regproc, 'array_in(cstring, oid, int)'::text::regprocedure
--> regprocedure 2202 | regproc 24 | regprocedure 2202
--> array_in(cstring,oid,integer) | array_in | array_in(cstring,oid,integer)
--> SELECT 1

select 'pg_catalog'::text::regnamespace
--> regnamespace 4089
--> pg_catalog
--> SELECT 1

select 'nosuch'::text::regnamespace
--> ERROR 3F000: schema "nosuch" does not exist

select null::text::regclass, null::text::regtype
--> regclass regclass | regtype regtype
--> ∅ | ∅
--> SELECT 1

select nextval('ns' || 'q') > 0, currval('ns' || 'q') > 0
--> ?column? bool | ?column? bool
--> t | t
--> SELECT 1

select relname from pg_class where oid = 'nva'::text::regclass
--> relname name
--> nva
--> SELECT 1
