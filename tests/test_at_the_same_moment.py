"""Several things at once: writers, one form sent again, first starts, a decision while Akismet is asked."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import create_engine, select, text

from blog import start
from blog.db import db
from blog.models import Comment
from blog.reconcile import reconcile
from blog.twice import AfterTheFirst
from tests import forked
from tests.akismet_standin import HAM, SPAM, AkismetStandIn, later, status
from tests.conftest import signed_in
from tests.people import Reader
from tests.serving import COMMAND, browser, environment
from tests.test_serve import ARTICLE, serving
from tests.test_whole_life_of_a_comment import fields


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
    assert "screened again" in log


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


def command(app: Flask, log: Path) -> forked.Forked:
    here = app.extensions["blog.settings"]
    settings = environment(
        data_dir=here.data_dir,
        database_url=here.database_url,
        content_dir=here.content_dir,
        secret_key=here.secret_key,
        akismet_key=here.akismet_key,
        akismet_endpoint=here.akismet_endpoint,
        moderation=here.moderation,
    )
    return forked.Forked((*COMMAND, "comments", "reconcile", "--now"), settings, log)


def test_two_runs_at_once_send_each_thing_once(
    either: Flask, akismet: AkismetStandIn, tmp_path: Path
) -> None:
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
    log = tmp_path / "reconcile.log"
    for run in [command(either, log), command(either, log)]:
        assert run.wait(60) == 0, log.read_text()
    asked = Counter(one.get("comment_author") for one in akismet.requests if one.get("comment_author"))
    assert asked == {**{f"Taught {n}": 1 for n in range(6)}, **{f"Asked {n}": 1 for n in range(4)}}
    with either.app_context():
        assert set(db.session.scalars(select(Comment.status))) == {"approved"}
        db.session.remove()


def together(number: int, act: Callable[[int], str]) -> list[str]:
    """What each of so many people got who all began at the same moment."""
    ready = threading.Barrier(number)

    def one(which: int) -> str:
        ready.wait(20)
        return act(which)

    with ThreadPoolExecutor(number) as people:
        return list(people.map(one, range(number)))


@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_eight_who_write_at_once_are_all_taken(
    request: pytest.FixtureRequest, tmp_path: Path, akismet: AkismetStandIn, store: str
) -> None:
    address = request.getfixturevalue("migrated_postgres") if store == "postgres" else ""
    with serving(tmp_path, akismet, database_url=address) as blog:

        def write_five(who: int) -> str:
            with browser(blog.url) as reader:
                form = fields(reader.get(ARTICLE), "#comment-form")
                got = []
                for number in range(5):
                    typed = {"author": f"W{who}", "email": f"w{who}@example.org", "body": f"{who}/{number}."}
                    answer = reader.post(f"{ARTICLE}comments", data={**form, **typed})
                    got.append(f"{answer.status_code} {answer.headers.get('Location', answer.text[:300])}")
                return "\n".join(got)

        got = "\n".join(together(8, write_five)).splitlines()
        engine = create_engine(address or f"sqlite:///{tmp_path / 'data' / 'blog.db'}")
        with engine.connect() as connection:
            stored = connection.execute(text("SELECT body, token FROM comment")).all()
        engine.dispose()
    assert sorted(body for body, _ in stored) == sorted(f"{who}/{n}." for who in range(8) for n in range(5))
    assert sorted(got) == sorted(f"303 /receipts/{token}" for _, token in stored)


def test_the_same_form_sent_six_times_at_once_is_stored_once(either: Flask, akismet: AkismetStandIn) -> None:
    akismet.delay = 0.1  # all are on their way before the first is stored
    form = Reader(either).get(ARTICLE).fields("#comment-form")
    typed = {**form, "author": "Ada", "email": "ada@example.org", "body": "Once."}

    def send(_: int) -> str:
        answer = Reader(either).post(f"{ARTICLE}comments", typed)
        return f"{answer.status} {answer.headers.get('Location')}"

    got = together(6, send)
    with either.app_context():
        (stored,) = db.session.scalars(select(Comment))
        assert [event.kind for event in stored.history()] == ["received", "screened"]
        assert set(got) == {f"303 /receipts/{stored.token}"}
        db.session.remove()
    assert len(akismet.checks) == 1


def test_when_the_first_of_six_fails_the_others_go_on(app: Flask) -> None:
    ready, gone_on = threading.Event(), []

    def act(which: int) -> str:
        if which:
            ready.wait(20)
        with app.app_context(), AfterTheFirst("the same", 20):
            gone_on.append(which)
            if which == 0:
                ready.set()
                time.sleep(0.1)  # the others arrive meanwhile
                gone_on.append(which)
                raise ZeroDivisionError
        return "went on"

    def tried(which: int) -> str:
        try:
            return act(which)
        except ZeroDivisionError:
            return "failed"

    assert Counter(together(6, tried)) == {"failed": 1, "went on": 5}
    assert gone_on[:2] == [0, 0]


# Forked after the imports, so that all eight really meet. On PostgreSQL each is a machine of its own, with a
# data folder of its own.
FIRST_STARTS = """
import os, sys
from blog import create_app, start
import alembic.command, flask_migrate, psycopg
folder, store = sys.argv[1:]
begin, go = os.pipe()
for number in range(8):
    if os.fork() == 0:
        os.close(go)
        os.read(begin, 1)
        app = create_app({"data_dir": f"{folder}/{number if store == 'postgres' else 'data'}"})
        app.config["PASSWORD_HASH"] = "scrypt:1024:8:1"
        os.write(1, f"{bool(start.prepare(app))}\\n".encode())
        os._exit(0)
os.close(go)
failed = [status for _, status in (os.wait() for _ in range(8)) if status]
sys.exit(bool(failed))
"""


@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_eight_first_starts_at_once_make_one_store_and_one_moderator(
    request: pytest.FixtureRequest, tmp_path: Path, store: str
) -> None:
    address = request.getfixturevalue("postgres") if store == "postgres" else ""
    done = forked.run(("-c", FIRST_STARTS, str(tmp_path), store), environment(database_url=address))
    assert (done.returncode, done.stderr.count("Traceback")) == (0, 0), done.stderr
    assert sorted(done.stdout.split()) == ["False"] * 7 + ["True"], done.stdout
    assert len(list(tmp_path.rglob("first-moderator.txt"))) == 1
    engine = create_engine(address or f"sqlite:///{tmp_path / 'data' / 'blog.db'}")
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM moderator")) == 1
        assert connection.scalars(text("SELECT version_num FROM alembic_version")).all() == [
            start.newest_revision()
        ]
    engine.dispose()
