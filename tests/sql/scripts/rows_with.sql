-- INSERT, UPDATE and DELETE in WITH: all parts see the state before the statement, and pass on only what RETURNING gives.
CREATE TABLE wa (id int PRIMARY KEY, st text, n numeric(6,2) DEFAULT 1.5);
CREATE TABLE wb (id int, st text, at timestamptz);
CREATE TABLE wl (seq serial, what text, id int);
INSERT INTO wa (id, st) VALUES (1, 'new'), (2, 'new'), (3, 'old');
--> CREATE TABLE
--> CREATE TABLE
--> CREATE TABLE
--> INSERT 0 3

WITH c AS (UPDATE wa SET st = 'run' WHERE id = (SELECT id FROM wa WHERE st = 'new' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id) SELECT id FROM c;
--> id int4
--> 1
--> SELECT 1

SELECT id, st FROM wa ORDER BY id;
--> id int4 | st text
--> 1 | run
--> 2 | new
--> 3 | old
--> SELECT 3

-- Moves.
WITH moved AS (DELETE FROM wa WHERE st = 'old' RETURNING *) INSERT INTO wb (id, st) SELECT id, st FROM moved RETURNING id, st, at;
--> id int4 | st text | at timestamptz
--> 3 | old | ∅
--> INSERT 0 1

WITH moved AS (DELETE FROM wb RETURNING id, st) SELECT count(*), max(st) FROM moved;
--> count int8 | max text
--> 1 | old
--> SELECT 1

SELECT count(*) FROM wb;
--> count int8
--> 0
--> SELECT 1

-- It is run though nobody reads it.
WITH x AS (INSERT INTO wl (what, id) VALUES ('unread', 1)) SELECT 1 AS one;
--> one int4
--> 1
--> SELECT 1

WITH x AS (INSERT INTO wl (what, id) VALUES ('unread too', 2) RETURNING *) SELECT 1 AS one WHERE false;
--> one int4
--> SELECT 0

SELECT what, id FROM wl ORDER BY id;
--> what text | id int4
--> unread | 1
--> unread too | 2
--> SELECT 2

-- The snapshot: the main query does not see the change.
WITH x AS (INSERT INTO wa VALUES (10, 'ten') RETURNING id) SELECT (SELECT count(*) FROM wa) AS before, (SELECT count(*) FROM x) AS added;
--> before int8 | added int8
--> 2 | 1
--> SELECT 1

WITH x AS (UPDATE wa SET st = 'changed' RETURNING id, st) SELECT wa.id, wa.st, x.st FROM wa JOIN x ON x.id = wa.id ORDER BY wa.id;
--> id int4 | st text | st text
--> 1 | run | changed
--> 2 | new | changed
--> 10 | ten | changed
--> SELECT 3

WITH x AS (DELETE FROM wa WHERE id = 10 RETURNING id) SELECT id, st FROM wa ORDER BY id;
--> id int4 | st text
--> 1 | changed
--> 2 | changed
--> 10 | changed
--> SELECT 3

SELECT id, st FROM wa ORDER BY id;
--> id int4 | st text
--> 1 | changed
--> 2 | changed
--> SELECT 2

WITH ins AS (INSERT INTO wa (id, st) VALUES (1, 'again'), (4, 'four') ON CONFLICT (id) DO NOTHING RETURNING id, st) SELECT 'i' AS how, id, st FROM ins UNION ALL SELECT 's', id, st FROM wa WHERE id IN (1, 4) ORDER BY 1, 2;
--> how text | id int4 | st text
--> i | 4 | four
--> s | 1 | changed
--> SELECT 2

-- Parts that build on each other.
WITH a AS (INSERT INTO wa (id, st) VALUES (5, 'five') RETURNING id, n), b AS (INSERT INTO wb (id, st) SELECT id, n::text FROM a RETURNING *), c AS (SELECT id * 2 AS twice FROM b) INSERT INTO wl (what, id) SELECT 'c', twice FROM c RETURNING what, id;
--> what text | id int4
--> c | 10
--> INSERT 0 1

SELECT id, st FROM wb;
--> id int4 | st text
--> 5 | 1.50
--> SELECT 1

WITH d AS (DELETE FROM wa WHERE id = 5 RETURNING id), e AS (DELETE FROM wb USING d WHERE wb.id = d.id RETURNING wb.id) SELECT (SELECT count(*) FROM d) AS d, (SELECT count(*) FROM e) AS e;
--> d int8 | e int8
--> 1 | 1
--> SELECT 1

WITH u AS (UPDATE wa SET n = n + 1 WHERE id < 3 RETURNING id, n), l AS (INSERT INTO wl (what, id) SELECT 'u', id FROM u) SELECT sum(n) FROM u;
--> sum numeric
--> 5.00
--> SELECT 1

SELECT what, count(*) FROM wl GROUP BY what ORDER BY what;
--> what text | count int8
--> c | 1
--> u | 2
--> unread | 1
--> unread too | 1
--> SELECT 4

WITH u(k, v) AS (UPDATE wa SET st = 'named' WHERE id = 1 RETURNING id, upper(st)) SELECT v, k FROM u;
--> v text | k int4
--> NAMED | 1
--> SELECT 1

WITH old AS (SELECT id, st FROM wa WHERE id = 1), u AS (UPDATE wa SET st = 'newer' WHERE id = 1 RETURNING id, st) SELECT old.st AS was, u.st AS is FROM old JOIN u USING (id);
--> was text | is text
--> named | newer
--> SELECT 1

WITH u AS (UPDATE wa SET st = 'm1' WHERE id = 1 RETURNING id) UPDATE wa SET st = 'm2' WHERE id = 2 RETURNING id, st, (SELECT count(*) FROM u) AS n;
--> id int4 | st text | n int8
--> 2 | m2 | 1
--> UPDATE 1

WITH i AS (INSERT INTO wa (id, st) VALUES (20, 'x') RETURNING id) DELETE FROM wa WHERE st = 'x' RETURNING id;
--> id int4
--> DELETE 0

SELECT id, st FROM wa ORDER BY id;
--> id int4 | st text
--> 1 | m1
--> 2 | m2
--> 4 | four
--> 20 | x
--> SELECT 4

WITH d AS (DELETE FROM wa WHERE id = 20 RETURNING id, st) INSERT INTO wa (id, st) SELECT id + 1, st || '!' FROM d RETURNING id, st, n;
--> id int4 | st text | n numeric
--> 21 | x! | 1.50
--> INSERT 0 1

-- Whole rows, JSON, set operations, subqueries.
WITH d AS (DELETE FROM wa WHERE id > 10 RETURNING *) SELECT row_to_json(d) FROM d;
--> row_to_json json
--> {"id":21,"st":"x!","n":1.50}
--> SELECT 1

WITH i AS (INSERT INTO wb VALUES (7, 'seven', '2020-01-02'), (8, NULL, NULL) RETURNING *) SELECT json_agg(i ORDER BY id) FROM i;
--> json_agg json
--> [{"id":7,"st":"seven","at":"2020-01-02T00:00:00+00:00"},
-->  {"id":8,"st":null,"at":null}]
--> SELECT 1

WITH i AS (INSERT INTO wl (what, id) VALUES ('q', 1) RETURNING id) SELECT id FROM wb WHERE id IN (SELECT id + 6 FROM i);
--> id int4
--> 7
--> SELECT 1

WITH n AS (UPDATE wb SET st = 'upd' WHERE id = 8 RETURNING wb.*) SELECT n.*, (SELECT st FROM wb WHERE wb.id = n.id) AS was FROM n;
--> id int4 | st text | at timestamptz | was text
--> 8 | upd | ∅ | ∅
--> SELECT 1

WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 3), i AS (INSERT INTO wl (what, id) SELECT 'r', n FROM t RETURNING id) SELECT sum(id) FROM i;
--> sum int8
--> 6
--> SELECT 1

