-- Rows met in indexes in which NULLs are equal; keys whose new values do not fit where foreign keys pass them on.
create table kn_nd (a int, b text, c text)
--> CREATE TABLE

create unique index kn_ndi on kn_nd (a, b) nulls not distinct
--> CREATE INDEX

insert into kn_nd values (1, null, 'x')
--> INSERT 0 1

insert into kn_nd values (1, null, 'y') on conflict (a, b) do update set c = excluded.c returning *
--> a int4 | b text | c text
--> 1 | ∅ | y
--> INSERT 0 1

insert into kn_nd values (1, null, 'y') on conflict do nothing
--> INSERT 0 0

insert into kn_nd values (1, null, 'y') on conflict (a, b) do nothing
--> INSERT 0 0

insert into kn_nd values (null, null, 'n1') on conflict (a, b) do update set c = kn_nd.c || excluded.c returning *
--> a int4 | b text | c text
--> ∅ | ∅ | n1
--> INSERT 0 1

insert into kn_nd values (null, null, 'n2') on conflict (b, a) do update set c = kn_nd.c || excluded.c where kn_nd.a is null returning *
--> a int4 | b text | c text
--> ∅ | ∅ | n1n2
--> INSERT 0 1

insert into kn_nd values (null, null, 'n3'), (2, 'z', 'z'), (null, 'k', 'k') on conflict (a, b) do update set c = kn_nd.c || excluded.c returning *
--> a int4 | b text | c text
--> ∅ | ∅ | n1n2n3
--> 2 | z | z
--> ∅ | k | k
--> INSERT 0 3

insert into kn_nd values (null, null, 'p'), (null, null, 'q') on conflict (a, b) do update set c = excluded.c
--> ERROR 21000: ON CONFLICT DO UPDATE command cannot affect row a second time

insert into kn_nd values (1, null, 'z')
--> ERROR 23505: duplicate key value violates unique constraint "kn_ndi"
-->   detail: Key (a, b)=(1, null) already exists.
-->   table: kn_nd
-->   constraint: kn_ndi

insert into kn_nd values (2, 'z', 'again') on conflict (a, b) do update set c = excluded.c returning *
--> a int4 | b text | c text
--> 2 | z | again
--> INSERT 0 1

prepare kn_nd_up as insert into kn_nd values ($1, $2, $3) on conflict (a, b) do update set c = excluded.c || $3 returning *
--> PREPARE

execute kn_nd_up(1, null, 'q')
--> a int4 | b text | c text
--> 1 | ∅ | qq
--> INSERT 0 1

create table kn_nd2 (a numeric unique nulls not distinct, b int)
--> CREATE TABLE

insert into kn_nd2 values (null, 1), (1.0, 2)
--> INSERT 0 2

insert into kn_nd2 values (null, 2) on conflict (a) do update set b = excluded.b returning *
--> a numeric | b int4
--> ∅ | 2
--> INSERT 0 1

insert into kn_nd2 values (null, 3), (1.00, 4) on conflict on constraint kn_nd2_a_key do update set b = excluded.b returning *
--> a numeric | b int4
--> ∅ | 3
--> 1.0 | 4
--> INSERT 0 2

create table kn_nd3 (a text, b int)
--> CREATE TABLE

create unique index kn_nd3i on kn_nd3 (lower(a)) nulls not distinct where b > 0
--> CREATE INDEX

insert into kn_nd3 values (null, 1), ('X', 1)
--> INSERT 0 2

insert into kn_nd3 values (null, 2), ('x', 2) on conflict (lower(a)) where b > 0 do update set b = kn_nd3.b + excluded.b returning *
--> a text | b int4
--> ∅ | 3
--> X | 3
--> INSERT 0 2

insert into kn_nd3 values (null, -1) on conflict (lower(a)) where b > 0 do update set b = 9 returning *
--> a text | b int4
--> ∅ | -1
--> INSERT 0 1

select * from kn_nd3 order by a, b
--> a text | b int4
--> X | 3
--> ∅ | -1
--> ∅ | 3
--> SELECT 3

create table kn_big (id bigint primary key)
--> CREATE TABLE

create table kn_sma (id int references kn_big on update cascade on delete cascade)
--> CREATE TABLE

create table kn_sm2 (id smallint references kn_big on update cascade)
--> CREATE TABLE

insert into kn_big values (1), (2), (3)
--> INSERT 0 3

insert into kn_sma values (1)
--> INSERT 0 1

insert into kn_sm2 values (2)
--> INSERT 0 1

update kn_big set id = 5000000000 where id = 1
--> ERROR 22003: integer out of range

update kn_big set id = 70000 where id = 2
--> ERROR 22003: smallint out of range

update kn_big set id = 70000 where id = 1
--> ERROR 22003: smallint out of range

update kn_big set id = 5000000000 where id = 3
--> ERROR 22003: integer out of range

update kn_big set id = id where id > 0
--> UPDATE 3

update kn_big set id = id * 10 where id < 10
--> UPDATE 3

select * from kn_sma, kn_sm2
--> id int4 | id int2
--> 10 | 20
--> SELECT 1

update kn_big set id = id + 32760 where id < 30
--> ERROR 22003: smallint out of range

create table kn_txt (a text, b int, primary key (a, b))
--> CREATE TABLE

create table kn_vc (a varchar(3), b int, foreign key (a, b) references kn_txt on update cascade)
--> CREATE TABLE

insert into kn_txt values ('ab', 1), ('ab', 2)
--> INSERT 0 2

insert into kn_vc values ('ab', 1)
--> INSERT 0 1

update kn_txt set a = 'abcdef' where b = 2
--> ERROR 22001: value too long for type character varying(3)

update kn_txt set a = 'abcdef' where b = 1
--> ERROR 22001: value too long for type character varying(3)

update kn_txt set a = 'xyz' where b = 1 returning *
--> a text | b int4
--> xyz | 1
--> UPDATE 1

select * from kn_vc
--> a varchar | b int4
--> xyz | 1
--> SELECT 1
