-- What pg_get_viewdef says of a view's query, plainly and prettily: the tree as PostgreSQL writes it.

create table sv_t(id int primary key, name varchar(20) not null, n numeric(10,2) default 0, d date)
--> CREATE TABLE

create table sv_u(id int primary key, vt_id int references sv_t, tags text[], j jsonb)
--> CREATE TABLE

create view sv_v1 as select * from sv_t
--> CREATE VIEW

create view sv_v2 as select t.id, upper(t.name) as up, count(*) as c, sum(n) filter (where d > '2020-01-01') from sv_t t left join sv_u u on u.vt_id = t.id where t.name like 'a%' and t.id in (1,2,3) group by t.id, t.name having count(*) > 1 order by 2 desc limit 10
--> CREATE VIEW

create view sv_v3 as with x as (select 1 as a union all select 2) select a, case when a = 1 then 'one' else 'other' end as w, j->>'k' as k, tags[1] from x, sv_u where exists (select 1 from sv_t where sv_t.id = sv_u.vt_id)
--> CREATE VIEW

create view sv_v4 as select distinct on (name) name, row_number() over (partition by d order by n desc nulls last) rn, coalesce(n, 0)::int as ni, extract(year from d) y, d + interval '1 day' as nd from sv_t
--> CREATE VIEW

create view sv_v5 as select id from sv_t union select id from sv_u except select 3
--> CREATE VIEW

create view sv_v6 (a, b) as select id, name || 'x' from sv_t where id not in (select vt_id from sv_u) and not (n > 3 or d is null) order by id, name desc nulls last offset 2 limit 5
--> CREATE VIEW

create view sv_v7 as select sv_v1.id, (select max(u.id) from sv_u u where u.vt_id = sv_v1.id) as m, 5, 'txt' as t, null as nothing, true as b, now() as ts from sv_v1 join sv_u using (id)
--> CREATE VIEW

create view sv_v8 as select s.a, s.b from (select id as a, name as b from sv_t where id between 1 and 10) s cross join sv_u where s.a <> 3 and s.b is not null
--> CREATE VIEW

create view sv_v9 as (select id from sv_t order by id limit 1) union all (select id from sv_u) order by 1
--> CREATE VIEW

create view sv_v12 as select string_agg(name, ', ' order by name desc) as names, array_agg(id) from sv_t
--> CREATE VIEW

create view sv_v13 as select a.id from sv_t a full join sv_u b on a.id = b.id and b.vt_id > 0, sv_t c where c.id = a.id
--> CREATE VIEW

create view sv_v14 as with recursive r(n) as (select 1 union all select n + 1 from r where n < 5) select n from r
--> CREATE VIEW

create view sv_v15 as select current_date as cd, current_user as cu, current_timestamp as ct, id::text as idt, name::varchar(5) as nn, -id as neg, (id + 1) * 2 as c2, id % 2 = 0 as even from sv_t
--> CREATE VIEW

create view sv_v16 as select * from generate_series(1, 3) g(x)
--> CREATE VIEW

create view sv_v17 as values (1, 'a'), (2, 'b')
--> CREATE VIEW

create view sv_v19 as select nullif(id, 0) as z, greatest(id, 2) g, round(n, 1) r, to_char(d, 'YYYY') yy, position('a' in name) p, trim(name) tt, name ilike 'a%' as il, name ~ 'x' as re, d at time zone 'utc' as tz from sv_t
--> CREATE VIEW

create materialized view sv_v21 as select id, n from sv_t where n is distinct from 2 with no data
--> CREATE MATERIALIZED VIEW

create view sv_v22 as select x.id as "Odd Name", x."user" from (select id, name as "user" from sv_t) x
--> CREATE VIEW

create view sv_v23 as select id, name from sv_t where name = 'x' and d in ('2020-01-01', '2020-01-02') and name in ('a','b')
--> CREATE VIEW

create view sv_v24 as select l.id, k.m from sv_t l left join lateral (select max(id) m from sv_u where sv_u.vt_id = l.id) k on true
--> CREATE VIEW

create view sv_v25 as select case id when 1 then 'a' when 2 then 'b' end as c, case when id > 1 then n else 0 end from sv_t
--> CREATE VIEW

create view sv_w1 as select a.id from sv_t a where exists (select 1 from sv_t where sv_t.id = a.id and exists (select 1 from sv_u, sv_t where sv_t.id = 3))
--> CREATE VIEW

create view sv_w2 as select (select count(*) from sv_t) as n from sv_t
--> CREATE VIEW

