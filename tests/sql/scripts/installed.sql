-- Kinds of statements that installed applications send first (tests/apps).

-- FreeRADIUS: a moment may have more words and signs around it; as a default it is that of the definition.
CREATE TABLE moments (id int, a timestamptz NOT NULL DEFAULT 'now()', b timestamp DEFAULT 'today 12:30', c date DEFAULT ' Tomorrow ', d timestamptz[] DEFAULT '{now,yesterday}', e timestamptz DEFAULT 'epoch')
--> CREATE TABLE

SELECT 'today 12:30'::timestamp - 'today'::timestamp, timestamp 'tomorrow 01:00' - 'today', 'now()'::timestamptz = now(), ' NOW ( ) '::timestamptz(0) = now()::timestamptz(0), '{now}'::timestamptz[] = ARRAY[now()], 'allballs'::time
--> ?column? interval | ?column? interval | ?column? bool | ?column? bool | ?column? bool | time time
--> 12:30:00 | 1 day 01:00:00 | t | t | t | 00:00:00
--> SELECT 1

INSERT INTO moments (id) SELECT 1
--> INSERT 0 1

SELECT pg_sleep(0.01)
--> pg_sleep void
-->
--> SELECT 1

INSERT INTO moments (id, b) VALUES (2, 'tomorrow 12:30')
--> INSERT 0 1

SELECT count(DISTINCT a), max(b) - min(b), count(DISTINCT c), count(DISTINCT d), max(a) <= now(), max(d[1]) = max(a) FROM moments
--> count int8 | ?column? interval | count int8 | count int8 | ?column? bool | ?column? bool
--> 1 | 1 day | 1 | 1 | t | t
--> SELECT 1

SELECT 'now or then'::timestamptz
--> ERROR 22007: invalid input syntax for type timestamp with time zone: "now or then"

-- Airflow: words that begin expressions of their own are names of columns where PostgreSQL takes them for such.
CREATE TABLE words (interval text, trim int, exists boolean, exclude int)
--> CREATE TABLE

INSERT INTO words (interval, trim, exists, exclude) VALUES ('{"a": 1}', 2, true, 3)
--> INSERT 0 1

SELECT CASE WHEN interval::jsonb ? 'a' THEN interval WHEN (trim > 1) THEN 'x' ELSE interval END, interval::jsonb ->> 'a', words.interval, trim + 1, - trim, exists IS TRUE, NOT exists, exclude, interval '1 day', interval(0) '1.5 s', trim(' x '), exists (SELECT 1) FROM words WHERE exists AND trim BETWEEN 1 AND exclude ORDER BY words.interval, - trim DESC, exists
--> interval text | ?column? text | interval text | ?column? int4 | ?column? int4 | ?column? bool | ?column? bool | exclude int4 | interval interval | interval interval | btrim text | exists bool
--> {"a": 1} | 1 | {"a": 1} | 3 | -2 | t | f | 3 | 1 day | 00:00:02 | x | t
--> SELECT 1

UPDATE words SET interval = interval || ' ', trim = trim + exclude, exists = NOT exists WHERE exists RETURNING interval, trim, exists
--> interval text | trim int4 | exists bool
--> {"a": 1}  | 5 | f
--> UPDATE 1

ALTER TABLE words ADD CHECK (trim > 0 AND exclude > 0), ADD UNIQUE (interval, exclude)
--> ALTER TABLE

ALTER TABLE words RENAME exclude TO other
--> ALTER TABLE

CREATE VIEW words_seen AS SELECT interval, max(trim) AS trim FROM words GROUP BY interval HAVING bool_or(NOT exists)
--> CREATE VIEW

SELECT interval, trim FROM words_seen
--> interval text | trim int4
--> {"a": 1}  | 5
--> SELECT 1

-- Django: a subquery in an expression that begins with a query in parentheses.
CREATE TABLE numbers (n int, o int)
--> CREATE TABLE

INSERT INTO numbers VALUES (1, 1), (5, 2), (9, 3)
--> INSERT 0 3

SELECT n, ((SELECT m.n FROM numbers m WHERE m.n = numbers.n AND m.n > 7) UNION (SELECT m.n FROM numbers m WHERE m.n = numbers.n AND m.n < 2)) AS found FROM numbers ORDER BY n
--> n int4 | found int4
--> 1 | 1
--> 5 | ∅
--> 9 | 9
--> SELECT 3

SELECT ((SELECT n FROM numbers WHERE n = 5) ORDER BY 1), ((SELECT 1 AS a) UNION SELECT 1), ((VALUES (4)) LIMIT 1), 1 + ((SELECT 2) EXCEPT SELECT 3 LIMIT 1), (((SELECT 1) UNION ALL (SELECT 2)) OFFSET 1), ((SELECT 1) + 1), (((SELECT 4))), (((SELECT 4)) * ((SELECT 5)))
--> n int4 | a int4 | column1 int4 | ?column? int4 | ?column? int4 | ?column? int4 | ?column? int4 | ?column? int4
--> 5 | 1 | 4 | 3 | 2 | 2 | 4 | 20
--> SELECT 1

SELECT n FROM numbers WHERE ((SELECT 1) INTERSECT (SELECT 1)) = n OR n = ANY ((SELECT 9) UNION (SELECT 10)) OR n IN ((SELECT 5) UNION VALUES (6)) ORDER BY n
--> n int4
--> 1
--> 5
--> 9
--> SELECT 3

SELECT ((SELECT 1) UNION
--> ERROR 42601: syntax error at end of input
