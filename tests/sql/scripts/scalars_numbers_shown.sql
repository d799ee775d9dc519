-- Numbers by templates: quotes, backslashes, and a decimal point at the end.

SELECT to_char(100, 'FM999.'), to_char(100, '999.'), to_char(100, 'FM999.9'), to_char(-12.5, 'FM999.'), to_char(12, 'FM099.')
--> to_char text | to_char text | to_char text | to_char text | to_char text
--> 100 |  100 | 100. | -13 | 012
--> SELECT 1

SELECT to_char(45678901, E'99999 "text" 9999 "\\"quoted\\"" 9'), to_char(-5, 'x\"y9'), to_char(5, '"a\\b"9'), to_char(5, '"a\"b"9'), to_char(5, 'x\y9'), to_char(5, '9"open')
--> to_char text | to_char text | to_char text | to_char text | to_char text | to_char text
-->    456 text 7890 "quoted" 1 | x"y-5 | a\b 5 | a"b 5 | x\y 5 |  5open
--> SELECT 1

SELECT to_char(5, '\\9'), to_char(12, '99\'), to_char(7, '"\')
--> to_char text | to_char text | to_char text
--> \\ 5 |  12\ | \
--> SELECT 1
