"""Django's admin, page by page: django_use.py URL"""
import os, re, sys
from web import Browser, wait_for

browser = Browser(sys.argv[1])
wait_for(lambda: browser.get("/admin/login/"))
browser.submit("username", username="admin", password=os.environ["PGPASSWORD"])
assert "Site administration" in browser.page.text


def number():
    return re.search(r"/(\d+)/(?:change|delete)/", browser.page.url).group(1)


def shown(path):
    return int(re.search(r"(\d+) (?:user|group|entr)", browser.get(path).text).group(1))


people = []
for n in range(12):
    # A group with permissions, and a person in it.
    browser.get("/admin/auth/group/add/")
    permissions = re.findall(r'<option value="(\d+)"', browser.page.text)[n : n + 3]
    browser.submit("name", name=f"group {n}", permissions=permissions, _continue="1")
    group = number()
    browser.get("/admin/auth/user/add/")
    browser.submit("username", username=f"user{n}", password1="a-Str0ng-one", password2="a-Str0ng-one", usable_password="true", _continue="1")
    user = number()
    browser.submit("first_name", first_name=f"Zoë {n}", email=f"user{n}@example.com", groups=[group], is_staff="on", _save="1")
    people.append(user)
    # The same name again is refused by the form, which asks the database.
    browser.get("/admin/auth/user/add/")
    browser.submit("username", username=f"USER{n}".lower(), password1="a-Str0ng-one", password2="a-Str0ng-one", usable_password="true")
    assert "already exists" in browser.page.text
    # Lists: search, filters, order, dates.
    assert shown(f"/admin/auth/user/?q=user{n}&is_staff__exact=1&groups__id__exact={group}&o=-1.2") == 1
    # The new person logs in, and out.
    if n % 4 == 0:
        other = Browser(sys.argv[1])
        other.get("/admin/login/")
        other.submit("username", username=f"user{n}", password="a-Str0ng-one")
        assert "Site administration" in other.page.text or "permission" in other.page.text
        other.submit("logout")
    # A third of them go again: one by the page, others by the list's action; a group too.
    if n % 3 == 2:
        browser.get(f"/admin/auth/user/{user}/delete/")
        browser.submit("post")
        assert browser.get(f"/admin/auth/group/").status == 200
        browser.submit("action", action="delete_selected", _selected_action=[group], index="0")
        browser.submit("post", action="delete_selected", _selected_action=[group])
        people.pop()
    print(f"round {n}: {len(people)} people", flush=True)

assert shown("/admin/auth/user/") == len(people) + 1
assert shown("/admin/auth/group/") == len(people)
for user in people:
    page = browser.get(f"/admin/auth/user/{user}/history/").text
    assert "Added" in page and "Changed" in page, page
    assert f"@example.com" in browser.get(f"/admin/auth/user/{user}/change/").text
print(f"{len(people)} people and groups, with their histories, after {n + 1} rounds")
