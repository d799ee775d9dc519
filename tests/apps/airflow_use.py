"""Airflow's API: airflow_use.py URL"""
import sys
from web import Browser, wait_for

api = Browser(sys.argv[1])
wait_for(lambda: api.api("/api/v2/monitor/health"), within=180)
token = api.api("/auth/token", None).json()["access_token"]
ask = lambda path, data=None, method=None, may=(): api.api(f"/api/v2{path}", data, method, {"Authorization": f"Bearer {token}"}, may)
wait_for(lambda: ask("/monitor/health").json()["scheduler"]["status"] == "healthy", within=180)
wait_for(lambda: ask("/dags").json()["total_entries"] == 1, within=120)
ask("/dags/plain", {"is_paused": False}, "PATCH")
for n in range(6):
    ask("/variables", {"key": f"key{n}", "value": f"value {n}"}, "POST")
    assert ask("/variables", {"key": f"key{n}", "value": "again"}, "POST", may=(409,)).status == 409
    ask("/pools", {"name": f"pool{n}", "slots": n + 1}, "POST")
    ask("/connections", {"connection_id": f"to{n}", "conn_type": "http", "host": "example.com", "password": "secret"}, "POST")
    run = f"round{n}"
    ask("/dags/plain/dagRuns", {"dag_run_id": run, "logical_date": None}, "POST")
    wait_for(lambda: ask(f"/dags/plain/dagRuns/{run}").json()["state"] in ("success", "failed"), within=180)
    assert ask(f"/dags/plain/dagRuns/{run}").json()["state"] == "success"
    sum_ = ask(f"/dags/plain/dagRuns/{run}/taskInstances/add/xcomEntries/return_value").json()["value"]
    assert str(sum_) == "42", sum_
    print(f"round {n}: {run} has succeeded", flush=True)
done = ask("/dags/plain/dagRuns?order_by=-start_date&limit=100").json()["dag_runs"]
assert [r["state"] for r in done if r["dag_run_id"].startswith("round")] == ["success"] * 6
tasks = ask("/dags/plain/dagRuns/~/taskInstances?limit=100").json()["task_instances"]
assert {t["state"] for t in tasks if t["dag_run_id"].startswith("round")} == {"success"} and len(tasks) >= 30
print("6 runs of a DAG with mapped tasks, their values, variables, pools and connections")
