-- What the compiler refuses in queries: codes, messages, and what they are about.
create table rq_g (a int primary key, b int, c text, ar int[], t timestamp)
--> CREATE TABLE

select lag(1)
--> ERROR 42809: window function lag requires an OVER clause

select rank()
--> ERROR 42809: window function rank requires an OVER clause

select row_number() from rq_g
--> ERROR 42809: window function row_number requires an OVER clause

select rank(1) from rq_g
--> ERROR 42809: WITHIN GROUP is required for ordered-set aggregate rank

select ntile(3)
--> ERROR 42809: window function ntile requires an OVER clause

select first_value(a) from rq_g
--> ERROR 42809: window function first_value requires an OVER clause

select lag(a) filter (where true) from rq_g
--> ERROR 42809: window function lag requires an OVER clause

select a from rq_g where row_number() over () > 1
--> ERROR 42P20: window functions are not allowed in WHERE

select a from rq_g where sum(a) > 1
--> ERROR 42803: aggregate functions are not allowed in WHERE

select a from rq_g group by sum(a)
--> ERROR 42803: aggregate functions are not allowed in GROUP BY

select sum(sum(a)) from rq_g
--> ERROR 42803: aggregate function calls cannot be nested

select sum(row_number() over ()) from rq_g
--> ERROR 42803: aggregate function calls cannot contain window function calls

select row_number() over (order by row_number() over ()) from rq_g
--> ERROR 42P20: window functions are not allowed in window definitions

select a from rq_g having a > 1
--> ERROR 42803: column "rq_g.a" must appear in the GROUP BY clause or be used in an aggregate function

select a, b from rq_g group by b
--> ERROR 42803: column "rq_g.a" must appear in the GROUP BY clause or be used in an aggregate function

select c, sum(a) from rq_g
--> ERROR 42803: column "rq_g.c" must appear in the GROUP BY clause or be used in an aggregate function

select rq_g.* from rq_g group by b
--> ERROR 42803: column "rq_g.a" must appear in the GROUP BY clause or be used in an aggregate function

select a, c from rq_g group by a
--> a int4 | c text
--> SELECT 0

select b from rq_g group by c, 1 having a > 1
--> ERROR 42803: column "rq_g.a" must appear in the GROUP BY clause or be used in an aggregate function

select b from rq_g order by 3
--> ERROR 42P10: ORDER BY position 3 is not in select list

select b from rq_g order by 0
--> ERROR 42P10: ORDER BY position 0 is not in select list

select b from rq_g order by -1
--> ERROR 42P10: ORDER BY position -1 is not in select list

select b from rq_g order by 'x'
--> ERROR 42601: non-integer constant in ORDER BY

select b from rq_g order by 1.5
--> ERROR 42601: non-integer constant in ORDER BY

select b from rq_g order by null
--> ERROR 42601: non-integer constant in ORDER BY

select b from rq_g group by 2
--> ERROR 42P10: GROUP BY position 2 is not in select list

select b from rq_g group by 'x'
--> ERROR 42601: non-integer constant in GROUP BY

select b from rq_g group by 1.2
--> ERROR 42601: non-integer constant in GROUP BY

select distinct b from rq_g order by a
--> ERROR 42P10: for SELECT DISTINCT, ORDER BY expressions must appear in select list

select distinct on (a) a, b from rq_g order by b
--> ERROR 42P10: SELECT DISTINCT ON expressions must match initial ORDER BY expressions

select distinct on (2) a, b from rq_g order by b
--> a int4 | b int4
--> SELECT 0

select distinct on (3) a, b from rq_g order by b
--> ERROR 42P10: DISTINCT ON position 3 is not in select list

select distinct on (a+1) a, b from rq_g order by a+1, b
--> a int4 | b int4
--> SELECT 0

select distinct on (a) a, b from rq_g order by a, b
--> a int4 | b int4
--> SELECT 0

select distinct on (a, b) a, b from rq_g order by b, a
--> a int4 | b int4
--> SELECT 0

select distinct on (a, b) a, b from rq_g order by b, c
--> ERROR 42P10: SELECT DISTINCT ON expressions must match initial ORDER BY expressions

select b as x, c as x from rq_g order by x
--> ERROR 42702: ORDER BY "x" is ambiguous

select a from rq_g union select b from rq_g order by c
--> ERROR 42703: column "c" does not exist

select a from rq_g union select b from rq_g order by a + 1
--> ERROR 0A000: invalid UNION/INTERSECT/EXCEPT ORDER BY clause
-->   detail: Only result column names can be used, not expressions or functions.

