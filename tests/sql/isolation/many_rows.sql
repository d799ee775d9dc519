-- Statements that change or lock more rows than are known one by one: the last of them is as locked as the first.

s: CREATE TABLE many (k int PRIMARY KEY, n int)
--> CREATE TABLE

s: INSERT INTO many SELECT g, 0 FROM generate_series(1, 60000) g
--> INSERT 0 60000

a: BEGIN
--> BEGIN

a: UPDATE many SET n = 1
--> UPDATE 60000

b: SELECT k, n FROM many WHERE k = 60000
--> k int4 | n int4
--> 60000 | 0
--> SELECT 1

b: SELECT k, n FROM many WHERE k = 60000 FOR UPDATE
--> waits

a: COMMIT
--> COMMIT
--> b: k int4 | n int4
--> b: 60000 | 1
--> b: SELECT 1

a: BEGIN
--> BEGIN

a: UPDATE many SET n = n + 1
--> UPDATE 60000

b: SELECT k, n FROM many WHERE k = 59999 FOR SHARE
--> waits

a: ROLLBACK
--> ROLLBACK
--> b: k int4 | n int4
--> b: 59999 | 1
--> b: SELECT 1

-- Locked, and not changed.

a: BEGIN
--> BEGIN

a: SELECT count(*) FROM (SELECT 1 FROM many FOR UPDATE) x
--> count int8
--> 60000
--> SELECT 1

b: UPDATE many SET n = 10 WHERE k = 60000
--> waits

a: UPDATE many SET n = n + 1 WHERE k > 59998
--> UPDATE 2

a: COMMIT
--> COMMIT
--> b: UPDATE 1

s: SELECT k, n FROM many WHERE k > 59997 ORDER BY k
--> k int4 | n int4
--> 59998 | 1
--> 59999 | 2
--> 60000 | 10
--> SELECT 3

-- Who has locked one of them first is waited for.

a: BEGIN
--> BEGIN

a: SELECT n FROM many WHERE k = 60000 FOR UPDATE
--> n int4
--> 10
--> SELECT 1

b: BEGIN
--> BEGIN

b: UPDATE many SET n = 0
--> waits

a: UPDATE many SET n = 11 WHERE k = 60000
--> UPDATE 1

a: COMMIT
--> COMMIT
--> b: UPDATE 60000

b: COMMIT
--> COMMIT

s: SELECT sum(n) FROM many
--> sum int8
--> 0
--> SELECT 1
