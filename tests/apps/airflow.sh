#!/usr/bin/env bash
# Apache Airflow: `db migrate`, a DAG tested by its command, then scheduler, processor and API server: runs are asked for through the API.
source "$(dirname "$0")/common.sh"
python_packages apache-airflow==3.3.2 apache-airflow-providers-postgres==7.1.1 psycopg2-binary==2.9.13 asyncpg==0.32.0
fresh_cluster 1
export AIRFLOW_HOME=$dir/airflow AIRFLOW__CORE__LOAD_EXAMPLES=False AIRFLOW__CORE__EXECUTOR=LocalExecutor AIRFLOW__CORE__PARALLELISM=4
export AIRFLOW__DATABASE__SQL_ALCHEMY_CONN="postgresql+psycopg2://$name:$PGPASSWORD@127.0.0.1:$port/$name"
export AIRFLOW__API__PORT=${ports[9]} AIRFLOW__API__BASE_URL="http://127.0.0.1:${ports[9]}" AIRFLOW__CORE__EXECUTION_API_SERVER_URL="http://127.0.0.1:${ports[9]}/execution/"
export AIRFLOW__API__SECRET_KEY=$(openssl rand -hex 16) AIRFLOW__API_AUTH__JWT_SECRET=$(openssl rand -hex 32) AIRFLOW__API__WORKERS=1
export AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS=True AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL=5
mkdir -p "$AIRFLOW_HOME/dags"
cat > "$AIRFLOW_HOME/dags/plain.py" <<'D'
from airflow.sdk import Variable, dag, task
import pendulum

@dag(schedule=None, start_date=pendulum.datetime(2026, 1, 1), catchup=False, tags=["plain"])
def plain():
    @task
    def numbers():
        return [1, 2, 3]

    @task
    def double(n):
        return 2 * n

    @task
    def add(found):
        return sum(found) + int(Variable.get("more"))

    add(double.expand(n=numbers()))

plain()
D
airflow db migrate >"$dir/migrate.log" 2>&1 || { tail -n 30 "$dir/migrate.log"; exit 1; }
airflow db check-migrations >>"$dir/migrate.log" 2>&1
airflow variables set more 30 >>"$dir/migrate.log" 2>&1
airflow pools set small 2 "of the script" >>"$dir/migrate.log" 2>&1
airflow dags reserialize >>"$dir/migrate.log" 2>&1
airflow dags test plain >"$dir/test.log" 2>&1 || { tail -n 30 "$dir/test.log"; exit 1; }
grep -q 'state=success\|DagRun Finished.*success' "$dir/test.log" || { tail -n 30 "$dir/test.log"; exit 1; }
for part in api-server scheduler dag-processor triggerer; do
    run $part airflow $part
done
under_kill "$python" "$here/airflow_use.py" "http://127.0.0.1:${ports[9]}"
stop
airflow db downgrade --to-version 3.1.0 --yes >"$dir/downgrade.log" 2>&1 || { tail -n 30 "$dir/downgrade.log"; exit 1; }
airflow db migrate >"$dir/migrate.log" 2>&1 || { tail -n 30 "$dir/migrate.log"; exit 1; }
all_agree
