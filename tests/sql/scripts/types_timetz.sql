-- Times with a zone in columns: two are the same only if their zones are.

CREATE TABLE tz (id int PRIMARY KEY, z timetz UNIQUE, y timetz(2)[], w timetz(0) DEFAULT '12:00:00.7+01')
--> CREATE TABLE

INSERT INTO tz (id, z, y) VALUES (1, '10:00+02', '{10:00:00.123+02}'), (2, '09:00+00', NULL), (3, '10:00+01', '{}'), (4, NULL, NULL)
--> INSERT 0 4

SELECT * FROM tz ORDER BY z, id
--> id int4 | z timetz | y 1270 | w timetz
--> 1 | 10:00:00+02 | {10:00:00.12+02} | 12:00:01+01
--> 3 | 10:00:00+01 | {} | 12:00:01+01
--> 2 | 09:00:00+00 | ∅ | 12:00:01+01
--> 4 | ∅ | ∅ | 12:00:01+01
--> SELECT 4

INSERT INTO tz (id, z) VALUES (5, '10:00+02')
--> ERROR 23505: duplicate key value violates unique constraint "tz_z_key"
-->   detail: Key (z)=(10:00:00+02) already exists.
-->   table: tz
-->   constraint: tz_z_key

SELECT id FROM tz WHERE z > '08:30+00' ORDER BY id
--> id int4
--> 2
--> 3
--> SELECT 2

SELECT max(z), min(z), count(DISTINCT z) FROM tz
--> max timetz | min timetz | count int8
--> 09:00:00+00 | 10:00:00+02 | 3
--> SELECT 1

SELECT z, count(*) FROM tz GROUP BY z ORDER BY z
--> z timetz | count int8
--> 10:00:00+02 | 1
--> 10:00:00+01 | 1
--> 09:00:00+00 | 1
--> ∅ | 1
--> SELECT 4

UPDATE tz SET z = z + interval '1 hour' WHERE id = 1 RETURNING z, z::time, extract(timezone_hour FROM z)
--> z timetz | z time | extract numeric
--> 11:00:00+02 | 11:00:00 | 2
--> UPDATE 1

ALTER TABLE tz ALTER w TYPE time
--> ALTER TABLE

SELECT w FROM tz WHERE id = 1
--> w time
--> 12:00:01
--> SELECT 1

CREATE INDEX ON tz (w, z)
--> CREATE INDEX

SELECT column_name, data_type, datetime_precision FROM information_schema.columns WHERE table_name = 'tz' ORDER BY ordinal_position
--> column_name name | data_type varchar | datetime_precision int4
--> id | integer | ∅
--> z | time with time zone | 6
--> y | ARRAY | ∅
--> w | time without time zone | 6
--> SELECT 4

DROP TABLE tz
--> DROP TABLE
