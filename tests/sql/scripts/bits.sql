-- Bit strings: bit(n) and bit varying(n).
SELECT B'101', X'1f', b'', x'', X'aB', pg_typeof(B'1'), B'10'
'01'
--> ?column? 1560 | ?column? 1560 | ?column? 1560 | ?column? 1560 | ?column? 1560 | pg_typeof regtype | ?column? 1560
--> 101 | 00011111 |  |  | 10101011 | bit | 1001
--> SELECT 1

SELECT B'102'
--> ERROR 22P02: "2" is not a valid binary digit

SELECT X'1G'
--> ERROR 22P02: "G" is not a valid hexadecimal digit

SELECT B'101'::bit(2), B'101'::bit(5), B'101'::varbit(2), B'101'::bit, B'1'::bit varying, B'101'::bit varying(5)
--> bit 1560 | bit 1560 | varbit 1562 | bit 1560 | varbit 1562 | varbit 1562
--> 10 | 10100 | 10 | 1 | 1 | 101
--> SELECT 1

SELECT '101'::bit(3), '101'::bit, '10'::bit(3), 'x1f'::bit(8), 'b101'::varbit, '1011'::varbit(3), ''::bit, ''::varbit, bit '101', bit(5) '101', varbit '11', bit varying(2) '111', '10'::text::bit(3), '1011'::text::varbit(3)
--> bit 1560 | bit 1560 | bit 1560 | bit 1560 | varbit 1562 | varbit 1562 | bit 1560 | varbit 1562 | bit 1560 | bit 1560 | varbit 1562 | varbit 1562 | bit 1560 | varbit 1562
--> 101 | 1 | 100 | 00011111 | 101 | 101 | 0 |  | 101 | 10100 | 11 | 11 | 100 | 101
--> SELECT 1

SELECT '1012'::varbit
--> ERROR 22P02: "2" is not a valid binary digit

SELECT 'x1g'::varbit
--> ERROR 22P02: "g" is not a valid hexadecimal digit

SELECT bit 'a'
--> ERROR 22P02: "a" is not a valid binary digit

SELECT 5::bit(4), (-5)::bit(8), 44::bit(10), 5::bit, 5::int8::bit(70), (-1)::bit(40), 1::bit(3)::text, CAST(B'101' AS int), B'1111'::int8, B'11111111111111111111111111111111'::int, B'101'::bit(3)::int8
--> bit 1560 | bit 1560 | bit 1560 | bit 1560 | bit 1560 | bit 1560 | text text | int4 int4 | int8 int8 | int4 int4 | int8 int8
--> 0101 | 11111011 | 0000101100 | 1 | 0000000000000000000000000000000000000000000000000000000000000000000101 | 1111111111111111111111111111111111111111 | 001 | 5 | 15 | -1 | 5
--> SELECT 1

SELECT B'111111111111111111111111111111111'::int
--> ERROR 22003: integer out of range

SELECT B'101'::bool
--> ERROR 42846: cannot cast type bit to boolean

SELECT B'101'::numeric
--> ERROR 42846: cannot cast type bit to numeric

SELECT B'101' || B'0', B'101' & B'110', B'101' | B'010', B'101' # B'111', ~B'101', B'101' << 1, B'101' >> 1, B'101' << 10, B'1001' >> -1, B'1001' << -2, B'10' || '1', '1' || B'10'
--> ?column? 1562 | ?column? 1560 | ?column? 1560 | ?column? 1560 | ?column? 1560 | ?column? 1560 | ?column? 1560 | ?column? 1560 | ?column? 1560 | ?column? 1560 | ?column? 1562 | ?column? 1562
--> 1010 | 100 | 111 | 010 | 010 | 010 | 010 | 000 | 0010 | 0010 | 101 | 110
--> SELECT 1

SELECT B'101' & B'11'
--> ERROR 22026: cannot AND bit strings of different sizes

SELECT B'101' | B'11'
--> ERROR 22026: cannot OR bit strings of different sizes

