"""Beside the form stands what happens next: how long it usually takes, what is down, and a note of care."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import insert

from blog.db import utcnow, write
from blog.history import Event
from blog.pace import phrase
from tests.akismet_standin import SPAM, AkismetStandIn
from tests.conftest import Make, signed_in
from tests.people import Reader


def decided(app: Flask, *hours: float, days_ago: float = 1, was: str = "pending") -> None:
    """Comments that waited so many hours each until a person decided."""
    moment = utcnow() - timedelta(days=days_ago)
    rows = []
    for number, wait in enumerate(hours, 1000):
        begun = moment - timedelta(hours=wait)
        rows.append(
            {"comment_id": number, "at": begun, "kind": "received", "actor": "author", "now": "pending"}
        )
        rows.append({"comment_id": number, "at": moment, "kind": "decided", "actor": "ana", "was": was})
    with app.app_context(), write() as session:
        for row in rows:
            session.execute(insert(Event).values(**row))


def beside(app: Flask) -> str:
    return Reader(app).get("/posts/open-letter/").words("#comment-form")


def test_the_usual_time_is_the_median(app: Flask) -> None:
    decided(app, *[5.5] * 9, 1, 700)
    assert "usually within 6 hours" in beside(app)


def test_too_few_cases_say_nothing(app: Flask) -> None:
    decided(app, *[1] * 9)
    assert "usually" not in beside(app)


@pytest.mark.parametrize("more", [{"days_ago": 31}, {"was": "approved"}])
def test_what_is_long_ago_or_did_not_wait_does_not_count(app: Flask, more: dict[str, str]) -> None:
    decided(app, *[1] * 20, **more)  # type: ignore[arg-type]
    assert "usually" not in beside(app)


@pytest.mark.parametrize(
    ("hours", "words"),
    [(0.2, "an hour"), (1.0, "an hour"), (30, "30 hours"), (49, "3 days"), (240, "10 days")],
)
def test_it_is_said_in_words(hours: float, words: str) -> None:
    assert phrase([timedelta(hours=hours)] * 10) == f"usually within {words}"


def test_an_appeal_waits_from_the_appeal_on(app: Flask) -> None:
    decided(app, *[100] * 10)
    moment = utcnow() - timedelta(days=1, hours=2)
    with app.app_context(), write() as session:
        for number in range(1000, 1010):
            session.execute(
                insert(Event).values(
                    comment_id=number, at=moment, kind="appealed", actor="author", now="pending"
                )
            )
    assert "usually within 2 hours" in beside(app)


def test_two_workers_say_the_same(make: Make) -> None:
    one, other = make(), make()
    decided(one, *[3] * 12)
    assert (
        Reader(one).get("/posts/second/").headers["ETag"]
        == Reader(other).get("/posts/second/").headers["ETag"]
    )


def test_the_note_of_care_stands_beside_the_form_and_on_receipts(make: Make) -> None:
    reader = Reader(make(care_note="If it is *heavy*: [a line](https://help.example/)"))
    for path in ("/posts/open-letter/", "/posts/second/", reader.stored()):
        page = reader.get(path)
        assert page.all('.note a[href="https://help.example/"]'), path
        assert page.all(".note em")


def test_an_article_has_a_note_of_its_own(make: Make, content: object) -> None:
    from pathlib import Path

    article = Path(str(content)) / "second.md"
    article.write_text(article.read_text().replace("title:", "care: Call 116 123.\ntitle:"))
    reader = Reader(make(care_note="Something else."))
    page = reader.get("/posts/second/")
    assert "Call 116 123." in page.words("#comment-form")
    assert "Something else." not in page.words("#comment-form")
    assert "Call 116 123." in reader.get(reader.stored(slug="second")).words("main")


def test_a_receipt_says_where_an_appeal_stands_and_how_it_ended(make: Make, akismet: AkismetStandIn) -> None:
    app = make()
    reader, moderator = Reader(app), signed_in(app)
    akismet.answer_with(SPAM)
    receipt = reader.stored(body="Not spam at all.")
    reader.stored(body="Another.")
    reader.post(f"{receipt}/appeal", {"words": "I am real."})
    assert "a person looks again" in reader.get(receipt).words("h1")
    waiting = moderator.desk(status="pending").all("[data-comment]")
    assert waiting[0].get("data-comment") == "1"
    moderator.decide("approve", 1, note="Sorry about that.")
    page = reader.get(receipt)
    assert page.one("main").get("data-status") == "approved"
    assert "Sorry about that." in page.words("main")


def test_a_receipt_says_how_to_keep_it_and_asks_before_it_deletes(reader: Reader) -> None:
    receipt = reader.stored()
    page = reader.get(receipt)
    address = f"http://127.0.0.1:8000{receipt}"
    assert page.one("#address").get("value") == address
    from urllib.parse import unquote

    mail = page.one('a[href^="mailto:"]').get("href")
    assert address in unquote(mail)
    assert "?" in page.words('details form[action$="/withdrawal"]')
    assert "Since" in page.words("main")
    assert all(form.get("method") == "post" for form in page.all("main form"))
