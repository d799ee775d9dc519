-- Values of the `reg…` types are shown by name wherever a text is made of them.

CREATE TABLE ns_one (id int)
--> CREATE TABLE

CREATE TABLE ns_two (id int)
--> CREATE TABLE

SELECT array['ns_one'::regclass, 'ns_two'::regclass], array_agg(c.oid::regclass ORDER BY relname DESC) FROM pg_class c WHERE relname LIKE 'ns\_%'
--> array 2210 | array_agg 2210
--> {ns_one,ns_two} | {ns_two,ns_one}
--> SELECT 1

SELECT '{}'::regclass[], NULL::regclass[], array[NULL, 'ns_one']::regclass[]
--> regclass 2210 | regclass 2210 | array 2210
--> {} | ∅ | {NULL,ns_one}
--> SELECT 1

SELECT 'ns_one'::regclass || 'x', concat('ns_one'::regclass, 1), concat_ws('-', 'ns_one'::regclass, NULL, 'ns_two'::regclass), format('%s %I', 'ns_one'::regclass, 'ns_two'::regclass)
--> ?column? text | concat text | concat_ws text | format text
--> ns_onex | ns_one1 | ns_one-ns_two | ns_one ns_two
--> SELECT 1

SELECT to_json('ns_one'::regclass), to_jsonb(array['ns_one'::regclass]), json_build_object('c', 'ns_one'::regclass), jsonb_build_array('ns_two'::regclass, 'int4'::regtype)
--> to_json json | to_jsonb jsonb | json_build_object json | jsonb_build_array jsonb
--> "ns_one" | ["ns_one"] | {"c" : "ns_one"} | ["ns_two", "integer"]
--> SELECT 1

SELECT json_agg(c.oid::regclass ORDER BY relname), string_agg(c.oid::regclass::text, ',' ORDER BY relname) FROM pg_class c WHERE relname LIKE 'ns\_%'
--> json_agg json | string_agg text
--> ["ns_one", "ns_two"] | ns_one,ns_two
--> SELECT 1

SELECT row_to_json(r), r FROM (SELECT 'ns_one'::regclass AS a, 'int4'::regtype AS b, array['ns_two'::regclass] AS c) r
--> row_to_json json | r record
--> {"a":"ns_one","b":"integer","c":["ns_two"]} | (ns_one,integer,{ns_two})
--> SELECT 1

SELECT row('ns_one'::regclass, 'pg_catalog'::regnamespace, NULL::regclass)
--> row record
--> (ns_one,pg_catalog,)
--> SELECT 1

SELECT array_to_string(array['ns_one'::regclass, 'ns_two'::regclass], ',')
--> array_to_string text
--> ns_one,ns_two
--> SELECT 1

SELECT a, count(*) FROM unnest(array['ns_two'::regclass, 'ns_one'::regclass, 'ns_two'::regclass]) a GROUP BY a ORDER BY a
--> a regclass | count int8
--> ns_one | 1
--> ns_two | 2
--> SELECT 2

SELECT array['ns_one'::regclass] = array['ns_one'::regclass::oid::regclass], 'ns_one'::regclass = ANY (array['ns_one'::regclass])
--> ?column? bool | ?column? bool
--> t | t
--> SELECT 1

COPY (SELECT array['ns_one'::regclass], 'ns_two'::regclass) TO STDOUT
--> {ns_one}	ns_two
--> COPY 1

CREATE TABLE ns_kept AS SELECT format('%s', 'ns_one'::regclass) AS f, to_json('ns_two'::regclass)::text AS j
--> SELECT 1

SELECT * FROM ns_kept
--> f text | j text
--> ns_one | "ns_two"
--> SELECT 1

DROP TABLE ns_one, ns_two, ns_kept
--> DROP TABLE
