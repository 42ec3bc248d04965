"""What is measured at the desk, on a store with a million comments."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from benchmarks.load import milliseconds
from benchmarks.measures import RUNS, Result, at_the_desk, fields, serving
from benchmarks.stores import SLUG


def the_desk(big: Path) -> list[Result]:
    """Pages of the desk with a million comments, 100,000 waiting."""
    found = []
    views = {
        "the queue": "/moderation/",
        "page 5 of the queue": "/moderation/?page=5",
        "page 2,500 of the queue": "/moderation/?page=2500",
        "approved": "/moderation/?status=approved",
        "page 22,000 of approved": "/moderation/?status=approved&page=22000",
        "all": "/moderation/?status=all",
        "all of one article": f"/moderation/?status=all&article={SLUG}",
        "waiting from one address": "/moderation/?network=203.0.77.7",
        "all under one e-mail": "/moderation/?status=all&author=person77@example.org",
    }
    with serving(big) as blog, at_the_desk(blog) as desk:
        for name, path in views.items():
            taken = milliseconds(lambda path=path: desk.get(path))  # type: ignore[misc]
            found.append(Result(f"desk: {name}", "< 50 ms", [taken], "ms", lambda v: v < 50))
        for words in ("neighbour", "person77@example", "silence garden"):
            taken = milliseconds(
                lambda words=words: desk.get("/moderation/", params={"status": "all", "q": words})
            )  # type: ignore[misc]
            found.append(Result(f"desk: search for “{words}”", "< 100 ms", [taken], "ms", lambda v: v < 100))
    return found


def deciding(big: Path) -> list[Result]:
    """Decisions with a million comments stored: one, and a hundred in one request."""
    connection = sqlite3.connect(big / "data" / "blog.db")
    waiting = [
        row[0] for row in connection.execute("SELECT id FROM comment WHERE status = 'pending' LIMIT 1200")
    ]
    connection.close()
    one: list[float] = []
    hundred: list[float] = []
    undone: list[float] = []
    with serving(big) as blog, at_the_desk(blog) as desk:
        form = fields(desk.get("/moderation/"), 'form[action^="/moderation/decisions"]')

        def decide(decision: str, ids: list[int]) -> float:
            chosen = [str(number) for number in ids]
            data = {"csrf_token": form["csrf_token"], "decision": decision, "comment": chosen}
            begun = time.perf_counter()
            answer = desk.post("/moderation/decisions", data=data)
            if answer.status_code != 303:
                raise RuntimeError(f"not decided: {answer.status_code}")
            return (time.perf_counter() - begun) * 1000

        one += [decide("approve" if id % 2 else "spam", [id]) for id in waiting[:20]]
        for run in range(RUNS):
            for decision, place in (("approve", 100), ("spam", 600)):
                ids = waiting[place + 100 * run : place + 100 + 100 * run]
                hundred.append(decide(decision, ids))
                undone.append(decide("restore", ids))
    return [
        Result("desk: one decision", "< 100 ms", one, "ms", lambda v: v < 100),
        Result("desk: a hundred decisions in one request", "< 200 ms", hundred, "ms", lambda v: v < 200),
        Result("desk: their undo", "< 200 ms", undone, "ms", lambda v: v < 200),
    ]
