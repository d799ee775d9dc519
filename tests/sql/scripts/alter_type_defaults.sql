-- A default keeps its own type when the column gets another one, and must be assignable to that.
CREATE TABLE td (id int, a interval DEFAULT '1 hour', b text DEFAULT '7', c int DEFAULT 7, d int DEFAULT '5', e date DEFAULT '2024-01-31', f timestamp DEFAULT NULL, g varchar(3) DEFAULT 'ab')
--> CREATE TABLE

ALTER TABLE td ALTER a TYPE varchar(9)
--> ALTER TABLE

ALTER TABLE td ALTER b TYPE int USING b::int
--> ERROR 42804: default for column "b" cannot be cast automatically to type integer

ALTER TABLE td ALTER b DROP DEFAULT, ALTER b TYPE int USING b::int
--> ALTER TABLE

ALTER TABLE td ALTER c TYPE bigint, ALTER d TYPE numeric(6,2), ALTER e TYPE timestamp, ALTER f TYPE date
--> ALTER TABLE

ALTER TABLE td ALTER g TYPE text
--> ALTER TABLE

ALTER TABLE td ALTER a TYPE float8 USING 1
--> ERROR 42804: default for column "a" cannot be cast automatically to type double precision

ALTER TABLE td ALTER e TYPE boolean USING true
--> ERROR 42804: default for column "e" cannot be cast automatically to type boolean

SELECT attname, format_type(atttypid, atttypmod), pg_get_expr(adbin, adrelid) FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE attrelid = 'td'::regclass AND attnum > 0 ORDER BY attnum
--> attname name | format_type text | pg_get_expr text
--> id | integer | ∅
--> a | character varying(9) | '01:00:00'::interval
--> b | integer | ∅
--> c | bigint | 7
--> d | numeric(6,2) | 5
--> e | timestamp without time zone | '2024-01-31'::date
--> f | date | ∅
--> g | text | 'ab'::character varying
--> SELECT 8

INSERT INTO td (id) VALUES (1) RETURNING *
--> id int4 | a varchar | b int4 | c int8 | d numeric | e timestamp | f date | g text
--> 1 | 01:00:00 | ∅ | 7 | 5.00 | 2024-01-31 00:00:00 | ∅ | ab
--> INSERT 0 1

ALTER TABLE td ALTER c TYPE text, ALTER d TYPE text
--> ALTER TABLE

INSERT INTO td (id) VALUES (2) RETURNING c, d, pg_typeof(c)
--> c text | d text | pg_typeof regtype
--> 7 | 5 | text
--> INSERT 0 1

DROP TABLE td
--> DROP TABLE
