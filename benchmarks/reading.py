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


def against_a_file(folder: Path, small: Path) -> list[Result]:
    """An article with 50 comments, against nginx with the same bytes; then with a head that is read anew."""
    ways = "ours", "file", "anew"
    rates: dict[str, list[float]] = {name: [] for name in ways}
    spent: dict[str, list[float]] = {name: [] for name in ways}
    with serving(small) as blog:
        page, packed = raw(blog.url + PAGE, "identity"), raw(blog.url + PAGE, "gzip")
        with nginx(folder / "nginx", page, packed) as (file, its_pid):
            ours = blog.url + PAGE, pid_of(blog)
            # A request with a cookie is not remembered by its bytes.
            contenders = (*ours, ()), (file, its_pid, ()), (*ours, ("-H", "Cookie: a=b"))
            for _ in range(RUNS):
                for name, (url, pid, more) in zip(ways, contenders, strict=True):
                    before = processor(pid)
                    seen = wrk(url, 3, 64, *GZIP, *more)
                    rates[name].append(seen.rate)
                    spent[name].append((processor(pid) - before) / seen.count * 1e6)
    rate = {name: f"{statistics.median(found):,.0f} a second" for name, found in rates.items()}
    cost = {name: f"{statistics.median(found):.1f} µs of processor each" for name, found in spent.items()}
    ratio = {
        name: [one / file for one, file in zip(rates[name], rates["file"], strict=True)] for name in ways
    }
    note = f"{rate['ours']} ({cost['ours']}) against {rate['file']} ({cost['file']}), {len(packed):,} bytes"
    anew = f"{rate['anew']} ({cost['anew']})"
    return [
        Result(
            "article with 50 comments against nginx", "≥ 0.8", ratio["ours"], "", lambda v: v >= 0.8, note
        ),
        Result("the same, each head read anew", "no goal", ratio["anew"], "", lambda v: True, anew),
    ]


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


def pid_of(blog: Serving) -> int:
    """The first process of a server."""
    if blog.process is None:
        raise RuntimeError("the server does not run")
    return blog.process.pid


def family(pid: int) -> set[int]:
    """A process and those that it started."""
    found = {pid}
    for path in sorted(Path("/proc").glob("[0-9]*/stat"), key=lambda path: int(path.parent.name)):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
        except FileNotFoundError:
            continue  # another process, which has just ended
        if parent in found:
            found.add(int(path.parent.name))
    return found


def processor(pid: int) -> float:
    """Seconds of processor time that a server's processes have taken so far."""
    total = 0.0
    for one in family(pid):
        for path in Path(f"/proc/{one}/task").glob("*/schedstat"):
            total += int(path.read_text().split()[0]) / 1e9
    return total


def resident(blog: Serving) -> float:
    """Megabytes of all processes of a server, each shared page divided among those that share it."""
    total = 0
    for pid in family(pid_of(blog)):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024