WITH a AS (DELETE FROM wl RETURNING id), b AS (SELECT count(*) AS c FROM wl) SELECT (SELECT count(*) FROM a) = c AS same FROM b;
--> same bool
--> t
--> SELECT 1

-- Numbers are numbers in what is read before.
CREATE TABLE wn (v numeric);
INSERT INTO wn VALUES (1), (8), (10), (21);
--> CREATE TABLE
--> INSERT 0 4

WITH t AS (DELETE FROM wn WHERE v > 8 RETURNING v) SELECT (SELECT max(v) FROM wn), (SELECT count(*) FROM wn WHERE v > 9.00) AS n, (SELECT array_agg(v ORDER BY v) FROM wn) AS vs FROM t LIMIT 1;
--> max numeric | n int8 | vs numeric[]
--> 21 | 2 | {1,8,10,21}
--> SELECT 1

PREPARE wq (int, text) AS WITH d AS (DELETE FROM wn WHERE v = $1 RETURNING *) INSERT INTO wb (id, st) SELECT v, $2 FROM d RETURNING id, st;
--> PREPARE

EXECUTE wq(8, 'eight');
--> id int4 | st text
--> 8 | eight
--> INSERT 0 1

EXECUTE wq(8, 'gone');
--> id int4 | st text
--> INSERT 0 0

DEALLOCATE wq;
--> DEALLOCATE

DROP TABLE wn;
--> DROP TABLE

-- Errors take back all of it.
WITH a AS (INSERT INTO wb (id) VALUES (99) RETURNING id) INSERT INTO wa (id) SELECT 1 FROM a;
--> ERROR 23505: duplicate key value violates unique constraint "wa_pkey"
-->   detail: Key (id)=(1) already exists.
-->   table: wa
-->   constraint: wa_pkey

