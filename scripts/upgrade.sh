#!/usr/bin/env bash
# A rolling upgrade under pgbench: three nodes of the old program, exchanged one by one for the new one, while pgbench runs its
# transactions through the two that stay. Tells how many failed, and how long they took.
#
#   scripts/upgrade.sh OLD NEW [SECONDS-BETWEEN]       two programs; the same one twice is one that holds its version down first
#
# Needs pgbench and psql.
set -euo pipefail
old=$(realpath "${1:?the old program}") new=$(realpath "${2:?the new program}") pause=${3:-5}
clients=${CLIENTS:-4} scale=${SCALE:-5}
source "$(dirname "$0")/cluster.sh"
begin 9
initial=$(for n in 1 2 3; do printf '{ id = %d, name = "db%d", peers = "127.0.0.1:%d" }, ' "$n" "$n" "$(peers "$n")"; done)
for n in 1 2 3; do
    cat > "$dir/$n.toml" <<C
name = "db$n"
data_dir = "$dir/$n"
[listen]
postgres = "127.0.0.1:$(postgres "$n")"
peers = "127.0.0.1:$(peers "$n")"
http = "127.0.0.1:$(http "$n")"
[cluster]
hold_version = 1
initial = [$initial]
C
done
start() { "$2" start --config "$dir/$1.toml" >>"$dir/$1.log" 2>&1 & pid[$1]=$!; }
ready() { until_true curl -fs "http://127.0.0.1:$(http "$1")/ready"; }
sql() { psql -XAtq -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$(postgres "$1")" -U quorate quorate -c "$2"; }
versions() { # of the databases' replicas
    "$new" status --addr "127.0.0.1:$(http "$1")" --json \
        | python3 -c 'import json, sys; print(*sorted({r["version"] for r in json.load(sys.stdin)["replicas"]}))'
}

for n in 1 2 3; do start $n "$old"; done
for n in 1 2 3; do ready $n; done
pgbench -i -q -s "$scale" -h 127.0.0.1 -p "$(postgres 1)" -U quorate quorate >"$dir/init.log" 2>&1 || { cat "$dir/init.log"; exit 1; }
echo "before: $("$old" --version), version $(versions 1)"

failed=0
for n in 1 2 3; do
    runs=()
    for other in 1 2 3; do
        [ $other = $n ] && continue
        # It ends when it is told to: a node's restart takes as long as it takes.
        pgbench -n -c "$clients" -j 2 -T 3600 --log --log-prefix="$dir/round$n.$other" -h 127.0.0.1 -p "$(postgres $other)" \
            -U quorate quorate >"$dir/pgbench.$n.$other" 2>&1 &
        runs+=("$!")
    done
    sleep "$pause"
    stopped=$(date +%s%N)
    kill -TERM "${pid[$n]}"; wait "${pid[$n]}" || { echo "db$n did not end as it should"; exit 1; }
    sed -i '/^hold_version/d' "$dir/$n.toml"
    start $n "$new"
    ready $n
    echo "db$n runs the new program after $(( ($(date +%s%N) - stopped) / 1000000 )) ms"
    [ "$n" = 3 ] && for _ in $(seq 100); do [ "$(versions 1)" != 1 ] && break; sleep 0.1; done
    sleep "$pause"
    for run in "${runs[@]}"; do
        # One that has ended by itself has lost its clients.
        kill -0 "$run" 2>/dev/null || { failed=1; echo "pgbench has ended"; cat "$dir"/pgbench.$n.*; }
        kill "$run" 2>/dev/null || true
        wait "$run" 2>/dev/null || true
    done
    grep -hiE "error|abort" "$dir"/pgbench.$n.* && failed=1
done
risen=$(versions 1)
echo "after: $("$new" --version), version $risen"
[ "$risen" != 1 ] || { echo "the version has not risen"; failed=1; }
python3 - "$dir" <<'P' || failed=1
import glob, sys
# A line is: client, number, microseconds or "failed", script, second, microsecond. The last one of a file may be cut off.
lines = [line.split() for path in glob.glob(sys.argv[1] + "/round*") for line in open(path) if line.endswith("\n")]
failed = [line for line in lines if not line[2].isdigit()]
assert lines and not failed, f"{len(failed)} of {len(lines)} transactions failed"
times = sorted(int(line[2]) for line in lines)
at = lambda share: times[min(int(len(times) * share), len(times) - 1)] / 1000
print(f"{len(times)} transactions; p50 {at(.5):.1f} ms, p99 {at(.99):.1f} ms, p99.9 {at(.999):.1f} ms, longest {times[-1] / 1000:.1f} ms")
P
# What pgbench keeps in step: the sums of the balances and of the history are one.
sums=$(for table in accounts:a tellers:t branches:b; do sql 2 "SELECT sum(${table#*:}balance) FROM pgbench_${table%:*}"; done | sort -u | wc -l)
history=$(sql 3 "SELECT sum(delta) FROM pgbench_history"); balance=$(sql 1 "SELECT sum(bbalance) FROM pgbench_branches")
[ "$sums" = 1 ] && [ "$history" = "$balance" ] || { echo "the balances do not agree: $sums, $history, $balance"; failed=1; }
for _ in $(seq 100); do
    digests=$(sql 1 "SELECT count(DISTINCT digest), count(DISTINCT applied_index) FROM quorate.replicas WHERE database = 'quorate'")
    [ "$digests" = "1|1" ] && break
    sleep 0.1
done
echo "digests and applied indexes that differ among three replicas: $digests"
[ "$digests" = "1|1" ] || failed=1
[ "$failed" = 0 ] && echo "no transaction failed" || { echo "FAILED"; exit 1; }
