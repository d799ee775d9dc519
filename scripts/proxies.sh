#!/usr/bin/env bash
# A cluster of three with certificates and passwords behind HAProxy, and behind PgBouncer behind it; then the node that leads is
# killed while clients work through both. Also: what drivers with several hosts do. Needs haproxy, pgbouncer, psql, python3 with
# psycopg, and for node-postgres, pgx and pgjdbc whatever of them is there. Usage: scripts/proxies.sh PATH-TO-QUORATE
set -euo pipefail
cd "$(dirname "$0")/.."
quorate=$(realpath "${1:?the program}")
source scripts/cluster.sh
begin 11
proxy=${ports[9]} pool=${ports[10]}
export PGPASSWORD=correct-horse
secure_cluster
sql "$(postgres 1)" 'CREATE TABLE through (way text, n int)'

CA=$dir/ca.crt PROXY_BIND=127.0.0.1:$proxy PG1=$(postgres 1) PG2=$(postgres 2) PG3=$(postgres 3) HTTP1=$(http 1) HTTP2=$(http 2) HTTP3=$(http 3) \
    haproxy -f docker/proxy/haproxy.cfg >"$dir/haproxy.log" 2>&1 & pid[haproxy]=$!
until_true sql "$proxy" 'SELECT 1'
printf '"quorate" "%s"\n' "$PGPASSWORD" > "$dir/users.txt"
sed "s|@PROXY@|$proxy|; s|@PORT@|$pool|; s|@DIR@|$dir|; s|@CA@|$dir/ca.crt|" docker/proxy/pgbouncer.ini > "$dir/pgbouncer.ini"
# It does not run as root.
chown -R nobody "$dir/users.txt" "$dir/pgbouncer.ini"; install -o nobody -m 644 /dev/null "$dir/pgbouncer.log"; chmod 777 "$dir"
runuser -u nobody -- pgbouncer "$dir/pgbouncer.ini" >"$dir/pgbouncer.start.log" 2>&1 & pid[pgbouncer]=$!
until_true psql -XAtqc 'SELECT 1' "host=127.0.0.1 port=$pool user=quorate dbname=quorate"
echo "through HAProxy: $(sql "$proxy" 'SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()'), verify-full; PgBouncer reaches the nodes by verify-ca"

leader() { sql "$(postgres "$1")" "SELECT right(leader, 1) FROM quorate.groups WHERE database = 'quorate'"; }
gone=$(leader 1)
runs=()
python3 scripts/drivers/work.py HAProxy "$(at "$proxy")" 12 & runs+=($!)
python3 scripts/drivers/work.py PgBouncer "host=127.0.0.1 port=$pool user=quorate dbname=quorate" 12 & runs+=($!)
# The first host is the one that goes: the client's own node dies.
others=$(for n in 1 2 3; do [ "$n" = "$gone" ] || postgres "$n"; done | paste -sd,)
python3 scripts/drivers/work.py "libpq, psycopg" "host=localhost,localhost,localhost port=$(postgres "$gone"),$others $(tls)" 12 & runs+=($!)
if [ -n "${NODE_PG:-}" ]; then # a directory in which `npm install pg` was run
    PORTS="$(postgres "$gone"),$others" CA=$dir/ca.crt NODE_PATH="$NODE_PG/node_modules" node scripts/drivers/work.cjs & runs+=($!)
fi
if [ -n "${PGX:-}" ]; then # scripts/drivers/work.go, built
    "$PGX" "postgres://quorate:$PGPASSWORD@localhost:$(postgres "$gone"),localhost:${others%,*},localhost:${others#*,}/quorate?sslmode=verify-full&sslrootcert=$dir/ca.crt&connect_timeout=3" 12 & runs+=($!)
fi
if [ -n "${PGJDBC:-}" ]; then # a class path with the driver and the compiled scripts/drivers/Work.java
    java -cp "$PGJDBC" Work "jdbc:postgresql://localhost:$(postgres "$gone"),localhost:${others%,*},localhost:${others#*,}/quorate?user=quorate&password=$PGPASSWORD&sslmode=verify-full&sslrootcert=$dir/ca.crt&connectTimeout=3&loginTimeout=5" 12 & runs+=($!)
fi
sleep 4
kill -9 "${pid[$gone]}"
echo "db$gone, which leads, is killed"
failed=0
for run in "${runs[@]}"; do wait "$run" || failed=1; done
exit $failed
