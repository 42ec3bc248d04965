"""What readers and those who post meet while the store fails, over HTTP with the real server.

    python -m tests.store_faults                 every fault, a row each
    python -m tests.store_faults locked stopped  some of them

While a fault lasts, four people read and three post; what Akismet's stand-in calls ham is published at once,
so the pages are stale all the time. A row says how many read (all have to get a page) and how long the
slowest of them waited, how many posts were stored and how many refused (with their text given back and a
Retry-After, else they count as lost), and whether the first post after the fault was stored. At the end every
answered post has to be in the store, and the workers are those of the beginning; else the exit status is 1.
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
import resource
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import NullPool, create_engine, text

from tests.akismet_standin import AkismetStandIn
from tests.crash import ARTICLE, SLUG
from tests.postgres import postgres_server
from tests.serving import Serving, get, post
from tests.slow_clients import fetch
from tests.test_whole_life_of_a_comment import fields

PATH = f"/posts/{SLUG}/"
READERS, WRITERS = 4, 3
PATIENCE = 30.0  # seconds that a client waits for an answer
_numbers = itertools.count(1)


@dataclass
class Met:
    """What people met during one fault."""

    reads: list[float] = field(default_factory=list)  # seconds
    unread: Counter[str] = field(default_factory=Counter)
    stored: dict[str, float] = field(default_factory=dict)  # the text, and how long it took
    refused: list[float] = field(default_factory=list)
    lost: Counter[str] = field(default_factory=Counter)
    first_after: str = ""

    def wrong(self) -> list[str]:
        """What must not happen, in words."""
        return [
            *(f"{times} readers got {what}" for what, times in self.unread.items()),
            *(f"{times} posts got {what}" for what, times in self.lost.items()),
            *([f"the first post afterwards: {self.first_after}"] if self.first_after != "stored" else []),
        ]


class Blog:
    """A server with its store, and the form of its only article."""

    def __init__(self, serving: Serving, store: str, folder: Path, postgres: Any = None) -> None:
        self.serving, self.store, self.folder, self.postgres = serving, store, folder, postgres
        self.form = fields(get(serving.url + PATH), "#comment-form")
        self.all_stored: set[str] = set()

    def execute(self, *statements: str) -> None:
        """Run SQL in the store, each statement by itself."""
        engine = create_engine(self.store, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))

    def workers(self) -> list[int]:
        """The process ids of the workers."""
        assert self.serving.process is not None
        parent = self.serving.process.pid
        return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]

    def read(self, met: Met) -> None:
        """Open the article over a new connection."""
        began = time.perf_counter()
        failure = fetch(self.serving.port, PATH)
        met.unread.update([failure] if failure else [])
        met.reads.append(time.perf_counter() - began)

    def post(self, met: Met) -> str:
        """Answer the article: stored, refused, or what else happened."""
        began, number = time.perf_counter(), next(_numbers)
        words = f"Answer {number} <&\"' to the letter."
        typed = {"author": f"R{number}", "email": f"r{number}@example.org", "body": words}
        try:
            url = f"{self.serving.url}{PATH}comments"
            answer = post(url, data={**self.form, **typed}, timeout=PATIENCE)
        except httpx.TransportError as error:
            met.lost[type(error).__name__] += 1
            return type(error).__name__
        took = time.perf_counter() - began
        if answer.status_code == 303:
            met.stored[words] = took
            return "stored"
        kept = re.search(r"<textarea[^>]*>(.*?)</textarea>", answer.text, re.DOTALL)
        given_back = kept is not None and unescape(kept[1]).strip() == words
        if answer.status_code == 503 and given_back and answer.headers.get("Retry-After"):
            met.refused.append(took)
            return "refused"
        what = f"{answer.status_code}{'' if given_back else ' without their text'}"
        met.lost[what] += 1
        return what


Fault = Callable[[Blog], Iterator[None]]


def meet(blog: Blog, fault: Fault, seconds: float) -> Met:
    """Let people read and post before, during and right after the fault."""
    met, over = Met(), threading.Event()
    blog.post(Met())
    for _ in range(16):  # each worker remembers what it has drawn itself
        blog.read(Met())

    def again(act: Callable[[Met], object], pause: float) -> None:
        while not over.wait(pause):
            act(met)

    threads = [threading.Thread(target=again, args=(blog.read, 0.02)) for _ in range(READERS)]
    threads += [threading.Thread(target=again, args=(blog.post, 0.1)) for _ in range(WRITERS)]
    with contextmanager(fault)(blog):
        for thread in threads:
            thread.start()
        time.sleep(seconds)
    after = Met()
    met.first_after = blog.post(after)
    over.set()
    for thread in threads:
        thread.join()
    blog.all_stored |= met.stored.keys() | after.stored.keys()
    return met


def locked(blog: Blog) -> Iterator[None]:
    """Somebody else holds the store's only write lock."""
    if blog.postgres:
        engine = create_engine(blog.store, poolclass=NullPool)
        with engine.begin() as connection:
            connection.execute(text("LOCK TABLE comment IN ACCESS EXCLUSIVE MODE"))
            yield
        return
    holder = sqlite3.connect(blog.folder / "data" / "blog.db", isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN IMMEDIATE")
    yield
    holder.execute("ROLLBACK")
    holder.close()


def read_only(blog: Blog) -> Iterator[None]:
    """PostgreSQL takes no writes, as after a failover; on SQLite no file can be written at all."""
    if blog.postgres:
        # Once with a lasting effect on sessions that are open, and on those that are opened.
        blog.execute("ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")
        yield
        blog.execute("ALTER SYSTEM RESET default_transaction_read_only", "SELECT pg_reload_conf()")
        return
    before = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in blog.workers()}
    for pid, (_, hard) in before.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
    yield
    for pid, limits in before.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)


