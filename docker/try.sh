#!/usr/bin/env bash
# Tries the images with a real engine: three containers with certificates and passwords, psql in a fourth, and the leader's
# container killed under load.
#
#   docker/try.sh BINARY          needs root, docker and debootstrap; the base image is made here, nothing is pulled
set -euo pipefail
cd "$(dirname "$0")/.."
binary=$(realpath "${1:?the program to put into the image}")
work=$(mktemp -d)
network=quorate-try
cleanup() {
    docker rm -f try-db1 try-db2 try-db3 try-client >/dev/null 2>&1 || true
    docker volume rm try-db1 try-db2 try-db3 try-join >/dev/null 2>&1 || true
    docker network rm $network >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap cleanup EXIT
if ! docker image inspect debian:bookworm-slim >/dev/null 2>&1; then
    debootstrap --variant=minbase --include=postgresql-client bookworm "$work/root" >/dev/null
    tar -C "$work/root" -c . | docker import - debian:bookworm-slim >/dev/null
fi
# The second stage of the Dockerfile, with the program that was given.
mkdir "$work/context"
cp "$binary" "$work/context/quorate"
strip "$work/context/quorate"
sed -n '/^FROM debian/,$p' docker/Dockerfile | sed 's/^COPY --from=build .*/COPY quorate \/usr\/local\/bin\/quorate/; /^ARG/d' \
    > "$work/context/Dockerfile"
docker build -q -t quorate:try "$work/context" >/dev/null
base=$(docker image inspect -f '{{.Size}}' debian:bookworm-slim)
size=$(docker image inspect -f '{{.Size}}' quorate:try)
echo "image: $(((size - base) >> 20)) MiB beyond its base; program $(($(stat -c %s "$work/context/quorate") >> 20)) MiB"

docker network create $network >/dev/null
head -c 18 /dev/urandom | base64 > "$work/password"
chmod 644 "$work/password"
node() {
    local name=$1
    shift
    docker run -d --name "try-$name" --hostname "$name" --network $network --network-alias "$name" \
        -v "try-$name:/var/lib/quorate" -v try-join:/join -e QUORATE_HOST="$name" -e QUORATE_TOKEN_FILE=/join/token "$@" \
        quorate:try >/dev/null
}
node db1 -e QUORATE_INIT=true -e QUORATE_PASSWORD_FILE=/password -v "$work/password:/password:ro"
node db2 -e QUORATE_JOIN=db1:8433
node db3 -e QUORATE_JOIN=db1:8433
docker run -d --name try-client --network $network --entrypoint sleep quorate:try infinity >/dev/null
client() { docker exec -e PGPASSWORD="$(cat "$work/password")" try-client "$@"; }
to() { echo "host=$1 port=5433 user=quorate dbname=quorate sslmode=verify-full sslrootcert=/tmp/ca.crt connect_timeout=3"; }
for _ in $(seq 60); do
    docker exec try-db1 cat /var/lib/quorate/pki/ca.crt > "$work/ca.crt" 2>/dev/null && break
    sleep 0.5
done
docker cp "$work/ca.crt" try-client:/tmp/ca.crt
for host in db1 db2 db3; do
    for _ in $(seq 120); do
        client psql -XAtqc 'SELECT 1' "$(to $host)" >/dev/null 2>&1 && break
        sleep 0.5
    done
    echo "$host: $(client psql -XAtqc "SELECT 'TLS ' || ssl::text FROM pg_stat_ssl WHERE pid = pg_backend_pid()" "$(to $host)")"
done
client psql -XAtqc 'CREATE TABLE tally (n bigint)' "$(to db1)"
for _ in $(seq 120); do
    # A leader is killed when there are three voters.
    [ "$(client psql -XAtqc "SELECT count(*) FROM quorate.replicas WHERE database = 'quorate' AND role IN ('leader', 'follower')" \
        "$(to db1)")" = 3 ] && break
    sleep 0.5
done
leader=$(client psql -XAtqc "SELECT leader FROM quorate.groups WHERE database = 'quorate'" "$(to db1)")
other=$([ "$leader" = db3 ] && echo db2 || echo db3)
seq 300 | sed 's/.*/INSERT INTO tally VALUES (&);/' > "$work/load.sql"
docker cp "$work/load.sql" try-client:/tmp/load.sql
client psql -XAtq -v ON_ERROR_STOP=1 -f /tmp/load.sql "$(to "$other")" &
load=$!
sleep 1
docker kill "try-$leader" >/dev/null
wait $load
echo "the leader $leader was killed; through $other: $(client psql -XAtqc 'SELECT count(*) FROM tally' "$(to "$other")") of 300 rows, no error"
docker exec "try-$other" id -un
