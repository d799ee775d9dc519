"""Buildbot's web API: buildbot_use.py URL"""
import sys
from web import Browser, wait_for

api = Browser(sys.argv[1])


def ask(path, data=None):
    return api.api(f"/api/v2{path}", data, "POST" if data else None).json()


wait_for(lambda: ask("/workers")["workers"][0]["connected_to"], within=120)
builder = {each["name"]: each["builderid"] for each in ask("/builders")["builders"]}
for n in range(8):
    said = ask("/forceschedulers/force", {"id": n, "jsonrpc": "2.0", "method": "force",
               "params": {"builderid": builder["check"], "reason": f"round {n}", "branch": "main", "project": "p", "repository": "", "revision": f"r{n}"}})
    request = said["result"][0]
    wait_for(lambda: ask(f"/buildsets/{request}")["buildsets"][0]["complete"], within=120)
    (build,) = ask(f"/builders/{builder['check']}/builds?order=-number&limit=1&property=*")["builds"]
    assert build["number"] == n + 1 and build["complete"] and build["results"] == 1, build
    assert build["properties"]["made"] == [f"made of round {n}", "SetPropertyFromCommand Step"], build["properties"]
    steps = ask(f"/builds/{build['buildid']}/steps")["steps"]
    assert [s["name"] for s in steps][-3:] == ["count", "fails", "trigger"] and all(s["complete"] for s in steps), steps
    (log,) = ask(f"/steps/{steps[-3]['stepid']}/logs")["logs"]
    lines = api.ask(f"/api/v2/logs/{log['logid']}/raw").text.split("\n")
    assert "300" in lines and "1" in lines, lines
    chunk = ask(f"/logs/{log['logid']}/contents?offset=100&limit=3")["logchunks"][0]["content"]
    assert chunk.count("\n") == 3, chunk
    print(f"round {n}: {len(ask('/builds')['builds'])} builds", flush=True)

builds = ask("/builds?complete=true&field=buildid&field=results&field=complete&order=buildid")["builds"]
assert len(builds) == 16 and sorted(b["results"] for b in builds) == [0] * 8 + [1] * 8, builds
assert len(ask("/changes")["changes"]) == 0 and len(ask("/buildrequests?complete=true")["buildrequests"]) == 16
print("16 builds, with their steps, properties and logs")