def full(blog: Blog) -> Iterator[None]:
    """Nothing fits on the disk any more; its data folder is a small tmpfs."""
    filler = blog.folder / "data" / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096) == 4096:
                pass
        except OSError:
            pass
    yield
    filler.unlink()


def stopped(blog: Blog) -> Iterator[None]:
    """PostgreSQL is stopped at once, breaking off every connection, and started again."""
    blog.postgres.halt()
    yield
    blog.postgres.go_on()


def migrating(blog: Blog) -> Iterator[None]:
    """A newer version adds a column, fills it and indexes it while these workers serve."""
    column = f"later_{next(_numbers)}"
    statements = (
        f"ALTER TABLE comment ADD COLUMN {column} VARCHAR(20) DEFAULT 'new' NOT NULL",
        f"UPDATE comment SET {column} = 'filled'",
        f"CREATE INDEX ix_{column} ON comment ({column})",
    )
    engine = create_engine(blog.store, poolclass=NullPool)
    if not blog.postgres:
        # The driver's own transactions would not hold the changes of the schema together.
        connection = sqlite3.connect(blog.folder / "data" / "blog.db", isolation_level=None, timeout=30)
        connection.execute("BEGIN IMMEDIATE")
        for statement in statements:
            connection.execute(statement)
        yield
        connection.execute("COMMIT")
        connection.close()
        return
    with engine.begin() as migration:
        for statement in statements:
            migration.execute(text(statement))
        yield


FAULTS: dict[str, tuple[Fault, tuple[str, ...], float]] = {
    # name: the fault, the stores that can have it, how long it lasts in seconds
    "locked": (locked, ("sqlite", "postgresql"), 5.0),
    "locked for long": (locked, ("sqlite", "postgresql"), 14.0),
    "read-only": (read_only, ("sqlite", "postgresql"), 3.0),
    "full": (full, ("sqlite",), 3.0),
    "stopped": (stopped, ("postgresql",), 4.0),
    "migrating": (migrating, ("sqlite", "postgresql"), 3.0),
}


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """A tmpfs of 4 MB at the data folder, where this user may mount one."""
    data = folder / "data"
    data.mkdir(mode=0o700)
    command = ["mount", "-t", "tmpfs", "-o", "size=4m,mode=0700", "tmpfs", str(data)]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        raise PermissionError("a small tmpfs can only be mounted by root")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(data)], check=True)


