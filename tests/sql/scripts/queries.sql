-- Joins, grouping, subqueries, CTEs, windows.
CREATE TABLE q_dept (id int PRIMARY KEY, name text NOT NULL)
--> CREATE TABLE

CREATE TABLE q_emp (id int PRIMARY KEY, dept int REFERENCES q_dept, name text NOT NULL, pay numeric(10,2), boss int, hired date)
--> CREATE TABLE

INSERT INTO q_dept VALUES (1, 'dev'), (2, 'ops'), (3, 'empty')
--> INSERT 0 3

INSERT INTO q_emp VALUES (1, 1, 'Ada', 5000, NULL, '2020-01-15'), (2, 1, 'Ben', 4000.50, 1, '2021-03-01'), (3, 2, 'Cid', 3000, 1, '2021-03-01'), (4, 2, 'Dot', 3000, 3, '2022-12-31'), (5, NULL, 'Eve', NULL, 3, NULL)
--> INSERT 0 5

SELECT e.name, d.name AS dept FROM q_emp e JOIN q_dept d ON d.id = e.dept ORDER BY e.id
--> name text | dept text
--> Ada | dev
--> Ben | dev
--> Cid | ops
--> Dot | ops
--> SELECT 4

SELECT e.name, d.name FROM q_emp e LEFT JOIN q_dept d ON d.id = e.dept ORDER BY e.id
--> name text | name text
--> Ada | dev
--> Ben | dev
--> Cid | ops
--> Dot | ops
--> Eve | ∅
--> SELECT 5

SELECT d.name, e.name FROM q_emp e RIGHT JOIN q_dept d ON d.id = e.dept ORDER BY d.id, e.id
--> name text | name text
--> dev | Ada
--> dev | Ben
--> ops | Cid
--> ops | Dot
--> empty | ∅
--> SELECT 5

SELECT d.name, e.name FROM q_emp e FULL JOIN q_dept d ON d.id = e.dept ORDER BY d.name NULLS FIRST, e.name
--> name text | name text
--> ∅ | Eve
--> dev | Ada
--> dev | Ben
--> empty | ∅
--> ops | Cid
--> ops | Dot
--> SELECT 6

SELECT count(*) FROM q_emp CROSS JOIN q_dept
--> count int8
--> 15
--> SELECT 1

SELECT name, boss.name AS boss FROM q_emp JOIN q_emp AS boss ON q_emp.boss = boss.id
--> ERROR 42702: column reference "name" is ambiguous

SELECT e.name, b.name AS boss FROM q_emp e JOIN q_emp b ON e.boss = b.id ORDER BY e.id
--> name text | boss text
--> Ben | Ada
--> Cid | Ada
--> Dot | Cid
--> Eve | Cid
--> SELECT 4

SELECT dept, count(*), sum(pay), avg(pay), min(pay), max(name) FROM q_emp GROUP BY dept ORDER BY dept
--> dept int4 | count int8 | sum numeric | avg numeric | min numeric | max text
--> 1 | 2 | 9000.50 | 4500.2500000000000000 | 4000.50 | Ben
--> 2 | 2 | 6000.00 | 3000.0000000000000000 | 3000.00 | Dot
--> ∅ | 1 | ∅ | ∅ | ∅ | Eve
--> SELECT 3

SELECT dept, count(*) AS n FROM q_emp GROUP BY dept HAVING count(*) > 1 ORDER BY n DESC, dept
--> dept int4 | n int8
--> 1 | 2
--> 2 | 2
--> SELECT 2

SELECT dept, name FROM q_emp GROUP BY dept
--> ERROR 42803: column "q_emp.name" must appear in the GROUP BY clause or be used in an aggregate function

SELECT count(*), count(pay), count(DISTINCT pay), sum(id), avg(id) FROM q_emp
--> count int8 | count int8 | count int8 | sum int8 | avg numeric
--> 5 | 4 | 3 | 15 | 3.0000000000000000
--> SELECT 1

SELECT sum(pay), count(*), max(pay) FROM q_emp WHERE false
--> sum numeric | count int8 | max numeric
--> ∅ | 0 | ∅
--> SELECT 1

