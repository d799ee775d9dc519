-- Forms of Unicode, and texts with its escapes.
select normalize('Å'), length(normalize('Å', NFD)), normalize('ﬁ①', nfkc), 'a' is normalized, normalize('e' || U&'\0301') = 'é' as eq, ('e' || U&'\0301') is not nfc normalized, 'é' is nfd normalized, normalize('é', NFKD) is nfkd normalized, normalize(null), null is normalized
--> normalize text | length int4 | normalize text | is_normalized bool | eq bool | ?column? bool | is_normalized bool | is_normalized bool | normalize text | is_normalized bool
--> Å | 2 | fi1 | t | t | t | f | t | ∅ | ∅
--> SELECT 1

select normalize('x', nope)
--> ERROR 42601: syntax error at or near "nope"

select unistr('a\0041\+000042\u0043\U00000044\\x'), unistr('\D83D\DE00') = '😀' as pair, unistr('plain'), unistr(null)
--> unistr text | pair bool | unistr text | unistr text
--> aABCD\x | t | plain | ∅
--> SELECT 1

select unistr('\00')
--> ERROR 42601: invalid Unicode escape

select unistr('\D83Dx')
--> ERROR 42601: invalid Unicode surrogate pair

select unistr('\DE00')
--> ERROR 42601: invalid Unicode surrogate pair

select unistr('\xyzw')
--> ERROR 42601: invalid Unicode escape

select not exists (select 1), exists (select 1), (select exists (select 1)), 'a' is not normalized
--> ?column? bool | exists bool | exists bool | ?column? bool
--> f | t | t | f
--> SELECT 1

-- What is missing is no error of syntax.
with recursive t (id) as (select 1 union select id + 1 from t where id < 5) cycle id set is_cycle using path select * from t
--> id int4 | is_cycle bool | path 2287
--> 1 | f | {(1)}
--> 2 | f | {(1),(2)}
--> 3 | f | {(1),(2),(3)}
--> 4 | f | {(1),(2),(3),(4)}
--> 5 | f | {(1),(2),(3),(4),(5)}
--> SELECT 5

with recursive t (id) as (select 1 union all select id + 1 from t where id < 3) search depth first by id set ord select * from t order by ord
--> id int4 | ord 2287
--> 1 | {(1)}
--> 2 | {(1),(2)}
--> 3 | {(1),(2),(3)}
--> SELECT 3

with cycle as (select 1 as search) select cycle.search from (select search from cycle) cycle
--> search int4
--> 1
--> SELECT 1

select grouping(a) from (select 1 as a) s group by a
--> grouping int4
--> 0
--> SELECT 1

-- A schema that is missing.
select 'nope.x'::regclass
--> ERROR 3F000: schema "nope" does not exist

select to_regclass('nope.x')
--> to_regclass regclass
--> ∅
--> SELECT 1

create table uni_rn (a int)
--> CREATE TABLE

alter table uni_rn rename column zz to b
--> ERROR 42703: column "zz" does not exist

select name, default_version from pg_available_extensions where name = 'plpgsql'
--> name name | default_version text
--> plpgsql | 1.0
--> SELECT 1
