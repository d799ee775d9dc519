-- Arrays are cast element by element.

SELECT '{1.2,2.5,-2.5,NULL}'::numeric[]::int[], '{1.5,2.5}'::float8[]::int8[], '{0.5,1.5}'::float4[]::int2[], '{t,f,NULL}'::bool[]::int[], '{0,2}'::int[]::bool[]
--> int4 int4[] | int8 int8[] | int2 int2[] | int4 int4[] | bool bool[]
--> {1,3,-3,NULL} | {2,2} | {0,2} | {1,0,NULL} | {f,t}
--> SELECT 1

SELECT '{{1.2,2.7},{3,4}}'::numeric[]::int[], '[2:3]={1.5,2}'::numeric[]::int[], '{}'::numeric[]::int[]
--> int4 int4[] | int4 int4[] | int4 int4[]
--> {{1,3},{3,4}} | [2:3]={2,2} | {}
--> SELECT 1

SELECT '{40000}'::numeric[]::int2[]
--> ERROR 22003: smallint out of range

SELECT '{NaN}'::float8[]::int[]
--> ERROR 22003: integer out of range

SELECT '{2024-01-01}'::date[]::timestamp[], '{2024-01-01 10:00:00}'::timestamp[]::date[], '{1,2}'::int[]::numeric[], '{1.5}'::numeric[]::float8[], '{1.5}'::numeric[]::text[]
--> timestamp 1115 | date 1182 | numeric numeric[] | float8 float8[] | text text[]
--> {"2024-01-01 00:00:00"} | {2024-01-01} | {1,2} | {1.5} | {1.5}
--> SELECT 1

CREATE TABLE ac_t (id int PRIMARY KEY, n numeric(3,1)[], f float8[])
--> CREATE TABLE

INSERT INTO ac_t VALUES (1, '{1.2}', '{2.5}'), (2, '{2.5,NULL}', NULL)
--> INSERT 0 2

SELECT id, n::int[], (f || n[1]::float8)::int[] FROM ac_t ORDER BY id
--> id int4 | n int4[] | int4 int4[]
--> 1 | {1} | {2,1}
--> 2 | {3,NULL} | {2}
--> SELECT 2

ALTER TABLE ac_t ALTER n TYPE int[], ALTER f TYPE smallint[]
--> ALTER TABLE

SELECT * FROM ac_t ORDER BY id
--> id int4 | n int4[] | f int2[]
--> 1 | {1} | {2}
--> 2 | {3,NULL} | ∅
--> SELECT 2

INSERT INTO ac_t SELECT 3, array[1.5, 2.5]::numeric[], '{7.5}'::float8[]
--> INSERT 0 1

SELECT * FROM ac_t WHERE id = 3
--> id int4 | n int4[] | f int2[]
--> 3 | {2,3} | {8}
--> SELECT 1

-- The text of a char(n) has its blanks.

SELECT 'ab'::char(4)::bytea, c::bytea FROM (SELECT 'ab'::char(4)) t(c)
--> bytea bytea | c bytea
--> \x61622020 | \x61622020
--> SELECT 1

DROP TABLE ac_t
--> DROP TABLE
