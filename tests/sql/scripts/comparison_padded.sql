-- char(n) beside other texts: whether blanks at the end count is decided by the two types, wherever the comparison stands.

CREATE TABLE cp (v varchar(9), c char(5), t text)
--> CREATE TABLE

INSERT INTO cp VALUES ('c ', 'c', 'c ')
--> INSERT 0 1

SELECT v = c, v <> c, v IN (c), v IS DISTINCT FROM c, (v, 1) = (c, 1), CASE v WHEN c THEN 1 ELSE 0 END, nullif(v, c), v BETWEEN c AND c, v = ANY (ARRAY[c]), v > c FROM cp
--> ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | case int4 | nullif bpchar | ?column? bool | ?column? bool | ?column? bool
--> t | f | t | f | t | 1 | ∅ | t | t | f
--> SELECT 1

SELECT c = v, c <> v, c IN (v), c IS DISTINCT FROM v, (c, 1) = (v, 1), CASE c WHEN v THEN 1 ELSE 0 END, nullif(c, v), c BETWEEN v AND v, c = ANY (ARRAY[v]), c > v FROM cp
--> ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | case int4 | nullif bpchar | ?column? bool | ?column? bool | ?column? bool
--> t | f | t | f | t | 1 | ∅ | t | t | f
--> SELECT 1

SELECT c = t, t = c, c IN (t), c IN (t, t), t IN (c), v IN (c, t), t IN (c, v), (c, 1) IN ((t, 1)) FROM cp
--> ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool
--> f | f | f | f | f | t | t | f
--> SELECT 1

SELECT 'c '::varchar IN ('c'::char(5)), 'c '::varchar = 'c'::char(5), 'c '::text IN ('c'::char(5))
--> ?column? bool | ?column? bool | ?column? bool
--> t | t | f
--> SELECT 1

SELECT count(*) FROM cp a JOIN cp b ON a.v = b.c
--> count int8
--> 1
--> SELECT 1

SELECT count(*) FROM cp a JOIN cp b ON a.c = b.v
--> count int8
--> 1
--> SELECT 1

SELECT count(*) FROM cp a JOIN cp b ON a.v = b.v::char(5)
--> count int8
--> 1
--> SELECT 1

SELECT EXISTS (SELECT FROM cp z WHERE z.v = x.c), NOT EXISTS (SELECT FROM cp z WHERE z.c = x.v), v IN (SELECT z.c FROM cp z), v NOT IN (SELECT z.c FROM cp z), c IN (SELECT z.v FROM cp z), (v, 1) IN (SELECT z.c, 1 FROM cp z) FROM cp x
--> exists bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool
--> t | f | t | f | t | t
--> SELECT 1

CREATE INDEX ON cp (c)
--> CREATE INDEX

CREATE INDEX ON cp (v)
--> CREATE INDEX

SELECT count(*) FROM cp a JOIN cp b ON a.v = b.c
--> count int8
--> 1
--> SELECT 1

SELECT count(*) FROM cp WHERE c = 'c '::varchar
--> count int8
--> 1
--> SELECT 1

SELECT v FROM cp WHERE v = 'c'::char(3)
--> v varchar
--> c
--> SELECT 1

DROP TABLE cp
--> DROP TABLE
