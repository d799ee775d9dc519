#!/usr/bin/env bash
# Directus from npm: its bootstrap and migrations, then tables made, filled, asked and dropped through its API, as its pages do.
source "$(dirname "$0")/common.sh"
npm_packages directus@11.3.5
fresh_cluster 1
export DB_CLIENT=pg DB_HOST=127.0.0.1 DB_PORT=$port DB_DATABASE=$name DB_USER=$name DB_PASSWORD=$PGPASSWORD SECRET=$(openssl rand -hex 32) \
    ADMIN_EMAIL=admin@example.com ADMIN_PASSWORD=$PGPASSWORD HOST=127.0.0.1 PORT=${ports[9]} PUBLIC_URL="http://127.0.0.1:${ports[9]}" TELEMETRY=false \
    STORAGE_LOCATIONS=local STORAGE_LOCAL_ROOT="$dir/uploads"
cd "$work"
npx directus bootstrap >"$dir/bootstrap.log" 2>&1 || { tail -n 20 "$dir/bootstrap.log"; exit 1; }
run app npx directus start
under_kill python3 "$here/directus_use.py" "http://127.0.0.1:${ports[9]}"
npx directus database migrate:latest >"$dir/migrate.log" 2>&1 || { tail -n 20 "$dir/migrate.log"; exit 1; }
npx directus schema snapshot --yes "$dir/snapshot.yaml" >"$dir/snapshot.log" 2>&1 || { tail -n 20 "$dir/snapshot.log"; exit 1; }
grep -q 'collection: town0' "$dir/snapshot.yaml"
all_agree
