-- Whose rights count where a view is written through: its owner's below it, the caller's on it.
CREATE ROLE vr_owner
--> CREATE ROLE

CREATE ROLE vr_user
--> CREATE ROLE

CREATE SCHEMA vr
--> CREATE SCHEMA

GRANT USAGE ON SCHEMA vr TO vr_owner, vr_user
--> GRANT

SET search_path = vr
--> SET

CREATE TABLE vr_t (id int PRIMARY KEY, a text, b text)
--> CREATE TABLE

INSERT INTO vr_t VALUES (1, 'one', 'b'), (2, 'two', 'b')
--> INSERT 0 2

GRANT SELECT, UPDATE ON vr_t TO vr_owner
--> GRANT

CREATE VIEW vr_v AS SELECT id, a FROM vr_t WHERE id < 100
--> CREATE VIEW

ALTER VIEW vr_v OWNER TO vr_owner
--> ALTER VIEW

CREATE VIEW vr_w AS SELECT * FROM vr_v
--> CREATE VIEW

GRANT SELECT (id), UPDATE (a), INSERT ON vr_v TO vr_user
--> GRANT

GRANT ALL ON vr_w TO vr_user
--> GRANT

SET ROLE vr_user
--> SET

UPDATE vr_v SET a = 'x' WHERE id = 1
--> UPDATE 1

UPDATE vr_v SET a = 'x' WHERE a = 'one'
--> ERROR 42501: permission denied for view vr_v

UPDATE vr_v SET a = a || 'x' WHERE id = 1
--> ERROR 42501: permission denied for view vr_v

UPDATE vr_v SET id = 7 WHERE id = 1
--> ERROR 42501: permission denied for view vr_v

UPDATE vr_v SET a = 'y' WHERE id = 1 RETURNING id
--> id int4
--> 1
--> UPDATE 1

UPDATE vr_v SET a = 'y' WHERE id = 1 RETURNING *
--> ERROR 42501: permission denied for view vr_v

INSERT INTO vr_v VALUES (3, 'three')
--> ERROR 42501: permission denied for table vr_t

DELETE FROM vr_v
--> ERROR 42501: permission denied for view vr_v

UPDATE vr_w SET a = 'w' WHERE id = 2
--> UPDATE 1

DELETE FROM vr_w
--> ERROR 42501: permission denied for table vr_t

UPDATE vr_t SET a = 'z'
--> ERROR 42501: permission denied for table vr_t

RESET ROLE
--> RESET

GRANT INSERT (id) ON vr_t TO vr_owner
--> GRANT

SET ROLE vr_user
--> SET

INSERT INTO vr_v VALUES (3, 'three')
--> ERROR 42501: permission denied for table vr_t

INSERT INTO vr_v (id) VALUES (3)
--> INSERT 0 1

INSERT INTO vr_v (id) VALUES (3) ON CONFLICT DO NOTHING
--> INSERT 0 0

INSERT INTO vr_v (id) VALUES (3) ON CONFLICT (id) DO UPDATE SET a = 'again'
--> INSERT 0 1

INSERT INTO vr_v (id) VALUES (3) ON CONFLICT (id) DO UPDATE SET a = excluded.a
--> ERROR 42501: permission denied for view vr_v

RESET ROLE
--> RESET

SELECT * FROM vr_t ORDER BY id
--> id int4 | a text | b text
--> 1 | y | b
--> 2 | w | b
--> 3 | again | ∅
--> SELECT 3

-- A view with its caller's rights.
ALTER VIEW vr_v SET (security_invoker = true)
--> ALTER VIEW

SET ROLE vr_user
--> SET

SELECT id FROM vr_v
--> ERROR 42501: permission denied for table vr_t

UPDATE vr_v SET a = 'x' WHERE id = 1
--> ERROR 42501: permission denied for table vr_t

INSERT INTO vr_v (id) VALUES (9)
--> ERROR 42501: permission denied for table vr_t

RESET ROLE
--> RESET

GRANT SELECT (id), UPDATE (a) ON vr_t TO vr_user
--> GRANT

SET ROLE vr_user
--> SET

SELECT id FROM vr_v ORDER BY id
--> ERROR 42501: permission denied for table vr_t

SELECT a FROM vr_v
--> ERROR 42501: permission denied for view vr_v

UPDATE vr_v SET a = 'mine' WHERE id = 1
--> ERROR 42501: permission denied for table vr_t

UPDATE vr_w SET a = 'w' WHERE id = 2
--> ERROR 42501: permission denied for table vr_t

ALTER VIEW vr_v SET (security_invoker = false)
--> ERROR 42501: must be owner of view vr_v

RESET ROLE
--> RESET

CREATE OR REPLACE VIEW vr_v WITH (security_invoker) AS SELECT id, a FROM vr_t
--> CREATE VIEW

SELECT reloptions FROM pg_class WHERE relname = 'vr_v'
--> reloptions text[]
--> {security_invoker=true}
--> SELECT 1

ALTER VIEW vr_v RESET (security_invoker)
--> ALTER VIEW

SET ROLE vr_user
--> SET

SELECT count(*) FROM vr_v WHERE id > 0
--> count int8
--> 3
--> SELECT 1

RESET ROLE
--> RESET

DROP VIEW vr_w
--> DROP VIEW

DROP VIEW vr_v
--> DROP VIEW

DROP TABLE vr_t
--> DROP TABLE

DROP SCHEMA vr
--> DROP SCHEMA

DROP ROLE vr_owner, vr_user
--> DROP ROLE
