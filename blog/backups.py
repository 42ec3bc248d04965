"""Copies of the store: made while people post, checked before one takes the store's place.

SQLite copies itself in one reading transaction, so a copy is the store at one moment and nobody waits for it.
"""

from __future__ import annotations

import os
import re
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path

from sqlalchemy.engine import make_url

from blog import start
from blog.config import Settings

NAME = "blog-{}.db"
_DAILY = re.compile(r"blog-\d{4}-\d\d-\d\d\.db", re.ASCII)


class NoBackup(Exception):
    """Why a copy was not made or not taken, with what helps, for people."""


def store(settings: Settings) -> Path:
    """The file of the store. Raises NoBackup where the store is a server's."""
    url = make_url(settings.database)
    if url.get_backend_name() != "sqlite":
        raise NoBackup(
            "this store is PostgreSQL, which has its own tools: "
            'pg_dump --format=custom --file=FILE "$BLOG_DATABASE_URL", and pg_restore into an empty database.'
        )
    return Path(url.database or "")


def backup(source: Path, target: Path) -> int:
    """Copy the store to a file that does not exist yet, mode 0600; how many comments are in it.

    Raises NoBackup, and OSError or sqlite3.Error where the disk or the store is at fault.
    """
    if not source.exists():
        raise NoBackup(f"there is no store at {source} yet.")
    if target.exists():
        raise NoBackup(f"{target} exists and is never overwritten; choose another name.")
    with _draft(target.parent) as draft:
        with closing(_open(source, "ro")) as live, closing(sqlite3.connect(draft)) as copy:
            live.backup(copy)
            # One file that stands for itself: no journal beside it.
            copy.execute("PRAGMA journal_mode=DELETE")
        number = check(draft)
        _into_place(draft, target)
    return number


def restore(source: Path, target: Path) -> int:
    """Put a checked copy in the store's place, all or nothing; how many comments are in it.

    A store that holds comments is never overwritten. An empty one is filled in one transaction, so that a
    server which has it open sees the copy. Raises like `backup`.
    """
    if not source.is_file():
        raise NoBackup(f"there is no file {source}.")
    number = check(source)
    held = comments(target) if target.exists() else None
    if held:
        raise NoBackup(
            f"{target} holds {held} comments and is never overwritten; "
            "stop the server and move it away first."
        )
    if held is None:
        for beside in (Path(f"{target}-wal"), Path(f"{target}-shm")):
            if beside.exists():
                raise NoBackup(f"{beside} belongs to a store that is gone; move it away first.")
        with _draft(target.parent) as draft:
            with closing(_open(source, "ro")) as old, closing(sqlite3.connect(draft)) as new:
                old.backup(new)
            _into_place(draft, target)
        return number
    with closing(_open(source, "ro")) as old, closing(_open(target, "rw")) as new:
        old.backup(new)
    return number


def check(path: Path) -> int:
    """Whether a file is a whole store that this version understands; how many comments are in it."""
    try:
        with closing(_open(path, "ro")) as copy:
            found = copy.execute("PRAGMA integrity_check").fetchone()[0]
            if found != "ok" or copy.execute("PRAGMA foreign_key_check").fetchone():
                raise NoBackup(f"{path} is damaged ({str(found).splitlines()[0]}); take another copy.")
            revision = copy.execute("SELECT version_num FROM alembic_version").fetchone()
            number = copy.execute("SELECT count(*) FROM comment").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise NoBackup(f"{path} is no copy of a blog's store ({error}).") from None
    if not revision or revision[0] > start.newest_revision():
        raise NoBackup(f"{path} was made by a newer version; upgrade the blog first.")
    return int(number)


def comments(path: Path) -> int:
    """How many comments a store holds; 0 for one without tables. Raises NoBackup for another file."""
    try:
        with closing(_open(path, "rw")) as found:
            if not found.execute("SELECT 1 FROM sqlite_master WHERE name = 'comment'").fetchone():
                return 0
            return int(found.execute("SELECT count(*) FROM comment").fetchone()[0])
    except sqlite3.DatabaseError as error:
        raise NoBackup(f"{path} is no store ({error}); stop the server and move it away first.") from None


def daily(settings: Settings, today: date) -> Path | None:
    """Today's copy in the data folder, if there is none yet and backups are on; the oldest are deleted."""
    if not settings.backup_keep or not settings.database.startswith("sqlite"):
        return None
    folder = settings.data_dir / "backups"
    folder.mkdir(exist_ok=True, mode=0o700)
    target = folder / NAME.format(today.isoformat())
    if target.exists():
        return None
    backup(store(settings), target)
    # Only after the new copy is there, and only files of this very name.
    copies = sorted(path for path in folder.iterdir() if _DAILY.fullmatch(path.name))
    for old in copies[: -settings.backup_keep]:
        old.unlink()
    return target


def _open(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=30)


@contextmanager
def _draft(folder: Path) -> Iterator[Path]:
    draft = folder / f".draft-{secrets.token_hex(6)}.db"
    draft.touch(0o600, exist_ok=False)
    try:
        yield draft
    finally:
        for path in (draft, Path(f"{draft}-journal"), Path(f"{draft}-wal"), Path(f"{draft}-shm")):
            path.unlink(missing_ok=True)


def _into_place(draft: Path, target: Path) -> None:
    """Give a finished file its name, unless somebody has taken that meanwhile; it is on disk then."""
    _sync(draft)
    try:
        # Not a link, which a memory stick does not know: first take the name, then replace what is ours.
        target.touch(0o600, exist_ok=False)
        draft.replace(target)
    except FileExistsError:
        raise NoBackup(f"{target} exists and is never overwritten; choose another name.") from None
    _sync(target.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
