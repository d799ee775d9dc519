#!/usr/bin/env bash
# FreeRADIUS (Debian) with rlm_sql and the schema and queries that the package brings: people in groups log in, and their sessions
# are accounted for.
source "$(dirname "$0")/common.sh"
debian_packages freeradius freeradius-postgresql freeradius-utils
fresh_cluster 4
radius=${ports[9]} accounting=${ports[10]}
raddb=$dir/raddb
cp -r /etc/freeradius/3.0 "$raddb"
psql -XAtq -v ON_ERROR_STOP=1 "host=localhost port=$port user=$name dbname=$name" \
    -f "$raddb/mods-config/sql/main/postgresql/schema.sql"
# What the module's documentation says: the driver, where the database is, and the module enabled; ports of this test.
sed -i "s/^\tdialect = .*/\tdialect = \"postgresql\"/; s/^\tdriver = .*/\tdriver = \"rlm_sql_postgresql\"/; \
    s/^#\?\tserver = .*/\tserver = \"127.0.0.1\"/; s/^#\?\tport = .*/\tport = $port/; s/^#\?\tlogin = .*/\tlogin = \"$name\"/; \
    s/^#\?\tpassword = .*/\tpassword = \"$PGPASSWORD\"/; s/^\tradius_db = \"radius\"/\tradius_db = \"$name\"/; s/^#\?\tread_clients = .*/\tread_clients = yes/" \
    "$raddb/mods-available/sql"
ln -sf ../mods-available/sql "$raddb/mods-enabled/sql"
# Its four sockets: logins and accounting, for both versions of IP.
awk -v ports="${ports[9]} ${ports[10]} ${ports[11]} ${ports[12]}" 'BEGIN { split(ports, p) } /^\tport = 0/ { sub("0", p[++n]) } { print }' \
    "$raddb/sites-available/default" >"$dir/default"
sed 's/^\tipaddr = \*/\tipaddr = 127.0.0.1/; s/^\tipv6addr = ::/\tipv6addr = ::1/; s/^\(\s*\)-sql/\1sql/' "$dir/default" >"$raddb/sites-available/default"
rm -f "$raddb/sites-enabled/inner-tunnel"
sed -i "s|^raddbdir = .*|raddbdir = $raddb|; s|^logdir = .*|logdir = $dir|; s|^run_dir = .*|run_dir = $dir|; s|^\(\s*\)user = .*|\1user = root|; s|^\(\s*\)group = .*|\1group = root|" "$raddb/radiusd.conf"
# Groups and people as the documentation enters them.
query "INSERT INTO nas (nasname, shortname, type, secret) VALUES ('127.0.0.1', 'here', 'other', 'testing123');
INSERT INTO radgroupreply (groupname, attribute, op, value) VALUES ('staff', 'Session-Timeout', ':=', '3600');
INSERT INTO radgroupcheck (groupname, attribute, op, value) VALUES ('staff', 'Simultaneous-Use', ':=', '3');
INSERT INTO radcheck (username, attribute, op, value) SELECT 'user' || n, 'Cleartext-Password', ':=', 'pw' || n FROM generate_series(0, 9) n;
INSERT INTO radreply (username, attribute, op, value) SELECT 'user' || n, 'Framed-IP-Address', ':=', '10.0.0.' || n FROM generate_series(0, 9) n;
INSERT INTO radusergroup (username, groupname, priority) SELECT 'user' || n, 'staff', 1 FROM generate_series(0, 9) n"
sed -i '/^client localhost {/,/^}/d; /^client localhost_ipv6 {/,/^}/d' "$raddb/clients.conf"
run app freeradius -d "$raddb" -f -l stdout
until_true grep -q 'Ready to process requests' "$dir/app.log"
under_kill python3 "$here/freeradius_use.py" "$radius" "$accounting"
# Every session that was acknowledged is there: started, counted once, ended.
sessions=$(query "SELECT count(*), sum(acctinputoctets), count(acctstoptime), count(DISTINCT acctsessionid), sum(acctsessiontime) FROM radacct")
[ "$sessions" = "20|40000|20|20|12000" ] || { say "sessions: $sessions"; exit 1; }
logins=$(query "SELECT reply, count(*) FROM radpostauth GROUP BY reply ORDER BY reply" | paste -sd' ')
[ "$logins" = "Access-Accept|20 Access-Reject|20" ] || { say "logins: $logins"; exit 1; }
all_agree
