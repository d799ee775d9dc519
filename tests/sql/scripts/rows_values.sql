-- Rows as values: whole rows of FROM items, ROW(…), their fields, and JSON of them.
CREATE TABLE rv_a (a int PRIMARY KEY, b text, c numeric(5,2), d char(4));
CREATE TABLE rv_b (id int, a int, n text);
INSERT INTO rv_a VALUES (1, 'x', 1.5, 'q'), (2, NULL, NULL, NULL), (3, 'a "b", c', -0.25, 'zz');
INSERT INTO rv_b VALUES (10, 1, 'one'), (11, 1, NULL), (12, 3, 'three');
--> CREATE TABLE
--> CREATE TABLE
--> INSERT 0 3
--> INSERT 0 3

SELECT row_to_json(t) FROM rv_a t ORDER BY a;
--> row_to_json json
--> {"a":1,"b":"x","c":1.50,"d":"q   "}
--> {"a":2,"b":null,"c":null,"d":null}
--> {"a":3,"b":"a \"b\", c","c":-0.25,"d":"zz  "}
--> SELECT 3

SELECT row_to_json(rv_a) FROM rv_a WHERE a = 1;
--> row_to_json json
--> {"a":1,"b":"x","c":1.50,"d":"q   "}
--> SELECT 1

SELECT to_json(t), to_jsonb(t) FROM rv_a t WHERE a = 3;
--> to_json json | to_jsonb jsonb
--> {"a":3,"b":"a \"b\", c","c":-0.25,"d":"zz  "} | {"a": 3, "b": "a \"b\", c", "c": -0.25, "d": "zz  "}
--> SELECT 1

SELECT row_to_json(t, true) FROM rv_b t WHERE id = 10;
--> row_to_json json
--> {"id":10,
-->  "a":1,
-->  "n":"one"}
--> SELECT 1

SELECT json_agg(t ORDER BY a DESC) FROM rv_a t;
--> json_agg json
--> [{"a":3,"b":"a \"b\", c","c":-0.25,"d":"zz  "},
-->  {"a":2,"b":null,"c":null,"d":null},
-->  {"a":1,"b":"x","c":1.50,"d":"q   "}]
--> SELECT 1

SELECT jsonb_agg(t) FROM (SELECT a, b FROM rv_a ORDER BY a) t;
--> jsonb_agg jsonb
--> [{"a": 1, "b": "x"}, {"a": 2, "b": null}, {"a": 3, "b": "a \"b\", c"}]
--> SELECT 1

SELECT json_agg(t) FROM (SELECT a FROM rv_a WHERE false) t;
--> json_agg json
--> ∅
--> SELECT 1

SELECT json_build_object('r', t, 'n', 1) FROM rv_b t WHERE id = 12;
--> json_build_object json
--> {"r" : {"id":12,"a":3,"n":"three"}, "n" : 1}
--> SELECT 1

SELECT json_object_agg(id, t) FROM rv_b t WHERE a = 1;
--> json_object_agg json
--> { "10" : {"id":10,"a":1,"n":"one"}, "11" : {"id":11,"a":1,"n":null} }
--> SELECT 1

SELECT row_to_json(t.*) FROM rv_b t WHERE id = 10;
--> row_to_json json
--> {"id":10,"a":1,"n":"one"}
--> SELECT 1

SELECT row_to_json(row(1, 'x', NULL, ARRAY[1,2]));
--> row_to_json json
--> {"f1":1,"f2":"x","f3":null,"f4":[1,2]}
--> SELECT 1

SELECT row_to_json(s) FROM (SELECT now() IS NOT NULL AS ok, date '2020-01-02' AS d, 1.50 AS n, '{"k":1}'::json AS j) s;
--> row_to_json json
--> {"ok":true,"d":"2020-01-02","n":1.50,"j":{"k":1}}
--> SELECT 1

SELECT row_to_json(x) FROM (VALUES (1, 'a'), (2, 'b')) AS x(n, s) ORDER BY n;
--> row_to_json json
--> {"n":1,"s":"a"}
--> {"n":2,"s":"b"}
--> SELECT 2

SELECT row_to_json(x) FROM unnest(ARRAY[1,2], ARRAY['p','q']) AS x(n, s);
--> row_to_json json
--> {"n":1,"s":"p"}
--> {"n":2,"s":"q"}
--> SELECT 2

WITH w AS (SELECT a, b FROM rv_a WHERE a < 3) SELECT row_to_json(w) FROM w ORDER BY a;
--> row_to_json json
--> {"a":1,"b":"x"}
--> {"a":2,"b":null}
--> SELECT 2

