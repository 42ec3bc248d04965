"""A moderator answers a comment, approves it with that, and takes both back."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from blog.db import db
from blog.discussions import counts
from blog.history import Event
from blog.models import Comment
from tests.conftest import Make, signed_in
from tests.people import Moderator, Page, Reader


@pytest.fixture
def held(make: Make) -> Flask:
    """A blog where everything waits."""
    return make(moderation="all")


def answer(moderator: Moderator, number: int, body: str) -> Page:
    """Fill in the form for an answer; the view of the desk that follows."""
    action = f"/moderation/comments/{number}/reply"
    fields = moderator.get(f"/moderation/comments/{number}").fields(f'form[action="{action}"]')
    done = moderator.post(action, {**fields, "body": body})
    assert done.status == 303
    return moderator.get(done.headers["Location"])


def undo(moderator: Moderator, page: Page) -> Page:
    """Press Undo, as the form sends it without scripts."""
    return moderator.post(page.one("[data-undo]").get("formaction"), page.fields("#desk"))


def as_it_is(app: Flask) -> tuple[object, ...]:
    """Everything about the comments that people see, here and outside."""
    with app.app_context():
        rows = db.session.execute(
            select(
                Comment.id,
                Comment.status,
                Comment.status_at,
                Comment.decided_by,
                Comment.shown,
                Comment.body,
                Comment.reasons,
            )
        ).all()
        found = (*map(tuple, rows), tuple(counts().items()))
        db.session.remove()
    return found


def test_an_answer_approves_and_is_marked_as_no_reader_can(held: Flask) -> None:
    reader, moderator = Reader(held), signed_in(held)
    reader.stored(author="Ada", body="A question.")
    reader.stored(author="ana", body="I am not the author of this blog.")
    assert "Published, with your answer." in answer(moderator, 1, "An *answer*.").words("#said")
    assert moderator.decide("approve", 2).status == 303
    page = reader.get("/posts/open-letter/")
    assert page.words("#comment-1 .replies .badge") == "Author of this blog"
    assert "An answer." in page.words("#comment-1 .replies .words")
    assert not page.all("#comment-2 .badge")


@pytest.mark.parametrize("waits", [True, False])
def test_undo_takes_the_answer_away_and_brings_back_exactly_what_was(held: Flask, waits: bool) -> None:
    reader, moderator = Reader(held), signed_in(held)
    reader.stored(author="Ada", body="A question.")
    if not waits:
        moderator.decide("approve", 1)
    before, public = as_it_is(held), reader.get("/posts/open-letter/").words("#comments")
    page = answer(moderator, 1, "An answer\nwith *care*.")
    assert "with care" in reader.get("/posts/open-letter/").words("#comments")
    undone = undo(moderator, page)
    assert as_it_is(held) == before
    assert reader.get("/posts/open-letter/").words("#comments") == public
    assert len(moderator.desk(status="all").all("[data-comment]")) == 1
    # What was written is not lost: it is in the form again, and the log says what happened.
    assert undone.fields('form[action$="/reply"]')["body"] == "An answer\nwith *care*."
    with held.app_context():
        kinds = db.session.scalars(select(Event.kind).where(Event.comment_id == 2).order_by(Event.id)).all()
        db.session.remove()
    assert kinds == ["received", "published", "withdrawn"]


@pytest.mark.parametrize(("key", "form"), [("e", "edit"), ("p", "reply")])
def test_the_way_from_the_queue_to_a_form_finds_it_open_without_scripts(
    held: Flask, key: str, form: str
) -> None:
    Reader(held).stored()
    moderator = signed_in(held)
    assert moderator.get("/moderation/comments/1").all("details#edit[open], details#reply[open]") == []
    way = moderator.desk().one(f'[data-comment] a[data-key="{key}"]').get("href")
    page = moderator.get(way)
    assert way.endswith(f"#{form}")
    assert [box.get("id") for box in page.all("details#edit[open], details#reply[open]")] == [form]


def test_an_answer_that_somebody_replied_to_leaves_only_its_place(held: Flask) -> None:
    reader, moderator = Reader(held), signed_in(held)
    reader.stored(body="A question.")
    page = answer(moderator, 1, "Something hasty.")
    reader.stored(body="A reply to it.", parent="2")
    moderator.decide("approve", 3)
    undo(moderator, page)
    words = reader.get("/posts/open-letter/").words("#comments")
    assert "Something hasty" not in words
    assert "A reply to it." in words


@pytest.mark.parametrize("replied", [False, True])
def test_a_second_click_on_undo_says_that_it_is_done_and_keeps_the_text(held: Flask, replied: bool) -> None:
    reader, moderator = Reader(held), signed_in(held)
    reader.stored(body="A question.")
    page = answer(moderator, 1, "An answer\nwith *care*.")
    if replied:
        reader.stored(body="A reply to it.", parent="2")
        moderator.decide("approve", 3)
    undo(moderator, page)
    before = as_it_is(held)
    again = undo(moderator, page)
    assert again.status == 200
    assert "ana took this answer back already" in again.words("[role=status]")
    assert again.fields('form[action$="/comments/1/reply"]')["body"] == "An answer\nwith *care*."
    assert as_it_is(held) == before


def test_undo_of_what_never_was_an_answer_is_no_page(held: Flask) -> None:
    reader, moderator = Reader(held), signed_in(held)
    reader.stored()
    fields = moderator.desk().fields("#desk")
    assert moderator.post("/moderation/answers/77/undo", fields).status == 404
    assert moderator.post(f"/moderation/answers/{2**70}/undo", fields).status == 404
    assert moderator.post("/moderation/answers/1/undo", fields).status == 409


def test_an_answer_about_which_somebody_decided_since_is_not_taken_back(held: Flask) -> None:
    reader, moderator = Reader(held), signed_in(held)
    reader.stored()
    page = answer(moderator, 1, "An answer.")
    signed_in(held, "ben").decide("spam", 2)
    assert undo(moderator, page).status == 409
    assert len(moderator.desk(status="spam").all("[data-comment]")) == 1
    assert moderator.post("/moderation/answers/1/undo", {}).status in (400, 409)
    assert moderator.post(f"/moderation/answers/{2**70}/undo", {}).status in (400, 404)


def test_taking_an_answer_back_leaves_what_somebody_else_decided_about_the_comment(held: Flask) -> None:
    reader, moderator = Reader(held), signed_in(held)
    reader.stored(body="Not so nice.")
    page = answer(moderator, 1, "An answer.")
    signed_in(held, "ben").decide("spam", 1)
    undone = undo(moderator, page)
    assert "ben has decided about the comment since, so it stays spam." in undone.words()
    assert len(moderator.desk(status="spam").all("[data-comment]")) == 1
    assert "Not so nice." not in reader.get("/posts/open-letter/").text


def test_an_answer_sent_twice_is_there_once(held: Flask) -> None:
    reader, moderator = Reader(held), signed_in(held)
    reader.stored()
    for _ in range(2):
        assert "Published, with your answer." in answer(moderator, 1, "Said once.").words("#said")
    assert reader.get("/posts/open-letter/").text.count("Said once.") == 1
    answer(moderator, 1, "Said once more.")
    assert len(moderator.desk(status="all").all("[data-comment]")) == 3


def test_an_answer_is_no_decision_that_anybody_waited_for(held: Flask) -> None:
    reader, moderator = Reader(held), signed_in(held)
    reader.stored()
    moderator.decide("approve", 1)
    answer(moderator, 1, "An answer.")
    assert not moderator.desk(status="approved").all('[data-comment="2"] [value=restore]')
    done = moderator.decide("restore", 2)
    assert "no decision stands" in moderator.get(done.headers["Location"]).words("#said")
    with held.app_context():
        decided = db.session.scalars(select(Event.comment_id).where(Event.kind == "decided")).all()
        db.session.remove()
    assert decided == [1]
