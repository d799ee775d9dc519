#!/usr/bin/env bash
# Clicks through every page of the console and of the demo, in a real browser: tests/console/run.sh [FOLDER FOR PICTURES]
# Needs Chromium (Debian's; CHROMIUM names another one), Node.js with npm. Installs its driver under target/console.
set -euo pipefail
cd "$(dirname "$0")"
work=../../target/console
mkdir -p $work
work=$(cd $work && pwd)
pictures=${1:-$work/pictures}
mkdir -p "$pictures"
cp package.json click.mjs $work/
[ -d $work/node_modules/playwright-core ] || (cd $work && npm install --silent --no-audit --no-fund)
[ -n "${QUORATE:-}" ] || cargo build --locked --quiet
program=${QUORATE:-../../target/debug/quorate}

home=$(mktemp -d)
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
"$program" demo --chaos --http-port 0 --data-dir "$home/data" --base-port "$base" > "$home/log" 2>&1 &
demo=$!
trap 'kill $demo 2>/dev/null; wait $demo 2>/dev/null; rm -rf "$home"' EXIT
for _ in $(seq 600); do grep -qs '^Ctrl-C ends' "$home/log" && break; sleep 0.1; done
page=$(sed -n 's/^Chaos: \(http[^ ]*\) .*/\1/p' "$home/log")
[ -n "$page" ] || { cat "$home/log"; exit 1; }
consoles=$(sed -n 's|.* \(http://[^ ]*/console\)$|\1|p' "$home/log")
# shellcheck disable=SC2086
node $work/click.mjs "$pictures" "$page" $consoles
kill -INT $demo
wait $demo || { tail -20 "$home/log"; exit 1; }
grep -E '^(acknowledged|lost)' "$home/log"
