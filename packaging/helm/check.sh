#!/usr/bin/env bash
# Renders the chart with several values, and validates what comes of it against the schemas of Kubernetes.
#
#   packaging/helm/check.sh          needs helm (go install helm.sh/helm/v3/cmd/helm@v3.17.3) and kubernetes-validate (pip)
set -euo pipefail
cd "$(dirname "$0")"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
helm lint --strict quorate
render() { # render NAME FLAGS…
    local name=$1; shift
    helm template my-db quorate --namespace data "$@" > "$out/$name.yaml"
    for version in ${KUBERNETES:-1.27 1.31 1.33}; do kubernetes-validate --strict --quiet -k "$version" "$out/$name.yaml"; done
    # What a schema does not see: a selector that finds the pods, a founder for each of the first three, mounts of volumes that are there.
    python3 - "$out/$name.yaml" <<'P'
import sys, yaml
docs = [doc for doc in yaml.safe_load_all(open(sys.argv[1])) if doc]
kinds = sorted(doc["kind"] for doc in docs)
assert kinds == ["PodDisruptionBudget", "Service", "Service", "StatefulSet"], kinds
of = lambda kind: [doc for doc in docs if doc["kind"] == kind]
sts = of("StatefulSet")[0]
pod = sts["spec"]["template"]
labels = pod["metadata"]["labels"].items()
for doc in of("Service"):
    assert doc["spec"]["selector"].items() <= labels, doc
assert of("PodDisruptionBudget")[0]["spec"]["selector"]["matchLabels"].items() <= labels
headless = [doc for doc in of("Service") if doc["spec"].get("clusterIP") == "None"]
assert [doc["metadata"]["name"] for doc in headless] == [sts["spec"]["serviceName"]]
volumes = {v["name"] for v in pod["spec"]["volumes"]} | {c["metadata"]["name"] for c in sts["spec"]["volumeClaimTemplates"]}
for container in pod["spec"]["initContainers"] + pod["spec"]["containers"]:
    assert {m["name"] for m in container["volumeMounts"]} <= volumes
    assert container["securityContext"]["readOnlyRootFilesystem"]
node = pod["spec"]["containers"][0]
env = {e["name"]: e.get("value") for e in node["env"]}
assert env["FOUNDERS"].count("@") == min(3, sts["spec"]["replicas"]), env
assert all(f.split("@")[1].startswith(f.split("=")[1].split("@")[0]) for f in env["FOUNDERS"].split(","))
assert node["readinessProbe"]["httpGet"]["path"] == "/ready"
P
    echo "$name: $(grep -c '^kind:' "$out/$name.yaml") objects are valid"
}
render defaults
render five --set replicas=5 --set antiAffinity=required --set storage.className=fast --set service.type=LoadBalancer \
    --set 'podAnnotations.a=b,podLabels.c=d,nodeSelector.disk=ssd' --set 'extraEnv[0].name=QUORATE_LOG_FORMAT,extraEnv[0].value=json' \
    --set 'tolerations[0].key=x,tolerations[0].operator=Exists,imagePullSecrets[0].name=registry'
render one --set replicas=1