select a from rq_g union select b, c from rq_g
--> ERROR 42601: each UNION query must have the same number of columns

select a from rq_g union select c from rq_g
--> ERROR 42804: UNION types integer and text cannot be matched

select a from rq_g limit 'x'
--> ERROR 22P02: invalid input syntax for type bigint: "x"

select a from rq_g limit sum(1)
--> ERROR 42803: aggregate functions are not allowed in LIMIT

select a from rq_g limit -1
--> ERROR 2201W: LIMIT must not be negative

select a from rq_g offset -1
--> ERROR 2201X: OFFSET must not be negative

select a from rq_g limit (select 1 from rq_g limit 2)
--> a int4
--> SELECT 0

select count(*) over (order by a range 1 preceding) from rq_g
--> count int8
--> SELECT 0

select count(*) over (range between 1 preceding and current row) from rq_g
--> ERROR 42P20: RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column

select count(*) over (order by c range between 1 preceding and current row) from rq_g
--> ERROR 0A000: RANGE with offset PRECEDING/FOLLOWING is not supported for column type text

select count(*) over (order by a groups between 1 preceding and current row) from rq_g
--> count int8
--> SELECT 0

select count(*) over (groups between 1 preceding and current row) from rq_g
--> ERROR 42P20: GROUPS mode requires an ORDER BY clause

select count(*) over (rows between current row and 1 preceding) from rq_g
--> ERROR 42P20: frame starting from current row cannot have preceding rows

select count(*) over (rows between unbounded following and current row) from rq_g
--> ERROR 42P20: frame start cannot be UNBOUNDED FOLLOWING

select count(*) over (rows between current row and unbounded preceding) from rq_g
--> ERROR 42P20: frame end cannot be UNBOUNDED PRECEDING

select count(*) over (rows between 1 following and current row) from rq_g
--> ERROR 42P20: frame starting from following row cannot have preceding rows

select count(*) over (rows a preceding) from rq_g
--> ERROR 42P10: argument of ROWS must not contain variables

select count(*) over (rows -1 preceding) from rq_g
--> ERROR 22013: frame starting offset must not be negative

select count(*) over w from rq_g
--> ERROR 42704: window "w" does not exist

select count(*) over (w order by a) from rq_g window w as (order by b)
--> ERROR 42P20: cannot override ORDER BY clause of window "w"

select count(*) over (w partition by a) from rq_g window w as (order by b)
--> ERROR 42P20: cannot override PARTITION BY clause of window "w"

select count(*) over (w) from rq_g window w as (rows 1 preceding)
--> ERROR 42P20: cannot copy window "w" because it has a frame clause

select 1 from rq_g window w as (), w as ()
--> ERROR 42P20: window "w" is already defined

select count(distinct a) over () from rq_g
--> ERROR 0A000: DISTINCT is not implemented for window functions

select rank(distinct a) over () from rq_g
--> ERROR 42809: WITHIN GROUP is required for ordered-set aggregate rank

select lag(distinct a) over () from rq_g
--> ERROR 0A000: DISTINCT is not implemented for window functions

select lag(a order by a) over () from rq_g
--> ERROR 0A000: aggregate ORDER BY is not implemented for window functions

select lag(a) filter (where true) over () from rq_g
--> ERROR 0A000: FILTER is not implemented for non-aggregate window functions

select abs(distinct a) from rq_g
--> ERROR 42809: DISTINCT specified, but abs is not an aggregate function

select abs(a order by a) from rq_g
--> ERROR 42809: ORDER BY specified, but abs is not an aggregate function

select abs(a) filter (where true) from rq_g
--> ERROR 42809: FILTER specified, but abs is not an aggregate function

select abs(a) over () from rq_g
--> ERROR 42809: OVER specified, but abs is not a window function nor an aggregate function

select abs(*) from rq_g
--> ERROR 42883: function abs() does not exist

select count() from rq_g
--> ERROR 42809: count(*) must be used to call a parameterless aggregate function

select sum(*) from rq_g
--> ERROR 42883: function sum() does not exist

select sum() from rq_g
--> ERROR 42883: function sum() does not exist

select percentile_cont(0.5, a) from rq_g
--> ERROR 42809: WITHIN GROUP is required for ordered-set aggregate percentile_cont

select percentile_cont(0.5) within group (order by a) over () from rq_g
--> ERROR 0A000: OVER is not supported for ordered-set aggregate percentile_cont

select sum(a) within group (order by a) from rq_g
--> ERROR 42883: function sum(integer, integer) does not exist

