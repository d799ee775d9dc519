-- The extension pg_trgm, and the operator classes that this and other extensions bring.

CREATE TABLE early (a text, n int)
--> CREATE TABLE

CREATE INDEX ON early USING gin (a gin_trgm_ops)
--> ERROR 42704: operator class "gin_trgm_ops" does not exist for access method "gin"

CREATE INDEX ON early USING gin (n)
--> ERROR 42704: data type integer has no default operator class for access method "gin"

CREATE EXTENSION pg_trgm
--> CREATE EXTENSION

CREATE EXTENSION pg_trgm
--> ERROR 42710: extension "pg_trgm" already exists

CREATE EXTENSION IF NOT EXISTS pg_trgm
--> NOTICE: extension "pg_trgm" already exists, skipping
--> CREATE EXTENSION

CREATE EXTENSION IF NOT EXISTS btree_gin WITH SCHEMA public CASCADE
--> CREATE EXTENSION

CREATE EXTENSION btree_gist
--> CREATE EXTENSION

SELECT extname, extversion FROM pg_extension WHERE extname IN ('pg_trgm', 'btree_gin', 'btree_gist') ORDER BY 1
--> extname name | extversion text
--> btree_gin | 1.3
--> btree_gist | 1.7
--> pg_trgm | 1.6
--> SELECT 3

SELECT show_trgm('word'), show_trgm('Word two, WORD'), show_trgm(''), show_trgm('a'), show_trgm('  -- '), show_trgm(NULL)
--> show_trgm text[] | show_trgm text[] | show_trgm text[] | show_trgm text[] | show_trgm text[] | show_trgm text[]
--> {"  w"," wo",ord,"rd ",wor} | {"  t","  w"," tw"," wo",ord,"rd ",two,"wo ",wor} | {} | {"  a"," a "} | {} | ∅
--> SELECT 1

SELECT show_trgm('Ärger ß'), show_trgm('日本語'), show_trgm('a_b-c1')
--> show_trgm text[] | show_trgm text[] | show_trgm text[]
--> {0xc96a06,0xf05920,0x0bfdec,0x5be7e5,"er ",ger,rge,0x7f0eee} | {0x8194c0,0x836e53,0x1dc363,0x1e22e9} | {"  a","  b","  c"," a "," b "," c1","c1 "}
--> SELECT 1

SELECT similarity('word', 'two words'), similarity('', ''), similarity('a', ''), similarity('Straße', 'strasse'), similarity('word', 'WORD'), similarity(NULL, 'a')
--> similarity float4 | similarity float4 | similarity float4 | similarity float4 | similarity float4 | similarity float4
--> 0.36363637 | 0 | 0 | 0.36363637 | 1 | ∅
--> SELECT 1

SELECT word_similarity('word', 'two words'), word_similarity('two words', 'word'), word_similarity('word', ''), word_similarity('', 'word'), word_similarity('Baykal', 'Lake Baikal')
--> word_similarity float4 | word_similarity float4 | word_similarity float4 | word_similarity float4 | word_similarity float4
--> 0.8 | 0.4 | 0 | 0 | 0.4
--> SELECT 1

SELECT strict_word_similarity('word', 'two words'), strict_word_similarity('two words', 'word'), strict_word_similarity('lake', 'a lake or lakes'), strict_word_similarity('', 'word')
--> strict_word_similarity float4 | strict_word_similarity float4 | strict_word_similarity float4 | strict_word_similarity float4
--> 0.5714286 | 0.36363637 | 1 | 0
--> SELECT 1

SELECT a, b, similarity(a, b), word_similarity(a, b), word_similarity(b, a), strict_word_similarity(a, b), strict_word_similarity(b, a) FROM (VALUES ('qwertyuiop', 'qwerty asdf uiop'), ('aaa', 'aaaa aa aaa'), ('abcabc', 'abc abc bca'), ('kontrakt nr 5', 'kontrakty nr 55 oraz nr 5'), ('one two three', 'three two one'), ('postgres', 'PostgreSQL and post gres'), ('ab', 'xab abx ab'), ('lübeck', 'LÜBECK bei Luebeck')) v(a, b)
--> a text | b text | similarity float4 | word_similarity float4 | word_similarity float4 | strict_word_similarity float4 | strict_word_similarity float4
--> qwertyuiop | qwerty asdf uiop | 0.47368422 | 0.54545456 | 0.47368422 | 0.5 | 0.47368422
--> aaa | aaaa aa aaa | 1 | 1 | 1 | 1 | 1
--> abcabc | abc abc bca | 0.5555556 | 0.6666667 | 0.5555556 | 0.6666667 | 0.5555556
--> kontrakt nr 5 | kontrakty nr 55 oraz nr 5 | 0.5652174 | 0.75 | 0.5652174 | 0.6875 | 0.5652174
--> one two three | three two one | 1 | 1 | 1 | 1 | 1
--> postgres | PostgreSQL and post gres | 0.47368422 | 0.8888889 | 0.47368422 | 0.6666667 | 0.47368422
--> ab | xab abx ab | 0.375 | 1 | 0.375 | 1 | 0.375
--> lübeck | LÜBECK bei Luebeck | 0.46666667 | 1 | 0.46666667 | 1 | 0.46666667
--> SELECT 8

SELECT 'word' % 'words', 'word' % 'two', 'word' <% 'two words', 'two words' %> 'word', 'word' <<% 'two words', 'two words' %>> 'word', 'words' <<% 'two words'
--> ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool
--> t | f | t | t | t | t | t
--> SELECT 1

SELECT 'word' <-> 'words', 'word' <<-> 'two words', 'two words' <->> 'word', 'word' <<<-> 'two words', 'two words' <->>> 'word'
--> ?column? float4 | ?column? float4 | ?column? float4 | ?column? float4 | ?column? float4
--> 0.4285714 | 0.19999999 | 0.19999999 | 0.4285714 | 0.4285714
--> SELECT 1

