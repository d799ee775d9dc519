-- What a transaction has from the one before it outlives a failure; what was set in it does not.
CREATE TABLE cha (a int);
--> CREATE TABLE

START TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ WRITE, DEFERRABLE;
COMMIT AND CHAIN;
--> START TRANSACTION
--> COMMIT

SELECT 1 / 0;
SELECT 1;
--> ERROR 22012: division by zero

COMMIT AND CHAIN;
SHOW transaction_isolation;
SHOW transaction_deferrable;
ROLLBACK;
--> ROLLBACK
--> transaction_isolation text
--> repeatable read
--> SHOW
--> transaction_deferrable text
--> on
--> SHOW
--> ROLLBACK

START TRANSACTION ISOLATION LEVEL REPEATABLE READ;
SELECT a FROM cha;
--> START TRANSACTION
--> a int4
--> SELECT 0

SELECT 1 / 0;
SELECT 1;
--> ERROR 22012: division by zero

ROLLBACK AND CHAIN;
SHOW transaction_isolation;
ROLLBACK;
--> ROLLBACK
--> transaction_isolation text
--> read committed
--> SHOW
--> ROLLBACK

BEGIN;
SAVEPOINT x;
SET TRANSACTION READ ONLY;
RELEASE SAVEPOINT x;
SHOW transaction_read_only;
INSERT INTO cha VALUES (1);
COMMIT;
--> BEGIN
--> SAVEPOINT
--> SET
--> RELEASE
--> transaction_read_only text
--> off
--> SHOW
--> INSERT 0 1
--> COMMIT

-- Temporary tables may be written to in a read-only transaction.
CREATE TEMP TABLE cht (a int);
START TRANSACTION READ ONLY;
INSERT INTO cht VALUES (1), (2);
UPDATE cht SET a = a + 1;
DELETE FROM cht WHERE a = 3;
SELECT * FROM cht;
COMMIT;
--> CREATE TABLE
--> START TRANSACTION
--> INSERT 0 2
--> UPDATE 2
--> DELETE 1
--> a int4
--> 2
--> SELECT 1
--> COMMIT

START TRANSACTION READ ONLY;
WITH x AS (INSERT INTO cht VALUES (9) RETURNING a) INSERT INTO cha SELECT a FROM x;
--> START TRANSACTION
--> ERROR 25006: cannot execute INSERT in a read-only transaction

ROLLBACK;
--> ROLLBACK