select rank() within group (order by a) from rq_g
--> ERROR 42883: function rank(integer) does not exist

select rank(1,2) within group (order by a) from rq_g
--> ERROR 42883: function rank(integer, integer, integer) does not exist

select mode(a) from rq_g
--> ERROR 42809: WITHIN GROUP is required for ordered-set aggregate mode

select mode() within group (order by a, b) from rq_g
--> ERROR 42883: function mode(integer, integer) does not exist

select generate_series(1,2) from rq_g where generate_series(1,2) > 1
--> ERROR 0A000: set-returning functions are not allowed in WHERE

select a from rq_g group by generate_series(1,2)
--> ERROR 42803: column "rq_g.a" must appear in the GROUP BY clause or be used in an aggregate function

select sum(generate_series(1,2))
--> ERROR 0A000: aggregate function calls cannot contain set-returning function calls

select case when true then generate_series(1,2) end
--> ERROR 0A000: set-returning functions are not allowed in CASE

select coalesce(generate_series(1,2), 1)
--> ERROR 0A000: set-returning functions are not allowed in COALESCE

select 1 limit generate_series(1,2)
--> ERROR 0A000: set-returning functions are not allowed in LIMIT

select * from rq_g join rq_g g2 on generate_series(1,2) = 1
--> ERROR 0A000: set-returning functions are not allowed in JOIN conditions

update rq_g set a = generate_series(1,2)
--> ERROR 0A000: set-returning functions are not allowed in UPDATE

update rq_g set a = sum(1)
--> ERROR 42803: aggregate functions are not allowed in UPDATE

update rq_g set a = 1, a = 2
--> ERROR 42601: multiple assignments to same column "a"

update rq_g set z = 1
--> ERROR 42703: column "z" of relation "rq_g" does not exist

update rq_g set (a, b) = (1, 2, 3)
--> ERROR 42601: number of columns does not match number of values

update rq_g set (a, b) = 1
--> ERROR 0A000: source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression

update rq_g set (a, b) = (select 1)
--> ERROR 42601: number of columns does not match number of values

update rq_g g2 set g2.a = 1
--> ERROR 42703: column "g2" of relation "rq_g" does not exist

update rq_g set ar[1] = 'x'
--> ERROR 22P02: invalid input syntax for type integer: "x"

update rq_g set c[1] = 'x'
--> ERROR 42804: cannot subscript type text because it does not support subscripting

insert into rq_g (a, a) values (1, 2)
--> ERROR 42701: column "a" specified more than once

insert into rq_g (a) values (1, 2)
--> ERROR 42601: INSERT has more expressions than target columns

insert into rq_g (a, b) values (1)
--> ERROR 42601: INSERT has more target columns than expressions

insert into rq_g (z) values (1)
--> ERROR 42703: column "z" of relation "rq_g" does not exist

insert into rq_g values (1), (1, 2)
--> ERROR 42601: VALUES lists must all be the same length

insert into rq_g values (default) returning sum(a)
--> ERROR 42803: aggregate functions are not allowed in RETURNING

delete from rq_g where count(*) > 1
--> ERROR 42803: aggregate functions are not allowed in WHERE

delete from rq_g returning row_number() over ()
--> ERROR 42P20: window functions are not allowed in RETURNING

select a from rq_g, rq_g
--> ERROR 42712: table name "rq_g" specified more than once

select a from rq_g x, rq_g x
--> ERROR 42712: table name "x" specified more than once

select x.a from rq_g
--> ERROR 42P01: missing FROM-clause entry for table "x"

select rq_g.a from rq_g x
--> ERROR 42P01: invalid reference to FROM-clause entry for table "rq_g"

select a from rq_g g1, rq_g g2
--> ERROR 42702: column reference "a" is ambiguous

select *
--> ERROR 42601: SELECT * with no tables specified is not valid

select g1.* from rq_g
--> ERROR 42P01: missing FROM-clause entry for table "g1"

select * from rq_g join rq_g g2 using (z)
--> ERROR 42703: column "z" specified in USING clause does not exist in left table

select * from rq_g join rq_g g2 using (a) join rq_g g3 using (b)
--> ERROR 42702: common column name "b" appears more than once in left table

select * from rq_g natural join (select 1.5 as c) x
--> ERROR 42804: JOIN/USING types text and numeric cannot be matched

select * from rq_g join rq_g g2 on g3.a = 1
--> ERROR 42P01: missing FROM-clause entry for table "g3"

select * from rq_g, (select rq_g.a) x
--> ERROR 42P01: invalid reference to FROM-clause entry for table "rq_g"

