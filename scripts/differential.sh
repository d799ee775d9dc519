#!/usr/bin/env bash
# Random statements beside a PostgreSQL 15 of its own: scripts/differential.sh [PROGRAM [FLAG…]]
#
# Installs Debian's package if it is missing, begins a server and a demo of three nodes, and asks both the same, Quorate through a
# follower. Without flags: the seeds and counts that the gate takes, which differ in nothing. Ends with 1 if anything differs.
set -euo pipefail
cd "$(dirname "$0")/.."
program=${1:-target/debug/quorate}; shift || true
. scripts/demo.sh

bin=/usr/lib/postgresql/15/bin
if [ ! -x $bin/initdb ]; then
    install=(apt-get install -qq -y --no-install-recommends postgresql-15 postgresql-client-15)
    "${install[@]}" >/dev/null || { apt-get update -qq && "${install[@]}" >/dev/null; }
fi

begin_demo leader "$program"
# PostgreSQL does not run as root.
as() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
pg=$(mktemp -d); chmod 755 "$pg"; mkdir "$pg/run"
[ "$(id -u)" = 0 ] && chown -R postgres "$pg"
trap 'as $bin/pg_ctl -D "$pg/data" -m immediate stop >/dev/null 2>&1; kill $demo 2>/dev/null; wait $demo 2>/dev/null; rm -rf "$home" "$pg"' EXIT
(cd / && as $bin/initdb -D "$pg/data" -U quorate --auth=trust -E UTF8 --locale=C.UTF-8) >/dev/null
(cd / && as $bin/pg_ctl -D "$pg/data" -l "$pg/log" -w -o "-k $pg/run -c listen_addresses= -c fsync=off" start) >/dev/null
psql -XAtq -h "$pg/run" -U quorate postgres -c 'CREATE DATABASE quorate'

ask() { python3 scripts/differential.py "host=$pg/run user=quorate dbname=quorate" "host=127.0.0.1 port=$(follower_of_demo) user=quorate dbname=quorate" "$@"; }
if [ $# -gt 0 ]; then ask "$@"; exit; fi
different=0
ask --seed 1 --count 150 --kind queries --kind changes --kind paths --kind groups || different=1
ask --seed 2 --count 100 --kind prepared || different=1
ask --seed 3 --count 60 --kind writes --kind tables || different=1
exit $different
