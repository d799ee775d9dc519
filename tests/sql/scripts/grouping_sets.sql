-- GROUPING SETS, ROLLUP and CUBE.

CREATE TABLE gs (id int PRIMARY KEY, a int, b text, n numeric, j jsonb)
--> CREATE TABLE

INSERT INTO gs VALUES (1, 1, 'x', 1.5, '1'), (2, 1, 'y', 2.0, '1.0'), (3, 2, 'x', 2.00, '[1]'), (4, NULL, 'x', NULL, NULL), (5, 2, NULL, 0.5, '{}')
--> INSERT 0 5

CREATE TABLE ge (a int, b int)
--> CREATE TABLE

SELECT a, b, count(*), sum(n) FROM gs GROUP BY ROLLUP (a, b) ORDER BY a, b, 3, 4
--> a int4 | b text | count int8 | sum numeric
--> 1 | x | 1 | 1.5
--> 1 | y | 1 | 2.0
--> 1 | ∅ | 2 | 3.5
--> 2 | x | 1 | 2.00
--> 2 | ∅ | 1 | 0.5
--> 2 | ∅ | 2 | 2.50
--> ∅ | x | 1 | ∅
--> ∅ | ∅ | 1 | ∅
--> ∅ | ∅ | 5 | 6.00
--> SELECT 9

SELECT a, b, grouping(a), grouping(b), grouping(a, b), count(*) FROM gs GROUP BY CUBE (a, b) ORDER BY grouping(a, b), a, b
--> a int4 | b text | grouping int4 | grouping int4 | grouping int4 | count int8
--> 1 | x | 0 | 0 | 0 | 1
--> 1 | y | 0 | 0 | 0 | 1
--> 2 | x | 0 | 0 | 0 | 1
--> 2 | ∅ | 0 | 0 | 0 | 1
--> ∅ | x | 0 | 0 | 0 | 1
--> 1 | ∅ | 0 | 1 | 1 | 2
--> 2 | ∅ | 0 | 1 | 1 | 2
--> ∅ | ∅ | 0 | 1 | 1 | 1
--> ∅ | x | 1 | 0 | 2 | 3
--> ∅ | y | 1 | 0 | 2 | 1
--> ∅ | ∅ | 1 | 0 | 2 | 1
--> ∅ | ∅ | 1 | 1 | 3 | 5
--> SELECT 12

SELECT a, b, sum(id) FROM gs GROUP BY GROUPING SETS ((a), (b), ()) ORDER BY 1, 2, 3
--> a int4 | b text | sum int8
--> 1 | ∅ | 3
--> 2 | ∅ | 8
--> ∅ | x | 8
--> ∅ | y | 2
--> ∅ | ∅ | 4
--> ∅ | ∅ | 5
--> ∅ | ∅ | 15
--> SELECT 7

SELECT a, b, sum(id) FROM gs GROUP BY GROUPING SETS (a, (a, b)) ORDER BY 1, 2, 3
--> a int4 | b text | sum int8
--> 1 | x | 1
--> 1 | y | 2
--> 1 | ∅ | 3
--> 2 | x | 3
--> 2 | ∅ | 5
--> 2 | ∅ | 8
--> ∅ | x | 4
--> ∅ | ∅ | 4
--> SELECT 8

SELECT a, b, sum(id) FROM gs GROUP BY a, ROLLUP (b) ORDER BY 1, 2, 3
--> a int4 | b text | sum int8
--> 1 | x | 1
--> 1 | y | 2
--> 1 | ∅ | 3
--> 2 | x | 3
--> 2 | ∅ | 5
--> 2 | ∅ | 8
--> ∅ | x | 4
--> ∅ | ∅ | 4
--> SELECT 8

SELECT a, b, n, count(*) FROM gs GROUP BY ROLLUP (a, (b, n)) ORDER BY 1, 2, 3, 4
--> a int4 | b text | n numeric | count int8
--> 1 | x | 1.5 | 1
--> 1 | y | 2.0 | 1
--> 1 | ∅ | ∅ | 2
--> 2 | x | 2.00 | 1
--> 2 | ∅ | 0.5 | 1
--> 2 | ∅ | ∅ | 2
--> ∅ | x | ∅ | 1
--> ∅ | ∅ | ∅ | 1
--> ∅ | ∅ | ∅ | 5
--> SELECT 9

