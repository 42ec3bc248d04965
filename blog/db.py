"""The handle to the store, its transactions and its clock."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any

from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session
from sqlalchemy import Connection, DateTime, Dialect, Engine, MetaData, TypeDecorator, event, text
from sqlalchemy.exc import TimeoutError as StoreBusy
from sqlalchemy.orm import DeclarativeBase, scoped_session

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """What every table's class descends from."""

    metadata = MetaData(naming_convention=NAMING)


# The session must not expire rows at commit: a page is often drawn from what was just decided.
db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})

# One writer at a time in this process.
_writing = threading.Lock()
WAIT = 10  # seconds for one's turn, here and again at the store
# And one process at a time: whoever waits for this file is woken when it is free, while SQLite's own busy
# handler sleeps up to a tenth of a second between two looks. It only orders the queue; SQLite keeps the lock.
QUEUE = "writing"
# A reader waits no longer for a table that PostgreSQL has locked, as a migration does: a page from memory is
# better than none. On SQLite readers never wait for writers.
READERS_WAIT = 1  # seconds
CONNECT = 5  # seconds to reach a server of PostgreSQL
# On PostgreSQL the writers of all machines take turns by this lock. A comment's row, its ancestors, its
# discussion and the tally are touched in whatever order the verbs need, and still nothing can deadlock.
_TURN = text(f"SELECT set_config('lock_timeout', '{WAIT}s', true), pg_advisory_xact_lock(7264317)")


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time; SQLite stores it without a zone, so the zone is put back here."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None or value.tzinfo is not None:
            return value if value is None else value.astimezone(UTC)
        return value.replace(tzinfo=UTC)


def utcnow() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


@contextmanager
def write() -> Iterator[scoped_session[Session]]:
    """One writing transaction: everything in it is stored at its end, or nothing is.

    On SQLite it begins with BEGIN IMMEDIATE: a transaction that has read first could not be
    upgraded while another writer is busy, and would fail at once. Whatever the session had read
    before is dropped. Never use the network inside.
    """
    db.session.rollback()
    with alone(), transaction() as session:
        yield session


@contextmanager
def alone() -> Iterator[None]:
    """Be the only one in this process who writes. Raises StoreBusy."""
    # A store that is locked must not gather all threads here, each waiting for the one before it.
    if not _writing.acquire(timeout=WAIT):
        raise StoreBusy("the store is busy")
    try:
        yield
    finally:
        _writing.release()


@contextmanager
def transaction() -> Iterator[scoped_session[Session]]:
    """What `write` is, for whoever is `alone` already."""
    session = db.session
    with _queue(time.monotonic() + WAIT), _committing(session):
        if db.engine.dialect.name == "sqlite":
            session.connection(execution_options={"writes": True})
        else:
            session.execute(_TURN)
        yield session


@contextmanager
def _queue(until: float) -> Iterator[None]:
    """Wait for the writers of this machine's other processes; each ends within WAIT, or a little more.

    Raises StoreBusy when it took too long.
    """
    path = current_app.extensions["blog.queue"]
    if path is None:
        yield
        return
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:  # the folder cannot be written: SQLite will say so itself, or manage without the queue
        yield
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX)  # let go of when the file is closed, however the process ends
        if time.monotonic() > until:
            raise StoreBusy("the store is busy")
        yield
    finally:
        os.close(file)


@contextmanager
def _committing(session: scoped_session[Session]) -> Iterator[None]:
    try:
        yield
        published = session.info.pop("published", False)
        session.commit()
    except BaseException:
        session.info.pop("published", None)
        session.rollback()
        raise
    if published:
        # The page cache listens here.
        current_app.extensions["blog.published"]()


@contextmanager
def reading() -> Iterator[Connection]:
    """A connection for rows that are only read: the session's when it has one, else one without a session.

    A session that begins for a statement or two costs more than they do; but nobody may hold one connection
    and wait for another.
    """
    session = db.session()
    if session.in_transaction():
        yield session.connection()
    else:
        with db.engine.connect() as connection:
            yield connection


def publish() -> None:
    """Say that the open transaction changes what readers see."""
    db.session.info["published"] = True


def init(app: Flask) -> None:
    """Bind the store to the application, and set it up for durable and concurrent use."""
    db.init_app(app)
    with app.app_context():
        engine = db.engine
    is_sqlite = engine.dialect.name == "sqlite"
    app.extensions["blog.queue"] = app.extensions["blog.settings"].data_dir / QUEUE if is_sqlite else None
    if is_sqlite:
        _tune_sqlite(engine)
    else:
        _tune_postgresql(engine)


def _tune_postgresql(engine: Engine) -> None:
    @event.listens_for(engine, "do_connect")
    def reach(dialect: Any, record: Any, arguments: Any, options: dict[str, Any]) -> None:
        options.setdefault("connect_timeout", CONNECT)

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, record: Any) -> None:
        connection.execute(f"SET lock_timeout = '{READERS_WAIT}s'")
        connection.commit()


@cache
def _takes_full_text_in_triggers() -> bool:
    """Whether SQLite lets a distrusted schema's trigger write to its own full-text index; old ones do not."""
    with closing(sqlite3.connect(":memory:")) as trial:
        trial.executescript(
            "PRAGMA trusted_schema=OFF; CREATE TABLE plain (words);"
            "CREATE VIRTUAL TABLE indexed USING fts5(words);"
            "CREATE TRIGGER kept AFTER INSERT ON plain BEGIN INSERT INTO indexed VALUES (NEW.words); END;"
        )
        try:
            trial.execute("INSERT INTO plain VALUES ('trial')")
        except sqlite3.OperationalError:
            return False
    return True


def _tune_sqlite(engine: Engine) -> None:
    trusted = "OFF" if _takes_full_text_in_triggers() else "ON"

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, record: Any) -> None:
        # Who only reads needs no transaction: each statement sees what is stored when it runs, as on
        # PostgreSQL. An old view that is held for long would make the log of changes grow without end.
        connection.isolation_level = None  # SQLAlchemy's begin event below says BEGIN, not the driver
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",  # an answered comment survives a power cut
            "foreign_keys=ON",
            f"busy_timeout={WAIT * 1000}",
            f"trusted_schema={trusted}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        if connection.get_execution_options().get("writes"):
            connection.exec_driver_sql("BEGIN IMMEDIATE")
