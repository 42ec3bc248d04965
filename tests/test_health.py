"""Something watches the blog: /healthz tells whether its store can be read and written."""

from __future__ import annotations

import shutil
import sqlite3
import threading
import time

import pytest

from blog.db import db
from blog.discussions import Discussion
from blog.health import OneAtATime


def test_a_healthy_blog_says_so(client):
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json == {"status": "ok"}
    assert answer.headers["Cache-Control"] == "no-store"
    assert client.head("/healthz").status_code == 200


def test_asking_leaves_nothing_behind(app):
    app.test_client().get("/healthz")
    with app.app_context():
        assert db.session.query(Discussion).count() == 0


def test_a_locked_store_is_not_healthy_and_recovers_at_once(client, tmp_path):
    other = sqlite3.connect(tmp_path / "data" / "blog.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    began = time.perf_counter()
    answer = client.get("/healthz")
    assert time.perf_counter() - began < 2
    assert answer.status_code == 503
    assert answer.json == {"status": "unavailable"}
    assert answer.headers["Retry-After"]
    other.execute("ROLLBACK")
    other.close()
    assert client.get("/healthz").status_code == 200


def test_a_store_without_tables_is_not_healthy(make, tmp_path):
    client = make(database_url=f"sqlite:///{tmp_path / 'empty.db'}").test_client()
    assert client.get("/healthz").status_code == 503


def test_a_store_that_is_gone_is_not_healthy_and_recovers_at_once(client, tmp_path):
    (tmp_path / "data" / "blog.db").rename(tmp_path / "data" / "away.db")
    (tmp_path / "data" / "blog.db").mkdir()
    assert client.get("/healthz").status_code == 503
    (tmp_path / "data" / "blog.db").rmdir()
    (tmp_path / "data" / "away.db").rename(tmp_path / "data" / "blog.db")
    assert client.get("/healthz").status_code == 200


def test_a_store_that_nobody_may_write_is_not_healthy(make, tmp_path):
    app = make()
    copy = tmp_path / "copy.db"
    shutil.copy(tmp_path / "data" / "blog.db", copy)
    client = make(database_url=f"sqlite:///file:{copy}?mode=ro&uri=true").test_client()
    assert client.get("/healthz").status_code == 503
    assert app.test_client().get("/healthz").status_code == 200


@pytest.mark.postgres
def test_a_blog_on_postgresql_says_how_it_is(make, postgres):
    assert make(database_url=postgres).test_client().get("/healthz").status_code == 503
    assert (
        make(database_url="postgresql://nobody@127.0.0.1:9/none").test_client().get("/healthz").status_code
        == 503
    )


def test_the_reason_is_in_the_log_and_not_in_the_answer(make, tmp_path, capsys):
    answer = make(database_url=f"sqlite:///{tmp_path / 'empty.db'}").test_client().get("/healthz")
    assert "OperationalError" in capsys.readouterr().err
    assert "Error" not in answer.text
    assert "empty.db" not in answer.text


def test_a_flood_of_questions_is_one_question():
    asked = []
    go = threading.Event()

    def ask():
        asked.append(1)
        go.wait(2)
        return f"answer {len(asked)}"

    health, answers = OneAtATime(ask), []
    crowd = [threading.Thread(target=lambda: answers.append(health())) for _ in range(20)]
    for one in crowd:
        one.start()
    while not asked:
        time.sleep(0.001)
    time.sleep(0.05)
    go.set()
    for one in crowd:
        one.join()
    assert set(answers) == {"answer 1"}
    assert health() == "answer 2"


def test_a_question_that_fails_is_asked_again():
    answers = iter([ValueError("x"), "fine"])

    def ask():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    health = OneAtATime(ask)
    with pytest.raises(ValueError, match="x"):
        health()
    assert health() == "fine"
