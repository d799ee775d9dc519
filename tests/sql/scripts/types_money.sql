-- money, as the locale C has it.
CREATE TABLE mo (id int, m money);
INSERT INTO mo VALUES (1, '123'), (2, '$1,234.567'), (3, -5), (4, 1.5), (5, '(1)'), (6, NULL), (7, '-92233720368547758.08');
SELECT * FROM mo ORDER BY m, id;
--> CREATE TABLE
--> INSERT 0 7
--> id int4 | m 790
--> 7 | -$92,233,720,368,547,758.08
--> 3 | -$5.00
--> 5 | -$1.00
--> 4 | $1.50
--> 1 | $123.00
--> 2 | $1,234.57
--> 6 | ∅
--> SELECT 7

SELECT m + '123.45', m - '123.45', m * 2, 2::bigint * m, m / 2::smallint, m * 2.5::float8, m / 3::float4, m / '2'::money, m::numeric, m::text FROM mo WHERE id = 1;
--> ?column? 790 | ?column? 790 | ?column? 790 | ?column? 790 | ?column? 790 | ?column? 790 | ?column? 790 | ?column? float8 | m numeric | m text
--> $246.45 | -$0.45 | $246.00 | $246.00 | $61.50 | $307.50 | $41.00 | 61.5 | 123.00 | $123.00
--> SELECT 1

SELECT m = '$123.00' AS a, m <> '$124' AS b, m < '$123.01' AS c, m >= '1' AS d FROM mo WHERE id = 1;
--> a bool | b bool | c bool | d bool
--> t | t | t | t
--> SELECT 1

SELECT sum(m), min(m), max(m), count(DISTINCT m) FROM mo WHERE id < 6;
--> sum 790 | min 790 | max 790 | count int8
--> $1,353.07 | -$5.00 | $1,234.57 | 5
--> SELECT 1

SELECT cash_words('1234.56'::money) AS a, cash_words('-0.01') AS b, cash_words('110.10') AS c, 12::money AS d, 12345678901::bigint::money AS e, 1.005::money AS f, ARRAY['1', '2.5']::money[] AS g, to_json(1::money) AS h;
--> a text | b text | c text | d 790 | e 790 | f 790 | g 791 | h json
--> One thousand two hundred thirty four dollars and fifty six cents | Minus zero dollars and one cent | One hundred and ten dollars and ten cents | $12.00 | $12,345,678,901.00 | $1.01 | {$1.00,$2.50} | "$1.00"
--> SELECT 1

SELECT 'x'::money;
--> ERROR 22P02: invalid input syntax for type money: "x"

SELECT '92233720368547758.08'::money;
--> ERROR 22003: value "92233720368547758.08" is out of range for type money

SELECT '92233720368547758.07'::money + '0.01'::money;
--> ERROR 22003: money out of range

SELECT '92233720368547758.07'::money * 2;
--> ERROR 22003: money out of range

SELECT 1::money / 0;
--> ERROR 22012: division by zero

SELECT 1::money / 0::money;
--> ERROR 22012: division by zero

SELECT 1::money / 0.0::float8;
--> ERROR 22012: division by zero

SELECT 92233720368547758::bigint::money AS a, 92233720368547759::bigint::money AS b;
--> ERROR 22003: bigint out of range

SELECT 1::money * 1e300::float8;
--> ERROR 22003: money out of range

SELECT '92233720368547758.075'::money;
--> ERROR 22003: value "92233720368547758.075" is out of range for type money

SELECT 1::money + 1;
--> ERROR 42883: operator does not exist: money + integer

SELECT sum(m) OVER (ORDER BY id ROWS 1 PRECEDING) FROM mo WHERE id < 6 ORDER BY id;
--> sum 790
--> $123.00
--> $1,357.57
--> $1,229.57
--> -$3.50
--> $0.50
--> SELECT 5

CREATE INDEX mo_m ON mo (m);
SELECT id FROM mo WHERE m > 1::money ORDER BY m;
--> CREATE INDEX
--> id int4
--> 4
--> 1
--> 2
--> SELECT 3