SELECT B'101' # B'11'
--> ERROR 22026: cannot XOR bit strings of different sizes

SELECT length(B'101'), bit_length(B'101'), octet_length(B'101010101'), get_bit(B'101', 1), set_bit(B'101', 1, 1), bit_count(B'1011'), length(B''), octet_length(B'')
--> length int4 | bit_length int4 | octet_length int4 | get_bit int4 | set_bit 1560 | bit_count int8 | length int4 | octet_length int4
--> 3 | 3 | 2 | 0 | 111 | 3 | 0 | 0
--> SELECT 1

SELECT get_bit(B'101', 3)
--> ERROR 2202E: bit index 3 out of valid range (0..2)

SELECT set_bit(B'101', 0, 2)
--> ERROR 22023: new bit must be 0 or 1

SELECT substring(B'11001' from 2 for 3), substring(B'11001' from 2), substring(B'11001' from -1 for 4), substring(B'11001', 4, 10)
--> substring 1560 | substring 1560 | substring 1560 | substring 1560
--> 100 | 1001 | 11 | 01
--> SELECT 1

SELECT substring(B'11001' from 2 for -1)
--> ERROR 22011: negative substring length not allowed

SELECT position(B'01' in B'1101'), position(B'' in B'11'), position(B'111' in B'1'), position(B'' in B''), overlay(B'11111' placing B'000' from 2), overlay(B'11111' placing B'000' from 2 for 1)
--> position int4 | position int4 | position int4 | position int4 | overlay 1560 | overlay 1560
--> 3 | 1 | 0 | 0 | 10001 | 1000111
--> SELECT 1

SELECT B'101' = B'1010', B'101' < B'1010', B'11' > B'101', B'10' = '10', B'1' > B'0', B'0'::varbit IN (B'1', B'0'), B'101'::bit(3) IS DISTINCT FROM '101', greatest(B'1', B'01'), B'1'::varbit = B'1'
--> ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | greatest 1560 | ?column? bool
--> f | t | t | t | t | t | f | 1 | t
--> SELECT 1

SELECT B'101'::text, B'101'::varchar, B'101'::varchar(2), pg_typeof(B'1' || B'0'), pg_typeof(B'1'::varbit), to_json(B'101'), to_jsonb(B'11'::varbit), format('%s', B'101'), 'a' || B'1'
--> ERROR 22P02: "a" is not a valid binary digit

SELECT array[B'10', B'1'], '{101,1}'::bit(3)[], ARRAY['101', '1']::bit(2)[], '{101,1}'::text[]::bit(2)[], '{101,1}'::varbit[] || B'0'::varbit
--> array 1561 | bit 1561 | array 1561 | bit 1561 | ?column? 1563
--> {10,1} | {101,100} | {10,10} | {10,10} | {101,1,0}
--> SELECT 1

CREATE TABLE bits_t (id serial PRIMARY KEY, a bit(3) DEFAULT B'111', b bit varying(5), c bit, d varbit UNIQUE, e bit(2)[])
--> CREATE TABLE

INSERT INTO bits_t (a) VALUES (B'10')
--> ERROR 22026: bit string length 2 does not match type bit(3)

INSERT INTO bits_t (b) VALUES (B'101011')
--> ERROR 22001: bit string too long for type bit varying(5)

INSERT INTO bits_t (a) VALUES ('10')
--> ERROR 22026: bit string length 2 does not match type bit(3)

INSERT INTO bits_t (b) VALUES ('101011')
--> ERROR 22001: bit string too long for type bit varying(5)

INSERT INTO bits_t (e) VALUES ('{10,1}')
--> ERROR 22026: bit string length 1 does not match type bit(2)

INSERT INTO bits_t (a, b, c, d, e) VALUES (B'101', B'10101', B'1', B'111000', '{10,11}'), ('011', '1', '0', '1', NULL), (B'101', B'', B'0', B'10', ARRAY[B'00']), (DEFAULT, NULL, NULL, NULL, NULL) RETURNING *
--> id int4 | a 1560 | b 1562 | c 1560 | d 1562 | e 1561
--> 1 | 101 | 10101 | 1 | 111000 | {10,11}
--> 2 | 011 | 1 | 0 | 1 | ∅
--> 3 | 101 |  | 0 | 10 | {00}
--> 4 | 111 | ∅ | ∅ | ∅ | ∅
--> INSERT 0 4

