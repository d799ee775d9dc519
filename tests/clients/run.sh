#!/usr/bin/env bash
# Small applications, each with a client library as it comes from its registry, against a fresh cluster of three nodes,
# through a follower: tests/clients/run.sh [NAME…]
# Installs what it needs (Python 3 with venv, Node.js with npm and, for `psql`, PostgreSQL's client programs must be there)
# under target/clients. Prints a line per application; fails if one fails that is not in `gaps.txt`, or passes though it is.
set -euo pipefail
cd "$(dirname "$0")"
source ../../scripts/demo.sh
work=../../target/clients
mkdir -p $work
work=$(cd $work && pwd)

[ -x $work/python/bin/python ] || python3 -m venv $work/python
$work/python/bin/pip install -q --disable-pip-version-check -r requirements.txt
mkdir -p $work/node
cp package.json apps/*.mjs $work/node/
(cd $work/node && npm install --silent --no-audit --no-fund)
cargo build --locked --quiet

begin_demo Ctrl-C ../../target/debug/quorate
port=$(follower_of_demo)

python="$work/python/bin/python -W ignore"
declare -A apps=(
  [psycopg3]="$python apps/app_psycopg.py $port" [asyncpg]="$python apps/app_asyncpg.py $port"
  [sqlalchemy-psycopg3]="$python apps/app_sqlalchemy.py $port psycopg"
  [sqlalchemy-psycopg2]="$python apps/app_sqlalchemy.py $port psycopg2"
  [django]="$python apps/app_django.py $port" [peewee]="$python apps/app_peewee.py $port"
)
for name in pg postgresjs knex sequelize typeorm kysely drizzle; do apps[$name]="node $work/node/app_node.mjs $port $name"; done
command -v pg_dump > /dev/null && apps[pg_dump]="apps/app_pg_dump.sh $port"

failed=0 passed=0
for name in ${@:-$(printf '%s\n' "${!apps[@]}" | sort)}; do
  known=$(sed -n "s/^$name: //p" gaps.txt)
  if said=$(timeout 300 ${apps[$name]} 2>&1); then
    if [ -z "$known" ]; then echo "ok    $name"; passed=$((passed + 1)); else echo "ok    $name, though gaps.txt says: $known"; failed=$((failed + 1)); fi
  elif [ -n "$known" ]; then echo "gap   $name: $known"
  else echo "FAIL  $name"; echo "$said" | tail -15 | sed 's/^/      /'; failed=$((failed + 1)); fi
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
