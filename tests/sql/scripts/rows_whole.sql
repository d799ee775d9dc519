-- Whole rows as values, written with a star; names of joined columns.

CREATE TABLE rw_t (a int, b int, c text)
--> CREATE TABLE

INSERT INTO rw_t VALUES (1, 2, 'x'), (3, NULL, NULL), (NULL, NULL, NULL)
--> INSERT 0 3

SELECT rw_t.* IS NULL AS none, rw_t.* IS NOT NULL AS every, (rw_t) IS NULL AS same, NOT rw_t.* IS NULL AS some FROM rw_t ORDER BY a
--> none bool | every bool | same bool | some bool
--> f | t | f | t
--> f | f | f | t
--> t | f | t | f
--> SELECT 3

SELECT r.a, s.* IS NULL AS missing, s IS NOT NULL AS there, s.* IS DISTINCT FROM NULL AS is FROM rw_t r LEFT JOIN rw_t s ON s.a = r.a + 2 ORDER BY r.a
--> a int4 | missing bool | there bool | is bool
--> 1 | f | f | t
--> 3 | t | f | f
--> ∅ | t | f | f
--> SELECT 3

SELECT r.* = s.*, r.* < s.*, (r.*) >= (s.*) FROM rw_t r, rw_t s WHERE r.a = 1 ORDER BY s.a
--> ?column? bool | ?column? bool | ?column? bool
--> t | f | t
--> f | t | f
--> f | t | f
--> SELECT 3

SELECT r.*::text, (r.*)::text, (r.*).a FROM rw_t r ORDER BY a
--> r text | r text | a int4
--> (1,2,x) | (1,2,x) | 1
--> (3,,) | (3,,) | 3
--> (,,) | (,,) | ∅
--> SELECT 3

SELECT count(*) FROM rw_t r WHERE r.* IS NOT NULL
--> count int8
--> 1
--> SELECT 1

SELECT CASE WHEN r.* IS NULL THEN 'none' ELSE 'some' END, r.* FROM rw_t r ORDER BY a
--> case text | a int4 | b int4 | c text
--> some | 1 | 2 | x
--> some | 3 | ∅ | ∅
--> none | ∅ | ∅ | ∅
--> SELECT 3

SELECT a FROM rw_t r WHERE EXISTS (SELECT 1 FROM rw_t s WHERE r.* IS NOT DISTINCT FROM s.*) ORDER BY a
--> a int4
--> 1
--> 3
--> ∅
--> SELECT 3

SELECT count(r.*), max(row_to_json(r.*)::text), max(ROW(r.*, 5)::text) FROM rw_t r
--> count int8 | max text | max text
--> 3 | {"a":null,"b":null,"c":null} | (3,,,5)
--> SELECT 1

SELECT ROW() IS NULL, ROW() IS NOT NULL, ROW(NULL, NULL) IS NULL, ROW(1, NULL) IS NOT NULL, ROW(ROW(NULL)) IS NULL, ROW(ROW(NULL)) IS NOT NULL
--> ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool
--> t | t | t | f | f | t
--> SELECT 1

-- A row that comes out of a query is looked into as well.
SELECT x IS NULL, x IS NOT NULL FROM (SELECT ROW(NULL, 1) AS x UNION ALL SELECT ROW(2, 3) UNION ALL SELECT NULL) q
--> ?column? bool | ?column? bool
--> f | f
--> f | t
--> t | f
--> SELECT 3

SELECT nope.* IS NULL FROM rw_t
--> ERROR 42P01: missing FROM-clause entry for table "nope"

CREATE TABLE rw_u (a int, d text)
--> CREATE TABLE

INSERT INTO rw_u VALUES (1, 'p'), (3, 'q'), (9, 'r')
--> INSERT 0 3

SELECT * FROM rw_t JOIN rw_u USING (a) AS j ORDER BY j.a
--> a int4 | b int4 | c text | d text
--> 1 | 2 | x | p
--> 3 | ∅ | ∅ | q
--> SELECT 2

SELECT j.*, j, row_to_json(j), rw_t.c, rw_u.d FROM rw_t JOIN rw_u USING (a) AS j ORDER BY j.a
--> a int4 | j record | row_to_json json | c text | d text
--> 1 | (1) | {"a":1} | x | p
--> 3 | (3) | {"a":3} | ∅ | q
--> SELECT 2

SELECT j.a, rw_u.d FROM rw_t RIGHT JOIN rw_u USING (a) AS j WHERE j.a > 1 ORDER BY j.a
--> a int4 | d text
--> 3 | q
--> 9 | r
--> SELECT 2

SELECT j.a, k.e FROM rw_t FULL JOIN rw_u USING (a) AS j JOIN (VALUES (9, 1)) k(a, e) ON k.a = j.a
--> a int4 | e int4
--> 9 | 1
--> SELECT 1

SELECT * FROM (rw_t JOIN rw_u USING (a) AS j) WHERE j.a = 3
--> a int4 | b int4 | c text | d text
--> 3 | ∅ | ∅ | q
--> SELECT 1

SELECT * FROM (rw_t JOIN rw_u USING (a) AS j) AS k WHERE j.a = 3
--> ERROR 42P01: missing FROM-clause entry for table "j"

SELECT j.d FROM rw_t JOIN rw_u USING (a) AS j
--> ERROR 42703: column j.d does not exist

SELECT 1 FROM rw_t JOIN rw_u USING (a) AS rw_t
--> ERROR 42712: table name "rw_t" specified more than once

CREATE VIEW rw_v AS SELECT j.a, t.* IS NULL AS none FROM rw_t t JOIN rw_u USING (a) AS j
--> CREATE VIEW

SELECT * FROM rw_v ORDER BY a
--> a int4 | none bool
--> 1 | f
--> 3 | f
--> SELECT 2

-- The columns of an item outside of a subquery.
SELECT r.a, s.* FROM rw_t r LEFT JOIN rw_u ON r.a = rw_u.a, LATERAL (SELECT x.d || '!' AS e FROM rw_u x WHERE x.a = r.a) l, LATERAL (SELECT l.*, r.* FROM rw_u LIMIT 1) s ORDER BY 1
--> a int4 | e text | a int4 | b int4 | c text
--> 1 | p! | 1 | 2 | x
--> 3 | q! | 3 | ∅ | ∅
--> SELECT 2

SELECT (SELECT count(*) FROM (SELECT r.* FROM rw_u) q) FROM rw_t r
--> count int8
--> 3
--> 3
--> 3
--> SELECT 3

DROP VIEW rw_v
--> DROP VIEW

DROP TABLE rw_t, rw_u
--> DROP TABLE
