-- Names of objects as values, and what indexes are told by.

CREATE TABLE nm_t (id int PRIMARY KEY, s text, v varchar(9), j jsonb, tags text[])
--> CREATE TABLE

INSERT INTO nm_t VALUES (1, 'A', 'q', '{"a": 1}', '{x}') RETURNING tableoid::regclass, tableoid = 'nm_t'::regclass, 'nm_t'::regclass, 'int4'::regtype
--> tableoid regclass | ?column? bool | regclass regclass | regtype regtype
--> nm_t | t | nm_t | integer
--> INSERT 0 1

INSERT INTO nm_t VALUES (2, 'a', 'q', '{"b": 1}', '{y}')
--> INSERT 0 1

UPDATE nm_t SET id = id RETURNING id, tableoid::regclass
--> id int4 | tableoid regclass
--> 1 | nm_t
--> 2 | nm_t
--> UPDATE 2

DELETE FROM nm_t WHERE id = 9 RETURNING tableoid::regclass
--> tableoid regclass
--> DELETE 0

WITH u AS (UPDATE nm_t SET id = id WHERE id = 1 RETURNING tableoid::regclass AS name) SELECT name FROM u
--> name regclass
--> nm_t
--> SELECT 1

SELECT '1259'::regclass, '16'::regtype, to_regclass('1259'), to_regclass('pg_class')
--> regclass regclass | regtype regtype | to_regclass regclass | to_regclass regclass
--> pg_class | boolean | ∅ | pg_class
--> SELECT 1

SELECT '1259'::text::regclass
--> ERROR 42P01: relation "1259" does not exist

SELECT x::regtype FROM (VALUES ('16'::text), ('text')) v(x)
--> x regtype
--> boolean
--> text
--> SELECT 2

SELECT id FROM nm_t WHERE j ? ANY (ARRAY['a', 'c']) ORDER BY id
--> id int4
--> 1
--> SELECT 1

SELECT id FROM nm_t WHERE j ? ALL ('{b}') ORDER BY id
--> id int4
--> 2
--> SELECT 1

SELECT id FROM nm_t WHERE j @> ANY (ARRAY['{"a": 1}', '{"b": 2}']::jsonb[]) ORDER BY id
--> id int4
--> 1
--> SELECT 1

SELECT 1 + ANY (ARRAY[1, 2])
--> ERROR 42809: op ANY/ALL (array) requires operator to yield boolean

CREATE UNIQUE INDEX nm_i ON nm_t (lower(s))
--> ERROR 23505: could not create unique index "nm_i"
-->   detail: Key (lower(s))=(a) is duplicated.
-->   table: nm_t
-->   constraint: nm_i

CREATE UNIQUE INDEX nm_i ON nm_t (lower(v), (id * 0))
--> ERROR 23505: could not create unique index "nm_i"
-->   detail: Key (lower(v::text), (id * 0))=(q, 0) is duplicated.
-->   table: nm_t
-->   constraint: nm_i

CREATE UNIQUE INDEX nm_i ON nm_t ((v || 'x'), (coalesce(id, 1) > 0))
--> ERROR 23505: could not create unique index "nm_i"
-->   detail: Key ((v::text || 'x'::text), (COALESCE(id, 1) > 0))=(qx, t) is duplicated.
-->   table: nm_t
-->   constraint: nm_i

CREATE UNIQUE INDEX nm_i ON nm_t ((j -> 'c' IS NULL), upper(left(s, 1))) WHERE id > 0
--> ERROR 23505: could not create unique index "nm_i"
-->   detail: Key (((j -> 'c'::text) IS NULL), upper("left"(s, 1)))=(t, A) is duplicated.
-->   table: nm_t
-->   constraint: nm_i

CREATE UNIQUE INDEX nm_j ON nm_t ((s || id))
--> CREATE INDEX

INSERT INTO nm_t (id, s) VALUES (11, 'A'), (1, 'A1')
--> ERROR 23505: duplicate key value violates unique constraint "nm_t_pkey"
-->   detail: Key (id)=(1) already exists.
-->   table: nm_t
-->   constraint: nm_t_pkey