SELECT a, b, count(*) FROM gs GROUP BY GROUPING SETS (ROLLUP (a, b), CUBE (b)) ORDER BY 1, 2, 3
--> a int4 | b text | count int8
--> 1 | x | 1
--> 1 | y | 1
--> 1 | ∅ | 2
--> 2 | x | 1
--> 2 | ∅ | 1
--> 2 | ∅ | 2
--> ∅ | x | 1
--> ∅ | x | 3
--> ∅ | y | 1
--> ∅ | ∅ | 1
--> ∅ | ∅ | 1
--> ∅ | ∅ | 5
--> ∅ | ∅ | 5
--> SELECT 13

-- Rows that are not there.

SELECT a, count(*), sum(b), array_agg(b) FROM ge GROUP BY ROLLUP (a)
--> a int4 | count int8 | sum int8 | array_agg int4[]
--> ∅ | 0 | ∅ | ∅
--> SELECT 1

SELECT a, count(*) FROM ge GROUP BY GROUPING SETS (a)
--> a int4 | count int8
--> SELECT 0

SELECT count(*) FROM ge GROUP BY GROUPING SETS ((), ())
--> count int8
--> 0
--> 0
--> SELECT 2

SELECT a, count(*), count(b), max(b) FILTER (WHERE b > 0) FROM ge WHERE a > 5 GROUP BY GROUPING SETS ((), (a)) ORDER BY 2
--> a int4 | count int8 | count int8 | max int4
--> ∅ | 0 | 0 | ∅
--> SELECT 1

SELECT count(*) FROM gs WHERE false GROUP BY CUBE (a, b)
--> count int8
--> 0
--> SELECT 1

SELECT 1 AS one FROM ge GROUP BY GROUPING SETS (())
--> one int4
--> 1
--> SELECT 1

SELECT count(*), grouping(a) FROM gs GROUP BY a ORDER BY 1, 2
--> count int8 | grouping int4
--> 1 | 0
--> 2 | 0
--> 2 | 0
--> SELECT 3

-- HAVING, DISTINCT, windows, expressions, names and numbers of columns.

SELECT a, count(*) FROM gs GROUP BY ROLLUP (a) HAVING count(*) > 1 ORDER BY 1, 2
--> a int4 | count int8
--> 1 | 2
--> 2 | 2
--> ∅ | 5
--> SELECT 3

SELECT a, sum(id) FROM gs GROUP BY ROLLUP (a) HAVING grouping(a) = 1
--> a int4 | sum int8
--> ∅ | 15
--> SELECT 1

SELECT DISTINCT grouping(a) AS g FROM gs GROUP BY CUBE (a, b) ORDER BY g
--> g int4
--> 0
--> 1
--> SELECT 2

SELECT a, sum(id), rank() OVER (PARTITION BY grouping(a) ORDER BY sum(id) DESC) AS r FROM gs GROUP BY ROLLUP (a) ORDER BY grouping(a), r
--> a int4 | sum int8 | r int8
--> 2 | 8 | 1
--> ∅ | 4 | 2
--> 1 | 3 | 3
--> ∅ | 15 | 1
--> SELECT 4

SELECT a + 1 AS p, upper(b) AS u, count(*) FROM gs GROUP BY ROLLUP (a + 1, upper(b)) ORDER BY 1, 2, 3
--> p int4 | u text | count int8
--> 2 | X | 1
--> 2 | Y | 1
--> 2 | ∅ | 2
--> 3 | X | 1
--> 3 | ∅ | 1
--> 3 | ∅ | 2
--> ∅ | X | 1
--> ∅ | ∅ | 1
--> ∅ | ∅ | 5
--> SELECT 9

SELECT a AS k, count(*) FROM gs GROUP BY ROLLUP (k) ORDER BY k NULLS FIRST, 2
--> k int4 | count int8
--> ∅ | 1
--> ∅ | 5
--> 1 | 2
--> 2 | 2
--> SELECT 4

SELECT a, count(*) FROM gs GROUP BY ROLLUP (1) ORDER BY 1, 2
--> a int4 | count int8
--> 1 | 2
--> 2 | 2
--> ∅ | 1
--> ∅ | 5
--> SELECT 4

SELECT coalesce(a::text, 'total') AS t, CASE WHEN grouping(a) = 1 THEN 'all' ELSE 'one' END AS w, count(*) FROM gs GROUP BY ROLLUP (a) ORDER BY 2, 1
--> t text | w text | count int8
--> total | all | 5
--> 1 | one | 2
--> 2 | one | 2
--> total | one | 1
--> SELECT 4

SELECT n, j, count(*) FROM gs GROUP BY GROUPING SETS (n, j) ORDER BY n, j, 3
--> n numeric | j jsonb | count int8
--> 0.5 | ∅ | 1
--> 1.5 | ∅ | 1
--> 2.0 | ∅ | 2
--> ∅ | 1 | 2
--> ∅ | [1] | 1
--> ∅ | {} | 1
--> ∅ | ∅ | 1
--> ∅ | ∅ | 1
--> SELECT 8

