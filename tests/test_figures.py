"""The desk's figures, the same as JSON, and the public report."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from flask import Flask
from sqlalchemy import select

from blog.charts import ceiling, chart
from blog.db import db, utcnow, write
from blog.figures import Day, Month
from blog.history import Event
from blog.reconcile import reconcile
from tests.akismet_standin import HAM, SPAM, AkismetStandIn, status
from tests.conftest import Make, signed_in
from tests.people import Reader


def happened(app: Flask, at: datetime, kind: str, was: str | None, now: str, **more: object) -> None:
    """An entry of the log, at a time in the past."""
    with app.app_context(), write() as session:
        session.add(Event(at=at, actor="screening", kind=kind, was=was, now=now, **more))


def a_busy_day(app: Flask, at: datetime, many: int = 6) -> None:
    for number in range(1, many + 1):
        happened(app, at, "received", None, "pending", comment_id=number)
        happened(
            app,
            at,
            "screened",
            "pending",
            "pending",
            comment_id=number,
            reasons=["links"],
            data={"verdict": "ham"},
        )
        later = at + timedelta(minutes=10 * number)
        happened(app, later, "decided", "pending", "approved", comment_id=number)


def run(app: Flask) -> None:
    with app.app_context():
        reconcile()
        db.session.remove()


def test_figures_say_what_became_of_comments(either: Flask, akismet: AkismetStandIn) -> None:
    reader, ana = Reader(either), signed_in(either)
    akismet.answer_with(HAM, SPAM, status(500))
    for _ in range(3):
        reader.stored()
    ana.decide("approve", 2)
    answer = ana.get("/moderation/figures.json")
    (month,) = answer.response.get_json()["months"]
    expected = {
        "received": 3,
        "published": 2,
        "held": 1,
        "flagged": 1,
        "decided": 1,
        "answered": 2,
        "unanswered": 1,
    }
    assert {name: month[name] for name in expected} == expected
    assert month["reasons"] == {"akismet-spam": 1, "unchecked": 1}
    assert month["akismet_availability"] == pytest.approx(2 / 3)
    page = ana.get("/moderation/figures")
    assert page.words('[data-month="all"]').startswith("All 3 2 1 1")
    assert page.headers["Cache-Control"] == "no-store"


def test_plots_are_pictures_with_words_and_no_styles(app: Flask) -> None:
    Reader(app).stored()
    page = signed_in(app).get("/moderation/figures")
    for picture in page.all("svg[role=img]"):
        ids = picture.get("aria-labelledby").split()
        assert all(page.words(f'[id="{ident}"]') for ident in ids)
    assert len(page.all("svg[role=img]")) == 2
    assert page.all("[style], style") == []


def test_days_that_ended_are_entered_once_and_outlive_their_comments(either: Flask) -> None:
    yesterday = utcnow().replace(hour=10) - timedelta(days=1)
    a_busy_day(either, yesterday - timedelta(days=2))
    a_busy_day(either, yesterday, many=3)
    run(either)
    run(either)
    with either.app_context():
        days = list(db.session.scalars(select(Day).order_by(Day.day)))
        db.session.remove()
    assert [day.data["counts"].get("received", 0) for day in days] == [6, 0, 3]
    assert days[0].data["waits"] == [600, 1200, 1800, 2400, 3000, 3600]
    assert days[0].data["reasons"] == {"links": 6}


def test_waiting_times_have_a_middle_and_a_tail() -> None:
    month = Month("2026-11", waits=[600 * n for n in range(1, 11)])
    assert month.wait == (3300, 5400)
    assert Month("2026-11").wait is None
    assert Month("2026-11").availability is None


def test_the_public_report_has_counts_of_whole_days_and_no_small_numbers(app: Flask) -> None:
    a_busy_day(app, utcnow().replace(hour=10) - timedelta(days=1))
    run(app)
    for _ in range(7):
        Reader(app).stored()  # today's are told tomorrow
    page = Reader(app).get("/moderation-report")
    cells = [cell.text_content() for cell in page.all('[data-month="all"] td')]
    assert cells == ["5", "5", "5", "fewer than 5", "5", "fewer than 5"]
    assert "Set-Cookie" not in page.headers
    assert "public" in page.headers["Cache-Control"]
    assert "ETag" in page.headers


def test_the_public_report_can_be_switched_off(make: Make) -> None:
    app = make(report="off")
    assert Reader(app).get("/moderation-report").status == 404
    assert "/moderation-report" not in Reader(app).get("/privacy").text
    app = make()
    assert Reader(app).get("/moderation-report").status == 200
    assert "/moderation-report" in Reader(app).get("/privacy").text


def test_figures_are_for_moderators_only(app: Flask) -> None:
    for path in ("/moderation/figures", "/moderation/figures.json", "/moderation/sample"):
        assert Reader(app).get(path).status == 303


@pytest.mark.parametrize("most", [0, 0.3, 1, 3, 7, 12, 99, 100, 101, 12_345, 9e9])
def test_a_scale_is_round_and_holds_everything(most: float) -> None:
    top, step = ceiling(most)
    assert top >= most
    assert 1 <= top / step <= 5


def test_bars_stand_beside_each_other_inside_the_picture() -> None:
    drawn = chart("x", "X", ["2026-10", "2026-11"], [("a", [1, 2]), ("b", [3, 0])], "comments")
    assert all(bar.x >= drawn.left and bar.x + bar.width <= drawn.right for bar in drawn.bars)
    assert all(bar.y + bar.height == pytest.approx(drawn.floor) for bar in drawn.bars)
    ordered = sorted(drawn.bars, key=lambda bar: bar.x)
    assert all(left.x + left.width <= right.x for left, right in pairwise(ordered))
