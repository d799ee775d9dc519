-- Keywords as names of columns without AS, and what they are instead.

SELECT 1 view, 2 "for", 3 values, 5 cluster, 6 explain, 7 analyze, 8 end, 9 lateral, 10 both
--> view int4 | for int4 | values int4 | cluster int4 | explain int4 | analyze int4 | end int4 | lateral int4 | both int4
--> 1 | 2 | 3 | 5 | 6 | 7 | 8 | 9 | 10
--> SELECT 1

SELECT count(*) values FROM (SELECT 1 end) x
--> values int8
--> 1
--> SELECT 1

SELECT 1 FOR UPDATE
--> ?column? int4
--> 1
--> SELECT 1

SELECT 1 + 1 two FOR SHARE
--> two int4
--> 2
--> SELECT 1

SELECT 1 to
--> ERROR 42601: syntax error at or near "to"

SELECT 1 char
--> ERROR 42601: syntax error at or near "char"

SELECT sum(a) OVER w FROM (VALUES (1), (2)) v(a) WINDOW w AS (ORDER BY a)
--> sum int8
--> 1
--> 3
--> SELECT 2

SELECT 1 WINDOW w AS ()
--> ?column? int4
--> 1
--> SELECT 1

SELECT CASE WHEN true THEN 1 END end
--> end int4
--> 1
--> SELECT 1

SELECT text(1), text(true), text('a'::name), text(1.50), text('{1}'::int[]), text('1.2.3.4'::inet)
--> text text | text text | text text | text text | text text | text text
--> 1 | true | a | 1.50 | {1} | 1.2.3.4/32
--> SELECT 1

-- Behind a dot, every keyword is a name.
SELECT x.select, x.both, x.from, x.leading FROM (SELECT 1 AS "select", 2 AS "both", 3 AS "from", 4 AS "leading") x
--> select int4 | both int4 | from int4 | leading int4
--> 1 | 2 | 3 | 4
--> SELECT 1

SELECT x.trailing FROM (SELECT 1 AS "trailing") x
--> trailing int4
--> 1
--> SELECT 1

SELECT trim(both from ' a '), trim(trailing from 'b '), trim(from ' c')
--> btrim text | rtrim text | btrim text
--> a | b | c
--> SELECT 1
