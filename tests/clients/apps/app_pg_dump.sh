#!/usr/bin/env bash
# pg_dump and pg_restore of a schema with most kinds of objects, and back: app_pg_dump.sh PORT
# What was dumped must load again and dump to the same, in every form. Where a PostgreSQL 15 server can be started, it must
# load there, too, and what PostgreSQL then dumps must load here and be the same.
set -euo pipefail
cd "$(dirname "$0")"
port=$1 tmp=$(mktemp -d) server=
cleanup() {
  [ -z "$server" ] || "${as[@]}" "$server/pg_ctl" -D "$tmp/pg" -m immediate -s stop || true
  rm -rf "$tmp"
}
trap cleanup EXIT
at() { echo "host=127.0.0.1 port=$1 user=quorate dbname=quorate"; }
sql() { PGOPTIONS='-c client_min_messages=error' psql -X -q -v ON_ERROR_STOP=1 "$(at "$1")" "${@:2}" > /dev/null; }
# Without what tells only who has dumped it, and when.
dump() { pg_dump -d "$(at "$1")" "${@:2}" | grep -v '^--\|^$\|restrict '; }
empty() { sql "$1" -c 'DROP SCHEMA IF EXISTS public, "Other one" CASCADE; CREATE SCHEMA public'; }
same() { diff "$1" "$2" > "$tmp/diff" || { echo "$3:"; head -40 "$tmp/diff"; exit 1; }; }

empty "$port"
sql "$port" -f dump.sql
dump "$port" > "$tmp/first"
dump "$port" --schema-only > "$tmp/schema"
pg_dump -d "$(at "$port")" -f "$tmp/plain"
pg_dump -d "$(at "$port")" --inserts -f "$tmp/inserts"
pg_dump -d "$(at "$port")" --data-only --inserts -T chicken -T egg -f "$tmp/data"
pg_dump -d "$(at "$port")" -Fc -f "$tmp/custom"

for form in plain inserts; do
  empty "$port"
  sql "$port" -f "$tmp/$form"
  dump "$port" > "$tmp/again"
  same "$tmp/first" "$tmp/again" "what was dumped as $form dumps otherwise"
done
sql "$port" -c 'TRUNCATE a, b, "Other one"."Mixed ""case", nothing RESTART IDENTITY'
sql "$port" -f "$tmp/data"
dump "$port" > "$tmp/again"
same "$tmp/first" "$tmp/again" "data alone dump otherwise"
empty "$port"
pg_restore -d "$(at "$port")" --exit-on-error "$tmp/custom"
dump "$port" > "$tmp/again"
same "$tmp/first" "$tmp/again" "what pg_restore has made dumps otherwise"

bin=/usr/lib/postgresql/15/bin
[ -x $bin/initdb ] || { echo "ok, without a PostgreSQL 15 server"; exit 0; }
# PostgreSQL does not run as root.
as=(env)
[ "$(id -u)" != 0 ] || { as=(runuser -u postgres --); chmod 755 "$tmp"; install -d -o postgres "$tmp/pg"; }
"${as[@]}" $bin/initdb -D "$tmp/pg" -A trust -U quorate --locale=C.UTF-8 > /dev/null
server=$bin theirs=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"${as[@]}" $bin/pg_ctl -D "$tmp/pg" -o "-p $theirs -c fsync=off -c unix_socket_directories=" -l "$tmp/pg/log" -s -w start
psql -X -q "host=127.0.0.1 port=$theirs user=quorate dbname=postgres" -c 'CREATE DATABASE quorate'
sql "$theirs" -f "$tmp/plain"
# Views have PostgreSQL's text there, and here from there.
dump "$port" -T '*.*_view' > "$tmp/first"
dump "$theirs" -T '*.*_view' > "$tmp/again"
same "$tmp/first" "$tmp/again" "PostgreSQL has loaded something else"
pg_dump -d "$(at "$theirs")" -f "$tmp/plain"
empty "$port"
sql "$port" -f "$tmp/plain"
dump "$port" -T '*.*_view' > "$tmp/again"
same "$tmp/first" "$tmp/again" "what comes from PostgreSQL dumps otherwise"
for view in a_view z_view star_view recursive_view constants_view '"Other one"."V_view"'; do
  for server_port in "$port" "$theirs"; do
    psql -X -q -A -t "$(at "$server_port")" -c "SELECT * FROM $view" | sort > "$tmp/$server_port"
  done
  same "$tmp/$port" "$tmp/$theirs" "the view $view reads otherwise"
done
echo ok
