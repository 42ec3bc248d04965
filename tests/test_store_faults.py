"""While the store fails, people read on and lose no words; afterwards all is as it was before."""

from __future__ import annotations

import os
import threading
import time

import pytest
from flask import Flask
from sqlalchemy import NullPool, create_engine, text

from blog.db import READERS_WAIT, db
from tests.conftest import Make
from tests.needs import needs_postgres
from tests.people import Reader
from tests.store_faults import run


@pytest.mark.endurance
def test_sqlite_is_locked_read_only_and_migrated() -> None:
    assert run("sqlite", ["locked", "read-only", "migrating"], 1.5) == []


@pytest.mark.endurance
def test_a_full_disk() -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root, to mount a small disk")
    assert run("sqlite", ["full"], 1.0) == []


@pytest.mark.endurance
def test_postgresql_is_locked_read_only_migrated_and_stopped() -> None:
    needs_postgres()
    assert run("postgresql", ["locked", "read-only", "migrating", "stopped"], 1.5 + READERS_WAIT) == []


@pytest.fixture
def app(make: Make, postgres: str) -> Flask:
    """A blog on PostgreSQL."""
    from blog import start

    app = make(database_url=postgres)
    with app.app_context():
        start.prepare_store()
    return app


def test_readers_do_not_wait_for_a_locked_table(app: Flask) -> None:
    reader = Reader(app)
    assert reader.answer(body="Seen before.").status == 303
    page = reader.get("/posts/open-letter/")
    assert "Seen before." in page.text
    assert reader.answer(body="Not drawn yet.").status == 303
    began = time.monotonic()
    with app.app_context():
        url = db.engine.url
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("LOCK TABLE comment IN ACCESS EXCLUSIVE MODE"))
        old = reader.get("/posts/open-letter/")
        assert time.monotonic() - began < READERS_WAIT + 5
    assert old.status == 200
    assert "Seen before." in old.text
    time.sleep(1.1)  # what stands in does so for a second
    assert "Not drawn yet." in reader.get("/posts/open-letter/").text


def test_writers_wait_for_their_turn(app: Flask) -> None:
    with app.app_context():
        url = db.engine.url
    engine = create_engine(url, poolclass=NullPool)
    reader, answered = Reader(app), []
    writer = threading.Thread(target=lambda: answered.append(reader.answer().status))
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(7264317)"))
        writer.start()
        time.sleep(READERS_WAIT + 0.5)
        assert answered == []
    writer.join(20)
    assert answered == [303]
