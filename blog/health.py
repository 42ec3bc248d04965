"""GET /healthz: whether the store can be read and written at this moment."""

from __future__ import annotations

import logging
import secrets
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, current_app, jsonify
from sqlalchemy import Engine, NullPool, create_engine, insert, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from blog.config import Settings
from blog.discussions import Discussion
from blog.headers import private
from blog.models import Comment

log = logging.getLogger(__name__)

bp = Blueprint("health", __name__)

PATIENCE = 0.5  # seconds that a locked store may take to let a writer in
TRIES = 3  # a store that is only busy lets one of them in
CONNECT = 2  # seconds, for a store on the network; psycopg takes whole ones, from 2
PROBE = b"\0" * 65536


@bp.record_once
def _init(state: Any) -> None:
    app: Flask = state.app
    app.extensions["blog.health"] = OneAtATime(Probe(app.extensions["blog.settings"]))


@bp.get("/healthz")
def healthz() -> Response:
    """`{"status": "ok"}`, or 503; the reason is for the log."""
    problem = current_app.extensions["blog.health"]()
    if problem:
        log.error("not healthy: %s", problem)
    response = jsonify(status="unavailable" if problem else "ok")
    if problem:
        response.status_code = 503
        response.headers["Retry-After"] = "5"
    return private(response)


def store_is_away() -> bool:
    """Whether the store takes nothing now: a second or two of trying, where waiting would take far longer."""
    probe: OneAtATime = current_app.extensions["blog.health"]
    return all(probe() for _ in range(TRIES))


class OneAtATime:
    """One question at a time; whoever asks meanwhile gets the same answer, so that a flood costs nothing."""

    def __init__(self, ask: Callable[[], str]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._asked: Future[str] | None = None

    def __call__(self) -> str:
        with self._lock:
            asked, mine = self._asked, self._asked is None
            if asked is None:
                asked = self._asked = Future()
        if not mine:
            return asked.result()
        try:
            asked.set_result(self._ask())
        except BaseException as error:
            asked.set_exception(error)
        with self._lock:
            self._asked = None
        return asked.result()


class Probe:
    """Reads and writes the store for real, and keeps nothing. Its connection is its own: pools run dry."""

    def __init__(self, settings: Settings) -> None:
        url = make_url(settings.database)
        self._local = url.get_backend_name() == "sqlite"
        self._folder = Path(url.database or "").parent
        wait: dict[str, Any] = {"connect_timeout": CONNECT, "options": f"-c statement_timeout={CONNECT}s"}
        if self._local:
            wait = {"timeout": PATIENCE, "isolation_level": None}
        self._engine: Engine = create_engine(url, poolclass=NullPool, connect_args=wait, hide_parameters=True)

    def __call__(self) -> str:
        """What is wrong, as the classes of the errors; empty when nothing is."""
        try:
            self._read_and_write()
            if self._local:
                # A transaction that is rolled back never reaches a full disk.
                with tempfile.TemporaryFile(dir=self._folder) as file:
                    file.write(PROBE)
        except (SQLAlchemyError, OSError) as error:
            cause = getattr(error, "orig", None) or error
            return f"{type(error).__name__} ({getattr(cause, 'sqlite_errorname', type(cause).__name__)})"
        return ""

    def _read_and_write(self) -> None:
        with self._engine.connect() as connection:
            if self._local:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            connection.execute(select(Comment.id).limit(1)).all()
            connection.execute(
                insert(Discussion).values(
                    slug=f"/healthz/{secrets.token_hex(8)}", approved=0, threads=0, version=0
                )
            )
            connection.exec_driver_sql("ROLLBACK")