SELECT count(*) FROM wb WHERE id = 99;
--> count int8
--> 0
--> SELECT 1

WITH a AS (INSERT INTO wb (id) VALUES (99)) SELECT * FROM a;
--> ERROR 0A000: WITH query "a" does not have a RETURNING clause

SELECT * FROM (WITH a AS (INSERT INTO wb (id) VALUES (99) RETURNING id) SELECT * FROM a) x;
--> ERROR 0A000: WITH clause containing a data-modifying statement must be at the top level

CREATE VIEW wv AS WITH a AS (INSERT INTO wb (id) VALUES (99) RETURNING id) SELECT * FROM a;
--> ERROR 0A000: views must not contain data-modifying statements in WITH

WITH a AS (INSERT INTO wb (id) VALUES (99) RETURNING id), a AS (SELECT 1) SELECT 1;
--> ERROR 42712: WITH query name "a" specified more than once

-- Foreign keys.
CREATE TABLE wp (id int PRIMARY KEY, up int REFERENCES wp ON DELETE SET NULL, v text);
CREATE TABLE wc (pid int REFERENCES wp ON DELETE CASCADE, w text);
INSERT INTO wp VALUES (1, NULL, 'a'), (2, 1, 'b'), (3, 2, 'c'), (4, 3, 'd');
INSERT INTO wc VALUES (1, 'x'), (4, 'y');
--> CREATE TABLE
--> CREATE TABLE
--> INSERT 0 4
--> INSERT 0 2

WITH p AS (INSERT INTO wp VALUES (9, 1, 'i') RETURNING id) INSERT INTO wc SELECT id, 'z' FROM p RETURNING *;
--> pid int4 | w text
--> 9 | z
--> INSERT 0 1

WITH d AS (DELETE FROM wp WHERE id = 9 RETURNING id) SELECT d.id, (SELECT count(*) FROM wc) AS children FROM d;
--> id int4 | children int8
--> 9 | 3
--> SELECT 1

SELECT * FROM wc ORDER BY 1;
--> pid int4 | w text
--> 1 | x
--> 4 | y
--> SELECT 2

-- What RETURNING tells is of the time of the change, and its subqueries see the state before the statement.
DELETE FROM wp WHERE id IN (1, 2) RETURNING id, up, v;
--> id int4 | up int4 | v text
--> 1 | ∅ | a
--> 2 | 1 | b
--> DELETE 2

SELECT id, up FROM wp ORDER BY id;
--> id int4 | up int4
--> 3 | ∅
--> 4 | 3
--> SELECT 2

INSERT INTO wp VALUES (1, NULL, 'a'), (2, 1, 'b') RETURNING id, (SELECT count(*) FROM wp) AS before;
--> id int4 | before int8
--> 1 | 2
--> 2 | 2
--> INSERT 0 2

WITH u AS (UPDATE wp SET v = v || '!' RETURNING id, v, (SELECT string_agg(v, ',' ORDER BY id) FROM wp) AS before) SELECT * FROM u ORDER BY id;
--> id int4 | v text | before text
--> 1 | a! | a,b,c,d
--> 2 | b! | a,b,c,d
--> 3 | c! | a,b,c,d
--> 4 | d! | a,b,c,d
--> SELECT 4

UPDATE wp SET v = v || '?' WHERE id = 1 RETURNING id, v, (SELECT v FROM wp q WHERE q.id = wp.id) AS before;
--> id int4 | v text | before text
--> 1 | a!? | a!
--> UPDATE 1

WITH d AS (DELETE FROM wp RETURNING id, up, (SELECT count(*) FROM wp) AS before, (SELECT max(w) FROM wc) AS w) SELECT * FROM d ORDER BY id;
--> id int4 | up int4 | before int8 | w text
--> 1 | ∅ | 4 | y
--> 2 | 1 | 4 | y
--> 3 | ∅ | 4 | y
--> 4 | 3 | 4 | y
--> SELECT 4

INSERT INTO wp VALUES (5, NULL, 'e') ON CONFLICT (id) DO UPDATE SET v = 'again' RETURNING id, (SELECT count(*) FROM wp q WHERE q.id = wp.id) AS was;
--> id int4 | was int8
--> 5 | 0
--> INSERT 0 1

DROP TABLE wa, wb, wl, wc, wp;
--> DROP TABLE

-- Foreign keys are checked when all parts are done.
CREATE TABLE wp (id int PRIMARY KEY, v text);
CREATE TABLE wc (id int PRIMARY KEY, pid int REFERENCES wp);
--> CREATE TABLE
--> CREATE TABLE

