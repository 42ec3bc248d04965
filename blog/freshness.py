"""How a kept page knows that it is still right: a promise, not a time-out.

After an answered decision, post or edit the next request to any worker of this machine sees it; other
machines see it within a second. Three looks keep that, the cheapest at every request:

- Eight bytes in a file of the data folder, mapped into every worker, are others after each commit that
  changed what readers see. Comparing them costs a tenth of a microsecond.
- An article's file is asked for its time by one `stat`.
- When the bytes are others, and every half second for the sake of other machines, one small query brings the
  versions of the discussions that changed. The other files and the clock are looked at every half second.
"""

from __future__ import annotations

import logging
import mmap
import os
import secrets
import threading
import time
import weakref
from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import NamedTuple

from flask import Flask
from sqlalchemy import Engine, bindparam, create_engine, select
from sqlalchemy.exc import SQLAlchemyError

from blog.articles import Library
from blog.config import PACKAGE, Settings, bundled
from blog.discussions import Discussion

log = logging.getLogger(__name__)

LOOK_EVERY = 0.5  # seconds between two looks at the store while somebody reads
TRUSTED = 0.9  # seconds that a look is good for; then a request waits for another
PATIENCE = 0.25  # seconds that a request waits for a look; a store that hangs must not stop readers
HOUR = 3600  # seconds; the token in the form is made anew each hour
OVERLAP = 60_000_000  # microseconds by which the clocks of several machines may differ
FILE = "published"
SITE = ""  # the row that stands for the whole site
FIXED = "\0fixed"  # the scope of what never changes at its address

Facts = tuple[Hashable, ...]


_CHANGED = select(Discussion.slug, Discussion.version).where(Discussion.version > bindparam("since"))


class Stamp(NamedTuple):
    """What a page was made from; equal stamps mean equal pages."""

    file: Facts  # of the article it belongs to
    articles: int  # the version of all of them
    others: Facts


NEVER = Stamp((), 0, ())


