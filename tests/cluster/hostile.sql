-- Statements that cost as much as one can make them, one per line. Each must be answered in time, with whatever answer, and
-- leave the cluster as it is. The table is `h (k int PRIMARY KEY, t text, n numeric)`, with rows 1 to 1000.

-- Panics and work in the log, untried.
INSERT INTO h VALUES (2001, to_char(2, '9V9V'))
INSERT INTO h VALUES (2002, to_char(2, repeat('9', 1000000)))
INSERT INTO h VALUES (2003, to_char(123.456, repeat('9V', 100000)))
INSERT INTO h VALUES (2004, to_char(now(), repeat('YYYY-MM-DD HH24:MI:SS.US ', 200000)))
INSERT INTO h VALUES (2005, array_length(string_to_array(repeat('x,', 20000000), ','), 1)::text)
INSERT INTO h VALUES (2006, repeat(repeat('x', 1000000), 1000))
INSERT INTO h VALUES (2007, lpad('', 200000000, 'ab'))
INSERT INTO h VALUES (2008, replace(repeat('a', 1000000), 'a', repeat('b', 1000)))
INSERT INTO h VALUES (2009, 'x', ln(repeat('9', 130000)::numeric))
INSERT INTO h VALUES (2010, 'x', factorial(32177))
INSERT INTO h VALUES (2011, 'x', power(1.0000000001, 2000000000))
INSERT INTO h VALUES (2012, 'x', 7 ^ 100000.5)
INSERT INTO h VALUES (2013, 'x', 2 ^ 400000)
INSERT INTO h VALUES (2014, 'x', sqrt(repeat('7', 130000)::numeric))
INSERT INTO h VALUES (2015, 'x', gcd(repeat('7', 130000)::numeric, repeat('3', 129999)::numeric))
INSERT INTO h VALUES (2016, 'x', exp(5999.999))
INSERT INTO h VALUES (2017, 'x', log(repeat('9', 100000)::numeric, repeat('7', 130000)::numeric))
INSERT INTO h VALUES (2018, (repeat('a', 200000) LIKE repeat('%a', 10000) || 'b')::text)
INSERT INTO h VALUES (2019, strpos(repeat('a', 20000000), repeat('a', 10000000) || 'b')::text)
INSERT INTO h VALUES (2020, translate(repeat('a', 2000000), repeat('z', 2000000), ''))
INSERT INTO h VALUES (2021, regexp_replace(repeat('a', 2000000), 'a', repeat('b', 1000), 'g'))
INSERT INTO h VALUES (2022, (repeat('a', 1000000) ~ '(a|b)*a(a|b){12}c')::text)
INSERT INTO h VALUES (2023, (repeat('a', 100000) ~ '((a{1,100}){1,100}){1,100}')::text)
INSERT INTO h VALUES (2024, format('%1000000000s', 'x'))
INSERT INTO h VALUES (2025, format(repeat('%1$s', 100000), repeat('x', 10000)))
INSERT INTO h VALUES (2026, repeat('[', 500000)::jsonb::text)
INSERT INTO h VALUES (2027, ('[' || repeat('1,', 5000000) || '1]')::jsonb::text)
INSERT INTO h VALUES (2028, (repeat('{', 500000))::int[]::text)
INSERT INTO h VALUES (2029, md5(repeat('x', 200000000)))
INSERT INTO h VALUES (2030, split_part(repeat('a', 50000000), 'a', -40000000))

-- Work in the log that reads rows.
INSERT INTO h SELECT g, 'x' FROM generate_series(3000, 1000000000000) g
INSERT INTO h SELECT 4000, string_agg(repeat('x', 1000), ',') FROM generate_series(1, 10000000)
INSERT INTO h SELECT 4001, array_agg(g)::text FROM generate_series(1, 100000000) g
INSERT INTO h SELECT 4002, count(*)::text FROM h a, h b, h c, h d
INSERT INTO h WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT n, 'x' FROM r
UPDATE h SET n = ln(repeat('9', 20000)::numeric + k)
UPDATE h SET t = repeat('x', 1000000) WHERE k <= 900
UPDATE h SET t = (SELECT count(*) FROM h a, h b, h c)::text
DELETE FROM h WHERE (SELECT count(*) FROM h a, h b, h c) < 0
DELETE FROM h WHERE t LIKE repeat('%a', 1000) AND repeat('a', 20000) LIKE repeat('%a', 5000) || 'b'
INSERT INTO h VALUES (1, 'x') ON CONFLICT (k) DO UPDATE SET t = repeat('x', 200000000)
UPDATE h SET n = factorial(30000) / factorial(29000) WHERE k < 100

