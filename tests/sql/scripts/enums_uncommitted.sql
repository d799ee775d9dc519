-- A label is used when the transaction that has added it is done.
create type unc as enum ('a', 'b')
--> CREATE TYPE

begin
--> BEGIN

alter type unc add value 'c'
--> ALTER TYPE

select 'a'::unc, enum_first(null::unc)
--> unc user | enum_first user
--> a | a
--> SELECT 1

savepoint s
--> SAVEPOINT

select 'c'::unc
--> ERROR 55P04: unsafe use of new value "c" of enum type unc

rollback to s
--> ROLLBACK

select '{a,c}'::unc[]
--> ERROR 55P04: unsafe use of new value "c" of enum type unc

rollback to s
--> ROLLBACK

select enum_range(null::unc)
--> ERROR 55P04: unsafe use of new value "c" of enum type unc

rollback to s
--> ROLLBACK

select enum_last(null::unc)
--> ERROR 55P04: unsafe use of new value "c" of enum type unc

rollback to s
--> ROLLBACK

create table unct (x unc)
--> CREATE TABLE

insert into unct values ('b')
--> INSERT 0 1

insert into unct values ('c')
--> ERROR 55P04: unsafe use of new value "c" of enum type unc

rollback
--> ROLLBACK

alter type unc add value 'c'
--> ALTER TYPE

select 'c'::unc
--> unc user
--> c
--> SELECT 1

begin
--> BEGIN

select 'c'::unc
--> unc user
--> c
--> SELECT 1

alter type unc add value 'd' before 'a'
--> ALTER TYPE

select 'c'::unc
--> unc user
--> c
--> SELECT 1

commit
--> COMMIT

select enum_range(null::unc)
--> enum_range user
--> {d,a,b,c}
--> SELECT 1

begin
--> BEGIN

create type unc2 as enum ('x', 'y')
--> CREATE TYPE

select 'x'::unc2
--> unc2 user
--> x
--> SELECT 1

commit
--> COMMIT
