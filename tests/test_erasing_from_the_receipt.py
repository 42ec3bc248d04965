"""The author of one comment takes a copy of it, or takes themselves out of it, through the receipt."""

from __future__ import annotations

import json

import pytest
from flask import Flask
from sqlalchemy import select, text

from blog.db import db
from blog.models import Comment
from tests.akismet_standin import SPAM, AkismetStandIn
from tests.conftest import signed_in
from tests.people import Reader

ZOE = {"author": "Zoe Quill", "email": "zoe@quill.example", "url": "https://quill.example"}


def everything(app: Flask) -> str:
    with app.app_context():
        rows = [
            db.session.execute(text(f"SELECT * FROM {table}")).all()
            for table in ("comment", "version", "event")
        ]
        db.session.remove()
    return repr(rows).casefold()


def test_erasing_is_asked_about_first_and_the_question_changes_nothing(app: Flask) -> None:
    reader = Reader(app)
    receipt = reader.stored(**ZOE)
    before = everything(app)
    question = reader.get(reader.get(receipt).one('a[href$="/erasure"]').get("href"))
    assert question.status == 200
    assert question.headers["Cache-Control"] == "no-store"
    assert question.fields("form") == {"text": "blank"}
    assert everything(app) == before


def test_erasing_leaves_no_trace_of_the_author(either: Flask) -> None:
    reader = Reader(either)
    receipt = reader.stored(**ZOE, body="Quillish words.")
    answered = reader.post(f"{receipt}/erasure", {"text": "blank"})
    assert (answered.status, answered.headers["Location"]) == (303, receipt)
    assert "quill" not in everything(either)
    page = reader.get(receipt)
    assert page.one("main").get("data-status") == "withdrawn"
    assert page.all('a[href$="/erasure"]') == []
    assert "quill" not in reader.get("/posts/open-letter/").text.casefold()


def test_the_words_can_stay_without_a_name(app: Flask) -> None:
    reader = Reader(app)
    receipt = reader.stored(**ZOE, body="These words stay.")
    reader.post(f"{receipt}/erasure", {"text": "keep"})
    page = reader.get("/posts/open-letter/")
    assert "These words stay." in page.words("#comments")
    assert "Zoe" not in page.text


@pytest.mark.parametrize(
    ("kept", "heading", "happened"),
    [
        ("blank", "Your data in this comment is erased.", "Its words were deleted."),
        ("keep", "Your comment is published, without your name.", "Your personal data was erased."),
    ],
)
def test_the_receipt_says_that_it_was_erased_and_not_withdrawn(
    app: Flask, kept: str, heading: str, happened: str
) -> None:
    reader = Reader(app)
    receipt = reader.stored(**ZOE)
    reader.post(f"{receipt}/erasure", {"text": kept})
    page = reader.get(receipt)
    assert page.words("h1") == heading
    assert happened in page.words(".log")
    assert "You have withdrawn" not in page.text
    assert "You withdrew it" not in page.text
    assert bool(page.all(".sheet")) == (kept == "keep")


def test_who_runs_the_blog_erases_and_the_receipt_does_not_say_that_its_author_did(app: Flask) -> None:
    reader = Reader(app)
    receipt = reader.stored(**ZOE)
    assert app.test_cli_runner().invoke(args=["privacy", "erase", ZOE["email"]], input="y\n").exit_code == 0
    page = reader.get(receipt)
    assert page.words("h1") == "Your data in this comment is erased."
    assert "You withdrew it" not in page.text


def test_the_place_of_what_is_erased_says_so_to_readers_and_at_the_desk(either: Flask) -> None:
    reader = Reader(either)
    erased, withdrawn = reader.stored(**ZOE), reader.stored()
    for number in (1, 2):
        reader.stored(
            form_at=f"/posts/open-letter/replies/{number}", body=f"Number {number} I see differently."
        )
    reader.post(f"{erased}/erasure", {"text": "blank"})
    reader.post(f"{withdrawn}/withdrawal")
    page = reader.get("/posts/open-letter/")
    assert page.words("#comment-1 > .placeholder") == "This comment was erased."
    assert page.words("#comment-2 > .placeholder") == "Withdrawn by its author."
    desk = signed_in(either).desk(status="all")
    assert "Erased" in desk.words('[data-comment="1"] .placeholder')
    assert "Withdrawn" in desk.words('[data-comment="2"] .placeholder')
    # Of words that are gone nothing is quoted.
    assert desk.words('[data-comment="3"] .asked').startswith("Replies to Anonymous What")


def test_what_is_erased_cannot_be_appealed(app: Flask, akismet: AkismetStandIn) -> None:
    akismet.answer_with(SPAM)
    reader = Reader(app)
    receipt = reader.stored(**ZOE)
    reader.post(f"{receipt}/erasure")
    assert reader.get(receipt).all('form[action$="/appeal"]') == []
    assert reader.post(f"{receipt}/appeal", {"words": "But."}).status == 409


def test_only_this_comment_is_erased(app: Flask) -> None:
    reader = Reader(app)
    receipt = reader.stored(**ZOE, body="First.")
    reader.stored(**ZOE, body="Second.")
    reader.post(f"{receipt}/erasure")
    with app.app_context():
        assert list(db.session.scalars(select(Comment.author).order_by(Comment.id))) == [
            "Anonymous",
            "Zoe Quill",
        ]
        db.session.remove()


def test_spam_can_be_erased_too(app: Flask, akismet: AkismetStandIn) -> None:
    akismet.answer_with(SPAM)
    reader = Reader(app)
    receipt = reader.stored(**ZOE)
    assert reader.post(f"{receipt}/erasure").status == 303
    assert "quill" not in everything(app)
    assert reader.post(f"{receipt}/erasure").status == 409


def test_another_site_cannot_erase(app: Flask) -> None:
    reader = Reader(app)
    receipt = reader.stored(**ZOE)
    page = reader.post(f"{receipt}/erasure", headers={"Origin": "https://evil.example"})
    assert page.status == 422
    assert "quill" in everything(app)


def test_a_copy_holds_all_that_is_kept_and_nothing_of_the_desks(app: Flask) -> None:
    reader = Reader(app)
    receipt = reader.stored(**ZOE, body="My words.")
    signed_in(app).decide("reject", 1, reason="unkind", note="Sorry.")
    page = reader.get(reader.get(receipt).one('a[href$="/export.json"]').get("href"))
    assert page.headers["Cache-Control"] == "no-store"
    (copy,) = json.loads(page.text)["comments"]
    assert (copy["author"], copy["email"], copy["body"]) == ("Zoe Quill", "zoe@quill.example", "My words.")
    assert copy["submitted"]["user_ip"] == copy["ip"] == "127.0.0.1"
    assert [entry["what"] for entry in copy["history"]] == ["received", "screened", "decided"]
    assert "ana" not in page.text


def test_a_receipt_that_does_not_exist(app: Flask) -> None:
    reader = Reader(app)
    assert reader.get("/receipts/nothing/erasure").status == 404
    assert reader.post("/receipts/nothing/erasure").status == 404
    assert reader.get("/receipts/nothing/export.json").status == 404
