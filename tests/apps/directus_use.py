"""Directus' API: directus_use.py URL"""
import os, sys
from web import Browser, wait_for

api = Browser(sys.argv[1])
wait_for(lambda: api.api("/server/ping"), within=120)
key = api.api("/auth/login", {"email": "admin@example.com", "password": os.environ["PGPASSWORD"]}).json()["data"]["access_token"]


def ask(path, data=None, method=None, may=()):
    page = api.api(path, data, method, {"Authorization": f"Bearer {key}"}, may)
    return page.json()["data"] if page.status == 200 else page.status


for n in range(6):
    town, person = f"town{n}", f"person{n}"
    ask("/collections", {"collection": town, "schema": {}, "meta": {}, "fields": [
        {"field": "id", "type": "integer", "schema": {"is_primary_key": True, "has_auto_increment": True}},
        {"field": "name", "type": "string", "schema": {"is_unique": True, "is_nullable": False}},
        {"field": "founded", "type": "date", "schema": {}}, {"field": "facts", "type": "json", "schema": {}}, {"field": "size", "type": "decimal", "schema": {"numeric_precision": 10, "numeric_scale": 2}}]})
    ask("/collections", {"collection": person, "schema": {}, "meta": {}, "fields": [
        {"field": "id", "type": "uuid", "schema": {"is_primary_key": True, "has_auto_increment": False}, "meta": {"special": ["uuid"]}},
        {"field": "name", "type": "string", "schema": {}}, {"field": "created", "type": "timestamp", "schema": {}, "meta": {"special": ["date-created"]}}]})
    ask(f"/fields/{person}", {"field": "town", "type": "integer", "schema": {}, "meta": {}})
    ask("/relations", {"collection": person, "field": "town", "related_collection": town, "schema": {"on_delete": "SET NULL"}, "meta": {}})
    towns = ask(f"/items/{town}", [{"name": f"Town {i}", "founded": f"12{i:02}-01-01", "facts": {"rank": i, "tags": ["a", "b"]}, "size": f"{i}.25"} for i in range(20)])
    assert ask(f"/items/{town}", {"name": "Town 1"}, may=(400,)) == 400
    ask(f"/items/{person}", [{"name": f"Person {i}", "town": towns[i % 20]["id"]} for i in range(40)])
    few = ask(f'/items/{town}?filter={{"_and":[{{"founded":{{"_gte":"1205-01-01"}}}},{{"name":{{"_icontains":"town%201"}}}}]}}&sort=-size&fields=*')
    assert [t["name"] for t in few] == [f"Town {i}" for i in range(19, 9, -1)] and few[0]["size"] in ("19.25", "19.25000", 19.25) and few[0]["facts"]["rank"] == 19, few
    deep = ask(f'/items/{person}?fields=name,town.name,town.facts&filter={{"town":{{"name":{{"_eq":"Town 3"}}}}}}&sort=name')
    assert [d["name"] for d in deep] == ["Person 23", "Person 3"] and deep[0]["town"]["facts"]["rank"] == 3, deep
    groups = ask(f"/items/{person}?aggregate[count]=*&groupBy[]=town&sort=town&limit=-1")
    assert len(groups) == 20 and all(int(g["count"] if not isinstance(g["count"], dict) else g["count"]["*"]) == 2 for g in groups), groups
    ask(f"/items/{town}/{towns[0]['id']}", {"name": "Lübeck"}, "PATCH")
    ask(f"/items/{town}/{towns[5]['id']}", method="DELETE")
    assert len(ask(f'/items/{person}?filter={{"town":{{"_null":true}}}}')) == 2
    assert len(ask(f"/revisions?filter[collection][_eq]={town}&limit=-1")) == 21
    ask(f"/fields/{town}/size", {"field": "size", "type": "decimal", "schema": {"numeric_precision": 12, "numeric_scale": 3, "is_nullable": True}}, "PATCH")
    if n % 3 == 2:
        ask(f"/collections/{person}", method="DELETE")
        ask(f"/collections/{town}", method="DELETE")
    print(f"round {n}", flush=True)

left = [c["collection"] for c in ask("/collections") if not c["collection"].startswith("directus_")]
assert sorted(left) == sorted(f"{kind}{n}" for kind in ("town", "person") for n in range(6) if n % 3 != 2), left
for n in (0, 1, 3, 4):
    assert len(ask(f"/items/town{n}?limit=-1")) == 19 and len(ask(f"/items/person{n}?limit=-1")) == 40
print("12 tables made, 4 of them dropped, with their relations, rows and revisions")
