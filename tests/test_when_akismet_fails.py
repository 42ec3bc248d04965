"""Every row of docs/akismet-failures.md, over real HTTP: what people see, and how it is repaired."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from flask import Flask
from sqlalchemy import update

from blog import alerts
from blog.akismet_state import AkismetState
from blog.db import db, utcnow, write
from blog.models import Comment
from blog.reconcile import reconcile
from blog.rules import REASONS
from tests import akismet_standin as says
from tests.akismet_standin import HAM, HANGS, SPAM, AkismetStandIn, Reply, later, provisional, status
from tests.conftest import Make, signed_in
from tests.overhttp import over_http
from tests.people import Page, Reader

TABLE = Path(__file__).resolve().parent.parent / "docs" / "akismet-failures.md"
TIMEOUT = 0.3
GRACE = 0.5 + 0.5  # what is promised beyond the time limit, and the same for a busy machine


class Case(NamedTuple):
    """How Akismet answers, and the code of what comes of it."""

    reply: Reply
    error: str


def raw(text: bytes) -> Reply:
    return Reply(text, then="raw", close=True)


OK = b"HTTP/1.1 200 OK\r\n"
CASES = {
    "does not listen": Case(HAM, "unreachable"),
    "resets the connection after the question": Case(says.RESETS, "unreachable"),
    "resets it in the middle of the answer": Case(says.CUTS, "unreachable"),
    "closes it without a word": Case(raw(b""), "unreachable"),
    "closes it in the middle of the answer": Case(raw(OK + b"Content-Length: 5\r\n\r\nfal"), "garbage"),
    "hangs": Case(HANGS, "timeout"),
    "answers too late": Case(later(1.0), "timeout"),
    "drips its headers": Case(says.DRIPS_HEADERS, "deadline"),
    "drips its body": Case(says.DRIPS_BODY, "deadline"),
    "speaks no HTTP": Case(says.GARBAGE, "garbage"),
    "sends headers without end": Case(raw(OK + b"X-Long: " + b"x" * 200_000), "garbage"),
    "sends megabytes": Case(says.HUGE, "garbage"),
    "sends an empty answer": Case(says.EMPTY, "garbage"),
    "sends `false` and a line end": Case(says.NEWLINE, "garbage"),
    "sends `FALSE`": Case(Reply(b"FALSE"), "garbage"),
    "sends a page, as a hotel's network does": Case(Reply(b"<!doctype html><p>Sign in"), "garbage"),
    "says that a field is missing": Case(Reply(b"Missing required field: user_ip."), "garbage"),
    "redirects": Case(says.REDIRECT, "status-302"),
    "answers 400": Case(status(400, b"false"), "status-400"),
    "answers 403": Case(status(403, b"false"), "status-403"),
    "answers 404": Case(status(404, b"false"), "status-404"),
    "answers 429 with Retry-After": Case(status(429, b"false", retry_after="30"), "status-429"),
    "answers 500": Case(status(500, b"false"), "status-500"),
    "answers 502": Case(status(502, b"<html>Bad gateway"), "status-502"),
    "answers 503": Case(status(503, b"false"), "status-503"),
    "says `invalid`": Case(says.INVALID, "key-invalid"),
    "says ham, and that the key is suspended": Case(says.SUSPENDED, "account"),
    "says spam, and that there is an error": Case(
        Reply(b"true", headers={"X-akismet-error": "suspended"}), "account"
    ),
}
# These end otherwise and have tests of their own below.
OTHERS = {
    "says ham for now": "provisional",
    "says ham, and that the limit was passed": "warning",
    "fails five times in a row": "breaker",
    "does not know the key": "key",
    "takes no feedback": "feedback",
}


def rows() -> dict[str, list[str]]:
    """The table's rows by their first cell."""
    lines = [line for line in TABLE.read_text("utf-8").splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: row[1:] for row in cells if row[0] != "Akismet"}


def visible(page: Page) -> tuple[str, list[str]]:
    """Status and reason codes of a receipt."""
    return page.one("main").get("data-status"), [row.get("data-reason") for row in page.all("[data-reason]")]


def desk_says(app: Flask) -> str:
    return signed_in(app).desk(status="all").words()


def repair(app: Flask, *, regardless: bool = True) -> None:
    with app.app_context():
        reconcile(regardless)
        db.session.remove()


