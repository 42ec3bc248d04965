"""Everybody does everything once, and no query of all that reads the comments from the first to the last.

SQLite says itself how it would answer each statement, those of triggers' tables included.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, event

from blog import privacy
from blog.db import db, utcnow
from blog.reconcile import reconcile
from tests.akismet_standin import HAM, SPAM, AkismetStandIn
from tests.conftest import Make, signed_in
from tests.people import Moderator, Reader
from tests.test_every_route import addresses

# What ends by itself after so many comments: whether there is any at all, and a word list rehearsed on the
# latest.
BOUNDED = ("FROM comment\n LIMIT 1 ", "ORDER BY comment.id DESC\n LIMIT 5000 ")
# An index that holds nothing but what is owed may be read as a whole.
OWED = ("ix_comment_disagreed",)
DESK: tuple[dict[str, Any], ...] = (
    *(
        {"status": status}
        for status in ("pending", "approved", "spam", "rejected", "withdrawn", "private", "all")
    ),
    {"status": "all", "q": "words"},
    {"status": "pending", "q": "reader1@example.org"},
    {"status": "all", "article": "open-letter"},
    {"status": "all", "author": "reader1@example.org"},
    {"status": "all", "network": "127.0.0.1"},
    {"status": "pending", "page": "2"},
    {"status": "all", "page": "3"},
)


@pytest.fixture
def asked() -> Iterator[set[str]]:
    """Every statement that any connection to SQLite runs from now on, values included."""
    found: set[str] = set()

    def listen(connection: Any, record: object) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.set_trace_callback(found.add)

    event.listen(Engine, "connect", listen)
    yield found
    event.remove(Engine, "connect", listen)


@pytest.fixture
def site(asked: set[str], make: Make) -> Flask:
    """A blog where private answers, appeals, edits and held comments occur."""
    return make(moderation="flagged", comments_per_page=3, spam_days=1, retention_days=1)


def people_write(app: Flask, akismet: AkismetStandIn) -> list[str]:
    """Comments of every kind; their receipts."""
    reader = Reader(app)
    receipts = [reader.stored(body=f"Some words {number}.") for number in range(8)]
    receipts += [reader.stored(parent="1"), reader.stored(audience="private"), reader.stored(no_akismet="y")]
    akismet.answer_with(SPAM)
    receipts.append(reader.stored(body="Spam words."))
    akismet.answer_with(HAM)
    reader.answer(body="Seen first.", preview="1")
    twice = {"author": "Jo", "email": "jo@example.org", "body": "The same words."}
    reader.answer(**twice)
    reader.answer(**twice)
    return receipts


def authors_act(app: Flask, receipts: list[str]) -> None:
    """Each verb of the receipt."""
    reader = Reader(app)
    for receipt, verb, typed in (
        (receipts[0], "withdrawal", {}),
        (receipts[10], "edit", {"body": "Better words."}),
        (receipts[11], "appeal", {"words": "Please look."}),
        (receipts[1], "follow", {}),
        (receipts[1], "unfollow", {}),
        (receipts[2], "erasure", {}),
    ):
        page = reader.get(receipt)
        form = page.fields(f'form[action$="{verb}"]') if page.all(f'form[action$="{verb}"]') else {}
        assert reader.post(f"{receipt}/{verb}", {**form, **typed}).status < 500


def moderators_act(moderator: Moderator, app: Flask) -> None:
    """Every view of the desk, every decision, and every form with a few values."""
    for query in DESK:
        moderator.desk(**query)
    for decision, more in (
        ("approve", {}),
        ("spam", {}),
        ("reject", {"reason": "unkind"}),
        ("restore", {}),
    ):
        moderator.decide(decision, 2, 3, 4, **more)
    token = moderator.desk(status="all").fields('form[action^="/moderation/decisions"]')["csrf_token"]
    typed = {
        "csrf_token": token, "comment": ["5", "6"], "body": "An answer.", "reason": "other",
        "note": "So it is.", "list": "word\n203.0.113.0/24", "text": "word", "entries": "word",
        "rehearse": "1", "confirm": "1",
        "age": "1", "days": "1", "status": "spam", "verdict": "ham", "judgement": "ham", "mode": "each",
    }  # fmt: skip
    for address in addresses(app, "POST", number=5, ident=1):
        if address.startswith("/moderation/"):
            assert moderator.post(address, typed).status < 500, address


def everything_is_owed(app: Flask) -> None:
    """Let all waiting times be over, and do what is due; by hand, too."""
    with sqlite3.connect(app.extensions["blog.settings"].data_dir / "blog.db") as connection:
        connection.execute(
            "UPDATE comment SET created_at = ?1, status_at = ?1, next_check_at = iif(id % 3, NULL, ?1)",
            [f"{utcnow() - timedelta(days=60):%Y-%m-%d %H:%M:%S.%f}"],
        )
    with app.app_context():
        reconcile()
        reconcile(True, True)
        reconcile(starting=True)
        privacy.export("reader3@example.org")
        privacy.erase("reader4@example.org")
        db.session.remove()


def scans(connection: sqlite3.Connection, statement: str) -> list[str]:
    """The steps of the plan that read the comments from the first to the last."""
    names = {"comment", *re.findall(r"\bcomment AS (\w+)", statement)}
    plan = [str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
    whole = [step for step in plan if step.startswith("SCAN ") and step.split()[1] in names]
    return [step for step in whole if not step.endswith(OWED)]


def test_no_query_reads_all_comments(site: Flask, asked: set[str], akismet: AkismetStandIn) -> None:
    receipts = people_write(site, akismet)
    moderator = signed_in(site)
    token = receipts[3].rsplit("/", 1)[-1]
    for person in (Reader(site), moderator):
        for address in addresses(site, "GET", token=token, slug="open-letter"):
            person.get(address)
        person.get("/posts/open-letter/?page=2")
        person.get("/tags/letters/feed.xml")
    authors_act(site, receipts)
    moderators_act(moderator, site)
    everything_is_owed(site)
    about = {
        one for one in asked if re.match(r"\s*(SELECT|WITH|UPDATE|DELETE|INSERT)", one) and "comment" in one
    }
    assert len(about) > 50
    with sqlite3.connect(site.extensions["blog.settings"].data_dir / "blog.db") as connection:
        found = {one: steps for one in sorted(about) if (steps := scans(connection, one))}
    endless = {one: steps for one, steps in found.items() if not any(words in one for words in BOUNDED)}
    assert not endless, "\n\n".join(f"{steps}\n{one}" for one, steps in endless.items())
