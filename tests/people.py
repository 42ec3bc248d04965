"""The people of the tests: a reader who answers, and a moderator at the desk. They only use HTTP."""

from __future__ import annotations

import itertools
from typing import Any
from weakref import WeakKeyDictionary

from flask import Flask
from lxml import html
from werkzeug.test import TestResponse

_numbers = itertools.count(1)
_forms: WeakKeyDictionary[Flask, dict[str, dict[str, str]]] = WeakKeyDictionary()
DECISIONS = 'form[action^="/moderation/decisions"]'


class Page:
    """An answer as a person sees it."""

    def __init__(self, response: TestResponse) -> None:
        self.response = response
        self.status = response.status_code
        self.text = response.get_data(as_text=True)
        response.close()
        self.headers = response.headers
        self._tree: Any = None

    @property
    def tree(self) -> Any:
        """The parsed document."""
        if self._tree is None:
            self._tree = html.document_fromstring(self.text)
        return self._tree

    def all(self, selector: str) -> list[Any]:
        """Every element that the CSS selector finds."""
        return list(self.tree.cssselect(selector))

    def one(self, selector: str) -> Any:
        """The only element that the CSS selector finds."""
        found = self.all(selector)
        assert len(found) == 1, f"{len(found)} elements match {selector}"
        return found[0]

    def words(self, selector: str = "body") -> str:
        """The text of the elements, with single spaces."""
        return " ".join(" ".join(element.text_content() for element in self.all(selector)).split())

    def fields(self, selector: str) -> dict[str, str]:
        """The fields of a form with their values, as a browser would send them."""
        values = {}
        for element in self.one(selector).cssselect("input, textarea, select"):
            name, kind = element.get("name"), element.get("type", "")
            if (
                not name
                or kind in ("submit", "button")
                or (kind in ("checkbox", "radio") and "checked" not in element.attrib)
            ):
                continue
            # A browser drops the line break right after <textarea>; lxml keeps it.
            value = element.value if element.tag != "textarea" else (element.text or "").removeprefix("\n")
            values[name] = value or ""
        return values


class Person:
    """A browser without scripts."""

    def __init__(self, app: Flask, **environ: Any) -> None:
        self.app = app
        self.client = app.test_client()
        self.client.environ_base = {**self.client.environ_base, **environ}

    def get(self, path: str, **options: Any) -> Page:
        """Open an address."""
        return Page(self.client.get(path, **options))

    def post(self, path: str, data: Any = None, **options: Any) -> Page:
        """Send a form."""
        return Page(self.client.post(path, data=data, **options))


class Reader(Person):
    """Somebody who reads and answers."""

    def answer(self, slug: str = "open-letter", form_at: str | None = None, **typed: Any) -> Page:
        """Fill in the article's form and send it; what is not named gets a value of its own."""
        number = next(_numbers)
        fields = self._form(form_at or f"/posts/{slug}/")
        fields.update(
            author=f"Reader {number}", email=f"reader{number}@example.org", body=f"Answer {number}."
        )
        fields.update(typed)
        return self.post(
            f"/posts/{slug}/comments", {key: value for key, value in fields.items() if value is not None}
        )

    def _form(self, path: str) -> dict[str, str]:
        """The fields of the article's form, which every reader may send for a day, however often."""
        known = _forms.setdefault(self.app, {})
        if path not in known:
            known[path] = self.get(path).fields("#comment-form")
        return known[path].copy()

    def receipt_of(self, answered: Page) -> Page:
        """Follow the answer to its receipt."""
        assert answered.status == 303, f"{answered.status}: {answered.words('main')[:400]}"
        return self.get(answered.headers["Location"])

    def stored(self, **typed: Any) -> str:
        """The address of the receipt of an answer that was taken."""
        answered = self.answer(**typed)
        assert answered.status == 303, f"{answered.status}: {answered.words('main')[:400]}"
        return answered.headers["Location"]


class Moderator(Person):
    """Somebody at the desk."""

    _token = ""

    def sign_in(self, name: str, password: str) -> Page:
        """Sign in with the form."""
        fields = self.get("/login").fields("form[method=post]")
        page = self.post("/login", {**fields, "name": name, "password": password})
        assert page.status == 303, page.words()
        self._token = ""
        return page

    def desk(self, **query: Any) -> Page:
        """A view of the desk."""
        return Page(self.client.get("/moderation/", query_string=query))

    def decide(self, decision: str, *comments: int, **fields: Any) -> Page:
        """Send a decision about comments."""
        # The token of any of the desk's forms is good for all of them, as long as one is signed in.
        self._token = self._token or self.desk(status="all").fields(DECISIONS).get("csrf_token", "")
        data = {
            "csrf_token": self._token,
            "decision": decision,
            "comment": [str(number) for number in comments],
            **fields,
        }
        return self.post("/moderation/decisions", data)
