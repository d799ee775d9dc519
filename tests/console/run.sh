#!/usr/bin/env bash
# Clicks through every page of the console and of the demo, in a real browser: tests/console/run.sh [FOLDER FOR PICTURES]
# Needs Chromium (Debian's; CHROMIUM names another one), Node.js with npm. Installs its driver under target/console.
set -euo pipefail
cd "$(dirname "$0")"
source ../../scripts/demo.sh
work=../../target/console
mkdir -p $work
work=$(cd $work && pwd)
pictures=${1:-$work/pictures}
mkdir -p "$pictures"
cp package.json click.mjs $work/
[ -d $work/node_modules/playwright-core ] || (cd $work && npm install --silent --no-audit --no-fund)
[ -n "${QUORATE:-}" ] || cargo build --locked --quiet
program=${QUORATE:-../../target/debug/quorate}

begin_demo '^Ctrl-C ends' "$program" --chaos --http-port 0
page=$(sed -n 's/^Chaos: \(http[^ ]*\) .*/\1/p' "$home/log")
[ -n "$page" ] || { cat "$home/log"; exit 1; }
consoles=$(sed -n 's|.* \(http://[^ ]*/console\)$|\1|p' "$home/log")
# shellcheck disable=SC2086
node $work/click.mjs "$pictures" "$page" $consoles
kill -INT $demo
wait $demo || { tail -20 "$home/log"; exit 1; }
grep -E '^(acknowledged|lost)' "$home/log"
