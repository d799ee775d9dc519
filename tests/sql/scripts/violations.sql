-- Which row, which key, which constraint: the DETAIL of violations, and when they are found.
CREATE TABLE v_dept (id int PRIMARY KEY, name varchar(20) NOT NULL, CONSTRAINT short CHECK (length(name) < 15))

CREATE TABLE v_emp (id serial PRIMARY KEY, dept int CONSTRAINT works_in REFERENCES v_dept, boss int REFERENCES v_emp DEFERRABLE INITIALLY DEFERRED, email text NOT NULL, pay numeric(8,2) DEFAULT 100 CHECK (pay > 0), born date, double numeric GENERATED ALWAYS AS (pay * 2) STORED)

CREATE UNIQUE INDEX v_emp_email ON v_emp (lower(email))

CREATE UNIQUE INDEX v_emp_born ON v_emp (born, (pay + 1)) WHERE pay > 50

INSERT INTO v_dept VALUES (1, 'Sales'), (2, 'Tools')

INSERT INTO v_emp (dept, email, born) VALUES (1, 'ann@x.org', '1990-01-02'), (1, 'Bob@x.org', NULL)

INSERT INTO v_emp (id, email) VALUES (1, 'cid@x.org')

INSERT INTO v_emp (email) VALUES ('ANN@X.ORG')

INSERT INTO v_emp (email, pay, born) VALUES ('dot@x.org', 100.00, '1990-01-02')

-- The sequence gave out two values meanwhile, and this one collides.
INSERT INTO v_emp (id, email) VALUES (5, 'eve@x.org')

INSERT INTO v_emp (email) VALUES ('fay@x.org')

INSERT INTO v_emp (id, email, pay) VALUES (9, NULL, 5), (10, 'x', -1)

INSERT INTO v_emp (id, email, pay) VALUES (9, 'ok', 5), (10, 'x', -1)

INSERT INTO v_emp (id, email, born) SELECT 20 + i, CASE WHEN i < 3 THEN 'm' || i END, date '2000-01-01' + i FROM generate_series(1, 5) AS i

UPDATE v_emp SET email = NULL WHERE id = 2

UPDATE v_emp SET pay = pay - 100 WHERE id = 1

UPDATE v_emp SET email = 'bob@x.org' WHERE id = 1

UPDATE v_emp SET email = n.email FROM (VALUES (1, 'BOB@x.org')) AS n(id, email) WHERE n.id = v_emp.id

INSERT INTO v_dept VALUES (1, 'again') ON CONFLICT (id) DO UPDATE SET name = NULL

INSERT INTO v_dept VALUES (1, 'a name that is too long')

INSERT INTO v_dept VALUES (3, 'Third'), (2, 'Second') ON CONFLICT (id) DO UPDATE SET name = excluded.name || ' with more'

INSERT INTO v_dept VALUES (NULL, NULL)

CREATE TABLE v_long (a text, b bytea, c bool CHECK (c))

INSERT INTO v_long VALUES (repeat('é', 40), decode(repeat('ab', 40), 'hex'), false)

DROP TABLE v_long

INSERT INTO v_emp (dept, email) VALUES (1, 'gus@x.org'), (7, 'hal@x.org'), (8, 'ida@x.org')

UPDATE v_emp SET dept = id + 40 WHERE id = 2

DELETE FROM v_dept

UPDATE v_dept SET id = id + 10 WHERE id = 1

DELETE FROM v_dept WHERE id = 2

INSERT INTO v_emp (id, boss, email) VALUES (30, 31, 'jo@x.org')

BEGIN

INSERT INTO v_emp (id, boss, email) VALUES (30, 31, 'jo@x.org'), (31, 31, 'kim@x.org'), (32, 33, 'lou@x.org')

COMMIT

BEGIN

INSERT INTO v_emp (id, boss, email) VALUES (30, 31, 'jo@x.org')

SET CONSTRAINTS ALL IMMEDIATE

ROLLBACK

BEGIN

INSERT INTO v_emp (id, boss, email) VALUES (30, 31, 'jo@x.org')

INSERT INTO v_emp (id, boss, email) VALUES (31, 30, 'kim@x.org')

SET CONSTRAINTS ALL IMMEDIATE

INSERT INTO v_emp (id, boss, email) VALUES (32, 99, 'lou@x.org')

ROLLBACK

BEGIN

SET CONSTRAINTS ALL DEFERRED

INSERT INTO v_emp (id, dept, email) VALUES (40, 77, 'mia@x.org')

ROLLBACK

BEGIN

INSERT INTO v_emp (id, boss, email) VALUES (50, 1, 'ned@x.org')

DELETE FROM v_emp WHERE id = 1

SET CONSTRAINTS v_emp_boss_fkey IMMEDIATE

ROLLBACK

SET CONSTRAINTS nosuch DEFERRED

BEGIN

SET CONSTRAINTS nosuch DEFERRED

ROLLBACK

BEGIN

SET CONSTRAINTS works_in DEFERRED

ROLLBACK

SET CONSTRAINTS ALL DEFERRED

-- A row is not changed twice.
INSERT INTO v_dept VALUES (5, 'five'), (5, 'cinq') ON CONFLICT (id) DO UPDATE SET name = excluded.name

INSERT INTO v_dept SELECT 1, 'n' || i FROM generate_series(1, 2) AS i ON CONFLICT (id) DO UPDATE SET name = excluded.name

INSERT INTO v_dept SELECT 1, 'n' || i FROM generate_series(1, 2) AS i ON CONFLICT (id) DO UPDATE SET name = excluded.name WHERE excluded.name = 'n2' RETURNING *

INSERT INTO v_dept VALUES (5, 'five'), (5, 'cinq') ON CONFLICT DO NOTHING

-- RETURNING knows the other tables.
UPDATE v_emp AS e SET pay = pay + 1 FROM v_dept AS d WHERE d.id = e.dept AND e.id < 3 RETURNING e.id, d.name, e.pay, d.id + e.id AS sum

UPDATE v_emp SET born = '2001-01-01' FROM v_dept AS d JOIN v_dept AS o ON o.id > d.id WHERE d.id = v_emp.dept AND v_emp.id = 1 AND o.id = 2 RETURNING v_emp.id, d.*, o.name

UPDATE v_dept AS d SET id = n.id FROM (VALUES (5, 6, 'moved')) AS n(old, id, why) WHERE d.id = n.old RETURNING *

UPDATE v_dept AS d SET (id, name) = (7, n.why) FROM (VALUES (6, 'moved')) AS n(old, why) WHERE d.id = n.old RETURNING d.id, n.why

UPDATE v_emp AS e SET (email, pay) = (SELECT lower(e.email), 3) FROM v_dept AS d WHERE d.id = e.dept AND e.id = 2 RETURNING e.email, d.name, (SELECT count(*) FROM v_dept x WHERE x.id <= d.id) AS below

DELETE FROM v_emp AS e USING v_dept AS d WHERE d.id = e.dept AND e.id = 2 RETURNING e.email, d.name

DELETE FROM v_emp USING (VALUES (1, 'gone'), (9, 'nobody')) AS n(id, note) WHERE n.id = v_emp.id RETURNING *

CREATE VIEW v_names AS SELECT name FROM v_dept

CREATE VIEW v_initials AS SELECT left(name, 1) AS i FROM v_names

DROP TABLE v_dept

DROP TABLE v_dept, v_names

DROP VIEW v_names CASCADE

DROP INDEX v_nosuch

DROP TABLE v_dept, v_emp
