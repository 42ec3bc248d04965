"""What is owed is done later: Akismet is asked again, told about decisions, and old data goes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from blog.db import db, utcnow, write
from blog.history import Event
from blog.models import Comment
from tests.akismet_standin import (
    GARBAGE,
    HAM,
    HANGS,
    INVALID,
    RESETS,
    SPAM,
    SUSPENDED,
    AkismetStandIn,
    provisional,
    status,
)
from tests.conftest import Make, signed_in
from tests.people import Reader


def run(app: Flask, *options: str) -> str:
    result = app.test_cli_runner().invoke(args=["comments", "reconcile", *options])
    assert result.exit_code == 0, result.output
    return result.output


def statuses(app: Flask) -> list[str]:
    with app.app_context():
        found = list(db.session.scalars(select(Comment.status).order_by(Comment.id)))
        db.session.remove()
        return found


def test_what_was_never_screened_is_asked_about_again(app: Flask, akismet: AkismetStandIn) -> None:
    reader = Reader(app)
    akismet.answer_with(status(500), HAM)
    receipt = reader.stored()
    assert statuses(app) == ["pending"]
    run(app)
    assert statuses(app) == ["pending"]  # not before its time
    run(app, "--now")
    assert statuses(app) == ["approved"]
    assert akismet.checks[-1].get("recheck_reason") == "retry"
    assert reader.get(receipt).one("main").get("data-status") == "approved"


def test_a_live_call_that_works_again_brings_the_waiting_forward(app: Flask, akismet: AkismetStandIn) -> None:
    reader = Reader(app)
    akismet.answer_with(status(500), status(500), HAM)
    for _ in range(3):
        reader.stored()
    assert statuses(app) == ["pending", "pending", "approved"]
    run(app)
    assert statuses(app) == ["approved"] * 3


def test_a_recheck_keeps_what_the_rules_hold(make: Make, akismet: AkismetStandIn) -> None:
    app = make(moderation="first")
    akismet.answer_with(status(503), HAM)
    receipt = Reader(app).stored()
    run(app, "--now")
    page = Reader(app).get(receipt)
    assert page.one("main").get("data-status") == "pending"
    assert [element.get("data-reason") for element in page.all("[data-reason]")] == ["first"]


def test_provisional_ham_waits_its_time(app: Flask, akismet: AkismetStandIn) -> None:
    akismet.answer_with(provisional(120), HAM)
    receipt = Reader(app).stored()
    assert Reader(app).get(receipt).all('[data-reason="provisional"]')
    run(app)
    assert statuses(app) == ["pending"]
    with app.app_context(), write() as session:
        session.execute(update(Comment).values(next_check_at=utcnow() - timedelta(seconds=1)))
    run(app)
    assert statuses(app) == ["approved"]
    assert akismet.checks[-1].get("recheck_reason") == "recheck"


def test_a_decision_made_before_a_recheck_stands(app: Flask, akismet: AkismetStandIn) -> None:
    akismet.answer_with(status(500), SPAM)
    Reader(app).stored()
    signed_in(app).decide("approve", 1)
    run(app, "--now")
    assert statuses(app) == ["approved"]
    assert len(akismet.checks) == 1


def test_feedback_is_sent_once_where_a_person_disagrees(app: Flask, akismet: AkismetStandIn) -> None:
    akismet.answer_with(SPAM)
    Reader(app).stored(author="Ada", body="Not spam.")
    signed_in(app).decide("approve", 1)
    run(app)
    assert akismet.taught == []  # there is still time to undo
    run(app, "--now")
    run(app, "--now")
    (told,) = akismet.taught
    asked = akismet.checks[0]
    assert told.path == "/1.1/submit-ham"
    assert (told.get("reporter"), told.get("comment_check_response")) == ("ana", "true")
    extra = {"reporter", "comment_check_response"}
    assert [pair for pair in told.fields if pair[0] not in extra] == asked.fields


def test_a_change_of_mind_owes_nothing(app: Flask, akismet: AkismetStandIn) -> None:
    akismet.answer_with(SPAM)
    Reader(app).stored()
    moderator = signed_in(app)
    moderator.decide("approve", 1)
    moderator.decide("restore", 1)
    run(app, "--now")
    assert akismet.taught == []


@pytest.mark.parametrize(
    ("reply", "decision"),
    [(HAM, "approve"), (HAM, "reject"), (SPAM, "reject"), (status(500), "spam"), (SPAM, "spam")],
)
def test_where_nobody_disagrees_nothing_is_sent(
    make: Make, akismet: AkismetStandIn, reply: object, decision: str
) -> None:
    app = make(moderation="all")
    akismet.answer_with(reply)  # type: ignore[arg-type]
    Reader(app).stored()
    signed_in(app).decide(decision, 1, reason="unkind")
    run(app, "--now")
    assert akismet.taught == []


@pytest.mark.parametrize(
    "away", [HANGS, RESETS, GARBAGE, SUSPENDED, INVALID, status(503), status(429, retry_after="90")]
)
def test_a_run_while_akismet_is_away_loses_nothing(make: Make, akismet: AkismetStandIn, away: object) -> None:
    app = make(akismet_timeout=0.5)
    akismet.answer_with(away)  # type: ignore[arg-type]
    Reader(app).stored()
    run(app, "--now")
    assert statuses(app) == ["pending"]
    akismet.answer_with(HAM)
    run(app, "--now")
    assert statuses(app) == ["approved"]


def test_one_comment_that_always_fails_does_not_stop_the_others(app: Flask, akismet: AkismetStandIn) -> None:
    akismet.answer_with(status(500))
    for _ in range(3):
        Reader(app).stored()
    akismet.answer_with(status(500), HAM)
    run(app, "--now")
    assert statuses(app) == ["pending", "approved", "approved"]


def test_a_dry_run_says_what_it_would_do_and_does_nothing(app: Flask, akismet: AkismetStandIn) -> None:
    akismet.answer_with(status(500), HAM)
    Reader(app).stored()
    assert "would ask again about 1" in run(app, "--now", "--dry-run")
    assert statuses(app) == ["pending"]
    assert len(akismet.checks) == 1


def age(app: Flask, days: float) -> None:
    with app.app_context(), write() as session:
        session.execute(update(Comment).values(status_at=utcnow() - timedelta(days=days)))


def test_private_data_goes_after_its_time_counted_from_the_decision(either: Flask) -> None:
    Reader(either).stored()
    age(either, 14.9)
    run(either)
    with either.app_context():
        assert db.session.scalars(select(Comment.ip)).one() is not None
        db.session.remove()
    age(either, 15.1)
    run(either)
    with either.app_context():
        comment = db.session.scalars(select(Comment)).one()
        assert (comment.ip, comment.network, comment.user_agent, comment.referrer, comment.submitted) == (
            None,
        ) * 5
        assert comment.body
        db.session.remove()


def test_old_spam_goes_and_its_history_stays(either: Flask, akismet: AkismetStandIn) -> None:
    akismet.answer_with(SPAM)
    Reader(either).stored(author="Zoltan")
    age(either, 31)
    run(either)
    assert statuses(either) == []
    with either.app_context():
        events = list(db.session.scalars(select(Event)))
        assert [event.kind for event in events][-1] == "deleted"
        assert "Zoltan" not in repr([(event.note, event.data) for event in events])
        db.session.remove()


def test_what_waits_for_a_person_is_never_deleted(make: Make) -> None:
    app = make(moderation="all")
    Reader(app).stored()
    age(app, 1000)
    run(app)
    with app.app_context():
        assert db.session.scalars(select(Comment.ip)).one() is not None
        db.session.remove()