create view sv_w3 as select v.a, v.b from (values (1, 'x'), (2, 'y')) v(a, b)
--> CREATE VIEW

create view sv_w4 as select id, sum(id) over (partition by name order by id) from sv_t where coalesce(name, '') <> '' group by id, name
--> CREATE VIEW

create view sv_w5 as select t.id, x.k, x.v from sv_u t, jsonb_each_text(t.j) x(k, v)
--> CREATE VIEW

create view sv_w6 as select unnest(tags) as tag, id from sv_u
--> CREATE VIEW

create view sv_w7 as select * from (select 1 as one union select 2) u where one > 1
--> CREATE VIEW

create view sv_w8 as select count(*) filter (where n > 1) c, max(d) - min(d) as span, bool_and(n > 0) ba, sum(n)::float8 / nullif(count(*), 0) r from sv_t having sum(n) > 10
--> CREATE VIEW

create view sv_w9 as select id from sv_t where (name = 'a' or name = 'b') and (n > 1 or n < 0) or id = 3
--> CREATE VIEW

create view sv_w10 as select to_json(name) tj, lower(name) || '-' || id as s from sv_t order by lower(name), n * 2
--> CREATE VIEW

create view sv_w11 as select id as vt_id, n as "N" from sv_t sv_v1 where sv_v1.n is null
--> CREATE VIEW

create view sv_w12 as select c.relname, n.nspname from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
--> CREATE VIEW

create view sv_w13 as select sv_t.id, sv_u.id as uid from sv_t join (sv_u join sv_v1 on sv_v1.id = sv_u.id) on sv_t.id = sv_u.id
--> CREATE VIEW

SELECT pg_get_viewdef('sv_v1'::regclass) AS plain, pg_get_viewdef('sv_v1'::regclass, true) AS pretty
--> plain text | pretty text
-->  SELECT sv_t.id,
-->     sv_t.name,
-->     sv_t.n,
-->     sv_t.d
-->    FROM sv_t; |  SELECT sv_t.id,
-->     sv_t.name,
-->     sv_t.n,
-->     sv_t.d
-->    FROM sv_t;
--> SELECT 1

SELECT pg_get_viewdef('sv_v2'::regclass) AS plain, pg_get_viewdef('sv_v2'::regclass, true) AS pretty
--> plain text | pretty text
-->  SELECT t.id,
-->     upper((t.name)::text) AS up,
-->     count(*) AS c,
-->     sum(t.n) FILTER (WHERE (t.d > '2020-01-01'::date)) AS sum
-->    FROM (sv_t t
-->      LEFT JOIN sv_u u ON ((u.vt_id = t.id)))
-->   WHERE (((t.name)::text ~~ 'a%'::text) AND (t.id = ANY (ARRAY[1, 2, 3])))
-->   GROUP BY t.id, t.name
-->  HAVING (count(*) > 1)
-->   ORDER BY (upper((t.name)::text)) DESC
-->  LIMIT 10; |  SELECT t.id,
-->     upper(t.name::text) AS up,
-->     count(*) AS c,
-->     sum(t.n) FILTER (WHERE t.d > '2020-01-01'::date) AS sum
-->    FROM sv_t t
-->      LEFT JOIN sv_u u ON u.vt_id = t.id
-->   WHERE t.name::text ~~ 'a%'::text AND (t.id = ANY (ARRAY[1, 2, 3]))
-->   GROUP BY t.id, t.name
-->  HAVING count(*) > 1
-->   ORDER BY (upper(t.name::text)) DESC
-->  LIMIT 10;
--> SELECT 1

SELECT pg_get_viewdef('sv_v3'::regclass) AS plain, pg_get_viewdef('sv_v3'::regclass, true) AS pretty
--> plain text | pretty text
-->  WITH x AS (
-->          SELECT 1 AS a
-->         UNION ALL
-->          SELECT 2
-->         )
-->  SELECT x.a,
-->         CASE
-->             WHEN (x.a = 1) THEN 'one'::text
-->             ELSE 'other'::text
-->         END AS w,
-->     (sv_u.j ->> 'k'::text) AS k,
-->     sv_u.tags[1] AS tags
-->    FROM x,
-->     sv_u
-->   WHERE (EXISTS ( SELECT 1
-->            FROM sv_t
-->           WHERE (sv_t.id = sv_u.vt_id))); |  WITH x AS (
-->          SELECT 1 AS a
-->         UNION ALL
-->          SELECT 2
-->         )
-->  SELECT x.a,
-->         CASE
-->             WHEN x.a = 1 THEN 'one'::text
-->             ELSE 'other'::text
-->         END AS w,
-->     sv_u.j ->> 'k'::text AS k,
-->     sv_u.tags[1] AS tags
-->    FROM x,
-->     sv_u
-->   WHERE (EXISTS ( SELECT 1
-->            FROM sv_t
-->           WHERE sv_t.id = sv_u.vt_id));
--> SELECT 1

