"""Redmine's pages and its API: redmine_use.py URL"""
import os, re, sys
from web import Browser, wait_for

password = os.environ["PGPASSWORD"]
browser = Browser(sys.argv[1])
wait_for(lambda: browser.get("/login"), within=120)
browser.submit("username", username="admin", password="admin")
# The first log-in asks for another password.
browser.submit("new_password", password="admin", new_password=password, new_password_confirmation=password)
browser.get("/settings?tab=api")
browser.submit("settings[rest_api_enabled]", **{"settings[rest_api_enabled]": "1"})
key = {"X-Redmine-API-Key": re.search(r"[0-9a-f]{40}", browser.get("/my/api_key").text).group(0)}
api = Browser(sys.argv[1])


def ask(path, data=None, method=None, may=()):
    return api.api(path, data, method, key, may)


issues = 0
for n in range(8):
    user = ask("/users.json", {"user": {"login": f"user{n}", "firstname": "Zoë", "lastname": str(n), "mail": f"user{n}@example.com", "password": "a-Str0ng-one"}}, "POST").json()["user"]["id"]
    assert ask("/users.json", {"user": {"login": f"user{n}", "firstname": "x", "lastname": "y", "mail": "z@example.com", "password": "a-Str0ng-one"}}, "POST", may=(422,)).status == 422
    project = ask("/projects.json", {"project": {"name": f"Project {n}", "identifier": f"project-{n}", "enabled_module_names": ["issue_tracking", "time_tracking", "wiki", "news"]}}, "POST").json()["project"]["id"]
    ask(f"/projects/{project}/memberships.json", {"membership": {"user_id": user, "role_ids": [3, 4]}}, "POST")
    ask(f"/projects/{project}/versions.json", {"version": {"name": "1.0"}}, "POST")
    made = []
    for i in range(5):
        issue = {"project_id": project, "subject": f"Issue {i} of {n}", "description": "the quick brown fox", "assigned_to_id": user, "estimated_hours": i}
        made.append(ask("/issues.json", {"issue": issue | ({"parent_issue_id": made[0]} if i == 4 else {})}, "POST").json()["issue"]["id"])
    ask(f"/issues/{made[1]}.json", {"issue": {"status_id": 2, "notes": "begun", "done_ratio": 50}}, "PUT")
    ask(f"/issues/{made[2]}/relations.json", {"relation": {"issue_to_id": made[3], "relation_type": "blocks"}}, "POST")
    ask("/time_entries.json", {"time_entry": {"issue_id": made[1], "hours": 1.5, "activity_id": 9, "comments": "worked"}}, "POST", may=(422,))
    ask(f"/projects/{project}/wiki/Start.json", {"wiki_page": {"text": "h1. Start"}}, "PUT")
    shown = ask(f"/issues/{made[1]}.json?include=journals,relations,children").json()["issue"]
    assert shown["status"]["id"] == 2 and shown["journals"][0]["notes"] == "begun", shown
    assert ask(f"/issues.json?project_id={project}&status_id=*&sort=updated_on:desc,priority&assigned_to_id={user}").json()["total_count"] == 5
    found = browser.get(f"/search?q=fox&scope=all&issues=1&limit=5")
    assert f"of {n}" in found.text
    # The list by its page: columns, groups, totals.
    page = browser.get(f"/projects/project-{n}/issues?set_filter=1&c[]=subject&c[]=parent&c[]=spent_hours&group_by=status&t[]=estimated_hours&sort=spent_hours:desc")
    assert f"Issue 1 of {n}" in page.text and "Estimated" in page.text
    ask(f"/issues/{made[0]}.json", method="DELETE")
    issues += 3
    if n % 4 == 3:
        ask(f"/projects/{project}.json", method="DELETE")
        ask(f"/users/{user}.json", method="DELETE")
        issues -= 3
    print(f"round {n}: {issues} issues", flush=True)

wait_for(lambda: ask("/issues.json?status_id=*").json()["total_count"] == issues)
assert ask("/projects.json").json()["total_count"] == 6
assert ask("/users.json").json()["total_count"] == 7
assert "Project 0" in browser.get("/projects").text and "user0" in browser.get("/users").text
print(f"{issues} issues of 6 projects, with their people, journals and relations")
