-- Rights below a view: those who write through several have the right on each column at every level; those who lock rows need it below.
create role vrn1
--> CREATE ROLE

create role vrn2
--> CREATE ROLE

create role vrn3
--> CREATE ROLE

create schema vrn
--> CREATE SCHEMA

grant all on schema vrn to vrn1, vrn2, vrn3
--> GRANT

set search_path = vrn
--> SET

create table base (a int, b text, c float)
--> CREATE TABLE

insert into base values (1, 'Row 1', 1.0)
--> INSERT 0 1

grant select on base to vrn1
--> GRANT

set role vrn1
--> SET

create view v1 as select b as bb, c as cc, a as aa from base
--> CREATE VIEW

grant select on v1 to vrn2
--> GRANT

select * from v1
--> bb text | cc float8 | aa int4
--> Row 1 | 1 | 1
--> SELECT 1

select * from v1 for update
--> ERROR 42501: permission denied for table base

set role vrn2
--> SET

create view v2 as select cc as ccc, aa as aaa, bb as bbb from v1
--> CREATE VIEW

grant select, update on v2 to vrn3
--> GRANT

select * from v2
--> ccc float8 | aaa int4 | bbb text
--> 1 | 1 | Row 1
--> SELECT 1

select * from v2 for update
--> ERROR 42501: permission denied for view v1

update v2 set aaa = aaa
--> ERROR 42501: permission denied for view v1

reset role
--> RESET

grant update (a, b) on base to vrn1
--> GRANT

set role vrn1
--> SET

grant update (bb, cc) on v1 to vrn2
--> GRANT

select * from v1 for update
--> bb text | cc float8 | aa int4
--> Row 1 | 1 | 1
--> SELECT 1

update v1 set aa = aa, bb = bb
--> UPDATE 1

update v1 set cc = cc
--> ERROR 42501: permission denied for table base

set role vrn2
--> SET

update v2 set bbb = bbb
--> UPDATE 1

update v2 set aaa = aaa
--> ERROR 42501: permission denied for view v1

update v2 set ccc = ccc
--> ERROR 42501: permission denied for table base

select * from v2 for share
--> ccc float8 | aaa int4 | bbb text
--> 1 | 1 | Row 1
--> SELECT 1

set role vrn3
--> SET

update v2 set bbb = bbb returning *
--> ccc float8 | aaa int4 | bbb text
--> 1 | 1 | Row 1
--> UPDATE 1

update v2 set aaa = aaa
--> ERROR 42501: permission denied for view v1

select * from v2 for update
--> ccc float8 | aaa int4 | bbb text
--> 1 | 1 | Row 1
--> SELECT 1

reset role
--> RESET

drop schema vrn cascade
--> NOTICE: drop cascades to 3 other objects
--> DROP SCHEMA

drop role vrn1
--> DROP ROLE

drop role vrn2
--> DROP ROLE

drop role vrn3
--> DROP ROLE
