#!/usr/bin/env bash
# Keycloak from Maven Central: its own migrations (Liquibase), then realms, clients, roles, groups, people and log-ins through its API.
source "$(dirname "$0")/common.sh"
version=26.4.0
if [ ! -x "$work/keycloak-$version/bin/kc.sh" ]; then
    mvn -q -B dependency:copy -Dartifact=org.keycloak:keycloak-quarkus-dist:$version:zip -DoutputDirectory="$work" >"$work/mvn.log" 2>&1 || { tail "$work/mvn.log"; exit 1; }
    (cd "$work"; python3 -m zipfile -e keycloak-quarkus-dist-$version.zip .; chmod +x keycloak-$version/bin/*.sh)
fi
fresh_cluster 2
export KC_BOOTSTRAP_ADMIN_USERNAME=admin KC_BOOTSTRAP_ADMIN_PASSWORD=$PGPASSWORD KC_DB=postgres KC_DB_URL="jdbc:postgresql://127.0.0.1:$port/$name" \
    KC_DB_USERNAME=$name KC_DB_PASSWORD=$PGPASSWORD KC_HTTP_PORT=${ports[9]} KC_HTTP_MANAGEMENT_PORT=${ports[10]} KC_CACHE=local
run app "$work/keycloak-$version/bin/kc.sh" start-dev
UNDER_KILL_WITHIN=600 under_kill python3 "$here/keycloak_use.py" "http://127.0.0.1:${ports[9]}"
all_agree
