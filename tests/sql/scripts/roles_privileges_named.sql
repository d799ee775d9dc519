-- Questions for privileges on objects that a text names: how it is read, and what is said if there is none.

create schema s1; create table s1.t (a int); create table tt (a int); create sequence sq
--> CREATE SCHEMA
--> CREATE TABLE
--> CREATE TABLE
--> CREATE SEQUENCE

select has_function_privilege('nofn','execute')
--> ERROR 22P02: expected a left parenthesis

select has_function_privilege('nofn()','execute')
--> ERROR 42883: function "nofn()" does not exist

select has_function_privilege('lower(text)','execute')
--> has_function_privilege bool
--> t
--> SELECT 1

select has_function_privilege('pg_catalog.lower(text)','execute')
--> has_function_privilege bool
--> t
--> SELECT 1

select has_function_privilege('"lower"("text")','execute')
--> has_function_privilege bool
--> t
--> SELECT 1

select has_function_privilege('"LOWER"(text)','execute')
--> ERROR 42883: function ""LOWER"(text)" does not exist

select has_function_privilege('LOWER(TEXT)','execute')
--> has_function_privilege bool
--> t
--> SELECT 1

select has_function_privilege('lower','execute')
--> ERROR 22P02: expected a left parenthesis

select has_function_privilege('lower(int)','execute')
--> ERROR 42883: function "lower(int)" does not exist

select has_function_privilege('lower(notype)','execute')
--> ERROR 42704: type "notype" does not exist

select has_function_privilege('lower(','execute')
--> ERROR 22P02: expected a right parenthesis

select has_function_privilege('lower)','execute')
--> ERROR 22P02: expected a left parenthesis

select has_function_privilege('()','execute')
--> ERROR 42602: invalid name syntax

select has_function_privilege('(int)','execute')
--> ERROR 42602: invalid name syntax

select has_function_privilege('lower(text,)','execute')
--> ERROR 22P02: expected a type name

select has_function_privilege('lower(text) x','execute')
--> ERROR 22P02: expected a right parenthesis

select has_function_privilege('nos.lower(text)','execute')
--> ERROR 3F000: schema "nos" does not exist

select has_function_privilege('a.b.c.d(text)','execute')
--> ERROR 42601: improper qualified name (too many dotted names): a.b.c.d

select has_function_privilege('a.b.c(text)','execute')
--> ERROR 0A000: cross-database references are not implemented: a.b.c

select has_function_privilege('pi()','execute')
--> has_function_privilege bool
--> t
--> SELECT 1

select has_function_privilege('round(numeric, int)','execute')
--> has_function_privilege bool
--> t
--> SELECT 1

select has_function_privilege('round( numeric , integer )','execute')
--> has_function_privilege bool
--> t
--> SELECT 1

select has_function_privilege('round(numeric(5,2), integer )','execute')
--> has_function_privilege bool
--> t
--> SELECT 1

select has_function_privilege('now()','execute')
--> has_function_privilege bool
--> t
--> SELECT 1

select has_function_privilege('to_char(timestamp with time zone, text)','execute')
--> has_function_privilege bool
--> t
--> SELECT 1

select has_function_privilege('to_char(timestamptz, text)','execute')
--> has_function_privilege bool
--> t
--> SELECT 1

select has_function_privilege('array_length(anyarray,int)','execute')
--> has_function_privilege bool
--> t
--> SELECT 1

select has_function_privilege('sum(int)','execute')
--> has_function_privilege bool
--> t
--> SELECT 1

select has_function_privilege('count()','execute')
--> has_function_privilege bool
--> t
--> SELECT 1

select has_function_privilege('lower(text)','exec')
--> ERROR 22023: unrecognized privilege type: "exec"

select has_function_privilege('nofn()','exec')
--> ERROR 42883: function "nofn()" does not exist

select has_function_privilege('lower(text)','execute, execute with grant option')
--> has_function_privilege bool
--> t
--> SELECT 1

