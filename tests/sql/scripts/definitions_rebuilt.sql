-- What a column's new type, or new values, break.

CREATE TABLE rb (id int PRIMARY KEY, v text); INSERT INTO rb VALUES (1, '1'), (2, '2'), (3, '3')
--> CREATE TABLE
--> INSERT 0 3

-- A NULL in a key, too, is refused.
ALTER TABLE rb ALTER id TYPE int USING NULL
--> ERROR 23502: column "id" of relation "rb" contains null values
-->   table: rb
-->   column: id

ALTER TABLE rb ALTER id TYPE bigint USING nullif(id, 2)
--> ERROR 23502: column "id" of relation "rb" contains null values
-->   table: rb
-->   column: id

ALTER TABLE rb ALTER v SET NOT NULL, ALTER v TYPE text USING nullif(v, '2')
--> ERROR 23502: column "v" of relation "rb" contains null values
-->   table: rb
-->   column: v

ALTER TABLE rb ADD CONSTRAINT ck CHECK (id > 0); ALTER TABLE rb ALTER id TYPE bigint USING -id
--> ALTER TABLE
--> ERROR 23514: check constraint "ck" of relation "rb" is violated by some row
-->   table: rb
-->   constraint: ck

ALTER TABLE rb ADD CONSTRAINT short CHECK (length(v) < 3), ALTER v TYPE text USING v || '...'
--> ERROR 23514: check constraint "short" of relation "rb" is violated by some row
-->   table: rb
-->   constraint: short

ALTER TABLE rb ADD CONSTRAINT short CHECK (length(v) < 3); ALTER TABLE rb ALTER v TYPE varchar(9) USING v || '...'
--> ALTER TABLE
--> ERROR 23514: check constraint "short" of relation "rb" is violated by some row
-->   table: rb
-->   constraint: short

SELECT * FROM rb ORDER BY id
--> id int4 | v text
--> 1 | 1
--> 2 | 2
--> 3 | 3
--> SELECT 3

CREATE TABLE rp (a int PRIMARY KEY); CREATE TABLE rc (a int CONSTRAINT rf REFERENCES rp, n int); INSERT INTO rp VALUES (1), (2); INSERT INTO rc VALUES (1, 1), (NULL, 2)
--> CREATE TABLE
--> CREATE TABLE
--> INSERT 0 2
--> INSERT 0 2

ALTER TABLE rc ALTER a TYPE bigint USING 5
--> ERROR 23503: insert or update on table "rc" violates foreign key constraint "rf"
-->   detail: Key (a)=(5) is not present in table "rp".
-->   table: rc
-->   constraint: rf

ALTER TABLE rp ALTER a TYPE bigint USING a + 1
--> ERROR 23503: insert or update on table "rc" violates foreign key constraint "rf"
-->   detail: Key (a)=(1) is not present in table "rp".
-->   table: rc
-->   constraint: rf

ALTER TABLE rc ALTER a TYPE bigint USING 2
--> ALTER TABLE

ALTER TABLE rp ALTER a TYPE bigint USING 3 - a
--> ALTER TABLE

SELECT * FROM rp, rc ORDER BY 1, 3
--> a int8 | a int8 | n int4
--> 1 | 2 | 1
--> 1 | 2 | 2
--> 2 | 2 | 1
--> 2 | 2 | 2
--> SELECT 4

INSERT INTO rc VALUES (7, 7)
--> ERROR 23503: insert or update on table "rc" violates foreign key constraint "rf"
-->   detail: Key (a)=(7) is not present in table "rp".
-->   table: rc
-->   constraint: rf

ALTER TABLE rc ALTER CONSTRAINT rf DEFERRABLE INITIALLY DEFERRED; ALTER TABLE rc ALTER a TYPE int USING 9
--> ALTER TABLE
--> ERROR 23503: insert or update on table "rc" violates foreign key constraint "rf"
-->   detail: Key (a)=(9) is not present in table "rp".
-->   table: rc
-->   constraint: rf

ALTER TABLE rc ADD COLUMN self int UNIQUE, ADD FOREIGN KEY (n) REFERENCES rc (self)
--> ERROR 23503: insert or update on table "rc" violates foreign key constraint "rc_n_fkey"
-->   detail: Key (n)=(1) is not present in table "rc".
-->   table: rc
-->   constraint: rc_n_fkey

UPDATE rc SET self = n; ALTER TABLE rc ALTER self TYPE bigint USING self + 1
--> ERROR 42703: column "self" of relation "rc" does not exist
