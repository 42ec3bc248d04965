"""Somebody asks what is kept about them, and for it to be gone."""

from __future__ import annotations

import json

from flask import Flask
from sqlalchemy import select, text

from blog.db import db
from blog.models import Comment
from tests.akismet_standin import SPAM, AkismetStandIn
from tests.conftest import signed_in
from tests.people import Reader

MINE = "zoe.quill@example.org"


def command(app: Flask, *words: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=["privacy", *words])
    return result.exit_code, result.output


def in_every_state(app: Flask, akismet: AkismetStandIn) -> None:
    reader, moderator = Reader(app), signed_in(app)
    me = {"author": "Zoe Quill", "email": MINE, "url": "https://quill.example"}
    for number in range(4):
        reader.stored(**me, body=f"Quillwords {number}.")
    akismet.answer_with(SPAM)
    reader.stored(author="Zoe Quill", email="Zoe.Quill@Example.org", body="Quillwords spam.")
    with app.app_context():
        first = db.session.scalar(select(Comment.id).where(Comment.body == "Quillwords 0."))
        token = db.session.scalar(select(Comment.token).where(Comment.body == "Quillwords 3."))
        db.session.remove()
    assert first is not None
    moderator.decide("reject", first + 1, reason="unkind")
    moderator.decide("spam", first + 2)
    reader.post(f"/receipts/{token}/withdrawal")


def test_a_copy_holds_every_state_and_nobody_elses(either: Flask, akismet: AkismetStandIn) -> None:
    Reader(either).stored(author="Somebody else", body="Not mine.")
    in_every_state(either, akismet)
    code, output = command(either, "export", "ZOE.QUILL@example.org")
    found = json.loads(output)
    assert code == 0
    states = sorted(comment["status"] for comment in found["comments"])
    assert states == ["approved", "rejected", "spam", "spam", "withdrawn"]
    assert all(comment["author"] == "Zoe Quill" and comment["submitted"] for comment in found["comments"])
    assert "Not mine." not in output


def everything(app: Flask) -> str:
    with app.app_context():
        tables = db.session.execute(select(text("*")).select_from(text("comment"))).all()
        tables += db.session.execute(text("SELECT * FROM version")).all()
        tables += db.session.execute(text("SELECT * FROM event")).all()
        found = repr(tables)
        db.session.remove()
        return found


def test_an_erasure_leaves_no_trace_in_any_state(either: Flask, akismet: AkismetStandIn) -> None:
    in_every_state(either, akismet)
    code, output = command(either, "erase", MINE)
    assert code == 0
    assert "erased 5 comments" in output
    left = everything(either).casefold()
    assert "quill" not in left
    assert "quill" not in Reader(either).get("/posts/open-letter/").text.casefold()
    assert command(either, "erase", MINE)[0] == 1


def test_an_erasure_can_keep_the_words_without_a_name(app: Flask, akismet: AkismetStandIn) -> None:
    Reader(app).stored(author="Zoe Quill", email=MINE, body="Keep these words.")
    command(app, "erase", MINE, "--keep-text")
    page = Reader(app).get("/posts/open-letter/")
    assert "Keep these words." in page.words("#comments")
    assert "Zoe" not in page.text
