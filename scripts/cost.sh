#!/usr/bin/env bash
# What TLS and passwords cost: pgbench, reading and inserting, at 64 clients, on three nodes with and without, and the same on
# PostgreSQL. For a quiet machine.   scripts/cost.sh PATH-TO-QUORATE [SECONDS] [CLIENTS]       needs pgbench and PostgreSQL's server (root)
set -euo pipefail
quorate=$(realpath "${1:?the program}") seconds=${2:-30} clients=${3:-64}
server=$(pg_config --bindir)
source "$(dirname "$0")/cluster.sh"
begin 10
export PGPASSWORD=correct-horse
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

secure_cluster
measure "three nodes, TLS and SCRAM" "$(at "$(postgres 1)") channel_binding=require"
end_all

initial=$(for n in 1 2 3; do printf '%d=p%d@127.0.0.1:%d,' $n $n "$(peers $n)"; done)
for n in 1 2 3; do
    "$quorate" start --data-dir "$dir/p$n" --name "p$n" --listen "127.0.0.1:$(postgres $n)" --peers "127.0.0.1:$(peers $n)" \
        --http "127.0.0.1:$(http $n)" --initial "${initial%,}" >"$dir/p$n.log" 2>&1 & pid[$n]=$!
done
plain="host=127.0.0.1 port=$(postgres 1) user=quorate dbname=quorate sslmode=disable"
until_true psql -XAtqc 'SELECT 1' "$plain"
measure "three nodes, without" "$plain"
end_all

install -d -o postgres -m 700 "$dir/pg"
echo "$PGPASSWORD" > "$dir/password"; chmod 644 "$dir/password"
runuser -u postgres -- "$server/initdb" -D "$dir/pg" -U quorate --pwfile="$dir/password" -A scram-sha-256 >/dev/null
install -o postgres -m 600 "$dir/db1/pki/node.crt" "$dir/pg/server.crt"
install -o postgres -m 600 "$dir/db1/pki/node.key" "$dir/pg/server.key"
printf 'hostssl all all all scram-sha-256\nhostnossl all all all trust\n' > "$dir/pg/pg_hba.conf"
runuser -u postgres -- "$server/postgres" -D "$dir/pg" -c port="${ports[9]}" -c ssl=on -c listen_addresses=localhost -c unix_socket_directories= \
    -c max_connections=200 >"$dir/pg.log" 2>&1 & pid[postgres]=$!
base="host=localhost port=${ports[9]} user=quorate dbname=postgres"
until_true psql -XAtqc 'SELECT 1' "$base sslmode=disable"
measure "PostgreSQL, TLS and SCRAM" "$base sslmode=verify-full sslrootcert=$dir/ca.crt channel_binding=require"
measure "PostgreSQL, without" "$base sslmode=disable"
