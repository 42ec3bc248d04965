"""What is measured about reading: pages from memory and pages that are drawn, memory, and the start."""

from __future__ import annotations

import http.client
import sqlite3
import statistics
import subprocess
import time
from pathlib import Path

import httpx

from benchmarks.load import nginx, raw, wait_for, wrk
from benchmarks.measures import GZIP, PAGE, RUNS, Result, at_the_desk, fields, serving
from benchmarks.stores import SLUG
from tests.serving import ROOT, Serving


def against_a_file(folder: Path, small: Path) -> Result:
    """An article with 50 comments, against nginx with the same bytes."""
    with serving(small) as blog:
        page, packed = raw(blog.url + PAGE, "identity"), raw(blog.url + PAGE, "gzip")
        with nginx(folder / "nginx", page, packed) as file:
            ratios, ours, theirs = [], [], []
            for _ in range(RUNS):
                a, b = wrk(blog.url + PAGE, 3, 64, *GZIP), wrk(file, 3, 64, *GZIP)
                ours.append(a.rate)
                theirs.append(b.rate)
                ratios.append(a.rate / b.rate)
    rates = f"{statistics.median(ours):,.0f} against {statistics.median(theirs):,.0f} a second"
    note = f"{rates}, {len(packed):,} bytes"
    return Result("article with 50 comments against nginx", "≥ 0.8", ratios, "", lambda v: v >= 0.8, note)


def with_a_million(small: Path, big: Path, comments: int) -> Result:
    """The same page of a store with a million comments, 10,000 of them on this article."""
    with serving(small) as one, serving(big) as other:
        ratios = [
            wrk(other.url + PAGE, 3, 64, *GZIP).rate / wrk(one.url + PAGE, 3, 64, *GZIP).rate
            for _ in range(RUNS)
        ]
    return Result(f"the same with {comments:,} comments stored", "≥ 0.95", ratios, "", lambda v: v >= 0.95)


def unchanged(small: Path) -> Result:
    """A conditional request against a whole answer."""
    with serving(small) as blog:
        etag = httpx.get(blog.url + PAGE, headers={"Accept-Encoding": "gzip"}).headers["ETag"]
        asked = ("-H", f"If-None-Match: {etag}")
        ratios = []
        for _ in range(RUNS):
            known, whole = wrk(blog.url + PAGE, 2, 64, *GZIP, *asked), wrk(blog.url + PAGE, 2, 64, *GZIP)
            ratios.append(known.rate / whole.rate)
    return Result("conditional request (304) against 200", "≥ 1.0", ratios, "", lambda v: v >= 1.0)


def after_a_change(name: str, store: Path, most: float) -> Result:
    """The first reader after a decision about a comment on the page, as seen through a bare connection."""
    medians = []
    with serving(store) as blog, at_the_desk(blog) as desk:
        connection = sqlite3.connect(store / "data" / "blog.db")
        query = "SELECT id FROM comment WHERE slug = ? AND shown ORDER BY created_at LIMIT 1"
        (first,) = connection.execute(query, (SLUG,)).fetchone()
        connection.close()
        form = fields(desk.get("/moderation/?status=approved"), 'form[action^="/moderation/decisions"]')
        decision = {"csrf_token": form["csrf_token"], "comment": str(first)}
        reader = http.client.HTTPConnection("127.0.0.1", blog.port)
        for _ in range(RUNS):
            taken = []
            for verb in ("spam", "approve") * 10:
                done = desk.post("/moderation/decisions", data={**decision, "decision": verb})
                if done.status_code != 303:
                    raise RuntimeError(f"not decided: {done.status_code}")
                taken.append(asked(reader))
            medians.append(statistics.median(taken))
        reader.close()
    return Result(f"first render after a change, {name}", f"< {most:g} ms", medians, "ms", lambda v: v < most)


def asked(reader: http.client.HTTPConnection) -> float:
    """Milliseconds from the question of a browser to the last byte of the page."""
    begun = time.perf_counter()
    reader.request("GET", PAGE, headers={"Accept-Encoding": "gzip, deflate, br"})
    answer = reader.getresponse()
    answer.read()
    if answer.status != 200:
        raise RuntimeError(f"no page: {answer.status}")
    return (time.perf_counter() - begun) * 1000


def memory(small: Path) -> Result:
    """What `serve` keeps after a million requests, in all processes, shared pages counted once."""
    steps, seen, count = [250_000, 500_000, 750_000, 1_000_000], [], 0
    with serving(small) as blog:
        seen.append(resident(blog))
        for step in steps:
            while count < step:
                count += wrk(blog.url + PAGE, 3, 64, *GZIP).count
            seen.append(resident(blog))
    grown = seen[-1] - seen[2]
    kept = ", ".join(f"{one:.0f}" for one in seen)
    return Result(
        "memory of serve after a million requests",
        "< 150 MB, not growing",
        [seen[-1]],
        "MB",
        lambda v: v < 150 and grown < 3,
        f"{kept} MB after 0, 250, 500, 750 and 1,000 thousand; {grown:+.1f} MB in the second half",
    )


def starting(folder: Path) -> Result:
    """From `make run` to the first answer, when everything is set up."""
    taken = []
    blog = Serving(folder, content_dir=ROOT / "content")
    for _ in range(RUNS + 1):
        begun = time.monotonic()
        process = subprocess.Popen(["make", "run"], cwd=ROOT, env=blog.environ, stdout=subprocess.DEVNULL)
        wait_for(blog.url + "/", 600)
        taken.append(time.monotonic() - begun)
        process.terminate()
        process.wait(30)
    # The first one sets up what is missing.
    return Result("start of make run when set up", "≤ 1.0 s", taken[1:], "s", lambda v: v <= 1.0)


def resident(blog: Serving) -> float:
    """Megabytes of all processes of a server, each shared page divided among those that share it."""
    if blog.process is None:
        raise RuntimeError("the server does not run")
    family = {blog.process.pid}
    for path in Path("/proc").glob("[0-9]*/stat"):
        parts = path.read_text().rpartition(")")[2].split()
        if int(parts[1]) in family:
            family.add(int(path.parent.name))
    total = 0
    for pid in family:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024
