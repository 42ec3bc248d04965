"""What is deleted leaves the full-text index too, which keeps words in tables of its own."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import text

from blog import search
from blog.db import db, write
from tests.conftest import Make, signed_in
from tests.mailing import later, run
from tests.people import Moderator, Reader

MONTHS = timedelta(days=60)


@pytest.fixture
def blog(make: Make) -> Flask:
    """A blog where everything waits."""
    return make(moderation="all")


def in_the_index(app: Flask, word: str) -> bool:
    """Whether the tables behind the search have these letters anywhere."""
    with app.app_context():
        blocks = [row[0] for row in db.session.execute(text("SELECT block FROM comment_text_data"))]
        db.session.remove()
    return any(word.encode() in block for block in blocks)


def searchable(moderator: Moderator, word: str) -> int:
    return len(moderator.desk(status="all", q=word).all("[data-comment]"))


def test_the_words_of_spam_are_gone_when_retention_has_deleted_it(blog: Flask) -> None:
    reader, moderator = Reader(blog), signed_in(blog)
    reader.stored(body="Something about xylophones.")
    reader.stored(body="Something about zithers.")
    moderator.decide("spam", 1)
    moderator.decide("approve", 2)
    later(blog, MONTHS)
    run(blog)
    assert [searchable(moderator, word) for word in ("xylophones", "zithers")] == [0, 1]
    assert not in_the_index(blog, "ylophones")
    assert in_the_index(blog, "ithers")


def test_the_address_of_a_reader_is_gone_when_its_time_is_over(blog: Flask) -> None:
    reader, moderator = Reader(blog, REMOTE_ADDR="2001:db8::beef"), signed_in(blog)
    reader.stored()
    moderator.decide("approve", 1)
    run(blog)
    assert in_the_index(blog, "eef")
    later(blog, MONTHS)
    run(blog)
    assert searchable(moderator, "beef") == 0
    assert not in_the_index(blog, "eef")


def test_an_erased_name_is_gone_at_once(blog: Flask) -> None:
    Reader(blog).stored(author="Zoe Quillfeather", email="zoe@example.org")
    assert in_the_index(blog, "uillfeather")
    blog.test_cli_runner().invoke(args=["privacy", "erase", "zoe@example.org"])
    assert not in_the_index(blog, "uillfeather")


def test_without_that_the_words_would_still_be_there(blog: Flask) -> None:
    Reader(blog).stored(body="Something about xylophones.")
    with blog.app_context():
        with write() as session:
            session.execute(text("DELETE FROM comment"))
        db.session.remove()
    assert in_the_index(blog, "ylophones")
    with blog.app_context():
        assert search.tidy(5)
        db.session.remove()
    assert not in_the_index(blog, "ylophones")
