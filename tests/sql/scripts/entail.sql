-- What a condition implies for an index changes no answer: at the edges of prefixes, days and zones, and in alternatives.
create table en (id int primary key, t text, v varchar(20), d date, ts timestamp, tz timestamptz, a int, b int)
--> CREATE TABLE

create index en_t on en (t); create index en_v on en (v); create index en_d on en (d); create index en_ts on en (ts); create index en_a on en (a)
--> CREATE INDEX
--> CREATE INDEX
--> CREATE INDEX
--> CREATE INDEX
--> CREATE INDEX

insert into en values (1,'ab','ab','2024-03-30','2024-03-30 00:00','2024-03-30 00:00+00',1,1), (2,'abc','abc','2024-03-31','2024-03-31 02:30','2024-03-31 01:00+00',1,2), (3,'ac','ac','2024-04-01','2024-03-31 03:00','2024-03-31 23:59:59.999999+00',2,1), (4,'a%','a%','infinity','infinity','infinity',2,2), (5,'','','-infinity','-infinity','-infinity',null,1), (6,null,null,null,null,null,1,null), (7,'AB','AB','2024-10-27','2024-10-27 02:30','2024-10-27 00:30+00',3,3), (8,'a_b','a_b','2024-10-28','2024-10-27 02:30','2024-10-27 01:30+00',3,4), (9,e'ab\U0010FFFF',e'ab\uD7FF','0001-01-01','0001-01-01','0001-01-01 00:00+00',4,4), (10,e'\U0010FFFF\U0010FFFFz','ü','2024-12-31','2024-12-31 23:59:59.999999','2024-12-31 23:59:59.999999+00',5,5)
--> INSERT 0 10

select id from en where t like 'ab%' order by id
--> id int4
--> 1
--> 2
--> 9
--> SELECT 3

select id from en where v like 'ab%' order by id
--> id int4
--> 1
--> 2
--> 9
--> SELECT 3

select id from en where t like 'ab' order by id
--> id int4
--> 1
--> SELECT 1

select id from en where t like 'a\%%' order by id
--> id int4
--> 4
--> SELECT 1

select id from en where t like 'a\_b%' order by id
--> id int4
--> 8
--> SELECT 1

select id from en where t like e'\U0010FFFF\U0010FFFF%' order by id
--> id int4
--> 10
--> SELECT 1

select id from en where v like 'ü%' or v like e'ab\uD7FF%' order by id
--> id int4
--> 9
--> 10
--> SELECT 2

select id from en where t like '%' order by id
--> id int4
--> 1
--> 2
--> 3
--> 4
--> 5
--> 7
--> 8
--> 9
--> 10
--> SELECT 9

select id from en where t like '' order by id
--> id int4
--> 5
--> SELECT 1

select id from en where t not like 'ab%' order by id
--> id int4
--> 3
--> 4
--> 5
--> 7
--> 8
--> 10
--> SELECT 6

select id from en where t ilike 'ab%' order by id
--> id int4
--> 1
--> 2
--> 7
--> 9
--> SELECT 4

select id from en where not (t like 'ab%') order by id
--> id int4
--> 3
--> 4
--> 5
--> 7
--> 8
--> 10
--> SELECT 6

select id from en where t like null
--> id int4
--> SELECT 0

prepare en_begins(text) as select id from en where t like $1 || '%' order by id
--> PREPARE

execute en_begins('ab')
--> id int4
--> 1
--> 2
--> 9
--> SELECT 3

execute en_begins('')
--> id int4
--> 1
--> 2
--> 3
--> 4
--> 5
--> 7
--> 8
--> 9
--> 10
--> SELECT 9

execute en_begins('%c')
--> id int4
--> 2
--> 3
--> SELECT 2

