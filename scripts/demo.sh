# A demo in the background, for scripts that use one; to be sourced.
# begin_demo PATTERN PROGRAM [FLAG…]: starts it and waits for a line that says so. It ends with the script. Leaves behind:
#   home   a directory that goes with the script; `$home/log` is what the demo says
#   demo   the process
begin_demo() {
    local pattern=$1 program=$2 base; shift 2
    home=$(mktemp -d)
    # Three ports in a row that are free.
    base=$(python3 - <<'P'
import random, socket
def free(port):
    with socket.socket() as s:
        try: s.bind(("127.0.0.1", port)); return True
        except OSError: return False
while True:
    base = random.randrange(11000, 29000)
    if all(free(base + n) for n in range(3)): print(base); break
P
)
    "$program" demo "$@" --data-dir "$home/data" --base-port "$base" >"$home/log" 2>&1 &
    demo=$!
    trap 'kill $demo 2>/dev/null || true; wait $demo 2>/dev/null || true; rm -rf "$home"' EXIT
    for _ in $(seq 600); do grep -qs "$pattern" "$home/log" && return; sleep 0.1; done
    cat "$home/log"
    exit 1
}
# The port of one that does not lead.
follower_of_demo() { sed -n 's/.* follower .* -p \([0-9]*\) .*/\1/p' "$home/log" | head -1; }
