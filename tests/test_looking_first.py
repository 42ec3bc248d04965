"""A reader looks at an answer before sending it, without any script."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import func, select

from blog.db import db
from blog.models import Comment
from tests.akismet_standin import AkismetStandIn
from tests.conftest import Make
from tests.people import Reader

TYPED = {"author": "", "email": "half@", "url": "", "body": "Some *words*.\n\n<b>no</b>"}


def how_many(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(Comment)) or 0


def test_a_preview_shows_the_text_as_it_would_look_and_keeps_the_form(
    reader: Reader, akismet: AkismetStandIn
) -> None:
    page = reader.answer(**TYPED, preview="1")
    assert page.status == 200
    assert page.one("#preview em").text == "words"
    assert "<b>no</b>" in page.words("#preview")
    fields = page.fields("#comment-form")
    assert {name: fields[name].replace("\r\n", "\n") for name in TYPED} == TYPED
    assert page.headers["Cache-Control"] == "no-store"
    assert page.all("#comments")
    assert akismet.checks == []
    assert how_many(reader.app) == 0


def test_what_was_looked_at_can_be_sent(reader: Reader) -> None:
    page = reader.answer(body="Seen first.", author="Ada", preview="1", token="stale")
    sent = reader.post("/posts/open-letter/comments", page.fields("#comment-form"))
    assert sent.status == 303
    assert "Seen first." in reader.get("/posts/open-letter/").words("#comments")


def test_the_first_button_sends(reader: Reader) -> None:
    # A browser presses the first one when somebody types Enter in a field.
    buttons = reader.get("/posts/open-letter/").all('#comment-form button[type="submit"]')
    assert [button.get("name") for button in buttons] == [None, "preview"]


def test_a_preview_of_a_reply_stays_a_reply(reader: Reader) -> None:
    reader.stored()
    page = reader.answer(form_at="/posts/open-letter/replies/1", body="To you.", preview="1")
    assert page.fields("#comment-form")["parent"] == "1"


@pytest.mark.parametrize("body", ["", " \n ", "x" * 10_001])
def test_nothing_or_too_much_is_not_drawn(reader: Reader, body: str) -> None:
    page = reader.answer(body=body, preview="1")
    assert page.status == 422
    assert not page.all("#preview")
    assert page.one("#body").get("aria-invalid") == "true"


def test_looking_costs_no_turn(make: Make) -> None:
    reader = Reader(make(flood_seconds=60))
    assert [reader.answer(preview="1").status for _ in range(3)] == [200] * 3
    assert reader.answer().status == 303


def test_a_closed_article_draws_no_preview_to_send(reader: Reader) -> None:
    page = reader.post("/posts/closed/comments", {"body": "Late words.", "preview": "1"})
    assert page.status == 403
    assert "Late words." in page.fields("#comment-form")["body"]
