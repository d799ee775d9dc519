"""A browser for what uses an application as a person does: cookies, pages, and forms that are sent as they came but for what is
filled in."""
import html.parser, http.cookiejar, json, time, urllib.error, urllib.parse, urllib.request


class Forms(html.parser.HTMLParser):
    """The forms of a page: where each goes, and what it would send."""

    def __init__(self, text):
        super().__init__()
        self.forms, self.select, self.textarea = [], None, None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        a = dict(attributes)
        if tag == "form":
            self.forms.append({"action": a.get("action") or "", "method": (a.get("method") or "get").lower(), "fields": []})
        if not self.forms:
            return
        fields = self.forms[-1]["fields"]
        if tag == "input" and a.get("name"):
            kind = (a.get("type") or "text").lower()
            if kind in ("submit", "button", "image", "file", "reset"):
                return
            if kind in ("checkbox", "radio"):
                if "checked" in a:
                    fields.append((a["name"], a.get("value") or "on"))
            else:
                fields.append((a["name"], a.get("value") or ""))
        elif tag == "select":
            self.select = [a.get("name"), "multiple" in a, None, []]
        elif tag == "option" and self.select:
            value = a.get("value") or ""
            if self.select[2] is None:
                self.select[2] = value
            if "selected" in a:
                self.select[3].append(value)
        elif tag == "textarea":
            self.textarea = [a.get("name"), ""]

    def handle_data(self, data):
        if self.textarea:
            self.textarea[1] += data

    def handle_endtag(self, tag):
        if tag == "select" and self.select:
            name, several, first, chosen = self.select
            chosen = chosen or ([] if several or first is None else [first])
            if name and self.forms:
                self.forms[-1]["fields"] += [(name, value) for value in chosen]
            self.select = None
        elif tag == "textarea" and self.textarea:
            if self.textarea[0] and self.forms:
                self.forms[-1]["fields"].append((self.textarea[0], self.textarea[1].lstrip("\n")))
            self.textarea = None


class Page:
    def __init__(self, url, status, text):
        self.url, self.status, self.text = url, status, text

    def json(self):
        return json.loads(self.text)

    def form(self, having):
        """The form that has a field of this name, or whose address has this in it."""
        for form in Forms(self.text).forms:
            if having in form["action"] or any(name == having for name, _ in form["fields"]):
                return form
        raise AssertionError(f"{self.url}: no form with {having!r}; {self.text[:600]}")


class Browser:
    def __init__(self, base):
        self.base, self.cookies = base, http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))
        self.page = None

    def ask(self, path, data=None, headers={}, method=None, may=()):
        url = urllib.parse.urljoin(self.page.url if self.page else self.base, urllib.parse.quote(path, safe="%/:?&=#+,;@[]!$'()*~"))
        if isinstance(data, (list, dict)) and headers.get("Content-Type") == "application/json":
            data = json.dumps(data).encode()
        elif data is not None:
            data = urllib.parse.urlencode(data).encode()
        request = urllib.request.Request(url, data, {"Referer": url, **headers}, method=method)
        try:
            with self.opener.open(request, timeout=120) as answer:
                page = Page(answer.url, answer.status, answer.read().decode(errors="replace"))
        except urllib.error.HTTPError as e:
            page = Page(e.url, e.code, e.read().decode(errors="replace"))
            assert e.code in may, f"{method or ('POST' if data else 'GET')} {url}: {e.code} {page.text[-3000:]}"
        return page

    def get(self, path, **more):
        self.page = self.ask(path, **more)
        return self.page

    def api(self, path, data=None, method=None, headers={}, may=()):
        """A request with JSON in and out, which does not leave the page."""
        kind = {} if data is None else {"Content-Type": "application/json"}
        return self.ask(path, data, {"Accept": "application/json", **kind, **headers}, method, may)

    def submit(self, having, /, **fill):
        """Sends the present page's form. A value may be a list; None takes a field out."""
        form = self.page.form(having)
        fields = [(n, v) for n, v in form["fields"] if n not in fill]
        for n, v in fill.items():
            fields += [(n, each) for each in ([] if v is None else v if isinstance(v, list) else [v])]
        url = urllib.parse.urljoin(self.page.url, form["action"])
        if form["method"] == "get":
            self.page = self.ask(url.split("?")[0] + "?" + urllib.parse.urlencode(fields))
        else:
            self.page = self.ask(url, fields)
        return self.page


def wait_for(what, within=60):
    """Until `what` gives something that is true; it may raise meanwhile."""
    end = time.monotonic() + within
    while True:
        try:
            if found := what():
                return found
        except (OSError, AssertionError, LookupError, ValueError):
            if time.monotonic() > end:
                raise
        assert time.monotonic() < end, "not in time"
        time.sleep(0.1)
