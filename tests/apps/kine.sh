#!/usr/bin/env bash
# kine: what Kubernetes takes for etcd, with its rows in a table. Keys are made, changed, deleted and watched by etcd's own client, in
# the transactions that Kubernetes sends.
source "$(dirname "$0")/common.sh"
go_program github.com/k3s-io/kine v0.17.5 github.com/k3s-io/kine
mkdir -p "$work/go/use"
cp "$here/kine_use.go" "$work/go/use/main.go"
(cd "$work/go"; go get go.etcd.io/etcd/client/v3 go.etcd.io/etcd/api/v3; go build -o "$work/use" ./use) >>"$work/go.log" 2>&1 || { tail "$work/go.log"; exit 1; }
fresh_cluster 2
run app "$work/kine" --endpoint "postgres://$name:$PGPASSWORD@127.0.0.1:$port/$name" --listen-address "127.0.0.1:${ports[9]}" \
    --metrics-bind-address "127.0.0.1:${ports[10]}" --compact-interval 5s
under_kill "$work/use" "127.0.0.1:${ports[9]}"
say "rows: $(query "SELECT count(*), count(DISTINCT id), max(id) FROM kine")"
all_agree
