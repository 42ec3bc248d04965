"""A moderator judges a few verdicts without seeing them, and the desk says how often Akismet is wrong."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, text, update

from blog.db import db, utcnow, write
from blog.models import Comment
from blog.reconcile import reconcile
from blog.sampling import EACH_WEEK, Drawn, Sample, wilson
from tests.akismet_standin import DISCARD, HAM, SPAM, AkismetStandIn
from tests.conftest import Make, signed_in
from tests.people import Moderator, Page, Reader

WEEK = timedelta(days=8)


def weeks_pass(app: Flask, age: timedelta = WEEK) -> None:
    """Everything so far happened that long ago; then what is owed is done."""
    with app.app_context(), write() as session:
        session.execute(update(Comment).values(checked_at=Comment.checked_at, status_at=utcnow() - age))
        session.execute(
            update(Comment).where(Comment.checked_at.is_not(None)).values(checked_at=utcnow() - age)
        )
        session.query(Drawn).delete()
    run(app)


def run(app: Flask) -> None:
    with app.app_context():
        reconcile()
        db.session.remove()


def samples(app: Flask) -> list[Sample]:
    with app.app_context():
        found = list(db.session.scalars(select(Sample).order_by(Sample.id)))
        db.session.remove()
        return found


def say(moderator: Moderator, judgement: str) -> Page:
    page = moderator.get("/moderation/sample")
    action = page.one('form[action^="/moderation/sample/"]')
    fields = page.fields('form[action^="/moderation/sample/"]')
    return moderator.post(action.get("action"), {**fields, "judgement": judgement})


def rate(page: Page, name: str) -> tuple[str, str]:
    found = page.one(f'[data-rate="{name}"]')
    return found.get("data-wrong"), found.get("data-cases")


def test_a_few_verdicts_of_each_kind_are_drawn_each_week(either: Flask, akismet: AkismetStandIn) -> None:
    reader = Reader(either)
    for reply, number in ((HAM, EACH_WEEK + 3), (SPAM, 2), (DISCARD, 1)):
        akismet.answer_with(reply)
        for _ in range(number):
            reader.stored()
    weeks_pass(either)
    kinds = [sample.kind for sample in samples(either)]
    assert sorted(kinds) == sorted(["ham"] * EACH_WEEK + ["spam"] * 2 + ["discard"])
    before = [sample.comment_id for sample in samples(either)]
    run(either)
    assert [sample.comment_id for sample in samples(either)] == before


def test_a_moderator_judges_without_the_verdict(app: Flask, akismet: AkismetStandIn) -> None:
    akismet.answer_with(SPAM)
    Reader(app).stored(author="Zoe", body="Judge me.")
    weeks_pass(app)
    ana = signed_in(app)
    page = ana.get("/moderation/sample")
    assert "Judge me." in page.words("[data-sample]")
    shown = page.words("[data-sample]") + "".join(page.one("[data-sample]").attrib.values())
    assert "Akismet" not in shown
    assert "spam" not in shown.replace("No, it is spam", "")
    assert say(ana, "publish").status == 303
    page = ana.get("/moderation/sample")
    assert page.all("[data-sample]") == []
    assert rate(page, "false-positives") == ("1", "1")
    assert "Too few to tell" in page.words()
    with app.app_context():
        assert db.session.scalars(select(Comment.status)).one() == "spam"  # it measures, and changes nothing
        db.session.remove()


def test_the_present_week_is_not_judged_yet(app: Flask) -> None:
    Reader(app).stored()
    run(app)
    assert signed_in(app).get("/moderation/sample").all("[data-sample]") == []


@pytest.mark.parametrize(
    ("reply", "judgement", "name", "expected"),
    [
        (SPAM, "publish", "false-positives", ("1", "1")),
        (SPAM, "other", "false-positives", ("1", "1")),
        (SPAM, "spam", "false-positives", ("0", "1")),
        (SPAM, "unsure", "false-positives", ("0", "0")),
        (DISCARD, "publish", "false-positives", ("1", "1")),
        (HAM, "spam", "false-negatives", ("1", "1")),
        (HAM, "other", "false-negatives", ("0", "1")),
        (HAM, "publish", "false-negatives", ("0", "1")),
    ],
)
def test_what_counts_as_wrong(
    app: Flask, akismet: AkismetStandIn, reply: object, judgement: str, name: str, expected: tuple[str, str]
) -> None:
    akismet.answer_with(reply)  # type: ignore[arg-type]
    Reader(app).stored()
    weeks_pass(app)
    ana = signed_in(app)
    say(ana, judgement)
    assert rate(ana.get("/moderation/figures"), name) == expected


def test_thirty_cases_are_enough_to_tell(app: Flask) -> None:
    now = utcnow()
    with app.app_context(), write() as session:
        session.add_all(
            Sample(
                comment_id=n,
                week="2026-W01",
                kind="spam",
                lot=str(n),
                checked_at=now,
                slug="x",
                judged_at=now,
                judged_by="ana",
                judgement="publish" if n < 3 else "spam",
            )
            for n in range(30)
        )
    words = signed_in(app).get("/moderation/figures").words('[data-rate="false-positives"]')
    assert "10.0 % was not spam" in words
    assert "3.5 % and 25.6 %" in words  # Wilson for 3 of 30


def test_a_sample_is_taken_before_retention_deletes_and_its_text_goes_when_judged(
    make: Make, akismet: AkismetStandIn
) -> None:
    app = make(spam_days=1)
    akismet.answer_with(SPAM)
    Reader(app).stored(author="Zoe", body="Gone soon.")
    weeks_pass(app)
    with app.app_context():
        assert list(db.session.scalars(select(Comment.id))) == []
        db.session.remove()
    ana = signed_in(app)
    assert "Gone soon." in ana.get("/moderation/sample").words("[data-sample]")
    say(ana, "spam")
    assert [(one.author, one.body, one.who, one.judgement) for one in samples(app)] == [
        (None, None, None, "spam")
    ]


def test_what_nobody_judges_lapses(make: Make, akismet: AkismetStandIn) -> None:
    app = make(spam_days=1)
    akismet.answer_with(SPAM)
    Reader(app).stored()
    weeks_pass(app)
    with app.app_context(), write() as session:
        session.execute(update(Sample).values(week="2020-W01"))
    run(app)
    assert samples(app) == []


def test_an_erasure_reaches_the_sample_whether_its_comment_is_still_there_or_not(
    make: Make, akismet: AkismetStandIn
) -> None:
    app = make(spam_days=20)
    akismet.answer_with(SPAM)
    reader = Reader(app)
    reader.stored(author="Zoe", email="zoe@example.org", body="Zoe was here.")
    weeks_pass(app, timedelta(days=21))
    reader.stored(author="Zoe", email="zoe@example.org", body="Zoe is here.")
    weeks_pass(app)
    assert len(samples(app)) == 2
    exported = app.test_cli_runner().invoke(args=["privacy", "export", "zoe@example.org"]).output
    assert "Zoe was here." in exported
    assert app.test_cli_runner().invoke(args=["privacy", "erase", "zoe@example.org"]).exit_code == 0
    with app.app_context():
        left = repr(db.session.execute(text("SELECT * FROM sample")).all())
        db.session.remove()
    assert "Zoe" not in left
    assert signed_in(app).get("/moderation/sample").all("[data-sample]") == []


def test_a_withdrawn_comment_is_not_shown(app: Flask) -> None:
    reader = Reader(app)
    receipt = reader.stored()
    weeks_pass(app)
    reader.post(f"{receipt}/withdrawal")
    assert signed_in(app).get("/moderation/sample").all("[data-sample]") == []


@pytest.mark.parametrize(
    ("wrong", "cases", "low", "high"),
    [
        (0, 0, 0.0, 1.0),
        (0, 10, 0.0, 0.2775),
        (5, 10, 0.2366, 0.7634),
        (10, 10, 0.7225, 1.0),
        (1, 100, 0.0018, 0.0545),
    ],
)
def test_wilsons_interval(wrong: int, cases: int, low: float, high: float) -> None:
    found = wilson(wrong, cases)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)
