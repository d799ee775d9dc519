-- DISTINCT ON with an order of its own takes its first rows before functions of the list yield theirs.

SELECT DISTINCT ON (a) a, b, generate_series(1, 3) g FROM (VALUES (3, 2), (3, 1), (1, 1), (1, 4), (5, 3), (5, 1)) t(a, b) ORDER BY a, b DESC
--> a int4 | b int4 | g int4
--> 1 | 4 | 1
--> 1 | 4 | 2
--> 1 | 4 | 3
--> 3 | 2 | 1
--> 3 | 2 | 2
--> 3 | 2 | 3
--> 5 | 3 | 1
--> 5 | 3 | 2
--> 5 | 3 | 3
--> SELECT 9

SELECT DISTINCT ON (a) a, b, generate_series(1, 3) g FROM (VALUES (3, 2), (3, 1), (1, 1), (1, 4), (5, 3), (5, 1)) t(a, b) ORDER BY a, b DESC, g
--> a int4 | b int4 | g int4
--> 1 | 4 | 1
--> 3 | 2 | 1
--> 5 | 3 | 1
--> SELECT 3

SELECT DISTINCT ON (a) a, b, unnest(array[b, a]) g FROM (VALUES (3, 2), (3, 1), (1, 1), (1, 4), (5, 3), (5, 1)) t(a, b) ORDER BY a, b
--> a int4 | b int4 | g int4
--> 1 | 1 | 1
--> 1 | 1 | 1
--> 3 | 1 | 1
--> 3 | 1 | 3
--> 5 | 1 | 1
--> 5 | 1 | 5
--> SELECT 6

SELECT DISTINCT ON (a) a, count(*), generate_series(1, 2) g FROM (VALUES (3, 2), (3, 1), (1, 1), (1, 4), (5, 3), (5, 1)) t(a, b) GROUP BY a, b ORDER BY a, b
--> a int4 | count int8 | g int4
--> 1 | 1 | 1
--> 1 | 1 | 2
--> 3 | 1 | 1
--> 3 | 1 | 2
--> 5 | 1 | 1
--> 5 | 1 | 2
--> SELECT 6

SELECT DISTINCT ON (a) a, b, generate_series(1, 3) g FROM (VALUES (3, 2), (3, 1), (1, 1), (1, 4)) t(a, b) ORDER BY a, b DESC LIMIT 4
--> a int4 | b int4 | g int4
--> 1 | 4 | 1
--> 1 | 4 | 2
--> 1 | 4 | 3
--> 3 | 2 | 1
--> SELECT 4

SELECT DISTINCT ON (a % 2) a, generate_series(1, a) FROM generate_series(1, 5) a ORDER BY a % 2, a DESC
--> a int4 | generate_series int4
--> 4 | 1
--> 4 | 2
--> 4 | 3
--> 4 | 4
--> 5 | 1
--> 5 | 2
--> 5 | 3
--> 5 | 4
--> 5 | 5
--> SELECT 9

SELECT DISTINCT ON (a) a, generate_series(1, 2), row_number() OVER (ORDER BY b) FROM (VALUES (3, 2), (3, 1), (1, 3)) t(a, b) ORDER BY a, b
--> a int4 | generate_series int4 | row_number int8
--> 1 | 1 | 3
--> 1 | 2 | 3
--> 3 | 1 | 1
--> 3 | 2 | 1
--> SELECT 4

SELECT array(SELECT DISTINCT ON (a) generate_series(1, a) FROM (VALUES (2), (2), (1)) t(a) ORDER BY a)
--> array int4[]
--> {1,1,2}
--> SELECT 1

SELECT DISTINCT a, generate_series(1, 2) g FROM (VALUES (3, 2), (3, 1)) t(a, b) ORDER BY a, g
--> a int4 | g int4
--> 3 | 1
--> 3 | 2
--> SELECT 2

SELECT pg_typeof(max(x)) FROM (VALUES ('fred'), ('jim')) v(x)
--> pg_typeof regtype
--> text
--> SELECT 1

SELECT pg_typeof(sum(x)), pg_typeof(1) FROM generate_series(1, 3) x
--> pg_typeof regtype | pg_typeof regtype
--> bigint | integer
--> SELECT 1

SELECT x % 2, pg_typeof(sum(x)) FROM generate_series(1, 3) x GROUP BY 1 ORDER BY 1
--> ?column? int4 | pg_typeof regtype
--> 0 | bigint
--> 1 | bigint
--> SELECT 2

SELECT COLLATION FOR (max(x)) FROM (VALUES ('fred'), ('jim')) v(x)
--> pg_collation_for text
--> "default"
--> SELECT 1

SELECT COLLATION FOR (max(x COLLATE "C")) FROM (VALUES ('fred'), ('jim')) v(x)
--> pg_collation_for text
--> "C"
--> SELECT 1

SELECT pg_collation_for(percentile_disc(1) WITHIN GROUP (ORDER BY x COLLATE "POSIX")) FROM (VALUES ('fred'), ('jim')) v(x)
--> pg_collation_for text
--> "POSIX"
--> SELECT 1