SELECT string_agg(name, ', ' ORDER BY name DESC), array_agg(id ORDER BY id), bool_and(pay > 1), bool_or(pay IS NULL) FROM q_emp
--> string_agg text | array_agg int4[] | bool_and bool | bool_or bool
--> Eve, Dot, Cid, Ben, Ada | {1,2,3,4,5} | t | t
--> SELECT 1

SELECT count(*) FILTER (WHERE pay > 3500) AS rich, count(*) FILTER (WHERE pay <= 3500) AS poor FROM q_emp
--> rich int8 | poor int8
--> 2 | 2
--> SELECT 1

SELECT DISTINCT dept FROM q_emp ORDER BY dept
--> dept int4
--> 1
--> 2
--> ∅
--> SELECT 3

SELECT DISTINCT ON (dept) dept, name FROM q_emp ORDER BY dept, pay DESC NULLS LAST, id
--> dept int4 | name text
--> 1 | Ada
--> 2 | Cid
--> ∅ | Eve
--> SELECT 3

SELECT name FROM q_emp ORDER BY pay DESC NULLS LAST, name LIMIT 2 OFFSET 1
--> name text
--> Ben
--> Cid
--> SELECT 2

SELECT name, pay FROM q_emp ORDER BY pay
--> name text | pay numeric
--> Cid | 3000.00
--> Dot | 3000.00
--> Ben | 4000.50
--> Ada | 5000.00
--> Eve | ∅
--> SELECT 5

SELECT name FROM q_emp ORDER BY id FETCH FIRST 2 ROWS ONLY
--> name text
--> Ada
--> Ben
--> SELECT 2

SELECT name FROM q_emp WHERE dept IN (SELECT id FROM q_dept WHERE name LIKE 'd%') ORDER BY name
--> name text
--> Ada
--> Ben
--> SELECT 2

SELECT name FROM q_dept d WHERE NOT EXISTS (SELECT 1 FROM q_emp e WHERE e.dept = d.id)
--> name text
--> empty
--> SELECT 1

SELECT name, (SELECT count(*) FROM q_emp e WHERE e.dept = d.id) AS n FROM q_dept d ORDER BY id
--> name text | n int8
--> dev | 2
--> ops | 2
--> empty | 0
--> SELECT 3

SELECT name FROM q_emp WHERE pay > ALL (SELECT pay FROM q_emp WHERE dept = 2) ORDER BY name
--> name text
--> Ada
--> Ben
--> SELECT 2

SELECT name FROM q_emp WHERE id = ANY (ARRAY[1, 3, 99]) ORDER BY id
--> name text
--> Ada
--> Cid
--> SELECT 2

SELECT name FROM q_emp WHERE pay BETWEEN 3000 AND 4500 AND name NOT LIKE 'C%' ORDER BY id
--> name text
--> Ben
--> Dot
--> SELECT 2

SELECT name FROM q_emp WHERE name ILIKE '%E%' ORDER BY id
--> name text
--> Ben
--> Eve
--> SELECT 2

SELECT name FROM q_emp WHERE name ~ '^[A-C]' ORDER BY id
--> name text
--> Ada
--> Ben
--> Cid
--> SELECT 3

WITH rich AS (SELECT * FROM q_emp WHERE pay > 3500), names AS (SELECT name FROM rich) SELECT * FROM names ORDER BY name
--> name text
--> Ada
--> Ben
--> SELECT 2

WITH RECURSIVE chain AS (SELECT id, name, 1 AS depth FROM q_emp WHERE boss IS NULL UNION ALL SELECT e.id, e.name, c.depth + 1 FROM q_emp e JOIN chain c ON e.boss = c.id) SELECT * FROM chain ORDER BY depth, id
--> id int4 | name text | depth int4
--> 1 | Ada | 1
--> 2 | Ben | 2
--> 3 | Cid | 2
--> 4 | Dot | 3
--> 5 | Eve | 3
--> SELECT 5

WITH RECURSIVE t(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM t WHERE n < 100) SELECT sum(n) FROM t
--> sum int8
--> 5050
--> SELECT 1

