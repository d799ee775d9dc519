#!/usr/bin/env bash
# Three machines as network namespaces, begun with three commands; a client in a fourth, by verify-full; then the leader's
# machine is cut off, and clients of the others go on. Needs root, ip and psql. Usage: scripts/namespaces.sh PATH-TO-QUORATE
set -euo pipefail
quorate=$(realpath "${1:-target/release/quorate}")
dir=$(mktemp -d)
tag=q$$
pids=()

cleanup() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    for n in 0 1 2 3 4; do ip netns del "$tag-$n" 2>/dev/null || true; done
    rm -rf "$dir"
}
trap cleanup EXIT

# The switch is in a namespace of its own, where no firewall of this machine (Docker's, for one) looks at it.
ip netns add "$tag-0"
ip -n "$tag-0" link add switch type bridge && ip -n "$tag-0" link set switch up
for n in 1 2 3 4; do
    ip netns add "$tag-$n"
    ip link add "v$n" netns "$tag-0" type veth peer name eth0 netns "$tag-$n"
    ip -n "$tag-0" link set "v$n" master switch up
    ip -n "$tag-$n" addr add "10.99.0.$n/24" dev eth0
    ip -n "$tag-$n" link set eth0 up && ip -n "$tag-$n" link set lo up
done

on() { local n=$1; shift; ip netns exec "$tag-$n" "$@"; }
node() { # node N FLAGS…: one of the three commands
    local n=$1; shift
    on "$n" "$quorate" start --data-dir "$dir/$n" --name "db$n" --host "10.99.0.$n" "$@" >"$dir/$n.out" 2>"$dir/$n.log" &
    pids+=($!)
}
until_true() { for _ in $(seq 600); do "$@" >/dev/null 2>&1 && return; sleep 0.1; done; echo "not in time: $*"; for f in "$dir"/*.log; do tail -n 10 "$f"; done; exit 1; }

node 1 --init
until_true grep -q -- --token "$dir/1.out"
token=$(sed -n 's/.*--token //p' "$dir/1.out")
PGPASSWORD=$(sed -n 's/^ *password *//p' "$dir/1.out"); export PGPASSWORD
node 2 --join 10.99.0.1:8433 --token "$token"
node 3 --join 10.99.0.1:8433 --token "$token"
cp "$dir/1/pki/ca.crt" "$dir/ca.crt"

status() { on "$1" "$quorate" status --data-dir "$dir/$1" --json; }
three_vote() { [ "$(status 1 | grep -c '"voters": "db. db. db."')" = 2 ]; }
until_true three_vote
url() { echo "host=10.99.0.$1 port=5433 user=quorate dbname=quorate sslmode=verify-full sslrootcert=$dir/ca.crt channel_binding=require connect_timeout=3"; }
sql() { on 4 psql -XAtq "$(url "$1")" -v ON_ERROR_STOP=1 -c "$2"; }
until_true sql 1 'SELECT 1'
sql 1 'CREATE TABLE t (n int PRIMARY KEY)'
for n in 1 2 3; do sql "$n" "INSERT INTO t VALUES ($n)"; done
echo "three machines, verify-full and channel binding from a fourth: $(sql 3 'SELECT version, cipher FROM pg_stat_ssl WHERE pid = pg_backend_pid()')"

leader() { status "$1" | sed -n '/"database": "quorate"/,/}/s/.*"leader": "db\([0-9]\)".*/\1/p' | head -1; }
gone=$(leader 1)
for n in 1 2 3; do [ "$n" = "$gone" ] || { other=$n; break; }; done
ip -n "$tag-0" link set "v$gone" down
began=$(date +%s%N)
until_true sql "$other" 'INSERT INTO t VALUES (100)'
echo "db$gone, the leader, is cut off; db$other took a write after $(( ($(date +%s%N) - began) / 1000000 )) ms"
rows=$(sql "$other" 'SELECT count(*) FROM t')
[ "$rows" = 4 ] || { echo "rows: $rows"; exit 1; }
ip -n "$tag-0" link set "v$gone" up
until_true sql "$gone" 'SELECT 1'
[ "$(sql "$gone" 'SELECT count(*) FROM t')" = 4 ]
echo "db$gone is back and has everything"
