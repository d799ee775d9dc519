-- What a transaction's modes are after a failure, and what a read-only one may do all the same.

CREATE TABLE xm_t (id int PRIMARY KEY)
--> CREATE TABLE

BEGIN READ ONLY
--> BEGIN

SELECT 1 / 0
--> ERROR 22012: division by zero

COMMIT AND CHAIN
--> ROLLBACK

SHOW transaction_read_only
--> transaction_read_only text
--> off
--> SHOW

ROLLBACK
--> ROLLBACK

BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY
--> BEGIN

SELECT 1 / 0
--> ERROR 22012: division by zero

ROLLBACK AND CHAIN
--> ROLLBACK

SHOW transaction_isolation
--> transaction_isolation text
--> read committed
--> SHOW

ROLLBACK
--> ROLLBACK

BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY
--> BEGIN

SELECT 1
--> ?column? int4
--> 1
--> SELECT 1

ROLLBACK AND CHAIN
--> ROLLBACK

SHOW transaction_isolation
--> transaction_isolation text
--> repeatable read
--> SHOW

SHOW transaction_read_only
--> transaction_read_only text
--> on
--> SHOW

ANALYZE xm_t
--> ANALYZE

INSERT INTO xm_t VALUES (1)
--> ERROR 25006: cannot execute INSERT in a read-only transaction

ROLLBACK
--> ROLLBACK

DROP TABLE xm_t
--> DROP TABLE
