"""Why posting is fast: how much an accepted comment asks of the store, and what it never waits for."""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

from flask import Flask
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError

from blog import posting
from blog.db import alone, db, write
from blog.joint import queue_of, write_jointly
from blog.models import Comment
from tests.akismet_standin import AkismetStandIn
from tests.conftest import Make
from tests.people import Reader


@contextmanager
def watched(app: Flask) -> Iterator[list[str]]:
    """The first words of every statement, and COMMIT, in their order."""
    said: list[str] = []

    def note(connection: object, cursor: object, statement: str, *_: object) -> None:
        said.append(" ".join(statement.split()[:3]))

    def committed(connection: object) -> None:
        said.append("COMMIT")

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    event.listen(engine, "commit", committed)
    try:
        yield said
    finally:
        event.remove(engine, "before_cursor_execute", note)
        event.remove(engine, "commit", committed)


def test_an_accepted_post_is_one_short_transaction(make: Make) -> None:
    app = make(flood_seconds=15)
    reader = Reader(app, REMOTE_ADDR="203.0.113.1")
    reader.stored()  # the first verdict of the minute is noted in the store
    reader = Reader(app, REMOTE_ADDR="203.0.113.2")
    form = reader.get("/posts/open-letter/").fields("#comment-form")
    typed = {"author": "Ada", "email": "ada@example.org", "body": "Briefly."}
    with watched(app) as said:
        assert reader.post("/posts/open-letter/comments", {**form, **typed}).status == 303
    asked, transaction = said[: said.index("BEGIN IMMEDIATE")], said[said.index("BEGIN IMMEDIATE") :]
    assert [words.split()[0] for words in asked] == ["SELECT"]
    assert transaction[-1] == "COMMIT"
    assert Counter(words.split()[0] for words in transaction) == {
        "BEGIN": 1,
        "SELECT": 3,
        "INSERT": 4,
        "COMMIT": 1,
    }


def test_no_connection_to_the_store_is_held_while_akismet_thinks(app: Flask, akismet: AkismetStandIn) -> None:
    akismet.delay = 0.3
    reader = Reader(app)
    form = reader.get("/posts/open-letter/").fields("#comment-form")
    typed = {"author": "Ada", "email": "ada@example.org", "body": "In thought."}
    held: list[int] = []
    sent = threading.Thread(target=reader.post, args=("/posts/open-letter/comments", {**form, **typed}))
    with app.app_context():
        pool = db.engine.pool
        db.session.remove()
    sent.start()
    tick = threading.Event()
    while not akismet.checks and sent.is_alive():
        tick.wait(0.01)
    held.append(pool.checkedout())  # type: ignore[attr-defined]
    sent.join(20)
    assert held == [0]


def test_a_reader_in_the_middle_of_something_keeps_no_old_view(app: Flask) -> None:
    # SQLite begins its log of changes anew only when nobody holds a view from before.
    path = app.extensions["blog.settings"].data_dir / "blog.db"
    with app.app_context():
        db.session.connection().exec_driver_sql("SELECT count(*) FROM comment").all()
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("INSERT INTO tally (name, comments) VALUES ('of a test', 1)")
            busy, _, _ = other.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
        assert busy == 0
        db.session.remove()


def test_who_writes_holds_up_no_reader(app: Flask) -> None:
    reader = Reader(app)
    with app.app_context():
        with write():
            db.session.connection().exec_driver_sql("DELETE FROM tally")
            assert reader.get("/posts/open-letter/").status == 200
        db.session.remove()


def name_it(name: str) -> str:
    """Count a view of the desk that does not exist; unlike a comment it can be seen to be stored or not."""
    db.session.connection().exec_driver_sql("INSERT INTO tally (name, comments) VALUES (?, 1)", (name,))
    return name


def named(app: Flask) -> set[str]:
    with app.app_context():
        found = db.session.connection().exec_driver_sql("SELECT name FROM tally").scalars().all()
        db.session.remove()
    return {name for name in found if name.startswith("test")}