SELECT pg_get_viewdef('sv_v4'::regclass) AS plain, pg_get_viewdef('sv_v4'::regclass, true) AS pretty
--> plain text | pretty text
-->  SELECT DISTINCT ON (sv_t.name) sv_t.name,
-->     row_number() OVER (PARTITION BY sv_t.d ORDER BY sv_t.n DESC NULLS LAST) AS rn,
-->     (COALESCE(sv_t.n, (0)::numeric))::integer AS ni,
-->     EXTRACT(year FROM sv_t.d) AS y,
-->     (sv_t.d + '1 day'::interval) AS nd
-->    FROM sv_t; |  SELECT DISTINCT ON (sv_t.name) sv_t.name,
-->     row_number() OVER (PARTITION BY sv_t.d ORDER BY sv_t.n DESC NULLS LAST) AS rn,
-->     COALESCE(sv_t.n, 0::numeric)::integer AS ni,
-->     EXTRACT(year FROM sv_t.d) AS y,
-->     sv_t.d + '1 day'::interval AS nd
-->    FROM sv_t;
--> SELECT 1

SELECT pg_get_viewdef('sv_v5'::regclass) AS plain, pg_get_viewdef('sv_v5'::regclass, true) AS pretty
--> plain text | pretty text
--> (
-->          SELECT sv_t.id
-->            FROM sv_t
-->         UNION
-->          SELECT sv_u.id
-->            FROM sv_u
--> ) EXCEPT
-->  SELECT 3 AS id; | (
-->          SELECT sv_t.id
-->            FROM sv_t
-->         UNION
-->          SELECT sv_u.id
-->            FROM sv_u
--> ) EXCEPT
-->  SELECT 3 AS id;
--> SELECT 1

SELECT pg_get_viewdef('sv_v6'::regclass) AS plain, pg_get_viewdef('sv_v6'::regclass, true) AS pretty
--> plain text | pretty text
-->  SELECT sv_t.id AS a,
-->     ((sv_t.name)::text || 'x'::text) AS b
-->    FROM sv_t
-->   WHERE ((NOT (sv_t.id IN ( SELECT sv_u.vt_id
-->            FROM sv_u))) AND (NOT ((sv_t.n > (3)::numeric) OR (sv_t.d IS NULL))))
-->   ORDER BY sv_t.id, sv_t.name DESC NULLS LAST
-->  OFFSET 2
-->  LIMIT 5; |  SELECT sv_t.id AS a,
-->     sv_t.name::text || 'x'::text AS b
-->    FROM sv_t
-->   WHERE NOT (sv_t.id IN ( SELECT sv_u.vt_id
-->            FROM sv_u)) AND NOT (sv_t.n > 3::numeric OR sv_t.d IS NULL)
-->   ORDER BY sv_t.id, sv_t.name DESC NULLS LAST
-->  OFFSET 2
-->  LIMIT 5;
--> SELECT 1

SELECT pg_get_viewdef('sv_v7'::regclass) AS plain, pg_get_viewdef('sv_v7'::regclass, true) AS pretty
--> plain text | pretty text
-->  SELECT sv_v1.id,
-->     ( SELECT max(u.id) AS max
-->            FROM sv_u u
-->           WHERE (u.vt_id = sv_v1.id)) AS m,
-->     5 AS "?column?",
-->     'txt'::text AS t,
-->     NULL::text AS nothing,
-->     true AS b,
-->     now() AS ts
-->    FROM (sv_v1
-->      JOIN sv_u USING (id)); |  SELECT sv_v1.id,
-->     ( SELECT max(u.id) AS max
-->            FROM sv_u u
-->           WHERE u.vt_id = sv_v1.id) AS m,
-->     5 AS "?column?",
-->     'txt'::text AS t,
-->     NULL::text AS nothing,
-->     true AS b,
-->     now() AS ts
-->    FROM sv_v1
-->      JOIN sv_u USING (id);
--> SELECT 1

