"""A newcomer fills an empty store with a conversation, and sees everything in a minute."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from blog.config import bundled
from blog.db import db, utcnow
from blog.history import Event
from blog.models import Comment
from blog.reconcile import reconcile
from tests.akismet_standin import AkismetStandIn
from tests.conftest import Make, signed_in
from tests.people import Reader


@pytest.fixture
def tried(make: Make) -> Flask:
    """A blog with the sample articles, after `demo`."""
    app = make(content_dir=bundled("content"), moderation="first")
    done = app.test_cli_runner().invoke(args=["demo"])
    assert done.exit_code == 0, done.output
    return app


def test_the_article_has_a_conversation_in_threads_and_languages(tried: Flask) -> None:
    page = Reader(tried).get("/posts/reciprocal-relationships/")
    assert len(page.all("#comments > .comment")) >= 5
    assert page.all("#comments .comment .comment .comment .comment")
    words = page.words("#comments")
    for part in (
        "towel",
        "Sonntag",
        "cocina",
        "شكرًا",
        "質問",
        "Withdrawn by its author.",
        "Author of this blog",
    ):
        assert part in words
    for hidden in ("Only for you", "cheap-pills", "Growth Partner", "ashamed", "Utrecht", "Noor"):
        assert hidden not in page.text
    assert "usually within" in page.words("#comment-form")


def test_the_desk_has_something_in_every_view_and_the_appeal_first(tried: Flask) -> None:
    moderator = signed_in(tried)
    for status in ("pending", "approved", "spam", "rejected", "withdrawn", "private"):
        assert moderator.desk(status=status).all("[data-comment]"), status
    first = moderator.desk(status="pending").all("[data-comment]")[0]
    assert "I really am a pharmacist." in first.text_content()


def test_every_receipt_of_it_can_be_opened(tried: Flask) -> None:
    with tried.app_context():
        tokens = db.session.scalars(select(Comment.token)).all()
    assert {Reader(tried).get(f"/receipts/{token}").status for token in tokens} == {200}


def test_it_happened_over_the_last_days_and_not_in_the_future(tried: Flask) -> None:
    with tried.app_context():
        comments = db.session.scalars(select(Comment).order_by(Comment.id)).all()
        for comment in comments:
            times = [entry.at for entry in comment.history()]
            assert times == sorted(times)
            assert times[0] == comment.created_at
            assert comment.status_at in times
            assert max(times) <= utcnow()
        assert (comments[-1].created_at - comments[0].created_at).days >= 5


def test_nothing_of_it_is_ever_sent(tried: Flask, akismet: AkismetStandIn) -> None:
    signed_in(tried).decide("approve", 16, 17)
    with tried.app_context():
        reconcile(regardless=True)
    assert akismet.checks == []
    assert akismet.taught == []


def test_a_store_with_comments_is_left_alone(tried: Flask) -> None:
    with tried.app_context():
        before = len(db.session.scalars(select(Event.id)).all())
        db.session.remove()
    again = tried.test_cli_runner().invoke(args=["demo"])
    assert again.exit_code == 1
    assert len(again.output.strip().splitlines()) == 1
    with tried.app_context():
        assert len(db.session.scalars(select(Event.id)).all()) == before


def test_without_an_article_there_is_nothing_to_talk_about(make: Make, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    done = make(content_dir=tmp_path / "nothing").test_cli_runner().invoke(args=["demo"])
    assert (done.exit_code, len(done.output.strip().splitlines())) == (1, 1)
