"""What holds at every address that there is: the list is the application's own, so a new one is in it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Rule

from blog.catalogue import RESERVED_PAGES
from tests.akismet_standin import HAM, SPAM, AkismetStandIn
from tests.conftest import signed_in
from tests.people import Moderator, Page, Person, Reader
from tests.test_backups import rows

EMAIL, ADDRESS, BROWSER = "zora.quell@mail.example", "198.51.100.77", "Quellbrowser/7.7"
FOREIGN = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}


def addresses(app: Flask, method: str, **known: Any) -> list[str]:
    """Each route that takes this method, with these values in the place of its variables."""
    values = {"slug": "open-letter", "name": "hold", "form": "json", **known}
    adapter = app.url_map.bind("localhost")
    rules: list[Rule] = [rule for rule in app.url_map.iter_rules() if method in (rule.methods or ())]
    return sorted(
        {
            adapter.build(
                rule.endpoint, {name: values.get(name, 1) for name in rule.arguments}, method=method
            )
            for rule in rules
        }
    )


def store(tmp_path: Path) -> dict[str, list[Any]]:
    """All that is stored, without the counters of limits, which count attempts."""
    return {
        name: found for name, found in rows(tmp_path / "data" / "blog.db").items() if name != "rate_limit"
    }


def test_no_page_of_an_author_can_take_an_address_of_the_blog(app: Flask) -> None:
    rules = [rule.rule for rule in app.url_map.iter_rules()]
    firsts = {rule.split("/")[1].partition(".")[0] for rule in rules}
    ours = {name for name in firsts if name and not name.startswith("<")}
    assert {"theme", "mail", "moderation-report"} <= ours
    assert ours <= RESERVED_PAGES


@pytest.fixture
def busy(app: Flask, akismet: AkismetStandIn) -> tuple[Reader, str]:
    """A blog with something in every state; a reader, and the token of the first comment's receipt."""
    zora = Reader(app, REMOTE_ADDR=ADDRESS, HTTP_USER_AGENT=BROWSER)
    receipt = zora.stored(author="Zora", email=EMAIL, body="Approved words.")
    akismet.answer_with(SPAM)
    zora.stored(author="Zora", email=EMAIL, body="Spammy words.")
    akismet.answer_with(HAM)
    zora.stored(author="Zora", email=EMAIL, body="Waiting words.", no_akismet="y")
    return zora, receipt.rsplit("/", 1)[-1]


@pytest.mark.parametrize("who", ["a visitor", "a moderator"])
def test_reading_changes_nothing(app: Flask, busy: tuple[Reader, str], tmp_path: Path, who: str) -> None:
    person: Person = signed_in(app) if who == "a moderator" else busy[0]
    before = store(tmp_path)
    for address in addresses(app, "GET", token=busy[1]):
        for method in ("GET", "HEAD", "OPTIONS"):
            query = {"decision": "approve", "comment": "3", "status": "all", "q": "words"}
            answer = person.client.open(address, method=method, query_string=query)
            assert answer.status_code < 500, (method, address)
    assert store(tmp_path) == before


def test_every_change_needs_a_form_of_ours(app: Flask, busy: tuple[Reader, str], tmp_path: Path) -> None:
    people: list[Person] = [busy[0], signed_in(app)]
    typed = {
        "author": "Eve", "email": "eve@evil.example", "body": "Words of another site.", "words": "Please.",
        "decision": "approve", "comment": "3", "name": "eve", "password": "a password of evil",
        "role": "owner", "reason": "other", "note": "no",
    }  # fmt: skip
    before = store(tmp_path)
    for person in people:
        for address in addresses(app, "POST", token=busy[1]):
            answer = person.client.post(address, data=typed, headers=FOREIGN)
            assert 400 <= answer.status_code < 500 or address == "/logout", (address, answer.status_code)
    assert store(tmp_path) == before


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "FROB"])
def test_other_methods_change_nothing(
    app: Flask, busy: tuple[Reader, str], tmp_path: Path, method: str
) -> None:
    person, before = signed_in(app), store(tmp_path)
    for address in addresses(app, "POST", token=busy[1]) + addresses(app, "GET", token=busy[1]):
        assert person.client.open(address, method=method).status_code in (400, 403, 404, 405, 501), address
    assert store(tmp_path) == before


def test_nothing_private_is_in_any_public_answer(app: Flask, busy: tuple[Reader, str]) -> None:
    stranger = Person(app)
    secret = [EMAIL, EMAIL.upper(), ADDRESS, BROWSER, busy[1], "Spammy", "Waiting words"]
    for kind in ("md5", "sha1", "sha256"):
        secret.extend(hashlib.new(kind, text.encode()).hexdigest() for text in (EMAIL, ADDRESS, BROWSER))
    for address in addresses(app, "GET", token="unknown"):
        page = stranger.get(address)
        shown = page.text + repr(page.headers)
        assert not [word for word in secret if word in shown], address
    assert "Approved words." in stranger.get("/posts/open-letter/").text


def test_what_may_not_be_replied_to_is_not_told_apart(app: Flask, busy: tuple[Reader, str]) -> None:
    """Spam, pending, of another article, and never there: one answer."""
    busy[0].stored(slug="second", body="Elsewhere.")
    stranger = Reader(app)

    def seen(parent: str) -> tuple[int, str]:
        page = stranger.answer(parent=parent, author="Al", email="al@example.org", body="A reply.")
        return page.status, page.text

    answers = {seen(parent) for parent in ("2", "3", "4", "987654")}
    assert [status for status, _ in answers] == [422]
    pages: set[tuple[int, str]] = set()
    for number in ("2", "3", "987654"):
        for address in (f"/comments/{number}", f"/posts/open-letter/replies/{number}"):
            page: Page = stranger.get(address)
            pages.add((page.status, page.words("h1")))
    assert len(pages) == 1


def test_the_desk_is_closed_to_visitors(app: Flask, busy: tuple[Reader, str], moderator: Moderator) -> None:
    stranger = Person(app)
    for address in addresses(app, "GET"):
        if address.startswith("/moderation/"):
            answer = stranger.get(address)
            assert (answer.status, answer.headers.get("Location", "")[:6]) == (303, "/login"), address
    for address in addresses(app, "POST"):
        if address.startswith("/moderation/"):
            assert stranger.post(address, {}).status == 403, address