SELECT name, pay, rank() OVER (ORDER BY pay DESC NULLS LAST), row_number() OVER (ORDER BY id) AS rn FROM q_emp ORDER BY id
--> name text | pay numeric | rank int8 | rn int8
--> Ada | 5000.00 | 1 | 1
--> Ben | 4000.50 | 2 | 2
--> Cid | 3000.00 | 3 | 3
--> Dot | 3000.00 | 3 | 4
--> Eve | ∅ | 5 | 5
--> SELECT 5

SELECT name, sum(pay) OVER (PARTITION BY dept ORDER BY id) AS running FROM q_emp ORDER BY id
--> name text | running numeric
--> Ada | 5000.00
--> Ben | 9000.50
--> Cid | 3000.00
--> Dot | 6000.00
--> Eve | ∅
--> SELECT 5

SELECT name, lag(name) OVER (ORDER BY id), lead(name, 2, 'none') OVER (ORDER BY id), first_value(name) OVER (PARTITION BY dept ORDER BY id) FROM q_emp ORDER BY id
--> name text | lag text | lead text | first_value text
--> Ada | ∅ | Cid | Ada
--> Ben | Ada | Dot | Ada
--> Cid | Ben | Eve | Cid
--> Dot | Cid | none | Cid
--> Eve | Dot | none | Eve
--> SELECT 5

SELECT name, dense_rank() OVER w, ntile(2) OVER w, percent_rank() OVER w FROM q_emp WHERE pay IS NOT NULL WINDOW w AS (ORDER BY pay) ORDER BY pay, name
--> name text | dense_rank int8 | ntile int4 | percent_rank float8
--> Cid | 1 | 1 | 0
--> Dot | 1 | 1 | 0
--> Ben | 2 | 2 | 0.6666666666666666
--> Ada | 3 | 2 | 1
--> SELECT 4

SELECT 1 AS a UNION SELECT 2 UNION SELECT 1 ORDER BY a
--> a int4
--> 1
--> 2
--> SELECT 2

SELECT 1 UNION ALL SELECT 1
--> ?column? int4
--> 1
--> 1
--> SELECT 2

SELECT id FROM q_emp INTERSECT SELECT id FROM q_dept ORDER BY id
--> id int4
--> 1
--> 2
--> 3
--> SELECT 3

SELECT id FROM q_emp EXCEPT SELECT id FROM q_dept ORDER BY id
--> id int4
--> 4
--> 5
--> SELECT 2

VALUES (1, 'a'), (2, 'b') ORDER BY 1 DESC
--> column1 int4 | column2 text
--> 2 | b
--> 1 | a
--> SELECT 2

SELECT * FROM (VALUES (1, 'x'), (2, NULL)) AS v (id, t) WHERE t IS NOT NULL
--> id int4 | t text
--> 1 | x
--> SELECT 1

SELECT CASE WHEN pay > 3500 THEN 'high' WHEN pay IS NULL THEN 'none' ELSE 'low' END AS class, count(*) FROM q_emp GROUP BY 1 ORDER BY 1
--> class text | count int8
--> high | 2
--> low | 2
--> none | 1
--> SELECT 3

SELECT coalesce(pay, 0), nullif(dept, 1), greatest(1, 5, 3), least(2, NULL, 1) FROM q_emp ORDER BY id LIMIT 2
--> coalesce numeric | nullif int4 | greatest int4 | least int4
--> 5000.00 | ∅ | 5 | 1
--> 4000.50 | ∅ | 5 | 1
--> SELECT 2

SELECT name FROM q_emp WHERE dept IS DISTINCT FROM 1 ORDER BY id
--> name text
--> Cid
--> Dot
--> Eve
--> SELECT 3

SELECT e.* FROM q_emp e JOIN LATERAL (SELECT max(pay) AS top FROM q_emp x WHERE x.dept = e.dept) m ON m.top = e.pay ORDER BY e.id
--> id int4 | dept int4 | name text | pay numeric | boss int4 | hired date
--> 1 | 1 | Ada | 5000.00 | ∅ | 2020-01-15
--> 3 | 2 | Cid | 3000.00 | 1 | 2021-03-01
--> 4 | 2 | Dot | 3000.00 | 3 | 2022-12-31
--> SELECT 3

SELECT extract(year FROM hired) AS y, count(*) FROM q_emp WHERE hired IS NOT NULL GROUP BY 1 ORDER BY 1
--> y numeric | count int8
--> 2020 | 1
--> 2021 | 2
--> 2022 | 1
--> SELECT 3

