-- Functions that yield rows: in FROM, in select lists, in VALUES.
CREATE TABLE fr_t (id int PRIMARY KEY, tags text[], d jsonb);
INSERT INTO fr_t VALUES (1, '{a,b}', '[{"t":"u","v":1},{"t":"w","v":2}]'), (2, '{b}', '[]'), (3, NULL, NULL);
--> CREATE TABLE
--> INSERT 0 3

-- The alias of a function of one column is its value.
SELECT id, e->>'t' AS t FROM fr_t, jsonb_array_elements(d) e ORDER BY 1, 2;
--> id int4 | t text
--> 1 | u
--> 1 | w
--> SELECT 2

SELECT e FROM jsonb_array_elements('[1,"x"]') e;
--> e jsonb
--> 1
--> "x"
--> SELECT 2

SELECT e.value, e FROM jsonb_array_elements_text('["x"]') AS e;
--> value text | e text
--> x | x
--> SELECT 1

SELECT x FROM unnest(ARRAY[1,2]) x ORDER BY 1;
--> x int4
--> 1
--> 2
--> SELECT 2

SELECT n FROM generate_series(1, 2) AS n;
--> n int4
--> 1
--> 2
--> SELECT 2

SELECT k FROM json_object_keys('{"b":1,"a":2}') k;
--> k text
--> b
--> a
--> SELECT 2

SELECT jsonb_agg(CASE WHEN e->>'t' = 'u' THEN jsonb_set(e, '{t}', '"n"') ELSE e END) AS d FROM fr_t, jsonb_array_elements(d) e WHERE id = 1;
--> d jsonb
--> [{"t": "n", "v": 1}, {"t": "w", "v": 2}]
--> SELECT 1

UPDATE fr_t SET d = (SELECT jsonb_agg(e ORDER BY e->>'v' DESC) FROM jsonb_array_elements(d) e) WHERE id = 1 RETURNING d;
--> d jsonb
--> [{"t": "w", "v": 2}, {"t": "u", "v": 1}]
--> UPDATE 1

SELECT id, jsonb_array_elements(d)->>'v' AS v FROM fr_t ORDER BY 1, 2;
--> id int4 | v text
--> 1 | 1
--> 1 | 2
--> SELECT 2

SELECT x, ordinality FROM unnest(ARRAY['a','b']) WITH ORDINALITY x ORDER BY 2 DESC;
--> x text | ordinality int8
--> b | 2
--> a | 1
--> SELECT 2

SELECT u.x, u.n FROM unnest(ARRAY['a','b']) WITH ORDINALITY AS u(x, n) ORDER BY 2 DESC;
--> x text | n int8
--> b | 2
--> a | 1
--> SELECT 2

SELECT lower FROM lower('ABC');
--> lower text
--> abc
--> SELECT 1

SELECT x FROM fr_t, upper(tags[1]) x ORDER BY 1;
--> x text
--> A
--> B
--> ∅
--> SELECT 3

SELECT t.id, x FROM fr_t t LEFT JOIN unnest(t.tags) x ON true ORDER BY 1, 2;
--> id int4 | x text
--> 1 | a
--> 1 | b
--> 2 | b
--> 3 | ∅
--> SELECT 4

-- Several columns.
SELECT key, value FROM jsonb_each('{"a":1,"b":{"c":null}}') ORDER BY key;
--> key text | value jsonb
--> a | 1
--> b | {"c": null}
--> SELECT 2

SELECT * FROM json_each('{"b": 1, "a" : [1, 2]}');
--> key text | value json
--> b | 1
--> a | [1, 2]
--> SELECT 2

SELECT * FROM jsonb_each_text('{"a":1,"b":"x","c":null}') AS t(k, v) ORDER BY k;
--> k text | v text
--> a | 1
--> b | x
--> c | ∅
--> SELECT 3

SELECT json_each_text('{"a":"x y"}');
--> json_each_text record
--> (a,"x y")
--> SELECT 1

SELECT (json_each('{"a":1}')).key, (json_each('{"a":1}')).*;
--> key text | key text | value json
--> a | a | 1
--> SELECT 1

SELECT t.id, e.key, e.value FROM fr_t t, jsonb_array_elements(t.d) a, jsonb_each(a) e ORDER BY 1, 2, 3;
--> id int4 | key text | value jsonb
--> 1 | t | "u"
--> 1 | t | "w"
--> 1 | v | 1
--> 1 | v | 2
--> SELECT 4

