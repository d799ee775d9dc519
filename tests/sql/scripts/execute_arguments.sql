-- What EXECUTE is given is assigned to the parameters: casts that an INSERT would make, and literals of any type.
PREPARE i(int) AS SELECT $1 + 1, pg_typeof($1)
--> PREPARE

EXECUTE i(1.5)
--> ?column? int4 | pg_typeof regtype
--> 3 | integer
--> SELECT 1

EXECUTE i('7')
--> ?column? int4 | pg_typeof regtype
--> 8 | integer
--> SELECT 1

EXECUTE i('x')
--> ERROR 22P02: invalid input syntax for type integer: "x"

EXECUTE i(true)
--> ERROR 42804: parameter $1 of type boolean cannot be coerced to the expected type integer

EXECUTE i(ARRAY[1])
--> ERROR 42804: parameter $1 of type integer[] cannot be coerced to the expected type integer

EXECUTE i('7'::text)
--> ERROR 42804: parameter $1 of type text cannot be coerced to the expected type integer

EXECUTE i(99999999999)
--> ERROR 22003: integer out of range

EXECUTE i(NULL)
--> ?column? int4 | pg_typeof regtype
--> ∅ | integer
--> SELECT 1

EXECUTE i(1, 2)
--> ERROR 42601: wrong number of parameters for prepared statement "i"
-->   detail: Expected 1 parameters but got 2.

PREPARE t AS SELECT $1 || '!', length($2)
--> PREPARE

EXECUTE t(1, date '2024-01-31')
--> ?column? text | length int4
--> 1! | 10
--> SELECT 1

EXECUTE t('a' || 'b', 1.50)
--> ?column? text | length int4
--> ab! | 4
--> SELECT 1

PREPARE d(date, timestamptz, numeric, text[]) AS SELECT $1, $2 AT TIME ZONE 'UTC', $3, $4
--> PREPARE

EXECUTE d(timestamp '2024-01-31 10:00', date '2024-01-31', 3, '{a,b}')
--> ?column? date | timezone timestamp | ?column? numeric | ?column? text[]
--> 2024-01-31 | 2024-01-31 00:00:00 | 3 | {a,b}
--> SELECT 1

EXECUTE d('2024-01-31', '2024-01-31 10:00+00', '1e3', ARRAY['x', NULL])
--> ?column? date | timezone timestamp | ?column? numeric | ?column? text[]
--> 2024-01-31 | 2024-01-31 10:00:00 | 1000 | {x,NULL}
--> SELECT 1

EXECUTE d('2024-01-31', '2024-01-31 10:00+00', '1e3', ARRAY[1, 2])
--> ?column? date | timezone timestamp | ?column? numeric | ?column? text[]
--> 2024-01-31 | 2024-01-31 10:00:00 | 1000 | {1,2}
--> SELECT 1

EXECUTE d(1, NULL, NULL, NULL)
--> ERROR 42804: parameter $1 of type integer cannot be coerced to the expected type date

PREPARE u(unknown) AS SELECT $1 UNION SELECT 2 ORDER BY 1
--> PREPARE

SELECT parameter_types FROM pg_prepared_statements WHERE name = 'u'
--> parameter_types 2211
--> {integer}
--> SELECT 1

EXECUTE u(1.4)
--> ?column? int4
--> 1
--> 2
--> SELECT 2

EXECUTE u('k')
--> ERROR 22P02: invalid input syntax for type integer: "k"

DEALLOCATE ALL
--> DEALLOCATE ALL