-- Nested, as frameworks do it.
SELECT row_to_json(p) FROM (SELECT a, (SELECT json_agg(ch ORDER BY ch.id) FROM (SELECT id, n FROM rv_b WHERE rv_b.a = rv_a.a) ch) AS children FROM rv_a) p ORDER BY a;
--> row_to_json json
--> {"a":1,"children":[{"id":10,"n":"one"},
-->  {"id":11,"n":null}]}
--> {"a":2,"children":null}
--> {"a":3,"children":[{"id":12,"n":"three"}]}
--> SELECT 3

SELECT coalesce(json_agg(row_to_json(q)), '[]') FROM (SELECT b.id, to_json(t) AS t FROM rv_b b JOIN rv_a t ON t.a = b.a ORDER BY b.id) q;
--> coalesce json
--> [{"id":10,"t":{"a":1,"b":"x","c":1.50,"d":"q   "}}, {"id":11,"t":{"a":1,"b":"x","c":1.50,"d":"q   "}}, {"id":12,"t":{"a":3,"b":"a \"b\", c","c":-0.25,"d":"zz  "}}]
--> SELECT 1

-- Text.
SELECT t FROM (SELECT a, b FROM rv_a ORDER BY a) t;
--> t record
--> (1,x)
--> (2,)
--> (3,"a ""b"", c")
--> SELECT 3

SELECT ROW(1, 'x y', NULL, '', 'a"b\c', '(', true);
--> row record
--> (1,"x y",,"","a""b\\c","(",t)
--> SELECT 1

SELECT (1, 'x');
--> row record
--> (1,x)
--> SELECT 1

SELECT ROW();
--> row record
--> ()
--> SELECT 1

SELECT ROW(t.*, 7) FROM (SELECT 1 AS a, 'b' AS b) t;
--> row record
--> (1,b,7)
--> SELECT 1

SELECT ROW(1, ROW(2, 'x'));
--> row record
--> (1,"(2,x)")
--> SELECT 1

SELECT ROW(1, 2)::text || '!' AS t;
--> t text
--> (1,2)!
--> SELECT 1

SELECT array_agg(t) FROM (SELECT a, b FROM rv_a ORDER BY a) t;
--> array_agg 2287
--> {"(1,x)","(2,)","(3,\"a \"\"b\"\", c\")"}
--> SELECT 1

-- Fields.
SELECT (t).b, (t).a FROM rv_a t ORDER BY (t).a DESC;
--> b text | a int4
--> a "b", c | 3
--> ∅ | 2
--> x | 1
--> SELECT 3

SELECT (t).* FROM (SELECT a, b FROM rv_a WHERE a = 1) t;
--> a int4 | b text
--> 1 | x
--> SELECT 1

SELECT (s.r).a, (s.r).n FROM (SELECT t AS r FROM rv_b t) s ORDER BY (s.r).id;
--> a int4 | n text
--> 1 | one
--> 1 | ∅
--> 3 | three
--> SELECT 3

SELECT (SELECT t FROM (SELECT 1 AS one) t) AS r;
--> r record
--> (1)
--> SELECT 1

SELECT ROW((t).*, 5), row_to_json((t)) FROM (SELECT 1 AS one, 2 AS two) t;
--> row record | row_to_json json
--> (1,2,5) | {"one":1,"two":2}
--> SELECT 1

SELECT json_agg(c ORDER BY c.id) FROM (SELECT id, n FROM rv_b) c;
--> json_agg json
--> [{"id":10,"n":"one"},
-->  {"id":11,"n":null},
-->  {"id":12,"n":"three"}]
--> SELECT 1

SELECT (t).nope FROM (SELECT 1 AS a) t;
--> ERROR 42703: column t.nope does not exist

SELECT (a).x FROM rv_a;
--> ERROR 42809: column notation .x applied to type integer, which is not a composite type

WITH w AS (SELECT t AS r FROM rv_b t) SELECT (r).n FROM w WHERE (r).id = 12;
--> n text
--> three
--> SELECT 1

-- NULL where an outer join has no row.
SELECT x.a, row_to_json(y) FROM rv_a x LEFT JOIN rv_b y ON y.a = x.a ORDER BY x.a, y.id;
--> a int4 | row_to_json json
--> 1 | {"id":10,"a":1,"n":"one"}
--> 1 | {"id":11,"a":1,"n":null}
--> 2 | ∅
--> 3 | {"id":12,"a":3,"n":"three"}
--> SELECT 4

SELECT a.a, to_jsonb(s) FROM rv_a a LEFT JOIN (SELECT a, n FROM rv_b WHERE id = 12) s ON s.a = a.a ORDER BY 1;
--> a int4 | to_jsonb jsonb
--> 1 | ∅
--> 2 | ∅
--> 3 | {"a": 3, "n": "three"}
--> SELECT 3