select has_function_privilege('lower(text)','select')
--> ERROR 22023: unrecognized privilege type: "select"

select has_function_privilege('lower(text)','')
--> ERROR 22023: unrecognized privilege type: ""

select has_function_privilege(null,'execute')
--> has_function_privilege bool
--> ∅
--> SELECT 1

select has_function_privilege('lower(text)',null)
--> has_function_privilege bool
--> ∅
--> SELECT 1

select has_function_privilege(null::text,'exec')
--> has_function_privilege bool
--> ∅
--> SELECT 1

select has_function_privilege('norole','lower(text)','execute')
--> ERROR 42704: role "norole" does not exist

select has_function_privilege('norole','nofn()','exec')
--> ERROR 42704: role "norole" does not exist

select has_function_privilege('public','lower(text)','execute')
--> has_function_privilege bool
--> t
--> SELECT 1

select has_function_privilege(9999999::oid, 870::oid,'execute')
--> has_function_privilege bool
--> t
--> SELECT 1

select has_function_privilege(9999999::oid, 'lower(text)','execute')
--> has_function_privilege bool
--> t
--> SELECT 1

select has_function_privilege(9999999::oid,'execute')
--> has_function_privilege bool
--> ∅
--> SELECT 1

select has_function_privilege(10::oid, 'lower(text)','execute with grant option')
--> has_function_privilege bool
--> t
--> SELECT 1

select has_function_privilege('lower(text)'::regprocedure,'execute')
--> has_function_privilege bool
--> t
--> SELECT 1

select has_function_privilege('concat("any")','execute')
--> has_function_privilege bool
--> t
--> SELECT 1

select has_function_privilege('lower(_text)','execute')
--> ERROR 42883: function "lower(_text)" does not exist

select has_function_privilege('cardinality(int[])','execute')
--> ERROR 42883: function "cardinality(int[])" does not exist

select has_function_privilege('date_part(text,timestamp without time zone)','execute')
--> has_function_privilege bool
--> t
--> SELECT 1

select has_function_privilege('generate_series(int,int)','execute')
--> has_function_privilege bool
--> t
--> SELECT 1

select has_function_privilege('generate_series(int,int,int4)','execute')
--> has_function_privilege bool
--> t
--> SELECT 1

select has_table_privilege('not','select')
--> ERROR 42P01: relation "not" does not exist

select has_table_privilege('tt','select')
--> has_table_privilege bool
--> t
--> SELECT 1

select has_table_privilege('TT','select')
--> has_table_privilege bool
--> t
--> SELECT 1

select has_table_privilege('"tt"','select')
--> has_table_privilege bool
--> t
--> SELECT 1

select has_table_privilege('"TT"','select')
--> ERROR 42P01: relation "TT" does not exist

select has_table_privilege('s1.t','select')
--> has_table_privilege bool
--> t
--> SELECT 1

select has_table_privilege('s1."t"','select')
--> has_table_privilege bool
--> t
--> SELECT 1

select has_table_privilege('S1.T','select')
--> has_table_privilege bool
--> t
--> SELECT 1

select has_table_privilege('s1.nope','select')
--> ERROR 42P01: relation "s1.nope" does not exist

select has_table_privilege('nos.nope','select')
--> ERROR 3F000: schema "nos" does not exist

select has_table_privilege('a.b.c','select')
--> ERROR 0A000: cross-database references are not implemented: "a.b.c"

select has_table_privilege('a.b.c.d','select')
--> ERROR 42601: improper relation name (too many dotted names): a.b.c.d

select has_table_privilege('  tt ','select')
--> has_table_privilege bool
--> t
--> SELECT 1

select has_table_privilege('t t','select')
--> ERROR 42602: invalid name syntax

select has_table_privilege('"tt','select')
--> ERROR 42602: invalid name syntax

select has_table_privilege('tt','sel')
--> ERROR 22023: unrecognized privilege type: "sel"

select has_table_privilege('not','sel')
--> ERROR 42P01: relation "not" does not exist

