-- LATERAL: subqueries that read tables and what stands to the left of them.
CREATE TABLE la (id int PRIMARY KEY, name text);
CREATE TABLE lb (id int PRIMARY KEY, aid int, v int, at date);
CREATE TABLE lc (bid int, note text);
INSERT INTO la VALUES (1, 'one'), (2, 'two'), (3, 'three');
INSERT INTO lb VALUES (1, 1, 5, '2020-01-01'), (2, 1, 9, '2020-01-02'), (3, 2, 7, NULL), (4, 1, 1, '2020-02-01');
INSERT INTO lc VALUES (1, 'p'), (1, 'q'), (3, 'r');
--> CREATE TABLE
--> CREATE TABLE
--> CREATE TABLE
--> INSERT 0 3
--> INSERT 0 4
--> INSERT 0 3

SELECT la.id, m.v FROM la LEFT JOIN LATERAL (SELECT v FROM lb WHERE lb.aid = la.id ORDER BY v DESC LIMIT 1) m ON true ORDER BY 1;
--> id int4 | v int4
--> 1 | 9
--> 2 | 7
--> 3 | ∅
--> SELECT 3

SELECT la.id, m.* FROM la, LATERAL (SELECT * FROM lb WHERE lb.aid = la.id ORDER BY v DESC LIMIT 2) m ORDER BY la.id, m.v DESC;
--> id int4 | id int4 | aid int4 | v int4 | at date
--> 1 | 2 | 1 | 9 | 2020-01-02
--> 1 | 1 | 1 | 5 | 2020-01-01
--> 2 | 3 | 2 | 7 | ∅
--> SELECT 3

SELECT la.id, s.total, s.n FROM la CROSS JOIN LATERAL (SELECT sum(v) AS total, count(*) AS n FROM lb WHERE lb.aid = la.id) s ORDER BY 1;
--> id int4 | total int8 | n int8
--> 1 | 15 | 3
--> 2 | 7 | 1
--> 3 | ∅ | 0
--> SELECT 3

SELECT la.id, s.n FROM la JOIN LATERAL (SELECT count(*) AS n FROM lb WHERE lb.aid = la.id) s ON s.n > 0 ORDER BY 1;
--> id int4 | n int8
--> 1 | 3
--> 2 | 1
--> SELECT 2

SELECT la.id, x.v, y.note FROM la LEFT JOIN LATERAL (SELECT * FROM lb WHERE aid = la.id) x ON true LEFT JOIN LATERAL (SELECT * FROM lc WHERE lc.bid = x.id) y ON true ORDER BY 1, 2, 3;
--> id int4 | v int4 | note text
--> 1 | 1 | ∅
--> 1 | 5 | p
--> 1 | 5 | q
--> 1 | 9 | ∅
--> 2 | 7 | r
--> 3 | ∅ | ∅
--> SELECT 6

-- As Drizzle and PostgREST ask for relations.
SELECT "la"."id", "la"."name", "la_bs"."data" AS "bs" FROM "la" LEFT JOIN LATERAL (SELECT coalesce(json_agg(json_build_array("la_bs"."id", "la_bs"."v")), '[]'::json) AS "data" FROM (SELECT * FROM "lb" "la_bs" WHERE "la_bs"."aid" = "la"."id" ORDER BY "la_bs"."id") "la_bs") "la_bs" ON true ORDER BY "la"."id";
--> id int4 | name text | bs json
--> 1 | one | [[1, 5], [2, 9], [4, 1]]
--> 2 | two | [[3, 7]]
--> 3 | three | []
--> SELECT 3

WITH pgrst_source AS (SELECT "la"."id", row_to_json("la_lb_1".*) AS "first" FROM "la" LEFT JOIN LATERAL (SELECT "lb_1"."v" FROM "lb" AS "lb_1" WHERE "lb_1"."aid" = "la"."id" ORDER BY "lb_1"."id" LIMIT 1) AS "la_lb_1" ON TRUE) SELECT coalesce(json_agg(_postgrest_t), '[]') AS body FROM (SELECT * FROM pgrst_source ORDER BY id) _postgrest_t;
--> body json
--> [{"id":1,"first":{"v":5}},
-->  {"id":2,"first":{"v":7}},
-->  {"id":3,"first":null}]
--> SELECT 1