SELECT x.a, count(y), count(*) FROM rv_a x LEFT JOIN rv_b y ON y.a = x.a GROUP BY x.a ORDER BY 1;
--> a int4 | count int8 | count int8
--> 1 | 2 | 2
--> 2 | 0 | 1
--> 3 | 1 | 1
--> SELECT 3

SELECT x.a, coalesce(json_agg(y ORDER BY y.id) FILTER (WHERE y.id IS NOT NULL), '[]') AS bs FROM rv_a x LEFT JOIN rv_b y ON y.a = x.a GROUP BY x.a ORDER BY x.a;
--> a int4 | bs json
--> 1 | [{"id":10,"a":1,"n":"one"},
-->  {"id":11,"a":1,"n":null}]
--> 2 | []
--> 3 | [{"id":12,"a":3,"n":"three"}]
--> SELECT 3

SELECT x.a, x IS NULL AS none, y IS NULL AS no_y, y IS NOT NULL AS full_y FROM rv_a x LEFT JOIN rv_b y ON y.a = x.a ORDER BY 1, y.id;
--> a int4 | none bool | no_y bool | full_y bool
--> 1 | f | f | t
--> 1 | f | f | f
--> 2 | f | t | f
--> 3 | f | f | t
--> SELECT 4

SELECT x.a FROM rv_a x LEFT JOIN rv_b y ON y.a = x.a WHERE y IS NULL;
--> a int4
--> 2
--> SELECT 1

SELECT row_to_json(a), row_to_json(b) FROM (SELECT 1 AS x) a FULL JOIN (SELECT 2 AS x) b ON a.x = b.x ORDER BY 1::text;
--> row_to_json json | row_to_json json
--> {"x":1} | ∅
--> ∅ | {"x":2}
--> SELECT 2

SELECT i, to_jsonb(r) AS r FROM (VALUES (1), (2)) v(i) LEFT JOIN LATERAL jsonb_to_recordset('[{}]') r(a int, b text) ON i = 1 ORDER BY 1;
--> i int4 | r jsonb
--> 1 | {"a": null, "b": null}
--> 2 | ∅
--> SELECT 2

SELECT i, to_jsonb(r) AS r FROM (VALUES (1), (2)) v(i) LEFT JOIN LATERAL (SELECT NULL::int AS a WHERE i = 1) r ON true ORDER BY 1;
--> i int4 | r jsonb
--> 1 | {"a": null}
--> 2 | ∅
--> SELECT 2

SELECT i, to_jsonb(r) AS r FROM (VALUES (1), (2)) v(i) LEFT JOIN (SELECT 1 AS k, NULL::int AS a) s ON s.k = i LEFT JOIN (SELECT NULL::int AS n, NULL::text AS t) r ON s.k IS NOT NULL ORDER BY 1;
--> i int4 | r jsonb
--> 1 | {"n": null, "t": null}
--> 2 | ∅
--> SELECT 2

SELECT x.a, count(s) FROM rv_a x LEFT JOIN (SELECT max(n) AS m FROM rv_b WHERE false) s ON x.a > 1 GROUP BY x.a ORDER BY 1;
--> a int4 | count int8
--> 1 | 0
--> 2 | 1
--> 3 | 1
--> SELECT 3

SELECT x.a, row_to_json(s) FROM rv_a x LEFT JOIN (SELECT NULL::int AS q UNION SELECT 5) s ON x.a = coalesce(s.q, 1) ORDER BY 1;
--> a int4 | row_to_json json
--> 1 | {"q":null}
--> 2 | ∅
--> 3 | ∅
--> SELECT 3

SELECT count(t), count(DISTINCT t) FROM (SELECT a % 2 AS m FROM rv_a) t;
--> count int8 | count int8
--> 3 | 2
--> SELECT 1

-- Comparison.
SELECT ROW(1, 2) = ROW(1, 2) AS e, ROW(1, NULL) = ROW(1, 2) AS n, ROW(1, 2) < ROW(1, 3) AS l, ROW(1, 'a') <> ROW(1, 'b') AS d;
--> e bool | n bool | l bool | d bool
--> t | ∅ | t | t
--> SELECT 1

SELECT t = u AS e, t < u AS l FROM (SELECT 1 AS a, NULL::int AS b) t, (SELECT 1 AS a, NULL::int AS b) u;
--> e bool | l bool
--> t | f
--> SELECT 1

SELECT a FROM rv_a t WHERE t = (SELECT u FROM rv_a u WHERE a = 2);
--> a int4
--> 2
--> SELECT 1

