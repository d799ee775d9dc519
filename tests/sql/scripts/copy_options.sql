-- What options of COPY go together; and json, which has no order.

CREATE TABLE co_t (a int, b text)
--> CREATE TABLE

INSERT INTO co_t VALUES (1, 'x'), (2, NULL)
--> INSERT 0 2

COPY co_t TO STDOUT (FORMAT csv, FORMAT text)
--> ERROR 42601: conflicting or redundant options

COPY co_t TO STDOUT (HEADER, HEADER false)
--> ERROR 42601: conflicting or redundant options

COPY co_t TO STDOUT CSV CSV
--> ERROR 42601: conflicting or redundant options

COPY BINARY co_t TO STDOUT (FORMAT csv)
--> ERROR 42601: conflicting or redundant options

COPY co_t TO STDOUT (FORMAT csv, NULL 'n"l')
--> ERROR 0A000: CSV quote character must not appear in the NULL specification

COPY co_t TO STDOUT (FORMAT csv, FORCE_NOT_NULL (a))
--> ERROR 0A000: COPY force not null only available using COPY FROM

COPY co_t TO STDOUT (FORMAT csv, FORCE_NULL (a))
--> ERROR 0A000: COPY force null only available using COPY FROM

COPY co_t FROM STDIN (FORMAT csv, FORCE_QUOTE (a))
--> ERROR 0A000: COPY force quote only available using COPY TO

COPY co_t TO STDOUT (FORMAT csv, HEADER match)
--> ERROR 0A000: cannot use "match" with HEADER in COPY TO

COPY co_t TO STDOUT (FORMAT csv, HEADER perhaps)
--> ERROR 42601: header requires a Boolean value or "match"

COPY co_t TO STDOUT (FORMAT binary, HEADER)
--> ERROR 0A000: cannot specify HEADER in BINARY mode

COPY co_t TO STDOUT WHERE a > 1
--> ERROR 42601: WHERE clause not allowed with COPY TO

COPY co_t TO STDOUT DELIMITERS ',' WITH NULL AS 'null'
--> 1,x
--> 2,null
--> COPY 2

CREATE TABLE co_j (id int, j json)
--> CREATE TABLE

INSERT INTO co_j VALUES (1, '{"a": 1}'), (2, '{"a": 1}')
--> INSERT 0 2

SELECT j FROM co_j ORDER BY j
--> ERROR 42883: could not identify an ordering operator for type json

SELECT j FROM co_j ORDER BY 1
--> ERROR 42883: could not identify an ordering operator for type json

SELECT j AS k FROM co_j ORDER BY k
--> ERROR 42883: could not identify an ordering operator for type json

SELECT DISTINCT j FROM co_j
--> ERROR 42883: could not identify an equality operator for type json

SELECT DISTINCT ON (j) id FROM co_j
--> ERROR 42883: could not identify an equality operator for type json

SELECT count(*) FROM co_j GROUP BY j
--> ERROR 42883: could not identify an equality operator for type json

SELECT j FROM co_j UNION SELECT j FROM co_j
--> ERROR 42883: could not identify an equality operator for type json

SELECT j FROM co_j UNION ALL SELECT j FROM co_j
--> j json
--> {"a": 1}
--> {"a": 1}
--> {"a": 1}
--> {"a": 1}
--> SELECT 4

SELECT row_number() OVER (ORDER BY j) FROM co_j
--> ERROR 42883: could not identify an ordering operator for type json

SELECT array_agg(id ORDER BY j) FROM co_j
--> ERROR 42883: could not identify an ordering operator for type json

SELECT count(*) FROM co_j GROUP BY j::jsonb
--> count int8
--> 2
--> SELECT 1

SELECT jsonb_exists(j::jsonb, 'a'), jsonb_exists_any(j::jsonb, '{a,b}'), jsonb_exists_all(j::jsonb, '{a,b}'), jsonb_contains(j::jsonb, '{}'), json_object_field_text(j, 'a') FROM co_j ORDER BY id
--> jsonb_exists bool | jsonb_exists_any bool | jsonb_exists_all bool | jsonb_contains bool | json_object_field_text text
--> t | t | f | t | 1
--> t | t | f | t | 1
--> SELECT 2

ALTER TABLE co_t ADD COLUMN c int, RENAME TO co_u
--> ERROR 42601: syntax error at or near "RENAME"

ALTER TABLE co_t SET SCHEMA public, ADD COLUMN c int
--> ERROR 42601: syntax error at or near ","

ALTER TABLE co_t ADD c int, SET SCHEMA public
--> ERROR 42601: syntax error at or near "SCHEMA"

CREATE UNIQUE INDEX co_i ON co_t ((trim(b)), (trim(both 'x' from b)))
--> CREATE INDEX

INSERT INTO co_t VALUES (3, ' x')
--> INSERT 0 1

SELECT pg_get_indexdef('co_i'::regclass, 0, true), pg_get_indexdef('co_i'::regclass, 1, false)
--> pg_get_indexdef text | pg_get_indexdef text
--> CREATE UNIQUE INDEX co_i ON co_t USING btree (TRIM(BOTH FROM b), TRIM(BOTH 'x'::text FROM b)) | TRIM(BOTH FROM b)
--> SELECT 1

DROP TABLE co_t, co_j
--> DROP TABLE
