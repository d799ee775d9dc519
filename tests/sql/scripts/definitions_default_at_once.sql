-- The default of a new column is computed once, even if there are no rows; that of CREATE TABLE or SET DEFAULT is not.

create table e1(a int)
--> CREATE TABLE

alter table e1 add column v varchar(4) default 'toolong'
--> ERROR 22001: value too long for type character varying(4)

alter table e1 add column n numeric(3,1) default 1000
--> ERROR 22003: numeric field overflow
-->   detail: A field with precision 3, scale 1 must round to an absolute value less than 10^2.

alter table e1 add column d int default 1/0
--> ERROR 22012: division by zero

alter table e1 add column d3 date default 'nodate'
--> ERROR 22007: invalid input syntax for type date: "nodate"

alter table e1 add column d4 int default 'x'
--> ERROR 22P02: invalid input syntax for type integer: "x"

alter table e1 add column d5 date default ('no'||'date')::date
--> ERROR 22007: invalid input syntax for type date: "nodate"

alter table e1 add column d6 smallint default 100000
--> ERROR 22003: smallint out of range

alter table e1 add column d7 char(2) default 'abc'
--> ERROR 22001: value too long for type character(2)

alter table e1 add column d8 varchar(4) default 'ab      '
--> ALTER TABLE

alter table e1 add column d9 bit(3) default '1010'
--> ERROR 22026: bit string length 4 does not match type bit(3)

alter table e1 add column d10 varchar(3)[] default '{abcd}'
--> ERROR 22001: value too long for type character varying(3)

alter table e1 add column d12 text default repeat('x', -1)||(1/0)::text
--> ERROR 22012: division by zero

alter table e1 add column d13 varchar(3) default current_user
--> ERROR 22001: value too long for type character varying(3)

alter table e1 add column d15 int not null default 1/0
--> ERROR 22012: division by zero

create domain dpos as int check (value > 0)
--> CREATE DOMAIN

alter table e1 add column d17 dpos default -1
--> ALTER TABLE

alter table e1 add column d18 dpos
--> ALTER TABLE

create domain dad_short as varchar(3)
--> CREATE DOMAIN

alter table e1 add column d19 dad_short default 'abcdef'
--> ERROR 22001: value too long for type character varying(3)

create domain dd as varchar(3) default 'abcdef'
--> CREATE DOMAIN

alter table e1 add column d20 dd
--> ERROR 22001: value too long for type character varying(3)

create domain dnn as int not null
--> CREATE DOMAIN

alter table e1 add column d21 dnn
--> ALTER TABLE

create table e2(v varchar(4) default 'toolong', n numeric(3,1) default 1000, d int default 1/0)
--> CREATE TABLE

alter table e1 alter column a set default 1/0
--> ALTER TABLE

create table e3(v varchar(4)); alter table e3 alter column v set default 'toolong';
--> CREATE TABLE
--> ALTER TABLE

alter table e3 add column z int default 1 check (z > 1)
--> ALTER TABLE

alter table e3 add column z2 int default 1 check (1/(z2-1) > 1)
--> ALTER TABLE

insert into e2 default values
--> ERROR 22001: value too long for type character varying(4)

alter table e3 add column z3 int default 1 check (z3 > 1)
--> ALTER TABLE

alter table e3 add column z4 int default 1/0
--> ERROR 22012: division by zero
