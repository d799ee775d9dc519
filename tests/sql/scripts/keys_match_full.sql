-- Foreign keys with MATCH FULL: of several columns all are NULL or none.
CREATE TABLE mp (a int, b int, n text, PRIMARY KEY (a, b));
CREATE TABLE mc (a int, b int, n int, CONSTRAINT whole FOREIGN KEY (a, b) REFERENCES mp MATCH FULL ON DELETE SET NULL ON UPDATE CASCADE);
INSERT INTO mp VALUES (1, 1, 'one'), (2, 2, 'two');
INSERT INTO mc VALUES (1, 1, 1), (2, 2, 2), (NULL, NULL, 3);
--> CREATE TABLE
--> CREATE TABLE
--> INSERT 0 2
--> INSERT 0 3

INSERT INTO mc VALUES (1, NULL, 4);
--> ERROR 23503: insert or update on table "mc" violates foreign key constraint "whole"
-->   detail: MATCH FULL does not allow mixing of null and nonnull key values.
-->   table: mc
-->   constraint: whole

INSERT INTO mc VALUES (NULL, 1, 4);
--> ERROR 23503: insert or update on table "mc" violates foreign key constraint "whole"
-->   detail: MATCH FULL does not allow mixing of null and nonnull key values.
-->   table: mc
-->   constraint: whole

INSERT INTO mc VALUES (3, 3, 4);
--> ERROR 23503: insert or update on table "mc" violates foreign key constraint "whole"
-->   detail: Key (a, b)=(3, 3) is not present in table "mp".
-->   table: mc
-->   constraint: whole

UPDATE mc SET a = NULL WHERE n = 1;
--> ERROR 23503: insert or update on table "mc" violates foreign key constraint "whole"
-->   detail: MATCH FULL does not allow mixing of null and nonnull key values.
-->   table: mc
-->   constraint: whole

UPDATE mc SET a = NULL, b = NULL WHERE n = 1;
--> UPDATE 1

DELETE FROM mp WHERE a = 2;
SELECT * FROM mc ORDER BY n;
--> DELETE 1
--> a int4 | b int4 | n int4
--> ∅ | ∅ | 1
--> ∅ | ∅ | 2
--> ∅ | ∅ | 3
--> SELECT 3

INSERT INTO mp VALUES (5, 5);
UPDATE mc SET a = 5, b = 5 WHERE n = 2;
UPDATE mp SET b = 6 WHERE a = 5;
SELECT * FROM mc ORDER BY n;
--> INSERT 0 1
--> UPDATE 1
--> UPDATE 1
--> a int4 | b int4 | n int4
--> ∅ | ∅ | 1
--> 5 | 6 | 2
--> ∅ | ∅ | 3
--> SELECT 3

SELECT conname, confmatchtype, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'mc'::regclass;
--> conname name | confmatchtype char1 | pg_get_constraintdef text
--> whole | f | FOREIGN KEY (a, b) REFERENCES mp(a, b) MATCH FULL ON UPDATE CASCADE ON DELETE SET NULL
--> SELECT 1

SELECT match_option FROM information_schema.referential_constraints WHERE constraint_name = 'whole';
--> match_option varchar
--> FULL
--> SELECT 1

ALTER TABLE mc DROP CONSTRAINT whole;
INSERT INTO mc VALUES (1, NULL, 5);
--> ALTER TABLE
--> INSERT 0 1

ALTER TABLE mc ADD CONSTRAINT again FOREIGN KEY (a, b) REFERENCES mp MATCH FULL;
--> ERROR 23503: insert or update on table "mc" violates foreign key constraint "again"
-->   detail: MATCH FULL does not allow mixing of null and nonnull key values.
-->   table: mc
-->   constraint: again

DELETE FROM mc WHERE n = 5;
ALTER TABLE mc ADD CONSTRAINT again FOREIGN KEY (a, b) REFERENCES mp MATCH FULL;
ALTER TABLE mc RENAME COLUMN a TO x;
INSERT INTO mc VALUES (NULL, 1, 6);
--> DELETE 1
--> ALTER TABLE
--> ALTER TABLE
--> ERROR 23503: insert or update on table "mc" violates foreign key constraint "again"
-->   detail: MATCH FULL does not allow mixing of null and nonnull key values.
-->   table: mc
-->   constraint: again

-- Of one column it says nothing more.
CREATE TABLE ms (p int PRIMARY KEY);
CREATE TABLE mft (p int REFERENCES ms MATCH FULL, q int REFERENCES ms (p) MATCH SIMPLE);
INSERT INTO mft VALUES (NULL, NULL);
SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'mft'::regclass ORDER BY conname;
--> CREATE TABLE
--> CREATE TABLE
--> INSERT 0 1
--> pg_get_constraintdef text
--> FOREIGN KEY (p) REFERENCES ms(p) MATCH FULL
--> FOREIGN KEY (q) REFERENCES ms(p)
--> SELECT 2

INSERT INTO mft VALUES (1, NULL);
--> ERROR 23503: insert or update on table "mft" violates foreign key constraint "mft_p_fkey"
-->   detail: Key (p)=(1) is not present in table "ms".
-->   table: mft
-->   constraint: mft_p_fkey

CREATE TABLE mu (a int, b int, FOREIGN KEY (a, b) REFERENCES mp MATCH PARTIAL);
--> ERROR 0A000: MATCH PARTIAL not yet implemented

DROP TABLE mp CASCADE;
INSERT INTO mc VALUES (NULL, 1, 6);
--> DROP TABLE
--> INSERT 0 1
