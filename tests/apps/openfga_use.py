"""OpenFGA's HTTP API: openfga_use.py URL"""
import sys
from web import Browser, wait_for

api = Browser(sys.argv[1])
ask = lambda path, data=None, method=None, may=(): api.api(path, data, method, may=may)
wait_for(lambda: ask("/healthz"))
direct = {"this": {}}
model = {
    "schema_version": "1.1",
    "type_definitions": [
        {"type": "user"},
        {"type": "group", "relations": {"member": direct}, "metadata": {"relations": {"member": {"directly_related_user_types": [{"type": "user"}, {"type": "group", "relation": "member"}]}}}},
        {"type": "folder", "relations": {"viewer": direct}, "metadata": {"relations": {"viewer": {"directly_related_user_types": [{"type": "user"}, {"type": "group", "relation": "member"}]}}}},
        {"type": "document",
         "relations": {"parent": direct, "owner": direct,
                       "viewer": {"union": {"child": [direct, {"computedUserset": {"relation": "owner"}},
                                                      {"tupleToUserset": {"tupleset": {"relation": "parent"}, "computedUserset": {"relation": "viewer"}}}]}}},
         "metadata": {"relations": {"parent": {"directly_related_user_types": [{"type": "folder"}]}, "owner": {"directly_related_user_types": [{"type": "user"}]},
                                    "viewer": {"directly_related_user_types": [{"type": "user"}, {"type": "user", "wildcard": {}}]}}}},
    ],
}
stores = []
for n in range(12):
    store = ask("/stores", {"name": f"store {n}"}).json()["id"]
    at = f"/stores/{store}"
    version = ask(f"{at}/authorization-models", model).json()["authorization_model_id"]
    t = lambda user, relation, object: {"user": user, "relation": relation, "object": object}
    tuples = [t("user:ann", "member", "group:inner"), t("group:inner#member", "member", "group:outer"), t("group:outer#member", "viewer", "folder:plans"),
              t("folder:plans", "parent", "document:roadmap"), t("user:bob", "owner", "document:roadmap"), t("user:*", "viewer", "document:open")]
    tuples += [t(f"user:u{i}", "viewer", f"document:d{i}") for i in range(30)]
    ask(f"{at}/write", {"writes": {"tuple_keys": tuples}, "authorization_model_id": version})
    # All or nothing: one that is there already refuses them all.
    assert ask(f"{at}/write", {"writes": {"tuple_keys": [t("user:new", "owner", "document:new"), tuples[0]]}}, may=(400, 409)).status in (400, 409)
    check = lambda user, object: ask(f"{at}/check", {"tuple_key": t(user, "viewer", object), "consistency": "HIGHER_CONSISTENCY"}).json()["allowed"]
    assert check("user:ann", "document:roadmap") and check("user:bob", "document:roadmap") and check("user:anybody", "document:open")
    assert not check("user:new", "document:new") and not check("user:carl", "document:roadmap")
    ask(f"{at}/write", {"deletes": {"tuple_keys": [tuples[1]]}})
    assert not check("user:ann", "document:roadmap")
    listed = ask(f"{at}/list-objects", {"type": "document", "relation": "viewer", "user": "user:bob"}).json()["objects"]
    assert sorted(listed) == ["document:open", "document:roadmap"], listed
    found, token = [], ""
    while True:
        page = ask(f"{at}/read", {"page_size": 10, "continuation_token": token}).json()
        found += page["tuples"]
        token = page["continuation_token"]
        if not token:
            break
    assert len(found) == len(tuples) - 1, len(found)
    changes = ask(f"{at}/changes?page_size=50").json()["changes"]
    assert len(changes) == len(tuples) + 1, len(changes)
    if n % 4 == 3:
        ask(at, method="DELETE")
        assert ask(at, may=(404,)).status == 404
    else:
        stores.append(store)
    print(f"round {n}: {len(stores)} stores", flush=True)

assert sorted(s["id"] for s in ask("/stores?page_size=50").json()["stores"]) == sorted(stores)
for store in stores:
    assert len(ask(f"/stores/{store}/read", {"page_size": 100}).json()["tuples"]) == 35
print(f"{len(stores)} stores with their models and relations")