INSERT INTO bits_t (d) VALUES (B'1')
--> ERROR 23505: duplicate key value violates unique constraint "bits_t_d_key"
-->   detail: Key (d)=(1) already exists.
-->   table: bits_t
-->   constraint: bits_t_d_key

INSERT INTO bits_t (a) VALUES (5)
--> ERROR 42804: column "a" is of type bit but expression is of type integer

SELECT id, a, b FROM bits_t ORDER BY a, b DESC
--> id int4 | a 1560 | b 1562
--> 2 | 011 | 1
--> 1 | 101 | 10101
--> 3 | 101 |
--> 4 | 111 | ∅
--> SELECT 4

SELECT a, count(*) FROM bits_t GROUP BY a ORDER BY 1 DESC
--> a 1560 | count int8
--> 111 | 1
--> 101 | 2
--> 011 | 1
--> SELECT 3

SELECT bit_and(a), bit_or(a), bit_xor(a), count(DISTINCT a) FROM bits_t
--> bit_and 1560 | bit_or 1560 | bit_xor 1560 | count int8
--> 001 | 111 | 100 | 3
--> SELECT 1

SELECT id, bit_or(a) OVER (ORDER BY id ROWS 1 PRECEDING) FROM bits_t ORDER BY id
--> id int4 | bit_or 1560
--> 1 | 101
--> 2 | 111
--> 3 | 111
--> 4 | 111
--> SELECT 4

SELECT bit_and(d) FROM bits_t
--> ERROR 22026: cannot AND bit strings of different sizes

SELECT bit_and(a) FROM bits_t WHERE false
--> bit_and 1560
--> ∅
--> SELECT 1

SELECT min(a) FROM bits_t
--> ERROR 42883: function min(bit) does not exist

SELECT a FROM bits_t UNION SELECT B'101' ORDER BY 1
--> a 1560
--> 011
--> 101
--> 111
--> SELECT 3

UPDATE bits_t SET a = a | B'010', b = b || B'1' WHERE id = (SELECT min(id) FROM bits_t)
--> ERROR 22001: bit string too long for type bit varying(5)

UPDATE bits_t SET a = set_bit(a, 1, 1) WHERE b = B'' RETURNING a
--> a 1560
--> 111
--> UPDATE 1

SELECT id FROM bits_t WHERE a = B'111' OR d = '1' ORDER BY id
--> id int4
--> 2
--> 3
--> 4
--> SELECT 3

COPY (SELECT a, b, c, d, e FROM bits_t ORDER BY id) TO STDOUT
--> 101	10101	1	111000	{10,11}
--> 011	1	0	1	\N
--> 111		0	10	{00}
--> 111	\N	\N	\N	\N
--> COPY 4

COPY bits_t (a, b) FROM STDIN
--< 10	1
--> ERROR 22026: bit string length 2 does not match type bit(3)

COPY bits_t (a, b) FROM STDIN
--< 100	x1
--> COPY 1

SELECT a, b FROM bits_t WHERE b = B'0001'
--> a 1560 | b 1562
--> 100 | 0001
--> SELECT 1

BEGIN
--> BEGIN

DECLARE bits_c CURSOR FOR SELECT a, b FROM bits_t WHERE a = B'100'
--> DECLARE CURSOR

FETCH ALL FROM bits_c
--> a 1560 | b 1562
--> 100 | 0001
--> FETCH 1

COMMIT
--> COMMIT

ALTER TABLE bits_t ALTER COLUMN a TYPE bit(2)
--> ERROR 22026: bit string length 3 does not match type bit(2)

ALTER TABLE bits_t ALTER COLUMN a TYPE bit(2) USING a::bit(2), ALTER COLUMN a SET DEFAULT '01'
--> ALTER TABLE

