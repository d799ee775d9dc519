#!/usr/bin/env bash
# Django as `startproject` leaves it: migrate, and its admin: people and groups made, changed and deleted through its pages.
source "$(dirname "$0")/common.sh"
python_packages Django==5.2.19 'psycopg[binary]==3.3.9'
fresh_cluster 1
web=${ports[9]}

cd "$dir"
django-admin startproject plain
cd plain
# The only change is the one that Django's tutorial asks for: which database.
cat >> plain/settings.py <<S
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "$name", "USER": "$name", "PASSWORD": "$PGPASSWORD",
                         "HOST": "127.0.0.1", "PORT": $port}}
S
$python manage.py migrate >"$dir/migrate.log" 2>&1 || { tail -n 20 "$dir/migrate.log"; exit 1; }
$python manage.py makemigrations --check --dry-run >"$dir/migrate.log"
DJANGO_SUPERUSER_PASSWORD=$PGPASSWORD $python manage.py createsuperuser --noinput --username admin --email admin@example.com >"$dir/migrate.log"
run app "$python" manage.py runserver --noreload "127.0.0.1:$web"
under_kill "$python" "$here/django_use.py" "http://127.0.0.1:$web"
$python manage.py migrate auth 0005 >"$dir/migrate.log" 2>&1 || { tail -n 20 "$dir/migrate.log"; exit 1; }
$python manage.py migrate >"$dir/migrate.log" 2>&1 || { tail -n 20 "$dir/migrate.log"; exit 1; }
$python manage.py inspectdb >"$dir/models.py"
grep -q 'class AuthUser(models.Model)' "$dir/models.py"
all_agree
