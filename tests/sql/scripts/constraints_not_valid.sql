-- Conditions that are NOT VALID: rows that do not meet them may be there, and no new ones come.

create table v1(id int primary key, a int, b text, c varchar(5))
--> CREATE TABLE

insert into v1 values (1,1,'x','c'),(2,-2,'y','d'),(3,null,null,'e')
--> INSERT 0 3

alter table v1 add constraint apos check (a > 0) not valid
--> ALTER TABLE

select conname, convalidated, pg_get_constraintdef(oid) from pg_constraint where conrelid='v1'::regclass order by 1
--> conname name | convalidated bool | pg_get_constraintdef text
--> apos | f | CHECK ((a > 0)) NOT VALID
--> v1_pkey | t | PRIMARY KEY (id)
--> SELECT 2

insert into v1 values (4,-4,'z','f')
--> ERROR 23514: new row for relation "v1" violates check constraint "apos"
-->   detail: Failing row contains (4, -4, z, f).
-->   table: v1
-->   constraint: apos

insert into v1 values (5,5,'z','f')
--> INSERT 0 1

update v1 set b='yy' where id = 2
--> ERROR 23514: new row for relation "v1" violates check constraint "apos"
-->   detail: Failing row contains (2, -2, yy, d).
-->   table: v1
-->   constraint: apos

update v1 set id=22 where id = 2
--> ERROR 23514: new row for relation "v1" violates check constraint "apos"
-->   detail: Failing row contains (22, -2, y, d).
-->   table: v1
-->   constraint: apos

update v1 set a=2 where id = 2
--> UPDATE 1

update v1 set a=-2 where id = 1
--> ERROR 23514: new row for relation "v1" violates check constraint "apos"
-->   detail: Failing row contains (1, -2, x, c).
-->   table: v1
-->   constraint: apos

insert into v1 values (6,6,'q','r') on conflict (id) do update set b='qq'
--> INSERT 0 1

insert into v1 values (1,6,'q','r') on conflict (id) do update set a=-1
--> ERROR 23514: new row for relation "v1" violates check constraint "apos"
-->   detail: Failing row contains (1, -1, x, c).
-->   table: v1
-->   constraint: apos

alter table v1 validate constraint apos
--> ALTER TABLE

select convalidated from pg_constraint where conname='apos'
--> convalidated bool
--> t
--> SELECT 1

alter table v1 drop constraint apos
--> ALTER TABLE

update v1 set a=-7 where id = 5
--> UPDATE 1

alter table v1 add constraint apos check (a > 0) not valid
--> ALTER TABLE

alter table v1 validate constraint apos
--> ERROR 23514: check constraint "apos" of relation "v1" is violated by some row
-->   table: v1
-->   constraint: apos

alter table v1 alter b set not null
--> ERROR 23502: column "b" of relation "v1" contains null values
-->   table: v1
-->   column: b

update v1 set b='w' where b is null
--> UPDATE 1

alter table v1 alter b set not null
--> ALTER TABLE

alter table v1 alter c type text
--> ALTER TABLE

alter table v1 alter a type bigint
--> ALTER TABLE

alter table v1 alter b type varchar(20) using b||'!'
--> ALTER TABLE

alter table v1 add column d int default 7
--> ALTER TABLE

alter table v1 add column f int generated always as (a*2) stored
--> ALTER TABLE

alter table v1 add column g int not null default 1
--> ALTER TABLE

update v1 set g=2 where id=5
--> ERROR 23514: new row for relation "v1" violates check constraint "apos"
-->   detail: Failing row contains (5, -7, z!, f, 7, -14, 2).
-->   table: v1
-->   constraint: apos

update v1 set d=2 where id=5
--> ERROR 23514: new row for relation "v1" violates check constraint "apos"
-->   detail: Failing row contains (5, -7, z!, f, 2, -14, 1).
-->   table: v1
-->   constraint: apos

update v1 set f=default where id=5
--> ERROR 23514: new row for relation "v1" violates check constraint "apos"
-->   detail: Failing row contains (5, -7, z!, f, 7, -14, 1).
-->   table: v1
-->   constraint: apos

alter table v1 drop column c
--> ALTER TABLE

alter table v1 drop column d
--> ALTER TABLE

update v1 set g=3 where id=5
--> ERROR 23514: new row for relation "v1" violates check constraint "apos"
-->   detail: Failing row contains (5, -7, z!, -14, 3).
-->   table: v1
-->   constraint: apos

alter table v1 rename column a to aa
--> ALTER TABLE

update v1 set g=3 where id=5
--> ERROR 23514: new row for relation "v1" violates check constraint "apos"
-->   detail: Failing row contains (5, -7, z!, -14, 3).
-->   table: v1
-->   constraint: apos

alter table v1 rename to v2
--> ALTER TABLE

update v2 set g=3 where id=5
--> ERROR 23514: new row for relation "v2" violates check constraint "apos"
-->   detail: Failing row contains (5, -7, z!, -14, 3).
-->   table: v2
-->   constraint: apos

select id,aa,b,f,g from v2 order by 1
--> id int4 | aa int8 | b varchar | f int4 | g int4
--> 1 | 1 | x! | 2 | 1
--> 2 | 2 | y! | 4 | 1
--> 3 | ∅ | w! | ∅ | 1
--> 5 | -7 | z! | -14 | 1
--> 6 | 6 | q! | 12 | 1
--> SELECT 5

alter table v2 rename constraint apos to apos2
--> ALTER TABLE

