#!/usr/bin/env bash
# JupyterHub with its usual proxy: people log in, have their servers started and stopped, groups and tokens through its API.
source "$(dirname "$0")/common.sh"
python_packages jupyterhub==6.1.1 jupyter_server==2.21.1 psycopg2-binary==2.9.13
npm_packages configurable-http-proxy@5.3.0
fresh_cluster 3
PATH=$work/node_modules/.bin:$PATH
mkdir "$dir/hub"; cd "$dir/hub"
token=$(openssl rand -hex 32)
cat > jupyterhub_config.py <<C
c.JupyterHub.db_url = "postgresql+psycopg2://$name:$PGPASSWORD@127.0.0.1:$port/$name"
c.JupyterHub.bind_url = "http://127.0.0.1:${ports[9]}"
c.JupyterHub.hub_port = ${ports[10]}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:${ports[11]}"
c.ConfigurableHTTPProxy.auth_token = "$token"
c.JupyterHub.authenticator_class = "shared-password"
c.Authenticator.allow_all = True
c.SharedPasswordAuthenticator.user_password = "$PGPASSWORD-for-people"
c.SharedPasswordAuthenticator.admin_password = "$PGPASSWORD-for-administrators-0123456789"
c.Authenticator.admin_users = {"admin"}
c.JupyterHub.spawner_class = "simple"
c.Spawner.args = ["--allow-root", "--ServerApp.disable_check_xsrf=False"]
c.Spawner.start_timeout = 120
c.Spawner.http_timeout = 120
c.JupyterHub.services = [{"name": "script", "api_token": "$token"}]
c.JupyterHub.load_roles = [{"name": "script", "services": ["script"],
    "scopes": ["admin:users", "admin:groups", "tokens", "admin:servers", "list:users", "shares", "read:hub", "list:groups", "admin:server_state"]}]
C
run app jupyterhub -f jupyterhub_config.py
under_kill env TOKEN="$token" "$python" "$here/jupyterhub_use.py" "http://127.0.0.1:${ports[9]}"
# It says itself whether its tables are as its migrations would make them.
stop app
jupyterhub upgrade-db -f jupyterhub_config.py >"$dir/upgrade.log" 2>&1 || { tail "$dir/upgrade.log"; exit 1; }
all_agree