SELECT pg_get_viewdef('sv_v8'::regclass) AS plain, pg_get_viewdef('sv_v8'::regclass, true) AS pretty
--> plain text | pretty text
-->  SELECT s.a,
-->     s.b
-->    FROM (( SELECT sv_t.id AS a,
-->             sv_t.name AS b
-->            FROM sv_t
-->           WHERE ((sv_t.id >= 1) AND (sv_t.id <= 10))) s
-->      CROSS JOIN sv_u)
-->   WHERE ((s.a <> 3) AND (s.b IS NOT NULL)); |  SELECT s.a,
-->     s.b
-->    FROM ( SELECT sv_t.id AS a,
-->             sv_t.name AS b
-->            FROM sv_t
-->           WHERE sv_t.id >= 1 AND sv_t.id <= 10) s
-->      CROSS JOIN sv_u
-->   WHERE s.a <> 3 AND s.b IS NOT NULL;
--> SELECT 1

SELECT pg_get_viewdef('sv_v9'::regclass) AS plain, pg_get_viewdef('sv_v9'::regclass, true) AS pretty
--> plain text | pretty text
--> ( SELECT sv_t.id
-->    FROM sv_t
-->   ORDER BY sv_t.id
-->  LIMIT 1)
--> UNION ALL
-->  SELECT sv_u.id
-->    FROM sv_u
-->   ORDER BY 1; | ( SELECT sv_t.id
-->    FROM sv_t
-->   ORDER BY sv_t.id
-->  LIMIT 1)
--> UNION ALL
-->  SELECT sv_u.id
-->    FROM sv_u
-->   ORDER BY 1;
--> SELECT 1

SELECT pg_get_viewdef('sv_v12'::regclass) AS plain, pg_get_viewdef('sv_v12'::regclass, true) AS pretty
--> plain text | pretty text
-->  SELECT string_agg((sv_t.name)::text, ', '::text ORDER BY (sv_t.name)::text DESC) AS names,
-->     array_agg(sv_t.id) AS array_agg
-->    FROM sv_t; |  SELECT string_agg(sv_t.name::text, ', '::text ORDER BY (sv_t.name::text) DESC) AS names,
-->     array_agg(sv_t.id) AS array_agg
-->    FROM sv_t;
--> SELECT 1

SELECT pg_get_viewdef('sv_v13'::regclass) AS plain, pg_get_viewdef('sv_v13'::regclass, true) AS pretty
--> plain text | pretty text
-->  SELECT a.id
-->    FROM (sv_t a
-->      FULL JOIN sv_u b ON (((a.id = b.id) AND (b.vt_id > 0)))),
-->     sv_t c
-->   WHERE (c.id = a.id); |  SELECT a.id
-->    FROM sv_t a
-->      FULL JOIN sv_u b ON a.id = b.id AND b.vt_id > 0,
-->     sv_t c
-->   WHERE c.id = a.id;
--> SELECT 1

SELECT pg_get_viewdef('sv_v14'::regclass) AS plain, pg_get_viewdef('sv_v14'::regclass, true) AS pretty
--> plain text | pretty text
-->  WITH RECURSIVE r(n) AS (
-->          SELECT 1 AS "?column?"
-->         UNION ALL
-->          SELECT (r_1.n + 1)
-->            FROM r r_1
-->           WHERE (r_1.n < 5)
-->         )
-->  SELECT r.n
-->    FROM r; |  WITH RECURSIVE r(n) AS (
-->          SELECT 1 AS "?column?"
-->         UNION ALL
-->          SELECT r_1.n + 1
-->            FROM r r_1
-->           WHERE r_1.n < 5
-->         )
-->  SELECT r.n
-->    FROM r;
--> SELECT 1

SELECT pg_get_viewdef('sv_v15'::regclass) AS plain, pg_get_viewdef('sv_v15'::regclass, true) AS pretty
--> plain text | pretty text
-->  SELECT CURRENT_DATE AS cd,
-->     CURRENT_USER AS cu,
-->     CURRENT_TIMESTAMP AS ct,
-->     (sv_t.id)::text AS idt,
-->     (sv_t.name)::character varying(5) AS nn,
-->     (- sv_t.id) AS neg,
-->     ((sv_t.id + 1) * 2) AS c2,
-->     ((sv_t.id % 2) = 0) AS even
-->    FROM sv_t; |  SELECT CURRENT_DATE AS cd,
-->     CURRENT_USER AS cu,
-->     CURRENT_TIMESTAMP AS ct,
-->     sv_t.id::text AS idt,
-->     sv_t.name::character varying(5) AS nn,
-->     - sv_t.id AS neg,
-->     (sv_t.id + 1) * 2 AS c2,
-->     (sv_t.id % 2) = 0 AS even
-->    FROM sv_t;
--> SELECT 1

