#!/usr/bin/env bash
# Small applications, each with a client library as it comes from its registry, against a fresh cluster of three nodes,
# through a follower: tests/clients/run.sh [NAME…]
# Installs what it needs (Python 3 with venv, Node.js with npm and, for `psql`, PostgreSQL's client programs must be there)
# under target/clients. Prints a line per application; fails if one fails that is not in `gaps.txt`, or passes though it is.
set -euo pipefail
cd "$(dirname "$0")"
work=../../target/clients
mkdir -p $work
work=$(cd $work && pwd)

[ -x $work/python/bin/python ] || python3 -m venv $work/python
$work/python/bin/pip install -q --disable-pip-version-check -r requirements.txt
mkdir -p $work/node
cp package.json apps/*.mjs $work/node/
(cd $work/node && npm install --silent --no-audit --no-fund)
cargo build --locked --quiet

# Three ports in a row that are free.
base=$(python3 - <<'P'
import random, socket
def free(port):
    with socket.socket() as s:
        try: s.bind(("127.0.0.1", port)); return True
        except OSError: return False
while True:
    base = random.randrange(11000, 29000)
    if all(free(base + n) for n in range(3)): print(base); break
P
)
home=$(mktemp -d)
../../target/debug/quorate demo --data-dir "$home/data" --base-port "$base" > "$home/log" 2>&1 &
demo=$!
trap 'kill $demo 2>/dev/null; wait $demo 2>/dev/null; rm -rf "$home"' EXIT
for _ in $(seq 300); do grep -qs 'Ctrl-C' "$home/log" && break; sleep 0.1; done
grep -q 'Ctrl-C' "$home/log" || { cat "$home/log"; exit 1; }
# Whoever does not lead.
port=$(sed -n 's/.* follower .* -p \([0-9]*\) .*/\1/p' "$home/log" | head -1)

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
