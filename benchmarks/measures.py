"""What is measured, one function each; a pair is measured in turn, A B A B, because machines drift."""

from __future__ import annotations

import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from lxml import html

from benchmarks.load import Load, wait_for, wrk
from benchmarks.stores import SLUG, migrated
from tests.serving import ROOT, Serving, free_port

PAGE = f"/posts/{SLUG}/"
GZIP = ("-H", "Accept-Encoding: gzip")
PASSWORD = "a password for measuring"
RUNS = 5


@dataclass(frozen=True)
class Result:
    """One line of the table: the median, the smallest and largest of all runs, and the goal."""

    what: str
    goal: str
    values: list[float]
    unit: str
    reached: Callable[[float], bool]
    note: str = ""

    @property
    def median(self) -> float:
        """The figure to quote."""
        return statistics.median(self.values)

    @property
    def missed(self) -> bool:
        """Whether even the best run is short of the goal: more than noise."""
        return not any(map(self.reached, self.values))


@contextmanager
def serving(folder: Path, akismet: str = "", **settings: object) -> Iterator[Serving]:
    """The blog on a store that is there already, with a moderator, and no limits on posting."""
    given = {
        "content_dir": ROOT / "content",
        "flood_seconds": 0,
        "trusted_proxies": 1,
        "moderation": "flagged",
        **({"akismet_key": "123456789abc", "akismet_endpoint": akismet} if akismet else {}),
        **settings,
    }
    migrated(folder / "data")
    blog = Serving(folder, **given)
    blog.run("moderators", "add", "bench", "--password-stdin", stdin=PASSWORD + "\n")
    with blog:
        yield blog


@contextmanager
def akismet(delay_ms: int = 0, answer: str = "ham") -> Iterator[str]:
    """Akismet's stand-in in a process of its own."""
    port = free_port()
    words = [
        "-m",
        "tests.akismet_standin",
        "--port",
        str(port),
        "--answer",
        answer,
        "--delay-ms",
        str(delay_ms),
    ]
    process = subprocess.Popen([sys.executable, *words], cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        wait_for(f"http://127.0.0.1:{port}/")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def fields(page: httpx.Response, selector: str) -> dict[str, str]:
    """A form's fields as a browser would send them."""
    (form,) = html.document_fromstring(page.text).cssselect(selector)
    return {one.get("name"): one.value or "" for one in form.cssselect("input[name]:not([type=checkbox])")}


@contextmanager
def at_the_desk(blog: Serving) -> Iterator[httpx.Client]:
    """A moderator's browser, signed in."""
    with httpx.Client(base_url=blog.url, timeout=60) as client:
        form = fields(client.get("/login"), "form[method=post]")
        answer = client.post("/login", data={**form, "name": "bench", "password": PASSWORD})
        if answer.status_code != 303:
            raise RuntimeError(f"cannot sign in: {answer.status_code}")
        yield client


def posting(folder: Path) -> Result:
    """Comments accepted a second, everything on the same processors, none lost."""
    rates, note = [], ""
    with akismet() as url, serving(folder, akismet=url) as blog:
        stored = count(folder)
        for run in range(RUNS):
            seen = post(blog, 4, 32, f"a{run}")
            rates.append(seen.rate)
            after = count(folder)
            # wrk stops without waiting for its last answers: those are stored and not counted by it.
            if after - stored < seen.count - seen.bad or seen.refused:
                note = f"LOST: {seen.count} answered, {after - stored} stored, {len(seen.refused)} refused"
            stored = after
    return Result(
        "comments accepted, Akismet answers at once",
        "≥ 450 /s, none lost",
        rates,
        "/s",
        lambda v: v >= 450 and not note,
        note or f"{stored:,} stored, none lost",
    )


def posting_slowly(folder: Path) -> Result:
    """64 at once while Akismet takes 150 ms."""
    with akismet(delay_ms=150) as url, serving(folder, akismet=url) as blog:
        rates = [post(blog, 5, 64, f"b{run}").rate for run in range(RUNS)]
    least = 0.9 * 64 / 0.15
    return Result(
        "comments accepted, Akismet takes 150 ms, 64 at once",
        f"≥ {least:.0f} /s",
        rates,
        "/s",
        lambda v: v >= least,
    )


def reading_meanwhile(folder: Path) -> Result:
    """The slowest hundredth of readers while 64 posts hang in Akismet, against nobody posting."""
    ratios = []
    with akismet(answer="hang") as url, serving(folder, akismet=url, akismet_timeout=20) as blog:
        for run in range(RUNS):
            idle = wrk(blog.url + PAGE, 3, 16, *GZIP).p99
            hanging = threading.Thread(target=post, args=(blog, 5, 64, f"c{run}"))
            hanging.start()
            time.sleep(1)
            ratios.append(wrk(blog.url + PAGE, 3, 16, *GZIP).p99 / idle)
            hanging.join()
    return Result(
        "99th percentile of reading while 64 posts hang", "≤ 2 × idle", ratios, "×", lambda v: v <= 2
    )


def post(blog: Serving, seconds: float, connections: int, run: str) -> Load:
    """Post comments as fast as they are taken."""
    token = fields(httpx.get(blog.url + PAGE), "#comment-form")["token"]
    return wrk(f"{blog.url}{PAGE}comments", seconds, connections, script=(token, run))


def count(folder: Path) -> int:
    """Comments in a store."""
    connection = sqlite3.connect(folder / "data" / "blog.db")
    (number,) = connection.execute("SELECT count(*) FROM comment").fetchone()
    connection.close()
    return int(number)