SELECT pg_get_viewdef('sv_v16'::regclass) AS plain, pg_get_viewdef('sv_v16'::regclass, true) AS pretty
--> plain text | pretty text
-->  SELECT g.x
-->    FROM generate_series(1, 3) g(x); |  SELECT g.x
-->    FROM generate_series(1, 3) g(x);
--> SELECT 1

SELECT pg_get_viewdef('sv_v17'::regclass) AS plain, pg_get_viewdef('sv_v17'::regclass, true) AS pretty
--> plain text | pretty text
-->  VALUES (1,'a'::text), (2,'b'::text); |  VALUES (1,'a'::text), (2,'b'::text);
--> SELECT 1

SELECT pg_get_viewdef('sv_v19'::regclass) AS plain, pg_get_viewdef('sv_v19'::regclass, true) AS pretty
--> plain text | pretty text
-->  SELECT NULLIF(sv_t.id, 0) AS z,
-->     GREATEST(sv_t.id, 2) AS g,
-->     round(sv_t.n, 1) AS r,
-->     to_char((sv_t.d)::timestamp with time zone, 'YYYY'::text) AS yy,
-->     POSITION(('a'::text) IN (sv_t.name)) AS p,
-->     TRIM(BOTH FROM sv_t.name) AS tt,
-->     ((sv_t.name)::text ~~* 'a%'::text) AS il,
-->     ((sv_t.name)::text ~ 'x'::text) AS re,
-->     (sv_t.d AT TIME ZONE 'utc'::text) AS tz
-->    FROM sv_t; |  SELECT NULLIF(sv_t.id, 0) AS z,
-->     GREATEST(sv_t.id, 2) AS g,
-->     round(sv_t.n, 1) AS r,
-->     to_char(sv_t.d::timestamp with time zone, 'YYYY'::text) AS yy,
-->     POSITION(('a'::text) IN (sv_t.name)) AS p,
-->     TRIM(BOTH FROM sv_t.name) AS tt,
-->     sv_t.name::text ~~* 'a%'::text AS il,
-->     sv_t.name::text ~ 'x'::text AS re,
-->     (sv_t.d AT TIME ZONE 'utc'::text) AS tz
-->    FROM sv_t;
--> SELECT 1

SELECT pg_get_viewdef('sv_v21'::regclass) AS plain, pg_get_viewdef('sv_v21'::regclass, true) AS pretty
--> plain text | pretty text
-->  SELECT sv_t.id,
-->     sv_t.n
-->    FROM sv_t
-->   WHERE (sv_t.n IS DISTINCT FROM (2)::numeric); |  SELECT sv_t.id,
-->     sv_t.n
-->    FROM sv_t
-->   WHERE sv_t.n IS DISTINCT FROM 2::numeric;
--> SELECT 1

SELECT pg_get_viewdef('sv_v22'::regclass) AS plain, pg_get_viewdef('sv_v22'::regclass, true) AS pretty
--> plain text | pretty text
-->  SELECT x.id AS "Odd Name",
-->     x."user"
-->    FROM ( SELECT sv_t.id,
-->             sv_t.name AS "user"
-->            FROM sv_t) x; |  SELECT x.id AS "Odd Name",
-->     x."user"
-->    FROM ( SELECT sv_t.id,
-->             sv_t.name AS "user"
-->            FROM sv_t) x;
--> SELECT 1

SELECT pg_get_viewdef('sv_v23'::regclass) AS plain, pg_get_viewdef('sv_v23'::regclass, true) AS pretty
--> plain text | pretty text
-->  SELECT sv_t.id,
-->     sv_t.name
-->    FROM sv_t
-->   WHERE (((sv_t.name)::text = 'x'::text) AND (sv_t.d = ANY (ARRAY['2020-01-01'::date, '2020-01-02'::date])) AND ((sv_t.name)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))); |  SELECT sv_t.id,
-->     sv_t.name
-->    FROM sv_t
-->   WHERE sv_t.name::text = 'x'::text AND (sv_t.d = ANY (ARRAY['2020-01-01'::date, '2020-01-02'::date])) AND (sv_t.name::text = ANY (ARRAY['a'::character varying, 'b'::character varying]::text[]));
--> SELECT 1

