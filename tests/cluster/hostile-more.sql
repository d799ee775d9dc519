-- More of them, as hostile.sql; run when QUORATE_HOSTILE=all. The table `hs (id serial PRIMARY KEY, v text)` is there as well.

SELECT * FROM jsonb_path_query(('[' || repeat('1,', 200000) || '1]')::jsonb, '$[*] ? (@ == 1)')
SELECT jsonb_path_exists(('[' || repeat('[1],', 100000) || '1]')::jsonb, '$.**.**.**.x')
SELECT jsonb_path_query_array('[1]'::jsonb, ('$' || repeat('.**', 500))::jsonpath)
SELECT jsonb_path_query('"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"', '$ ? (@ like_regex "(a|a)*(a|a)*(a|a)*b")')
SELECT jsonb_path_match((repeat('[', 900) || '1' || repeat(']', 900))::jsonb, 'exists($.** ? (@.** == 2))')
SELECT regexp_replace(repeat('ab', 1000000), '(a)(b)', '\2\1\2\1\2\1\2\1', 'g')
SELECT regexp_matches(repeat('a', 200000), '(a*)*(a*)*(a*)*b')
SELECT repeat('a', 100000) ~ '(a{0,255}){0,255}'
SELECT repeat('ab', 100000) ~ '(.)(.)(.)(.)(.)(.)(.)(.)(.)\1\2\3\4\5\6\7\8\9'
SELECT repeat('x', 5000000) SIMILAR TO '(x|xx|xxx|xxxx)*y'
SELECT substring(repeat('x', 50000000) from '(x+x+)+y')
SELECT regexp_split_to_array(repeat('x', 10000000), '')
SELECT regexp_instr(repeat('a', 5000000), 'a', 1, 4999999)
SELECT reverse(repeat('ä', 50000000))
SELECT overlay(repeat('a', 100000000) placing repeat('b', 100000000) from 2)
SELECT initcap(repeat('a b ', 20000000))
SELECT lower(repeat('Ä', 40000000))
SELECT quote_literal(repeat('''', 80000000))
SELECT quote_ident(repeat('"', 80000000))
SELECT concat_ws(repeat(',', 100000), repeat('x', 1000), repeat('x', 1000), repeat('x', 1000)) FROM h, h b
SELECT decode(repeat('00', 90000000), 'hex')
SELECT encode(decode(repeat('AAAA', 30000000), 'base64'), 'escape')
SELECT sha512(repeat('x', 200000000)::bytea)
SELECT to_timestamp(repeat('2', 100000), repeat('YYYY', 100000))
SELECT to_date(repeat(' ', 5000000) || '2020', repeat(' ', 5000000) || 'YYYY')
SELECT round(repeat('9', 100000)::numeric / 7, 16383)
SELECT div(repeat('9', 130000)::numeric, repeat('7', 65000)::numeric)
SELECT mod(repeat('9', 130000)::numeric, repeat('7', 65000)::numeric)
SELECT lcm(repeat('9', 60000)::numeric, repeat('7', 60000)::numeric)
SELECT sum(repeat('9', 100000)::numeric + g) FROM generate_series(1, 100000) g
SELECT avg(repeat('9', 100000)::numeric * g) OVER (ORDER BY g) FROM generate_series(1, 100000) g
SELECT width_bucket(repeat('9', 100000)::numeric, 0, repeat('9', 100001)::numeric, 2147483647)
SELECT '1e131071'::numeric * '1e-16383'::numeric
SELECT repeat('9', 131072)::numeric * repeat('9', 131072)::numeric
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a.k * b.k) FROM h a, h b, h c
SELECT mode() WITHIN GROUP (ORDER BY repeat('x', 10000) || g) FROM generate_series(1, 1000000) g
SELECT array_agg(a.t || b.t ORDER BY b.k DESC) FROM h a, h b, h c
SELECT rank() OVER (PARTITION BY a.k ORDER BY b.k) FROM h a, h b, h c
SELECT lag(a.t, 1000) OVER (ORDER BY b.k), ntile(1000) OVER () FROM h a, h b, h c
SELECT count(*) FROM h a, h b, h c GROUP BY CUBE (a.k, b.k, c.k, a.t, b.t, c.t, a.n, b.n)
SELECT count(*) FROM h GROUP BY CUBE (k, t, n, k+1, k+2, k+3, k+4, k+5, k+6, k+7, k+8, k+9)
SELECT * FROM h a NATURAL JOIN h b NATURAL JOIN h c CROSS JOIN h d ORDER BY d.t, a.t
SELECT * FROM h a FULL JOIN h b ON a.k + b.k > 5 FULL JOIN h c ON b.k * c.k > 7
SELECT (SELECT (SELECT (SELECT count(*) FROM h d WHERE d.k > c.k) FROM h c WHERE c.k > b.k LIMIT 1) FROM h b WHERE b.k > a.k LIMIT 1) FROM h a, h z, h y
SELECT k FROM h WHERE k = ALL (SELECT b.k * c.k FROM h b, h c, h d)
SELECT k FROM h EXCEPT ALL SELECT b.k * c.k FROM h b, h c, h d
SELECT DISTINCT ON (a.t || b.t) a.t, b.t, c.t FROM h a, h b, h c ORDER BY a.t || b.t, c.t
SELECT * FROM generate_series(1, 100000000) a, LATERAL generate_series(1, a) b
SELECT array_replace(string_to_array(repeat('x,', 5000000), ','), 'x', repeat('y', 100))
SELECT row_to_json(h) FROM h, h b, h c
SELECT jsonb_agg(to_jsonb(a) || to_jsonb(b)) FROM h a, h b
SELECT jsonb_strip_nulls(('{' || repeat('"a":null,', 1000000) || '"b":2}')::jsonb)
SELECT jsonb_each_text(('{' || (SELECT string_agg('"k' || g || '":' || g, ',') FROM generate_series(1, 1000000) g) || '}')::jsonb)
SELECT (repeat('[', 6000) || repeat(']', 6000))::json #> string_to_array(repeat('0,', 6000), ',')
SELECT xmlforest(1 AS a)
SELECT repeat('1', 50000000)::bit varying::text
SELECT '{1,2}'::int[] || array_fill(1, ARRAY[20000000])
SELECT make_interval(secs => 1e300)
SELECT date_trunc('century', g) FROM generate_series('0001-01-01'::timestamp, '9999-01-01', '1 second') g
SELECT age(g, '0001-01-01') FROM generate_series('0001-01-01'::timestamp, '9999-01-01', '1 minute') g ORDER BY 1
SELECT to_char(g, repeat('Day Month ', 1000)) FROM generate_series('0001-01-01'::timestamp, '9999-01-01', '1 minute') g
SELECT current_setting('x' || repeat('y', 10000000), true)
SELECT set_config('application_name', repeat('x', 100000000), false)
SELECT format_type(g, g) FROM generate_series(1, 100000000) g
SELECT pg_get_viewdef(c.oid) FROM pg_class c, h a, h b
SELECT pg_get_indexdef(c.oid), pg_get_expr('x', c.oid) FROM pg_class c, pg_class d, h a
SELECT count(*) FROM pg_attribute a, pg_attribute b, pg_attribute c, pg_class d
SELECT count(*) FROM information_schema.columns a, information_schema.columns b, information_schema.columns c
SELECT obj_description(a.oid), col_description(a.oid, 1), pg_table_size(a.oid) FROM pg_class a, pg_class b, pg_class c
SELECT has_table_privilege(a.oid, 'select') FROM pg_class a, pg_class b, pg_class c
SELECT pg_sleep(1000)
SELECT pg_sleep(0.001) FROM h, h b
SELECT pg_notify('c', repeat('x', 7999)) FROM generate_series(1, 1000000)
SELECT pg_advisory_lock(g) FROM generate_series(1, 100000000) g
SELECT pg_try_advisory_xact_lock(g) FROM generate_series(1, 10000000) g
SELECT nextval(pg_get_serial_sequence('hs', 'id')) FROM generate_series(1, 100000000)
INSERT INTO hs (v) SELECT repeat('x', 1000) FROM generate_series(1, 100000000)
SELECT gen_random_uuid() FROM generate_series(1, 100000000) ORDER BY 1
SELECT random() FROM generate_series(1, 100000000) ORDER BY 1
SELECT * FROM h a, h b, h c FOR UPDATE OF a
SELECT * FROM hs WHERE v IN (SELECT repeat('x', g) FROM generate_series(1, 100000) g) FOR UPDATE
WITH x AS (UPDATE h SET t = t || t RETURNING t) SELECT string_agg(t, '') FROM x, h a, h b
WITH RECURSIVE r(a) AS (SELECT ARRAY[1] UNION ALL SELECT a || a FROM r) SELECT max(cardinality(a)) FROM r
WITH RECURSIVE r(j) AS (SELECT '[1]'::jsonb UNION ALL SELECT j || j FROM r) SELECT count(*) FROM r
WITH RECURSIVE r(n) AS (SELECT 1::numeric UNION ALL SELECT n * n + 1 FROM r) SELECT max(n) FROM r
UPDATE h SET t = repeat('x', 100000) || k FROM generate_series(1, 100000) g
DELETE FROM h USING h b, h c WHERE h.k + b.k + c.k < 0
MERGE INTO h USING (SELECT a.k FROM h a, h b, h c) s ON h.k = s.k WHEN MATCHED THEN UPDATE SET t = 'y'
INSERT INTO h SELECT g % 10 + 1, 'x' FROM generate_series(1, 100000000) g ON CONFLICT (k) DO UPDATE SET t = h.t || h.t
INSERT INTO h SELECT g, repeat('x', 100000) FROM generate_series(5000, 100000) g
CREATE TABLE h3 AS SELECT repeat('x', 100000) t, g FROM generate_series(1, 1000000) g
CREATE TABLE h4 (a int CHECK (a > (repeat('a', 30000) LIKE repeat('%a', 3000) || 'b')::int))
CREATE TYPE he AS ENUM ('a'); SELECT enum_range(NULL::he), g FROM generate_series(1, 100000000) g
CREATE VIEW hv AS SELECT a.k FROM h a, h b, h c, h d; SELECT count(*) FROM hv
CREATE MATERIALIZED VIEW hm AS SELECT a.k FROM h a, h b, h c
CREATE UNIQUE INDEX ON h (repeat(t, 1000000))
CREATE INDEX ON h ((regexp_replace(repeat('a', 2000000), 'a', repeat('b', 100), 'g')))
DECLARE c CURSOR WITH HOLD FOR SELECT repeat('x', 1000000) FROM generate_series(1, 100000)
BEGIN; DECLARE c SCROLL CURSOR FOR SELECT repeat('x', 100000) FROM generate_series(1, 1000000); MOVE LAST FROM c; FETCH FIRST FROM c; COMMIT
EXPLAIN ANALYZE SELECT count(*) FROM h a, h b, h c, h d
EXPLAIN (FORMAT JSON) SELECT count(*) FROM h a, h b, h c, h d
VALUES (repeat('x', 200000000)), (repeat('y', 200000000)), (repeat('z', 200000000))
TABLE h ORDER BY repeat(t, 1000000)
SELECT t COLLATE "C" FROM h, h b, h c ORDER BY 1
SELECT greatest(repeat('a', 100000000), repeat('b', 100000000)), least(repeat('a', 100000000), repeat('b', 100000000))
SELECT repeat('a', 100000000) = repeat('a', 100000000) FROM h
SELECT position(repeat('a', 1000000) || 'b' in repeat('a', 10000000)) FROM h
SELECT chr(g) || repeat(chr(g), 1000000) FROM generate_series(65, 100000) g ORDER BY 1
SELECT string_agg(DISTINCT repeat('x', g), ',') FROM generate_series(1, 100000) g
SELECT convert_from(repeat('x', 100000000)::bytea, 'UTF8')
COPY (SELECT repeat('x', 1000000) FROM generate_series(1, 100000)) TO STDOUT
COPY (SELECT a.k * b.k, repeat(a.t, 1000) FROM h a, h b, h c) TO STDOUT (FORMAT csv, FORCE_QUOTE *)
COPY (SELECT array_agg(repeat('x', 1000)) FROM generate_series(1, 1000000)) TO STDOUT (FORMAT binary)
BEGIN; SELECT pg_notify('c' || g, repeat('x', 7000)) FROM generate_series(1, 200000) g; COMMIT
PREPARE p AS SELECT count(*) FROM h a, h b, h c, h d; EXECUTE p
BEGIN; DECLARE c CURSOR FOR SELECT a.k FROM h a, h b, h c ORDER BY a.k * b.k * c.k; FETCH ALL FROM c; COMMIT
BEGIN; SAVEPOINT s; UPDATE h SET t = repeat('y', 100000); ROLLBACK TO s; UPDATE h SET t = repeat('z', 100000); ROLLBACK
BEGIN; SELECT k FROM h FOR UPDATE; UPDATE h SET n = factorial(20000) / k; COMMIT
SELECT count(*) FROM pg_locks a, pg_locks b, pg_stat_activity c, pg_class d, pg_attribute e
SELECT pg_get_constraintdef(c.oid), pg_get_viewdef('pg_class'::regclass) FROM pg_constraint c, h a, h b
SELECT string_agg(format('%s %I %L', repeat('x', 100000), repeat('y', 100000), repeat('z', 100000)), '') FROM generate_series(1, 10000)
SELECT regexp_substr(repeat('ab', 2500000), 'b', 1, 2400000)
SELECT (SELECT string_agg(repeat('x', 10000), '') FROM generate_series(1, a.k * b.k)) FROM h a, h b
SELECT array_agg(x ORDER BY x DESC) FROM generate_series(1, 50000000) x
SELECT sum(a.n * b.n) OVER (ORDER BY a.k ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) FROM h a, h b, h c
SELECT sum(a.k) OVER (ORDER BY a.k, b.k ROWS BETWEEN 100000 PRECEDING AND 100000 FOLLOWING) FROM h a, h b
SELECT nth_value(a.t, 500000) OVER (ORDER BY b.k GROUPS 10000 PRECEDING) FROM h a, h b
SELECT bit_and(a.k), bool_or(a.k > b.k), every(b.k > 0) FROM h a, h b, h c
SELECT ('{"a":' || repeat('[', 3000) || repeat(']', 3000) || '}')::jsonb @> ('{"a":' || repeat('[', 3000) || repeat(']', 3000) || '}')::jsonb
SELECT jsonb_path_query(jsonb_agg(g), '$[*] ? (@ > 5 && @ < 7 || exists(@ ? (@ == 3)))') FROM generate_series(1, 2000000) g
SELECT jsonb_insert(jsonb_agg(g), '{1000000}', '1') FROM generate_series(1, 2000000) g
SELECT (jsonb_agg(g) - 5) || jsonb_agg(g) FROM generate_series(1, 2000000) g
SELECT json_object_agg(g, g) FROM generate_series(1, 20000000) g
SELECT * FROM json_to_recordset(('[' || repeat('{"a":1},', 1000000) || '{"a":1}]')::json) AS x(a int)
SELECT * FROM jsonb_populate_recordset(NULL::h, ('[' || repeat('{"k":1},', 1000000) || '{"k":1}]')::jsonb)
SELECT to_char(interval '1 year' * g, repeat('YYYY-MM-DD HH24:MI:SS ', 10000)) FROM generate_series(1, 1000000) g
SELECT trim_scale(repeat('9', 130000)::numeric * g), scale(g), min_scale(g) FROM generate_series(1.5, 100000000.5) g
SELECT exp(g / 100.0), ln(g), sqrt(g::numeric), power(g::numeric, 5.5) FROM generate_series(1, 100000000) g
SELECT power(repeat('9', 10000)::numeric, 12)
SELECT repeat('9', 65000)::numeric ^ 2 ^ 2
SELECT 'a' || repeat('b', 100000000) || repeat('c', 100000000) || repeat('d', 100000000)
SELECT string_to_array(repeat('ab', 10000000), NULL)
SELECT starts_with(repeat('a', 100000000), repeat('a', 100000000)) FROM generate_series(1, 1000)
SELECT ascii(repeat('ä', 100000000)), length(repeat('ä', 100000000)), octet_length(repeat('ä', 100000000)) FROM generate_series(1, 100)
SELECT ltrim(repeat(' ', 100000000)), rtrim(repeat(' ', 100000000)), upper(repeat('a', 100000000))
SELECT repeat('%', 1000000) LIKE repeat('\%', 1000000), repeat('_', 1000000) LIKE repeat('_', 1000000)
SELECT repeat('a', 1000000) ILIKE '%' || repeat('_', 500000) || '%b'
SELECT a.t LIKE '%' || b.t || '%' || c.t || '%' FROM h a, h b, h c
SELECT regexp_replace(t || repeat('x', 100000), '(x+)(x+)(x+)(x+)$', '\4\3\2\1') FROM h
SELECT ('{' || repeat('"x",', 5000000) || '"x"}')::text[]
SELECT ARRAY(SELECT repeat('x', 100000) FROM generate_series(1, 100000))
SELECT (ARRAY(SELECT g FROM generate_series(1, 10000000) g))[1:5000000]
SELECT count(*) FROM h a JOIN LATERAL (SELECT * FROM h b WHERE b.k > a.k ORDER BY b.t LIMIT 100) s ON true JOIN LATERAL (SELECT * FROM h c WHERE c.k > s.k) z ON true
SELECT count(*) FROM h a LEFT JOIN h b ON a.t = b.t || '' LEFT JOIN h c ON b.n + c.n > 5 LEFT JOIN h d ON c.k <> d.k
SELECT count(*) FROM (SELECT * FROM h UNION SELECT * FROM h) a, (SELECT * FROM h INTERSECT SELECT * FROM h) b, (SELECT * FROM h EXCEPT SELECT * FROM h WHERE k = 1) c
SELECT CASE WHEN count(*) > 5 THEN 1 END FROM h a, h b, h c HAVING count(*) > 5
WITH a AS MATERIALIZED (SELECT repeat('x', 100000) t FROM generate_series(1, 100000)) SELECT count(*) FROM a, a b
WITH RECURSIVE r(p, d) AS (SELECT ARRAY[k], 1 FROM h UNION ALL SELECT p || h.k, d + 1 FROM r, h WHERE d < 5) SELECT count(*) FROM r
WITH RECURSIVE f(n, a, b) AS (SELECT 1, 0::numeric, 1::numeric UNION ALL SELECT n + 1, b, a + b FROM f WHERE n < 10000000) SELECT max(a) FROM f
INSERT INTO h (k, t) SELECT g + 100000, string_agg(repeat('x', 100), ',') OVER (ORDER BY g) FROM generate_series(1, 100000) g
INSERT INTO h VALUES (7001, (SELECT string_agg(t, '') FROM h a, LATERAL (SELECT repeat(a.t, 100000) t) s)) RETURNING repeat(t, 100)
UPDATE h SET t = (WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 100000) SELECT max(n) FROM r)::text
DELETE FROM h WHERE k IN (SELECT a.k FROM h a, h b, h c GROUP BY a.k HAVING count(*) < 0)
ALTER TABLE h ADD COLUMN zz int GENERATED ALWAYS AS (length(repeat('x', 100000000))) STORED
CREATE INDEX hi ON h (upper(repeat(t, 100000)))
ANALYZE h
VACUUM FULL h

-- Other kinds: what a session keeps, programs, catalogs, and clauses with their worst arguments.
SELECT count(*), grouping(k, t, n) FROM h a GROUP BY GROUPING SETS (CUBE (k, t, n, k + 1, k + 2, k + 3), ROLLUP (k, t, n, k + 4, k + 5, k + 6), (k, n))
SELECT count(*) FROM h a, h b GROUP BY ROLLUP (a.k, b.k, a.t, b.t, a.n, b.n, a.k + b.k)
DO $$ BEGIN LOOP NULL; END LOOP; END $$
DO $$ DECLARE s text := 'x'; BEGIN LOOP s := s || s; END LOOP; END $$
DO $$ DECLARE a int[] := ARRAY[1]; BEGIN LOOP a := a || a; END LOOP; END $$
DO $$ BEGIN LOOP RAISE NOTICE '%', repeat('x', 100000); END LOOP; END $$
DO $$ DECLARE r record; BEGIN FOR r IN SELECT a.k FROM h a, h b, h c LOOP NULL; END LOOP; END $$
DO $$ BEGIN FOR i IN 1..100000000 LOOP INSERT INTO hs (v) VALUES (repeat('x', 1000)); END LOOP; END $$
DO $$ BEGIN FOR i IN 1..100000000 LOOP BEGIN INSERT INTO h VALUES (1, 'x'); EXCEPTION WHEN unique_violation THEN NULL; END; END LOOP; END $$
DO $$ BEGIN FOR i IN 1..100000000 LOOP EXECUTE 'SELECT ' || i || ' AS c' || i; END LOOP; END $$
DO $$ BEGIN FOR i IN 1..100000 LOOP EXECUTE 'CREATE TEMP TABLE hostile_temp' || i || ' (a int)'; END LOOP; END $$
DO $$ BEGIN FOR i IN 1..100000 LOOP EXECUTE 'CREATE TABLE hostile_table' || i || ' (a int PRIMARY KEY, b text UNIQUE)'; END LOOP; END $$
DO $$ BEGIN FOR i IN 1..10000000 LOOP PERFORM pg_notify('c' || i % 100, repeat('x', 7000)); END LOOP; END $$
DO $$ BEGIN FOR i IN 1..10000000 LOOP PERFORM pg_advisory_xact_lock(i); END LOOP; END $$
SELECT sum(k) OVER (ORDER BY k RANGE BETWEEN 100000 PRECEDING AND 100000 FOLLOWING EXCLUDE CURRENT ROW) FROM generate_series(1, 300000) k
SELECT max(t) OVER (ORDER BY g ROWS BETWEEN 50000 PRECEDING AND 50000 FOLLOWING EXCLUDE TIES), min(t) OVER (ORDER BY g ROWS BETWEEN 50000 PRECEDING AND CURRENT ROW EXCLUDE GROUP) FROM (SELECT g, g::text t FROM generate_series(1, 300000) g) s
SELECT string_agg(g::text, ',') OVER (ORDER BY g) FROM generate_series(1, 100000) g
SELECT array_agg(g) OVER (ORDER BY g ROWS UNBOUNDED PRECEDING) FROM generate_series(1, 100000) g
SELECT jsonb_agg(g) OVER (ORDER BY g), count(*) FILTER (WHERE g % 2 = 0) OVER (ORDER BY g DESC) FROM generate_series(1, 50000) g
SELECT percent_rank() OVER w, cume_dist() OVER w, first_value(s) OVER w FROM (SELECT g % 7 g, repeat('x', g % 1000) s FROM generate_series(1, 1000000) g) q WINDOW w AS (PARTITION BY g ORDER BY s)
SELECT jsonb_path_query_array(jsonb_agg(g), '$[*] ? (exists($[*] ? (@ == 0)))') FROM generate_series(1, 5000) g
SELECT jsonb_path_exists(jsonb_agg(g), '$[*] ? (exists($[*] ? (exists($[*] ? (@ == -1)))))') FROM generate_series(1, 3000) g
SELECT jsonb_path_query(jsonb_build_object('a', repeat('x', 1000000)), '$.a ? (@ starts with "x" && @ like_regex "^(x+x+)+y")')
SELECT jsonb_path_query('[1]', ('$[*]' || repeat(' + 1', 5000))::jsonpath)
SELECT jsonb_path_query('[1]', ('$ ? (' || repeat('(', 3000) || '@ == 1' || repeat(')', 3000) || ')')::jsonpath)
SELECT regexp_replace(repeat('ab', 20000), '((a)|(b))+\1\2?', 'x', 'g')
SELECT repeat('a', 30000) ~ '^(a+)\1+\1+\1+$', repeat('a', 29989) ~ '^(aa+)\1+$'
SELECT (repeat('a', 20000) || 'b') ~ '^(?=(a+)+$)', repeat('a', 20000) ~ '(?!(a|aa)+b)(a*)*c'
SELECT regexp_match(repeat('x', 100000), '(x?){1,200}y'), repeat('é', 100000) ~* '[[:alpha:]]{100,255}[[:digit:]]'
SELECT count(*) FROM regexp_split_to_table(repeat('x', 1000000), '(?=x)'), generate_series(1, 1000)
SELECT string_agg(lpad(g::text, 1000000, '0'), '' ORDER BY g DESC) FROM generate_series(1, 1000) g
SELECT array_cat(array_fill(repeat('x', 1000000), ARRAY[100]), array_fill(repeat('y', 1000000), ARRAY[100]))
SELECT array_fill(0, ARRAY[100, 100, 100, 100]), array_dims(array_fill(0, ARRAY[1000, 1000, 50]))
SELECT array_remove(array_fill(1, ARRAY[10000000]), 1), array_positions(array_fill(1, ARRAY[10000000]), 1)
SELECT count(*) FROM generate_subscripts(array_fill(1, ARRAY[10000000]), 1) a, generate_subscripts(array_fill(1, ARRAY[1000]), 1) b
SELECT count(*) FROM generate_series(0, 1e100000::numeric, 1e-1000::numeric)
SELECT count(*) FROM generate_series('4713-01-01 BC'::timestamptz, '294276-01-01', '1 microsecond') g WHERE extract(epoch FROM g) < 0
SELECT count(*) FROM generate_series(now(), now() + '1000 years', '1 second') a WHERE date_part('week', a AT TIME ZONE 'America/New_York') = 54
CREATE VIEW hr AS WITH RECURSIVE r(n, s) AS (SELECT 1, 'x' UNION ALL SELECT n + 1, s || n FROM r) SELECT * FROM r; SELECT max(length(a.s || b.s)) FROM hr a, hr b
WITH RECURSIVE r(a, b) AS (SELECT k, t FROM h UNION SELECT a + b.k, r.b || b.t FROM r, h b) SEARCH BREADTH FIRST BY a SET o SELECT count(*) FROM r
WITH RECURSIVE r(a) AS (SELECT 1 UNION ALL SELECT a % 1000 + 1 FROM r, h) CYCLE a SET c USING p SELECT count(*) FROM r
SELECT to_number(repeat('9,', 500000), repeat('9G', 500000)), to_char(g, repeat('0', 100000)) FROM generate_series(1, 100000) g
SELECT to_char(repeat('9', 130000)::numeric, 'FM' || repeat('9G', 60000) || 'D' || repeat('9', 10000))
SELECT to_char(-1e131071::numeric, 'RN'), to_char(g, 'RN'), to_char(1e308::float8 * g, '9.99EEEE') FROM generate_series(1, 50000000) g
SELECT to_timestamp(repeat('1', 100000)::numeric::float8), make_date(2147483647, 12, 31), make_timestamp(294276, 12, 31, 23, 59, 60)
SELECT exp(5000.123456789::numeric + g / 1000.0), power(1.000000001::numeric, 1e9::numeric + g) FROM generate_series(1, 1000000) g
SELECT factorial(g) FROM generate_series(1, 32177) g ORDER BY factorial(g) DESC
SELECT power(0.5, 100000) * power(0.5, 100000), log(1 + 1e-16383), ln(1e-16383), sqrt(1e131071 + 1e-16383)
SELECT width_bucket(g, array_agg(b)) FROM generate_series(1, 10000) g, generate_series(1, 10000) b GROUP BY g
SELECT k FROM h WHERE k IN (SELECT g FROM generate_series(1, 5000000) g) AND t NOT IN (SELECT g::text FROM generate_series(1, 5000000) g)
SELECT k FROM h WHERE (k, t) NOT IN (SELECT a.k, b.t FROM h a, h b WHERE a.k <> b.k)
SELECT upper(repeat('ß', 30000000)), initcap(repeat('ǆ ', 10000000)), normalize(repeat('e' || chr(769), 10000000), NFC)
SELECT t COLLATE "en-x-icu" FROM h, h b ORDER BY lower(h.t || b.t) COLLATE "C" DESC, 1
SELECT ts_rank(to_tsvector(repeat('word ', 1000000)), to_tsquery('word'))
SELECT string_agg(md5(g::text) || sha256(g::text::bytea)::text, '' ORDER BY md5(g::text)) FROM generate_series(1, 10000000) g
SELECT bit_count(repeat('1', 10000000)::bit varying::bytea), set_bit(repeat('x', 10000000)::bytea, 1, 1), get_byte(repeat('x', 10000000)::bytea, 1)
SELECT repeat('1', 10000000)::varbit & repeat('0', 10000000)::varbit, repeat('1', 10000000)::varbit << 5000000, ~ repeat('1', 10000000)::varbit
SELECT int4range(1, g) * int4range(g, 2000000000), range_agg(int4range(g, g + 1)) FROM generate_series(1, 1000000) g GROUP BY g
SELECT range_agg(int4range(2 * g, 2 * g + 1)) FROM generate_series(1, 3000000) g
SELECT '10.0.0.0/8'::inet + g, host(('10.0.0.0'::inet + g)) FROM generate_series(1, 16000000) g ORDER BY 1 DESC
SELECT hstore(array_agg(g::text), array_agg(g::text)) FROM generate_series(1, 1000000) g
SELECT count(*) FROM unnest(array_fill(1, ARRAY[1000000]), array_fill(2, ARRAY[5000000])) a, h
SELECT count(*) FROM ROWS FROM (generate_series(1, 100000000), generate_series(1, 200000000)) WITH ORDINALITY AS x(a, b, c)
SELECT * FROM h a TABLESAMPLE SYSTEM (100), h b TABLESAMPLE BERNOULLI (100), h c ORDER BY random()
BEGIN; DECLARE a CURSOR WITH HOLD FOR SELECT repeat('x', 100000) FROM generate_series(1, 3000); DECLARE b CURSOR WITH HOLD FOR SELECT repeat('y', 100000) FROM generate_series(1, 3000); DECLARE c CURSOR WITH HOLD FOR SELECT repeat('z', 100000) FROM generate_series(1, 3000); COMMIT; FETCH LAST FROM a
BEGIN; CREATE TEMP TABLE ht AS SELECT repeat('x', 100000) s, g FROM generate_series(1, 100000) g; COMMIT
CREATE TEMP TABLE ht2 (a int, b text CHECK (b ~ '(a|b)*a(a|b){12}c')); INSERT INTO ht2 SELECT g, repeat('a', 100000) FROM generate_series(1, 1000) g
CREATE TEMP TABLE ht3 (a int, b text GENERATED ALWAYS AS (repeat('x', a)) STORED); INSERT INTO ht3 SELECT g FROM generate_series(1, 1000000) g
CREATE TEMP TABLE ht4 (a text); INSERT INTO ht4 SELECT 'x'; INSERT INTO ht4 SELECT string_agg(repeat(a, 10000000), '') FROM ht4, generate_series(1, 30); UPDATE ht4 SET a = a || a
CREATE UNIQUE INDEX ON hs (length(v), (SELECT 1)); CREATE INDEX ON h ((repeat(t, k * 1000)))
INSERT INTO h SELECT g + 500000, repeat('x', 1000), ln(g::numeric + 1e1000) FROM generate_series(1, 100000) g RETURNING repeat(t, 1000), ln(n + 1e1000)
INSERT INTO hs (v) SELECT a.t || b.t FROM h a, h b ON CONFLICT (id) DO UPDATE SET v = (SELECT string_agg(t, '') FROM h, h z)
UPDATE h SET (t, n) = (SELECT string_agg(b.t, ''), sum(ln(b.k + 1e1000)) FROM h b WHERE b.k >= h.k)
MERGE INTO hs USING (SELECT g FROM generate_series(1, 10000000) g) s ON hs.id = -s.g WHEN NOT MATCHED THEN INSERT (v) VALUES (repeat('x', 1000))
DELETE FROM h USING generate_series(1, 100000000) g WHERE h.k = -g OR length(repeat('x', g)) < 0 RETURNING repeat(h.t, 1000)
TRUNCATE hs; INSERT INTO hs (v) VALUES (repeat('x', 250000000)); INSERT INTO hs (v) SELECT v || v FROM hs
LISTEN hostile; NOTIFY hostile; SELECT pg_notify('hostile', repeat('x', 7999) ) FROM generate_series(1, 200000)
SELECT pg_advisory_lock_shared(g, g), pg_try_advisory_lock(g::bigint << 32) FROM generate_series(1, 5000000) g
SELECT lo_from_bytea(0, repeat('x', 100000000)::bytea)
SELECT query_to_xml('SELECT 1', true, true, ''), pg_read_file('/dev/zero', 0, 1000000000)
SELECT pg_ls_dir('/'), pg_stat_file('/dev/zero'), dblink('x', 'y')
SELECT quote_nullable(string_agg(quote_ident(relname || repeat('"', 100000)), ',')), current_setting('search_path') FROM pg_class, h
SELECT pg_get_functiondef(p.oid), pg_get_function_arguments(p.oid) FROM pg_proc p, h a, h b
SELECT string_agg(pg_describe_object(1259, c.oid, 0), '') FROM pg_class c, pg_class d, pg_class e
SELECT count(*) FROM pg_type a, pg_operator b, pg_proc c, pg_cast d WHERE a.oid = c.prorettype AND b.oprname <> c.proname
SELECT * FROM information_schema.table_constraints a, information_schema.key_column_usage b, information_schema.referential_constraints c, information_schema.tables d, information_schema.columns e ORDER BY 1, 2, 3
SELECT pg_input_is_valid(repeat('[', 5000000), 'jsonb'), to_regclass(repeat('x', 10000000)), to_regtype(repeat('int[]', 100000))
SELECT regclass('h' || repeat(' ', 10000000)), format_type(23, g), pg_typeof(repeat('x', g)) FROM generate_series(1, 10000000) g
EXPLAIN (ANALYZE, VERBOSE) SELECT repeat(a.t, 100000) FROM h a, h b, h c ORDER BY 1
ANALYZE; ANALYZE h, hs, h; VACUUM ANALYZE
COMMENT ON TABLE h IS 'x'; SELECT set_config('a.b' || g, repeat('x', 10000), false) FROM generate_series(1, 1000000) g
SET search_path = h, pg_catalog, public; SELECT count(*) FROM pg_settings a, pg_settings b, pg_settings c, pg_settings d
SELECT length(repeat('{"a":', 10000)::json::text), length(repeat('[', 999 + g) || '1' || repeat(']', 999)) FROM generate_series(0, 1) g
SELECT jsonb_strip_nulls(j), jsonb_pretty(j), j @> j, j || j, jsonb_path_query_array(j, '$.**') FROM (SELECT (repeat('[', 999) || '1' || repeat(']', 999))::jsonb) x(j)
