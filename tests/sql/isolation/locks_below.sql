-- Locking reads of views and subqueries: the rows of the tables below are locked, those that come through.

s: CREATE TABLE lb (id int PRIMARY KEY, n int)
--> CREATE TABLE

s: CREATE TABLE lb_kind (id int PRIMARY KEY, kind text)
--> CREATE TABLE

s: INSERT INTO lb VALUES (1, 10), (2, 20), (3, 30)
--> INSERT 0 3

s: INSERT INTO lb_kind VALUES (10, 'ten'), (20, 'twenty')
--> INSERT 0 2

s: CREATE VIEW lb_view AS SELECT id AS key, n * 2 AS twice, n FROM lb WHERE n < 100
--> CREATE VIEW

s: CREATE VIEW lb_above AS SELECT v.key, v.twice, k.kind FROM lb_view v JOIN lb_kind k ON k.id = v.n
--> CREATE VIEW

a: BEGIN
--> BEGIN

a: SELECT * FROM lb_view WHERE key = 2 FOR UPDATE
--> key int4 | twice int4 | n int4
--> 2 | 40 | 20
--> SELECT 1

b: SELECT n FROM lb WHERE id = 1 FOR UPDATE NOWAIT
--> n int4
--> 10
--> SELECT 1

b: SELECT n FROM lb WHERE id = 2 FOR UPDATE NOWAIT
--> ERROR 55P03: could not obtain lock on row in relation "lb"

b: SELECT key FROM lb_view ORDER BY key FOR UPDATE SKIP LOCKED
--> key int4
--> 1
--> 3
--> SELECT 2

b: UPDATE lb SET n = n + 1 WHERE id = 2
--> waits

a: UPDATE lb SET n = 21 WHERE id = 2
--> UPDATE 1

a: COMMIT
--> COMMIT
--> b: UPDATE 1

s: SELECT id, n FROM lb ORDER BY id
--> id int4 | n int4
--> 1 | 10
--> 2 | 22
--> 3 | 30
--> SELECT 3

s: UPDATE lb SET n = id * 10
--> UPDATE 3

-- A view of a view, and a join.

a: BEGIN
--> BEGIN

a: SELECT key, twice, kind FROM lb_above WHERE key < 3 ORDER BY key FOR UPDATE
--> key int4 | twice int4 | kind text
--> 1 | 20 | ten
--> 2 | 40 | twenty
--> SELECT 2

b: SELECT id FROM lb ORDER BY id FOR UPDATE SKIP LOCKED
--> id int4
--> 3
--> SELECT 1

b: SELECT id FROM lb_kind ORDER BY id FOR UPDATE SKIP LOCKED
--> id int4
--> SELECT 0

b: SELECT key, kind FROM lb_above WHERE key = 3 FOR UPDATE
--> key int4 | kind text
--> SELECT 0

a: COMMIT
--> COMMIT

-- A subquery.

a: BEGIN
--> BEGIN

a: SELECT x.id FROM (SELECT id, n FROM lb ORDER BY id LIMIT 2) x FOR NO KEY UPDATE
--> id int4
--> 1
--> 2
--> SELECT 2

b: SELECT id FROM lb ORDER BY id FOR SHARE SKIP LOCKED
--> id int4
--> 3
--> SELECT 1

b: SELECT id FROM lb ORDER BY id FOR KEY SHARE SKIP LOCKED
--> id int4
--> 1
--> 2
--> 3
--> SELECT 3

a: ROLLBACK
--> ROLLBACK

-- Only what OF names.

a: BEGIN
--> BEGIN

a: SELECT v.key, k.kind FROM lb_view v JOIN lb_kind k ON k.id = v.n ORDER BY v.key FOR UPDATE OF k
--> key int4 | kind text
--> 1 | ten
--> 2 | twenty
--> SELECT 2

b: SELECT id FROM lb ORDER BY id FOR UPDATE SKIP LOCKED
--> id int4
--> 1
--> 2
--> 3
--> SELECT 3

b: SELECT id FROM lb_kind ORDER BY id FOR UPDATE SKIP LOCKED
--> id int4
--> SELECT 0

a: COMMIT
--> COMMIT

-- Who waits sees what has become of the row.

a: BEGIN
--> BEGIN

a: UPDATE lb SET n = 50 WHERE id = 1
--> UPDATE 1

b: SELECT key, twice FROM lb_view WHERE key = 1 FOR UPDATE
--> waits

a: COMMIT
--> COMMIT
--> b: key int4 | twice int4
--> b: 1 | 100
--> b: SELECT 1

-- Rows that need not be there.

s: SELECT lb.id FROM lb LEFT JOIN lb_kind k ON k.id = lb.n ORDER BY lb.id FOR UPDATE
--> ERROR 0A000: FOR UPDATE cannot be applied to the nullable side of an outer join

s: SELECT lb.id FROM lb LEFT JOIN lb_kind k ON k.id = lb.n ORDER BY lb.id FOR UPDATE OF lb
--> id int4
--> 1
--> 2
--> 3
--> SELECT 3

s: SELECT x.id FROM (SELECT lb.id FROM lb FULL JOIN lb_kind k ON k.id = lb.n) x FOR SHARE
--> ERROR 0A000: FOR SHARE cannot be applied to the nullable side of an outer join

s: SELECT lb.id FROM lb LEFT JOIN (SELECT 20 AS n) x ON x.n = lb.n ORDER BY lb.id FOR UPDATE
--> id int4
--> 1
--> 2
--> 3
--> SELECT 3

-- Without tables there is nothing to lock.

s: SELECT * FROM (VALUES (1), (2)) v (a) FOR UPDATE
--> a int4
--> 1
--> 2
--> SELECT 2

s: SELECT * FROM (SELECT 1 AS a) v FOR UPDATE
--> a int4
--> 1
--> SELECT 1
