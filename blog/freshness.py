"""How a cached page knows that it is still right.

Three looks, cheapest first. A file of eight bytes in the data folder, mapped into every worker, changes after
each commit that changed what readers see: comparing it costs a tenth of a microsecond, and so the next request
to any worker of this machine sees a decision that was answered. The store itself is asked for the versions of
the discussions when those bytes changed, and every half second for the sake of other machines. The article's
file is asked for its time by one `stat`, so an edited article is seen by the very next request.
"""

from __future__ import annotations

import logging
import mmap
import os
import threading
import time
from typing import Any

from flask import Flask
from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from blog.articles import Library
from blog.config import Settings
from blog.db import db
from blog.discussions import Discussion

log = logging.getLogger(__name__)

LOOK_EVERY = 0.5  # seconds
HOUR = 3600
SITE = ""


class Freshness:
    """The state of everything that a public page shows, as something to compare."""

    def __init__(self, library: Library, settings: Settings) -> None:
        self._library = library
        self._signal = _signal(settings)
        self._engine: Engine | None = None
        self._lock = threading.Lock()
        self._seen = b""
        self._look_at = 0.0
        self._versions: dict[str, int] = {}
        self._newest = -1
        self._away = False

    def init(self, app: Flask) -> None:
        """Listen to the application's commits and know its store."""
        app.extensions["blog.published"] = self.signal
        with app.app_context():
            self._engine = db.engine

    def signal(self) -> None:
        """Tell every worker of this machine that readers now see something else."""
        self._signal[:8] = os.urandom(8)

    def stamp(self, slug: str | None) -> tuple[Any, ...]:
        """Changes whenever a page of that article changes; None: a page that shows all articles."""
        now = time.monotonic()
        if now >= self._look_at or self._signal[:8] != self._seen:
            self._look()
        self._library.refresh()
        hour = int(time.time()) // HOUR  # the token in the form is made anew each hour
        if slug is None:
            return (self._library.version, self._newest, hour)
        versions = self._versions
        return (
            self._library.version,
            self._library.stamp(slug),
            versions.get(slug),
            versions.get(SITE),
            hour,
        )

    def _look(self) -> None:
        with self._lock:
            seen = self._signal[:8]
            if seen == self._seen and time.monotonic() < self._look_at:
                return  # another thread has looked while this one waited
            query = select(Discussion.slug, Discussion.version)
            if self._newest >= 0:
                query = query.where(Discussion.version >= self._newest)
            try:
                assert self._engine is not None
                with self._engine.connect() as connection:
                    rows = connection.execute(query).all()
            except SQLAlchemyError as error:
                # Reading goes on with what is known; a signal that was not followed stays to be followed.
                self._look_at = time.monotonic() + LOOK_EVERY
                if not self._away:
                    log.warning("the store is away (%s); pages come from memory", type(error).__name__)
                self._away = True
                return
            self._away = False
            if rows:
                self._versions = {**self._versions, **{row.slug: row.version for row in rows}}
            self._newest = max(self._versions.values(), default=0)
            self._seen, self._look_at = seen, time.monotonic() + LOOK_EVERY


def _signal(settings: Settings) -> mmap.mmap:
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(settings.data_dir / "published", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if os.fstat(handle).st_size < 8:
            os.ftruncate(handle, 8)
        return mmap.mmap(handle, 8)
    finally:
        os.close(handle)