SELECT a, string_agg(b, ',' ORDER BY b DESC), count(DISTINCT b), array_agg(id ORDER BY id) FROM gs GROUP BY ROLLUP (a) ORDER BY 1, 2
--> a int4 | string_agg text | count int8 | array_agg int4[]
--> 1 | y,x | 2 | {1,2}
--> 2 | x | 1 | {3,5}
--> ∅ | x | 1 | {4}
--> ∅ | y,x,x,x | 2 | {1,2,3,4,5}
--> SELECT 4

SELECT a, b, count(*) FROM gs GROUP BY CUBE (a, b) ORDER BY 3 DESC, 1, 2 LIMIT 3
--> a int4 | b text | count int8
--> ∅ | ∅ | 5
--> ∅ | x | 3
--> 1 | ∅ | 2
--> SELECT 3

-- In joins, subqueries, views and changes.

SELECT g.a, h.b, count(*) FROM gs g JOIN gs h ON h.a = g.a GROUP BY ROLLUP (g.a, h.b) ORDER BY 1, 2, 3
--> a int4 | b text | count int8
--> 1 | x | 2
--> 1 | y | 2
--> 1 | ∅ | 4
--> 2 | x | 2
--> 2 | ∅ | 2
--> 2 | ∅ | 4
--> ∅ | ∅ | 8
--> SELECT 7

SELECT g.a, count(h.id) FROM gs g LEFT JOIN gs h ON h.id = g.a AND h.b = 'y' GROUP BY CUBE (g.a) ORDER BY 1, 2
--> a int4 | count int8
--> 1 | 0
--> 2 | 2
--> ∅ | 0
--> ∅ | 2
--> SELECT 4

SELECT (SELECT count(*) FROM (SELECT a FROM gs WHERE gs.id <= o.id GROUP BY ROLLUP (a)) s) AS c FROM gs o ORDER BY o.id
--> c int8
--> 2
--> 2
--> 3
--> 4
--> 4
--> SELECT 5

SELECT * FROM (SELECT a, count(*) AS c FROM gs GROUP BY ROLLUP (a)) s WHERE a IS NULL ORDER BY c
--> a int4 | c int8
--> ∅ | 1
--> ∅ | 5
--> SELECT 2

CREATE VIEW gv AS SELECT a, b, count(*) AS c FROM gs GROUP BY ROLLUP (a, b)
--> CREATE VIEW

SELECT * FROM gv ORDER BY 1, 2, 3
--> a int4 | b text | c int8
--> 1 | x | 1
--> 1 | y | 1
--> 1 | ∅ | 2
--> 2 | x | 1
--> 2 | ∅ | 1
--> 2 | ∅ | 2
--> ∅ | x | 1
--> ∅ | ∅ | 1
--> ∅ | ∅ | 5
--> SELECT 9

WITH w AS (SELECT a, sum(id) AS s FROM gs GROUP BY CUBE (a)) SELECT sum(s) FROM w
--> sum numeric
--> 30
--> SELECT 1

SELECT a FROM gs GROUP BY ROLLUP (a) UNION ALL SELECT 9 ORDER BY 1
--> a int4
--> 1
--> 2
--> 9
--> ∅
--> ∅
--> SELECT 5

INSERT INTO ge SELECT a, count(*) FROM gs GROUP BY ROLLUP (a)
--> INSERT 0 4

SELECT * FROM ge ORDER BY a, b
--> a int4 | b int4
--> 1 | 2
--> 2 | 2
--> ∅ | 1
--> ∅ | 5
--> SELECT 4

-- What is refused.

SELECT a, b FROM gs GROUP BY ROLLUP (a)
--> ERROR 42803: column "gs.b" must appear in the GROUP BY clause or be used in an aggregate function

SELECT grouping(b) FROM gs GROUP BY a
--> ERROR 42803: arguments to GROUPING must be grouping expressions of the associated query level

SELECT grouping(a) FROM gs
--> ERROR 42803: arguments to GROUPING must be grouping expressions of the associated query level

SELECT id, a, count(*) FROM gs GROUP BY GROUPING SETS (id, a) ORDER BY 1, 2
--> id int4 | a int4 | count int8
--> 1 | ∅ | 1
--> 2 | ∅ | 1
--> 3 | ∅ | 1
--> 4 | ∅ | 1
--> 5 | ∅ | 1
--> ∅ | 1 | 2
--> ∅ | 2 | 2
--> ∅ | ∅ | 1
--> SELECT 8

