#!/usr/bin/env bash
# PowerDNS (Debian) with its generic PostgreSQL backend and the schema that the package brings: zones by pdnsutil and by its HTTP
# API, signed ones too; asked by dig.
source "$(dirname "$0")/common.sh"
debian_packages pdns-server pdns-backend-pgsql pdns-tools bind9-dnsutils
fresh_cluster 2
dns=${ports[9]} web=${ports[10]}
psql -XAtq -v ON_ERROR_STOP=1 "host=localhost port=$port user=$name dbname=$name" -f /usr/share/pdns-backend-pgsql/schema/schema.pgsql.sql

mkdir "$dir/pdns"
cat > "$dir/pdns/pdns.conf" <<C
launch=gpgsql
gpgsql-host=127.0.0.1
gpgsql-port=$port
gpgsql-dbname=$name
gpgsql-user=$name
gpgsql-password=$PGPASSWORD
gpgsql-dnssec=yes
local-address=127.0.0.1
local-port=$dns
socket-dir=$dir/pdns
api=yes
api-key=$PGPASSWORD
webserver-port=$web
# What is asked is asked of the database.
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
zone-cache-refresh-interval=0
C
pdns() { pdnsutil --config-dir="$dir/pdns" "$@" >>"$dir/pdnsutil.log" 2>&1 || { tail "$dir/pdnsutil.log"; exit 1; }; }
pdns create-zone static.example ns1.static.example
pdns add-record static.example www A 192.0.2.1
pdns add-record static.example www AAAA 2001:db8::1
pdns secure-zone static.example
pdns rectify-zone static.example
pdns set-meta static.example ALLOW-AXFR-FROM 127.0.0.0/8
pdns generate-tsig-key transfer hmac-sha256
pdns check-all-zones
run app pdns_server --config-dir="$dir/pdns" --guardian=no --daemon=no
under_kill python3 "$here/powerdns_use.py" "http://127.0.0.1:$web" "$dns"
pdns check-all-zones
grep -q 'Checked 9 zones, 0 had errors' "$dir/pdnsutil.log"
dig @127.0.0.1 -p "$dns" static.example AXFR >"$dir/transfer.txt"
grep -q RRSIG "$dir/transfer.txt"
all_agree
