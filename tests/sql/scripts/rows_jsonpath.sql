-- jsonpath.
CREATE TABLE jp (id int, d jsonb);
INSERT INTO jp VALUES (1, '{"a":[{"b":1},{"b":2,"c":"xyz"}],"n":null,"t":[1,"2",true]}'), (2, '{"a":{"b":5},"s":"Hello World"}'), (3, '[1,2,[3,4]]'), (4, NULL);
--> CREATE TABLE
--> INSERT 0 4

SELECT id, jsonb_path_query(d, '$.a.b') AS b FROM jp ORDER BY 1, 2;
--> id int4 | b jsonb
--> 1 | 1
--> 1 | 2
--> 2 | 5
--> SELECT 3

SELECT id, jsonb_path_query_array(d, '$.a[*].b') AS bs, jsonb_path_query_first(d, '$.a[*] ? (@.b > 1)') AS f FROM jp ORDER BY id;
--> id int4 | bs jsonb | f jsonb
--> 1 | [1, 2] | {"b": 2, "c": "xyz"}
--> 2 | [5] | {"b": 5}
--> 3 | [] | ∅
--> 4 | ∅ | ∅
--> SELECT 4

SELECT id, jsonb_path_exists(d, '$.a[*] ? (@.b == $x)', '{"x":5}') AS e FROM jp ORDER BY id;
--> id int4 | e bool
--> 1 | f
--> 2 | t
--> 3 | f
--> 4 | ∅
--> SELECT 4

SELECT id FROM jp WHERE d @? '$.a[*] ? (@.b >= 2)' ORDER BY id;
--> id int4
--> 1
--> 2
--> SELECT 2

SELECT id FROM jp WHERE d @@ '$.a[*].b > 1' ORDER BY id;
--> id int4
--> 1
--> 2
--> SELECT 2

SELECT id, d @@ '$.s starts with "Hello"' AS h, d @@ '$.s like_regex "^hello" flag "i"' AS r FROM jp ORDER BY id;
--> id int4 | h bool | r bool
--> 1 | f | f
--> 2 | t | t
--> 3 | f | f
--> 4 | ∅ | ∅
--> SELECT 4

SELECT jsonb_path_match('{"a":1}', '$.a == 1') AS m, jsonb_path_match('{"a":1}', '$.a', silent => true) AS s;
--> m bool | s bool
--> t | ∅
--> SELECT 1

SELECT jsonb_path_match('{"a":1}', '$.a');
--> ERROR 22038: single boolean result is expected

SELECT * FROM jsonb_path_query('[1,2,3,4]', '$[*] ? (@ > $min)', '{"min":2}') AS x;
--> x jsonb
--> 3
--> 4
--> SELECT 2

SELECT jsonb_path_query('[1,[2,[3]]]', '$.**') AS x;
--> x jsonb
--> [1, [2, [3]]]
--> 1
--> [2, [3]]
--> 2
--> [3]
--> 3
--> SELECT 6

SELECT jsonb_path_query('{"a":{"b":{"c":1}}}', '$.**{2}') AS x;
--> x jsonb
--> {"c": 1}
--> SELECT 1

SELECT jsonb_path_query('[1,2,3]', '$[last]'), jsonb_path_query('[1,2,3]', '$[0 to 1]') AS r;
--> jsonb_path_query jsonb | r jsonb
--> 3 | 1
--> ∅ | 2
--> SELECT 2

SELECT jsonb_path_query('{"a":3}', '$.a * 2 + 1'), jsonb_path_query('{"a":7}', '-$.a % 4') AS m, jsonb_path_query('{"a":1}', '$.a / 3') AS d;
--> jsonb_path_query jsonb | m jsonb | d jsonb
--> 7 | -3 | 0.33333333333333333333
--> SELECT 1

SELECT jsonb_path_query('["x",1,null,{}]', '$[*].type()') AS t;
--> t jsonb
--> "string"
--> "number"
--> "null"
--> "object"
--> SELECT 4

SELECT jsonb_path_query('[1.5,-2.5]', '$[*].ceiling()') AS c, jsonb_path_query('[1.5,-2.5]', '$[*].abs()') AS a;
--> c jsonb | a jsonb
--> 2 | 1.5
--> -2 | 2.5
--> SELECT 2