SELECT la.id, o.rows FROM la LEFT JOIN LATERAL (SELECT json_agg(row_to_json(t)) AS rows FROM (SELECT b.v, n.notes FROM lb b LEFT JOIN LATERAL (SELECT array_agg(note ORDER BY note) AS notes FROM lc WHERE lc.bid = b.id) n ON true WHERE b.aid = la.id ORDER BY b.v) t) o ON true ORDER BY 1;
--> id int4 | rows json
--> 1 | [{"v":1,"notes":null}, {"v":5,"notes":["p","q"]}, {"v":9,"notes":null}]
--> 2 | [{"v":7,"notes":["r"]}]
--> 3 | ∅
--> SELECT 3

-- Nested, set operations, WITH, values, functions.
SELECT la.id, q.w FROM la, LATERAL (SELECT r.w FROM lb, LATERAL (SELECT lb.v * 10 + la.id AS w) r WHERE lb.aid = la.id) q ORDER BY 1, 2;
--> id int4 | w int4
--> 1 | 11
--> 1 | 51
--> 1 | 91
--> 2 | 72
--> SELECT 4

SELECT la.id, u.x FROM la, LATERAL (SELECT v AS x FROM lb WHERE aid = la.id UNION ALL SELECT la.id * 100) u ORDER BY 1, 2;
--> id int4 | x int4
--> 1 | 1
--> 1 | 5
--> 1 | 9
--> 1 | 100
--> 2 | 7
--> 2 | 200
--> 3 | 300
--> SELECT 7

SELECT la.id, w.m FROM la, LATERAL (WITH mine AS (SELECT v FROM lb WHERE aid = la.id) SELECT max(v) AS m FROM mine) w ORDER BY 1;
--> id int4 | m int4
--> 1 | 9
--> 2 | 7
--> 3 | ∅
--> SELECT 3

SELECT la.id, x.k FROM la, LATERAL (VALUES (la.id), (la.id + 10)) x(k) ORDER BY 1, 2;
--> id int4 | k int4
--> 1 | 1
--> 1 | 11
--> 2 | 2
--> 2 | 12
--> 3 | 3
--> 3 | 13
--> SELECT 6

SELECT la.id, g FROM la, LATERAL generate_series(1, la.id) g ORDER BY 1, 2;
--> id int4 | g int4
--> 1 | 1
--> 2 | 1
--> 2 | 2
--> 3 | 1
--> 3 | 2
--> 3 | 3
--> SELECT 6

SELECT la.id, g.n, h.n AS m FROM la, LATERAL (SELECT n FROM generate_series(1, la.id) n) g, LATERAL (SELECT n FROM generate_series(g.n, la.id) n) h WHERE la.id = 2 ORDER BY 2, 3;
--> id int4 | n int4 | m int4
--> 2 | 1 | 1
--> 2 | 1 | 2
--> 2 | 2 | 2
--> SELECT 3

SELECT la.id, x.d FROM la LEFT JOIN LATERAL (SELECT DISTINCT v % 2 AS d FROM lb WHERE aid = la.id) x ON true ORDER BY 1, 2;
--> id int4 | d int4
--> 1 | 1
--> 2 | 1
--> 3 | ∅
--> SELECT 3

SELECT la.id, x.rn, x.v FROM la, LATERAL (SELECT v, row_number() OVER (ORDER BY v) AS rn FROM lb WHERE aid = la.id) x WHERE x.rn = 2;
--> id int4 | rn int8 | v int4
--> 1 | 2 | 5
--> SELECT 1

SELECT la.id, x.v FROM la LEFT JOIN LATERAL (SELECT v FROM lb WHERE aid = la.id) x ON x.v > 5 ORDER BY 1, 2;
--> id int4 | v int4
--> 1 | 9
--> 2 | 7
--> 3 | ∅
--> SELECT 3

