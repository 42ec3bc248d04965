"""Programs that begin as a copy of a process which has imported the blog already.

To import it takes longer than most of what a test asks of a program. So one process does it, once for each
process of pytest, and is forked for every program. From its first line on the program is what it always is:
its words, environment, folder, streams and process are its own, and it can be killed like any other. Only
what Python does to objects when it ends is left out: a store keeps its journal. What a program imports is
tried in test_starting_costs_little.py, a start from nothing in test_whole_life_of_a_comment.py.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from tests.serving import ROOT, finished

# What a name here cannot give, each program imports for itself.
READY = (
    "blog",
    "blog.serve",
    "blog.wire",
    "tests.forked",
    "alembic.command",
    "flask_migrate.cli",
    "email_validator",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.pysqlite",
)

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(list(READY))


class Forked:
    """A program, and as much of `subprocess.Popen` as the tests use. Both streams are added to `log`.

    `words`: what would follow `python` on the command line.
    """

    def __init__(
        self,
        words: Sequence[str],
        environ: Mapping[str, str],
        log: Path,
        errors: Path | None = None,
        typed: Path = Path(os.devnull),
    ) -> None:
        streams = [str(path) for path in (typed, log, errors or log)]
        self._process = _context.Process(
            target=_become, args=(list(words), dict(environ), streams), daemon=True
        )
        self._process.start()
        self.pid = self._process.pid or 0

    def poll(self) -> int | None:
        """The exit status, or None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end, at most so many seconds; the exit status."""
        self._process.join(timeout)
        status = self.poll()
        if status is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return status

    def send_signal(self, how: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, how)


run = partial(finished, Forked)


def _become(words: list[str], environ: dict[str, str], streams: list[str]) -> None:
    """The child's side: what Python itself does with its command line."""
    os.setsid()
    for number, path in enumerate(streams):
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND if number else os.O_RDONLY
        opened = os.open(path, flags, 0o666)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  # for as long as the program runs
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(environ)
    match words:
        case ["-m", module, *_]:
            sys.argv = words[1:]
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        case ["-c", code, *_]:
            sys.argv = ["-c", *words[2:]]
            exec(code, {"__name__": "__main__"})
        case _:
            sys.argv = words
            runpy.run_path(words[0], run_name="__main__")
