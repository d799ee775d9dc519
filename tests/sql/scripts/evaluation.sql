-- What is computed when, how often, and in which order operators apply.

-- An UPDATE computes all its values before it changes a row.
CREATE TABLE v_h (id int PRIMARY KEY, a int, g int)
--> CREATE TABLE

INSERT INTO v_h VALUES (1, 10, 1), (2, 20, 1), (3, 30, 2)
--> INSERT 0 3

UPDATE v_h SET a = (SELECT b.a FROM v_h b WHERE b.id = v_h.id - 1)
--> UPDATE 3

SELECT id, a FROM v_h ORDER BY id
--> id int4 | a int4
--> 1 | ∅
--> 2 | 10
--> 3 | 20
--> SELECT 3

UPDATE v_h SET a = (SELECT count(*) FROM v_h b WHERE b.a IS NULL OR b.a < 100) + id * 100
--> UPDATE 3

SELECT id, a FROM v_h ORDER BY id
--> id int4 | a int4
--> 1 | 103
--> 2 | 203
--> 3 | 303
--> SELECT 3

UPDATE v_h SET (g, a) = (SELECT max(b.g) + 1, sum(b.a) FROM v_h b WHERE b.g <= v_h.g) RETURNING id, g, a
--> id int4 | g int4 | a int4
--> 1 | 2 | 306
--> 2 | 2 | 306
--> 3 | 3 | 609
--> UPDATE 3

-- A row to be assigned is one row.
UPDATE v_h SET (g, a) = (SELECT b.g, b.a FROM v_h b)
--> ERROR 21000: more than one row returned by a subquery used as an expression

UPDATE v_h SET (g, a) = (SELECT b.g, b.a FROM v_h b WHERE b.id = 99)
--> UPDATE 3

SELECT count(g), count(a) FROM v_h
--> count int8 | count int8
--> 0 | 0
--> SELECT 1

-- What a volatile function has given stays what it is.
SELECT count(*) FROM (SELECT random() AS r FROM generate_series(1, 100)) s WHERE r <> r
--> count int8
--> 0
--> SELECT 1

SELECT count(*) FROM (SELECT u, u AS v FROM (SELECT gen_random_uuid() AS u FROM generate_series(1, 5)) s) t WHERE u <> v
--> count int8
--> 0
--> SELECT 1

WITH d AS (SELECT random() AS r) SELECT count(*) FROM d a, d b WHERE a.r <> b.r
--> count int8
--> 0
--> SELECT 1

CREATE VIEW v_dice AS SELECT random() AS r, n FROM generate_series(1, 3) n
--> CREATE VIEW

SELECT count(*) FROM v_dice WHERE r <> r OR r + 1 < r
--> count int8
--> 0
--> SELECT 1

CREATE SEQUENCE v_s
--> CREATE SEQUENCE

CREATE TABLE v_pair (a bigint, b bigint)
--> CREATE TABLE

INSERT INTO v_pair SELECT n, n FROM (SELECT nextval('v_s') AS n FROM generate_series(1, 3)) s
--> INSERT 0 3

SELECT * FROM v_pair ORDER BY a
--> a int8 | b int8
--> 1 | 1
--> 2 | 2
--> 3 | 3
--> SELECT 3

SELECT count(*) FROM v_pair p WHERE EXISTS (SELECT 1 FROM (SELECT random() + p.a AS r) s WHERE r <> r)
--> count int8
--> 0
--> SELECT 1

-- The parts of a set operation keep their groups to themselves.
SELECT count(*) AS n FROM v_pair HAVING count(*) > 5 UNION SELECT 1 ORDER BY 1
--> n int8
--> 1
--> SELECT 1

SELECT 1 AS n UNION SELECT count(*) FROM v_pair HAVING count(*) > 5 ORDER BY n
--> n int8
--> 1
--> SELECT 1

SELECT a AS n FROM v_pair UNION SELECT sum(b) FROM v_pair GROUP BY a > 1 HAVING sum(b) > 1 ORDER BY n DESC
--> n numeric
--> 5
--> 3
--> 2
--> 1
--> SELECT 4

SELECT a FROM v_pair EXCEPT SELECT max(b) FROM v_pair GROUP BY b HAVING b < 3 ORDER BY 1
--> a int8
--> 3
--> SELECT 1

-- Precedence of operators.
SELECT -2 ^ 2, 2 ^ -1, 2 ^ 3 ^ 2, -(2 ^ 2)
--> ?column? float8 | ?column? float8 | ?column? float8 | ?column? float8
--> 4 | 0.5 | 64 | -4
--> SELECT 1

SELECT ~2 - ~2, @ 2 - 7, @ -3 + 1, 2 - -3
--> ?column? int4 | ?column? int4 | ?column? int4 | ?column? int4
--> -6 | 5 | 2 | 5
--> SELECT 1

SELECT 'a' ~ 'a' || 'b', 1 + 2 || 'x', 'x' || 1 + 2
--> ?column? text | ?column? text | ?column? text
--> trueb | 3x | x3
--> SELECT 1

SELECT 1 < 2 = true
--> ERROR 42601: syntax error at or near "="

SELECT 1 = 1 = true
--> ERROR 42601: syntax error at or near "="

SELECT (1 < 2) = true, 1 < 2 AND 2 > 1, 1 = 1 IS TRUE, NOT 1 = 2
--> ?column? bool | ?column? bool | ?column? bool | ?column? bool
--> t | t | t | t
--> SELECT 1

SELECT 3>=-1, 3<=-1, 3<>-1, 3=-1, 2*-1, 2+-1, 2 - -1
--> ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? int4 | ?column? int4 | ?column? int4
--> t | f | t | f | -2 | 1 | 3
--> SELECT 1

SELECT '[1,2]'::jsonb->-1, '[1,2]'::jsonb->>-2
--> ?column? jsonb | ?column? text
--> 2 | 1
--> SELECT 1

SELECT 5 & 3 | 8, 1 << 2 + 1, 7 % 4 * 2
--> ?column? int4 | ?column? int4 | ?column? int4
--> 9 | 8 | 6
--> SELECT 1

-- Literals are not looked into.
CREATE TABLE v_note (id int PRIMARY KEY, note text)
--> CREATE TABLE

INSERT INTO v_note VALUES (1, 'a'), (2, 'b')
--> INSERT 0 2

UPDATE v_note SET note = 'say ?SKIP and ?1' WHERE id = (SELECT id FROM v_note ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1)
--> UPDATE 1

SELECT note FROM v_note ORDER BY id
--> note text
--> say ?SKIP and ?1
--> b
--> SELECT 2
