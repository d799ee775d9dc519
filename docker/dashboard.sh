#!/usr/bin/env bash
# Runs the dashboard's queries, and the alerts, with a real Prometheus against three nodes with certificates under load, one of which
# is killed: each panel must get data, and the alert for the node that does not answer must be pending.
#
#   docker/dashboard.sh BINARY [PICTURE.html]     needs prometheus, psql and python3; the picture shows what the panels would show
set -euo pipefail
quorate=$(realpath "${1:?the program}") picture=${2:+$(realpath "$2")}
cd "$(dirname "$0")"
source ../scripts/cluster.sh
begin 10
export PGPASSWORD=correct-horse
secure_cluster
sql "$(postgres 1)" 'CREATE TABLE t (n int PRIMARY KEY)'

printf %s "$PGPASSWORD" > "$dir/password"
cat > "$dir/prometheus.yml" <<C
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: ["$PWD/alerts.yml"]
scrape_configs:
  - job_name: quorate
    scheme: https
    tls_config: {ca_file: $dir/ca.crt, server_name: localhost}
    basic_auth: {username: quorate, password_file: $dir/password}
    static_configs: [{targets: ["127.0.0.1:$(http 1)", "127.0.0.1:$(http 2)", "127.0.0.1:$(http 3)"]}]
C
promtool check config "$dir/prometheus.yml" >/dev/null
prometheus --config.file="$dir/prometheus.yml" --storage.tsdb.path="$dir/tsdb" --web.listen-address="127.0.0.1:${ports[9]}" \
    >"$dir/prometheus.log" 2>&1 & pid[p]=$!
until_true curl -fs "http://127.0.0.1:${ports[9]}/-/ready"
curl -fs --cacert "$dir/ca.crt" -u "quorate:$PGPASSWORD" "https://localhost:$(http 1)/metrics" | promtool check metrics

for n in 1 2 3; do
    # Writes, reads, and an error now and then.
    (for i in $(seq 400); do echo "INSERT INTO t VALUES ($n * 1000 + $i); SELECT count(*) FROM t; INSERT INTO t VALUES ($n * 1000 + $i); SELECT pg_sleep(0.05);"; done) \
        | psql -Xq "$(at "$(postgres $n)")" \
        >/dev/null 2>&1 & pid[load$n]=$!
done
sleep 12
PGPASSWORD=wrong sql "$(postgres 1)" 'SELECT 1' >/dev/null 2>&1 || true
sleep 12
kill -9 "${pid[3]}"
sleep 8
python3 - "http://127.0.0.1:${ports[9]}" grafana/quorate.json "$picture" <<'P'
import html, json, sys, time, urllib.parse, urllib.request
at, dashboard, picture = sys.argv[1:]
def ask(path, **query):
    with urllib.request.urlopen(f"{at}/api/v1/{path}?{urllib.parse.urlencode(query)}") as answer:
        return json.load(answer)["data"]
now, empty, drawn = time.time(), [], []
panels = [p for p in json.load(open(dashboard))["panels"] if p.get("targets")]
for panel in panels:
    series = []
    for target in panel["targets"]:
        expr = target["expr"].replace("$__rate_interval", "15s").replace("[1m]", "[15s]")
        found = ask("query_range", query=expr, start=now - 30, end=now, step=1)["result"]
        points = [v for s in found for _, v in s["values"] if v != "NaN"]
        if not points:
            empty.append(f'{panel["title"]}: {expr}')
        series += found
    drawn.append((panel, series))
    last = [float(s["values"][-1][1]) for s in series]
    print(f'{panel["title"]}: {len(series)} series, now {", ".join(f"{v:.4g}" for v in last[:6])}')
pending = {a["labels"]["alertname"] for a in ask("alerts")["alerts"]}
print("alerts that are pending:", ", ".join(sorted(pending)))
if picture:
    colors = "#7eb26d #eab839 #6ed0e0 #ef843c #e24d42 #1f78c1 #ba43a9 #705da0".split()
    out = ["<body style='background:#111217;color:#ccc;font:13px sans-serif'><h2>Quorate</h2>"]
    for panel, series in drawn:
        out.append("<div style='display:inline-block;margin:6px;padding:8px;background:#181b1f;vertical-align:top'>")
        out.append(f"<b>{html.escape(panel['title'])}</b><br>")
        if panel["type"] == "stat":
            out.append("<span style='font-size:34px;color:#7eb26d'>" + ", ".join(f"{float(s['values'][-1][1]):.4g}" for s in series) + "</span></div>")
            continue
        top = max((float(v) for s in series for _, v in s["values"] if v != "NaN"), default=1) or 1
        low = min(0, min((float(v) for s in series for _, v in s["values"] if v != "NaN"), default=0))
        out.append("<svg width=380 height=150>")
        for i, s in enumerate(series):
            points = " ".join(f"{(t - now + 30) / 30 * 380:.1f},{140 - (float(v) - low) / ((top - low) or 1) * 130:.1f}" for t, v in s["values"] if v != "NaN")
            out.append(f"<polyline fill=none stroke='{colors[i % 8]}' stroke-width=1.5 points='{points}'/>")
        out.append(f"</svg><br><small>{top:.4g} at most; {len(series)} series</small></div>")
    open(picture, "w").write("".join(out))
if empty or "QuorateNodeDown" not in pending and not any("Down" in a or "Answer" in a for a in pending):
    sys.exit("no data or no alert:\n" + "\n".join(empty))
P
echo "each panel has data"
