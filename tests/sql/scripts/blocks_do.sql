-- DO: what migrations write in it.
do $$ begin create type dop_e as enum ('a', 'b'); exception when duplicate_object then null; end $$
--> DO

do $$ begin create type dop_e as enum ('a', 'b'); exception when duplicate_object then null; end $$
--> DO

select enum_range(null::dop_e)
--> enum_range user
--> {a,b}
--> SELECT 1

create table dop_t (id int primary key, e dop_e, n int)
--> CREATE TABLE

create table dop_u (id int primary key)
--> CREATE TABLE

do $$ begin alter table dop_t add constraint dop_fk foreign key (n) references dop_u (id); exception when duplicate_object then null; end $$
--> DO

do $$ begin alter table dop_t add constraint dop_fk foreign key (n) references dop_u (id); exception when duplicate_object then null; end $$
--> DO

do 'begin insert into dop_t values (1, ''a'', null), (2, ''b'', null); end'
--> DO

do language plpgsql $body$ <<outer>> begin null; begin insert into dop_t values (3); insert into dop_t values (1); exception when unique_violation or check_violation then insert into dop_t values (4); end; end outer $body$
--> DO

select id from dop_t order by id
--> id int4
--> 1
--> 2
--> 4
--> SELECT 3

do $$ begin insert into dop_t values (9); insert into dop_t values (1); exception when check_violation then null; end $$
--> ERROR 23505: duplicate key value violates unique constraint "dop_t_pkey"
-->   detail: Key (id)=(1) already exists.
-->   table: dop_t
-->   constraint: dop_t_pkey

select id from dop_t order by id
--> id int4
--> 1
--> 2
--> 4
--> SELECT 3

do $$ begin insert into dop_t values (9); insert into dop_t values (1); end $$
--> ERROR 23505: duplicate key value violates unique constraint "dop_t_pkey"
-->   detail: Key (id)=(1) already exists.
-->   table: dop_t
-->   constraint: dop_t_pkey

do $$ begin perform 1 / 0; exception when others then raise notice 'caught'; end $$
--> NOTICE: caught
--> DO

do $$ begin perform 1 / 0; exception when sqlstate '22012' then raise warning 'caught % and %, %%', 1 + 1, null::text; end $$
--> WARNING: caught 2 and <NULL>, %
--> DO

do $$ begin insert into dop_t values (1); exception when integrity_constraint_violation then raise; end $$
--> ERROR 23505: duplicate key value violates unique constraint "dop_t_pkey"
-->   detail: Key (id)=(1) already exists.
-->   table: dop_t
-->   constraint: dop_t_pkey

do $$ begin raise exception 'no % here', 'way'; end $$
--> ERROR P0001: no way here

do $$ begin raise exception 'x'; exception when raise_exception then raise notice 'raised'; end $$
--> NOTICE: raised
--> DO

do $$ begin if not exists (select 1 from pg_class where relname = 'dop_made') then create table dop_made (id int); insert into dop_made values (1); raise notice 'made'; elsif 1 = 2 then raise notice 'never'; else raise notice 'there'; end if; end $$
--> NOTICE: made
--> DO

do $$ begin if not exists (select 1 from pg_class where relname = 'dop_made') then create table dop_made (id int); elsif 1 = 2 then raise notice 'never'; else raise notice 'there: %', (select count(*) from dop_made); end if; end $$
--> NOTICE: there: 1
--> DO

do $$ begin if null then raise notice 'a'; else raise notice 'b'; end if; end $$
--> NOTICE: b
--> DO

do $$ begin execute 'create table dop_x' || 1 || ' (a int)'; execute format('insert into %I values (%L)', 'dop_x1', 7); perform a from dop_x1; end $$
--> DO

select * from dop_x1
--> a int4
--> 7
--> SELECT 1

do $$ begin execute null; end $$
--> ERROR 22004: query string argument of EXECUTE is null

do $$ begin delete from dop_x1; return; insert into dop_x1 values (8); end $$
--> DO

select count(*) from dop_x1
--> count int8
--> 0
--> SELECT 1

do $$ begin select 1; end $$
--> ERROR 42601: query has no destination for result data

do $$ begin update dop_t set n = null returning id; end $$
--> ERROR 42601: query has no destination for result data

do $$ begin insert into nowhere values (1); exception when undefined_table then raise notice 'missing'; end $$
--> NOTICE: missing
--> DO

do $$ begin begin insert into dop_t values (1); exception when undefined_table then null; end; exception when unique_violation then raise notice 'outer'; end $$
--> NOTICE: outer
--> DO

do $$ begin begin insert into dop_t values (21); insert into dop_t values (1); exception when unique_violation then insert into dop_t values (1); end; exception when unique_violation then raise notice 'from the handler'; end $$
--> NOTICE: from the handler
--> DO

select id from dop_t order by id
--> id int4
--> 1
--> 2
--> 4
--> SELECT 3

do language sql 'select 1'
--> ERROR 0A000: language "sql" does not support inline code execution

do language nope 'select 1'
--> ERROR 42704: language "nope" does not exist

do $$ begin null $$
--> ERROR 42601: syntax error at end of input

do $$ begin null; end; x $$
--> ERROR 42601: syntax error at or near "x"

begin
--> BEGIN

insert into dop_t values (30)
--> INSERT 0 1

do $$ begin insert into dop_t values (31); insert into dop_t values (1); exception when others then insert into dop_t values (32); end $$
--> DO

savepoint s
--> SAVEPOINT

do $$ begin insert into dop_t values (33); end $$
--> DO

rollback to s
--> ROLLBACK

do $$ begin insert into dop_t values (1); end $$
--> ERROR 23505: duplicate key value violates unique constraint "dop_t_pkey"
-->   detail: Key (id)=(1) already exists.
-->   table: dop_t
-->   constraint: dop_t_pkey

select 1
--> ERROR 25P02: current transaction is aborted, commands ignored until end of transaction block

rollback to s
--> ROLLBACK

do $$ begin commit; end $$
--> ERROR 2D000: invalid transaction termination

rollback to s
--> ROLLBACK

commit
--> COMMIT

select id from dop_t order by id
--> id int4
--> 1
--> 2
--> 4
--> 30
--> 32
--> SELECT 5

prepare dop_p as select 1
--> PREPARE

do $$ begin drop table dop_x1; drop type if exists nothing; end $$
--> NOTICE: type "nothing" does not exist, skipping
--> DO

do $$ begin perform set_config('dop.x', 'c', false); end $$
--> DO

show dop.x
--> dop.x text
--> c
--> SHOW
