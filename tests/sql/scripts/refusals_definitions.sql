-- What definitions and PREPARE refuse: keys over the same columns are one, generated columns, parameters without a type.
create table rd_g (a int primary key, b int, c text, ar int[], t timestamp)
--> CREATE TABLE

create table rd_ct (a int, unique (a), constraint rd_x unique (a), constraint rd_x unique (a))
--> CREATE TABLE

create table rd_ct (a int constraint rd_x unique, b int constraint rd_x unique)
--> ERROR 42P07: relation "rd_ct" already exists

create table rd_ct (a int constraint rd_x primary key, b int constraint rd_x unique)
--> ERROR 42P07: relation "rd_ct" already exists

create table rd_ct (a int constraint rd_x check (a > 1), b int constraint rd_x check (b > 1))
--> ERROR 42P07: relation "rd_ct" already exists

create table rd_ct (a int constraint rd_x check (a > 1), b int constraint rd_x unique)
--> ERROR 42P07: relation "rd_ct" already exists

create table rd_ct2 (a int, constraint rd_g unique (a))
--> ERROR 42P07: relation "rd_g" already exists

create table rd_ct2 (a int, constraint rd_ct2 unique (a))
--> ERROR 42P07: relation "rd_ct2" already exists

create table rd_ct3 (a int, b int)
--> CREATE TABLE

alter table rd_ct3 add constraint rd_g unique (a)
--> ERROR 42P07: relation "rd_g" already exists

alter table rd_ct3 add constraint rd_k unique (a)
--> ALTER TABLE

alter table rd_ct3 add constraint rd_k unique (b)
--> ERROR 42P07: relation "rd_k" already exists

alter table rd_ct3 add constraint rd_k check (b > 1)
--> ERROR 42710: constraint "rd_k" for relation "rd_ct3" already exists

alter table rd_ct3 add constraint rd_l check (b > 1)
--> ALTER TABLE

alter table rd_ct3 add constraint rd_l check (b > 1)
--> ERROR 42710: constraint "rd_l" for relation "rd_ct3" already exists

alter table rd_ct3 add constraint rd_l unique (b)
--> ERROR 42710: constraint "rd_l" for relation "rd_ct3" already exists

alter table rd_ct3 add constraint rd_l primary key (b)
--> ERROR 42710: constraint "rd_l" for relation "rd_ct3" already exists

create table rd_df (a int, b int default a)
--> ERROR 0A000: cannot use column reference in DEFAULT expression

create table rd_df (a int default sum(1))
--> ERROR 42803: aggregate functions are not allowed in DEFAULT expressions

create table rd_df (a int default row_number() over ())
--> ERROR 42P20: window functions are not allowed in DEFAULT expressions

create table rd_df (a int default generate_series(1,2))
--> ERROR 0A000: set-returning functions are not allowed in DEFAULT expressions

create table rd_df (a int default $1)
--> ERROR 42P02: there is no parameter $1

create table rd_df (a int default x.y)
--> ERROR 0A000: cannot use column reference in DEFAULT expression

create table rd_df (a int check (sum(a) > 1))
--> ERROR 42803: aggregate functions are not allowed in check constraints

create table rd_df (a int check ((select 1) > 1))
--> ERROR 0A000: cannot use subquery in check constraint

create table rd_df (a int check (zz > 1))
--> ERROR 42703: column "zz" does not exist

create table rd_df (a int check (a))
--> ERROR 42804: argument of CHECK must be type boolean, not type integer

create table rd_df (a int check (row_number() over () > 1))
--> ERROR 42P20: window functions are not allowed in check constraints

create table rd_df (a int check (generate_series(1,2) > 1))
--> ERROR 0A000: set-returning functions are not allowed in check constraints

create table rd_gg (a int, b int generated always as (a + 1) stored)
--> CREATE TABLE

alter table rd_gg alter a type bigint
--> ERROR 0A000: cannot alter type of a column used by a generated column
-->   detail: Column "a" is used by generated column "b".

alter table rd_gg alter column b type bigint
--> ALTER TABLE

alter table rd_gg alter b set default 1
--> ERROR 42601: column "b" of relation "rd_gg" is a generated column

alter table rd_gg alter b drop default
--> ERROR 42601: column "b" of relation "rd_gg" is a generated column

alter table rd_gg drop column a
--> ERROR 2BP01: cannot drop column a of table rd_gg because other objects depend on it
-->   detail: column b of table rd_gg depends on column a of table rd_gg

