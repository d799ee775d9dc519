#!/usr/bin/env bash
# What databases cost that nobody uses: makes N databases on three nodes of this machine, uses each of them once (a table, a row, a
# read on every node), leaves them alone, and prints for each node what it has then: memory, threads, descriptors, CPU.
#   scripts/databases.sh PATH-TO-QUORATE [N]       SETTLE: seconds they are left alone (60)       needs psql
set -euo pipefail
quorate=$(realpath "${1:?the program}") count=${2:-100} settle=${SETTLE:-60} window=20
source "$(dirname "$0")/demo.sh"
begin_demo 'psql' "$quorate"
nodes() { for n in 1 2 3; do cat "$home/data/node-$n/pid"; done; }
mapfile -t ports < <(sed -n 's/.* -p \([0-9]*\) .*/\1/p' "$home/log" | sort -u | head -3)
at() { psql -XAtq -v ON_ERROR_STOP=1 -h 127.0.0.1 -U quorate -p "$@"; } # at PORT DATABASE FLAGS…
now() { date +%s.%N; }
since() { python3 -c "import time; print(round(time.time() - $1, ${2:-1}))"; }
kernel() { # kernel PID FIELD: of smaps_rollup, in KiB
    sed -n "s/^$2: *\([0-9]*\) kB/\1/p" "/proc/$1/smaps_rollup"
}
ticks() { awk '{print $14 + $15}' "/proc/$1/stat"; } # hundredths of a second
show() { # show WHAT DATABASES
    local before=() n=0 p
    for p in $(nodes); do before+=("$(ticks "$p")"); done
    sleep $window
    for p in $(nodes); do
        local cpu; cpu=$(python3 -c "print(round(($(ticks "$p") - ${before[n]}) / $window, 1))"); n=$((n + 1))
        echo "$1, node $n: $(($(kernel "$p" Rss) / 1024)) MiB resident, $(($(kernel "$p" Private_Dirty) / 1024)) MiB of its own, $(ls "/proc/$p/task" | wc -l) threads, $(ls "/proc/$p/fd" | wc -l) descriptors, $cpu % of a core"
    done
}
for p in "${ports[@]}"; do until at "$p" quorate -c 'SELECT 1' >/dev/null 2>&1; do sleep 0.1; done; done
show "no database of its own"
begun=$(now)
for n in $(seq "$count"); do
    [ $((n % 20)) = 1 ] && one=$(now)
    at "${ports[0]}" quorate -c "CREATE DATABASE d$n"
    [ $((n % 20)) = 1 ] && echo "CREATE DATABASE number $n: $(since "$one" 3) s"
done
echo "$count databases made in $(since "$begun") s"
show "never used"
begun=$(now)
for n in $(seq "$count"); do
    at "${ports[n % 3]}" "d$n" -c 'CREATE TABLE t (k int PRIMARY KEY, v text)' -c "INSERT INTO t VALUES (1, 'x')"
    for p in "${ports[@]}"; do at "$p" "d$n" -c 'SELECT v FROM t WHERE k = 1' >/dev/null; done
done
echo "each used in $(since "$begun") s"
show "just used"
sleep "$settle"
show "left alone for $settle s"
[ -z "${THEN:-}" ] || eval "$THEN"