SELECT * FROM jsonb_each('[1]');
--> ERROR 22023: cannot call jsonb_each on a non-object

SELECT * FROM json_each('[1]');
--> ERROR 22023: cannot deconstruct an array as an object

SELECT * FROM json_each('1');
--> ERROR 22023: cannot deconstruct a scalar

SELECT (information_schema._pg_expandarray(ARRAY['x','y'])).n;
--> n int4
--> 1
--> 2
--> SELECT 2

SELECT s.k, (s.e).x, (s.e).n FROM (SELECT 1 AS k, information_schema._pg_expandarray(ARRAY[7,8]) AS e) s ORDER BY (s.e).n DESC;
--> k int4 | x int4 | n int4
--> 1 | 8 | 2
--> 1 | 7 | 1
--> SELECT 2

SELECT word, catcode FROM pg_get_keywords() WHERE word IN ('select', 'abort') ORDER BY word;
--> word text | catcode char1
--> abort | U
--> select | R
--> SELECT 2

-- Several functions in a select list advance together.
SELECT unnest(ARRAY[1,2,3]) AS a, unnest(ARRAY['x','y']) AS b;
--> a int4 | b text
--> 1 | x
--> 2 | y
--> 3 | ∅
--> SELECT 3

SELECT generate_series(1, 2) AS a, generate_series(1, 3) AS b, 'z' AS c;
--> a int4 | b int4 | c text
--> 1 | 1 | z
--> 2 | 2 | z
--> ∅ | 3 | z
--> SELECT 3

SELECT generate_series(1, 2), unnest('{}'::int[]) AS e;
--> generate_series int4 | e int4
--> 1 | ∅
--> 2 | ∅
--> SELECT 2

SELECT unnest('{}'::int[]) AS e;
--> e int4
--> SELECT 0

SELECT generate_series(1, generate_series(1, 3)) AS n;
--> n int4
--> 1
--> 1
--> 2
--> 1
--> 2
--> 3
--> SELECT 6

SELECT generate_series(1, 2) + 10 * generate_series(1, 3) AS n;
--> n int4
--> 11
--> 22
--> ∅
--> SELECT 3

SELECT id, unnest(tags) AS tag, generate_subscripts(tags, 1) AS n FROM fr_t ORDER BY 1, 3;
--> id int4 | tag text | n int4
--> 1 | a | 1
--> 1 | b | 2
--> 2 | b | 1
--> SELECT 3

SELECT unnest(tags) AS tag, count(*) FROM fr_t GROUP BY 1 ORDER BY 1;
--> tag text | count int8
--> a | 1
--> b | 2
--> SELECT 2

SELECT unnest(tags) AS tag, count(*) FROM fr_t GROUP BY tag HAVING count(*) > 1;
--> tag text | count int8
--> b | 2
--> SELECT 1

SELECT unnest(tags), count(*) FROM fr_t GROUP BY unnest(tags) ORDER BY 2, 1;
--> unnest text | count int8
--> a | 1
--> b | 2
--> SELECT 2

SELECT count(*) AS n, generate_series(1, 2) AS g FROM fr_t;
--> n int8 | g int4
--> 3 | 1
--> 3 | 2
--> SELECT 2

SELECT unnest(array_agg(id ORDER BY id DESC)) AS id, count(*) FROM fr_t;
--> id int4 | count int8
--> 3 | 3
--> 2 | 3
--> 1 | 3
--> SELECT 3

SELECT id % 2 AS odd, unnest(array_agg(id)) AS id FROM fr_t GROUP BY id % 2 ORDER BY 1, 2;
--> odd int4 | id int4
--> 0 | 2
--> 1 | 1
--> 1 | 3
--> SELECT 3

SELECT id, row_number() OVER (ORDER BY id) AS rn, unnest(tags) AS tag FROM fr_t ORDER BY id, tag;
--> id int4 | rn int8 | tag text
--> 1 | 1 | a
--> 1 | 1 | b
--> 2 | 2 | b
--> SELECT 3

SELECT sum(id) OVER () AS s, generate_series(1, 2) AS g FROM fr_t WHERE id < 3 ORDER BY 2, 1;
--> s int8 | g int4
--> 3 | 1
--> 3 | 1
--> 3 | 2
--> 3 | 2
--> SELECT 4

