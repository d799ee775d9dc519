-- REINDEX and VACUUM: what they are told must exist and fit.

CREATE TABLE plain (a int)
--> CREATE TABLE

CREATE TABLE keyed (a int PRIMARY KEY)
--> CREATE TABLE

CREATE VIEW seen AS SELECT 1 AS a
--> CREATE VIEW

CREATE OR REPLACE VIEW seen AS SELECT 1::numeric(5, 2) AS a
--> ERROR 42P16: cannot change data type of view column "a" from integer to numeric(5,2)

REINDEX TABLE plain
--> NOTICE: table "plain" has no indexes to reindex
--> REINDEX

REINDEX (CONCURRENTLY) TABLE plain
--> NOTICE: table "plain" has no indexes that can be reindexed concurrently
--> REINDEX

REINDEX TABLE keyed
--> REINDEX

REINDEX INDEX keyed_pkey
--> REINDEX

REINDEX TABLE CONCURRENTLY keyed
--> REINDEX

REINDEX INDEX keyed
--> ERROR 42809: "keyed" is not an index

REINDEX TABLE seen
--> ERROR 42809: "seen" is not a table or materialized view

REINDEX TABLE keyed_pkey
--> ERROR 42809: "keyed_pkey" is not a table or materialized view

REINDEX TABLE nope
--> ERROR 42P01: relation "nope" does not exist

REINDEX INDEX nope
--> ERROR 42P01: relation "nope" does not exist

REINDEX SCHEMA nope
--> ERROR 3F000: schema "nope" does not exist

REINDEX DATABASE nope
--> ERROR 0A000: can only reindex the currently open database

REINDEX (nope) TABLE keyed
--> ERROR 42601: unrecognized REINDEX option "nope"

REINDEX (TABLESPACE nope) TABLE keyed
--> ERROR 42704: tablespace "nope" does not exist

REINDEX TABLE
--> ERROR 42601: syntax error at end of input

REINDEX VIEW seen
--> ERROR 42601: syntax error at or near "VIEW"

REINDEX TABLE CONCURRENTLY pg_class
--> ERROR 0A000: cannot reindex system catalogs concurrently

BEGIN
--> BEGIN

REINDEX TABLE CONCURRENTLY keyed
--> ERROR 25001: REINDEX CONCURRENTLY cannot run inside a transaction block

ROLLBACK
--> ROLLBACK

BEGIN
--> BEGIN

REINDEX SCHEMA public
--> ERROR 25001: REINDEX SCHEMA cannot run inside a transaction block

ROLLBACK
--> ROLLBACK

VACUUM seen
--> WARNING: skipping "seen" --- cannot vacuum non-tables or special system tables
--> VACUUM

VACUUM keyed
--> VACUUM
