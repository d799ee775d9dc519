-- What an index is called that nobody has named: by its columns, and by what a select list would call an expression.

CREATE TABLE ni (a int, b text, arr int[], j jsonb, d date, ts timestamp, m numeric)
--> CREATE TABLE

CREATE INDEX ON ni ((CASE WHEN a = 1 THEN 1 ELSE 2 END))
--> CREATE INDEX

CREATE INDEX ON ni ((CASE WHEN a = 1 THEN 1 ELSE a END))
--> CREATE INDEX

CREATE INDEX ON ni ((CASE WHEN a = 1 THEN 1 ELSE lower(b)::int END))
--> CREATE INDEX

CREATE INDEX ON ni ((a::text))
--> CREATE INDEX

CREATE INDEX ON ni (((a + 1)::text))
--> CREATE INDEX

CREATE INDEX ON ni ((coalesce(a, 1)))
--> CREATE INDEX

CREATE INDEX ON ni ((a + 1))
--> CREATE INDEX

CREATE INDEX ON ni ((arr[1]))
--> CREATE INDEX

CREATE INDEX ON ni ((j -> 'x'))
--> CREATE INDEX

CREATE INDEX ON ni ((nullif(a, 1)))
--> CREATE INDEX

CREATE INDEX ON ni ((greatest(a, 1)))
--> CREATE INDEX

CREATE INDEX ON ni ((ARRAY[a, 1]))
--> CREATE INDEX

CREATE INDEX ON ni ((b COLLATE "C"))
--> CREATE INDEX

CREATE INDEX ON ni ((a IS NULL))
--> CREATE INDEX

CREATE INDEX ON ni ((NOT (a = 1)))
--> CREATE INDEX

CREATE INDEX ON ni (lower(b), upper(b))
--> CREATE INDEX

CREATE INDEX ON ni (lower(b), lower(b))
--> CREATE INDEX

CREATE INDEX ON ni (lower(b), (a + 1), (a + 2), a)
--> CREATE INDEX

CREATE INDEX ON ni ((extract(year FROM d)))
--> CREATE INDEX

CREATE INDEX ON ni (date_part('year', d))
--> CREATE INDEX

CREATE INDEX ON ni ((substring(b FROM 1 FOR 2)))
--> CREATE INDEX

CREATE INDEX ON ni ((trim(b)))
--> CREATE INDEX

CREATE INDEX ON ni ((b::varchar(3)))
--> CREATE INDEX

CREATE INDEX ON ni ((a::int8), (a::numeric))
--> CREATE INDEX

CREATE INDEX ON ni ((a IN (1, 2)))
--> CREATE INDEX

CREATE INDEX ON ni ((int4 '1' + a), (text 'x'))
--> CREATE INDEX

CREATE INDEX ON ni ((1))
--> CREATE INDEX

CREATE INDEX ON ni (('x'::text), b)
--> CREATE INDEX

CREATE INDEX ON ni ((NULL::int))
--> CREATE INDEX

CREATE INDEX ON ni (abs(a), pg_catalog.lower(b))
--> CREATE INDEX

CREATE INDEX ON ni ((j['a']))
--> CREATE INDEX

CREATE INDEX ON ni ((ts AT TIME ZONE 'utc'))
--> CREATE INDEX

CREATE UNIQUE INDEX ON ni (a, lower(b))
--> CREATE INDEX

SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.relkind = 'i' AND c.relname LIKE 'ni\_%' GROUP BY c.oid, c.relname ORDER BY c.relname
--> relname name | array_agg text[]
--> ni_a_a1_idx | {a,a1}
--> ni_a_idx | {a}
--> ni_a_idx1 | {a}
--> ni_a_lower_idx | {a,lower}
--> ni_abs_lower_idx | {abs,lower}
--> ni_arr_idx | {arr}
--> ni_array_idx | {array}
--> ni_b_idx | {b}
--> ni_b_idx1 | {b}
--> ni_btrim_idx | {btrim}
--> ni_case_idx | {case}
--> ni_coalesce_idx | {coalesce}
--> ni_date_part_idx | {date_part}
--> ni_expr_idx | {expr}
--> ni_expr_idx1 | {expr}
--> ni_expr_idx2 | {expr}
--> ni_expr_idx3 | {expr}
--> ni_expr_idx4 | {expr}
--> ni_expr_idx5 | {expr}
--> ni_expr_text_idx | {expr,text}
--> ni_extract_idx | {extract}
--> ni_greatest_idx | {greatest}
--> ni_int4_idx | {int4}
--> ni_j_idx | {j}
--> ni_lower_expr_expr1_a_idx | {lower,expr,expr1,a}
--> ni_lower_idx | {lower}
--> ni_lower_lower1_idx | {lower,lower1}
--> ni_lower_upper_idx | {lower,upper}
--> ni_nullif_idx | {nullif}
--> ni_substring_idx | {substring}
--> ni_text_b_idx | {text,b}
--> ni_text_idx | {text}
--> ni_timezone_idx | {timezone}
--> SELECT 33

INSERT INTO ni (a, b) VALUES (1, 'x'), (2, 'y') ON CONFLICT (a, lower(b)) DO NOTHING
--> ERROR 22P02: invalid input syntax for type integer: "y"

SELECT a, b FROM ni WHERE 'x'::text = b
--> a int4 | b text
--> SELECT 0

DROP TABLE ni
--> DROP TABLE

-- A column in parentheses is a column, also under a collation.

CREATE TABLE ni_columns (a text, b text)
--> CREATE TABLE

CREATE UNIQUE INDEX ON ni_columns ((a))
--> CREATE INDEX

CREATE INDEX ON ni_columns (((b COLLATE "C")) DESC)
--> CREATE INDEX

CREATE INDEX ON ni_columns (a COLLATE "POSIX", (b COLLATE "C"))
--> CREATE INDEX

CREATE INDEX ON ni_columns ((b || 'x') COLLATE "C")
--> CREATE INDEX

SELECT replace(indexdef, 'public.', '') FROM pg_indexes WHERE tablename = 'ni_columns' ORDER BY 1
--> replace text
--> CREATE INDEX ni_columns_a_b_idx ON ni_columns USING btree (a COLLATE "POSIX", b COLLATE "C")
--> CREATE INDEX ni_columns_b_idx ON ni_columns USING btree (b COLLATE "C" DESC)
--> CREATE INDEX ni_columns_expr_idx ON ni_columns USING btree (((b || 'x'::text)) COLLATE "C")
--> CREATE UNIQUE INDEX ni_columns_a_idx ON ni_columns USING btree (a)
--> SELECT 4

INSERT INTO ni_columns VALUES ('a', 'b'), ('a', 'c') ON CONFLICT (a) DO NOTHING
--> INSERT 0 1

INSERT INTO ni_columns VALUES ('a', 'd') ON CONFLICT ((a)) DO UPDATE SET b = excluded.b RETURNING *
--> a text | b text
--> a | d
--> INSERT 0 1

DROP TABLE ni_columns
--> DROP TABLE