SELECT ARRAY['k'] AS k, unnest(tags) AS tag, row_number() OVER (ORDER BY id) AS n FROM fr_t ORDER BY 3, 2;
--> k text[] | tag text | n int8
--> {k} | a | 1
--> {k} | b | 1
--> {k} | b | 2
--> SELECT 3

SELECT DISTINCT unnest(ARRAY[2,1,2]) AS n ORDER BY n;
--> n int4
--> 1
--> 2
--> SELECT 2

SELECT DISTINCT ON (id) id, unnest(tags) AS tag FROM fr_t ORDER BY id, tag DESC;
--> id int4 | tag text
--> 1 | b
--> 2 | b
--> SELECT 2

SELECT id FROM fr_t ORDER BY unnest(tags), id;
--> id int4
--> 1
--> 1
--> 2
--> SELECT 3

SELECT id, unnest(tags) AS tag FROM fr_t ORDER BY id LIMIT 2;
--> id int4 | tag text
--> 1 | a
--> 1 | b
--> SELECT 2

SELECT CASE WHEN true THEN generate_series(1, 2) END;
--> ERROR 0A000: set-returning functions are not allowed in CASE

SELECT sum(generate_series(1, 2));
--> ERROR 0A000: aggregate function calls cannot contain set-returning function calls

SELECT id FROM fr_t WHERE generate_series(1, 2) = 1;
--> ERROR 0A000: set-returning functions are not allowed in WHERE

SELECT (SELECT max(x) FROM unnest(tags) x) AS m FROM fr_t ORDER BY id;
--> m text
--> b
--> b
--> ∅
--> SELECT 3

-- In FROM: several at once.
SELECT * FROM unnest(ARRAY[1,2,3], ARRAY['a']) AS u(n, s) ORDER BY n;
--> n int4 | s text
--> 1 | a
--> 2 | ∅
--> 3 | ∅
--> SELECT 3

SELECT * FROM unnest(ARRAY[1,2], ARRAY['a','b'], '{t,f,t}'::bool[]) WITH ORDINALITY;
--> unnest int4 | unnest text | unnest bool | ordinality int8
--> 1 | a | t | 1
--> 2 | b | f | 2
--> ∅ | ∅ | t | 3
--> SELECT 3

SELECT * FROM unnest(ARRAY[1,2], ARRAY['x','y']) u WHERE u.unnest IS NOT NULL;
--> ERROR 42702: column reference "unnest" is ambiguous

SELECT u FROM unnest(ARRAY[1,2], ARRAY['x','y']) u;
--> u record
--> (1,x)
--> (2,y)
--> SELECT 2

SELECT * FROM ROWS FROM (generate_series(1, 3), unnest(ARRAY['a','b'])) AS t(n, s);
--> n int4 | s text
--> 1 | a
--> 2 | b
--> 3 | ∅
--> SELECT 3

SELECT * FROM ROWS FROM (generate_series(1, 2), jsonb_each('{"k":1}')) WITH ORDINALITY AS t(n, k, v, o);
--> n int4 | k text | v jsonb | o int8
--> 1 | k | 1 | 1
--> 2 | ∅ | ∅ | 2
--> SELECT 2

SELECT * FROM ROWS FROM (lower('X'), generate_series(1, 2)) AS t(l, n);
--> l text | n int4
--> x | 1
--> ∅ | 2
--> SELECT 2

SELECT t.id, u.a, u.b FROM fr_t t, unnest(t.tags, ARRAY[t.id, t.id + 1]) AS u(a, b) ORDER BY 1, 2, 3;
--> id int4 | a text | b int4
--> 1 | a | 1
--> 1 | b | 2
--> 2 | b | 2
--> 2 | ∅ | 3
--> 3 | ∅ | 3
--> 3 | ∅ | 4
--> SELECT 6

SELECT t.id, u.a, u.b FROM fr_t t LEFT JOIN LATERAL unnest(t.tags, ARRAY[9]) AS u(a, b) ON u.a <> 'a' ORDER BY 1, 2;
--> id int4 | a text | b int4
--> 1 | b | ∅
--> 2 | b | 9
--> 3 | ∅ | ∅
--> SELECT 3

SELECT k.attname, k.ord FROM pg_index i, unnest(i.indkey, i.indoption) WITH ORDINALITY AS u(n, o, ord), LATERAL (SELECT attname, u.ord FROM pg_attribute WHERE attrelid = i.indrelid AND attnum = u.n) k WHERE i.indrelid = 'fr_t'::regclass;
--> attname name | ord int8
--> id | 1
--> SELECT 1

