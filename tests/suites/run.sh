#!/usr/bin/env bash
# Test suites of others, from the sources that PyPI has, against a fresh cluster of three through a follower:
# tests/suites/run.sh [django] [sqlalchemy] [asyncpg]
#
# With SUITES_POSTGRES=PORT (of loopback, user quorate, database quorate, trust) they run on that PostgreSQL first, and what passes
# there is what is counted. Prints for each suite how many of those pass here, and which do not.
set -euo pipefail
cd "$(dirname "$0")"
here=$PWD
root=$(cd ../.. && pwd)
source "$root/scripts/demo.sh"
work=$root/target/suites
mkdir -p "$work"
[ -x "$work/python/bin/python" ] || python3 -m venv "$work/python"
pip="$work/python/bin/pip -q --disable-pip-version-check"
python=$work/python/bin/python
$pip install Django==5.2.19 SQLAlchemy==2.0.58 asyncpg==0.32.0 'psycopg[binary]==3.3.9' pytest==9.2.0 pytest-timeout==2.4.0 distro tblib 'setuptools>=77' wheel Cython
# A source, unpacked: source NAME VERSION
source_of() {
    local file=$work/${1,,}-$2
    [ -d "$file" ] || { $pip download --no-deps --no-binary :all: --no-build-isolation -d "$work" "$1==$2"; tar xzf "$file.tar.gz" -C "$work"; }
}
[ -n "${QUORATE:-}" ] || cargo build --locked --quiet --manifest-path "$root/Cargo.toml"

begin_demo Ctrl-C "${QUORATE:-$root/target/debug/quorate}"
follower=$(follower_of_demo)
export PGHOST=127.0.0.1 PGUSER=quorate PGPASSWORD=quorate

# Each writes a line for each test to a file: its name, and whether it passed.
django() { # django PORT FILE
    source_of Django 5.2.19
    PGPORT=$1 PYTHONPATH=$here $python "$work/django-5.2.19/tests/runtests.py" --settings=django_settings --parallel=1 --noinput -v 2 \
        basic lookup queries aggregation annotations expressions transactions >"$2.log" 2>&1 || true
    $python - "$2.log" >"$2" <<'P'
import re, sys
text = open(sys.argv[1]).read()
failed = set(re.findall(r"^(?:ERROR|FAIL): \S+ \((\S+)\)", text, re.M))
for name, rest in re.findall(r"^\S+ \(((?:\w+\.)+\w+)\)((?:.|\n)*?) \.\.\. ", text, re.M):
    print(name, "failed" if name in failed else "passed")
P
}
pytests() { # pytests FILE ARGUMENTS…
    local file=$1; shift
    $python -m pytest -q -p no:logging -p no:cacheprovider --timeout=120 --tb=native -rA "$@" >"$file.log" 2>&1 || true
    sed -n 's/^PASSED \([^ ]*\).*/\1 passed/p; s/^\(FAILED\|ERROR\) \([^ ]*\).*/\2 failed/p' "$file.log" | sed 's/_postgresql+psycopg_[0-9_]*//' >"$file"
}
sqlalchemy() {
    source_of SQLAlchemy 2.0.58
    for schema in test_schema test_schema_2; do psql -XAtqh 127.0.0.1 -p "$1" -d suites -c "CREATE SCHEMA $schema"; done
    (cd "$work/sqlalchemy-2.0.58"; PYTHONPATH=$here pytests "$2" -p no_extensions --maxfail=10000 test/dialect/test_suite.py --dburi "postgresql+psycopg://quorate:quorate@127.0.0.1:$1/suites")
}
asyncpg() {
    source_of asyncpg 0.32.0
    # Not beside its package, which is not built there.
    mkdir -p "$work/asyncpg-tests"; cp -r "$work/asyncpg-0.32.0/tests" "$work/asyncpg-tests/"
    (cd "$work/asyncpg-tests"; PGPORT=$1 PGDATABASE=suites pytests "$2" tests)
}

failed=0
[ $# -gt 0 ] || set -- django sqlalchemy asyncpg
for suite in "$@"; do
    for port in ${SUITES_POSTGRES:-} $follower; do
        for database in suites django_one django_two; do
            psql -XAtqh 127.0.0.1 -p "$port" -d quorate -c "SET client_min_messages = warning" -c "DROP DATABASE IF EXISTS $database"
            psql -XAtqh 127.0.0.1 -p "$port" -d quorate -c "CREATE DATABASE $database"
        done
        file=$work/$suite.$([ "$port" = "$follower" ] && echo here || echo there)
        $suite "$port" "$file"
    done
    $python - "$suite" "$work" "${SUITES_POSTGRES:-}" <<'P' || failed=1
import sys
suite, work, compared = sys.argv[1:]
read = lambda side: dict(line.rsplit(" ", 1) for line in open(f"{work}/{suite}.{side}").read().splitlines())
here = read("here")
wanted = {name for name, how in read("there").items() if how == "passed"} if compared else set(here)
passed = {name for name in wanted if here.get(name) == "passed"}
share = 100 * len(passed) / max(1, len(wanted))
print(f"{suite}: {len(passed)} of {len(wanted)}, {share:.1f} %" + (" of what passes on PostgreSQL" if compared else ""))
for name in sorted(wanted - passed):
    print(f"    {name}")
sys.exit(share < {"django": 97, "sqlalchemy": 97, "asyncpg": 85}[suite])
P
done
exit $failed