SELECT column_name, data_type, udt_name, character_maximum_length, column_default FROM information_schema.columns WHERE table_name = 'bits_t' AND column_name <> 'id' ORDER BY ordinal_position
--> column_name name | data_type varchar | udt_name name | character_maximum_length int4 | column_default varchar
--> a | bit | bit | 2 | '01'::"bit"
--> b | bit varying | varbit | 5 | ∅
--> c | bit | bit | 1 | ∅
--> d | bit varying | varbit | ∅ | ∅
--> e | ARRAY | _bit | ∅ | ∅
--> SELECT 5

SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'bits_t'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
--> attname name | format_type text
--> id | integer
--> a | bit(2)
--> b | bit varying(5)
--> c | bit(1)
--> d | bit varying
--> e | bit(2)[]
--> SELECT 6

DROP TABLE bits_t
--> DROP TABLE

CREATE TABLE bits_n (a bit(0))
--> ERROR 22023: length for type bit must be at least 1

CREATE TABLE bits_n (a bit varying(83886081))
--> ERROR 22023: length for type varbit cannot exceed 83886080

SELECT format_type(1560, 5), format_type(1560, -1), format_type(1560, NULL), format_type(1562, 5), format_type(1562, -1)
--> format_type text | format_type text | format_type text | format_type text | format_type text
--> bit(5) | "bit" | bit | bit varying(5) | bit varying
--> SELECT 1

SELECT get_bit('\x1234'::bytea, 3), set_bit('\x1234'::bytea, 3, 1), bit_count('\x1234'::bytea), get_bit('\x1234'::bytea, 15)
--> get_bit int4 | set_bit bytea | bit_count int8 | get_bit int4
--> 0 | \x1a34 | 5 | 0
--> SELECT 1

SELECT get_bit('\x1234'::bytea, 16)
--> ERROR 2202E: index 16 out of valid range, 0..15

SELECT set_bit('\x1234'::bytea, 0, 2)
--> ERROR 22023: new bit must be 0 or 1

PREPARE bits_p AS SELECT $1::bit(3), $2::varbit, B'11' & $3
--> PREPARE

EXECUTE bits_p('1', '0101', '10')
--> bit 1560 | varbit 1562 | ?column? 1560
--> 100 | 0101 | 10
--> SELECT 1

DEALLOCATE bits_p
--> DEALLOCATE

SELECT oprname, oprleft::regtype, oprright::regtype, oprresult::regtype FROM pg_operator WHERE oprright IN ('bit'::regtype, 'varbit'::regtype) ORDER BY oprname, oprleft
--> oprname name | oprleft regtype | oprright regtype | oprresult regtype
--> # | bit | bit | bit
--> & | bit | bit | bit
--> < | bit | bit | boolean
--> < | bit varying | bit varying | boolean
--> <= | bit | bit | boolean
--> <= | bit varying | bit varying | boolean
--> <> | bit | bit | boolean
--> <> | bit varying | bit varying | boolean
--> = | bit | bit | boolean
--> = | bit varying | bit varying | boolean
--> > | bit | bit | boolean
--> > | bit varying | bit varying | boolean
--> >= | bit | bit | boolean
--> >= | bit varying | bit varying | boolean
--> | | bit | bit | bit
--> || | bit varying | bit varying | bit varying
--> ~ | - | bit | bit
--> SELECT 17

SELECT castsource::regtype, casttarget::regtype, castcontext, castmethod FROM pg_cast WHERE castsource IN (1560, 1562) OR casttarget IN (1560, 1562) ORDER BY castsource, casttarget
--> castsource regtype | casttarget regtype | castcontext char1 | castmethod char1
--> bigint | bit | e | f
--> integer | bit | e | f
--> bit | bigint | e | f
--> bit | integer | e | f
--> bit | bit | i | f
--> bit | bit varying | i | b
--> bit varying | bit | i | b
--> bit varying | bit varying | i | f
--> SELECT 8