def test_the_table_and_the_tests_name_the_same_failures() -> None:
    assert set(rows()) == {*CASES, *OTHERS}


@pytest.mark.parametrize("name", CASES)
def test_a_failure_is_explained_and_repaired(make: Make, akismet: AkismetStandIn, name: str) -> None:
    reply, error = CASES[name]
    author_sees, moderator_sees, _ = rows()[name]
    app = make(akismet_timeout=TIMEOUT, akismet_key="secretkey123")
    akismet.answer_with(reply)
    if name == "does not listen":
        akismet.stop()
    with over_http(app) as reader:
        reader.get("/posts/open-letter/")
        began = time.monotonic()
        receipt = reader.stored(body="Words in waiting.")
        assert time.monotonic() - began < TIMEOUT + GRACE
        page, desk = reader.get(receipt), desk_says(app)
        assert visible(page) == ("pending", ["unchecked"])
        assert author_sees == REASONS["unchecked"].author
        assert author_sees in page.words()
        assert "it is not known whether they arrived" in page.words()
        assert "Words in waiting." not in reader.get("/posts/open-letter/").text
        assert moderator_sees == alerts.failure(error)
        assert moderator_sees in desk
        assert "secretkey123" not in page.text + desk
        if name == "does not listen":
            akismet.start()
        akismet.answer_with(HAM)
        repair(app)
        page = reader.get(receipt)
        assert visible(page) == ("approved", [])
        assert "it is not known whether they arrived" not in page.words()
        assert "Words in waiting." in reader.get("/posts/open-letter/").text


def test_ham_for_now_waits_and_is_asked_about_again(make: Make, akismet: AkismetStandIn) -> None:
    author_sees, moderator_sees, _ = rows()["says ham for now"]
    app = make(akismet_timeout=TIMEOUT)
    akismet.answer_with(provisional(120), SPAM)
    with over_http(app) as reader:
        receipt = reader.stored()
        page = reader.get(receipt)
        assert visible(page) == ("pending", ["provisional"])
        assert author_sees in page.words()
        assert moderator_sees in desk_says(app)
        repair(app, regardless=False)
        assert visible(reader.get(receipt))[0] == "pending"
        pass_time(app)
        repair(app, regardless=False)
        assert visible(reader.get(receipt)) == ("spam", ["akismet-spam"])


def test_a_warning_about_the_limit_only_warns(make: Make, akismet: AkismetStandIn) -> None:
    author_sees, moderator_sees, _ = rows()["says ham, and that the limit was passed"]
    app = make(akismet_timeout=TIMEOUT)
    akismet.answer_with(says.OVER_LIMIT, HAM)
    with over_http(app) as reader:
        receipt = reader.stored()
        page = reader.get(receipt)
        assert visible(page) == ("approved", [])
        assert author_sees in page.words()
        assert f"{moderator_sees} Screening goes on meanwhile." in desk_says(app)
        reader.stored()
        assert moderator_sees not in desk_says(app)


def test_a_suspended_key_is_shown_with_its_meaning_until_an_answer_without_it(
    make: Make, akismet: AkismetStandIn
) -> None:
    app = make(akismet_timeout=TIMEOUT)
    akismet.answer_with(says.SUSPENDED)
    Reader(app).stored()
    alert = alerts.ALERTS[10402]
    assert f"{alert.meaning} {alert.next_step}" in desk_says(app)
    akismet.answer_with(HAM)
    repair(app)
    assert alert.meaning not in desk_says(app)


def test_an_alert_that_nobody_has_heard_of_is_shown_in_akismets_words(
    app: Flask, akismet: AkismetStandIn
) -> None:
    headers = {"X-akismet-alert-code": "99999", "X-akismet-alert-msg": "Something <b>new</b>"}
    akismet.answer_with(Reply(b"false", headers=headers))
    reader = Reader(app)
    assert visible(reader.get(reader.stored())) == ("approved", [])
    assert "Something <b>new</b> Sign in at akismet.com/account." in desk_says(app)


def pass_time(app: Flask) -> None:
    """The pause of the breaker and the waiting times of comments are over."""
    with app.app_context(), write() as session:
        past = utcnow() - timedelta(seconds=1)
        session.execute(update(AkismetState).values(retry_at=past))
        session.execute(update(Comment).where(Comment.recheck_reason == "recheck").values(next_check_at=past))


