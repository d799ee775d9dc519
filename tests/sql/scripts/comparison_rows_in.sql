-- Rows among the rows of a query, where some have NULLs, with indexes of each direction.

CREATE TABLE ri (a int, s text)
--> CREATE TABLE

CREATE TABLE rl (a int, s text)
--> CREATE TABLE

INSERT INTO rl VALUES (1, 'y'), (7, 'a'), (7, 'b'), (NULL, 'y')
--> INSERT 0 4

INSERT INTO ri VALUES (NULL, 'y'), (7, 'a')
--> INSERT 0 2

SELECT a, s, (a, s) IN (SELECT a, s FROM ri), (a, s) NOT IN (SELECT ri.a, ri.s FROM ri) FROM rl ORDER BY a, s
--> a int4 | s text | ?column? bool | ?column? bool
--> 1 | y | ∅ | ∅
--> 7 | a | t | f
--> 7 | b | f | t
--> ∅ | y | ∅ | ∅
--> SELECT 4

CREATE INDEX ri_down ON ri (s DESC NULLS LAST, a)
--> CREATE INDEX

SELECT a, s, (a, s) IN (SELECT a, s FROM ri), (a, s) NOT IN (SELECT ri.a, ri.s FROM ri) FROM rl ORDER BY a, s
--> a int4 | s text | ?column? bool | ?column? bool
--> 1 | y | ∅ | ∅
--> 7 | a | t | f
--> 7 | b | f | t
--> ∅ | y | ∅ | ∅
--> SELECT 4

DELETE FROM rl WHERE (a, s) NOT IN (SELECT ri.a, ri.s FROM ri)
--> DELETE 1

SELECT count(*) FROM rl
--> count int8
--> 3
--> SELECT 1

DROP INDEX ri_down
--> DROP INDEX

CREATE INDEX ri_down ON ri (a DESC NULLS LAST, s DESC NULLS LAST)
--> CREATE INDEX

SELECT a, s, (a, s) IN (SELECT a, s FROM ri), (s, a) IN (SELECT s, a FROM ri) FROM rl ORDER BY a, s
--> a int4 | s text | ?column? bool | ?column? bool
--> 1 | y | ∅ | ∅
--> 7 | a | t | t
--> ∅ | y | ∅ | ∅
--> SELECT 3

DROP INDEX ri_down
--> DROP INDEX

CREATE INDEX ri_down ON ri (a DESC, s)
--> CREATE INDEX

SELECT a, s, (a, s) IN (SELECT a, s FROM ri), (s, a) IN (SELECT s, a FROM ri) FROM rl ORDER BY a, s
--> a int4 | s text | ?column? bool | ?column? bool
--> 1 | y | ∅ | ∅
--> 7 | a | t | t
--> ∅ | y | ∅ | ∅
--> SELECT 3

SELECT a, a IN (SELECT a FROM ri), a NOT IN (SELECT a FROM ri) FROM rl ORDER BY a, s
--> a int4 | ?column? bool | ?column? bool
--> 1 | ∅ | ∅
--> 7 | t | f
--> ∅ | ∅ | ∅
--> SELECT 3

DROP TABLE ri, rl
--> DROP TABLE
