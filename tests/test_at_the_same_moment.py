"""Two things at once: a decision while Akismet is asked again, and two runs of what is owed."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from blog.db import db
from blog.models import Comment
from blog.reconcile import reconcile
from tests.akismet_standin import HAM, SPAM, AkismetStandIn, later, status
from tests.conftest import signed_in
from tests.people import Reader

ROOT = Path(__file__).resolve().parent.parent


def in_background(app: Flask) -> threading.Thread:
    def run() -> None:
        with app.app_context():
            reconcile(regardless=True)
            db.session.remove()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def wait_for(akismet: AkismetStandIn, checks: int) -> None:
    tick = threading.Event()
    for _ in range(500):
        if len(akismet.checks) >= checks:
            return
        tick.wait(0.01)
    pytest.fail("Akismet was never asked again")


@pytest.mark.parametrize(
    ("reply", "decision", "stands"), [(SPAM, "approve", "approved"), (HAM, "reject", "rejected")]
)
def test_a_decision_made_while_akismet_is_asked_again_stands(
    either: Flask, akismet: AkismetStandIn, reply: object, decision: str, stands: str
) -> None:
    akismet.answer_with(status(500))
    receipt = Reader(either).stored()
    ana = signed_in(either)
    akismet.answer_with(later(0.3, reply))  # type: ignore[arg-type]
    running = in_background(either)
    wait_for(akismet, 2)
    assert ana.decide(decision, 1, reason="unkind").status == 303
    running.join(20)
    page = Reader(either).get(receipt)
    assert page.one("main").get("data-status") == stands
    log = ana.get("/moderation/comments/1").words(".log")
    assert "ana" in log
    assert "rechecked" in log


def test_an_edit_made_while_akismet_is_asked_again_keeps_its_own_verdict(
    app: Flask, akismet: AkismetStandIn
) -> None:
    akismet.answer_with(status(500))
    reader = Reader(app)
    receipt = reader.stored(body="Before.")
    akismet.answer_with(later(0.3, HAM), SPAM)
    running = in_background(app)
    wait_for(akismet, 2)
    reader.post(f"{receipt}/edit", {"body": "After."})
    running.join(20)
    assert reader.get(receipt).one("main").get("data-status") == "spam"


def test_a_withdrawal_made_while_akismet_is_asked_again_stands(app: Flask, akismet: AkismetStandIn) -> None:
    akismet.answer_with(status(500))
    reader = Reader(app)
    receipt = reader.stored()
    akismet.answer_with(later(0.3, HAM))
    running = in_background(app)
    wait_for(akismet, 2)
    assert reader.post(f"{receipt}/withdrawal").status == 303
    running.join(20)
    assert reader.get(receipt).one("main").get("data-status") == "withdrawn"
    assert "Answer" not in reader.get("/posts/open-letter/").words("#comments")


def command(app: Flask) -> subprocess.Popen[bytes]:
    here = app.extensions["blog.settings"]
    values = {
        "DATA_DIR": here.data_dir,
        "DATABASE_URL": here.database_url,
        "CONTENT_DIR": here.content_dir,
        "SECRET_KEY": here.secret_key,
        "AKISMET_KEY": here.akismet_key,
        "AKISMET_ENDPOINT": here.akismet_endpoint,
        "MODERATION": here.moderation,
    }
    environ = {**os.environ, **{f"BLOG_{name}": str(value) for name, value in values.items()}}
    words = [sys.executable, "-m", "flask", "--app", "wsgi", "comments", "reconcile", "--now"]
    return subprocess.Popen(words, cwd=ROOT, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def test_two_runs_at_once_send_each_thing_once(either: Flask, akismet: AkismetStandIn) -> None:
    reader, ana = Reader(either), signed_in(either)
    akismet.answer_with(SPAM)
    for number in range(6):
        reader.stored(author=f"Taught {number}")
    ana.decide("approve", *range(1, 7))
    akismet.answer_with(status(500))
    for number in range(4):
        reader.stored(author=f"Asked {number}")
    akismet.requests.clear()
    akismet.answer_with(HAM)
    akismet.delay = 0.05
    runs = [command(either), command(either)]
    for run in runs:
        assert run.wait(60) == 0, run.stderr.read() if run.stderr else b""
        assert run.stderr is not None
        run.stderr.close()
    asked = Counter(one.get("comment_author") for one in akismet.requests if one.get("comment_author"))
    assert asked == {**{f"Taught {n}": 1 for n in range(6)}, **{f"Asked {n}": 1 for n in range(4)}}
    with either.app_context():
        assert set(db.session.scalars(select(Comment.status))) == {"approved"}
        db.session.remove()