def test_posting_stays_fast_while_akismet_hangs(make: Make, akismet: AkismetStandIn) -> None:
    author_sees, moderator_sees, _ = rows()["fails five times in a row"]
    app = make(akismet_timeout=TIMEOUT)
    akismet.answer_with(HANGS)
    with over_http(app) as reader:
        assert author_sees not in reader.get("/posts/open-letter/").words()
        for _ in range(5):
            reader.stored()
        assert author_sees in reader.get("/posts/open-letter/").words()
        assert moderator_sees in desk_says(app)
        began = time.monotonic()
        receipts = [reader.stored() for _ in range(5)]
        assert time.monotonic() - began < 5 * TIMEOUT
        assert len(akismet.checks) == 5
        # One after the pause tries again, for all; the others do not wait.
        pass_time(app)
        reader.stored()
        reader.stored()
        assert len(akismet.checks) == 6
        akismet.answer_with(HAM)
        pass_time(app)
        receipts.append(reader.stored())
        assert visible(reader.get(receipts[-1])) == ("approved", [])
        assert author_sees not in reader.get("/posts/open-letter/").words()
        repair(app, regardless=False)
        assert {visible(reader.get(receipt))[0] for receipt in receipts} == {"approved"}


def test_akismet_is_tried_again_when_nobody_posts(make: Make, akismet: AkismetStandIn) -> None:
    app = make(akismet_timeout=TIMEOUT)
    repair(app)  # the key was looked at
    akismet.requests.clear()
    akismet.answer_with(status(500))
    reader = Reader(app)
    receipts = [reader.stored() for _ in range(5)]
    akismet.answer_with(HAM)
    repair(app, regardless=False)
    assert len(akismet.requests) == 5  # left alone for a minute
    pass_time(app)
    repair(app, regardless=False)
    assert {visible(reader.get(receipt))[0] for receipt in receipts} == {"approved"}


def test_a_key_that_works_but_no_verdict_leaves_the_breaker_open(make: Make, akismet: AkismetStandIn) -> None:
    app = make(akismet_timeout=TIMEOUT)
    akismet.answer_with(Reply(b"nonsense"))
    reader = Reader(app)
    for _ in range(5):
        reader.stored()
    pass_time(app)
    repair(app, regardless=False)
    assert rows()["fails five times in a row"][1] in desk_says(app)


def test_an_unknown_key_stops_the_run_and_is_said(make: Make, akismet: AkismetStandIn) -> None:
    author_sees, moderator_sees, _ = rows()["does not know the key"]
    app = make(akismet_timeout=TIMEOUT)
    akismet.key = "another key"
    reader = Reader(app)
    receipt = reader.stored()
    repair(app)
    assert author_sees in reader.get(receipt).words()
    assert moderator_sees in desk_says(app)
    assert len(akismet.checks) == 1
    akismet.key = None
    repair(app)
    assert moderator_sees not in desk_says(app)
    assert visible(reader.get(receipt))[0] == "approved"


def test_the_key_is_looked_at_when_the_server_starts_and_not_with_each_comment(
    make: Make, akismet: AkismetStandIn
) -> None:
    app = make()
    for starting in (True, True, False):
        with app.app_context():
            reconcile(starting=starting)
            db.session.remove()
    Reader(app).stored()
    assert [asked.path.rpartition("/")[2] for asked in akismet.requests] == ["verify-key"] * 2 + [
        "comment-check"
    ]


@pytest.mark.parametrize("reply", [HANGS, says.RESETS, says.GARBAGE, status(500), Reply(b"nonsense")])
def test_feedback_that_was_not_taken_is_sent_again(make: Make, akismet: AkismetStandIn, reply: Reply) -> None:
    author_sees, moderator_sees, _ = rows()["takes no feedback"]
    app = make(akismet_timeout=TIMEOUT)
    akismet.answer_with(SPAM)
    reader = Reader(app)
    receipt = reader.stored()
    signed_in(app).decide("approve", 1)
    # A run looks at the key first, which must work for feedback to be tried.
    akismet.answer_with(reply)
    repair(app)
    assert author_sees in reader.get(receipt).words()
    history = signed_in(app).get("/moderation/comments/1").words(".log")
    assert moderator_sees not in history
    akismet.answer_with(HAM)
    repair(app)
    assert moderator_sees in signed_in(app).get("/moderation/comments/1").words(".log")
    sent = len(akismet.taught)
    repair(app)
    assert len(akismet.taught) == sent