SELECT n, n * n AS sq FROM generate_series(1, 4) AS n
--> n int4 | sq int4
--> 1 | 1
--> 2 | 4
--> 3 | 9
--> 4 | 16
--> SELECT 4

SELECT generate_series(1, 3) AS n, 'x' AS t
--> n int4 | t text
--> 1 | x
--> 2 | x
--> 3 | x
--> SELECT 3

SELECT u, o FROM unnest(ARRAY['a', 'b']) WITH ORDINALITY AS t (u, o)
--> u text | o int8
--> a | 1
--> b | 2
--> SELECT 2

SELECT nothing FROM q_emp
--> ERROR 42703: column "nothing" does not exist

SELECT q_emp.nothing FROM q_emp
--> ERROR 42703: column q_emp.nothing does not exist

SELECT x.name FROM q_emp
--> ERROR 42P01: missing FROM-clause entry for table "x"

SELECT name FROM q_emp WHERE name = 1
--> ERROR 42883: operator does not exist: text = integer

SELECT count(*) FROM q_emp WHERE count(*) > 1
--> ERROR 42803: aggregate functions are not allowed in WHERE

SELECT nofunction(1)
--> ERROR 42883: function nofunction(integer) does not exist

SELECT 1 / 0
--> ERROR 22012: division by zero

SELECT name FROM q_emp GROUP BY name ORDER BY pay
--> ERROR 42803: column "q_emp.pay" must appear in the GROUP BY clause or be used in an aggregate function

SELEC 1
--> ERROR 42601: syntax error at or near "SELEC"

SELECT 'unterminated
--> ERROR 42601: unterminated quoted string at or near "'unterminated"

SELECT (SELECT id FROM q_emp)
--> ERROR 21000: more than one row returned by a subquery used as an expression

SELECT 1 UNION SELECT 'a'
--> ERROR 22P02: invalid input syntax for type integer: "a"

SELECT 1, 2 UNION SELECT 1
--> ERROR 42601: each UNION query must have the same number of columns

DROP TABLE q_emp, q_dept
--> DROP TABLE

CREATE TABLE q_case (id int, pay numeric, since interval)
--> CREATE TABLE

INSERT INTO q_case VALUES (1, 10, '1 day'), (2, 9, '2 days'), (3, NULL, NULL), (4, 100.0, '30 days')
--> INSERT 0 4

SELECT CASE WHEN pay > 9.5 THEN 'high' WHEN pay IS NULL THEN 'none' ELSE 'Low' END AS c FROM q_case ORDER BY 1
--> c text
--> Low
--> high
--> high
--> none
--> SELECT 4

SELECT id, CASE WHEN since > '25 hours' THEN 10.0 ELSE pay END AS c FROM q_case ORDER BY c, id
--> id int4 | c numeric
--> 1 | 10
--> 2 | 10.0
--> 4 | 10.0
--> 3 | ∅
--> SELECT 4

SELECT max(CASE WHEN pay > 9.5 THEN 'b' ELSE 'B' END), min(CASE WHEN pay > 9.5 THEN 'b' ELSE 'B' END) FROM q_case
--> max text | min text
--> b | B
--> SELECT 1

SELECT id FROM q_case WHERE CASE WHEN since > '25 hours' THEN 10.0 ELSE 9 END > pay ORDER BY id
--> id int4
--> 2
--> SELECT 1

SELECT c, count(*) FROM (SELECT CASE WHEN pay > 9.5 THEN '10' ELSE '10.0' END AS c FROM q_case) AS s GROUP BY c ORDER BY c
--> c text | count int8
--> 10 | 2
--> 10.0 | 2
--> SELECT 2

SELECT DISTINCT CASE WHEN pay > 9.5 THEN '10' ELSE '10.0' END AS c FROM q_case ORDER BY c
--> c text
--> 10
--> 10.0
--> SELECT 2

SELECT CASE WHEN pay > 9.5 THEN '10' ELSE '10.0' END AS c FROM q_case UNION SELECT '1e1' ORDER BY c
--> c text
--> 10
--> 10.0
--> 1e1
--> SELECT 3

DROP TABLE q_case
--> DROP TABLE
