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
