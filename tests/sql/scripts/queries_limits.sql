-- LIMIT and OFFSET of rows around, of parameters, and of queries.

CREATE TABLE ql (id int, n int)
--> CREATE TABLE

INSERT INTO ql VALUES (1, 0), (2, 1), (3, 2), (4, NULL)
--> INSERT 0 4

SELECT (SELECT g FROM generate_series(1, 5) g ORDER BY g LIMIT 1 OFFSET s - 1) FROM generate_series(1, 3) s
--> g int4
--> 1
--> 2
--> 3
--> SELECT 3

SELECT s, l.x FROM generate_series(1, 3) s, LATERAL (SELECT g FROM generate_series(1, 5) g ORDER BY g DESC LIMIT s) l(x)
--> s int4 | x int4
--> 1 | 5
--> 2 | 5
--> 2 | 4
--> 3 | 5
--> 3 | 4
--> 3 | 3
--> SELECT 6

SELECT id, (SELECT string_agg(g::text, ',') FROM (SELECT g FROM generate_series(1, 4) g ORDER BY g DESC LIMIT ql.n) q) FROM ql ORDER BY id
--> id int4 | string_agg text
--> 1 | ∅
--> 2 | 4
--> 3 | 4,3
--> 4 | 4,3,2,1
--> SELECT 4

SELECT id, array(SELECT g FROM generate_series(1, 4) g ORDER BY g OFFSET ql.n LIMIT 2) FROM ql ORDER BY id
--> id int4 | array int4[]
--> 1 | {1,2}
--> 2 | {2,3}
--> 3 | {3,4}
--> 4 | {1,2}
--> SELECT 4

SELECT id FROM ql, LATERAL (SELECT 1 FROM generate_series(1, 3) LIMIT n) x ORDER BY 1
--> id int4
--> 2
--> 3
--> 3
--> 4
--> 4
--> 4
--> SELECT 6

SELECT id, EXISTS (SELECT 1 FROM generate_series(1, 2) LIMIT n) FROM ql ORDER BY id
--> id int4 | exists bool
--> 1 | f
--> 2 | t
--> 3 | t
--> 4 | t
--> SELECT 4

SELECT id, x FROM ql, LATERAL (SELECT DISTINCT g % 2 FROM generate_series(1, 4) g ORDER BY 1 LIMIT n) l(x) ORDER BY 1, 2
--> id int4 | x int4
--> 2 | 0
--> 3 | 0
--> 3 | 1
--> 4 | 0
--> 4 | 1
--> SELECT 5

SELECT id, x FROM ql, LATERAL (SELECT g FROM generate_series(1, 4) g UNION ALL SELECT 9 ORDER BY 1 DESC LIMIT n) l(x) ORDER BY 1, 2
--> id int4 | x int4
--> 2 | 9
--> 3 | 4
--> 3 | 9
--> 4 | 1
--> 4 | 2
--> 4 | 3
--> 4 | 4
--> 4 | 9
--> SELECT 8

SELECT id, x, c FROM ql, LATERAL (SELECT g % 2, count(*) FROM generate_series(1, 5) g GROUP BY 1 ORDER BY 2 LIMIT n) l(x, c) ORDER BY 1, 2
--> id int4 | x int4 | c int8
--> 2 | 0 | 2
--> 3 | 0 | 2
--> 3 | 1 | 3
--> 4 | 0 | 2
--> 4 | 1 | 3
--> SELECT 5

SELECT s, x FROM (VALUES (1), (2)) s(s), LATERAL (SELECT g FROM generate_series(1, 3) g LIMIT s - 2) l(x)
--> ERROR 2201W: LIMIT must not be negative

SELECT id, (SELECT g FROM generate_series(1, 5) g OFFSET n - 1 LIMIT 1) FROM ql ORDER BY id
--> ERROR 2201X: OFFSET must not be negative

SELECT 1 LIMIT (SELECT 1)
--> ?column? int4
--> 1
--> SELECT 1

SELECT 1 LIMIT (SELECT -1)
--> ERROR 2201W: LIMIT must not be negative

SELECT 1 OFFSET (SELECT -1)
--> ERROR 2201X: OFFSET must not be negative

SELECT id FROM ql ORDER BY id LIMIT id
--> ERROR 42P10: argument of LIMIT must not contain variables

PREPARE ql_limit(bigint) AS SELECT g FROM generate_series(1, 3) g LIMIT $1
--> PREPARE

EXECUTE ql_limit(2)
--> g int4
--> 1
--> 2
--> SELECT 2

EXECUTE ql_limit(NULL)
--> g int4
--> 1
--> 2
--> 3
--> SELECT 3

EXECUTE ql_limit(-1)
--> ERROR 2201W: LIMIT must not be negative

PREPARE ql_offset(bigint) AS SELECT g FROM generate_series(1, 3) g OFFSET $1
--> PREPARE

EXECUTE ql_offset(2)
--> g int4
--> 3
--> SELECT 1

EXECUTE ql_offset(NULL)
--> g int4
--> 1
--> 2
--> 3
--> SELECT 3

EXECUTE ql_offset(-1)
--> ERROR 2201X: OFFSET must not be negative

PREPARE ql_stored(bigint) AS INSERT INTO ql SELECT g, g FROM generate_series(10, 20) g LIMIT $1
--> PREPARE

EXECUTE ql_stored(1)
--> INSERT 0 1

EXECUTE ql_stored(-1)
--> ERROR 2201W: LIMIT must not be negative

UPDATE ql SET n = (SELECT g FROM generate_series(30, 50) g ORDER BY g LIMIT 1 OFFSET ql.id) RETURNING *
--> id int4 | n int4
--> 1 | 31
--> 2 | 32
--> 3 | 33
--> 4 | 34
--> 10 | 40
--> UPDATE 5

DELETE FROM ql WHERE n IN (SELECT g FROM generate_series(30, 50) g ORDER BY g LIMIT ql.id + 1) RETURNING id
--> id int4
--> 1
--> 2
--> 3
--> 4
--> 10
--> DELETE 5

DEALLOCATE ALL
--> DEALLOCATE ALL

DROP TABLE ql
--> DROP TABLE
