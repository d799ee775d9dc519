"""PowerDNS's HTTP API, and its answers: powerdns_use.py URL DNS-PORT"""
import os, subprocess, sys
from web import Browser, wait_for

api = Browser(sys.argv[1])
key = {"X-API-Key": os.environ["PGPASSWORD"]}
zones = "/api/v1/servers/localhost/zones"


def ask(path, data=None, method=None, may=()):
    return api.api(path, data, method, key, may)


def dig(name, kind, *more):
    said = subprocess.run(["dig", "+short", "+tries=1", "+time=20", "@127.0.0.1", "-p", sys.argv[2], name, kind, *more], capture_output=True, text=True)
    return sorted(said.stdout.split("\n")[:-1])


wait_for(lambda: ask(zones))
for n in range(10):
    zone = f"zone{n}.example."
    made = ask(zones, {"name": zone, "kind": "Native", "nameservers": [f"ns1.{zone}", f"ns2.{zone}"], "dnssec": n % 2 == 0, "account": "shop"}, "POST")
    assert made.status == 201
    assert ask(zones, {"name": zone, "kind": "Native", "nameservers": []}, "POST", may=(409,)).status == 409
    for host in range(3):
        change = {"name": f"h{host}.{zone}", "type": "A", "ttl": 60, "changetype": "REPLACE",
                  "records": [{"content": f"192.0.2.{last}", "disabled": False} for last in (host + 1, n + 100)],
                  "comments": [{"content": "of the script", "account": "shop"}]}
        assert ask(f"{zones}/{zone}", {"rrsets": [change]}, "PATCH").status == 204
        assert dig(f"h{host}.{zone}", "A") == sorted(change["records"][i]["content"] for i in (0, 1))
    assert ask(f"{zones}/{zone}", {"rrsets": [{"name": f"h2.{zone}", "type": "A", "changetype": "DELETE"}]}, "PATCH").status == 204
    assert dig(f"h2.{zone}", "A") == []
    assert dig(zone, "NS") == [f"ns1.{zone}", f"ns2.{zone}"]
    assert bool(dig(f"h0.{zone}", "RRSIG")) == (n % 2 == 0) or dig(f"h0.{zone}", "A", "+dnssec")
    found = ask(f"/api/v1/servers/localhost/search-data?q=*h1.zone{n}*&max=10").json()
    assert any(each["object_type"] == "record" for each in found), found
    if n % 4 == 3:
        assert ask(f"{zones}/{zone}", method="DELETE").status == 204
        assert dig(zone, "SOA") == []
    print(f"round {n}: {len(ask(zones).json())} zones", flush=True)

for n in range(10):
    answers = dig(f"h1.zone{n}.example.", "A")
    assert len(answers) == (0 if n % 4 == 3 else 2), (n, answers)
print("10 zones made, 2 of them deleted; every record answers as it was set")