select * from rq_g, lateral (select rq_g.a) x
--> a int4 | b int4 | c text | ar int4[] | t timestamp | a int4
--> SELECT 0

select * from (select 1, 2) as x(a, b, c)
--> ERROR 42P10: table "x" has 2 columns available but 3 columns specified

select * from rq_g as x(a,b,c,d,e,f)
--> ERROR 42P10: table "x" has 5 columns available but 6 columns specified

select * from nosuch
--> ERROR 42P01: relation "nosuch" does not exist

select * from nos.such
--> ERROR 42P01: relation "nos.such" does not exist

select nosuch(1)
--> ERROR 42883: function nosuch(integer) does not exist

select a.b.c.d.e from rq_g
--> ERROR 42601: improper qualified name (too many dotted names): a.b.c.d.e

select 1 + 'x'
--> ERROR 22P02: invalid input syntax for type integer: "x"

select 1 + true
--> ERROR 42883: operator does not exist: integer + boolean

select -'x'
--> ERROR 42725: operator is not unique: - unknown

select - true
--> ERROR 42883: operator does not exist: - boolean

select not 1
--> ERROR 42804: argument of NOT must be type boolean, not type integer

select 1 and true
--> ERROR 42804: argument of AND must be type boolean, not type integer

select case when 1 then 2 end
--> ERROR 42804: argument of CASE/WHEN must be type boolean, not type integer

select case 1 when 'x' then 2 end
--> ERROR 22P02: invalid input syntax for type integer: "x"

select case when true then 1 else 'x' end
--> ERROR 22P02: invalid input syntax for type integer: "x"

select case when true then 1 else now() end
--> ERROR 42804: CASE types timestamp with time zone and integer cannot be matched

select coalesce(1, now())
--> ERROR 42804: COALESCE types integer and timestamp with time zone cannot be matched

select greatest(1, true)
--> ERROR 42804: GREATEST types integer and boolean cannot be matched

select array[1, 'x']
--> ERROR 22P02: invalid input syntax for type integer: "x"

select array[1, now()]
--> ERROR 42804: ARRAY types integer and timestamp with time zone cannot be matched

select array[]
--> ERROR 42P18: cannot determine type of empty array

select 1 in (1, 'x')
--> ERROR 22P02: invalid input syntax for type integer: "x"

select 1 in (true)
--> ERROR 42883: operator does not exist: integer = boolean

select 1 = any(1)
--> ERROR 42809: op ANY/ALL (array) requires array on right side

select 1 = any(array['x'])
--> ERROR 42883: operator does not exist: integer = text

select 1 in (select 'x'::text)
--> ERROR 42883: operator does not exist: integer = text

select (1,2) = (1,2,3)
--> ERROR 42601: unequal number of entries in row expressions

select (1,2) in (select 1)
--> ERROR 42601: subquery has too few columns

select (select 1, 2)
--> ERROR 42601: subquery must return only one column

select 1 between 'a' and 2
--> ERROR 22P02: invalid input syntax for type integer: "a"

select 1 like 2
--> ERROR 42883: operator does not exist: integer ~~ integer

select 'a' ~ 1
--> ERROR 42883: operator does not exist: unknown ~ integer

select 'a' similar to 1
--> ERROR 42883: function pg_catalog.similar_to_escape(integer) does not exist

select cast(true as timestamp)
--> ERROR 42846: cannot cast type boolean to timestamp without time zone

select 1::date
--> ERROR 42846: cannot cast type integer to date

select null::nosuch
--> ERROR 42704: type "nosuch" does not exist

select a::text::int[] from rq_g
--> a int4[]
--> SELECT 0

select extract(foo from now())
--> ERROR 22023: unit "foo" not recognized for type timestamp with time zone

select extract(year from 1)
--> ERROR 42883: function pg_catalog.extract(unknown, integer) does not exist

select overlay('a' placing 1 from 1)
--> ERROR 42883: function pg_catalog.overlay(unknown, integer, integer) does not exist

select position(1 in 'a')
--> ERROR 42883: function pg_catalog.position(unknown, integer) does not exist

select trim(1 from 'a')
--> ERROR 42883: function pg_catalog.btrim(unknown, integer) does not exist

select substring(1 from 2)
--> ERROR 42883: function pg_catalog.substring(integer, integer) does not exist

select 'x' collate "nosuch"
--> ERROR 42704: collation "nosuch" for encoding "UTF8" does not exist

select 1 collate "C"
--> ERROR 42804: collations are not supported by type integer

