"""Whatever goes wrong, what somebody typed comes back, without any script."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from lxml import html

from blog.db import db
from tests.akismet_standin import SPAM, AkismetStandIn
from tests.conftest import Make, signed_in
from tests.people import Page, Reader

WORDS = "It took me an hour to write this.\n\n<& \"'> and so on"
TYPED = {"author": "Ada", "email": "ada@example.org", "body": WORDS}
POST = "/posts/open-letter/comments"


def given_back(page: Page) -> bool:
    """Whether a text field of the page holds the very words."""
    fields = (html.tostring(field, method="text", encoding="unicode") for field in page.all("textarea"))
    return any(text.strip() == WORDS for text in fields)


def typed(reader: Reader, **more: str) -> dict[str, str]:
    return {**reader.get("/posts/open-letter/").fields("#comment-form"), **TYPED, **more}


@pytest.mark.parametrize("token", ["", "stale.token", "x" * 500])
def test_the_form_was_open_for_too_long(reader: Reader, token: str) -> None:
    page = reader.post(POST, typed(reader, token=token))
    assert page.status == 422
    assert given_back(page)


def test_it_came_too_fast(make: Make) -> None:
    reader = Reader(make(flood_seconds=60))
    assert reader.answer().status == 303
    page = reader.post(POST, typed(reader))
    assert page.status == 429
    assert given_back(page)


@pytest.mark.parametrize(("field", "value"), [("author", "x" * 101), ("email", "no"), ("parent", "77")])
def test_another_field_is_wrong(reader: Reader, field: str, value: str) -> None:
    page = reader.post(POST, typed(reader, **{field: value}))
    assert page.status == 422
    assert given_back(page)


def test_it_is_too_long(reader: Reader) -> None:
    page = reader.post(POST, typed(reader, body="long " * 3000))
    assert page.status == 422
    assert page.one("textarea#body").text.strip() == ("long " * 3000).strip()


def test_the_discussion_was_closed_meanwhile(reader: Reader, content: Path) -> None:
    fields = typed(reader)
    article = content / "open-letter.md"
    article.write_text(article.read_text().replace("tags:", "comments: closed\ntags:"))
    page = reader.post(POST, fields)
    assert page.status == 403
    assert given_back(page)


def test_the_article_was_removed_meanwhile(reader: Reader, content: Path) -> None:
    fields = typed(reader)
    (content / "open-letter.md").unlink()
    page = reader.post(POST, fields)
    assert page.status == 410
    assert given_back(page)


def test_the_article_got_another_address_meanwhile(reader: Reader, content: Path) -> None:
    fields = typed(reader)
    article = content / "open-letter.md"
    words = article.read_text().replace("tags:", "slug: new-letter\naliases: [/posts/open-letter/]\ntags:")
    article.write_text(words)
    page = reader.post(POST, fields)
    assert page.status == 422
    assert given_back(page)
    assert reader.post("/posts/new-letter/comments", page.fields("#comment-form")).status == 303


def test_there_never_was_such_an_article(reader: Reader) -> None:
    page = reader.post("/posts/nowhere/comments", typed(reader))
    assert page.status == 404
    assert given_back(page)


@pytest.fixture
def locked(app: Flask) -> Iterator[None]:
    """Somebody else holds the store's write lock and does not let go."""
    path = app.extensions["blog.settings"].data_dir / "blog.db"
    with app.app_context(), db.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout=50")  # instead of ten seconds of patience
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    yield
    holder.execute("ROLLBACK")
    holder.close()


def test_the_store_is_locked(reader: Reader, locked: None) -> None:
    page = reader.post(POST, typed(reader))
    assert page.status == 503
    assert page.headers["Retry-After"]
    assert given_back(page)
    assert page.fields("#comment-form")["token"]


def test_the_store_is_full(app: Flask, reader: Reader) -> None:
    fields = typed(reader)
    with app.app_context():
        with db.engine.connect() as connection:
            raw = connection.connection.driver_connection
            assert raw is not None
            pages = raw.execute("PRAGMA page_count").fetchone()[0]
            raw.execute(f"PRAGMA max_page_count={pages}")
        page = reader.post(POST, {**fields, "body": WORDS})
        for number in range(400):
            if page.status == 503:
                break
            page = reader.post(POST, {**fields, "author": f"Ada {number}", "body": WORDS})
    assert page.status == 503
    assert given_back(page)


def test_the_store_cannot_be_written(app: Flask, make: Make) -> None:
    path = app.extensions["blog.settings"].data_dir / "blog.db"
    reader = Reader(make(database_url=f"sqlite:///file:{path}?mode=ro&uri=true"))
    page = reader.post(POST, typed(reader))
    assert page.status == 503
    assert given_back(page)


def test_another_site_sent_it(reader: Reader) -> None:
    page = reader.post(POST, typed(reader), headers={"Sec-Fetch-Site": "cross-site"})
    assert page.status == 422
    assert given_back(page)


def test_an_edit_came_after_the_decision(make: Make) -> None:
    app = make(moderation="all")
    reader = Reader(app)
    receipt = reader.stored()
    signed_in(app).decide("approve", 1)
    page = reader.post(f"{receipt}/edit", {"body": WORDS})
    assert page.status == 409
    assert given_back(page)


@pytest.mark.parametrize("verb", ["edit", "appeal"])
def test_what_another_site_sent_to_a_receipt_comes_back_too(
    make: Make, akismet: AkismetStandIn, verb: str
) -> None:
    reader = Reader(make(moderation="all"))
    if verb == "appeal":
        akismet.answer_with(SPAM)
    receipt = reader.stored()
    page = reader.post(
        f"{receipt}/{verb}", {"body": WORDS, "words": WORDS}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert page.status == 422
    assert given_back(page)


def test_a_second_appeal_comes_back(reader: Reader, akismet: AkismetStandIn) -> None:
    akismet.answer_with(SPAM)
    receipt = reader.stored()
    assert reader.post(f"{receipt}/appeal", {"words": "Once."}).status == 303
    page = reader.post(f"{receipt}/appeal", {"words": WORDS})
    assert page.status == 409
    assert given_back(page)
