# What scripts that try whole clusters begin with; to be sourced. Leaves behind:
#   dir      a directory that goes with the script
#   pid      processes by name, which end with the script
#   ports    as many free ports as `begin COUNT` was asked for: of node N, `postgres N`, `peers N` and `http N`, then the others
dir=$(mktemp -d); chmod 755 "$dir"
declare -A pid=()
end_all() {
    for p in "${pid[@]}"; do kill "$p" 2>/dev/null || true; done
    wait 2>/dev/null || true
    pid=()
}
trap 'end_all; rm -rf "$dir"' EXIT

begin() {
    read -r -a ports < <(python3 - "$1" <<'P'
import socket, sys
s = [socket.socket() for _ in range(int(sys.argv[1]))]
[x.bind(("127.0.0.1", 0)) for x in s]
print(*[x.getsockname()[1] for x in s])
P
)
}
postgres() { echo "${ports[$1 - 1]}"; }
peers() { echo "${ports[$1 + 2]}"; }
http() { echo "${ports[$1 + 5]}"; }

until_true() {
    for _ in $(seq 600); do "$@" >/dev/null 2>&1 && return; sleep 0.1; done
    echo "not in time: $*"
    tail -n 20 "$dir"/*.log
    exit 1
}

# Three nodes with certificates and passwords, which begin with three commands. Expects `quorate`, the program, and PGPASSWORD.
secure_node() { # secure_node N FLAGS…
    local n=$1; shift
    QUORATE_PASSWORD=$PGPASSWORD "$quorate" start --data-dir "$dir/db$n" --name "db$n" --host localhost \
        --listen "127.0.0.1:$(postgres "$n")" --peers "127.0.0.1:$(peers "$n")" --http "127.0.0.1:$(http "$n")" \
        --token-file "$dir/token" "$@" >"$dir/db$n.log" 2>&1 & pid[$n]=$!
}
secure_cluster() {
    secure_node 1 --init
    for n in 2 3; do secure_node $n --join "localhost:$(http 1)"; done
    until_true test -e "$dir/db1/pki/ca.crt"
    cp "$dir/db1/pki/ca.crt" "$dir/ca.crt"; chmod 644 "$dir/ca.crt"
    for n in 1 2 3; do until_true sql "$(postgres $n)" 'SELECT 1'; done
    until_true three_voters
}
tls() { echo "user=quorate dbname=quorate sslmode=verify-full sslrootcert=$dir/ca.crt connect_timeout=3"; }
at() { echo "host=localhost port=$1 $(tls)"; }
sql() { psql -XAtq -v ON_ERROR_STOP=1 "$(at "$1")" -c "$2"; } # sql PORT STATEMENTS
three_voters() {
    [ "$(sql "$(postgres 1)" "SELECT count(*) FROM quorate.groups WHERE voters LIKE 'db_ db_ db_'")" = 2 ]
}
