#!/usr/bin/env bash
# Tries the Debian package with a real engine: in a container with systemd it is installed, begun, started, restarted and purged.
#
#   cargo deb && packaging/debian.sh target/debian/quorate_*.deb          needs root, docker and debootstrap; nothing is pulled
set -euo pipefail
package=$(realpath "${1:?the package}")
work=$(mktemp -d)
name=quorate-deb-$$
cleanup() {
    docker rm -f "$name" >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap cleanup EXIT
dpkg-deb -x "$package" "$work/content"
size=$(stat -c %s "$work/content/usr/bin/quorate")
echo "the program takes $((size / 1000000)) MB, the package $(($(stat -c %s "$package") / 1000000)) MB"

if ! docker image inspect debian:systemd >/dev/null 2>&1; then
    debootstrap --variant=minbase --include=systemd,systemd-sysv,adduser,postgresql-client,curl,dbus bookworm "$work/root" >/dev/null
    tar -C "$work/root" -c . | docker import - debian:systemd >/dev/null
fi
docker run -d --name "$name" --hostname db1 --cap-add SYS_ADMIN --security-opt seccomp=unconfined --cgroupns=host -v /sys/fs/cgroup:/sys/fs/cgroup:rw --tmpfs /run --tmpfs /tmp \
    debian:systemd /sbin/init >/dev/null
inside() { docker exec "$name" "$@"; }
until_true() { for _ in $(seq 300); do "$@" >/dev/null 2>&1 && return; sleep 0.2; done; echo "not in time: $*"; inside journalctl -u quorate -n 30 --no-pager || true; exit 1; }
until_true inside sh -c 'systemctl is-system-running | grep -E "running|degraded"'

docker cp "$package" "$name:/quorate.deb"
inside dpkg -i /quorate.deb >/dev/null
[ "$(inside systemctl is-enabled quorate || true)" = disabled ] && [ "$(inside systemctl is-active quorate || true)" = inactive ]
[ "$(inside stat -c '%U %a' /var/lib/quorate)" = "quorate 700" ]
echo "installed: $(inside quorate --version), not started by itself"

inside runuser -u quorate -- quorate init --data-dir /var/lib/quorate --host localhost > "$work/told"
password=$(sed -n 's/^ *password *//p' "$work/told")
inside systemctl enable --now quorate >/dev/null 2>&1
sql() { docker exec -e PGPASSWORD="$password" "$name" psql -XAtq -v ON_ERROR_STOP=1 -c "$1" \
    "host=localhost port=5433 user=quorate dbname=quorate sslmode=verify-full sslrootcert=/var/lib/quorate/pki/ca.crt channel_binding=require"; }
until_true sql 'SELECT 1'
sql 'CREATE TABLE t (n int); INSERT INTO t VALUES (1)'
[ "$(inside sh -c 'stat -c %U /proc/$(systemctl show -P MainPID quorate)')" = quorate ]
inside systemctl restart quorate
until_true sql 'INSERT INTO t VALUES (2)'
[ "$(sql 'SELECT count(*) FROM t')" = 2 ]
inside sh -c 'kill -9 $(systemctl show -P MainPID quorate)'
until_true sql 'INSERT INTO t VALUES (3)'
[ "$(sql 'SELECT count(*) FROM t')" = 3 ]
echo "started: verify-full with channel binding; restarted; killed, and started again by systemd: nothing is lost"
echo "sandbox: $(inside systemd-analyze security quorate --no-pager | tail -1 | sed 's/[^ -~]//g')"
inside dpkg -r quorate >/dev/null
inside test -d /var/lib/quorate/groups
inside dpkg -P quorate >/dev/null 2>&1
for left in /var/lib/quorate /usr/bin/quorate /lib/systemd/system/quorate.service /usr/lib/systemd/system/quorate.service; do
    inside test ! -e "$left" || { echo "$left is still there"; exit 1; }
done
! inside getent passwd quorate >/dev/null
echo "removed: the data stays; purged: nothing is left"
[ "$size" -le 25000000 ] || { echo "but the program takes more than 25 MB"; exit 1; }
