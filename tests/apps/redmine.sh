#!/usr/bin/env bash
# Redmine (Debian; Rails): its migrations and its first data, then projects, people, issues and time entries through pages and API.
source "$(dirname "$0")/common.sh"
# Its package would set up an instance of its own, on a database of this machine's.
echo 'redmine redmine/instances/default/dbconfig-install boolean false' | debconf-set-selections
export RAILS_ENV=production REDMINE_INSTANCE=quorate-apps REDMINE_LANG=en SCHEMA=/dev/null
debian_packages redmine redmine-pgsql puma ruby-pg
fresh_cluster 1
of_instance() { echo /usr/share/redmine/instances/$REDMINE_INSTANCE /etc/redmine/$REDMINE_INSTANCE /var/{lib,log,cache}/redmine/$REDMINE_INSTANCE; }
trap 'stop; end_all; rm -rf "$dir" $(of_instance)' EXIT
rm -rf $(of_instance)
cd /usr/share/redmine
bin/redmine-instances create "$REDMINE_INSTANCE"
openssl rand -hex 32 >/etc/redmine/$REDMINE_INSTANCE/secret_key.txt
cat > /etc/redmine/$REDMINE_INSTANCE/database.yml <<C
production:
  adapter: postgresql
  encoding: utf8
  host: 127.0.0.1
  port: $port
  database: $name
  username: $name
  password: $PGPASSWORD
C
for task in db:migrate redmine:load_default_data; do
    bundle exec rake $task >"$dir/migrate.log" 2>&1 || { head -n 20 "$dir/migrate.log"; exit 1; }
done
run app puma -b "tcp://127.0.0.1:${ports[9]}" config.ru
under_kill python3 "$here/redmine_use.py" "http://127.0.0.1:${ports[9]}"
bundle exec rake db:migrate:status >"$dir/migrate.log" 2>&1 || { head -n 20 "$dir/migrate.log"; exit 1; }
all_agree