SELECT jsonb_path_query('"1.25"', '$.double()') AS d, jsonb_path_query('[1,2]', '$.size()') AS s;
--> d jsonb | s jsonb
--> 1.25 | 2
--> SELECT 1

SELECT jsonb_path_query('{"x":1,"y":"z"}', '$.keyvalue()') AS kv;
--> kv jsonb
--> {"id": 0, "key": "x", "value": 1}
--> {"id": 0, "key": "y", "value": "z"}
--> SELECT 2

SELECT jsonb_path_query('{"a":1}', 'strict $.b');
--> ERROR 2203A: JSON object does not contain key "b"

SELECT jsonb_path_query('{"a":1}', 'strict $.b', '{}', true);
--> jsonb_path_query jsonb
--> SELECT 0

SELECT jsonb_path_query('{"a":1}', 'strict $[0]');
--> ERROR 22039: jsonpath array accessor can only be applied to an array

SELECT jsonb_path_query('[1]', 'strict $[3]');
--> ERROR 22033: jsonpath array subscript is out of bounds

SELECT jsonb_path_query('{"a":"x"}', '$.a + 1');
--> ERROR 22038: left operand of jsonpath operator + is not a single numeric value

SELECT jsonb_path_query('1', '$x');
--> ERROR 42704: could not find jsonpath variable "x"

SELECT jsonb_path_query('[1,2]', '$[*] > 1') AS b, jsonb_path_query('[1,"a"]', 'strict $[*] > 0') AS u;
--> b jsonb | u jsonb
--> true | null
--> SELECT 1

SELECT '$.a[*] ? (@.b > 1 && !(@.c == "x") || exists(@.d)).e.size()'::jsonpath AS p;
--> p 4072
--> $."a"[*]?(@."b" > 1 && !(@."c" == "x") || exists (@."d"))."e".size()
--> SELECT 1

SELECT 'lax $[0, 2 to last]."x y".**{1 to last}'::jsonpath AS p, '-(1 + $.a) * 2'::jsonpath AS q;
--> p 4072 | q 4072
--> $[0,2 to last]."x y".**{1 to last} | (-(1 + $."a") * 2)
--> SELECT 1

SELECT '$.'::jsonpath;
--> ERROR 42601: syntax error at end of jsonpath input

SELECT ''::jsonpath;
--> ERROR 22P02: invalid input syntax for type jsonpath: ""

SELECT '@.a'::jsonpath;
--> ERROR 42601: @ is not allowed in root expressions

SELECT pg_typeof('$'::jsonpath) AS t, '{"$.a"}'::jsonpath[] AS a;
--> t regtype | a 4073
--> jsonpath | {"$.\"a\""}
--> SELECT 1

DROP TABLE jp;
--> DROP TABLE

-- What was found before an error counts where errors are suppressed; what exists need not be looked for to the end.
SELECT jsonb_path_query_first('{"a":{"k":1},"b":2}', 'strict $.**.keyvalue().key', '{}', true) AS f;
--> f jsonb
--> "a"
--> SELECT 1

SELECT jsonb_path_exists('[1,"x"]', '$[*].abs()') AS e;
--> e bool
--> t
--> SELECT 1

SELECT jsonb_path_exists('[1,"x"]', 'strict $[*].abs()');
--> ERROR 22036: jsonpath item method .abs() can only be applied to a numeric value

SELECT jsonb_path_query_array('[1,"x",2]', '$[*].abs()', '{}', true) AS a;
--> a jsonb
--> [1]
--> SELECT 1

SELECT jsonb_path_query('[[1]]', '$.floor()');
--> ERROR 22036: jsonpath item method .floor() can only be applied to a numeric value

SELECT jsonb_path_query('[]', '("x" % (1 - (null / "abc")))');
--> ERROR 22038: left operand of jsonpath operator / is not a single numeric value

SELECT * FROM ROWS FROM (json_to_recordset('[]') AS (a int)) t;
--> a int4
--> SELECT 0
--?> ERROR 0A000: a list of columns in ROWS FROM is not supported
