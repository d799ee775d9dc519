-- TABLESAMPLE. Which rows are taken is a matter of chance, and of the seed.

CREATE TABLE qs_t (id int PRIMARY KEY, v text)
--> CREATE TABLE

INSERT INTO qs_t SELECT g, 'v' || g FROM generate_series(1, 1000) g
--> INSERT 0 1000

SELECT count(*) FROM qs_t TABLESAMPLE BERNOULLI (100)
--> count int8
--> 1000
--> SELECT 1

SELECT count(*) FROM qs_t TABLESAMPLE SYSTEM (0)
--> count int8
--> 0
--> SELECT 1

SELECT count(*) BETWEEN 300 AND 700 AS about, count(DISTINCT id) = count(*) AS each FROM qs_t TABLESAMPLE BERNOULLI (50)
--> about bool | each bool
--> t | t
--> SELECT 1

SELECT (SELECT array_agg(id ORDER BY id) FROM qs_t TABLESAMPLE BERNOULLI (10) REPEATABLE (7)) = (SELECT array_agg(id ORDER BY id) FROM qs_t AS x TABLESAMPLE BERNOULLI (10) REPEATABLE (7)) AS same
--> same bool
--> t
--> SELECT 1

SELECT count(*) FROM (SELECT id FROM qs_t s TABLESAMPLE SYSTEM (100) REPEATABLE (0.5) WHERE s.id < 10) q
--> count int8
--> 9
--> SELECT 1

SELECT a.id, b.v FROM qs_t a LEFT JOIN qs_t b TABLESAMPLE BERNOULLI (100) ON b.id = a.id + 1 WHERE a.id IN (1, 1000) ORDER BY a.id
--> id int4 | v text
--> 1 | v2
--> 1000 | ∅
--> SELECT 2

SELECT a.id, b.v FROM qs_t a LEFT JOIN qs_t b TABLESAMPLE BERNOULLI (0) ON b.id = a.id WHERE a.id = 1
--> id int4 | v text
--> 1 | ∅
--> SELECT 1

SELECT count(*) FROM qs_t TABLESAMPLE BERNOULLI (101)
--> ERROR 2202H: sample percentage must be between 0 and 100

SELECT count(*) FROM qs_t TABLESAMPLE BERNOULLI (-1)
--> ERROR 2202H: sample percentage must be between 0 and 100

SELECT count(*) FROM qs_t TABLESAMPLE BERNOULLI (NULL)
--> ERROR 2202H: TABLESAMPLE parameter cannot be null

SELECT count(*) FROM qs_t TABLESAMPLE BERNOULLI ('x')
--> ERROR 22P02: invalid input syntax for type real: "x"

CREATE VIEW qs_v AS SELECT id FROM qs_t TABLESAMPLE BERNOULLI (100)
--> CREATE VIEW

SELECT count(*) FROM qs_v
--> count int8
--> 1000
--> SELECT 1

SELECT count(*) FROM qs_v TABLESAMPLE BERNOULLI (50)
--> ERROR 0A000: TABLESAMPLE clause can only be applied to tables and materialized views

WITH c AS (SELECT 1) SELECT * FROM c TABLESAMPLE BERNOULLI (50)
--> ERROR 0A000: TABLESAMPLE clause can only be applied to tables and materialized views

CREATE TABLE qs_copy AS SELECT id FROM qs_t TABLESAMPLE SYSTEM (100)
--> SELECT 1000

SELECT count(*) FROM qs_copy
--> count int8
--> 1000
--> SELECT 1

DROP VIEW qs_v
--> DROP VIEW

DROP TABLE qs_t, qs_copy
--> DROP TABLE
