"""A command that cannot do its work says why in one line, and what helps."""

from __future__ import annotations

import socket
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from blog import complaints, start
from blog.db import db
from tests import forked
from tests.conftest import CHEAP, Make
from tests.serving import COMMAND, environment


def run(app: Flask, *words: str) -> tuple[int, list[str]]:
    """A command's exit status and lines."""
    done = app.test_cli_runner().invoke(args=list(words))
    return done.exit_code, done.output.strip().splitlines()


def test_without_tables(make: Make, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "blog.db").touch()
    status, lines = run(make(), "comments", "reconcile")
    assert (status, len(lines)) == (1, 1)
    assert "no such table" in lines[0]
    assert "db upgrade" in lines[0]


@pytest.mark.parametrize(
    "words", [["privacy", "export", "a@b.example"], ["serve"], ["moderators", "add", "Cy"]]
)
def test_with_a_file_that_is_no_database(make: Make, tmp_path: Path, words: list[str]) -> None:
    app = make()
    (tmp_path / "data" / "blog.db").write_text("These are not the bytes of a database, whatever they are.")
    status, lines = run(app, *words)
    assert (status, len(lines)) == (1, 1)
    assert "not a database" in lines[0]


def test_with_a_server_that_is_not_there(make: Make) -> None:
    status, lines = run(make(database_url="postgresql://127.0.0.1:1/blog"), "comments", "reconcile")
    assert (status, len(lines)) == (1, 1)
    assert "BLOG_DATABASE_URL" in lines[0]


def test_where_somebody_else_listens(make: Make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        app = make(port=other.getsockname()[1])
        status, lines = run(app, "serve")
    assert status == 1
    assert "Choose another port" in lines[-1]


@pytest.mark.parametrize("place", ["nowhere", "content/second.md", "circle"])
def test_without_articles_to_read(make: Make, tmp_path: Path, place: str) -> None:
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    status, lines = run(make(content_dir=tmp_path / place), "serve")
    assert (status, len(lines)) == (1, 1)
    assert "BLOG_CONTENT_DIR" in lines[0]
    assert "name the folder" in lines[0]


def test_what_is_wrong_with_an_article_is_said_once(tmp_path: Path, content: Path) -> None:
    (content / "broken.md").write_text("---\ntitle: [\n---\n")
    settings = environment(data_dir=tmp_path / "data", content_dir=content)
    done = forked.run((*COMMAND, "content", "check"), settings)
    assert done.returncode == 1
    assert "broken.md" in done.stdout
    assert (done.stdout + done.stderr).count("broken.md") == 1


@pytest.mark.parametrize("host", ["203.0.113.1", "no such host"])
def test_on_an_address_that_is_not_ours(make: Make, host: str) -> None:
    status, lines = run(make(host=host), "serve")
    assert status == 1
    assert "BLOG_HOST" in lines[-1]


@pytest.mark.parametrize(
    ("said", "fix"),
    [
        ("database is locked", "wait for it"),
        ("database or disk is full", "Make room"),
        ("attempt to write a readonly database", "Let this user write"),
    ],
)
def test_with_a_store_that_refuses(said: str, fix: str) -> None:
    error = OperationalError("INSERT secret words", {}, sqlite3.OperationalError(said))
    words = complaints.describe(error)
    assert said in words
    assert fix in words
    assert "secret" not in words


def test_with_an_error_that_nobody_expected() -> None:
    assert complaints.describe(KeyError("x\ny")) == "this failed unexpectedly (KeyError: 'x\\ny')"
    assert complaints.describe(PermissionError(13, "Permission denied", "a/b")) == "Permission denied: a/b"


@pytest.mark.parametrize(
    ("setting", "words"),
    [({"BLOG_PORT": "eighty"}, "BLOG_PORT"), ({"BLOG_DATA_DIR": "/proc/nowhere"}, "BLOG_DATA_DIR")],
)
def test_with_a_wrong_setting(tmp_path: Path, setting: dict[str, Any], words: str) -> None:
    done = forked.run((*COMMAND, "comments", "reconcile"), environment(data_dir=tmp_path) | setting)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert words in done.stderr


def test_what_is_written_is_for_this_user_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    code = f"""
import wsgi
from blog import start
wsgi.app.config["PASSWORD_HASH"] = "{CHEAP}"
start.prepare(wsgi.app)
"""
    assert forked.run(("-c", code), environment(data_dir=folder)).returncode == 0
    assert {path.name: path.stat().st_mode & 0o077 for path in folder.iterdir() if path.is_file()}
    assert not [path for path in folder.iterdir() if path.is_file() and path.stat().st_mode & 0o077]


def test_the_store_is_usable_after_all_that(app: Flask) -> None:
    with app.app_context():
        assert start.current_revision() == start.newest_revision()
        db.session.remove()