select has_table_privilege('tt','select, insert')
--> has_table_privilege bool
--> t
--> SELECT 1

select has_table_privilege('tt','select,')
--> ERROR 22023: unrecognized privilege type: ""

select has_table_privilege('tt','select with grant option')
--> has_table_privilege bool
--> t
--> SELECT 1

select has_table_privilege('tt','')
--> ERROR 22023: unrecognized privilege type: ""

select has_table_privilege('tt','rule')
--> has_table_privilege bool
--> f
--> SELECT 1

select has_table_privilege('tt','usage')
--> ERROR 22023: unrecognized privilege type: "usage"

select has_table_privilege('tt','SELECT  WITH GRANT OPTION')
--> ERROR 22023: unrecognized privilege type: "SELECT  WITH GRANT OPTION"

select has_table_privilege(null,'select')
--> has_table_privilege bool
--> ∅
--> SELECT 1

select has_table_privilege('tt',null)
--> has_table_privilege bool
--> ∅
--> SELECT 1

select has_table_privilege('norole','tt','select')
--> ERROR 42704: role "norole" does not exist

select has_table_privilege('norole','not','sel')
--> ERROR 42704: role "norole" does not exist

select has_table_privilege('public','tt','select')
--> has_table_privilege bool
--> f
--> SELECT 1

select has_table_privilege(9999999::oid,'select')
--> has_table_privilege bool
--> ∅
--> SELECT 1

select has_table_privilege(9999999::oid,'sel')
--> ERROR 22023: unrecognized privilege type: "sel"

select has_table_privilege(9999999::oid,'tt','select')
--> has_table_privilege bool
--> f
--> SELECT 1

select has_table_privilege(9999999::oid,9999999::oid,'select')
--> has_table_privilege bool
--> ∅
--> SELECT 1

select has_table_privilege(null::name,'tt','select')
--> has_table_privilege bool
--> ∅
--> SELECT 1

select has_table_privilege('sq','select')
--> has_table_privilege bool
--> t
--> SELECT 1

select has_sequence_privilege('sq','usage')
--> has_sequence_privilege bool
--> t
--> SELECT 1

select has_sequence_privilege('nosq','usage')
--> ERROR 42P01: relation "nosq" does not exist

select has_sequence_privilege('tt','usage')
--> ERROR 42809: "tt" is not a sequence

select has_sequence_privilege('tt','usa')
--> ERROR 22023: unrecognized privilege type: "usa"

select has_sequence_privilege('sq','insert')
--> ERROR 22023: unrecognized privilege type: "insert"

select has_sequence_privilege('"sq"','usage')
--> has_sequence_privilege bool
--> t
--> SELECT 1

select has_sequence_privilege('s1.sq','usage')
--> ERROR 42P01: relation "s1.sq" does not exist

select has_sequence_privilege(9999999::oid,'usage')
--> has_sequence_privilege bool
--> ∅
--> SELECT 1

select has_sequence_privilege('tt'::regclass,'usage')
--> ERROR 42809: "tt" is not a sequence

select has_any_column_privilege('not','select')
--> ERROR 42P01: relation "not" does not exist

select has_any_column_privilege('tt','select')
--> has_any_column_privilege bool
--> t
--> SELECT 1

select has_any_column_privilege('tt','delete')
--> ERROR 22023: unrecognized privilege type: "delete"

select has_any_column_privilege(9999999::oid,'select')
--> has_any_column_privilege bool
--> ∅
--> SELECT 1

select has_column_privilege('tt','a','select')
--> has_column_privilege bool
--> t
--> SELECT 1

select has_column_privilege('tt','b','select')
--> ERROR 42703: column "b" of relation "tt" does not exist

select has_column_privilege('tt','"a"','select')
--> ERROR 42703: column ""a"" of relation "tt" does not exist

select has_column_privilege('tt','A','select')
--> ERROR 42703: column "A" of relation "tt" does not exist