SELECT show_limit()
--> show_limit float4
--> 0.3
--> SELECT 1

SET pg_trgm.similarity_threshold = 0.9
--> SET

SELECT 'word' % 'words', show_limit(), current_setting('pg_trgm.similarity_threshold')
--> ?column? bool | show_limit float4 | current_setting text
--> f | 0.9 | 0.9
--> SELECT 1

SET pg_trgm.word_similarity_threshold = 0.9
--> SET

SET pg_trgm.strict_word_similarity_threshold = 0.1
--> SET

SELECT 'word' <% 'two words', 'word' <<% 'two words'
--> ?column? bool | ?column? bool
--> f | t
--> SELECT 1

RESET pg_trgm.similarity_threshold
--> RESET

SELECT 'word' % 'words', show_limit()
--> ?column? bool | show_limit float4
--> t | 0.3
--> SELECT 1

SELECT 5 % 3, 5.5 % 2, 7 % 4::smallint
--> ?column? int4 | ?column? numeric | ?column? int4
--> 2 | 1.5 | 3
--> SELECT 1

CREATE TABLE trgm_words (id int PRIMARY KEY, w text, v varchar(20), n int, at timestamptz, u uuid, j jsonb)
--> CREATE TABLE

INSERT INTO trgm_words VALUES (1, 'alpha', 'Alpha', 1), (2, 'alphabet', 'Bet', 2), (3, 'gamma', NULL, 3)
--> INSERT 0 3

SET client_min_messages = warning
--> SET

CREATE INDEX words_w ON trgm_words USING gin (w gin_trgm_ops)
--> CREATE INDEX

CREATE INDEX words_v ON trgm_words USING gin (v gin_trgm_ops, j)
--> CREATE INDEX

CREATE INDEX words_g ON trgm_words USING gist (w gist_trgm_ops)
--> CREATE INDEX

CREATE INDEX words_n ON trgm_words USING gin (n, at, w, u, v)
--> CREATE INDEX

CREATE INDEX words_b ON trgm_words USING gist (n, at, v)
--> CREATE INDEX

CREATE INDEX words_l ON trgm_words USING gin (lower(w) gin_trgm_ops)
--> CREATE INDEX

CREATE INDEX words_bad ON trgm_words USING gin (n gin_trgm_ops)
--> ERROR 42804: operator class "gin_trgm_ops" does not accept data type integer

CREATE INDEX words_bad ON trgm_words USING btree (w gin_trgm_ops)
--> ERROR 42704: operator class "gin_trgm_ops" does not exist for access method "btree"

SELECT replace(pg_get_indexdef(indexrelid), 'public.', '') AS d FROM pg_index WHERE indrelid = 'trgm_words'::regclass ORDER BY indexrelid::regclass::text
--> d text
--> CREATE UNIQUE INDEX trgm_words_pkey ON trgm_words USING btree (id)
--> CREATE INDEX words_b ON trgm_words USING gist (n, at, v)
--> CREATE INDEX words_g ON trgm_words USING gist (w gist_trgm_ops)
--> CREATE INDEX words_l ON trgm_words USING gin (lower(w) gin_trgm_ops)
--> CREATE INDEX words_n ON trgm_words USING gin (n, at, w, u, v)
--> CREATE INDEX words_v ON trgm_words USING gin (v gin_trgm_ops, j)
--> CREATE INDEX words_w ON trgm_words USING gin (w gin_trgm_ops)
--> SELECT 7

SELECT w FROM trgm_words WHERE w % 'alpha' ORDER BY w <-> 'alpha' LIMIT 2
--> w text
--> alpha
--> alphabet
--> SELECT 2

SELECT w, similarity(w, v) FROM trgm_words WHERE v IS NOT NULL AND w ILIKE '%PHA%' ORDER BY similarity(w, v) DESC, id
--> w text | similarity float4
--> alpha | 1
--> alphabet | 0.18181819
--> SELECT 2

DELETE FROM trgm_words WHERE w %> 'gamma'
--> DELETE 1

SELECT count(*) FROM trgm_words
--> count int8
--> 2
--> SELECT 1

UPDATE trgm_words SET n = n + 1 WHERE 'alphabet' % v RETURNING id
--> id int4
--> 1
--> UPDATE 1

SELECT c.opcname, c.opcintype::regtype, c.opcdefault, m.amname FROM pg_opclass c JOIN pg_am m ON m.oid = c.opcmethod WHERE c.opcname IN ('gin_trgm_ops', 'gist_trgm_ops', 'gist_int4_ops') ORDER BY 1
--> opcname name | opcintype regtype | opcdefault bool | amname name
--> gin_trgm_ops | text | f | gin
--> gist_int4_ops | integer | t | gist
--> gist_trgm_ops | text | f | gist
--> SELECT 3

DROP EXTENSION btree_gist
--> ERROR 2BP01: cannot drop extension btree_gist because other objects depend on it
-->   detail: index words_b depends on operator class gist_text_ops for access method gist

DROP INDEX words_b
--> DROP INDEX

DROP EXTENSION btree_gist
--> DROP EXTENSION

CREATE INDEX words_b ON trgm_words USING gist (n)
--> ERROR 42704: data type integer has no default operator class for access method "gist"

DROP TABLE trgm_words
--> DROP TABLE

DROP EXTENSION pg_trgm, btree_gin
--> DROP EXTENSION

SELECT count(*) FROM pg_opclass WHERE opcname = 'gin_trgm_ops'
--> count int8
--> 0
--> SELECT 1

DROP TABLE early
--> DROP TABLE