@contextmanager
def blog_on(store: str, folder: Path) -> Iterator[Blog]:
    """A blog on that store."""
    content = folder / "content"
    content.mkdir()
    (content / f"{SLUG}.md").write_text(ARTICLE)
    with AkismetStandIn() as akismet:
        settings: dict[str, Any] = {
            "content_dir": content,
            "flood_seconds": 0,
            "moderation": "flagged",
            "akismet_key": "123456789abc",
            "akismet_endpoint": akismet.url,
        }
        if store == "sqlite":
            with Serving(folder, **settings) as serving:
                yield Blog(serving, f"sqlite:///{folder / 'data' / 'blog.db'}", folder)
            return
        with (
            postgres_server(folder) as postgres,
            Serving(folder, database_url=postgres.url, **settings) as it,
        ):
            yield Blog(it, postgres.url, folder, postgres)


def missing(blog: Blog) -> list[str]:
    """The answered posts that are not in the store, or not once."""
    with create_engine(blog.store, poolclass=NullPool).connect() as connection:
        found = Counter(connection.execute(text("SELECT body FROM comment")).scalars())
    return sorted(words for words in blog.all_stored if found[words] != 1)


def milliseconds(values: list[float]) -> str:
    """The longest, for people."""
    return f"{max(values) * 1000:,.0f} ms" if values else "—"


def run(store: str, names: list[str], seconds: float | None = None) -> list[str]:
    """Try these faults on one server, print a row for each, and return what went wrong."""
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(prefix="reciprocal-faults-") as place:
        folder = Path(place)
        folder.chmod(0o755)  # PostgreSQL runs as another user where this one is root
        # Every fault but the full disk leaves the store as it was, so they share a server.
        disk = small_disk(folder) if names == ["full"] else None
        if disk is not None:
            disk.__enter__()
        try:
            with blog_on(store, folder) as blog:
                before = blog.workers()
                for name in names:
                    fault, _, usual = FAULTS[name]
                    met = meet(blog, fault, seconds or usual)
                    print(
                        f"| {store} | {name} | {seconds or usual:.0f} s | {len(met.reads):,} "
                        f"| {milliseconds(met.reads)} | {len(met.stored)} "
                        f"| {milliseconds(list(met.stored.values()))} | {len(met.refused)} "
                        f"| {milliseconds(met.refused)} | {met.first_after} |",
                        flush=True,
                    )
                    wrong += [f"{store}, {name}: {what}" for what in met.wrong()]
                wrong += [f"{store}: answered and not stored: {words}" for words in missing(blog)]
                if blog.workers() != before:
                    wrong.append(f"{store}: workers ended: {before} became {blog.workers()}")
        finally:
            if disk is not None:
                disk.__exit__(None, None, None)
    return wrong


def main() -> None:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("faults", nargs="*", help=f"of {', '.join(FAULTS)}; default: all")
    options = parser.parse_args()
    chosen = options.faults or list(FAULTS)
    print(
        "| store | fault | for | reads | slowest | stored | slowest | refused | slowest | first afterwards |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    wrong: list[str] = []
    for store in ("sqlite", "postgresql"):
        names = [name for name in chosen if store in FAULTS[name][1] and name != "full"]
        wrong += run(store, names) if names else []
    if "full" in chosen:
        if os.geteuid() == 0:
            wrong += run("sqlite", ["full"])
        else:
            print("full: not tried, only root can mount a small disk")
    for what in wrong:
        print(what)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
