"""Before the first request: the store's tables as this version needs them, and a first moderator."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask, current_app
from sqlalchemy import inspect, text

from blog.config import PACKAGE, settings
from blog.db import db
from blog.people import ensure_first_moderator

MIGRATIONS = PACKAGE / "migrations"


def prepare(app: Flask) -> tuple[str, str] | None:
    """Bring the store up to date; the first moderator's name and password when it was just made."""
    with app.app_context():
        prepare_store()
        return ensure_first_moderator()


def prepare_store() -> None:
    """Make or migrate the tables, whoever else starts at the same moment."""
    with one_at_a_time(settings().data_dir):
        if current_revision() != newest_revision():
            upgrade()


def upgrade() -> None:
    """Run the migrations that are missing."""
    # Alembic and what it brings are imported only when there is something to do.
    from flask_migrate import upgrade as run

    know_migrations(current_app)
    run(directory=str(MIGRATIONS))


def know_migrations(app: Flask) -> None:
    """Tell Flask-Migrate where the migrations are."""
    from flask_migrate import Migrate

    Migrate(app, db, directory=str(MIGRATIONS), compare_type=True)


def newest_revision() -> str:
    """The revision that this version of the code needs; the files are numbered."""
    return max(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def current_revision() -> str | None:
    """The revision of the store; None for an empty one."""
    with db.engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Keep other processes of this machine out until done; PostgreSQL's own lock is in env.py."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(folder / ".start.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
