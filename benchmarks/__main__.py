"""Measure what the README's figures say, print the table, and write docs/benchmarks.md.

    make bench                       everything, about ten minutes
    make bench ARGS="file posting"   only these
    make bench ARGS="--comments 100000"   a smaller big store
    make bench ARGS="--stores /tmp/stores million change-big"   with stores that are made once and stay there

Exits 1 when a goal is missed by more than the noise of its runs.
"""

from __future__ import annotations

import argparse
import os
import platform
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import desk, measures, reading, stores
from benchmarks.measures import Result
from tests.serving import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("only", nargs="*", help="names of measures; none: all")
    parser.add_argument("--comments", type=int, default=1_000_000, help="in the big store")
    parser.add_argument("--stores", type=Path, help="where the stores that are read stay for the next time")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench") as name:
        results = run(Path(name), asked.only, asked.comments, asked.stores or Path(name))
    lines = table(results)
    print("\n".join(lines))
    if not asked.only:
        PAGE.write_text("\n".join([*head(asked.comments), *lines, ""]))
    return 1 if any(result.missed for result in results) else 0


def run(folder: Path, only: list[str], comments: int, stores_in: Path) -> list[Result]:
    """The measures, each on stores of its own where it posts."""
    small, big = stores_in / "small", stores_in / f"big-{comments}"
    stores.fill(small / "data", here=50)
    measured: dict[str, Callable[[], Result | list[Result]]] = {
        "file": lambda: reading.against_a_file(folder, small),
        "million": lambda: reading.with_a_million(small, big, comments),
        "change": lambda: reading.after_a_change("50 comments", small, 5),
        "change-big": lambda: reading.after_a_change("big store", big, 8),
        "unchanged": lambda: reading.unchanged(small),
        "posting": lambda: measures.posting(folder / "posting"),
        "slowly": lambda: measures.posting_slowly(folder / "slowly"),
        "meanwhile": lambda: measures.reading_meanwhile(folder / "meanwhile"),
        "desk": lambda: desk.the_desk(big),
        "deciding": lambda: desk.deciding(big),
        "memory": lambda: reading.memory(small),
        "start": lambda: reading.starting(folder / "start"),
    }
    chosen = only or list(measured)
    if {"million", "change-big", "desk", "deciding"} & set(chosen):
        waiting = comments // 10
        seconds = stores.fill(big / "data", 10_000, comments - 10_000 - waiting, waiting)
        print(f"stored {comments:,} comments in {seconds:.0f} s", flush=True)
    results: list[Result] = []
    for name in chosen:
        found = measured[name]()
        for result in found if isinstance(found, list) else [found]:
            print(row(result), flush=True)
            results.append(result)
    return results


def row(result: Result) -> str:
    """A line of the table."""
    low, high = min(result.values), max(result.values)
    spread = f" ({low:,.2f} to {high:,.2f})" if len(result.values) > 1 else ""
    reached = "no" if result.missed else ("yes" if result.reached(result.median) else "within noise")
    figure = f"{result.median:,.2f} {result.unit}".strip() + spread
    return f"| {result.what} | {result.goal} | {figure} | {reached} | {result.note} |"


def table(results: list[Result]) -> list[str]:
    """The whole table."""
    return ["| what | goal | median (all runs) | reached | |", "|---|---|---|---|---|", *map(row, results)]


def head(comments: int) -> list[str]:
    """What the figures were measured on."""
    versions = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    return [
        "# Benchmarks",
        "",
        f"Written by `make bench` on {datetime.now(UTC):%Y-%m-%d}: {os.cpu_count()} processors "
        f"({platform.machine()}), {versions}, {comments:,} comments in the big store. The server, the load,",
        "nginx and Akismet's stand-in share these processors, so quote the ratios, not the single figures. A",
        "pair is measured in turn, five times; “no” means that not even the best run reached the goal.",
        "",
    ]


if __name__ == "__main__":
    sys.exit(main())