SELECT t FROM (SELECT a % 2 AS m, 'k' AS k FROM rv_a) t GROUP BY t ORDER BY t;
--> t record
--> (0,k)
--> (1,k)
--> SELECT 2

SELECT DISTINCT t FROM (SELECT a % 2 AS m FROM rv_a) t ORDER BY t;
--> t record
--> (0)
--> (1)
--> SELECT 2

SELECT t IS NOT DISTINCT FROM u AS same FROM (SELECT 1 AS a) t, (SELECT 1 AS a) u;
--> same bool
--> t
--> SELECT 1

-- Records from JSON.
SELECT * FROM json_populate_record(NULL::rv_b, '{"id":5,"n":"x","other":1}');
--> id int4 | a int4 | n text
--> 5 | ∅ | x
--> SELECT 1

SELECT * FROM jsonb_populate_recordset(NULL::rv_a, '[{"a":7,"b":"y","c":1.239,"d":"k"},{"a":8}]');
--> a int4 | b text | c numeric | d bpchar
--> 7 | y | 1.24 | k
--> 8 | ∅ | ∅ | ∅
--> SELECT 2

SELECT (jsonb_populate_record(ROW(1, 2, 'z')::rv_b, '{"a":null,"id":3}')).*;
--> id int4 | a int4 | n text
--> 3 | ∅ | z
--> SELECT 1

SELECT jsonb_populate_recordset(NULL::rv_b, '[{"id":1},{"id":2,"n":"b,c"}]') AS r;
--> r user
--> (1,,)
--> (2,,"b,c")
--> SELECT 2
--?> r record
--?> (1,,)
--?> (2,,"b,c")
--?> SELECT 2

SELECT (json_populate_record(NULL::rv_b, '{"id":"9"}')).id;
--> id int4
--> 9
--> SELECT 1

SELECT t.id, p.a FROM rv_b t, json_populate_record(NULL::rv_b, row_to_json(t)) p ORDER BY 1;
--> id int4 | a int4
--> 10 | 1
--> 11 | 1
--> 12 | 3
--> SELECT 3

INSERT INTO rv_b SELECT * FROM json_populate_recordset(NULL::rv_b, '[{"id":20,"a":2,"n":"new"}]') RETURNING rv_b.id, to_json(rv_b.*);
--> id int4 | to_json json
--> 20 | {"id":20,"a":2,"n":"new"}
--> INSERT 0 1

UPDATE rv_b SET n = 'newer' WHERE id = 20 RETURNING row_to_json(rv_b);
--> row_to_json json
--> {"id":20,"a":2,"n":"newer"}
--> UPDATE 1

DELETE FROM rv_b WHERE id = 20 RETURNING rv_b.n, to_jsonb(rv_b) ->> 'a' AS a;
--> n text | a text
--> newer | 2
--> DELETE 1

SELECT json_populate_record(1, '{}');
--> ERROR 42804: first argument of json_populate_record must be a row type

SELECT * FROM json_populate_record(NULL::rv_b, '[1]');
--> ERROR 22023: cannot call populate_composite on an array

SELECT * FROM json_populate_record(NULL::rv_b, '{"id":"x"}');
--> ERROR 22P02: invalid input syntax for type integer: "x"

SELECT (NULL::rv_b).id;
--> id int4
--> ∅
--> SELECT 1

SELECT NULL::rv_nope;
--> ERROR 42704: type "rv_nope" does not exist

CREATE VIEW rv_v AS SELECT a, b FROM rv_a;
--> CREATE VIEW

SELECT row_to_json(rv_v) FROM rv_v WHERE a = 1;
--> row_to_json json
--> {"a":1,"b":"x"}
--> SELECT 1

SELECT to_jsonb(v) - 'b' AS j FROM rv_v v ORDER BY a;
--> j jsonb
--> {"a": 1}
--> {"a": 2}
--> {"a": 3}
--> SELECT 3

CREATE VIEW rv_w AS SELECT t AS r, row_to_json(t) AS j FROM rv_b t;
--> CREATE VIEW

SELECT (r).n, j->>'id' AS id FROM rv_w WHERE (r).id = 12;
--> n text | id text
--> three | 12
--> SELECT 1

SELECT * FROM (VALUES (1, ARRAY['a','b']), (2, '{}')) v(i, a) LEFT JOIN LATERAL unnest(v.a) u ON true ORDER BY 1, 3;
--> i int4 | a text[] | u text
--> 1 | {a,b} | a
--> 1 | {a,b} | b
--> 2 | {} | ∅
--> SELECT 3

DROP VIEW rv_v, rv_w;
--> DROP VIEW

DROP TABLE rv_a, rv_b;
--> DROP TABLE
