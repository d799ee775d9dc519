"""Keycloak's API: keycloak_use.py URL"""
import os, sys
from web import Browser, wait_for

api = Browser(sys.argv[1])


def token(realm, client, **more):
    return api.ask(f"/realms/{realm}/protocol/openid-connect/token", {"client_id": client, **more}).json()


def ask(path, data=None, method=None, may=()):
    key = token("master", "admin-cli", grant_type="password", username="admin", password=os.environ["PGPASSWORD"])["access_token"]
    return api.api(f"/admin/realms{path}", data, method, {"Authorization": f"Bearer {key}"}, may)


wait_for(lambda: ask(""), within=600)
for n in range(8):
    realm = f"realm{n}"
    assert ask("", {"realm": realm, "enabled": True, "registrationAllowed": True, "attributes": {"number": str(n)}}, "POST").status == 201
    assert ask("", {"realm": realm}, "POST", may=(409,)).status == 409
    at = f"/{realm}"
    ask(f"{at}/clients", {"clientId": "shop", "publicClient": True, "directAccessGrantsEnabled": True, "redirectUris": ["http://127.0.0.1/*"]}, "POST")
    ask(f"{at}/roles", {"name": "buyer", "description": "of the script"}, "POST")
    role = ask(f"{at}/roles/buyer").json()
    ask(f"{at}/groups", {"name": "people", "attributes": {"colour": ["red", "blue"]}}, "POST")
    group = ask(f"{at}/groups").json()[0]["id"]
    for person in range(4):
        ask(f"{at}/users", {"username": f"user{person}", "email": f"user{person}@example.com", "firstName": "Zoë", "lastName": str(person), "enabled": True, "emailVerified": True,
                            "credentials": [{"type": "password", "value": "a-Str0ng-one", "temporary": False}]}, "POST")
    assert ask(f"{at}/users", {"username": "user0"}, "POST", may=(409,)).status == 409
    people = {p["username"]: p["id"] for p in ask(f"{at}/users?max=10").json()}
    for person in people.values():
        ask(f"{at}/users/{person}/role-mappings/realm", [role], "POST")
        ask(f"{at}/users/{person}/groups/{group}", {}, "PUT")
    logged_in = token(realm, "shop", grant_type="password", username="user1", password="a-Str0ng-one", scope="openid")
    again = token(realm, "shop", grant_type="refresh_token", refresh_token=logged_in["refresh_token"])
    who = api.api(f"/realms/{realm}/protocol/openid-connect/userinfo", headers={"Authorization": f"Bearer {again['access_token']}"}).json()
    assert who["preferred_username"] == "user1" and who["email"] == "user1@example.com", who
    assert len(ask(f"{at}/roles/buyer/users").json()) == 4 and len(ask(f"{at}/groups/{group}/members").json()) == 4
    assert [p["username"] for p in ask(f"{at}/users?search=USER2").json()] == ["user2"]
    ask(f"{at}/users/{people['user3']}", method="DELETE")
    if n % 4 == 3:
        ask(at, method="DELETE")
        assert ask(at, may=(404,)).status == 404
    print(f"round {n}", flush=True)

realms = {r["realm"]: r for r in ask("").json()}
assert sorted(realms) == ["master"] + [f"realm{n}" for n in range(8) if n % 4 != 3]
for realm in set(realms) - {"master"}:
    assert ask(f"/{realm}/users/count").text == "3" and realms[realm]["attributes"]["number"] == realm[-1]
print(f"{len(realms) - 1} realms with their clients, roles, groups and people")