select has_column_privilege('tt','b','sel')
--> ERROR 42703: column "b" of relation "tt" does not exist

select has_column_privilege('not','b','select')
--> ERROR 42P01: relation "not" does not exist

select has_column_privilege('tt',1::int2,'select')
--> has_column_privilege bool
--> t
--> SELECT 1

select has_column_privilege('tt',5::int2,'select')
--> has_column_privilege bool
--> ∅
--> SELECT 1

select has_column_privilege('tt',0::int2,'select')
--> has_column_privilege bool
--> ∅
--> SELECT 1

select has_column_privilege('tt',-1::int2,'select')
--> has_column_privilege bool
--> t
--> SELECT 1

select has_column_privilege('tt','ctid','select')
--> has_column_privilege bool
--> t
--> SELECT 1

select has_column_privilege('tt','xmin','select')
--> has_column_privilege bool
--> t
--> SELECT 1

select has_column_privilege(9999999::oid,'a','select')
--> has_column_privilege bool
--> ∅
--> SELECT 1

select has_column_privilege(9999999::oid,1::int2,'select')
--> has_column_privilege bool
--> ∅
--> SELECT 1

select has_column_privilege('norole','tt','b','select')
--> ERROR 42704: role "norole" does not exist

select has_column_privilege('tt',null::text,'select')
--> has_column_privilege bool
--> ∅
--> SELECT 1

select has_column_privilege('tt','a','delete')
--> ERROR 22023: unrecognized privilege type: "delete"

select has_column_privilege('tt','........pg.dropped.1........','select')
--> ERROR 42703: column "........pg.dropped.1........" of relation "tt" does not exist

alter table tt add column z int; alter table tt drop column z;
--> ALTER TABLE
--> ALTER TABLE

select has_column_privilege('tt','z','select')
--> ERROR 42703: column "z" of relation "tt" does not exist

select has_column_privilege('tt',2::int2,'select')
--> has_column_privilege bool
--> ∅
--> SELECT 1

select has_schema_privilege('s1','usage')
--> has_schema_privilege bool
--> t
--> SELECT 1

select has_schema_privilege('nos','usage')
--> ERROR 3F000: schema "nos" does not exist

select has_schema_privilege('"s1"','usage')
--> ERROR 3F000: schema ""s1"" does not exist

select has_schema_privilege('S1','usage')
--> ERROR 3F000: schema "S1" does not exist

select has_schema_privilege('s1','select')
--> ERROR 22023: unrecognized privilege type: "select"

select has_schema_privilege('s1.x','usage')
--> ERROR 3F000: schema "s1.x" does not exist

select has_schema_privilege(9999999::oid,'usage')
--> has_schema_privilege bool
--> ∅
--> SELECT 1

select has_type_privilege('int4','usage')
--> has_type_privilege bool
--> t
--> SELECT 1

select has_type_privilege('integer','usage')
--> has_type_privilege bool
--> t
--> SELECT 1

select has_type_privilege('notype','usage')
--> ERROR 42704: type "notype" does not exist

select has_type_privilege('pg_catalog.int4','usage')
--> has_type_privilege bool
--> t
--> SELECT 1

select has_type_privilege('int[]','usage')
--> has_type_privilege bool
--> t
--> SELECT 1

select has_type_privilege('numeric(3,1)','usage')
--> has_type_privilege bool
--> t
--> SELECT 1

select has_type_privilege('tt','usage')
--> has_type_privilege bool
--> t
--> SELECT 1

select has_type_privilege('s1.t','usage')
--> has_type_privilege bool
--> t
--> SELECT 1

select has_type_privilege('nos.t','usage')
--> ERROR 3F000: schema "nos" does not exist

select has_type_privilege('"int4"','usage')
--> has_type_privilege bool
--> t
--> SELECT 1

select has_type_privilege('"INT4"','usage')
--> ERROR 42704: type "INT4" does not exist

select has_type_privilege('INT4','usage')
--> has_type_privilege bool
--> t
--> SELECT 1