def name_all(names: Sequence[str]) -> list[str]:
    """What write_jointly is given here: it names what it gets, or fails."""
    for name in names:
        if name == "a failure":
            raise LookupError
        name_it(name)
    return list(names)


def all_at_once(app: Flask, *names: str) -> list[object]:
    """What each got who came while somebody else was writing."""

    def one(name: str) -> object:
        with app.app_context():
            try:
                return write_jointly(name_all, name)
            except Exception as error:
                return type(error)
            finally:
                db.session.remove()

    tick = threading.Event()
    with ThreadPoolExecutor(len(names)) as people:
        with app.app_context(), alone():
            answers = []
            for number, name in enumerate(names, 1):
                answers.append(people.submit(one, name))
                while len(queue_of(name_all)) < number:
                    tick.wait(0.001)
        return [answer.result(20) for answer in answers]


def test_those_who_wait_share_one_commit(app: Flask) -> None:
    with watched(app) as said:
        assert all_at_once(app, *(f"test {n}" for n in range(5))) == [f"test {n}" for n in range(5)]
    assert len(named(app)) == 5
    assert said.count("BEGIN IMMEDIATE") == said.count("COMMIT") == 1


def test_what_fails_takes_nobody_elses_with_it(app: Flask) -> None:
    got = all_at_once(app, "test 1", "a failure", "test 2")
    assert got == ["test 1", LookupError, "test 2"]
    assert named(app) == {"test 1", "test 2"}


def test_whoever_comes_while_others_are_stored_is_stored_next(app: Flask) -> None:
    for number in range(3):
        assert all_at_once(app, f"test {number} a", "a failure") == [f"test {number} a", LookupError]
    assert len(named(app)) == 3


def test_what_was_refused_because_the_store_is_locked_is_not_stored_later(app: Flask) -> None:
    path = app.extensions["blog.settings"].data_dir / "blog.db"
    with app.app_context():
        db.session.connection().exec_driver_sql("PRAGMA busy_timeout=50")  # instead of ten seconds
        db.session.remove()
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        assert all_at_once(app, "test 1") == [OperationalError]
        holder.execute("ROLLBACK")
    assert all_at_once(app, "test 2") == ["test 2"]
    assert named(app) == {"test 2"}


def test_many_posts_at_the_same_moment_cost_the_store_what_one_does(
    make: Make, akismet: AkismetStandIn
) -> None:
    app = make(flood_seconds=15)
    Reader(app, REMOTE_ADDR="203.0.113.100").stored()  # the first verdict of the minute is noted
    form = Reader(app).get("/posts/open-letter/").fields("#comment-form")

    def send(who: int) -> str:
        typed = {"author": f"W{who}", "email": f"w{who // 2}@example.org", "body": f"At once, {who // 4}."}
        sender = Reader(app, REMOTE_ADDR=f"203.0.113.{who}")
        answer = sender.post("/posts/open-letter/comments", {**form, **typed})
        return f"{answer.status} {answer.headers.get('Location')}"

    tick = threading.Event()
    with watched(app) as said, ThreadPoolExecutor(8) as people:
        with app.app_context(), alone():
            sent = []
            for who in range(8):
                sent.append(people.submit(send, who))
                while len(queue_of(posting.enter)) <= who:
                    tick.wait(0.001)
        got = [answer.result(20) for answer in sent]
    # Two and two have one e-mail, and of those the second came too soon, as if it had come by itself.
    assert [answer[:3] for answer in got] == ["303", "429"] * 4
    transaction = said[said.index("BEGIN IMMEDIATE") : said.index("COMMIT") + 1]
    assert Counter(words.split()[0] for words in transaction) == {
        "BEGIN": 1,
        "SELECT": 3,
        "INSERT": 4,
        "COMMIT": 1,
    }
    with app.app_context():
        stored = db.session.scalars(select(Comment).order_by(Comment.id)).all()
        assert [one.author for one in stored[1:]] == ["W0", "W2", "W4", "W6"]
        assert [f"303 /receipts/{one.token}" for one in stored[1:]] == got[::2]
        for one in stored:
            assert [entry.kind for entry in one.history()] == ["received", "screened"]
        db.session.remove()
