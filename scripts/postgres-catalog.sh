#!/usr/bin/env bash
# Writes the built-in rows of PostgreSQL's catalog into src/functions/builtin/*.tsv, from a PostgreSQL 15 that runs with
# nothing of its own in database `postgres`:   scripts/postgres-catalog.sh "host=127.0.0.1 port=5432 user=postgres"
# Numbers for OIDs and booleans, text as COPY writes it. Columns that are the same for all rows are added by the reader.
set -euo pipefail
cd "$(dirname "$0")/../src/functions/builtin"
connection=${1:?a connection string}
rows() { psql -X -q "$connection dbname=postgres" -c "COPY ($2) TO STDOUT" > "$1.tsv"; }

rows pg_proc "SELECT oid, proname, prolang, procost, prorows, provariadic, prosupport::oid, prokind, proleakproof::int, proisstrict::int,
  proretset::int, provolatile, proparallel, pronargs, pronargdefaults, prorettype, proargtypes, proallargtypes, proargmodes,
  proargnames, pg_get_expr(proargdefaults, 0), prosrc FROM pg_proc WHERE oid < 12000 AND pronamespace = 11 ORDER BY oid"
rows pg_operator "SELECT oid, oprname, oprkind, oprcanmerge::int, oprcanhash::int, oprleft, oprright, oprresult, oprcom, oprnegate,
  oprcode::oid, oprrest::oid, oprjoin::oid FROM pg_operator ORDER BY oid"
rows pg_cast "SELECT oid, castsource, casttarget, castfunc, castcontext, castmethod FROM pg_cast ORDER BY oid"
rows pg_aggregate "SELECT aggfnoid::oid, aggkind, aggnumdirectargs, aggtransfn::oid, aggfinalfn::oid, aggcombinefn::oid,
  aggserialfn::oid, aggdeserialfn::oid, aggmtransfn::oid, aggminvtransfn::oid, aggmfinalfn::oid, aggfinalextra::int,
  aggmfinalextra::int, aggfinalmodify, aggmfinalmodify, aggsortop, aggtranstype, aggtransspace, aggmtranstype,
  aggmtransspace, agginitval, aggminitval FROM pg_aggregate ORDER BY 1"
rows pg_amop "SELECT oid, amopfamily, amoplefttype, amoprighttype, amopstrategy, amoppurpose, amopopr, amopmethod, amopsortfamily
  FROM pg_amop ORDER BY oid"
rows pg_amproc "SELECT oid, amprocfamily, amproclefttype, amprocrighttype, amprocnum, amproc::oid FROM pg_amproc ORDER BY oid"
rows keywords "SELECT word, catcode, barelabel::int, catdesc, baredesc FROM pg_get_keywords() ORDER BY 1"
psql -X -q "$connection dbname=postgres" -c "COPY (SELECT name, vartype, unit, context, coalesce(boot_val, ''), min_val, max_val,
  array_to_string(enumvals, ','), category FROM pg_settings WHERE name NOT LIKE 'debug_discard%' ORDER BY name) TO STDOUT" \
  > ../../settings/postgres.tsv