select has_type_privilege('timestamp with time zone','usage')
--> has_type_privilege bool
--> t
--> SELECT 1

select has_type_privilege('int4','select')
--> ERROR 22023: unrecognized privilege type: "select"

select has_type_privilege(9999999::oid,'usage')
--> has_type_privilege bool
--> ∅
--> SELECT 1

select has_language_privilege('sql','usage')
--> has_language_privilege bool
--> t
--> SELECT 1

select has_language_privilege('SQL','usage')
--> ERROR 42704: language "SQL" does not exist

select has_language_privilege('nolang','usage')
--> ERROR 42704: language "nolang" does not exist

select has_language_privilege('"sql"','usage')
--> ERROR 42704: language ""sql"" does not exist

select has_language_privilege('sql','select')
--> ERROR 22023: unrecognized privilege type: "select"

select has_language_privilege(9999999::oid,'usage')
--> has_language_privilege bool
--> ∅
--> SELECT 1

select has_tablespace_privilege('pg_default','create')
--> has_tablespace_privilege bool
--> t
--> SELECT 1

select has_tablespace_privilege('nots','create')
--> ERROR 42704: tablespace "nots" does not exist

select has_tablespace_privilege('"pg_default"','create')
--> ERROR 42704: tablespace ""pg_default"" does not exist

select has_tablespace_privilege('pg_default','select')
--> ERROR 22023: unrecognized privilege type: "select"

select has_tablespace_privilege(9999999::oid,'create')
--> has_tablespace_privilege bool
--> ∅
--> SELECT 1

select has_database_privilege('nodb','connect')
--> ERROR 3D000: database "nodb" does not exist

select has_database_privilege('nodb','select')
--> ERROR 3D000: database "nodb" does not exist

select has_database_privilege(9999999::oid,'connect')
--> has_database_privilege bool
--> ∅
--> SELECT 1

select has_foreign_data_wrapper_privilege('nofdw','usage')
--> ERROR 42704: foreign-data wrapper "nofdw" does not exist

select has_foreign_data_wrapper_privilege(9999999::oid,'usage')
--> has_foreign_data_wrapper_privilege bool
--> ∅
--> SELECT 1

select has_foreign_data_wrapper_privilege('norole','nofdw','usage')
--> ERROR 42704: role "norole" does not exist

select has_foreign_data_wrapper_privilege('nofdw','select')
--> ERROR 42704: foreign-data wrapper "nofdw" does not exist

select has_server_privilege('nosrv','usage')
--> ERROR 42704: server "nosrv" does not exist

select has_server_privilege(9999999::oid,'usage')
--> has_server_privilege bool
--> ∅
--> SELECT 1

select has_server_privilege('nosrv','select')
--> ERROR 42704: server "nosrv" does not exist

select has_parameter_privilege('work_mem','set')
--> has_parameter_privilege bool
--> t
--> SELECT 1

select has_parameter_privilege('no.such','set')
--> has_parameter_privilege bool
--> t
--> SELECT 1

select has_parameter_privilege('nosuch','set')
--> has_parameter_privilege bool
--> t
--> SELECT 1

select has_parameter_privilege('work_mem','alter system')
--> has_parameter_privilege bool
--> t
--> SELECT 1

select has_parameter_privilege('work_mem','select')
--> ERROR 22023: unrecognized privilege type: "select"

select has_parameter_privilege('norole','work_mem','set')
--> ERROR 42704: role "norole" does not exist

select pg_has_role('norole','member')
--> ERROR 42704: role "norole" does not exist

select pg_has_role('public','member')
--> ERROR 42704: role "public" does not exist

select pg_has_role(9999999::oid,'usage')
--> pg_has_role bool
--> t
--> SELECT 1

select row_security_active('tt')
--> row_security_active bool
--> f
--> SELECT 1

select row_security_active('not')
--> ERROR 42P01: relation "not" does not exist

select row_security_active(9999999::oid)
--> row_security_active bool
--> f
--> SELECT 1