-- A list of columns behind the function.
SELECT * FROM json_to_record('{"a":1,"b":[1,2],"c":"x","e":{"f":2}}') AS x(a int, b text, c text, d text, e jsonb);
--> a int4 | b text | c text | d text | e jsonb
--> 1 | [1,2] | x | ∅ | {"f": 2}
--> SELECT 1

SELECT * FROM jsonb_to_recordset('[{"a":1,"b":"x"},{"a":"2","c":true},{}]') AS x(a int, b text, c bool);
--> a int4 | b text | c bool
--> 1 | x | ∅
--> 2 | ∅ | t
--> ∅ | ∅ | ∅
--> SELECT 3

SELECT * FROM json_to_recordset('[{"a":[1,2],"t":"2020-01-02"},{"a":[[1],[2]]}]') AS (a int[], t date);
--> a int4[] | t date
--> {1,2} | 2020-01-02
--> {{1},{2}} | ∅
--> SELECT 2

SELECT x.b, x.a FROM jsonb_to_recordset('[{"a":1.50,"b":"abc"}]') AS x(a numeric(5,1), b varchar(3)) WHERE x.a > 1;
--> b varchar | a numeric
--> abc | 1.5
--> SELECT 1

SELECT * FROM json_to_record('{}');
--> ERROR 42601: a column definition list is required for functions returning "record"

SELECT * FROM generate_series(1, 2) AS x(a int, b text);
--> ERROR 42601: a column definition list is only allowed for functions returning "record"

SELECT * FROM json_to_recordset('{}') AS x(a int);
--> ERROR 22023: cannot call json_to_recordset on an object

SELECT * FROM json_to_recordset('[1]') AS x(a int);
--> ERROR 22023: argument of json_to_recordset must be an array of objects

SELECT * FROM json_to_record('{"a":"x"}') AS x(a int);
--> ERROR 22P02: invalid input syntax for type integer: "x"

-- In VALUES of INSERT: one row only.
CREATE TABLE fr_v (a int, b int);
--> CREATE TABLE

INSERT INTO fr_v VALUES (unnest(ARRAY[1,2]), 9) RETURNING a, b;
--> a int4 | b int4
--> 1 | 9
--> 2 | 9
--> INSERT 0 2

INSERT INTO fr_v (b, a) VALUES (generate_series(1, 3), unnest(ARRAY[5,6])) RETURNING a, b;
--> a int4 | b int4
--> 5 | 1
--> 6 | 2
--> ∅ | 3
--> INSERT 0 3

INSERT INTO fr_v VALUES (generate_series(1, 2), 1), (3, 4);
--> ERROR 0A000: set-returning functions are not allowed in VALUES

VALUES (generate_series(1, 2));
--> ERROR 0A000: set-returning functions are not allowed in VALUES

UPDATE fr_v SET a = generate_series(1, 2);
--> ERROR 0A000: set-returning functions are not allowed in UPDATE

DELETE FROM fr_v WHERE b = 9 RETURNING generate_series(1, 2);
--> ERROR 0A000: set-returning functions are not allowed in RETURNING

INSERT INTO fr_v SELECT * FROM unnest(ARRAY[1,2], ARRAY[3,4]) RETURNING a, b;
--> a int4 | b int4
--> 1 | 3
--> 2 | 4
--> INSERT 0 2

SELECT regexp_split_to_table('a1b2c', '[0-9]') AS p;
--> p text
--> a
--> b
--> c
--> SELECT 3

SELECT p, n FROM string_to_table('a,b', ',') WITH ORDINALITY AS s(p, n);
--> p text | n int8
--> a | 1
--> b | 2
--> SELECT 2

SELECT * FROM generate_subscripts('{{1,2,3}}'::int[], 2) AS s;
--> s int4
--> 1
--> 2
--> 3
--> SELECT 3

SELECT i, s FROM generate_series(1, 2) i, LATERAL (SELECT string_agg(x::text, ',') AS s FROM generate_series(1, i) x) y ORDER BY i;
--> i int4 | s text
--> 1 | 1
--> 2 | 1,2
--> SELECT 2

DROP TABLE fr_t, fr_v;
--> DROP TABLE

SELECT * FROM pg_options_to_table('{fillfactor=70,a,b=c=d}')
--> option_name text | option_value text
--> fillfactor | 70
--> a | ∅
--> b | c=d
--> SELECT 3
