-- What a view means stays what it was when it was made.
CREATE TABLE vf_t (id int PRIMARY KEY, a text, b int)
--> CREATE TABLE

CREATE TABLE vf_u (id int PRIMARY KEY, c text)
--> CREATE TABLE

INSERT INTO vf_t VALUES (1, 'x', 10), (2, 'y', 20)
--> INSERT 0 2

INSERT INTO vf_u VALUES (1, 'one'), (3, 'three')
--> INSERT 0 2

CREATE VIEW vf_1 AS SELECT * FROM vf_t
--> CREATE VIEW

CREATE VIEW vf_2 AS SELECT * FROM vf_t NATURAL JOIN vf_u
--> CREATE VIEW

CREATE VIEW vf_3 AS SELECT t.*, u.c AS d FROM vf_t t LEFT JOIN vf_u u USING (id)
--> CREATE VIEW

CREATE VIEW vf_4 AS SELECT *, b * 2 AS twice FROM vf_t, (SELECT c FROM vf_u WHERE id = 1) AS s
--> CREATE VIEW

CREATE VIEW vf_5 AS SELECT x.n, x.a FROM (SELECT id AS n, a FROM vf_t WHERE b > 5) AS x ORDER BY x.n
--> CREATE VIEW

CREATE VIEW vf_6 AS SELECT a FROM vf_1 WHERE id = 1
--> CREATE VIEW

CREATE VIEW vf_7 AS SELECT id, (SELECT count(*) FROM vf_u WHERE vf_u.id = vf_t.id) AS n FROM vf_t GROUP BY id HAVING max(b) > 1
--> CREATE VIEW

ALTER TABLE vf_t ADD COLUMN c text DEFAULT 'new'
--> ALTER TABLE

ALTER TABLE vf_u ADD COLUMN a text DEFAULT 'other'
--> ALTER TABLE

SELECT * FROM vf_1 ORDER BY id
--> id int4 | a text | b int4
--> 1 | x | 10
--> 2 | y | 20
--> SELECT 2

SELECT * FROM vf_2
--> id int4 | a text | b int4 | c text
--> 1 | x | 10 | one
--> SELECT 1

SELECT * FROM vf_3 ORDER BY id
--> id int4 | a text | b int4 | d text
--> 1 | x | 10 | one
--> 2 | y | 20 | ∅
--> SELECT 2

SELECT * FROM vf_4 ORDER BY id
--> id int4 | a text | b int4 | c text | twice int4
--> 1 | x | 10 | one | 20
--> 2 | y | 20 | one | 40
--> SELECT 2

ALTER TABLE vf_t RENAME COLUMN a TO aa
--> ALTER TABLE

ALTER TABLE vf_t RENAME COLUMN c TO cc
--> ALTER TABLE

SELECT * FROM vf_1 ORDER BY id
--> id int4 | a text | b int4
--> 1 | x | 10
--> 2 | y | 20
--> SELECT 2

SELECT * FROM vf_5
--> n int4 | a text
--> 1 | x
--> 2 | y
--> SELECT 2

SELECT * FROM vf_6
--> a text
--> x
--> SELECT 1

ALTER TABLE vf_t RENAME TO vf_tt
--> ALTER TABLE

SELECT * FROM vf_3 ORDER BY id
--> id int4 | a text | b int4 | d text
--> 1 | x | 10 | one
--> 2 | y | 20 | ∅
--> SELECT 2

SELECT * FROM vf_7 ORDER BY id
--> id int4 | n int8
--> 1 | 1
--> 2 | 0
--> SELECT 2

ALTER VIEW vf_1 RENAME TO vf_11
--> ALTER VIEW

SELECT * FROM vf_6
--> a text
--> x
--> SELECT 1

ALTER TABLE vf_tt DROP COLUMN cc
--> ALTER TABLE

ALTER TABLE vf_tt DROP COLUMN aa
--> ERROR 2BP01: cannot drop column aa of table vf_tt because other objects depend on it
-->   detail: view vf_11 depends on column aa of table vf_tt
--> view vf_6 depends on view vf_11
--> view vf_2 depends on column aa of table vf_tt
--> view vf_3 depends on column aa of table vf_tt
--> view vf_4 depends on column aa of table vf_tt
--> view vf_5 depends on column aa of table vf_tt

ALTER TABLE vf_tt ADD COLUMN free int
--> ALTER TABLE

ALTER TABLE vf_tt ALTER COLUMN free TYPE text
--> ALTER TABLE

ALTER TABLE vf_tt ALTER COLUMN b TYPE bigint
--> ERROR 0A000: cannot alter type of a column used by a view or rule
-->   detail: rule _RETURN on view vf_11 depends on column "b"

ALTER TABLE vf_u DROP COLUMN a
--> ALTER TABLE

DROP TABLE vf_tt CASCADE
--> NOTICE: drop cascades to 7 other objects
--> DROP TABLE

DROP TABLE vf_u CASCADE
--> DROP TABLE
