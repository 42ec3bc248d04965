"""Stores to measure with: seeded, so that every run meets the same comments."""

from __future__ import annotations

import random
import shutil
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask

from blog import create_app, start
from blog.db import db
from blog.models import Comment

SLUG = "reciprocal-relationships"
# What the stored comments are made of.
WORDS = (
    "mother",
    "friend",
    "evening",
    "listen",
    "answer",
    "question",
    "kitchen",
    "letter",
    "silence",
    "garden",
    "window",
    "year",
    "enough",
    "sorry",
    "again",
    "morning",
    "always",
    "never",
    "boundary",
    "tired",
    "giving",
    "promise",
    "neighbour",
    "quiet",
    "telephone",
    "walk",
    "table",
    "chair",
)
# What the triggers would have kept, for all comments at once.
COUNTED = (
    "INSERT INTO discussion (slug, approved, threads, version) "
    "SELECT slug, count(*), count(*), 1 FROM comment WHERE shown GROUP BY slug",
    "INSERT INTO tally (name, comments) SELECT audience || '-' || status, count(*) FROM comment GROUP BY 1",
    "INSERT INTO comment_text (comment_text) VALUES ('rebuild')",
)


def migrated(folder: Path) -> Flask:
    """An empty store of the present shape."""
    app = create_app({"data_dir": folder, "secret_key": "benchmark" * 5})
    with app.app_context():
        start.prepare_store()
        db.engine.dispose()
    return app


def fill(folder: Path, here: int, elsewhere: int = 0, waiting: int = 0) -> float:
    """Store approved comments on the measured article and on others, and waiting ones; seconds taken.

    A folder that was filled like this before is left as it is.
    """
    begun, done = time.monotonic(), folder / "filled"
    shape = f"{here} {elsewhere} {waiting} {start.newest_revision()}"
    if done.exists() and done.read_text() == shape:
        return 0.0
    shutil.rmtree(folder, ignore_errors=True)
    migrated(folder)
    connection = sqlite3.connect(folder / "blog.db", isolation_level=None)
    # Nothing of this need outlive a crash, so it is written once and not by way of a journal.
    for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-200000", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")
    later = put_off(connection)
    names = [column.name for column in Comment.__table__.columns]
    query = f"INSERT INTO comment ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
    connection.execute("BEGIN")
    connection.executemany(
        query, (tuple(row[name] for name in names) for row in rows(here, elsewhere, waiting))
    )
    for statement in [*later, *COUNTED]:
        connection.execute(statement)
    connection.execute("COMMIT")
    connection.execute("ANALYZE")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()
    done.write_text(shape)
    return time.monotonic() - begun


def put_off(connection: sqlite3.Connection) -> list[str]:
    """Take away what each stored comment would pass; the statements that bring it back."""
    made = connection.execute(
        "SELECT type, name, sql FROM sqlite_master "
        "WHERE tbl_name = 'comment' AND type IN ('index', 'trigger') AND sql IS NOT NULL"
    ).fetchall()
    for kind, name, _ in made:
        connection.execute(f"DROP {kind} {name}")
    return [statement for _, _, statement in made]


def rows(here: int, elsewhere: int, waiting: int) -> Iterator[dict[str, Any]]:
    """Comments as rows of the table, oldest first."""
    chance = random.Random(20261122)
    template = blank()
    begun = datetime(2020, 1, 1, tzinfo=UTC)
    total = here + elsewhere + waiting
    for number in range(1, total + 1):
        approved = number <= here + elsewhere
        slug = SLUG if number <= here else f"article-{chance.randrange(1000)}"
        moment = (begun + timedelta(seconds=60 * number)).strftime("%Y-%m-%d %H:%M:%S.%f")
        person = chance.randrange(max(20, total // 5))
        yield {
            **template,
            "id": number,
            "token": f"token-{number:020d}",
            "slug": slug,
            "status": "approved" if approved else "pending",
            "shown": approved,
            "author": f"{chance.choice(WORDS).title()} {person}",
            "email": f"person{person}@example.org",
            "email_folded": f"person{person}@example.org",
            "body": " ".join(chance.choices(WORDS, k=chance.randrange(10, 60))).capitalize() + ".",
            "created_at": moment,
            "status_at": moment,
            # What was published long ago has nothing left that retention would have to delete meanwhile.
            "purged_at": moment if approved else None,
            "network": None if approved else f"203.0.{person % 250}.{person // 250 % 250}",
            "ip": None if approved else f"203.0.{person % 250}.{person // 250 % 250}",
            "digest": f"{number:064x}",
            "body_digest": f"{number:064x}",
            "verdict": "ham",
            "belief": "ham",
            "reasons": "[]" if approved else '["first"]',
        }


def blank() -> dict[str, Any]:
    """A row with each column's own default."""
    found: dict[str, Any] = {}
    for column in Comment.__table__.columns:
        default = column.default
        plain = default is not None and default.is_scalar
        found[column.name] = default.arg if plain else None
    return found
