-- System columns, and recursion.
CREATE TABLE sc (k int PRIMARY KEY, v int);
CREATE TABLE sd (a text, b int);
--> CREATE TABLE
--> CREATE TABLE

INSERT INTO sc VALUES (1, 1) ON CONFLICT (k) DO UPDATE SET v = 2 RETURNING (xmax = 0) AS inserted;
--> inserted bool
--> t
--> INSERT 0 1

INSERT INTO sc VALUES (1, 5) ON CONFLICT (k) DO UPDATE SET v = excluded.v RETURNING k, v, (xmax = 0) AS inserted;
--> k int4 | v int4 | inserted bool
--> 1 | 5 | f
--> INSERT 0 1

INSERT INTO sc VALUES (1, 6), (2, 6), (3, 6) ON CONFLICT (k) DO UPDATE SET v = sc.v + 1 RETURNING k, v, xmax = 0 AS inserted, xmax::text <> '0' AS updated;
--> k int4 | v int4 | inserted bool | updated bool
--> 1 | 6 | f | t
--> 2 | 6 | t | f
--> 3 | 6 | t | f
--> INSERT 0 3

INSERT INTO sc AS t VALUES (3, 0) ON CONFLICT (k) DO UPDATE SET k = 30, v = 1 RETURNING t.k, CASE WHEN t.xmax = 0 THEN 'i' ELSE 'u' END AS how;
--> k int4 | how text
--> 30 | u
--> INSERT 0 1

UPDATE sc SET v = 9 WHERE k = 2 RETURNING xmax = 0 AS z;
--> z bool
--> t
--> UPDATE 1

INSERT INTO sd VALUES ('x', 1), ('x', 1), ('y', 2), ('x', 1);
--> INSERT 0 4

-- Duplicates go by their place.
DELETE FROM sd WHERE ctid NOT IN (SELECT min(ctid) FROM sd GROUP BY a, b);
--> DELETE 2

SELECT a, b FROM sd ORDER BY a;
--> a text | b int4
--> x | 1
--> y | 2
--> SELECT 2

DELETE FROM sd WHERE ctid IN (SELECT ctid FROM sd WHERE a = 'x' LIMIT 1) RETURNING a, b;
--> a text | b int4
--> x | 1
--> DELETE 1

UPDATE sd SET b = 7 WHERE ctid = (SELECT ctid FROM sd ORDER BY a LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING *;
--> a text | b int4
--> y | 7
--> UPDATE 1

DELETE FROM sd WHERE ctid = ANY (ARRAY(SELECT ctid FROM sd LIMIT 10)) RETURNING b;
--> b int4
--> 7
--> DELETE 1

SELECT ctid = '(0,1)' AS t, ctid = '(0,1)'::tid AS u FROM (SELECT '(0,1)'::tid AS ctid) x;
--> t bool | u bool
--> t | t
--> SELECT 1

SELECT '(0, 7)'::tid AS t;
--> t 27
--> (0,7)
--> SELECT 1

SELECT '(0,x)'::tid;
--> ERROR 22P02: invalid input syntax for type tid: "(0,x)"

SELECT a.ctid = b.ctid AS same FROM sc a JOIN sc b USING (k) ORDER BY k LIMIT 1;
--> same bool
--> t
--> SELECT 1

SELECT ctid FROM sc a, sc b;
--> ERROR 42702: column reference "ctid" is ambiguous

SELECT tableoid::regclass, count(*) FROM sc GROUP BY tableoid;
--> tableoid regclass | count int8
--> sc | 3
--> SELECT 1

SELECT xmin = xmin AS same, cmin, cmax FROM sc WHERE k = 1;
--> same bool | cmin 29 | cmax 29
--> t | 0 | 0
--> SELECT 1

-- A row that is changed has another version.
SELECT count(DISTINCT xmin::text) > 0 AS some FROM sc;
--> some bool
--> t
--> SELECT 1

UPDATE sc SET v = 10 WHERE k = 1 AND xmin::text = (SELECT xmin::text FROM sc WHERE k = 1) RETURNING v;
--> v int4
--> 10
--> UPDATE 1

UPDATE sc SET v = 11 WHERE k = 1 AND xmin::text = '1' RETURNING v;
--> v int4
--> UPDATE 0

SELECT * FROM sc WHERE ctid IS NULL;
--> k int4 | v int4
--> SELECT 0

CREATE VIEW sv AS SELECT k FROM sc;
--> CREATE VIEW

SELECT ctid FROM sv;
--> ERROR 42703: column "ctid" does not exist

DROP VIEW sv;
--> DROP VIEW

-- Recursion goes by rounds.
WITH RECURSIVE t(n) AS (SELECT 1 UNION SELECT DISTINCT n + 1 FROM t, generate_series(1, 2) WHERE n < 3) SELECT * FROM t ORDER BY n;
--> n int4
--> 1
--> 2
--> 3
--> SELECT 3

WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT sum(n) FROM t) SELECT * FROM t;
--> ERROR 42P19: aggregate functions are not allowed in a recursive query's recursive term

WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT max(n) + 1 FROM t GROUP BY n) SELECT * FROM t LIMIT 3;
--> ERROR 42P19: aggregate functions are not allowed in a recursive query's recursive term

WITH RECURSIVE t(n, r) AS (SELECT 1, '{}'::int[] UNION ALL SELECT n + 1, r || n FROM t WHERE n < 3) SELECT * FROM t ORDER BY n;
--> n int4 | r int4[]
--> 1 | {}
--> 2 | {1}
--> 3 | {1,2}
--> SELECT 3

DROP TABLE sc, sd;
--> DROP TABLE
