#!/usr/bin/env bash
# GNU Mailman's core: its migrations, then domains, lists, members, bans and settings through its API.
source "$(dirname "$0")/common.sh"
python_packages mailman==3.3.10 SQLAlchemy==2.0.58 'psycopg[binary]==3.3.9'
fresh_cluster 3
cat > "$dir/mailman.cfg" <<C
[mailman]
layout: here
[paths.here]
var_dir: $dir/mailman
[database]
class: mailman.database.postgresql.PostgreSQLDatabase
url: postgresql://$name:$PGPASSWORD@127.0.0.1:$port/$name
[webservice]
hostname: 127.0.0.1
port: ${ports[9]}
admin_user: admin
admin_pass: $PGPASSWORD
workers: 1
[mta]
incoming: mailman.mta.null.NullMTA
lmtp_port: ${ports[10]}
smtp_port: ${ports[11]}
C
mailman -C "$dir/mailman.cfg" --run-as-root info >"$dir/info.log" 2>&1 || { tail -n 20 "$dir/info.log"; exit 1; }
run app "$work/python/bin/master" -C "$dir/mailman.cfg" --no-restart
under_kill "$python" "$here/mailman_use.py" "http://127.0.0.1:${ports[9]}"
mailman -C "$dir/mailman.cfg" --run-as-root members list0@example.com >"$dir/members.txt"
[ "$(wc -l <"$dir/members.txt")" = 9 ] || { cat "$dir/members.txt"; exit 1; }
all_agree
