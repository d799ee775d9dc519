-- Slices and elements of arrays of several dimensions, read and assigned to.
CREATE TABLE sl (id int, a int[], m int[], t text[]);
INSERT INTO sl VALUES (1, '{1,2,3,4,5}', '{{1,2,3},{4,5,6},{7,8,9}}', '{a,b}'), (2, '[0:4]={1,2,3,4,5}', '[0:2][0:2]={{1,2,3},{4,5,6},{7,8,9}}', NULL), (3, '{}', NULL, '{}');
--> CREATE TABLE
--> INSERT 0 3

SELECT id, a[:3] AS a, a[2:] AS b, m[:2][:2] AS c, m[2:][2:] AS d, m[1:2][2] AS e, m[2][1:1] AS f, m[1:1] AS g, m[:][:] AS h FROM sl ORDER BY id;
--> id int4 | a int4[] | b int4[] | c int4[] | d int4[] | e int4[] | f int4[] | g int4[] | h int4[]
--> 1 | {1,2,3} | {2,3,4,5} | {{1,2},{4,5}} | {{5,6},{8,9}} | {{1,2},{4,5}} | {{1},{4}} | {{1,2,3}} | {{1,2,3},{4,5,6},{7,8,9}}
--> 2 | {1,2,3,4} | {3,4,5} | {{1,2,3},{4,5,6},{7,8,9}} | {{9}} | {{5,6},{8,9}} | {{5},{8}} | {{4,5,6}} | {{1,2,3},{4,5,6},{7,8,9}}
--> 3 | {} | {} | ∅ | ∅ | ∅ | ∅ | ∅ | ∅
--> SELECT 3

SELECT id, a[5:2] AS a, m[1:1][9:10] AS b, m[1:1][1:1][1:1] AS c, m[NULL:1][1] AS d, a[:NULL] AS e FROM sl ORDER BY id;
--> id int4 | a int4[] | b int4[] | c int4[] | d int4[] | e int4[]
--> 1 | {} | {} | {} | ∅ | ∅
--> 2 | {} | {} | {} | ∅ | ∅
--> 3 | {} | ∅ | ∅ | ∅ | ∅
--> SELECT 3

SELECT ('{{{1},{2}},{{4},{5}}}'::int[])[1][2][1] AS a, ('{{{1},{2}},{{4},{5}}}'::int[])[2:2][1:2][1:1] AS b;
--> a int4 | b int4[]
--> 2 | {{{4},{5}}}
--> SELECT 1

SELECT ('{}'::int[])[1][2][3][4][5][6][7];
--> ERROR 54000: number of array dimensions (7) exceeds the maximum allowed (6)

SELECT ('{}'::int[])[1][2][3][4][5][6][7:8];
--> ERROR 54000: number of array dimensions (7) exceeds the maximum allowed (6)

UPDATE sl SET a[:3] = '{11,12,13}', m[:2][:2] = '{{11,12},{14,15}}' WHERE id = 1;
UPDATE sl SET a[3:] = '{23,24,25}', m[2:][2:] = '{{25,26},{28,29}}' WHERE id <= 2;
SELECT * FROM sl ORDER BY id;
--> UPDATE 1
--> UPDATE 2
--> id int4 | a int4[] | m int4[] | t text[]
--> 1 | {11,12,23,24,25} | {{11,12,3},{14,25,26},{7,28,29}} | {a,b}
--> 2 | [0:4]={1,2,3,23,24} | [0:2][0:2]={{1,2,3},{4,5,6},{7,8,25}} | ∅
--> 3 | {} | ∅ | {}
--> SELECT 3

UPDATE sl SET m[1:1][1:2] = '{5,6}', t[3:4] = '{x,y}' WHERE id = 1 RETURNING m, t;
--> m int4[] | t text[]
--> {{5,6,3},{14,25,26},{7,28,29}} | {a,b,x,y}
--> UPDATE 1

UPDATE sl SET m[2][2] = 55 WHERE id = 1 RETURNING m;
--> m int4[]
--> {{5,6,3},{14,55,26},{7,28,29}}
--> UPDATE 1

UPDATE sl SET a[7] = 1, t[2:2] = '{z}' WHERE id = 1 RETURNING a, t;
--> a int4[] | t text[]
--> {11,12,23,24,25,NULL,1} | {a,z,x,y}
--> UPDATE 1

UPDATE sl SET a[1:2] = NULL, t[1:2] = '{p,q}' WHERE id >= 2;
SELECT id, a, t FROM sl WHERE id >= 2 ORDER BY id;
--> UPDATE 2
--> id int4 | a int4[] | t text[]
--> 2 | [0:4]={1,2,3,23,24} | {p,q}
--> 3 | {} | {p,q}
--> SELECT 2