class Freshness:
    """The state of everything that public pages show. Any thread may ask, and none of it raises."""

    def __init__(self, library: Library, settings: Settings) -> None:
        self._library = library
        self._folders = [bundled("templates"), PACKAGE / "static", *filter(None, [settings.templates_dir])]
        self._path = settings.data_dir / FILE
        self._number, self._word = _mapped(self._path)
        self._engine = _engine(settings)
        weakref.finalize(self, self._engine.dispose)
        self._starting = threading.Lock()
        self._looking: threading.Thread | None = None
        self._began = self._look_at = self._wait_at = self._files_at = 0.0
        self._seen = -1
        self._away = False
        # What the last look found.
        self.moment = object()  # another one whenever any of it changed
        self._versions: dict[str, int] = {}
        self._changes = 0  # of any discussion
        self.files: Facts = ()  # templates and what lies beside them
        self._hour = 0

    def init(self, app: Flask) -> None:
        """Listen to the application's commits."""
        app.extensions["blog.published"] = self.signal

    def close(self) -> None:
        """Let go of the store, when the application ends before its process does."""
        if (looking := self._looking) is not None:
            looking.join(PATIENCE)
        self._engine.dispose()

    def signal(self) -> None:
        """Tell every worker of this machine that readers now see something else."""
        _write(self._path)

    def is_known(self) -> bool:
        """Whether what the last look found still holds, as far as eight bytes and the clock can tell.

        Has somebody look when it is time to, and does not wait for that.
        """
        if self._word[0] != self._seen:
            return False
        now = time.monotonic()
        if now >= self._look_at:
            if now >= self._wait_at:
                return False
            self._start()
        return True

    def look(self) -> None:
        """Have the store, the files and the clock looked at where it is needed; waits PATIENCE at most."""
        for _ in range(2):  # a look that was under way may have begun before the change
            if self.is_known():
                return
            self._start().join(max(0.0, self._began + PATIENCE - time.monotonic()))

    def stamp(self, scope: str | None) -> Stamp:
        """Changes whenever a page of that article does; None: a page that shows something of all articles."""
        if scope == FIXED:
            return NEVER
        articles = self._library.version
        if scope is None:
            return Stamp((), articles, (self._changes, self.files))
        versions = self._versions
        others = versions.get(scope), versions.get(SITE), self.files, self._hour
        return Stamp(self.file(scope), articles, others)

    def file(self, scope: str | None) -> Facts:
        """The article's file now, by one `stat`; empty when it is gone, or when there is no such article."""
        return () if scope is None or scope == FIXED else self._library.stamp(scope)

    def path(self, scope: str | None) -> str:
        """Where that file is; empty when there is none."""
        return "" if scope is None or scope == FIXED else self._library.path(scope)

    def _start(self) -> threading.Thread:
        with self._starting:
            thread = self._looking
            if thread is None or not thread.is_alive():  # the system may have had no thread to give
                self._began = time.monotonic()
                thread = self._looking = threading.Thread(target=self._look, daemon=True, name="freshness")
                thread.start()
            return thread

    def _look(self) -> None:
        try:
            self._follow()
            seen = self._word[0]  # before the store: what comes in between is looked at again
            changed = self._look_at_store()
            if self._began >= self._files_at:
                changed |= self._look_at_files() | self._look_at_clock()
                self._files_at = self._began + LOOK_EVERY
            if changed:
                self.moment = object()
            self._seen = seen
        finally:
            self._look_at, self._wait_at = self._began + LOOK_EVERY, self._began + TRUSTED
            self._looking = None

    def _follow(self) -> None:
        """Somebody may have put another file there, or none, as when a backup is restored."""
        try:
            if not self._path.exists() or self._path.stat().st_ino != self._number:
                self._number, self._word = _mapped(self._path)
        except (OSError, ValueError) as error:
            log.warning("decisions are seen half a second late (%s)", type(error).__name__)

    def _look_at_store(self) -> bool:
        since = max(self._versions.values(), default=0) - OVERLAP
        try:
            with self._engine.connect() as connection:
                rows = {row.slug: row.version for row in connection.execute(_CHANGED, {"since": since})}
        except SQLAlchemyError as error:
            # Reading goes on with what is known.
            if not self._away:
                log.warning("the store is away (%s); pages come from memory", type(error).__name__)
            self._away = True
            return False
        self._away = False
        if rows.items() <= self._versions.items():
            return False
        self._versions = {**self._versions, **rows}
        self._changes += 1
        return True

    def _look_at_files(self) -> bool:
        version = self._library.version
        self._library.refresh()
        files = tuple(_times(self._folders))
        changed = files != self.files or version != self._library.version
        self.files = files
        return changed

    def _look_at_clock(self) -> bool:
        before, self._hour = self._hour, int(time.time()) // HOUR
        return before != self._hour


def _engine(settings: Settings) -> Engine:
    """One connection of its own: the application's may all be busy with posts."""
    return create_engine(
        settings.database,
        pool_size=1,
        max_overflow=0,
        # A server that was restarted costs no look; a file is there or not.
        pool_pre_ping=not settings.database.startswith("sqlite"),
        isolation_level="AUTOCOMMIT",
    )


def _mapped(path: Path) -> tuple[int, memoryview]:
    """The file's number and its eight bytes as one whole number, only to read: a write into a map kills on a
    full disk.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists() or path.stat().st_size < 8:
        _write(path)
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 8, prot=mmap.PROT_READ)
        return os.fstat(file.fileno()).st_ino, memoryview(mapped).cast("Q")


def _write(path: Path) -> None:
    """Eight bytes that never were there before; a counter could lose one of two steps made at once."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.pwrite(handle, secrets.token_bytes(8), 0)
        finally:
            os.close(handle)
    except OSError as error:
        log.warning("other workers will see a change half a second late (%s)", type(error).__name__)


def _times(folders: Iterable[str | Path]) -> Iterable[Hashable]:
    for folder in folders:
        for place, inner, names in os.walk(folder):
            inner.sort()
            for name in sorted(names):
                path = f"{place}/{name}"
                try:
                    found = os.stat(path)  # noqa: PTH116  (twice as fast, and done twice a second)
                except OSError:
                    continue
                yield path, found.st_mtime_ns, found.st_size
