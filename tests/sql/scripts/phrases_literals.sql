-- Where literals go on, what takes subscripts, SUBSTRING by SQL's own expressions, functions called like types.
select 'a' 'b'
--> ERROR 42601: syntax error at or near "'b'"

select 'a'
'b'
--> ?column? text
--> ab
--> SELECT 1

select E'a' 'b'
--> ERROR 42601: syntax error at or near "'b'"

select E'a'
'\n'
--> ?column? text
--> a
-->
--> SELECT 1

select 'a'
E'b'
--> ERROR 42601: syntax error at or near "E'b'"

select b'1'
'0'
--> ?column? 1560
--> 10
--> SELECT 1

select x'1' '0'
--> ERROR 42601: syntax error at or near "'0'"

select U&'a' 'b'
--> ERROR 42601: syntax error at or near "'b'"

select 'a' /* a comment */ 'b'
--> ERROR 42601: syntax error at or near "'b'"

select 'a' -- another
'b'
--> ?column? text
--> ab
--> SELECT 1

select $$a$$ 'b'
--> ERROR 42601: syntax error at or near "'b'"

select date '2000-01-01' '1'
--> ERROR 42601: syntax error at or near "'1'"

select array[1,2][1]
--> ERROR 42601: syntax error at or near "["

select (array[1,2])[1], (array[1,2])[1:1]
--> array int4 | array int4[]
--> 1 | {1}
--> SELECT 1

select string_to_array('a,b', ',')[1]
--> ERROR 42601: syntax error at or near "["

select (string_to_array('a,b', ','))[1], (select array[7,8])[2], ('{1,2}'::int[])[2]
--> string_to_array text | array int4 | int4 int4
--> a | 8 | 2
--> SELECT 1

select case when true then array[1] end[1]
--> ERROR 42601: syntax error at or near "["

select substring('abcdefg' similar 'a#"(b_d)#"%' escape '#'), substring('abcdefg' similar '#"(b_d)#"%' escape '#'), substring('abcdefg' similar 'a#"%#"g' escape '#')
--> substring text | substring text | substring text
--> bcd | ∅ | bcdef
--> SELECT 1

select substring('abcdefg' similar 'a#"%|ab#"g' escape '#'), substring('abcdefg' similar 'a#"%#"x|g' escape '#'), substring('abcdefg' similar 'a%' escape '#')
--> substring text | substring text | substring text
--> bcdef | bcdef | abcdefg
--> SELECT 1

select substring('abcdefg' similar null escape '#'), substring(null similar 'a' escape '#'), substring('abcdefg' similar 'a#"b#"%' escape '')
--> substring text | substring text | substring text
--> ∅ | ∅ | ∅
--> SELECT 1

select substring('abcdefg' similar 'a*#"%#"g*#"x' escape '#')
--> ERROR 2200C: SQL regular expression may not contain more than two escape-double-quote separators

select substring('abcdefg' similar 'a' escape '##')
--> ERROR 22025: invalid escape string

select n, substring(n || 'abc' similar '_#"a#"%' escape '#') from (values ('x'), ('yy')) v(n) where n similar to 'x|yy' escape '#' order by 1
--> n text | substring text
--> x | a
--> yy | ∅
--> SELECT 2

select substring('abcdefg', 'a#"%#"g', '#')
--> substring text
--> bcdef
--> SELECT 1

select similar_escape('a%', '#')
--> similar_escape text
--> ^(?:a.*)$
--> SELECT 1

select cidr('192.168.1.2/30')
--> ERROR 22P02: invalid cidr value: "192.168.1.2/30"
-->   detail: Value has bits set to right of mask.

select cidr('192.168.1.0/24'), cidr(inet '192.168.1.2/30'), text('x'), date('2000-01-01'), int4('7')
--> cidr 650 | cidr 650 | text text | date date | int4 int4
--> 192.168.1.0/24 | 192.168.1.0/30 | x | 2000-01-01 | 7
--> SELECT 1

select regexp_instr('abcabcabc', 'a(b)c', 1, 2), regexp_instr('abcabcabc', 'a(b)c', 1, 2, 1), regexp_instr('abcABC', 'A(B)C', 1, 1, 0, 'i', 1), regexp_instr('abcabc', 'a(b)c', 1, 2, 1, '', 1), regexp_instr('abc', 'abc', 1, 1, 0, '', 2)
--> regexp_instr int4 | regexp_instr int4 | regexp_instr int4 | regexp_instr int4 | regexp_instr int4
--> 4 | 7 | 2 | 6 | 0
--> SELECT 1

select regexp_instr('abcabcabc', 'a.c', 1, 0)
--> ERROR 22023: invalid value for parameter "n": 0

select regexp_instr('abcabcabc', 'a.c', 1, 1, 2)
--> ERROR 22023: invalid value for parameter "endoption": 2

select regexp_instr('abcabcabc', 'a.c', 1, 1, 0, 'g')
--> ERROR 22023: regexp_instr() does not support the "global" option

select regexp_instr('abcabcabc', 'a.c', 1, 1, 0, '', -1)
--> ERROR 22023: invalid value for parameter "subexpr": -1

select regexp_like('abc', 'a.c', 'g')
--> ERROR 22023: regexp_like() does not support the "global" option

select regexp_count('abc', 'b', 1, 'g')
--> ERROR 22023: regexp_count() does not support the "global" option
