-- A row as a text: cast to the type of a table's rows, or beside a row in an operator.

CREATE TABLE rt (a int8, b text, c date)
--> CREATE TABLE

INSERT INTO rt VALUES (1, 'x', '2024-01-01'), (2, 'y z', NULL), (3, NULL, NULL)
--> INSERT 0 3

SELECT * FROM rt r WHERE r = '(1,x,2024-01-01)'
--> ERROR 0A000: input of anonymous composite types is not implemented

SELECT * FROM rt r WHERE '(2,"y z",)' = r
--> ERROR 0A000: input of anonymous composite types is not implemented

SELECT * FROM rt r WHERE r IN (ROW(1, 'x', '2024-01-01')::rt, '(2,y z,)') ORDER BY a
--> a int8 | b text | c date
--> 1 | x | 2024-01-01
--> 2 | y z | ∅
--> SELECT 2

SELECT a FROM rt r WHERE r > '(1,zz,)' ORDER BY a
--> ERROR 0A000: input of anonymous composite types is not implemented

SELECT a FROM rt r WHERE r BETWEEN '(1,a,)' AND '(2,z,)' ORDER BY a
--> ERROR 0A000: input of anonymous composite types is not implemented

SELECT a, r IS DISTINCT FROM '(3,,)', CASE r WHEN '(1,x,2024-01-01)' THEN 'one' ELSE 'other' END FROM rt r ORDER BY a
--> ERROR 0A000: input of anonymous composite types is not implemented

SELECT ('(7,"a ""b"" \\ c",2024-02-03)'::rt).*
--> a int8 | b text | c date
--> 7 | a "b" \ c | 2024-02-03
--> SELECT 1

SELECT ('(7,a\,b,)'::rt).b, ('( 7 ,  a,)'::rt).b, ('(7,"",)'::rt).b, ('(,,)'::rt).b IS NULL
--> b text | b text | b text | ?column? bool
--> a,b |   a |  | t
--> SELECT 1

SELECT ' (1,x,2024-01-01) '::rt = ROW(1, 'x', '2024-01-01')::rt
--> ?column? bool
--> t
--> SELECT 1

SELECT '(1,x)'::rt
--> ERROR 22P02: malformed record literal: "(1,x)"
-->   detail: Too few columns.

SELECT '(1,x,,)'::rt
--> ERROR 22P02: malformed record literal: "(1,x,,)"
-->   detail: Too many columns.

SELECT '1,x,'::rt
--> ERROR 22P02: malformed record literal: "1,x,"
-->   detail: Missing left parenthesis.

SELECT '(1,x,'::rt
--> ERROR 22P02: malformed record literal: "(1,x,"
-->   detail: Unexpected end of input.

SELECT '(1,x,) y'::rt
--> ERROR 22P02: malformed record literal: "(1,x,) y"
-->   detail: Junk after right parenthesis.

SELECT '(z,x,)'::rt
--> ERROR 22P02: invalid input syntax for type bigint: "z"

SELECT '(1,x,2024-13-01)'::rt
--> ERROR 22008: date/time field value out of range: "2024-13-01"

SELECT ROW(1, 2) = '(1,2)'
--> ERROR 0A000: input of anonymous composite types is not implemented

SELECT '(1,2)' = ROW(1, 2)
--> ERROR 0A000: input of anonymous composite types is not implemented

SELECT '(1,2)'::record
--> ERROR 0A000: input of anonymous composite types is not implemented

INSERT INTO rt SELECT ('(4,new,)'::rt).* RETURNING *
--> a int8 | b text | c date
--> 4 | new | ∅
--> INSERT 0 1

DROP TABLE rt
--> DROP TABLE
