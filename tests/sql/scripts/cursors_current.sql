-- WHERE CURRENT OF: the row that a cursor is on.
create table cc_cu (id int primary key, a text)
--> CREATE TABLE

insert into cc_cu select g, 'v' || g from generate_series(1, 5) g
--> INSERT 0 5

create table cc_cw (id int, b text)
--> CREATE TABLE

insert into cc_cw values (1, 'x'), (3, 'y')
--> INSERT 0 2

begin
--> BEGIN

declare c cursor for select * from cc_cu order by id for update
--> DECLARE CURSOR

update cc_cu set a = 'x' where current of c
--> ERROR 24000: cursor "c" is not positioned on a row

rollback
--> ROLLBACK

begin
--> BEGIN

declare c cursor for select * from cc_cu for update
--> DECLARE CURSOR

fetch c
--> id int4 | a text
--> 1 | v1
--> FETCH 1

update cc_cu set a = 'cur' where current of c
--> UPDATE 1

update cc_cu set a = a || '2' where current of c returning *
--> id int4 | a text
--> 1 | cur2
--> UPDATE 1

fetch 2 from c
--> id int4 | a text
--> 2 | v2
--> 3 | v3
--> FETCH 2

delete from cc_cu where current of c returning *
--> id int4 | a text
--> 3 | v3
--> DELETE 1

delete from cc_cu where current of c returning *
--> id int4 | a text
--> DELETE 0

fetch c
--> id int4 | a text
--> 4 | v4
--> FETCH 1

select * from cc_cu order by id
--> id int4 | a text
--> 1 | cur2
--> 2 | v2
--> 4 | v4
--> 5 | v5
--> SELECT 4

fetch all from c
--> id int4 | a text
--> 5 | v5
--> FETCH 1

update cc_cu set a = 'x' where current of c
--> ERROR 24000: cursor "c" is not positioned on a row

rollback
--> ROLLBACK

begin
--> BEGIN

declare c cursor for select a from cc_cu where id > 1
--> DECLARE CURSOR

fetch c
--> a text
--> v2
--> FETCH 1

update cc_cu set a = 'q' where current of c returning *
--> id int4 | a text
--> 2 | q
--> UPDATE 1

move 1 in c
--> MOVE 1

update cc_cu set a = 'm' where current of c returning *
--> id int4 | a text
--> 3 | m
--> UPDATE 1

fetch c
--> a text
--> v4
--> FETCH 1

select * from cc_cu order by id
--> id int4 | a text
--> 1 | v1
--> 2 | q
--> 3 | m
--> 4 | v4
--> 5 | v5
--> SELECT 5

update cc_cu set a = 'z' where current of nope
--> ERROR 34000: cursor "nope" does not exist

rollback
--> ROLLBACK

begin
--> BEGIN

declare c scroll cursor for select id from cc_cu
--> DECLARE CURSOR

fetch first from c
--> id int4
--> 1
--> FETCH 1

update cc_cu set a = 'first' where current of c returning *
--> id int4 | a text
--> 1 | first
--> UPDATE 1

fetch absolute 3 from c
--> id int4
--> 3
--> FETCH 1

update cc_cu set a = 'third' where current of c returning *
--> id int4 | a text
--> 3 | third
--> UPDATE 1

fetch prior from c
--> id int4
--> 2
--> FETCH 1

update cc_cu as tt set a = 'second' where current of c returning tt.*
--> id int4 | a text
--> 2 | second
--> UPDATE 1

fetch last from c
--> id int4
--> 5
--> FETCH 1

delete from cc_cu where current of c returning *
--> id int4 | a text
--> 5 | v5
--> DELETE 1

select * from cc_cu order by id
--> id int4 | a text
--> 1 | first
--> 2 | second
--> 3 | third
--> 4 | v4
--> SELECT 4

rollback
--> ROLLBACK

begin
--> BEGIN

declare c cursor for select count(*) from cc_cu
--> DECLARE CURSOR

fetch c
--> count int8
--> 5
--> FETCH 1

update cc_cu set a = '1' where current of c
--> ERROR 24000: cursor "c" is not a simply updatable scan of table "cc_cu"

rollback
--> ROLLBACK

begin
--> BEGIN

declare c cursor for select cc_cu.id, cc_cw.b from cc_cu join cc_cw on cc_cw.id = cc_cu.id order by cc_cu.id for update
--> DECLARE CURSOR

fetch 2 from c
--> id int4 | b text
--> 1 | x
--> 3 | y
--> FETCH 2

update cc_cw set b = 'joined' where current of c returning *
--> id int4 | b text
--> 3 | joined
--> UPDATE 1

update cc_cu set a = 'joined' where current of c returning *
--> id int4 | a text
--> 3 | joined
--> UPDATE 1

rollback
--> ROLLBACK

begin
--> BEGIN

declare c cursor for select * from cc_cw
--> DECLARE CURSOR

fetch c
--> id int4 | b text
--> 1 | x
--> FETCH 1

delete from cc_cu where current of c
--> ERROR 24000: cursor "c" is not a simply updatable scan of table "cc_cu"

rollback
--> ROLLBACK

begin
--> BEGIN

declare c cursor for select id, a from cc_cu order by a desc, 1 for update
--> DECLARE CURSOR

fetch 2 from c
--> id int4 | a text
--> 5 | v5
--> 4 | v4
--> FETCH 2

update cc_cu set a = 'ordered' where current of c returning *
--> id int4 | a text
--> 4 | ordered
--> UPDATE 1

fetch c
--> id int4 | a text
--> 3 | v3
--> FETCH 1

commit
--> COMMIT

select * from cc_cu order by id
--> id int4 | a text
--> 1 | v1
--> 2 | v2
--> 3 | v3
--> 4 | ordered
--> 5 | v5
--> SELECT 5

update cc_cu set a = 'x' where current of c and id = 1
--> ERROR 42601: syntax error at or near "and"

create view cc_cv as select * from cc_cu
--> CREATE VIEW

begin
--> BEGIN

declare c cursor for select * from cc_cu
--> DECLARE CURSOR

fetch c
--> id int4 | a text
--> 1 | v1
--> FETCH 1

update cc_cv set a = 'x' where current of c
--> ERROR 0A000: WHERE CURRENT OF on a view is not implemented

rollback
--> ROLLBACK

prepare cc_p as update cc_cu set a = 'prep' where current of c
--> PREPARE

begin
--> BEGIN

declare c cursor for select * from cc_cu where id = 2
--> DECLARE CURSOR

fetch c
--> id int4 | a text
--> 2 | v2
--> FETCH 1

execute cc_p
--> UPDATE 1

select a from cc_cu where id = 2
--> a text
--> prep
--> SELECT 1

rollback
--> ROLLBACK

deallocate cc_p
--> DEALLOCATE
