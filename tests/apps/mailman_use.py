"""Mailman's API: mailman_use.py URL"""
import base64, os, sys
from web import Browser, wait_for

api = Browser(sys.argv[1])
key = {"Authorization": "Basic " + base64.b64encode(f"admin:{os.environ['PGPASSWORD']}".encode()).decode()}


def ask(path, data=None, method=None, may=()):
    page = api.api(f"/3.1{path}", data, method, key, may)
    return page.json() if page.status == 200 else page.status


wait_for(lambda: ask("/system/versions"), within=120)
assert ask("/domains", {"mail_host": "example.com", "description": "of the script"}) == 201
assert ask("/domains", {"mail_host": "example.com"}, may=(400,)) == 400
lists = []
for n in range(8):
    address = f"list{n}@example.com"
    assert ask("/lists", {"fqdn_listname": address}) == 201
    assert ask("/lists", {"fqdn_listname": address}, may=(400,)) == 400
    at = f"/lists/list{n}.example.com"
    for person in range(10):
        assert ask("/members", {"list_id": f"list{n}.example.com", "subscriber": f"user{person}@example.org", "display_name": f"Zoë {person}",
                                "pre_verified": True, "pre_confirmed": True, "pre_approved": True, "send_welcome_message": False}) == 201
    assert ask("/members", {"list_id": f"list{n}.example.com", "subscriber": "user1@example.org", "pre_verified": True, "pre_confirmed": True, "pre_approved": True}, may=(409,)) == 409
    assert ask("/members", {"list_id": f"list{n}.example.com", "subscriber": "owner@example.org", "role": "owner"}) == 201
    assert ask(f"{at}/bans", {"email": "^.*@example.net"}) == 201
    ask(f"{at}/config", {"description": f"List {n}", "accept_these_nonmembers": ["^x@"], "max_message_size": 100 + n}, "PATCH")
    ask(f"{at}/header-matches", {"header": "X-Spam", "pattern": "yes", "action": "discard"})
    config = ask(f"{at}/config")
    assert config["description"] == f"List {n}" and config["max_message_size"] == 100 + n and config["accept_these_nonmembers"] == ["^x@"]
    members = ask(f"{at}/roster/member?count=5&page=2")
    assert members["total_size"] == 10 and len(members["entries"]) == 5, members
    found = ask("/members/find", {"list_id": f"list{n}.example.com", "subscriber": "*er3*", "role": "member"})
    assert found["total_size"] == 1, found
    ask(f"/members/{ask('/members/find', {'list_id': f'list{n}.example.com', 'subscriber': 'user9@example.org'})['entries'][0]['member_id']}", method="DELETE")
    if n % 4 == 3:
        ask(at, method="DELETE")
    else:
        lists.append(address)
    print(f"round {n}: {len(lists)} lists", flush=True)

assert [each["fqdn_listname"] for each in ask("/lists")["entries"]] == lists
for n in (0, 1, 2, 4, 5, 6):
    assert ask(f"/lists/list{n}.example.com/roster/member?count=1&page=1")["total_size"] == 9
assert ask("/users/user1@example.org/addresses")["total_size"] == 1
print(f"{len(lists)} lists with 9 members each")