-- Definitions.
ALTER TABLE h ADD COLUMN z bigint DEFAULT (SELECT count(*) FROM generate_series(1, 1000000000000000))
ALTER TABLE h ALTER t TYPE text USING (SELECT count(*)::text FROM generate_series(1, 1000000000000))
ALTER TABLE h ADD COLUMN z text DEFAULT repeat('x', 100000000)
ALTER TABLE h ADD COLUMN z text GENERATED ALWAYS AS (repeat('x', 100000000)) STORED
ALTER TABLE h ADD CHECK (ln(repeat('9', 100000)::numeric + k) > 0)
ALTER TABLE h ADD CHECK ((SELECT count(*) FROM generate_series(1, 1000000000000)) > 0)
ALTER TABLE h ALTER t TYPE text USING repeat('x', 10000000)
CREATE INDEX ON h (factorial(k + 20000))
CREATE INDEX ON h ((SELECT 1))
CREATE INDEX ON h (k) WHERE repeat('a', 30000) LIKE repeat('%a', 3000) || 'b'
CREATE TABLE h2 AS SELECT g FROM generate_series(1, 1000000000000) g
CREATE TABLE h2 (a int DEFAULT generate_series(1, 10))

-- Reads.
SELECT ln(repeat('9', 130000)::numeric)
SELECT exp(ln(repeat('9', 130000)::numeric)) 
SELECT count(*) FROM generate_series(1, 1000000000000000)
SELECT count(*) FROM generate_series('2000-01-01'::timestamp, '2100-01-01', '1 microsecond')
SELECT count(*) FROM generate_series('2000-01-01'::timestamptz, '2100-01-01', '1 microsecond')
SELECT count(*) FROM generate_series(1, 1e15, 0.000001)
SELECT count(*) FROM generate_series(repeat('9', 100000)::numeric, repeat('9', 100001)::numeric, 0.5)
SELECT string_agg(repeat('x', 1000), ',') FROM generate_series(1, 100000000)
SELECT array_to_string(array_agg(g), ',') FROM generate_series(1, 100000000) g
SELECT json_agg(g) FROM generate_series(1, 100000000) g
SELECT jsonb_object_agg(g, repeat('x', 1000)) FROM generate_series(1, 100000000) g
SELECT length(string_agg(t, '')) OVER (ORDER BY k) FROM (SELECT k, repeat('x', 100000) AS t FROM h) s GROUP BY k
SELECT count(*) FROM string_to_table(repeat('x,', 50000000), ',')
SELECT count(*) FROM regexp_split_to_table(repeat('x,', 5000000), ',')
SELECT count(*) FROM regexp_matches(repeat('ab', 5000000), '(a)(b)', 'g')
SELECT count(*) FROM unnest(string_to_array(repeat('x,', 50000000), ','))
SELECT count(*) FROM jsonb_array_elements(('[' || repeat('1,', 5000000) || '1]')::jsonb)
SELECT count(*) FROM h a, h b, h c, h d WHERE a.k + b.k = c.k + d.k
SELECT a.k FROM h a, h b, h c ORDER BY a.k + b.k * c.k LIMIT 1
SELECT count(DISTINCT a.k * b.k * c.k) FROM h a, h b, h c
SELECT sum(power(k, 1000)) FROM h, generate_series(1, 1000000)
SELECT stddev(power(10, 10000) + k) FROM h, generate_series(1, 100000)
SELECT strpos(repeat('ab', 20000000), repeat('ab', 10000000) || 'c')
SELECT strpos(repeat('a', 2000000)::bytea, (repeat('a', 1000000) || 'b')::bytea)
SELECT repeat('a', 500000) LIKE repeat('%a', 10000) || 'b'
SELECT repeat('ä', 500000) ILIKE repeat('%Ä', 10000) || 'b'
SELECT btrim(repeat('a', 2000000), repeat('bcdefghij', 100000) || 'a')
SELECT repeat('a', 16000000) ~ '(a|b)*a(a|b){10}c'
SELECT regexp_count(repeat('a', 16000000), 'a')
SELECT to_char(1e100000, repeat('9', 100000))
SELECT to_char(now(), repeat('TMMonth TMDay', 1000000))
SELECT array_position(string_to_array(repeat('x,', 1000000), ','), 'y')
SELECT string_to_array(repeat('x,', 20000), ',') @> string_to_array(repeat('y,', 20000) || 'x', ',') 
SELECT string_to_array(repeat('x,', 20000), ',') && string_to_array(repeat('y,', 20000), ',')
SELECT array_fill(1, ARRAY[100000000])
SELECT jsonb_pretty((repeat('[', 900) || repeat(']', 900))::jsonb)
SELECT jsonb_set(('{' || repeat('"a":1,', 1000000) || '"b":2}')::jsonb, '{b}', '3')
SELECT encode(repeat('x', 150000000)::bytea, 'hex')
WITH RECURSIVE r(n, s) AS (SELECT 1, 'x' UNION ALL SELECT n + 1, s || s FROM r) SELECT max(length(s)) FROM r
WITH RECURSIVE r(n) AS (SELECT 1 UNION SELECT n + 1 FROM r) SELECT max(n) FROM r
WITH RECURSIVE r(s) AS (SELECT repeat('x', 10000000) UNION ALL SELECT s FROM r) SELECT max(s) FROM r
