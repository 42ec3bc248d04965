"""A copy of a blog on PostgreSQL with the two commands of docs/operations.md, made while people post."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import NullPool, create_engine, inspect, text

from tests.conftest import Make
from tests.people import Reader
from tests.postgres import Postgres
from tests.serving import ROOT

pytestmark = pytest.mark.postgres


@pytest.fixture
def app(make: Make, migrated_postgres: str) -> Flask:
    """A blog on PostgreSQL."""
    return make(database_url=migrated_postgres)


def documented(server: Postgres, program: str, file: Path, address: str) -> None:
    """Run the line of the manual that begins with this program."""
    found = re.search(
        rf"^    ({program} .*)$", (ROOT / "docs/operations.md").read_text("utf-8"), re.MULTILINE
    )
    assert found is not None
    words = [
        word.replace("FILE", str(file)).replace("$BLOG_DATABASE_URL", address.replace("+psycopg", ""))
        for word in shlex.split(found[1])
    ]
    place = f"{server.programs}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(words, check=True, env={**os.environ, "PATH": place}, capture_output=True)


def rows(address: str) -> dict[str, set[str]]:
    """Every row of every table."""
    engine = create_engine(address, poolclass=NullPool)
    with engine.connect() as connection:
        names = inspect(connection).get_table_names()
        found: dict[str, Any] = {
            name: {row[0] for row in connection.execute(text(f'SELECT t::text FROM "{name}" t'))}
            for name in names
        }
    return found


def test_a_dump_made_while_people_post_is_the_store_at_one_moment(
    app: Flask, request: pytest.FixtureRequest, migrated_postgres: str, tmp_path: Path
) -> None:
    server: Postgres = request.getfixturevalue("_postgres")
    over, posted = threading.Event(), threading.Semaphore(0)

    def post() -> None:
        person = Reader(app)
        while not over.is_set():
            person.stored()
            posted.release()

    writers = [threading.Thread(target=post) for _ in range(2)]
    for writer in writers:
        writer.start()
    for _ in range(3):
        assert posted.acquire(timeout=30)
    documented(server, "pg_dump", tmp_path / "copy", migrated_postgres)
    over.set()
    for writer in writers:
        writer.join()
    target = server.database(f"restored_{os.getpid()}")
    documented(server, "pg_restore", tmp_path / "copy", target)
    live, back = rows(migrated_postgres), rows(target)
    assert live.keys() == back.keys()
    assert back["comment"] <= live["comment"]
    assert back["event"] <= live["event"]
    assert len(back["comment"]) >= 3
    with create_engine(target, poolclass=NullPool).connect() as store:
        # Each comment is whole: with its history and its count.
        told = store.scalar(text("SELECT count(DISTINCT comment_id) FROM event"))
        counted = store.scalar(text("SELECT coalesce(sum(approved), 0) FROM discussion"))
    assert told == counted == len(back["comment"])