SELECT pg_get_viewdef('sv_v24'::regclass) AS plain, pg_get_viewdef('sv_v24'::regclass, true) AS pretty
--> plain text | pretty text
-->  SELECT l.id,
-->     k.m
-->    FROM (sv_t l
-->      LEFT JOIN LATERAL ( SELECT max(sv_u.id) AS m
-->            FROM sv_u
-->           WHERE (sv_u.vt_id = l.id)) k ON (true)); |  SELECT l.id,
-->     k.m
-->    FROM sv_t l
-->      LEFT JOIN LATERAL ( SELECT max(sv_u.id) AS m
-->            FROM sv_u
-->           WHERE sv_u.vt_id = l.id) k ON true;
--> SELECT 1

SELECT pg_get_viewdef('sv_v25'::regclass) AS plain, pg_get_viewdef('sv_v25'::regclass, true) AS pretty
--> plain text | pretty text
-->  SELECT
-->         CASE sv_t.id
-->             WHEN 1 THEN 'a'::text
-->             WHEN 2 THEN 'b'::text
-->             ELSE NULL::text
-->         END AS c,
-->         CASE
-->             WHEN (sv_t.id > 1) THEN sv_t.n
-->             ELSE (0)::numeric
-->         END AS "case"
-->    FROM sv_t; |  SELECT
-->         CASE sv_t.id
-->             WHEN 1 THEN 'a'::text
-->             WHEN 2 THEN 'b'::text
-->             ELSE NULL::text
-->         END AS c,
-->         CASE
-->             WHEN sv_t.id > 1 THEN sv_t.n
-->             ELSE 0::numeric
-->         END AS "case"
-->    FROM sv_t;
--> SELECT 1

SELECT pg_get_viewdef('sv_w1'::regclass) AS plain, pg_get_viewdef('sv_w1'::regclass, true) AS pretty
--> plain text | pretty text
-->  SELECT a.id
-->    FROM sv_t a
-->   WHERE (EXISTS ( SELECT 1
-->            FROM sv_t
-->           WHERE ((sv_t.id = a.id) AND (EXISTS ( SELECT 1
-->                    FROM sv_u,
-->                     sv_t sv_t_1
-->                   WHERE (sv_t_1.id = 3)))))); |  SELECT a.id
-->    FROM sv_t a
-->   WHERE (EXISTS ( SELECT 1
-->            FROM sv_t
-->           WHERE sv_t.id = a.id AND (EXISTS ( SELECT 1
-->                    FROM sv_u,
-->                     sv_t sv_t_1
-->                   WHERE sv_t_1.id = 3))));
--> SELECT 1

SELECT pg_get_viewdef('sv_w2'::regclass) AS plain, pg_get_viewdef('sv_w2'::regclass, true) AS pretty
--> plain text | pretty text
-->  SELECT ( SELECT count(*) AS count
-->            FROM sv_t sv_t_1) AS n
-->    FROM sv_t; |  SELECT ( SELECT count(*) AS count
-->            FROM sv_t sv_t_1) AS n
-->    FROM sv_t;
--> SELECT 1

SELECT pg_get_viewdef('sv_w3'::regclass) AS plain, pg_get_viewdef('sv_w3'::regclass, true) AS pretty
--> plain text | pretty text
-->  SELECT v.a,
-->     v.b
-->    FROM ( VALUES (1,'x'::text), (2,'y'::text)) v(a, b); |  SELECT v.a,
-->     v.b
-->    FROM ( VALUES (1,'x'::text), (2,'y'::text)) v(a, b);
--> SELECT 1

SELECT pg_get_viewdef('sv_w4'::regclass) AS plain, pg_get_viewdef('sv_w4'::regclass, true) AS pretty
--> plain text | pretty text
-->  SELECT sv_t.id,
-->     sum(sv_t.id) OVER (PARTITION BY sv_t.name ORDER BY sv_t.id) AS sum
-->    FROM sv_t
-->   WHERE ((COALESCE(sv_t.name, ''::character varying))::text <> ''::text)
-->   GROUP BY sv_t.id, sv_t.name; |  SELECT sv_t.id,
-->     sum(sv_t.id) OVER (PARTITION BY sv_t.name ORDER BY sv_t.id) AS sum
-->    FROM sv_t
-->   WHERE COALESCE(sv_t.name, ''::character varying)::text <> ''::text
-->   GROUP BY sv_t.id, sv_t.name;
--> SELECT 1

SELECT pg_get_viewdef('sv_w5'::regclass) AS plain, pg_get_viewdef('sv_w5'::regclass, true) AS pretty
--> plain text | pretty text
-->  SELECT t.id,
-->     x.k,
-->     x.v
-->    FROM sv_u t,
-->     LATERAL jsonb_each_text(t.j) x(k, v); |  SELECT t.id,
-->     x.k,
-->     x.v
-->    FROM sv_u t,
-->     LATERAL jsonb_each_text(t.j) x(k, v);
--> SELECT 1

