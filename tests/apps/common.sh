# What the scripts of this directory share: programs from their registries, a fresh cluster, and a leader's death. To be sourced.
# Leaves behind what scripts/cluster.sh does, and
#   work     a directory of this application's that stays (target/apps/NAME): what was installed
#   port     where the application finds the database: the node of a follower
#   PGPASSWORD  the password of everybody
# With APPS_POSTGRES="host=… port=… user=…" (a superuser) they run against a PostgreSQL, where nobody is killed: to tell mistakes of
# these scripts from mistakes of Quorate.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
name=$(basename "$0" .sh)
work=$root/target/apps/$name
mkdir -p "$work"
quorate=${QUORATE:-$root/target/debug/quorate}
export PGPASSWORD=correct-horse
source "$root/scripts/cluster.sh"

# run NAME COMMAND…: a program that goes on in the background, in a process group of its own; what it says is in $dir/NAME.log.
declare -A group=()
run() {
    local program=$1; shift
    setsid "$@" >"$dir/$program.log" 2>&1 & group[$program]=$!
}
# stop [NAME]: it, or all of them, with what they have started; with force after ten seconds.
stop() {
    local each=("${group[@]}") p
    [ $# = 0 ] || each=("${group[$1]}")
    for p in "${each[@]}"; do kill -- "-$p" 2>/dev/null || true; done
    for p in "${each[@]}"; do
        for _ in $(seq 100); do kill -0 -- "-$p" 2>/dev/null || break; sleep 0.1; done
        kill -9 -- "-$p" 2>/dev/null || true
        wait "$p" 2>/dev/null || true
    done
    if [ $# = 0 ]; then group=(); else unset "group[$1]"; fi
}
# Applications end before their database does.
trap 'stop; end_all; rm -rf "$dir"' EXIT

say() { printf '%s: %s\n' "$name" "$*"; }

# Python's packages, exact versions, in an environment of their own.
python_packages() {
    # What was interrupted while it was made is made anew: pip takes half a package for a whole one.
    [ -e "$work/python/made" ] || rm -rf "$work/python"
    [ -x "$work/python/bin/python" ] || python3 -m venv "$work/python"
    "$work/python/bin/pip" install -q --disable-pip-version-check "$@"
    touch "$work/python/made"
    python=$work/python/bin/python
    PATH=$work/python/bin:$PATH
}
# Debian's packages. They are not to start services or to look for a database by themselves.
debian_packages() {
    ! dpkg -s "$@" >/dev/null 2>&1 || return 0
    [ -e /usr/sbin/policy-rc.d ] || { printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d; chmod +x /usr/sbin/policy-rc.d; }
    export DEBIAN_FRONTEND=noninteractive
    { apt-get install -qq -y --no-install-recommends "$@" || { apt-get update -qq && apt-get install -qq -y --no-install-recommends "$@"; }; } >"$work/apt.log" 2>&1 || { tail "$work/apt.log"; exit 1; }
}
# A program from the Go module proxy: go_program MODULE VERSION PACKAGE
go_program() {
    local program=$work/$(basename "$3")
    [ -x "$program" ] || (
        mkdir -p "$work/go"; cd "$work/go"
        [ -e go.mod ] || go mod init quorate.example/apps
        go get -tool "$3@$2"
        go build -o "$program" "$3"
    ) >"$work/go.log" 2>&1 || { tail "$work/go.log"; exit 1; }
}
# Packages of npm, exact versions, under $work/node_modules.
npm_packages() {
    (cd "$work"; [ -e package.json ] || echo '{ "private": true }' >package.json; npm install --silent --no-audit --no-fund --save-exact "$@")
}

# A cluster of three with passwords and certificates, with a role and a database of the application's name, as its instructions
# ask for. fresh_cluster [FURTHER-PORTS]: these are ports[9] and on.
fresh_cluster() {
    begin $((9 + ${1:-0}))
    if [ -n "${APPS_POSTGRES:-}" ]; then
        node=0 port=$(psql -XAtq "$APPS_POSTGRES dbname=postgres" -c 'SHOW port')
        for statement in "DROP DATABASE IF EXISTS $name" "DROP ROLE IF EXISTS $name" "CREATE ROLE $name LOGIN PASSWORD '$PGPASSWORD'" "CREATE DATABASE $name OWNER $name"; do
            psql -XAtq -v ON_ERROR_STOP=1 "$APPS_POSTGRES dbname=postgres" -c "SET client_min_messages = warning" -c "$statement"
        done
        return
    fi
    secure_cluster
    sql "$(postgres 1)" "CREATE ROLE $name LOGIN PASSWORD '$PGPASSWORD'"
    sql "$(postgres 1)" "CREATE DATABASE $name OWNER $name"
    until_true has_leader
    local n
    for n in 1 2 3; do [ "$n" = "$(leader 1)" ] || break; done
    node=$n port=$(postgres "$n")
}
# Which node leads the application's database, in the eyes of node N.
leader() { sql "$(postgres "$1")" "SELECT right(leader, 1) FROM quorate.groups WHERE database = '$name'"; }
has_leader() { [ -n "$(leader 1)" ] && [ "$(sql "$(postgres 1)" "SELECT voters FROM quorate.groups WHERE database = '$name'" | wc -w)" = 3 ]; }
# The application's database as the application sees it: query STATEMENT
query() { psql -XAtq -v ON_ERROR_STOP=1 "host=localhost port=$port user=$name dbname=$name" -c "$1"; }

# kill_leader: as a power cut would, and not that of the node which the application is connected to.
kill_leader() {
    [ -z "${APPS_POSTGRES:-}" ] || return 0
    gone=$(leader "$node")
    if [ "$gone" = "$node" ]; then
        gone=$((node % 3 + 1))
        "$quorate" transfer --data-dir "$dir/db$node" --database "$name" --to "db$gone"
    fi
    kill -9 "${pid[$gone]}"
    wait "${pid[$gone]}" 2>/dev/null || true
    say "db$gone, which leads, is killed"
}
# under_kill COMMAND…: runs what uses the application and prints a line per round; after three of them the leader is killed.
under_kill() {
    run use "$@"
    local use=${group[use]}
    for _ in $(seq $((${UNDER_KILL_WITHIN:-120} * 10))); do
        [ "$(wc -l <"$dir/use.log")" -ge 3 ] && break
        kill -0 "$use" 2>/dev/null || break
        sleep 0.1
    done
    [ "$(wc -l <"$dir/use.log")" -ge 3 ] || { tail -n 20 "$dir"/*.log; exit 1; }
    kill_leader
    wait "$use" || { tail -n 20 "$dir"/*.log; exit 1; }
    unset 'group[use]'
    sed "s/^/$name: /" <(tail -1 "$dir/use.log")
}
# The killed node comes back, and all replicas have the same.
all_agree() {
    [ -z "${APPS_POSTGRES:-}" ] || { say "ok, with PostgreSQL"; return; }
    secure_node "$gone"
    until_true sql "$(postgres "$gone")" 'SELECT 1'
    "$quorate" scrub --data-dir "$dir/db$node" >"$dir/scrub.txt" || { cat "$dir/scrub.txt"; exit 1; }
    say "ok"
}