execute en_begins('a\')
--> id int4
--> 4
--> SELECT 1

execute en_begins(e'\U0010FFFF')
--> id int4
--> 10
--> SELECT 1

execute en_begins(null)
--> id int4
--> SELECT 0

prepare en_like(text) as select id from en where t like $1 order by id
--> PREPARE

execute en_like('%b%')
--> id int4
--> 1
--> 2
--> 8
--> 9
--> SELECT 4

execute en_like('ab_')
--> id int4
--> 2
--> 9
--> SELECT 2

select id from en where t ~ '^ab' order by id
--> id int4
--> 1
--> 2
--> 9
--> SELECT 3

select id from en where t ~ '^abc?' order by id
--> id int4
--> 1
--> 2
--> 9
--> SELECT 3

select id from en where t ~ '^ab|c' order by id
--> id int4
--> 1
--> 2
--> 3
--> 9
--> SELECT 4

select id from en where t ~ '^(ab)' order by id
--> id int4
--> 1
--> 2
--> 9
--> SELECT 3

select id from en where v ~ '^a[bc]$' order by id
--> id int4
--> 1
--> 3
--> SELECT 2

select id from en where t ~ '^a\_' order by id
--> id int4
--> 8
--> SELECT 1

set time zone 'Europe/Berlin'
--> SET

select id from en where d >= '2024-03-31 00:00'::timestamp order by id
--> id int4
--> 2
--> 3
--> 4
--> 7
--> 8
--> 10
--> SELECT 6

select id from en where d > '2024-03-31 00:00'::timestamp order by id
--> id int4
--> 3
--> 4
--> 7
--> 8
--> 10
--> SELECT 5

select id from en where d > '2024-03-30 23:59'::timestamp order by id
--> id int4
--> 2
--> 3
--> 4
--> 7
--> 8
--> 10
--> SELECT 6

select id from en where d <= '2024-03-31 12:00'::timestamp order by id
--> id int4
--> 1
--> 2
--> 5
--> 9
--> SELECT 4

select id from en where d < '2024-03-31 00:00'::timestamp order by id
--> id int4
--> 1
--> 5
--> 9
--> SELECT 3

select id from en where d = '2024-03-31 00:00'::timestamp or d = '2024-04-01 00:01'::timestamp order by id
--> id int4
--> 2
--> SELECT 1

select id from en where d >= '2024-03-30 23:00+00'::timestamptz order by id
--> id int4
--> 2
--> 3
--> 4
--> 7
--> 8
--> 10
--> SELECT 6

select id from en where d < '2024-03-30 23:00:00.000001+00'::timestamptz order by id
--> id int4
--> 1
--> 2
--> 5
--> 9
--> SELECT 4

select id from en where '2024-03-30 23:00+00'::timestamptz = d order by id
--> id int4
--> 2
--> SELECT 1

select id from en where '2024-10-27 22:00+00'::timestamptz <= d order by id
--> id int4
--> 4
--> 8
--> 10
--> SELECT 3

select id from en where '2024-03-30 12:00'::timestamp > d order by id
--> id int4
--> 1
--> 5
--> 9
--> SELECT 3

select id from en where d <= 'infinity'::timestamptz order by id
--> id int4
--> 1
--> 2
--> 3
--> 4
--> 5
--> 7
--> 8
--> 9
--> 10
--> SELECT 9

select id from en where d > '-infinity'::timestamp order by id
--> id int4
--> 1
--> 2
--> 3
--> 4
--> 7
--> 8
--> 9
--> 10
--> SELECT 8

select id from en where ts >= '2024-03-31 01:00+00'::timestamptz order by id
--> id int4
--> 2
--> 3
--> 4
--> 7
--> 8
--> 10
--> SELECT 6

select id from en where ts > '2024-03-31 01:00+00'::timestamptz order by id
--> id int4
--> 2
--> 4
--> 7
--> 8
--> 10
--> SELECT 5

select id from en where ts = '2024-10-27 01:30+00'::timestamptz order by id
--> id int4
--> 7
--> 8
--> SELECT 2

select id from en where ts < '2024-10-27 01:30+00'::timestamptz order by id
--> id int4
--> 1
--> 2
--> 3
--> 5
--> 9
--> SELECT 5

select id from en where ts <= '2024-10-27 00:30+00'::timestamptz order by id
--> id int4
--> 1
--> 2
--> 3
--> 5
--> 9
--> SELECT 5

select id from en where '2024-10-27 01:30+00'::timestamptz >= ts order by id
--> id int4
--> 1
--> 2
--> 3
--> 5
--> 7
--> 8
--> 9
--> SELECT 7

select id from en where ts < 'infinity'::timestamptz order by id
--> id int4
--> 1
--> 2
--> 3
--> 5
--> 7
--> 8
--> 9
--> 10
--> SELECT 8

select id from en where ts >= '-infinity'::timestamptz order by id
--> id int4
--> 1
--> 2
--> 3
--> 4
--> 5
--> 7
--> 8
--> 9
--> 10
--> SELECT 9

select id from en where d between '2024-03-31'::timestamp - interval '1 day' and '2024-04-01 00:00+02'::timestamptz order by id
--> id int4
--> 1
--> 2
--> 3
--> SELECT 3

select count(*) from en where d < now() and ts < now() + interval '100 years'
--> count int8
--> 8
--> SELECT 1

set time zone 'Pacific/Apia'
--> SET

select id from en where d >= '2024-03-31 00:00+13'::timestamptz and ts <= '2024-10-27 02:30+13'::timestamptz order by id
--> id int4
--> 2
--> 3
--> 7
--> 8
--> SELECT 4

reset time zone
--> RESET

select id from en where (a = 1 and b = 1) or (a = 1 and b = 2) order by id
--> id int4
--> 1
--> 2
--> SELECT 2

select id from en where (a = 1 and b = 1) or (b = 2 and a = 1 and t like 'ab%') or (a = 1 and b is null) order by id
--> id int4
--> 1
--> 2
--> 6
--> SELECT 3

select id from en where (a = 1 and b = 1) or a = 1 order by id
--> id int4
--> 1
--> 2
--> 6
--> SELECT 3

select id from en where (a = 1) or (a = 1) order by id
--> id int4
--> 1
--> 2
--> 6
--> SELECT 3

select id, (a = 1 and b = 1) or (a = 1 and b = 2) r from en order by id
--> id int4 | r bool
--> 1 | t
--> 2 | t
--> 3 | f
--> 4 | f
--> 5 | ∅
--> 6 | ∅
--> 7 | f
--> 8 | f
--> 9 | f
--> 10 | f
--> SELECT 10

select id from en where not ((a = 1 and b = 1) or (a = 1 and b = 2)) order by id
--> id int4
--> 3
--> 4
--> 7
--> 8
--> 9
--> 10
--> SELECT 6

select x.id, y.id from en x, en y where (x.a = y.b and x.id = 1 and y.id < 4) or (x.a = y.b and x.id = 2 and y.id > 2) order by 1, 2
--> id int4 | id int4
--> 1 | 1
--> 1 | 3
--> 2 | 3
--> 2 | 5
--> SELECT 4

select x.id, y.id from en x join en y on (x.a = y.b and x.id < 3) or (x.a = y.b and y.id > 8) order by 1, 2
--> id int4 | id int4
--> 1 | 1
--> 1 | 3
--> 1 | 5
--> 2 | 1
--> 2 | 3
--> 2 | 5
--> 9 | 9
--> 10 | 10
--> SELECT 8

select x.id, y.id from en x left join en y on (x.a = y.b and x.id < 3) or (x.a = y.b and y.id > 8) where x.id < 5 order by 1, 2
--> id int4 | id int4
--> 1 | 1
--> 1 | 3
--> 1 | 5
--> 2 | 1
--> 2 | 3
--> 2 | 5
--> 3 | ∅
--> 4 | ∅
--> SELECT 8

update en set b = 9 where (t like 'ab%' and d >= '2024-03-31 00:00'::timestamp) or (t like 'ab%' and a = 4) returning id
--> id int4
--> 2
--> 9
--> UPDATE 2

delete from en where t like 'ab%' returning id
--> id int4
--> 1
--> 2
--> 9
--> DELETE 3

select count(*) from en where random() < 2 and ((random() < 2 and a = 1) or (random() < 2 and a = 1))
--> count int8
--> 1
--> SELECT 1

drop table en
--> DROP TABLE