create table rd_g2 (a int, b int generated always as (a + 1) stored, c int generated always as (b + 1) stored)
--> ERROR 42P17: cannot use generated column "b" in column generation expression
-->   detail: A generated column cannot reference another generated column.

create table rd_g2 (a int generated always as (a + 1) stored)
--> ERROR 42P17: cannot use generated column "a" in column generation expression
-->   detail: A generated column cannot reference another generated column.

alter table rd_gg add c int generated always as (b + 1) stored
--> ERROR 42P17: cannot use generated column "b" in column generation expression
-->   detail: A generated column cannot reference another generated column.

insert into rd_gg values (1, 2)
--> ERROR 428C9: cannot insert a non-DEFAULT value into column "b"
-->   detail: Column "b" is a generated column.

update rd_gg set b = 1
--> ERROR 428C9: column "b" can only be updated to DEFAULT
-->   detail: Column "b" is a generated column.

update rd_gg set b = default
--> UPDATE 0

insert into rd_gg values (1)
--> INSERT 0 1

alter table rd_gg drop column a cascade
--> NOTICE: drop cascades to column b of table rd_gg
--> ALTER TABLE

select attname from pg_attribute where attrelid = 'rd_gg'::regclass and attnum > 0 and not attisdropped
--> attname name
--> SELECT 0

create index on rd_g (sum(a))
--> ERROR 42803: aggregate functions are not allowed in index expressions

create index on rd_g (generate_series(1,2))
--> ERROR 0A000: set-returning functions are not allowed in index expressions

create index on rd_g (random())
--> ERROR 42P17: functions in index expression must be marked IMMUTABLE

create index on rd_g (now())
--> ERROR 42P17: functions in index expression must be marked IMMUTABLE

create index on rd_g (zz)
--> ERROR 42703: column "zz" does not exist

create index on rd_g (a) where sum(a) > 1
--> ERROR 42803: aggregate functions are not allowed in index predicates

create index on rd_g (a) where random() > 1
--> ERROR 42P17: functions in index predicate must be marked IMMUTABLE

prepare pa as select $1 = 1, $1 = 'x'::text
--> ERROR 42883: operator does not exist: integer = text

prepare pb as select $1 + $2
--> ERROR 42725: operator is not unique: unknown + unknown

prepare pc as select $2::int
--> ERROR 42P18: could not determine data type of parameter $1

prepare pd (int) as select $1 || 'x', $2::text
--> PREPARE

prepare pe as select coalesce($1, $2), $1::int, $2::text
--> PREPARE

prepare pf as insert into rd_g (a, c) values ($1, $1)
--> ERROR 42P08: inconsistent types deduced for parameter $1
-->   detail: integer versus text

prepare pg as select $1
--> PREPARE

prepare ph as select $1::int, $1::text
--> PREPARE

prepare pi as select $1::int, upper($1)
--> ERROR 42883: function upper(integer) does not exist

prepare pj as select case when $1 then $1 + 1 end
--> ERROR 42883: operator does not exist: boolean + integer

prepare pk as select a from rd_g where a = $1 and c = $1
--> ERROR 42883: operator does not exist: text = integer

prepare pl as select a from rd_g where a = $1 limit $1
--> PREPARE

prepare pm as select $1 is null
--> ERROR 42P18: could not determine data type of parameter $1

prepare pn as update rd_g set a = $1, c = $1
--> ERROR 42P08: inconsistent types deduced for parameter $1
-->   detail: integer versus text

execute pm(1, 2)
--> ERROR 26000: prepared statement "pm" does not exist

execute nosuch
--> ERROR 26000: prepared statement "nosuch" does not exist

prepare pm as select 1
--> PREPARE

deallocate nosuch
--> ERROR 26000: prepared statement "nosuch" does not exist

lock table nosuch
--> ERROR 25P01: LOCK TABLE can only be used in transaction blocks

create table rd_lk (a int primary key unique, b int unique, unique (b))
--> CREATE TABLE

select conname, contype from pg_constraint where conrelid = 'rd_lk'::regclass order by 1
--> conname name | contype char1
--> rd_lk_b_key | u
--> rd_lk_pkey | p
--> SELECT 2

create table rd_lk2 (a int, unique (a), constraint x2 unique (a), constraint x2 unique (a))
--> CREATE TABLE