WITH c AS (INSERT INTO wc VALUES (1, 7)) INSERT INTO wp VALUES (7, 'seven');
--> INSERT 0 1

WITH p AS (DELETE FROM wp WHERE id = 7 RETURNING id) DELETE FROM wc USING p WHERE wc.pid = p.id RETURNING wc.id;
--> id int4
--> 1
--> DELETE 1

WITH c AS (INSERT INTO wc VALUES (2, 8)) INSERT INTO wp VALUES (9, 'nine');
--> ERROR 23503: insert or update on table "wc" violates foreign key constraint "wc_pid_fkey"
-->   detail: Key (pid)=(8) is not present in table "wp".
-->   table: wc
-->   constraint: wc_pid_fkey

SELECT count(*) FROM wp;
--> count int8
--> 0
--> SELECT 1

WITH p AS (INSERT INTO wp VALUES (1, 'one'), (2, 'two') RETURNING id) INSERT INTO wc SELECT id, id FROM p RETURNING *;
--> id int4 | pid int4
--> 1 | 1
--> 2 | 2
--> INSERT 0 2

WITH p AS (DELETE FROM wp RETURNING id) DELETE FROM wc USING p WHERE wc.pid = p.id AND p.id = 1;
--> ERROR 23503: update or delete on table "wp" violates foreign key constraint "wc_pid_fkey" on table "wc"
-->   detail: Key (id)=(2) is still referenced from table "wc".
-->   table: wc
-->   constraint: wc_pid_fkey

INSERT INTO wc VALUES (5, 55);
--> ERROR 23503: insert or update on table "wc" violates foreign key constraint "wc_pid_fkey"
-->   detail: Key (pid)=(55) is not present in table "wp".
-->   table: wc
-->   constraint: wc_pid_fkey

DELETE FROM wp WHERE id = 1;
--> ERROR 23503: update or delete on table "wp" violates foreign key constraint "wc_pid_fkey" on table "wc"
-->   detail: Key (id)=(1) is still referenced from table "wc".
-->   table: wc
-->   constraint: wc_pid_fkey

SELECT * FROM wc ORDER BY id;
--> id int4 | pid int4
--> 1 | 1
--> 2 | 2
--> SELECT 2

DROP TABLE wc, wp;
--> DROP TABLE

-- WITH in a recursive query, and UNION that is not recursive under RECURSIVE.

WITH RECURSIVE x(n) AS (WITH x1 AS (SELECT 1 AS n) SELECT 0 UNION SELECT * FROM x1) SELECT * FROM x ORDER BY 1
--> n int4
--> 0
--> 1
--> SELECT 2

WITH RECURSIVE x(n) AS (WITH x1 AS (SELECT 1 AS n) SELECT n FROM x1 UNION ALL SELECT n + 1 FROM x WHERE n < 3) SELECT * FROM x
--> n int4
--> 1
--> 2
--> 3
--> SELECT 3

WITH RECURSIVE x(n) AS (WITH last AS (SELECT 4 AS n) SELECT 1 UNION ALL SELECT x.n + 1 FROM x, last WHERE x.n < last.n) SELECT * FROM x
--> n int4
--> 1
--> 2
--> 3
--> 4
--> SELECT 4

WITH RECURSIVE t(j) AS (WITH RECURSIVE s(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM s WHERE i < 4) SELECT i FROM s UNION ALL SELECT j + 1 FROM t WHERE j < 6) SELECT * FROM t ORDER BY 1
--> j int4
--> 1
--> 2
--> 2
--> 3
--> 3
--> 3
--> 4
--> 4
--> 4
--> 4
--> 5
--> 5
--> 5
--> 5
--> 6
--> 6
--> 6
--> 6
--> SELECT 18

WITH RECURSIVE a(n) AS (SELECT 2 UNION SELECT 1 ORDER BY 1), b(n) AS (SELECT n FROM a UNION ALL SELECT n + 10 FROM b WHERE n < 10) SELECT * FROM b ORDER BY 1
--> n int4
--> 1
--> 2
--> 11
--> 12
--> SELECT 4

WITH RECURSIVE a(n) AS (SELECT 3 UNION ALL SELECT 1 UNION ALL SELECT 2 ORDER BY 1 LIMIT 2) SELECT * FROM a
--> n int4
--> 1
--> 2
--> SELECT 2

SELECT (WITH RECURSIVE x(n) AS (WITH y AS (SELECT s AS m) SELECT m FROM y UNION ALL SELECT n + 1 FROM x, y WHERE n < m + 2) SELECT sum(n) FROM x) FROM generate_series(1, 2) s
--> sum int8
--> 6
--> 9
--> SELECT 2

WITH RECURSIVE x(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x WHERE n < 3 ORDER BY 1) SELECT * FROM x
--> ERROR 0A000: ORDER BY in a recursive query is not implemented
