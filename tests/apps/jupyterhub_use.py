"""JupyterHub's pages and its API: jupyterhub_use.py URL"""
import os, sys
from web import Browser, wait_for

api = Browser(sys.argv[1])
key = {"Authorization": f"token {os.environ['TOKEN']}"}
password = os.environ["PGPASSWORD"] + "-for-people"


def ask(path, data=None, method=None, may=()):
    return api.api(f"/hub/api{path}", data, method, key, may)


wait_for(lambda: ask("/info"), within=120)
for n in range(8):
    user = f"user{n}"
    # A person logs in by the page, which makes them known.
    person = Browser(sys.argv[1])
    person.get("/hub/login")
    person.submit("username", username=user, password=password)
    assert ask(f"/users/{user}").json()["name"] == user
    assert ask(f"/users", {"usernames": [f"made{n}a", f"made{n}b"]}, "POST").status == 201
    assert ask(f"/users/made{n}a", {}, "POST", may=(409,)).status == 409
    ask(f"/users/made{n}b", {"name": f"renamed{n}"}, "PATCH")
    ask(f"/groups/group{n}", {}, "POST")
    ask(f"/groups/group{n}/users", {"users": [user, f"made{n}a"]}, "POST")
    ask(f"/groups/group{n}/properties", {"limit": n}, "PUT")
    token = ask(f"/users/{user}/tokens", {"note": "for the script", "expires_in": 3600}, "POST").json()["token"]
    own = api.api("/hub/api/user", headers={"Authorization": f"token {token}"}).json()
    assert own["name"] == user and own["groups"] == [f"group{n}"], own
    if n in (1, 5):
        # Their own server.
        assert ask(f"/users/{user}/server", {}, "POST").status in (201, 202)
        wait_for(lambda: ask(f"/users/{user}").json()["servers"][""]["ready"], within=120)
        assert api.api(f"/user/{user}/api/status", headers={"Authorization": f"token {token}"}, may=(403,)).status in (200, 403)
        assert ask(f"/users/{user}/server", method="DELETE").status in (202, 204)
        wait_for(lambda: not ask(f"/users/{user}").json()["servers"], within=60)
    if n % 3 == 2:
        ask(f"/users/made{n}a", method="DELETE")
        ask(f"/groups/group{n}", method="DELETE")
    print(f"round {n}: {len(ask('/users').json())} people", flush=True)

people = {each["name"]: each for each in ask("/users?limit=100").json()}
for n in range(8):
    assert people[f"user{n}"]["groups"] == ([] if n % 3 == 2 else [f"group{n}"])
    assert f"renamed{n}" in people and (f"made{n}a" in people) == (n % 3 != 2)
assert sorted(g["name"] for g in ask("/groups").json()) == [f"group{n}" for n in range(8) if n % 3 != 2]
print(f"{len(people)} people in their groups, with their tokens; two had their servers")
