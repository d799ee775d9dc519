#!/usr/bin/env bash
# A PostgreSQL primary with two synchronous standbys (ANY 1) on loopback, to measure beside Quorate.
#
#   bench/peers/postgres.sh start DIR    prints the primary's port
#   bench/peers/postgres.sh stop DIR
#
# Needs PostgreSQL's server programs (Debian: postgresql-15); as root it runs them as the user `postgres`.
set -euo pipefail

action=${1:?start or stop}
dir=${2:?a directory}
bin=$(dirname "$(ls /usr/lib/postgresql/*/bin/initdb | sort -V | tail -n 1)")

as_postgres() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

start() {
    mkdir -p "$dir"
    dir=$(cd "$dir" && pwd)
    if [ "$(id -u)" = 0 ]; then chown postgres "$dir"; fi
    cd "$dir"
    local port
    port=$(free_port)
    as_postgres "$bin/initdb" -D "$dir/primary" -A trust -U postgres --no-sync >"$dir/initdb.log"
    as_postgres tee -a "$dir/primary/postgresql.conf" >/dev/null <<EOF
listen_addresses = '127.0.0.1'
port = $port
unix_socket_directories = '$dir'
max_connections = 300
wal_level = replica
max_wal_senders = 10
synchronous_commit = on
EOF
    echo "host replication postgres 127.0.0.1/32 trust" | as_postgres tee -a "$dir/primary/pg_hba.conf" >/dev/null
    as_postgres "$bin/pg_ctl" -D "$dir/primary" -w -l "$dir/primary.log" start >/dev/null
    for i in 1 2; do
        as_postgres "$bin/pg_basebackup" -h 127.0.0.1 -p "$port" -U postgres -D "$dir/standby$i" -R -X stream --no-sync
        as_postgres tee -a "$dir/standby$i/postgresql.conf" >/dev/null <<EOF
port = $(free_port)
cluster_name = 'standby$i'
EOF
        as_postgres "$bin/pg_ctl" -D "$dir/standby$i" -w -l "$dir/standby$i.log" start >/dev/null
    done
    as_postgres psql -h 127.0.0.1 -p "$port" -qc "ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (standby1, standby2)'"
    as_postgres psql -h 127.0.0.1 -p "$port" -qtc "SELECT pg_reload_conf()" >/dev/null
    for _ in $(seq 100); do
        if [ "$(as_postgres psql -h 127.0.0.1 -p "$port" -qtAc \
            "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'quorum'")" = 2 ]; then
            echo "$port"
            return
        fi
        sleep 0.1
    done
    echo "the standbys did not become synchronous: see $dir/*.log" >&2
    exit 1
}

stop() {
    dir=$(cd "$dir" && pwd)
    cd "$dir"
    for node in standby2 standby1 primary; do
        [ -f "$dir/$node/postmaster.pid" ] && as_postgres "$bin/pg_ctl" -D "$dir/$node" -m fast -w stop >/dev/null
    done
    return 0
}

case $action in
    start) start ;;
    stop) stop ;;
    *) echo "start or stop, not $action" >&2; exit 2 ;;
esac
