#!/usr/bin/env bash
# OpenFGA: its own migrations, then stores, models, relations and questions through its HTTP API.
source "$(dirname "$0")/common.sh"
go_program github.com/openfga/openfga v1.22.1 github.com/openfga/openfga/cmd/openfga
fresh_cluster 2
export OPENFGA_DATASTORE_ENGINE=postgres OPENFGA_DATASTORE_URI="postgres://$name:$PGPASSWORD@127.0.0.1:$port/$name"
"$work/openfga" migrate >"$dir/migrate.log" 2>&1 || { tail -n 20 "$dir/migrate.log"; exit 1; }
"$work/openfga" migrate >>"$dir/migrate.log" 2>&1 || { tail -n 20 "$dir/migrate.log"; exit 1; }
run app "$work/openfga" run --http-addr "127.0.0.1:${ports[9]}" --grpc-addr "127.0.0.1:${ports[10]}" --playground-enabled=false --metrics-enabled=false
under_kill python3 "$here/openfga_use.py" "http://127.0.0.1:${ports[9]}"
all_agree