update v2 set g=3 where id=5
--> ERROR 23514: new row for relation "v2" violates check constraint "apos2"
-->   detail: Failing row contains (5, -7, z!, -14, 3).
-->   table: v2
-->   constraint: apos2

alter table v2 add constraint pos3 check (aa > 100) not valid, add constraint ok check (id < 1000)
--> ALTER TABLE

insert into v2(id,aa,b) values (9,9,'x')
--> ERROR 23514: new row for relation "v2" violates check constraint "pos3"
-->   detail: Failing row contains (9, 9, x, 18, 1).
-->   table: v2
-->   constraint: pos3

insert into v2(id,aa,b) values (9,900,'x')
--> INSERT 0 1

alter table v2 drop column aa
--> ERROR 2BP01: cannot drop column aa of table v2 because other objects depend on it
-->   detail: column f of table v2 depends on column aa of table v2

alter table v2 add constraint q check (b like 'x%') not valid
--> ALTER TABLE

create unique index on v2(g,id)
--> CREATE INDEX

alter table v2 drop constraint v2_pkey
--> ERROR 42704: constraint "v2_pkey" of relation "v2" does not exist

alter table v2 drop constraint v1_pkey
--> ALTER TABLE

alter table v2 add primary key (id)
--> ALTER TABLE

alter table v2 alter id type bigint
--> ALTER TABLE

create table v3(id int references v2(id) on delete cascade on update cascade, z int)
--> CREATE TABLE

insert into v3 values (1,-1),(3,-2)
--> INSERT 0 2

alter table v3 add check (z > 0) not valid
--> ALTER TABLE

delete from v2 where id = 1
--> DELETE 1

select * from v3
--> id int4 | z int4
--> 3 | -2
--> SELECT 1

alter table v2 alter id type int
--> ALTER TABLE

begin; alter table v3 drop constraint v3_z_check; update v3 set z = 44; alter table v3 add constraint zc check (z < 0) not valid; savepoint s; update v3 set z = 45; rollback to s; update v3 set z = -1; commit;
--> BEGIN
--> ALTER TABLE
--> UPDATE 1
--> ALTER TABLE
--> SAVEPOINT
--> ERROR 23514: new row for relation "v3" violates check constraint "zc"
-->   detail: Failing row contains (3, 45).
-->   table: v3
-->   constraint: zc

select * from v3
--> ERROR 25P02: current transaction is aborted, commands ignored until end of transaction block

alter table v3 validate constraint zc
--> ERROR 25P02: current transaction is aborted, commands ignored until end of transaction block

alter table v3 validate constraint nope
--> ERROR 25P02: current transaction is aborted, commands ignored until end of transaction block

select convalidated from pg_constraint where conname='x'
--> ERROR 25P02: current transaction is aborted, commands ignored until end of transaction block

insert into v4 values (-1)
--> ERROR 25P02: current transaction is aborted, commands ignored until end of transaction block

create table v5(a int, b int); insert into v5 values (-1, 1);
--> ERROR 25P02: current transaction is aborted, commands ignored until end of transaction block

alter table v5 add check (a > 0) not valid
--> ERROR 25P02: current transaction is aborted, commands ignored until end of transaction block

alter table v5 add column c int default 5 check (c < 3) 
--> ERROR 25P02: current transaction is aborted, commands ignored until end of transaction block

alter table v5 add column c int check (c < 3), add unique(b)
--> ERROR 25P02: current transaction is aborted, commands ignored until end of transaction block

create schema sv; alter table v5 set schema sv;
--> ERROR 25P02: current transaction is aborted, commands ignored until end of transaction block

update sv.v5 set b = 2
--> ERROR 25P02: current transaction is aborted, commands ignored until end of transaction block

alter table sv.v5 alter b drop not null
--> ERROR 25P02: current transaction is aborted, commands ignored until end of transaction block

alter table sv.v5 alter b set default 4
--> ERROR 25P02: current transaction is aborted, commands ignored until end of transaction block

alter table sv.v5 alter b add generated always as identity
--> ERROR 25P02: current transaction is aborted, commands ignored until end of transaction block

alter table sv.v5 alter b set not null
--> ERROR 25P02: current transaction is aborted, commands ignored until end of transaction block

alter table sv.v5 alter b drop default
--> ERROR 25P02: current transaction is aborted, commands ignored until end of transaction block

alter table sv.v5 alter b add generated always as identity
--> ERROR 25P02: current transaction is aborted, commands ignored until end of transaction block

truncate sv.v5
--> ERROR 25P02: current transaction is aborted, commands ignored until end of transaction block

alter table sv.v5 validate constraint v5_a_check
--> ERROR 25P02: current transaction is aborted, commands ignored until end of transaction block

create domain dm as int; create table v6(a dm); insert into v6 values (-1); alter domain dm add constraint p check (value > 0) not valid; alter domain dm validate constraint p; update v6 set a = 2; alter domain dm validate constraint p;
--> ERROR 25P02: current transaction is aborted, commands ignored until end of transaction block

create table v7(a int, b int); insert into v7 values (1,1),(2,1);
--> ERROR 25P02: current transaction is aborted, commands ignored until end of transaction block

alter table v7 add constraint vb check (a < 2) not valid
--> ERROR 25P02: current transaction is aborted, commands ignored until end of transaction block

copy v7 from stdin
--< 5	1
--> ERROR 25P02: current transaction is aborted, commands ignored until end of transaction block

create table l7 (like v7 including all)
--> ERROR 25P02: current transaction is aborted, commands ignored until end of transaction block

insert into l7 values (9,9)
--> ERROR 25P02: current transaction is aborted, commands ignored until end of transaction block
