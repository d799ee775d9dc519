-- What stands beside the table that is changed, in FROM or USING, does not see it.

create table lt(a int, b int); create table lu(a int, b int); insert into lt values(1,2),(2,3); insert into lu values (1,5),(2,6);
--> CREATE TABLE
--> CREATE TABLE
--> INSERT 0 2
--> INSERT 0 2

update lt set b = x.b from lateral (select lu.b from lu where lu.a = lt.a) x
--> ERROR 42P10: invalid reference to FROM-clause entry for table "lt"

update lt set b = x.b from lateral (select lu.b from lu where lu.a = a) x
--> UPDATE 2

update lt set b = x.b from (select lu.b from lu where lu.a = lt.a) x
--> ERROR 42P01: invalid reference to FROM-clause entry for table "lt"

update lt set b = x.b from (select a,b from lu) x where x.a=lt.a
--> UPDATE 2

update lt set b = g from generate_series(1, lt.b) g
--> ERROR 42P10: invalid reference to FROM-clause entry for table "lt"

update lt set b = g from generate_series(1, b) g
--> ERROR 42P10: invalid reference to FROM-clause entry for table "lt"

update lt as q set b = g from generate_series(1, q.b) g
--> ERROR 42P10: invalid reference to FROM-clause entry for table "q"

update lt as q set b = g from generate_series(1, lt.b) g
--> ERROR 42P10: invalid reference to FROM-clause entry for table "q"

update lt set b = u.b from lu u left join lateral (select lt.a) s on true
--> ERROR 42P10: invalid reference to FROM-clause entry for table "lt"

update lt set b = u.b from lu u join lu v on v.a = lt.a where u.a = lt.a
--> ERROR 42P01: invalid reference to FROM-clause entry for table "lt"

update lt set b = u.b from lu u join lu v on v.b = b where u.a = lt.a
--> ERROR 42702: column reference "b" is ambiguous

update lt set b = u.b from lu u join lu v on v.a = (select lt.a) where u.a = lt.a
--> ERROR 42P01: invalid reference to FROM-clause entry for table "lt"

update lt set b = u.b from lu u right join lateral (select lt.a) s on true
--> ERROR 42P10: invalid reference to FROM-clause entry for table "lt"

update lt set b = u.b from lu u, lateral (select u.a, (select lt.a)) s
--> ERROR 42P10: invalid reference to FROM-clause entry for table "lt"

update lt set b = u.b from lu u, lateral (select lt.* ) s
--> ERROR 42P10: invalid reference to FROM-clause entry for table "lt"

update lt set b = u.b from lu u, lateral (select lt ) s
--> ERROR 42P10: invalid reference to FROM-clause entry for table "lt"

delete from lt using lateral (select lu.b from lu where lu.a = lt.a) x
--> ERROR 42P10: invalid reference to FROM-clause entry for table "lt"

delete from lt using generate_series(1, lt.b) g
--> ERROR 42P10: invalid reference to FROM-clause entry for table "lt"

delete from lt using generate_series(1, b) g
--> ERROR 42P10: invalid reference to FROM-clause entry for table "lt"

delete from lt using lu join lateral (select lu.a where lu.b = lt.b) s on true
--> ERROR 42P10: invalid reference to FROM-clause entry for table "lt"

delete from lt using (select 1 where lt.a = 1) s
--> ERROR 42P01: invalid reference to FROM-clause entry for table "lt"

delete from lt using lu u, unnest(array[lt.a]) s
--> ERROR 42P10: invalid reference to FROM-clause entry for table "lt"

delete from lt using lu u, lateral unnest(array[u.a]) s(q) where s.q=lt.a and lt.a=77
--> DELETE 0

with w as (update lt set b = g from generate_series(1, lt.b) g returning *) select * from w
--> ERROR 42P10: invalid reference to FROM-clause entry for table "lt"

merge into lt using lateral (select lt.a) s on true when matched then delete
--> ERROR 42P01: invalid reference to FROM-clause entry for table "lt"

merge into lt using generate_series(1, lt.a) s on true when matched then delete
--> ERROR 42P01: invalid reference to FROM-clause entry for table "lt"

merge into lt using (select lt.a) s on true when matched then delete
--> ERROR 42P01: invalid reference to FROM-clause entry for table "lt"

update lt set b = x.b from lateral (select zz.a as b) x
--> ERROR 42P01: missing FROM-clause entry for table "zz"

update lt set b = x.b from lateral (select lt.zz as b) x
--> ERROR 42P10: invalid reference to FROM-clause entry for table "lt"

update lt set b = x.b from lateral (select lu.b from lu where lu.a = (with q as (select lt.a) select a from q)) x
--> ERROR 42P10: invalid reference to FROM-clause entry for table "lt"
