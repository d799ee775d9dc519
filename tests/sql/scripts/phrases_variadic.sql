-- VARIADIC arguments, and DISTINCT aggregates that are ordered by what they aggregate.

SELECT concat(VARIADIC ARRAY[1, 2, 3]), concat_ws(',', VARIADIC ARRAY['a', NULL, 'c']), format('%s, %s', VARIADIC ARRAY['Hello', 'World'])
--> concat text | concat_ws text | format text
--> 123 | a,c | Hello, World
--> SELECT 1

SELECT concat(VARIADIC '{1,2}'::int[]), concat_ws('-', VARIADIC '{a,b}'::text[]), concat(VARIADIC '{}'::int[]) = '', concat(VARIADIC NULL::int[]) IS NULL, concat_ws(',', VARIADIC NULL::int[])
--> concat text | concat_ws text | ?column? bool | ?column? bool | concat_ws text
--> 12 | a-b | t | t | ∅
--> SELECT 1

CREATE TABLE pv_t (id int, p text[], j jsonb, v varchar(5))
--> CREATE TABLE

INSERT INTO pv_t VALUES (1, '{a,b}', '{"a": {"b": "x"}}', 'q'), (2, '{a}', '{"a": 5}', 'p'), (3, NULL, '{}', 'q')
--> INSERT 0 3

SELECT id, jsonb_extract_path(j, VARIADIC p), jsonb_extract_path_text(j, VARIADIC p), concat_ws('/', VARIADIC p) FROM pv_t ORDER BY id
--> id int4 | jsonb_extract_path jsonb | jsonb_extract_path_text text | concat_ws text
--> 1 | "x" | x | a/b
--> 2 | 5 | 5 | a
--> 3 | ∅ | ∅ | ∅
--> SELECT 3

SELECT jsonb_build_array(VARIADIC p), json_build_array(VARIADIC ARRAY[1, 2]) FROM pv_t WHERE id = 1
--> jsonb_build_array jsonb | json_build_array json
--> ["a", "b"] | [1, 2]
--> SELECT 1

SELECT jsonb_build_object(VARIADIC ARRAY['a', 'b'])
--> jsonb_build_object jsonb
--> {"a": "b"}
--> SELECT 1

SELECT concat_ws(',', VARIADIC 10)
--> ERROR 42804: VARIADIC argument must be an array

SELECT string_agg(DISTINCT v, ',' ORDER BY v DESC), array_agg(DISTINCT v ORDER BY v) FROM pv_t
--> string_agg text | array_agg varchar[]
--> q,p | {p,q}
--> SELECT 1

SELECT string_agg(DISTINCT v, ',' ORDER BY id) FROM pv_t
--> ERROR 42P10: in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list

CREATE VIEW pv_v AS SELECT id, concat_ws('/', VARIADIC p) AS c FROM pv_t
--> CREATE VIEW

SELECT * FROM pv_v ORDER BY id
--> id int4 | c text
--> 1 | a/b
--> 2 | a
--> 3 | ∅
--> SELECT 3

DROP VIEW pv_v
--> DROP VIEW

DROP TABLE pv_t
--> DROP TABLE

-- Whole arrays where counts and JSON are made of them.
SELECT num_nonnulls(VARIADIC '{1,2,NULL,3}'::int[]), num_nulls(VARIADIC '{1,2,NULL,3}'::int[]), num_nulls(VARIADIC NULL::text[]), num_nulls(VARIADIC '{{1,NULL},{2,3}}'::int[])
--> num_nonnulls int4 | num_nulls int4 | num_nulls int4 | num_nulls int4
--> 3 | 1 | ∅ | 1
--> SELECT 1

SELECT json_build_array(VARIADIC '{a,b,c}'::text[]), jsonb_build_array(VARIADIC '{{1,4},{2,5}}'::int[]), json_build_object(VARIADIC '{1,2,3,4}'::int[]), jsonb_build_object(VARIADIC '{a,2}'::text[])
--> json_build_array json | jsonb_build_array jsonb | json_build_object json | jsonb_build_object jsonb
--> ["a", "b", "c"] | [1, 4, 2, 5] | {"1" : 2, "3" : 4} | {"a": "2"}
--> SELECT 1

SELECT json_build_object(VARIADIC '{a}'::text[])
--> ERROR 22023: argument list must have even number of elements

SELECT jsonb_build_object(VARIADIC ARRAY[NULL, 'a']::text[])
--> ERROR 22023: argument 1: key must not be null

SELECT json_build_array(VARIADIC NULL::text[]), json_build_object(VARIADIC '{}'::text[])
--> json_build_array json | json_build_object json
--> ∅ | {}
--> SELECT 1

SELECT array_to_json('{1,2,3}'::int[], true), array_to_json('{{1,2},{3,4}}'::int[], true), array_to_json('{1,2}'::int[], false)
--> array_to_json json | array_to_json json | array_to_json json
--> [1,
-->  2,
-->  3] | [[1,2],
-->  [3,4]] | [1,2]
--> SELECT 1

SELECT json_object('{a,1,b}')
--> ERROR 2202E: array must have even number of elements

SELECT json_object('{{a},{b}}')
--> ERROR 2202E: array must have two columns

SELECT json_object('{{a,1},{b,2}}'), json_object('{}'), json_object('{a,b}', '{1,2}')
--> json_object json | json_object json | json_object json
--> {"a" : "1", "b" : "2"} | {} | {"a" : "1", "b" : "2"}
--> SELECT 1

SELECT json_object('{{{a,b},{c,d}}}')
--> ERROR 2202E: wrong number of array subscripts

SELECT json_object('{{a,1}}', '{{a,1}}')
--> ERROR 2202E: wrong number of array subscripts

SELECT json_populate_record(null::record, '{"x":0}')
--> ERROR 0A000: could not determine row type for result of json_populate_record
