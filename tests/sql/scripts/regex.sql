-- Which match a regular expression takes, lookaround, back-references, SIMILAR TO.
SELECT regexp_match('foobar', 'foo|foobar'), substring('XY1234Z' from 'Y*([0-9]{1,3})'), substring('XY1234Z' from 'Y*?([0-9]{1,3})')
--> regexp_match text[] | substring text | substring text
--> {foobar} | 123 | 1
--> SELECT 1

SELECT regexp_match('abc01234xyz', '(.*)(\d+)(.*)'), regexp_match('abc01234xyz', '(.*?)(\d+)(.*)'), regexp_match('abc01234xyz', '(?:(.*?)(\d+)(.*)){1,1}')
--> regexp_match text[] | regexp_match text[] | regexp_match text[]
--> {abc0123,4,xyz} | {abc,0,""} | {abc,01234,xyz}
--> SELECT 1

SELECT regexp_replace('aaa bbb', 'a+?', '<&>'), regexp_replace('aaa bbb', 'a+?b*', '-', 'g'), regexp_match('xyz', 'x|xy|xyz'), regexp_match('xyz', '(?:x|xy|xyz)?z?')
--> regexp_replace text | regexp_replace text | regexp_match text[] | regexp_match text[]
--> <&>aa bbb | --- bbb | {xyz} | {xyz}
--> SELECT 1

SELECT regexp_split_to_array('a, b,c ,d', '\s*,\s*'), regexp_match('ab12', '[a-z]*?[0-9]+'), regexp_match('ab12', '([a-z]+?)([0-9]+?)'), regexp_count('abab', 'a|ab')
--> regexp_split_to_array text[] | regexp_match text[] | regexp_match text[] | regexp_count int4
--> {a,b,c,d} | {ab1} | {ab,1} | 2
--> SELECT 1

SELECT 'foobar' ~ 'foo(?=bar)', 'foobar' ~ 'foo(?!bar)', 'foobar' ~ '(?<=foo)bar', 'foobar' ~ '(?<!foo)bar', 'Foo' ~* '(?=f)..(?<=O)'
--> ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool
--> t | f | t | f | t
--> SELECT 1

SELECT 'abab' ~ '^(ab)\1$', 'abac' ~ '^(a.)\1$', 'aa' ~* '(A)\1', 'x1x' ~ '(\w)\d\1', regexp_replace('hello wood', '(.)\1', '<\1\1>', 'g')
--> ?column? bool | ?column? bool | ?column? bool | ?column? bool | regexp_replace text
--> t | f | t | t | he<ll>o w<oo>d
--> SELECT 1

SELECT regexp_match('price: 42 EUR', '\d+(?= EUR)'), regexp_replace('1234567', '(?<=\d)(?=(\d\d\d)+$)', ',', 'g'), regexp_match('aXbX', '(.)(?=X)'), regexp_matches('a1b2', '[a-z](?!2)', 'g')
--> regexp_match text[] | regexp_replace text | regexp_match text[] | regexp_matches text[]
--> {42} | 1,234,567 | {a} | {a}
--> SELECT 1

SELECT 'abc' SIMILAR TO '(a|x)%', 'abc' NOT SIMILAR TO '_b_', 'a%c' SIMILAR TO 'a#%c' ESCAPE '#', 'abc' SIMILAR TO 'b', NULL SIMILAR TO 'a', 'ab' SIMILAR TO '[[:alpha:]]{2}'
--> ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool
--> t | f | t | f | ∅ | t
--> SELECT 1

SELECT array_fill(7, ARRAY[2, 3]), array_fill('x'::text, ARRAY[2], ARRAY[0]), array_fill(NULL::int, ARRAY[2]), array_fill(1, '{}'), array_fill(1, ARRAY[0])
--> array_fill int4[] | array_fill text[] | array_fill int4[] | array_fill int4[] | array_fill int4[]
--> {{7,7,7},{7,7,7}} | [0:1]={x,x} | {NULL,NULL} | {} | {}
--> SELECT 1

