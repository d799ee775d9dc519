#!/usr/bin/env bash
# Small applications, each with a client library as it comes from its registry, against a fresh cluster of three nodes,
# through a follower: tests/clients/run.sh [--all] [NAME…]
# Installs what it needs under target/clients; an application whose language is not on the machine is left out and said to be.
# Those in Rust, and Prisma with its migrations, take minutes to build or to run: with `--all`, or by their names.
# Prints a line per application; fails if one fails that is not in `gaps.txt`, or passes though it is.
set -euo pipefail
cd "$(dirname "$0")"
source ../../scripts/demo.sh
work=../../target/clients
mkdir -p $work
work=$(cd $work && pwd)

python=(psycopg3 asyncpg sqlalchemy-psycopg3 sqlalchemy-psycopg2 django peewee)
node=(pg pg-situations postgresjs knex sequelize typeorm kysely drizzle)
jvm=(pgjdbc hibernate flyway liquibase)
go=(pgx pq gorm goose golang-migrate)
rust=(tokio-postgres sqlx sea-orm diesel)

all=
[ "${1:-}" = --all ] && { all=yes; shift; }
names=("$@")
if [ ${#names[@]} = 0 ]; then
  names=("${python[@]}" "${node[@]}" pg_dump "${jvm[@]}" "${go[@]}")
  [ -z "$all" ] || names+=("${rust[@]}" prisma)
fi
# Whether one of a language's applications is wanted: wants NAME…
wants() { local name; for name in "$@"; do [[ " ${names[*]} " = *" $name "* ]] && return; done; return 1; }
# What a language needs; leaves out its applications if that is missing: has "TOOL…" NAME…
left_out=()
has() {
  local tool tools=$1; shift
  wants "$@" || return 1
  for tool in $tools; do command -v "$tool" > /dev/null || { left_out+=("$@"); return 1; }; done
}

declare -A apps
if has python3 "${python[@]}"; then
  [ -x $work/python/bin/python ] || python3 -m venv $work/python
  $work/python/bin/pip install -q --disable-pip-version-check -r requirements.txt
  run="$work/python/bin/python -W ignore"
  apps+=([psycopg3]="$run apps/app_psycopg.py PORT" [asyncpg]="$run apps/app_asyncpg.py PORT"
    [sqlalchemy-psycopg3]="$run apps/app_sqlalchemy.py PORT psycopg" [sqlalchemy-psycopg2]="$run apps/app_sqlalchemy.py PORT psycopg2"
    [django]="$run apps/app_django.py PORT" [peewee]="$run apps/app_peewee.py PORT")
fi
if has "node npm" "${node[@]}"; then
  mkdir -p $work/node
  cp package.json apps/*.mjs $work/node/
  (cd $work/node && npm install --silent --no-audit --no-fund)
  for name in "${node[@]}"; do apps[$name]="node $work/node/app_node.mjs PORT $name"; done
  apps[pg-situations]="node $work/node/app_pg_situations.mjs PORT"
fi
if has pg_dump pg_dump; then apps[pg_dump]="apps/app_pg_dump.sh PORT"; fi
# What these say is compared with what they said on PostgreSQL 15 (`expected/NAME`).
if has "mvn javac psql" "${jvm[@]}"; then
  mvn -B -q -f jvm/pom.xml dependency:copy-dependencies -DoutputDirectory=$work/jvm/lib -DincludeScope=runtime
  javac -nowarn -Xlint:none -d $work/jvm/classes -cp "$work/jvm/lib/*" jvm/src/main/java/*.java 2> $work/jvm/javac.log || { cat $work/jvm/javac.log; exit 1; }
  for name in "${jvm[@]}"; do apps[$name]="./expect.sh $name java -cp $work/jvm/classes:$work/jvm/lib/* Main PORT $name DATABASE"; done
fi
if has "go psql" "${go[@]}"; then
  (cd go && go build -o $work/go-clients .)
  for name in "${go[@]}"; do apps[$name]="./expect.sh $name $work/go-clients PORT $name DATABASE"; done
fi
# Diesel needs the C library of PostgreSQL's clients with its headers.
if has "cargo pg_config psql" "${rust[@]}"; then
  CARGO_TARGET_DIR=$work/rust cargo build --locked --quiet --manifest-path rust/Cargo.toml
  for name in "${rust[@]}"; do apps[$name]="./expect.sh $name $work/rust/debug/clients PORT $name DATABASE"; done
fi
if has "node npm script psql" prisma; then
  mkdir -p $work/prisma
  cp prisma/* $work/prisma/
  (cd $work/prisma && npm install --silent --no-audit --no-fund --ignore-scripts)
  apps[prisma]="./expect.sh prisma $work/prisma/app.sh PORT DATABASE"
fi
# With CLIENTS_POSTGRES=PORT (of loopback, user quorate, trust) what they say there becomes what is expected.
if [ -n "${CLIENTS_POSTGRES:-}" ]; then
  port=$CLIENTS_POSTGRES
else
  cargo build --locked --quiet --manifest-path ../../Cargo.toml
  begin_demo Ctrl-C ../../target/debug/quorate
  port=$(follower_of_demo)
fi

failed=0 passed=0
for name in "${names[@]}"; do
  if [[ " ${left_out[*]} " = *" $name "* ]]; then echo "left out: $name, what it needs is not on this machine"; continue; fi
  [ -n "${apps[$name]:-}" ] || { echo "no application $name"; exit 1; }
  command=${apps[$name]//PORT/$port}
  # In the database of one application nobody else's types are in the way.
  if [[ $command = *DATABASE* ]]; then
    psql -XAtqh 127.0.0.1 -p "$port" -U quorate -d quorate -c "SET client_min_messages = error" -c "DROP DATABASE IF EXISTS \"client_$name\"" -c "CREATE DATABASE \"client_$name\""
    command=${command//DATABASE/client_$name}
  fi
  known=$(sed -n "s/^$name: //p" gaps.txt)
  if said=$(timeout 900 $command 2>&1); then
    if [ -z "$known" ]; then echo "ok    $name"; passed=$((passed + 1)); else echo "ok    $name, though gaps.txt says: $known"; failed=$((failed + 1)); fi
  elif [ -n "$known" ]; then echo "gap   $name: $known"
  else echo "FAIL  $name"; echo "$said" | tail -15 | sed 's/^/      /'; failed=$((failed + 1)); fi
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
