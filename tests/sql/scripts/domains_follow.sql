-- What the defaults and the conditions of domains name: they follow when it is renamed, and rest on it.
create sequence df_s
--> CREATE SEQUENCE

create type df_e as enum ('a', 'b')
--> CREATE TYPE

create domain df_1 as int default nextval('df_s') check (value > 0)
--> CREATE DOMAIN

create domain df_2 as df_e default 'a' check (value in ('a', 'b'))
--> CREATE DOMAIN

create domain df_3 as text check (value <> 'b'::df_e::text)
--> CREATE DOMAIN

create table df (x df_1, y df_2, z df_3)
--> CREATE TABLE

insert into df (z) values ('q') returning x, y, z
--> x int4 | y user | z text
--> 1 | a | q
--> INSERT 0 1

alter sequence df_s rename to df_s2
--> ALTER SEQUENCE

insert into df (z) values ('q') returning x
--> x int4
--> 2
--> INSERT 0 1

alter type df_e rename to df_e2
--> ALTER TYPE

select pg_get_constraintdef(oid) from pg_constraint where contypid in ('df_2'::regtype, 'df_3'::regtype) order by 1
--> pg_get_constraintdef text
--> CHECK ((VALUE <> ('b'::df_e2)::text))
--> CHECK ((VALUE = ANY (ARRAY['a'::df_e2, 'b'::df_e2])))
--> SELECT 2

alter type df_e2 rename value 'a' to 'aa'
--> ALTER TYPE

insert into df (z) values ('q') returning y
--> y user
--> aa
--> INSERT 0 1

insert into df (z) values ('b')
--> ERROR 23514: value for domain df_3 violates check constraint "df_3_check"
-->   type: df_3
-->   constraint: df_3_check

select pg_get_constraintdef(oid) from pg_constraint where contypid in ('df_2'::regtype, 'df_3'::regtype) order by 1
--> pg_get_constraintdef text
--> CHECK ((VALUE <> ('b'::df_e2)::text))
--> CHECK ((VALUE = ANY (ARRAY['aa'::df_e2, 'b'::df_e2])))
--> SELECT 2

select classid::regclass, refclassid::regclass, refobjid::regclass, deptype from pg_depend where objid = 'df_1'::regtype and refclassid = 'pg_class'::regclass
--> classid regclass | refclassid regclass | refobjid regclass | deptype char1
--> pg_type | pg_class | df_s2 | n
--> SELECT 1

drop sequence df_s2
--> ERROR 2BP01: cannot drop sequence df_s2 because other objects depend on it
-->   detail: type df_1 depends on sequence df_s2
--> column x of table df depends on type df_1

drop type df_e2
--> ERROR 2BP01: cannot drop type df_e2 because other objects depend on it
-->   detail: type df_2 depends on type df_e2
--> column y of table df depends on type df_2
--> constraint df_3_check depends on type df_e2

drop sequence df_s2 cascade
--> NOTICE: drop cascades to 2 other objects
--> DROP SEQUENCE

select typname from pg_type where typname = 'df_1'
--> typname name
--> SELECT 0

select * from df
--> y user | z text
--> aa | q
--> aa | q
--> aa | q
--> SELECT 3

drop type df_e2 cascade
--> NOTICE: drop cascades to 3 other objects
--> DROP TYPE

select * from df
--> z text
--> q
--> q
--> q
--> SELECT 3

insert into df values ('b')
--> INSERT 0 1

-- A literal of a moment is the moment of the definition.
create domain df_4 as timestamptz default 'now'
--> CREATE DOMAIN

create domain df_5 as date default 'today'
--> CREATE DOMAIN

select typname, typdefault ~ '^''\d{4}' from pg_type where typname in ('df_4', 'df_5') order by 1
--> typname name | ?column? bool
--> df_4 | t
--> df_5 | t
--> SELECT 2

alter domain df_5 set default 'tomorrow'
--> ALTER DOMAIN

select typdefault ~ '^''\d{4}' from pg_type where typname = 'df_5'
--> ?column? bool
--> t
--> SELECT 1