SELECT b, count(*) FROM gs GROUP BY GROUPING SETS (id, a)
--> ERROR 42803: column "gs.b" must appear in the GROUP BY clause or be used in an aggregate function

DROP VIEW gv
--> DROP VIEW

DROP TABLE gs, ge
--> DROP TABLE

-- Sets within sets, and ALL, which says nothing.
SELECT a, b, count(*) FROM (VALUES (1, 1), (1, 2), (2, 2)) v(a, b) GROUP BY GROUPING SETS ((), GROUPING SETS (a, GROUPING SETS ((a, b), (b)))) ORDER BY 1, 2, 3;
--> a int4 | b int4 | count int8
--> 1 | 1 | 1
--> 1 | 2 | 1
--> 1 | ∅ | 2
--> 2 | 2 | 1
--> 2 | ∅ | 1
--> ∅ | 1 | 1
--> ∅ | 2 | 2
--> ∅ | ∅ | 3
--> SELECT 8

SELECT a, b, count(*) FROM (VALUES (1, 1), (1, 2), (2, 2)) v(a, b) GROUP BY GROUPING SETS (GROUPING SETS (ROLLUP (a), GROUPING SETS (CUBE (b)))) ORDER BY 1, 2, 3;
--> a int4 | b int4 | count int8
--> 1 | ∅ | 2
--> 2 | ∅ | 1
--> ∅ | 1 | 1
--> ∅ | 2 | 2
--> ∅ | ∅ | 3
--> ∅ | ∅ | 3
--> SELECT 6

SELECT a, b FROM (VALUES (1, 2), (3, NULL)) v(a, b) GROUP BY ALL ROLLUP (a, b), ROLLUP (a) ORDER BY 1, 2;
--> a int4 | b int4
--> 1 | 2
--> 1 | 2
--> 1 | ∅
--> 1 | ∅
--> 1 | ∅
--> 3 | ∅
--> 3 | ∅
--> 3 | ∅
--> 3 | ∅
--> 3 | ∅
--> ∅ | ∅
--> SELECT 11

SELECT a FROM (VALUES (1), (1)) v(a) GROUP BY ALL a;
--> a int4
--> 1
--> SELECT 1

-- Elements that begin with a parenthesis and go on.

SELECT x, count(*) FROM (VALUES (1), (2), (2)) v(x) GROUP BY ROLLUP ((x)::int) ORDER BY x
--> x int4 | count int8
--> 1 | 1
--> 2 | 2
--> ∅ | 3
--> SELECT 3

SELECT (x + 1) * 2 AS y, count(*) FROM (VALUES (1), (2), (2)) v(x) GROUP BY CUBE ((x + 1) * 2) ORDER BY 1
--> y int4 | count int8
--> 4 | 1
--> 6 | 2
--> ∅ | 3
--> SELECT 3

SELECT x, (x) + 1 AS y, count(*) FROM (VALUES (1), (2), (2)) v(x) GROUP BY GROUPING SETS ((x), ((x) + 1), ()) ORDER BY 1, 2
--> x int4 | y int4 | count int8
--> 1 | ∅ | 1
--> 2 | ∅ | 2
--> ∅ | 2 | 1
--> ∅ | 3 | 2
--> ∅ | ∅ | 3
--> SELECT 5

SELECT a, b, count(*) FROM (VALUES (1, 2), (1, 3)) v(a, b) GROUP BY GROUPING SETS ((a, b), ROLLUP (a), (), CUBE ((a, b))) ORDER BY 1, 2
--> a int4 | b int4 | count int8
--> 1 | 2 | 1
--> 1 | 2 | 1
--> 1 | 3 | 1
--> 1 | 3 | 1
--> 1 | ∅ | 2
--> ∅ | ∅ | 2
--> ∅ | ∅ | 2
--> ∅ | ∅ | 2
--> SELECT 8

SELECT count(*) FROM (VALUES (1), (2)) v(x) GROUP BY ROLLUP ((SELECT 1))
--> count int8
--> 2
--> 2
--> SELECT 2

SELECT count(*) FROM (VALUES (1), (2)) v(x) GROUP BY ()
--> count int8
--> 2
--> SELECT 1

SELECT count(*) FROM (VALUES (1), (2)) v(x) GROUP BY x, () ORDER BY 1
--> count int8
--> 1
--> 1
--> SELECT 2

SELECT ()
--> ERROR 42601: syntax error at or near ")"

SELECT 1 WHERE () IS NULL
--> ERROR 42601: syntax error at or near ")"
