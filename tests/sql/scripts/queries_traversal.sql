-- SEARCH and CYCLE behind recursive WITH queries.

CREATE TABLE qt_edges (f int, t int, label text)
--> CREATE TABLE

INSERT INTO qt_edges VALUES (1, 2, 'a'), (1, 3, 'b'), (2, 3, 'c'), (1, 4, 'd'), (4, 5, 'e'), (5, 1, 'f')
--> INSERT 0 6

WITH RECURSIVE w(n, m) AS (SELECT 1, 1 UNION ALL SELECT n + 1, m * 2 FROM w WHERE n < 4) SEARCH DEPTH FIRST BY n SET way SELECT * FROM w ORDER BY way
--> n int4 | m int4 | way 2287
--> 1 | 1 | {(1)}
--> 2 | 2 | {(1),(2)}
--> 3 | 4 | {(1),(2),(3)}
--> 4 | 8 | {(1),(2),(3),(4)}
--> SELECT 4

WITH RECURSIVE w(n, m) AS (SELECT 1, 1 UNION ALL SELECT n + 1, m * 2 FROM w WHERE n < 4) SEARCH BREADTH FIRST BY m, n SET way SELECT n, way FROM w ORDER BY way DESC
--> n int4 | way record
--> 4 | (3,8,4)
--> 3 | (2,4,3)
--> 2 | (1,2,2)
--> 1 | (0,1,1)
--> SELECT 4

WITH RECURSIVE g AS (SELECT * FROM qt_edges WHERE f = 1 UNION ALL SELECT e.* FROM qt_edges e, g WHERE e.f = g.t AND e.t <> 1) SEARCH DEPTH FIRST BY f, t SET seq SELECT f, t, label, seq FROM g ORDER BY seq
--> f int4 | t int4 | label text | seq 2287
--> 1 | 2 | a | {"(1,2)"}
--> 2 | 3 | c | {"(1,2)","(2,3)"}
--> 1 | 3 | b | {"(1,3)"}
--> 1 | 4 | d | {"(1,4)"}
--> 4 | 5 | e | {"(1,4)","(4,5)"}
--> SELECT 5

WITH RECURSIVE g AS (SELECT * FROM qt_edges WHERE f = 1 UNION ALL SELECT e.* FROM qt_edges e JOIN g s ON e.f = s.t WHERE e.t <> 1) SEARCH BREADTH FIRST BY f, t SET seq SELECT label FROM g ORDER BY seq, label
--> label text
--> a
--> b
--> d
--> c
--> e
--> SELECT 5

WITH RECURSIVE w(n) AS (SELECT 1 UNION ALL SELECT n % 3 + 1 FROM w) CYCLE n SET again USING way SELECT * FROM w
--> n int4 | again bool | way 2287
--> 1 | f | {(1)}
--> 2 | f | {(1),(2)}
--> 3 | f | {(1),(2),(3)}
--> 1 | t | {(1),(2),(3),(1)}
--> SELECT 4

WITH RECURSIVE w AS (SELECT 1 AS n UNION SELECT n % 3 + 1 FROM w) CYCLE n SET again TO 'yes' DEFAULT 'no' USING way SELECT n, again, way FROM w
--> n int4 | again text | way 2287
--> 1 | no | {(1)}
--> 2 | no | {(1),(2)}
--> 3 | no | {(1),(2),(3)}
--> 1 | yes | {(1),(2),(3),(1)}
--> SELECT 4

WITH RECURSIVE g AS (SELECT * FROM qt_edges WHERE f = 1 UNION ALL SELECT e.* FROM qt_edges e, g WHERE e.f = g.t) CYCLE f, t SET round TO 1 DEFAULT 0 USING way SELECT f, t, round, way FROM g ORDER BY way
--> f int4 | t int4 | round int4 | way 2287
--> 1 | 2 | 0 | {"(1,2)"}
--> 2 | 3 | 0 | {"(1,2)","(2,3)"}
--> 1 | 3 | 0 | {"(1,3)"}
--> 1 | 4 | 0 | {"(1,4)"}
--> 4 | 5 | 0 | {"(1,4)","(4,5)"}
--> 5 | 1 | 0 | {"(1,4)","(4,5)","(5,1)"}
--> 1 | 2 | 0 | {"(1,4)","(4,5)","(5,1)","(1,2)"}
--> 2 | 3 | 0 | {"(1,4)","(4,5)","(5,1)","(1,2)","(2,3)"}
--> 1 | 3 | 0 | {"(1,4)","(4,5)","(5,1)","(1,3)"}
--> 1 | 4 | 1 | {"(1,4)","(4,5)","(5,1)","(1,4)"}
--> SELECT 10

WITH RECURSIVE g AS MATERIALIZED (SELECT * FROM qt_edges WHERE f = 1 UNION ALL SELECT e.* FROM qt_edges e, g WHERE e.f = g.t) SEARCH DEPTH FIRST BY f, t SET seq CYCLE f, t SET round USING way SELECT f, t, round FROM g ORDER BY seq
--> f int4 | t int4 | round bool
--> 1 | 2 | f
--> 2 | 3 | f
--> 1 | 3 | f
--> 1 | 4 | f
--> 4 | 5 | f
--> 5 | 1 | f
--> 1 | 2 | f
--> 2 | 3 | f
--> 1 | 3 | f
--> 1 | 4 | t
--> SELECT 10

WITH RECURSIVE w(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM w WHERE n < 3) SEARCH DEPTH FIRST BY m SET way SELECT 1
--> ERROR 42601: search column "m" not in WITH query column list

WITH RECURSIVE w(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM w WHERE n < 3) SEARCH DEPTH FIRST BY n, n SET way SELECT 1
--> ERROR 42701: search column "n" specified more than once

WITH RECURSIVE w(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM w WHERE n < 3) SEARCH DEPTH FIRST BY n SET way SELECT 1
--> ?column? int4
--> 1
--> SELECT 1

WITH w(n) AS (SELECT 1) SEARCH DEPTH FIRST BY n SET way SELECT 1
--> ERROR 42601: WITH query is not recursive

-- They are names elsewhere.
SELECT (1) search, (2) AS cycle
--> search int4 | cycle int4
--> 1 | 2
--> SELECT 1

CREATE VIEW qt_view AS WITH RECURSIVE w(n) AS (SELECT 1 UNION ALL SELECT n % 3 + 1 FROM w) CYCLE n SET again USING way SELECT n, again FROM w
--> CREATE VIEW

SELECT * FROM qt_view ORDER BY again, n
--> n int4 | again bool
--> 1 | f
--> 2 | f
--> 3 | f
--> 1 | t
--> SELECT 4

DROP VIEW qt_view
--> DROP VIEW

DROP TABLE qt_edges
--> DROP TABLE