select 'a' collate "C" < 'b' collate "POSIX"
--> ERROR 42P21: collation mismatch between explicit collations "C" and "POSIX"

select 'a' collate "C" || 'b' collate "POSIX"
--> ERROR 42P21: collation mismatch between explicit collations "C" and "POSIX"

select 'a' collate "C" || 'b' collate "POSIX" collate "C"
--> ?column? text
--> ab
--> SELECT 1

select greatest('a' collate "C", 'b' collate "POSIX")
--> ERROR 42P21: collation mismatch between explicit collations "C" and "POSIX"

select case when true then 'a' collate "C" else 'b' collate "POSIX" end
--> ERROR 42P21: collation mismatch between explicit collations "C" and "POSIX"

select 'a' collate "C" in ('a' collate "POSIX")
--> ERROR 42P21: collation mismatch between explicit collations "C" and "POSIX"

select 'a' collate "C" like 'a' collate "POSIX"
--> ERROR 42P21: collation mismatch between explicit collations "C" and "POSIX"

select upper('a' collate "C") = 'a' collate "POSIX"
--> ERROR 42P21: collation mismatch between explicit collations "C" and "POSIX"

select concat('a' collate "C", 'a' collate "POSIX")
--> ERROR 42P21: collation mismatch between explicit collations "C" and "POSIX"

select array['a' collate "C", 'a' collate "POSIX"]
--> ERROR 42P21: collation mismatch between explicit collations "C" and "POSIX"

select min(c collate "C" || c collate "POSIX") from rq_g
--> ERROR 42P21: collation mismatch between explicit collations "C" and "POSIX"

create table co (a text collate "C", b text collate "POSIX")
--> CREATE TABLE

select case when true then 'a' collate "C" else 'b' collate "POSIX" end
--> ERROR 42P21: collation mismatch between explicit collations "C" and "POSIX"

select string_agg('a' collate "C", 'b' collate "POSIX")
--> ERROR 42P21: collation mismatch between explicit collations "C" and "POSIX"

select 'a' collate "C" = any (array['a' collate "POSIX"])
--> ERROR 42P21: collation mismatch between explicit collations "C" and "POSIX"

select ('a' collate "C" < 'b') = ('a' collate "POSIX" < 'b'), 'a' collate "C" = 'a' collate "C"
--> ?column? bool | ?column? bool
--> t | t
--> SELECT 1

select 1 from rq_g for update of x
--> ERROR 42P01: relation "x" in FOR UPDATE clause not found in FROM clause

select b from rq_g group by b for no key update
--> ERROR 0A000: FOR NO KEY UPDATE is not allowed with GROUP BY clause

select distinct b from rq_g for share
--> ERROR 0A000: FOR SHARE is not allowed with DISTINCT clause

select count(*) from rq_g for key share
--> ERROR 0A000: FOR KEY SHARE is not allowed with aggregate functions

-- LIMIT and OFFSET read no columns of their own query.
CREATE TABLE limited (a int)
--> CREATE TABLE

SELECT * FROM limited LIMIT a
--> ERROR 42P10: argument of LIMIT must not contain variables

SELECT * FROM limited OFFSET limited.a + 1
--> ERROR 42P10: argument of OFFSET must not contain variables

SELECT * FROM limited LIMIT (SELECT a)
--> ERROR 42P10: argument of LIMIT must not contain variables

SELECT * FROM limited LIMIT b
--> ERROR 42703: column "b" does not exist

SELECT * FROM limited LIMIT (SELECT count(*) FROM limited)
--> a int4
--> SELECT 0

-- A recursive query is neither ordered nor cut nor locked.
WITH RECURSIVE x (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x FOR UPDATE) SELECT * FROM x
--> ERROR 0A000: FOR UPDATE/SHARE in a recursive query is not implemented

WITH RECURSIVE x (n) AS (SELECT 1 UNION ALL (SELECT n + 1 FROM x FOR UPDATE)) SELECT * FROM x
--> ERROR 0A000: FOR UPDATE is not allowed with UNION/INTERSECT/EXCEPT

WITH RECURSIVE x (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x ORDER BY 1) SELECT * FROM x
--> ERROR 0A000: ORDER BY in a recursive query is not implemented

WITH RECURSIVE x (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x LIMIT 1) SELECT * FROM x
--> ERROR 0A000: LIMIT in a recursive query is not implemented

WITH RECURSIVE x (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x OFFSET 1) SELECT * FROM x
--> ERROR 0A000: OFFSET in a recursive query is not implemented

SELECT 1 WHERE 1 = :name
--> ERROR 42601: syntax error at or near ":"