INSERT INTO nm_t (id, s) VALUES (12, 'b'), (13, 'B')
--> INSERT 0 2

CREATE UNIQUE INDEX nm_k ON nm_t (lower(s)) WHERE id > 11
--> ERROR 23505: could not create unique index "nm_k"
-->   detail: Key (lower(s))=(b) is duplicated.
-->   table: nm_t
-->   constraint: nm_k

DELETE FROM nm_t WHERE id > 2
--> DELETE 2

CREATE UNIQUE INDEX nm_k ON nm_t (upper(v)) WHERE id > 2
--> CREATE INDEX

INSERT INTO nm_t (id, v) VALUES (3, 'r'), (4, 'R')
--> ERROR 23505: duplicate key value violates unique constraint "nm_k"
-->   detail: Key (upper(v::text))=(R) already exists.
-->   table: nm_t
-->   constraint: nm_k

CREATE INDEX nm_c ON nm_t (s COLLATE "C", v COLLATE "POSIX" DESC, (lower(s)) COLLATE "C", id)
--> CREATE INDEX

CREATE INDEX nm_d ON nm_t (s COLLATE "default" text_pattern_ops, upper(s))
--> CREATE INDEX

SELECT indexrelid::regclass, indcollation, pg_get_indexdef(indexrelid, 0, true) FROM pg_index WHERE indrelid = 'nm_t'::regclass ORDER BY 1
--> indexrelid regclass | indcollation 30 | pg_get_indexdef text
--> nm_t_pkey | 0 | CREATE UNIQUE INDEX nm_t_pkey ON nm_t USING btree (id)
--> nm_j | 100 | CREATE UNIQUE INDEX nm_j ON nm_t USING btree ((s || id))
--> nm_k | 100 | CREATE UNIQUE INDEX nm_k ON nm_t USING btree (upper(v::text)) WHERE id > 2
--> nm_c | 950 951 950 0 | CREATE INDEX nm_c ON nm_t USING btree (s COLLATE "C", v COLLATE "POSIX" DESC, lower(s) COLLATE "C", id)
--> nm_d | 100 100 | CREATE INDEX nm_d ON nm_t USING btree (s text_pattern_ops, upper(s))
--> SELECT 5

ALTER TABLE nm_t ADD COLUMN more int DEFAULT 1, RENAME TO nm_u
--> ERROR 42601: syntax error at or near "RENAME"

ALTER TABLE nm_t RENAME s TO sss
--> ALTER TABLE

SELECT pg_get_indexdef('nm_c'::regclass, 0, true), pg_get_indexdef('nm_c'::regclass, 1, false)
--> pg_get_indexdef text | pg_get_indexdef text
--> CREATE INDEX nm_c ON nm_t USING btree (sss COLLATE "C", v COLLATE "POSIX" DESC, lower(sss) COLLATE "C", id) | sss
--> SELECT 1

CREATE INDEX ON nm_t (id COLLATE "C")
--> ERROR 42804: collations are not supported by type integer

CREATE INDEX ON nm_t (sss COLLATE "nope")
--> ERROR 42704: collation "nope" for encoding "UTF8" does not exist

CREATE TABLE nm_w (n int COLLATE "C")
--> ERROR 42804: collations are not supported by type integer

SELECT 1 COLLATE "C"
--> ERROR 42804: collations are not supported by type integer

SELECT now() COLLATE "C"
--> ERROR 42804: collations are not supported by type timestamp with time zone

SELECT ARRAY['b'] COLLATE "C", 'x'::varchar COLLATE "POSIX", 'x' COLLATE "C"
--> array text[] | varchar varchar | ?column? text
--> {b} | x | x
--> SELECT 1

ALTER TABLE nm_t RENAME id TO ctid
--> ERROR 42701: column name "ctid" conflicts with a system column name

DROP TABLE nm_t
--> DROP TABLE