SELECT la.name, x.up FROM la, LATERAL (SELECT upper(la.name) AS up) x WHERE x.up LIKE 'T%' ORDER BY 1;
--> name text | up text
--> three | THREE
--> two | TWO
--> SELECT 2

-- What stands beside it is searched before what is around.
SELECT (SELECT x.id FROM lb b, LATERAL (SELECT b.id AS id, v FROM lc WHERE lc.bid = b.id LIMIT 1) x WHERE b.aid = la.id ORDER BY 1 LIMIT 1) AS id FROM la ORDER BY la.id;
--> id int4
--> 1
--> 3
--> ∅
--> SELECT 3

SELECT v.id FROM (SELECT 7 AS id) v WHERE EXISTS (SELECT 1 FROM la, LATERAL (SELECT id AS mine) s WHERE s.mine = 3);
--> id int4
--> 7
--> SELECT 1

-- NULLs, dates, types.
SELECT la.id, pg_typeof(x.at) AS ty, x.at, x.n FROM la, LATERAL (SELECT at, 1.50 AS n FROM lb WHERE aid = la.id ORDER BY at NULLS FIRST LIMIT 1) x ORDER BY 1;
--> id int4 | ty regtype | at date | n numeric
--> 1 | date | 2020-01-01 | 1.50
--> 2 | date | ∅ | 1.50
--> SELECT 2

SELECT x.n + 1 AS n FROM la, LATERAL (SELECT la.id * 1.5 AS n) x ORDER BY 1;
--> n numeric
--> 2.5
--> 4.0
--> 5.5
--> SELECT 3

SELECT x.n, count(*) FROM la, LATERAL (SELECT count(*) AS n FROM lb WHERE aid = la.id) x GROUP BY x.n ORDER BY 1;
--> n int8 | count int8
--> 0 | 1
--> 1 | 1
--> 3 | 1
--> SELECT 3

-- Without LATERAL, and where it must not be.
SELECT la.id FROM la, (SELECT v FROM lb WHERE lb.aid = la.id) x;
--> ERROR 42P01: invalid reference to FROM-clause entry for table "la"

SELECT 1 FROM la RIGHT JOIN LATERAL (SELECT la.id) x ON true;
--> ERROR 42P10: invalid reference to FROM-clause entry for table "la"
-->   detail: The combining JOIN type must be INNER or LEFT for a LATERAL reference.

SELECT 1 FROM LATERAL (SELECT la.id) x, la;
--> ERROR 42P01: missing FROM-clause entry for table "la"

SELECT x.* FROM la FULL JOIN (SELECT v FROM lb WHERE lb.aid = la.id) x ON true;
--> ERROR 42P01: invalid reference to FROM-clause entry for table "la"

-- In other statements.
CREATE VIEW lv AS SELECT la.id, m.v FROM la LEFT JOIN LATERAL (SELECT v FROM lb WHERE lb.aid = la.id ORDER BY v DESC LIMIT 1) m ON true;
--> CREATE VIEW

SELECT * FROM lv ORDER BY id;
--> id int4 | v int4
--> 1 | 9
--> 2 | 7
--> 3 | ∅
--> SELECT 3

INSERT INTO lc SELECT x.id, la.name FROM la, LATERAL (SELECT id FROM lb WHERE aid = la.id ORDER BY id DESC LIMIT 1) x RETURNING *;
--> bid int4 | note text
--> 4 | one
--> 3 | two
--> INSERT 0 2

UPDATE la SET name = s.name FROM lb b, LATERAL (SELECT 'v' || b.v AS name) s WHERE b.aid = la.id AND b.id = 3 RETURNING la.*;
--> id int4 | name text
--> 2 | v7
--> UPDATE 1

DELETE FROM lc USING la, LATERAL (SELECT min(id) AS m FROM lb WHERE aid = la.id) x WHERE lc.bid = x.m AND la.id = 2 RETURNING lc.*;
--> bid int4 | note text
--> 3 | r
--> 3 | two
--> DELETE 2

DROP VIEW lv;
--> DROP VIEW

DROP TABLE la, lb, lc;
--> DROP TABLE
