#!/usr/bin/env bash
# Makes the pictures of the demo in docs/pictures, from a recorded run: tests/console/pictures.sh
# Needs what run.sh needs.
set -euo pipefail
cd "$(dirname "$0")"
source ../../scripts/demo.sh
work=../../target/console
mkdir -p $work ../../docs/pictures
work=$(cd $work && pwd)
cp package.json pictures.mjs $work/
[ -d $work/node_modules/playwright-core ] || (cd $work && npm install --silent --no-audit --no-fund)
[ -n "${QUORATE:-}" ] || cargo build --locked --quiet
program=${QUORATE:-../../target/debug/quorate}

script=$(mktemp)
cat >"$script" <<'S'
20  kill leader
25  restart all
32  cut leader
36  heal all
42  slow leader
46  heal all
50  wipe follower
62  power
76  end
S
begin_demo '^Ctrl-C ends' "$program" --script "$script" --http-port 0
rm "$script"
page=$(sed -n 's/^Chaos: \(http[^ ]*\) .*/\1/p' "$home/log")
node $work/pictures.mjs ../../docs/pictures "$page"
wait $demo || { tail -20 "$home/log"; exit 1; }
sed -n '/^acknowledged/,$p' "$home/log"