UPDATE sl SET m[1:2][1:2] = '{{1,2},{3,4}}' WHERE id = 3 RETURNING m;
--> m int4[]
--> {{1,2},{3,4}}
--> UPDATE 1

UPDATE sl SET m[1:4][1:1] = '{1,2,3,4}' WHERE id = 1;
--> ERROR 2202E: array subscript out of range

UPDATE sl SET m[1:2][1:2] = '{1,2,3}' WHERE id = 1;
--> ERROR 2202E: source array too small

UPDATE sl SET m[1][1][1] = 1 WHERE id = 1;
--> ERROR 2202E: wrong number of array subscripts

UPDATE sl SET a[2:1] = '{1}' WHERE id = 1;
--> ERROR 2202E: upper bound cannot be less than lower bound

UPDATE sl SET a[NULL:1] = '{1}' WHERE id = 1;
--> ERROR 22004: array subscript in assignment must not be null

UPDATE sl SET a[NULL] = 1 WHERE id = 1;
--> ERROR 22004: array subscript in assignment must not be null

UPDATE sl SET t[:] = '{1}' WHERE id = 1 RETURNING t;
--> ERROR 2202E: source array too small

UPDATE sl SET a = '{}', t = NULL WHERE id = 3;
UPDATE sl SET a[:2] = '{1,2}' WHERE id = 3;
--> UPDATE 1
--> ERROR 2202E: array slice subscript must provide both boundaries
-->   detail: When assigning to a slice of an empty array value, slice boundaries must be fully specified.

UPDATE sl SET t[1:2147483647] = '{1,2}' WHERE id = 3;
--> ERROR 54000: array size exceeds the maximum allowed (134217727)

-- INSERT of parts.
INSERT INTO sl (id, a[1:2], m[1:1][1:2], t[2]) VALUES (4, '{7,8}', '{{1,2}}', 'two'), (5, '{1,2,3}', '{3,4}', NULL) RETURNING *;
--> id int4 | a int4[] | m int4[] | t text[]
--> 4 | {7,8} | {{1,2}} | [2:2]={two}
--> 5 | {1,2} | {{3,4}} | [2:2]={NULL}
--> INSERT 0 2

INSERT INTO sl (id, a[1], a[3]) VALUES (6, 1, 3) RETURNING a;
--> a int4[]
--> {1,NULL,3}
--> INSERT 0 1

INSERT INTO sl (id, a[1]) VALUES (7, now());
--> ERROR 42804: subscripted assignment to "a" requires type integer but expression is of type timestamp with time zone

INSERT INTO sl (id, a[1:2]) VALUES (7, now());
--> ERROR 42804: subscripted assignment to "a" requires type integer[] but expression is of type timestamp with time zone

INSERT INTO sl (id, a, a[1]) VALUES (7, '{}', 1);
--> ERROR 42701: column "a" specified more than once

INSERT INTO sl (id, a[1]) VALUES (7, DEFAULT);
--> ERROR 0A000: cannot set an array element to DEFAULT

INSERT INTO sl (id, a[1]) VALUES (7, 1, 2);
--> ERROR 42601: INSERT has more expressions than target columns

CREATE TABLE slk (id int PRIMARY KEY, a int[]);
INSERT INTO slk (id, a[1:2]) VALUES (1, '{1,2,3}') ON CONFLICT (id) DO UPDATE SET a[1] = 9 RETURNING *;
--> CREATE TABLE
--> id int4 | a int4[]
--> 1 | {1,2}
--> INSERT 0 1

INSERT INTO slk (id, a[1:2]) VALUES (1, '{6,7,8}') ON CONFLICT (id) DO UPDATE SET a[1] = excluded.a[1], a[3] = excluded.a[2] RETURNING *;
--> id int4 | a int4[]
--> 1 | {6,2,7}
--> INSERT 0 1

SELECT trim_array('[10:16]={1,2,3,4,5,6,7}'::int[], 2) AS a, trim_array('[2:3][5:6]={{1,2},{3,4}}'::int[], 1) AS b;
--> a int4[] | b int4[]
--> {1,2,3,4,5} | {{1,2}}
--> SELECT 1

INSERT INTO slk VALUES (8, ARRAY[1, 2]) RETURNING a;
--> a int4[]
--> {1,2}
--> INSERT 0 1

INSERT INTO slk AS s (id, a[2]) SELECT 9, 5 RETURNING s.a;
--> a int4[]
--> [2:2]={5}
--> INSERT 0 1

INSERT INTO slk (id, a[1:2], a[4]) SELECT 10, ARRAY[1, 2], n FROM generate_series(7, 7) n RETURNING a;
--> a int4[]
--> {1,2,NULL,7}
--> INSERT 0 1
