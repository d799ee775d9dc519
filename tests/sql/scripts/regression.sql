-- corr, covar_… and regr_…
CREATE TABLE rg_t (g int, y float8, x float8)
--> CREATE TABLE

INSERT INTO rg_t VALUES (1, 1, 2), (1, 2, 3.5), (1, 4.25, 7), (1, NULL, 1), (1, 5, NULL), (2, 3, 3), (3, 1, 1), (3, 1, 1), (4, NULL, NULL)
--> INSERT 0 9

SELECT g, regr_count(y, x), regr_sxx(y, x), regr_syy(y, x), regr_sxy(y, x), regr_avgx(y, x), regr_avgy(y, x) FROM rg_t GROUP BY g ORDER BY g
--> g int4 | regr_count int8 | regr_sxx float8 | regr_syy float8 | regr_sxy float8 | regr_avgx float8 | regr_avgy float8
--> 1 | 3 | 13.166666666666666 | 5.541666666666666 | 8.541666666666666 | 4.166666666666667 | 2.4166666666666665
--> 2 | 1 | 0 | 0 | 0 | 3 | 3
--> 3 | 2 | 0 | 0 | 0 | 1 | 1
--> 4 | 0 | ∅ | ∅ | ∅ | ∅ | ∅
--> SELECT 4

SELECT g, corr(y, x), covar_pop(y, x), covar_samp(y, x), regr_r2(y, x), regr_slope(y, x), regr_intercept(y, x) FROM rg_t GROUP BY g ORDER BY g
--> g int4 | corr float8 | covar_pop float8 | covar_samp float8 | regr_r2 float8 | regr_slope float8 | regr_intercept float8
--> 1 | 0.9999643088710187 | 2.847222222222222 | 4.270833333333333 | 0.999928619015894 | 0.6487341772151899 | -0.2863924050632913
--> 2 | ∅ | 0 | ∅ | ∅ | ∅ | ∅
--> 3 | ∅ | 0 | 0 | ∅ | ∅ | ∅
--> 4 | ∅ | ∅ | ∅ | ∅ | ∅ | ∅
--> SELECT 4

SELECT corr(y, x), regr_slope(y, x), regr_count(y, x) FROM rg_t WHERE false
--> corr float8 | regr_slope float8 | regr_count int8
--> ∅ | ∅ | 0
--> SELECT 1

SELECT g, x, regr_slope(y, x) OVER (ORDER BY x, g ROWS 2 PRECEDING), regr_count(y, x) OVER (ORDER BY x, g ROWS 2 PRECEDING) FROM rg_t WHERE x IS NOT NULL ORDER BY x, g
--> g int4 | x float8 | regr_slope float8 | regr_count int8
--> 1 | 1 | ∅ | 0
--> 3 | 1 | ∅ | 1
--> 3 | 1 | ∅ | 2
--> 1 | 2 | 0 | 3
--> 2 | 3 | 1 | 3
--> 1 | 3.5 | 0.8571428571428572 | 3
--> 1 | 7 | 0.4342105263157895 | 3
--> SELECT 7

SELECT regr_avgx(DISTINCT y, x), covar_pop(y, x) FILTER (WHERE g = 1), corr(g, g) FROM rg_t
--> regr_avgx float8 | covar_pop float8 | corr float8
--> 3.3 | 2.847222222222222 | 1
--> SELECT 1

SELECT corr(a, b), regr_sxx(a, b), regr_syy(a, b) FROM (VALUES ('Infinity'::float8, 1::float8), (1, 2)) t(a, b)
--> corr float8 | regr_sxx float8 | regr_syy float8
--> NaN | 0.5 | NaN
--> SELECT 1

SELECT covar_pop(a, b) FROM (VALUES (1e300::float8, 1e300::float8), (-1e300, -1e300)) t(a, b)
--> ERROR 22003: value out of range: overflow

SELECT corr('a', 1)
--> ERROR 22P02: invalid input syntax for type double precision: "a"

DROP TABLE rg_t
--> DROP TABLE