select conname, contype from pg_constraint where conrelid = 'rd_lk2'::regclass order by 1
--> conname name | contype char1
--> x2 | u
--> SELECT 1

create table rd_lk3 (a int, b int, c int, unique (a, b), unique (b, a), unique (a) include (b), constraint z3 primary key (a, b), unique (c) include (a, b))
--> CREATE TABLE

select conname, contype, conkey, pg_get_constraintdef(oid) from pg_constraint where conrelid = 'rd_lk3'::regclass order by 1
--> conname name | contype char1 | conkey int2[] | pg_get_constraintdef text
--> rd_lk3_a_b_key | u | {1} | UNIQUE (a) INCLUDE (b)
--> rd_lk3_b_a_key | u | {2,1} | UNIQUE (b, a)
--> rd_lk3_c_a_b_key | u | {3} | UNIQUE (c) INCLUDE (a, b)
--> z3 | p | {1,2} | PRIMARY KEY (a, b)
--> SELECT 4

select indexrelid::regclass::text, indnatts, indnkeyatts, indkey from pg_index where indrelid = 'rd_lk3'::regclass order by 1
--> indexrelid text | indnatts int2 | indnkeyatts int2 | indkey 22
--> rd_lk3_a_b_key | 2 | 1 | 1 2
--> rd_lk3_b_a_key | 2 | 2 | 2 1
--> rd_lk3_c_a_b_key | 3 | 1 | 3 1 2
--> z3 | 2 | 2 | 1 2
--> SELECT 4

insert into rd_lk3 values (1, 1, 1), (1, 2, 2)
--> ERROR 23505: duplicate key value violates unique constraint "rd_lk3_a_b_key"
-->   detail: Key (a)=(1) already exists.
-->   table: rd_lk3
-->   constraint: rd_lk3_a_b_key

insert into rd_lk3 values (1, 1, 1), (2, 2, 1)
--> ERROR 23505: duplicate key value violates unique constraint "rd_lk3_c_a_b_key"
-->   detail: Key (c)=(1) already exists.
-->   table: rd_lk3
-->   constraint: rd_lk3_c_a_b_key

insert into rd_lk3 values (1, 1, 1) on conflict (c) do update set b = 9 returning *
--> a int4 | b int4 | c int4
--> 1 | 1 | 1
--> INSERT 0 1

alter table rd_lk3 drop column b
--> ALTER TABLE

select conname from pg_constraint where conrelid = 'rd_lk3'::regclass order by 1
--> conname name
--> SELECT 0

create table rd_lk4 (like rd_lk3 including all)
--> CREATE TABLE

select conname, pg_get_constraintdef(oid) from pg_constraint where conrelid = 'rd_lk4'::regclass order by 1
--> conname name | pg_get_constraintdef text
--> SELECT 0

create table rd_lk5 (a int primary key include (b), b int)
--> ERROR 42601: syntax error at or near "include"

create table rd_lk6 (a int, constraint rd_lk6 unique (a))
--> ERROR 42P07: relation "rd_lk6" already exists

create table rd_lk7 (a int, b int, primary key (a) include (nosuch))
--> ERROR 42703: column "nosuch" named in key does not exist

drop table if exists nosuch.t, nosuch2.t
--> NOTICE: schema "nosuch" does not exist, skipping
--> NOTICE: schema "nosuch2" does not exist, skipping
--> DROP TABLE

drop table nosuch.t
--> ERROR 3F000: schema "nosuch" does not exist

drop view if exists nosuch.v
--> NOTICE: schema "nosuch" does not exist, skipping
--> DROP VIEW

drop index nosuch.i
--> ERROR 3F000: schema "nosuch" does not exist

drop function if exists nosuch.f(int)
--> NOTICE: schema "nosuch" does not exist, skipping
--> DROP FUNCTION

drop type if exists nosuch.ty
--> NOTICE: schema "nosuch" does not exist, skipping
--> DROP TYPE

create view rd_circle1 as select 1 as a
--> CREATE VIEW

create view rd_circle2 as select a from rd_circle1
--> CREATE VIEW

create or replace view rd_circle1 as select a from rd_circle2
--> CREATE VIEW

select * from rd_circle2
--> ERROR 42P17: infinite recursion detected in rules for relation "rd_circle2"

drop view rd_circle1
--> ERROR 2BP01: cannot drop view rd_circle1 because other objects depend on it
-->   detail: view rd_circle2 depends on view rd_circle1

