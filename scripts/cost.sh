#!/usr/bin/env bash
# What TLS and passwords cost: pgbench, reading and inserting, at 64 clients, on three nodes with and without, and the same on
# PostgreSQL. For a quiet machine.   scripts/cost.sh PATH-TO-QUORATE [SECONDS] [CLIENTS]       needs pgbench and PostgreSQL's server (root)
set -euo pipefail
quorate=$(realpath "${1:?the program}") seconds=${2:-30} clients=${3:-64}
server=$(pg_config --bindir)
dir=$(mktemp -d); chmod 755 "$dir"
pids=()
cleanup() {
    for p in "${pids[@]}"; do kill "$p" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$dir"
}
trap cleanup EXIT
read -r -a ports < <(python3 - <<'P'
import socket
s = [socket.socket() for _ in range(19)]
[x.bind(("127.0.0.1", 0)) for x in s]
print(*[x.getsockname()[1] for x in s])
P
)
export PGPASSWORD=correct-horse QUORATE_PASSWORD=correct-horse
until_true() { for _ in $(seq 600); do "$@" >/dev/null 2>&1 && return; sleep 0.1; done; echo "not in time: $*"; tail -n 5 "$dir"/*.log; exit 1; }
echo '\set n random(1, 10000)
SELECT v FROM k WHERE n = :n;' > "$dir/select.sql"
echo 'INSERT INTO w VALUES (1, 2);' > "$dir/insert.sql"
measure() { # measure NAME CONNECTION-STRING
    local tables='DROP TABLE IF EXISTS k; CREATE TABLE k AS SELECT n, n AS v FROM generate_series(1, 10000) n; ALTER TABLE k ADD PRIMARY KEY (n); DROP TABLE IF EXISTS w; CREATE TABLE w (a int, b int)'
    psql -XAtq -v ON_ERROR_STOP=1 "$2" -c "$tables" 2>/dev/null || psql -XAtq -v ON_ERROR_STOP=1 "$2" \
        -c 'CREATE TABLE k (n int PRIMARY KEY, v int)' -c 'INSERT INTO k SELECT n, n FROM generate_series(1, 10000) n' -c 'CREATE TABLE w (a int, b int)'
    for work in select insert; do
        pgbench -n -M prepared -f "$dir/$work.sql" -c "$clients" -j 2 -T "$seconds" "$2" > "$dir/out" 2>&1 || { cat "$dir/out"; exit 1; }
        echo "$1, $work: $(sed -n 's/^tps = \([0-9]*\).*/\1/p' "$dir/out") per second, $(sed -n 's/^latency average = //p' "$dir/out"), connecting $(sed -n 's/^initial connection time = //p' "$dir/out")"
    done
}

secure() { # secure N FLAGS…
    local n=$1; shift
    "$quorate" start --data-dir "$dir/s$n" --name "s$n" --host localhost --listen "127.0.0.1:${ports[n]}" --peers "127.0.0.1:${ports[n + 3]}" \
        --http "127.0.0.1:${ports[n + 6]}" --token-file "$dir/token" "$@" >"$dir/s$n.log" 2>&1 & pids+=($!)
}
secure 1 --init; secure 2 --join "localhost:${ports[7]}"; secure 3 --join "localhost:${ports[7]}"
tls="host=localhost user=quorate dbname=quorate sslmode=verify-full sslrootcert=$dir/s1/pki/ca.crt channel_binding=require"
three() { [ "$(psql -XAtqc "SELECT count(*) FROM quorate.groups WHERE voters LIKE 's_ s_ s_'" "$tls port=${ports[1]}")" = 2 ]; }
until_true three
measure "three nodes, TLS and SCRAM" "$tls port=${ports[1]}"
for p in "${pids[@]}"; do kill "$p"; done; wait 2>/dev/null || true; pids=()

initial=$(for n in 1 2 3; do printf '%d=p%d@127.0.0.1:%d,' $n $n "${ports[n + 12]}"; done)
for n in 1 2 3; do
    "$quorate" start --data-dir "$dir/p$n" --name "p$n" --listen "127.0.0.1:${ports[n + 9]}" --peers "127.0.0.1:${ports[n + 12]}" \
        --http "127.0.0.1:${ports[n + 15]}" --initial "${initial%,}" >"$dir/p$n.log" 2>&1 & pids+=($!)
done
plain="host=127.0.0.1 port=${ports[10]} user=quorate dbname=quorate sslmode=disable"
until_true psql -XAtqc 'SELECT 1' "$plain"
measure "three nodes, without" "$plain"
for p in "${pids[@]}"; do kill "$p"; done; wait 2>/dev/null || true; pids=()

install -d -o postgres -m 700 "$dir/pg"
echo "$PGPASSWORD" > "$dir/password"; chmod 644 "$dir/password"
runuser -u postgres -- "$server/initdb" -D "$dir/pg" -U quorate --pwfile="$dir/password" -A scram-sha-256 >/dev/null
install -o postgres -m 600 "$dir/s1/pki/node.crt" "$dir/pg/server.crt"
install -o postgres -m 600 "$dir/s1/pki/node.key" "$dir/pg/server.key"
printf 'hostssl all all all scram-sha-256\nhostnossl all all all trust\n' > "$dir/pg/pg_hba.conf"
runuser -u postgres -- "$server/postgres" -D "$dir/pg" -c port="${ports[0]}" -c ssl=on -c listen_addresses=localhost -c unix_socket_directories= \
    -c max_connections=200 >"$dir/pg.log" 2>&1 & pids+=($!)
base="host=localhost port=${ports[0]} user=quorate dbname=postgres"
until_true psql -XAtqc 'SELECT 1' "$base sslmode=disable"
measure "PostgreSQL, TLS and SCRAM" "$base sslmode=verify-full sslrootcert=$dir/s1/pki/ca.crt channel_binding=require"
measure "PostgreSQL, without" "$base sslmode=disable"