SELECT pg_get_viewdef('sv_w6'::regclass) AS plain, pg_get_viewdef('sv_w6'::regclass, true) AS pretty
--> plain text | pretty text
-->  SELECT unnest(sv_u.tags) AS tag,
-->     sv_u.id
-->    FROM sv_u; |  SELECT unnest(sv_u.tags) AS tag,
-->     sv_u.id
-->    FROM sv_u;
--> SELECT 1

SELECT pg_get_viewdef('sv_w7'::regclass) AS plain, pg_get_viewdef('sv_w7'::regclass, true) AS pretty
--> plain text | pretty text
-->  SELECT u.one
-->    FROM ( SELECT 1 AS one
-->         UNION
-->          SELECT 2) u
-->   WHERE (u.one > 1); |  SELECT u.one
-->    FROM ( SELECT 1 AS one
-->         UNION
-->          SELECT 2) u
-->   WHERE u.one > 1;
--> SELECT 1

SELECT pg_get_viewdef('sv_w8'::regclass) AS plain, pg_get_viewdef('sv_w8'::regclass, true) AS pretty
--> plain text | pretty text
-->  SELECT count(*) FILTER (WHERE (sv_t.n > (1)::numeric)) AS c,
-->     (max(sv_t.d) - min(sv_t.d)) AS span,
-->     bool_and((sv_t.n > (0)::numeric)) AS ba,
-->     ((sum(sv_t.n))::double precision / (NULLIF(count(*), 0))::double precision) AS r
-->    FROM sv_t
-->  HAVING (sum(sv_t.n) > (10)::numeric); |  SELECT count(*) FILTER (WHERE sv_t.n > 1::numeric) AS c,
-->     max(sv_t.d) - min(sv_t.d) AS span,
-->     bool_and(sv_t.n > 0::numeric) AS ba,
-->     sum(sv_t.n)::double precision / NULLIF(count(*), 0)::double precision AS r
-->    FROM sv_t
-->  HAVING sum(sv_t.n) > 10::numeric;
--> SELECT 1

SELECT pg_get_viewdef('sv_w9'::regclass) AS plain, pg_get_viewdef('sv_w9'::regclass, true) AS pretty
--> plain text | pretty text
-->  SELECT sv_t.id
-->    FROM sv_t
-->   WHERE (((((sv_t.name)::text = 'a'::text) OR ((sv_t.name)::text = 'b'::text)) AND ((sv_t.n > (1)::numeric) OR (sv_t.n < (0)::numeric))) OR (sv_t.id = 3)); |  SELECT sv_t.id
-->    FROM sv_t
-->   WHERE (sv_t.name::text = 'a'::text OR sv_t.name::text = 'b'::text) AND (sv_t.n > 1::numeric OR sv_t.n < 0::numeric) OR sv_t.id = 3;
--> SELECT 1

SELECT pg_get_viewdef('sv_w10'::regclass) AS plain, pg_get_viewdef('sv_w10'::regclass, true) AS pretty
--> plain text | pretty text
-->  SELECT to_json(sv_t.name) AS tj,
-->     ((lower((sv_t.name)::text) || '-'::text) || sv_t.id) AS s
-->    FROM sv_t
-->   ORDER BY (lower((sv_t.name)::text)), (sv_t.n * (2)::numeric); |  SELECT to_json(sv_t.name) AS tj,
-->     (lower(sv_t.name::text) || '-'::text) || sv_t.id AS s
-->    FROM sv_t
-->   ORDER BY (lower(sv_t.name::text)), (sv_t.n * 2::numeric);
--> SELECT 1

SELECT pg_get_viewdef('sv_w11'::regclass) AS plain, pg_get_viewdef('sv_w11'::regclass, true) AS pretty
--> plain text | pretty text
-->  SELECT sv_v1.id AS vt_id,
-->     sv_v1.n AS "N"
-->    FROM sv_t sv_v1
-->   WHERE (sv_v1.n IS NULL); |  SELECT sv_v1.id AS vt_id,
-->     sv_v1.n AS "N"
-->    FROM sv_t sv_v1
-->   WHERE sv_v1.n IS NULL;
--> SELECT 1

