-- REPEATABLE READ: what others define meanwhile is not the matter of a block that has to do with other tables.

s: CREATE TABLE sd (id int PRIMARY KEY, n int)
--> CREATE TABLE

s: CREATE TABLE sd_other (id int PRIMARY KEY, n int)
--> CREATE TABLE

s: INSERT INTO sd VALUES (1, 10), (2, 20), (3, 30)
--> INSERT 0 3

a: BEGIN ISOLATION LEVEL REPEATABLE READ
--> BEGIN

a: SELECT id, n FROM sd ORDER BY id
--> id int4 | n int4
--> 1 | 10
--> 2 | 20
--> 3 | 30
--> SELECT 3

b: UPDATE sd SET n = 11 WHERE id = 1
--> UPDATE 1

b: CREATE TABLE sd_new (id int PRIMARY KEY)
--> CREATE TABLE

a: UPDATE sd SET n = 21 WHERE id = 2
--> UPDATE 1

b: CREATE INDEX ON sd_other (n)
--> CREATE INDEX

a: SELECT id, n FROM sd ORDER BY id
--> id int4 | n int4
--> 1 | 10
--> 2 | 21
--> 3 | 30
--> SELECT 3

b: ALTER TABLE sd_other ADD COLUMN more text
--> ALTER TABLE

a: SELECT n FROM sd WHERE id = 3 FOR UPDATE
--> n int4
--> 30
--> SELECT 1

b: DROP TABLE sd_new
--> DROP TABLE

b: ANALYZE sd
--> ANALYZE

a: DELETE FROM sd WHERE id = 3
--> DELETE 1

a: COMMIT
--> COMMIT

s: SELECT id, n FROM sd ORDER BY id
--> id int4 | n int4
--> 1 | 11
--> 2 | 21
--> SELECT 2

-- Only reading.

a: BEGIN ISOLATION LEVEL REPEATABLE READ
--> BEGIN

a: SELECT count(*) FROM sd
--> count int8
--> 2
--> SELECT 1

b: DELETE FROM sd WHERE id = 2
--> DELETE 1

b: CREATE VIEW sd_view AS SELECT n FROM sd_other
--> CREATE VIEW

a: SELECT count(*) FROM sd
--> count int8
--> 2
--> SELECT 1

a: COMMIT
--> COMMIT
