-- A row that several parts of a statement change is changed once. Which of them does it, PostgreSQL leaves open: here the first that is written.
create table wt_w (id int primary key, v int)
--> CREATE TABLE

insert into wt_w values (1, 1), (2, 2), (3, 3)
--> INSERT 0 3

with a as (update wt_w set v = 11 where id = 1 returning *), b as (update wt_w set v = v + 100 where id = 1 returning *) select * from a union all select * from b
--> id int4 | v int4
--> 1 | 11
--> SELECT 1

select * from wt_w order by 1
--> id int4 | v int4
--> 1 | 11
--> 2 | 2
--> 3 | 3
--> SELECT 3

with a as (update wt_w set v = v + 1 where id < 3 returning id), b as (update wt_w set v = v + 1000 where id > 1 returning id) select (select count(*) from a), (select count(*) from b)
--> count int8 | count int8
--> 2 | 1
--> SELECT 1

select * from wt_w order by 1
--> id int4 | v int4
--> 1 | 12
--> 2 | 3
--> 3 | 1003
--> SELECT 3

with a as (update wt_w set v = 0 where id = 3 returning id) delete from wt_w using a where wt_w.id = a.id returning wt_w.*
--> id int4 | v int4
--> DELETE 0

with a as (update wt_w set v = 7 where id = 3 returning id) update wt_w set v = 8 from a where wt_w.id = a.id + 10 or wt_w.id = 1 returning wt_w.id, wt_w.v
--> id int4 | v int4
--> 1 | 8
--> UPDATE 1

with a as (delete from wt_w where id = 3 returning id) update wt_w set v = 9 from a where wt_w.id = a.id returning wt_w.*
--> id int4 | v int4
--> UPDATE 0

select * from wt_w order by 1
--> id int4 | v int4
--> 1 | 8
--> 2 | 3
--> SELECT 2
