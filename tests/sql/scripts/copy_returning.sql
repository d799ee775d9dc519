-- COPY of what a data change returns.
CREATE TABLE crt (id serial, t text);
INSERT INTO crt (t) VALUES ('a'), ('b'), ('c');
--> CREATE TABLE
--> INSERT 0 3

COPY (INSERT INTO crt (t) VALUES ('f'), (NULL) RETURNING id, t) TO STDOUT;
--> 4	f
--> 5	\N
--> COPY 2

COPY (UPDATE crt SET t = 'g' WHERE t = 'f' RETURNING id, t) TO STDOUT WITH (FORMAT csv, HEADER);
--> id,t
--> 4,g
--> COPY 1

COPY (DELETE FROM crt WHERE t = 'g' RETURNING id) TO STDOUT;
--> 4
--> COPY 1

COPY (WITH x AS (SELECT 'w' AS t) INSERT INTO crt (t) SELECT t FROM x RETURNING t) TO STDOUT;
--> w
--> COPY 1

COPY (INSERT INTO crt DEFAULT VALUES) TO STDOUT;
--> ERROR 0A000: COPY query must have a RETURNING clause

COPY (UPDATE crt SET t = 'g') TO STDOUT;
--> ERROR 0A000: COPY query must have a RETURNING clause

COPY (SELECT 1 INTO cr3) TO STDOUT;
--> ERROR 0A000: COPY (SELECT INTO) is not supported

SELECT * FROM crt ORDER BY id;
--> id int4 | t text
--> 1 | a
--> 2 | b
--> 3 | c
--> 5 | ∅
--> 6 | w
--> SELECT 5
