-- Names of more than 63 bytes.
create table longname_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa (id int primary key, "Cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc" int unique)
--> NOTICE: identifier "longname_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" will be truncated to "longname_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
--> NOTICE: identifier "Cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc" will be truncated to "Ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
--> CREATE TABLE

select relname from pg_class where relname like 'longname%' order by 1
--> relname name
--> longname_aaaaaaaaaaaaaaaaaaaa_Ccccccccccccccccccccccccccccc_key
--> longname_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa_pkey
--> longname_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
--> SELECT 3

select "Cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc" as yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy from longname_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa as xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx where xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.id = 1
--> NOTICE: identifier "Cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc" will be truncated to "Ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
--> NOTICE: identifier "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy" will be truncated to "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"
--> NOTICE: identifier "longname_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" will be truncated to "longname_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
--> NOTICE: identifier "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" will be truncated to "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
--> NOTICE: identifier "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" will be truncated to "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
--> yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy int4
--> SELECT 0

insert into longname_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa values (1, 2) returning id
--> NOTICE: identifier "longname_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" will be truncated to "longname_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
--> id int4
--> 1
--> INSERT 0 1

create index iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii on longname_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa (id)
--> NOTICE: identifier "iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii" will be truncated to "iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii"
--> NOTICE: identifier "longname_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" will be truncated to "longname_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
--> CREATE INDEX

with wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww as (select 1 as éééééééééééééééééééééééééééééééééééé) select * from wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww
--> NOTICE: identifier "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww" will be truncated to "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww"
--> NOTICE: identifier "éééééééééééééééééééééééééééééééééééé" will be truncated to "ééééééééééééééééééééééééééééééé"
--> NOTICE: identifier "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww" will be truncated to "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww"
--> ééééééééééééééééééééééééééééééé int4
--> 1
--> SELECT 1

create view vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv as select id as zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz from longname_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
--> NOTICE: identifier "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv" will be truncated to "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv"
--> NOTICE: identifier "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz" will be truncated to "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"
--> NOTICE: identifier "longname_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" will be truncated to "longname_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
--> CREATE VIEW

select * from vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv
--> NOTICE: identifier "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv" will be truncated to "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv"
--> zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz int4
--> 1
--> SELECT 1

prepare pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp as select 1 as one
--> NOTICE: identifier "pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp" will be truncated to "ppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp"
--> PREPARE

execute pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp
--> NOTICE: identifier "pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp" will be truncated to "ppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp"
--> one int4
--> 1
--> SELECT 1

deallocate pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp
--> NOTICE: identifier "pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp" will be truncated to "ppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp"
--> DEALLOCATE

create table tttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt (iddddddddddddddddddddddddddddddddddddddddddddddddddddddddd serial primary key, x int references tttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt check (x > 0), unique (x))
--> CREATE TABLE

select conname from pg_constraint where conrelid = 'tttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt'::regclass order by 1
--> conname name
--> ttttttttttttttttttttttttttttttttttttttttttttttttttttttt_x_check
--> tttttttttttttttttttttttttttttttttttttttttttttttttttttttt_x_fkey
--> ttttttttttttttttttttttttttttttttttttttttttttttttttttttttt_x_key
--> tttttttttttttttttttttttttttttttttttttttttttttttttttttttttt_pkey
--> SELECT 4

select relname from pg_class where relname like 'ttttt%' order by 1
--> relname name
--> ttttttttttttttttttttttttttttt_idddddddddddddddddddddddddddd_seq
--> ttttttttttttttttttttttttttttttttttttttttttttttttttttttttt_x_key
--> tttttttttttttttttttttttttttttttttttttttttttttttttttttttttt_pkey
--> tttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt
--> SELECT 4

-- Only letters of ASCII are folded.
create table ÉtÉ (ÀB int)
--> CREATE TABLE

select ÀB, "Àb" from ÉTÉ
--> Àb int4 | Àb int4
--> SELECT 0

-- CREATE TABLE AS what a prepared statement yields.
prepare pt as select 1 as a, 'x'::text as b
--> PREPARE

create table pt_1 as execute pt
--> SELECT 1

select * from pt_1
--> a int4 | b text
--> 1 | x
--> SELECT 1

prepare pt2(int) as select $1 + 1 as n
--> PREPARE

create temp table pt_2 (m) as execute pt2(5) with data
--> SELECT 1

select * from pt_2
--> m int4
--> 6
--> SELECT 1

create table if not exists pt_1 as execute pt
--> NOTICE: relation "pt_1" already exists, skipping
--> CREATE TABLE AS

create table pt_1 as execute pt
--> ERROR 42P07: relation "pt_1" already exists

prepare pt3 as insert into pt_1 values (2, 'y')
--> PREPARE

create table pt_3 as execute pt3
--> ERROR 42809: prepared statement is not a SELECT

create table pt_4 as execute nope
--> ERROR 26000: prepared statement "nope" does not exist

create table pt_5 as execute pt2
--> ERROR 42601: wrong number of parameters for prepared statement "pt2"
-->   detail: Expected 1 parameters but got 0.

--- The tag is that of any other query without its rows.
create table pt_6 as execute pt2(3) with no data
--> SELECT 0
--!> CREATE TABLE AS

select * from pt_6
--> n int4
--> SELECT 0

create table pt_7 as execute pt garbage
--> ERROR 42601: syntax error at or near "garbage"

deallocate pt
--> DEALLOCATE

deallocate pt2
--> DEALLOCATE

deallocate pt3
--> DEALLOCATE
