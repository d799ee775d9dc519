-- Floats by templates: there are no more digits than mean something, and everything ends where they do.
SELECT to_char(4200000000::float4, 'MI9999999999.99') AS a, to_char(1e20::float8, '999999999999999999999D9') AS b, to_char(1e20::float8 + 1, '999999999999999999999D9') AS c, to_char(1.5::float8, '9.999') AS d, to_char(0.1::float4, '0.99999999999') AS e, to_char(12345678901::float8, 'FM9999999999D9999900000000000000000') AS f;
--> a text | b text | c text | d text | e text | f text
-->  4200000000 |  100000000000000000000 |  100000000000000000000 |  1.500 |  0.10000 | ##########.####
--> SELECT 1

SELECT to_char('Infinity'::float8, 'MI9999999999.99') AS a, to_char('-Infinity'::float4, 'MI99.99') AS b, to_char('NaN'::float8, '9999.99') AS c, to_char('Infinity'::numeric, 'MI9999999999.99') AS d, to_char(-1.25::float8, '9.99PL') AS e;
--> a text | b text | c text | d text | e text
-->    Infinity | -##. |   NaN |    Infinity | -1.25
--> SELECT 1
