"""Somebody reads a long discussion page by page while others write and moderators decide."""

from __future__ import annotations

from contextlib import suppress
from random import Random

import pytest
from flask import Flask
from sqlalchemy import select, update

from blog.db import db, write
from blog.models import Comment, NotPossible
from blog.threads import page_of
from tests.conftest import Make, signed_in
from tests.people import Moderator, Reader

SLUG = "open-letter"


@pytest.fixture
def long(make: Make) -> Flask:
    """Three threads a page, and everything waits."""
    return make(comments_per_page=3, moderation="all")


def arrive(parent: int | None = None, approved: bool = True) -> int:
    with write() as session:
        comment = Comment(
            slug=SLUG, author="Jo", email="jo@example.org", email_folded="jo@example.org", body="x"
        )
        comment.receive(None if parent is None else session.get_one(Comment, parent))
        if approved:
            comment.decide("approve", "ana")
    return comment.id


def something_happens(number: int, what: str) -> None:
    with write() as session, suppress(NotPossible):
        one = session.get_one(Comment, number)
        one.withdraw() if what == "withdraw" else one.decide(what, "ana")


def threads(reader: Reader, page: int) -> list[int]:
    """The threads that this page shows, in its order."""
    text = reader.get(f"/posts/{SLUG}/?page={page}")
    names = [one.get("id").removeprefix("comment-") for one in text.all("#comments [id^=comment-]")]
    shown = [int(name) for name in names if name.isdigit()]
    with reader.app.app_context():
        roots = set(db.session.scalars(select(Comment.id).where(Comment.parent_id.is_(None))))
        db.session.remove()
    return [number for number in shown if number in roots]


def at_once(reader: Reader) -> list[int]:
    """All threads, from all pages of one moment."""
    found: list[int] = []
    for page in range(1, 100):
        found += threads(reader, page)
        if not reader.get(f"/posts/{SLUG}/?page={page}").all(".pages a[rel=next], #comments a[rel=next]"):
            break
    return found


def test_whoever_reads_on_while_others_write_meets_each_thread_once(long: Flask) -> None:
    reader, chance = Reader(long), Random(1)
    with long.app_context():
        began = [arrive() for _ in range(11)]
    met: list[int] = []
    for page in range(1, 6):
        met += threads(reader, page)
        with long.app_context():
            arrive(parent=chance.choice(began))
            arrive(parent=chance.choice(began), approved=False)
            arrive()
    assert len(met) == len(set(met))
    assert set(began) <= set(met)


@pytest.mark.parametrize("seed", range(3))
def test_at_any_moment_the_pages_share_out_the_threads(long: Flask, seed: int) -> None:
    reader, chance = Reader(long), Random(seed)
    with long.app_context():
        there = [arrive(approved=chance.random() < 0.7) for _ in range(10)]
    for _ in range(4):
        with long.app_context():
            for _ in range(4):
                something_happens(
                    chance.choice(there), chance.choice(["approve", "spam", "reject", "withdraw"])
                )
            there.append(arrive())
            shown = select(Comment.id).where(Comment.shown, Comment.parent_id.is_(None)).order_by(Comment.id)
            expected = list(db.session.scalars(shown))
            db.session.remove()
        assert at_once(reader) == expected
        for place, number in enumerate(expected):
            answer = reader.get(f"/comments/{number}")
            assert answer.status in (301, 302, 303, 307)
            page = f"?page={place // 3 + 1}" if place >= 3 else ""
            assert answer.headers["Location"].endswith(f"/posts/{SLUG}/{page}#comment-{number}")


def test_threads_of_the_same_moment_have_an_order_too(either: Flask) -> None:
    with either.app_context():
        there = [arrive() for _ in range(8)]
        with write() as session:
            session.execute(update(Comment).values(created_at=session.get_one(Comment, there[0]).created_at))
        for number in (there[6], there[2], there[4]):  # PostgreSQL now finds them in another order
            with write() as session:
                session.execute(update(Comment).where(Comment.id == number).values(author="Jo again"))
        found = [node.comment.id for page in (1, 2, 3) for node in page_of(SLUG, page, 3)]
        db.session.remove()
    assert found == there


def on_the_desk(moderator: Moderator, chance: Random, status: str, app: Flask) -> list[int]:
    """What is met from the first page to the last, while others write and decide what was read already."""
    page, met = moderator.desk(status=status), []
    while True:
        here = [int(item.get("data-comment")) for item in page.all("[data-comment]")]
        met += here
        onward = page.all("a[rel=next]")
        if not onward:
            return met
        with app.app_context():
            arrive(approved=False)
        moderator.decide("approve", *chance.sample(here, 5))
        page = moderator.get(onward[0].get("href"))


@pytest.mark.parametrize("status", ["pending", "all"])
def test_the_desk_neither_skips_nor_repeats_what_was_there(either: Flask, status: str) -> None:
    with either.app_context():
        began = [arrive(approved=False) for _ in range(47)]
    met = on_the_desk(signed_in(either), Random(2), status, either)
    assert len(met) == len(set(met))
    assert set(began) <= set(met)
