-- What ordered-set aggregates and DISTINCT in aggregates may read.
CREATE TABLE os (f varchar, x int, p float8);
INSERT INTO os VALUES ('b', 1, 0.5), ('a', 2, 0.5), ('c', 3, 0.25);
--> CREATE TABLE
--> INSERT 0 3

SELECT string_agg(DISTINCT f, ',' ORDER BY f) FROM os;
--> string_agg text
--> a,b,c
--> SELECT 1

SELECT string_agg(DISTINCT f::text, ',' ORDER BY f::text) FROM os;
--> string_agg text
--> a,b,c
--> SELECT 1

SELECT string_agg(DISTINCT f::text, ',' ORDER BY f) FROM os;
--> ERROR 42P10: in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list

SELECT string_agg(DISTINCT f, ',' ORDER BY f::text) FROM os;
--> ERROR 42P10: in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list

SELECT rank(x) WITHIN GROUP (ORDER BY x) FROM os;
--> ERROR 42803: column "os.x" must appear in the GROUP BY clause or be used in an aggregate function
-->   detail: Direct arguments of an ordered-set aggregate must use only grouped columns.

SELECT percentile_cont(p) WITHIN GROUP (ORDER BY x) FROM os;
--> ERROR 42803: column "os.p" must appear in the GROUP BY clause or be used in an aggregate function
-->   detail: Direct arguments of an ordered-set aggregate must use only grouped columns.

SELECT p, percentile_cont(p) WITHIN GROUP (ORDER BY x) FROM os GROUP BY p ORDER BY p;
--> p float8 | percentile_cont float8
--> 0.25 | 3
--> 0.5 | 1.5
--> SELECT 2

SELECT p, rank(p) WITHIN GROUP (ORDER BY x) FROM os GROUP BY p ORDER BY p;
--> p float8 | rank int8
--> 0.25 | 1
--> 0.5 | 1
--> SELECT 2

SELECT p, percentile_cont(p ORDER BY p) WITHIN GROUP (ORDER BY x) FROM os GROUP BY p;
--> ERROR 42601: cannot use multiple ORDER BY clauses with WITHIN GROUP

SELECT * FROM (SELECT) n, LATERAL (VALUES (n.*)) v;
-->
-->
--> SELECT 1

SELECT percentile_disc(ARRAY[[NULL, 1, 0.5], [0.75, 0.25, NULL]]) WITHIN GROUP (ORDER BY g) FROM generate_series(1, 9) g
--> percentile_disc int4[]
--> {{NULL,9,5},{7,3,NULL}}
--> SELECT 1

SELECT percentile_cont(ARRAY[[0.25, 0.5]]) WITHIN GROUP (ORDER BY g) FROM generate_series(1, 4) g
--> percentile_cont float8[]
--> {{1.75,2.5}}
--> SELECT 1
