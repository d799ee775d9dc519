#!/usr/bin/env bash
# Applications as they come from their registries, each on a fresh cluster of three whose leader is killed under it:
# tests/apps/run.sh [NAME…], or --quick for what takes half a minute. README.md tells which there are.
set -euo pipefail
cd "$(dirname "$0")"
quick="django"
all=$(grep -l 'common.sh"$' ./*.sh | sed 's|^./||; s|\.sh$||' | sort)
case "${1:-}" in
    --quick) names=$quick ;;
    '') names=$all ;;
    *) names=$* ;;
esac
[ -n "${QUORATE:-}" ] || cargo build --locked --quiet
passed=0 failed=0
for name in $names; do
    started=$(date +%s)
    if said=$(timeout "${APPS_TIMEOUT:-900}" "./$name.sh" 2>&1); then
        echo "ok    $name, $(($(date +%s) - started)) s: $(grep -v ': ok$' <<<"$said" | tail -1 | sed "s/^$name: //")"
        passed=$((passed + 1))
    else
        echo "FAIL  $name"; tail -n 40 <<<"$said" | sed 's/^/      /'
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