SELECT pg_get_viewdef('sv_w12'::regclass) AS plain, pg_get_viewdef('sv_w12'::regclass, true) AS pretty
--> plain text | pretty text
-->  SELECT c.relname,
-->     n.nspname
-->    FROM (pg_class c
-->      JOIN pg_namespace n ON ((n.oid = c.relnamespace))); |  SELECT c.relname,
-->     n.nspname
-->    FROM pg_class c
-->      JOIN pg_namespace n ON n.oid = c.relnamespace;
--> SELECT 1

SELECT pg_get_viewdef('sv_w13'::regclass) AS plain, pg_get_viewdef('sv_w13'::regclass, true) AS pretty
--> plain text | pretty text
-->  SELECT sv_t.id,
-->     sv_u.id AS uid
-->    FROM (sv_t
-->      JOIN (sv_u
-->      JOIN sv_v1 ON ((sv_v1.id = sv_u.id))) ON ((sv_t.id = sv_u.id))); |  SELECT sv_t.id,
-->     sv_u.id AS uid
-->    FROM sv_t
-->      JOIN (sv_u
-->      JOIN sv_v1 ON sv_v1.id = sv_u.id) ON sv_t.id = sv_u.id;
--> SELECT 1

-- After what it reads is called otherwise.

ALTER TABLE sv_t RENAME COLUMN n TO amount
--> ALTER TABLE

ALTER TABLE sv_u RENAME TO sv_used
--> ALTER TABLE

SELECT pg_get_viewdef('sv_v2'::regclass) AS plain
--> plain text
-->  SELECT t.id,
-->     upper((t.name)::text) AS up,
-->     count(*) AS c,
-->     sum(t.amount) FILTER (WHERE (t.d > '2020-01-01'::date)) AS sum
-->    FROM (sv_t t
-->      LEFT JOIN sv_used u ON ((u.vt_id = t.id)))
-->   WHERE (((t.name)::text ~~ 'a%'::text) AND (t.id = ANY (ARRAY[1, 2, 3])))
-->   GROUP BY t.id, t.name
-->  HAVING (count(*) > 1)
-->   ORDER BY (upper((t.name)::text)) DESC
-->  LIMIT 10;
--> SELECT 1

SELECT pg_get_viewdef('sv_v6'::regclass) AS plain
--> plain text
-->  SELECT sv_t.id AS a,
-->     ((sv_t.name)::text || 'x'::text) AS b
-->    FROM sv_t
-->   WHERE ((NOT (sv_t.id IN ( SELECT sv_used.vt_id
-->            FROM sv_used))) AND (NOT ((sv_t.amount > (3)::numeric) OR (sv_t.d IS NULL))))
-->   ORDER BY sv_t.id, sv_t.name DESC NULLS LAST
-->  OFFSET 2
-->  LIMIT 5;
--> SELECT 1
--?> plain text
--?>  SELECT sv_t.id AS a,
--?>     ((sv_t.name)::text || 'x'::text) AS b
--?>    FROM sv_t
--?>   WHERE ((NOT (sv_t.id IN ( SELECT sv_u.vt_id
--?>            FROM sv_used sv_u))) AND (NOT ((sv_t.amount > (3)::numeric) OR (sv_t.d IS NULL))))
--?>   ORDER BY sv_t.id, sv_t.name DESC NULLS LAST
--?>  OFFSET 2
--?>  LIMIT 5;
--?> SELECT 1

SELECT pg_get_viewdef('sv_w6'::regclass) AS plain
--> plain text
-->  SELECT unnest(sv_used.tags) AS tag,
-->     sv_used.id
-->    FROM sv_used;
--> SELECT 1
--?> plain text
--?>  SELECT unnest(sv_u.tags) AS tag,
--?>     sv_u.id
--?>    FROM sv_used sv_u;
--?> SELECT 1

-- What a name means here and now does not become part of the text.

CREATE VIEW sv_folded AS SELECT tableoid = 'sv_t'::regclass::oid AS own, current_database() = current_catalog AS db FROM sv_t
--> CREATE VIEW

SELECT pg_get_viewdef('sv_folded'::regclass) ~* 'tableoid' AS table_is_named, pg_get_viewdef('sv_folded'::regclass) ~* 'current_' AS database_is_named
--> table_is_named bool | database_is_named bool
--> t | t
--> SELECT 1

-- Where the path leads nowhere, every name is qualified: so a dump asks.

SET search_path = ''
--> SET

SELECT pg_get_viewdef(oid) LIKE '%FROM %.sv_t;' AS qualified FROM pg_class WHERE relname = 'sv_v1'
--> qualified bool
--> t
--> SELECT 1