SELECT array_fill(1, NULL)
--> ERROR 22004: dimension array or low bound array cannot be null

SELECT array_fill(1, ARRAY[1, NULL])
--> ERROR 22004: dimension values cannot be null

SELECT array_fill(1, ARRAY[2], ARRAY[1, 2])
--> ERROR 2202E: wrong number of array subscripts
-->   detail: Low bound array has different size than dimensions array.

SELECT array_fill(1, ARRAY[-1])
--> ERROR 54000: array size exceeds the maximum allowed (134217727)

SELECT ARRAY[[1,2],[3,4]] || '[0:1]={5,6}'::int[]
--> ERROR 2202E: cannot concatenate incompatible arrays
-->   detail: Arrays with differing dimensions are not compatible for concatenation.

SELECT sign('NaN'::float8), sign('-0'::float8), sign(-2.5::float8), '[]'::jsonb #- '{a,1}'
--> sign float8 | sign float8 | sign float8 | ?column? jsonb
--> 0 | 0 | -1 | []
--> SELECT 1

SELECT '{"a": []}'::jsonb #- '{a,b}'
--> ERROR 22P02: path element at position 2 is not an integer: "b"

-- Lookaround and back-references beside alternatives, and beside long and short repetitions.
SELECT regexp_match('foobarbaz', '(?=f)(foo|foobar)'), regexp_match('aabb', '(a|aa)(?=b)'), regexp_match('abcabcd', '(abc)(\1|\1d)'), regexp_match('xaay', '(?<=x)(a|aa|aay)'), regexp_substr('aXbX', '(a|aXb)(?=X)')
--> regexp_match text[] | regexp_match text[] | regexp_match text[] | regexp_match text[] | regexp_substr text
--> {foobar} | {aa} | {abc,abcd} | {aay} | aXb
--> SELECT 1

SELECT regexp_match('abab!', '(ab|a)(b|\1!)?'), regexp_replace('cat dog cats', '\m(?!dog)(cat|cats)', '<&>', 'g'), regexp_match('12ab12', '(\d+)[a-z]+?\1'), regexp_match('aaab', 'a(?=a)(a|aa)+b?')
--> regexp_match text[] | regexp_replace text | regexp_match text[] | regexp_match text[]
--> {ab,ab!} | <&> dog <&> | {12} | {a}
--> SELECT 1

SELECT regexp_match('price 100 EUR', '(\d+|\w+)(?= EUR)'), regexp_split_to_array('aXXbXc', 'X(?!X)|X(?=b)'), regexp_count('aababa', '(?=ab)(a|ab)'), regexp_match('ab', '(?=a)a?(ab)?')
--> regexp_match text[] | regexp_split_to_array text[] | regexp_count int4 | regexp_match text[]
--> {100} | {aX,b,c} | 2 | {ab}
--> SELECT 1

SELECT regexp_match('foo1foo12', '(foo)(\d+).*\1(\d|\d\d)'), substring('abcd' from '(?=a)(a|ab)(c|bcd)'), regexp_match('2024-01-02', '(?=2)(\d{4}|\d{4}-\d\d)')
--> regexp_match text[] | substring text | regexp_match text[]
--> {foo,1,12} | a | {2024-01}
--> SELECT 1

SELECT regexp_match('aaa', '(?=a)a+?'), regexp_match('aab', '(?!b)a*?b'), regexp_match('xx', '(x)\1*?'), regexp_match('abcabc', '(a.*?c)\1')
--> regexp_match text[] | regexp_match text[] | regexp_match text[] | regexp_match text[]
--> {a} | {aab} | {x} | {abc}
--> SELECT 1

SELECT regexp_match('abcabcd', '(?=a)(?:abc)+(?:d|x)?')
--> regexp_match text[]
--> {abcabcd}
--> SELECT 1