drop view rd_circle1 cascade
--> NOTICE: drop cascades to view rd_circle2
--> DROP VIEW

select * from rd_circle2
--> ERROR 42P01: relation "rd_circle2" does not exist

create table rd_tg1 (id int primary key)
--> CREATE TABLE

create table rd_tg2 (id int)
--> CREATE TABLE

select relname, relhastriggers from pg_class where relname in ('rd_tg1', 'rd_tg2') order by 1
--> relname name | relhastriggers bool
--> rd_tg1 | f
--> rd_tg2 | f
--> SELECT 2

alter table rd_tg2 add foreign key (id) references rd_tg1
--> ALTER TABLE

select relname, relhastriggers from pg_class where relname in ('rd_tg1', 'rd_tg2') order by 1
--> relname name | relhastriggers bool
--> rd_tg1 | t
--> rd_tg2 | t
--> SELECT 2

-- Generated columns, keys, system columns and statistics.
CREATE TABLE computed (a int PRIMARY KEY, b int GENERATED ALWAYS AS (a * 2) STORED GENERATED ALWAYS AS (a * 3) STORED)
--> ERROR 42601: multiple generation clauses specified for column "b" of table "computed"

CREATE TABLE computed (a int PRIMARY KEY, b int GENERATED BY DEFAULT AS (a * 2) STORED)
--> ERROR 42601: for a generated column, GENERATED ALWAYS must be specified

CREATE TABLE computed (a int PRIMARY KEY, b int GENERATED ALWAYS AS IDENTITY GENERATED ALWAYS AS (a * 2) STORED)
--> ERROR 42601: both identity and generation expression specified for column "b" of table "computed"

CREATE TABLE referred (x int PRIMARY KEY)
--> CREATE TABLE

CREATE TABLE computed (a int PRIMARY KEY, b int GENERATED ALWAYS AS (a * 2) STORED REFERENCES referred ON UPDATE CASCADE)
--> ERROR 42601: invalid ON UPDATE action for foreign key constraint containing generated column

CREATE TABLE computed (a int PRIMARY KEY, b int GENERATED ALWAYS AS (a * 2) STORED REFERENCES referred ON DELETE SET NULL)
--> ERROR 42601: invalid ON DELETE action for foreign key constraint containing generated column

CREATE TABLE computed (a int PRIMARY KEY, b int GENERATED ALWAYS AS (a * 2) STORED REFERENCES referred ON DELETE CASCADE)
--> CREATE TABLE

CREATE TABLE referring (a int, FOREIGN KEY (tableoid) REFERENCES referred)
--> ERROR 0A000: system columns cannot be used in foreign keys

CREATE TABLE counted (a int, b int, c int)
--> CREATE TABLE

CREATE INDEX counted_index ON counted (a, (b + 1)) INCLUDE (c)
--> CREATE INDEX

ALTER INDEX counted_index ALTER COLUMN 0 SET STATISTICS 100
--> ERROR 22023: column number must be in range from 1 to 32767

ALTER INDEX counted_index ALTER COLUMN 1 SET STATISTICS 100
--> ERROR 0A000: cannot alter statistics on non-expression column "a" of index "counted_index"

ALTER INDEX counted_index ALTER COLUMN 2 SET STATISTICS 100
--> ALTER INDEX

ALTER INDEX counted_index ALTER COLUMN 3 SET STATISTICS 100
--> ERROR 0A000: cannot alter statistics on included column "c" of index "counted_index"

ALTER INDEX counted_index ALTER COLUMN 4 SET STATISTICS 100
--> ERROR 42703: column number 4 of relation "counted_index" does not exist

ALTER TABLE counted ALTER COLUMN 1 SET STATISTICS 100
--> ERROR 0A000: cannot refer to non-index column by number

ALTER TABLE counted ADD CONSTRAINT p PRIMARY KEY (nope)
--> ERROR 42703: column "nope" of relation "counted" does not exist

ALTER TABLE counted ADD UNIQUE (nope)
--> ERROR 42703: column "nope" named in key does not exist

ALTER TABLE counted DROP xmin
--> ERROR 0A000: cannot drop system column "xmin"

CREATE VIEW placed AS SELECT ctid, a FROM counted
--> CREATE VIEW

INSERT INTO counted VALUES (7, 8, 9)
--> INSERT 0 1

SELECT ctid, a FROM placed WHERE ctid = '(0,1)'
--> ctid 27 | a int4
--> (0,1) | 7
--> SELECT 1
