#!/usr/bin/env bash
# Runs an application and compares what it says with `expected/NAME`, recorded on PostgreSQL: expect.sh NAME COMMAND…
# With CLIENTS_POSTGRES set, records it.
set -euo pipefail
cd "$(dirname "$0")"
name=$1; shift
# Of moments, and of what a machine is called, nothing is expected.
said=$("$@" 2>&1 | sed -E 's/20[0-9]{12}/MOMENT/g; s/127\.0\.0\.1:[0-9]+/ADDRESS/g; s/ in [0-9.]+m?s$/ in a while/') || true
if [ -n "${CLIENTS_POSTGRES:-}" ]; then mkdir -p expected; printf '%s\n' "$said" > "expected/$name"; exit; fi
diff "expected/$name" <(printf '%s\n' "$said")
