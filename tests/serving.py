"""The real server in a process of its own, for tests that speak HTTP to it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Protocol

import httpx

ROOT = Path(__file__).resolve().parent.parent

# Nothing here speaks TLS, and each client that loads the authorities by itself spends 30 ms on them.
TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
get, head, post = (partial(httpx.request, method, verify=TLS) for method in ("GET", "HEAD", "POST"))


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


class Program(Protocol):
    """A process that was started."""

    pid: int

    def poll(self) -> int | None:
        """The exit status, or None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; the exit status."""

    def send_signal(self, how: int) -> None:
        """Send it a signal, unless it has ended."""


def environment(**settings: object) -> dict[str, str]:
    """The environment of a blog with these settings and no others."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("BLOG_", "PYTHON_AKISMET"))
    }
    return {**kept, **{f"BLOG_{name.upper()}": str(value) for name, value in settings.items()}}


def launched(
    words: Sequence[str],
    environ: Mapping[str, str],
    log: Path,
    errors: Path | None = None,
    typed: Path = Path(os.devnull),
) -> Program:
    """Python with these words, from nothing, in a session of its own. What it says is added to `log`."""
    with typed.open("rb") as stdin, log.open("ab") as said, (errors or log).open("ab") as wrong:
        return subprocess.Popen(
            [sys.executable, *words],
            cwd=ROOT,
            env=environ,
            stdin=stdin,
            stdout=said,
            stderr=wrong,
            start_new_session=True,
        )


def finished(
    launch: Callable[..., Program], words: Sequence[str], environ: Mapping[str, str], typed: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; its exit status and what it said."""
    with tempfile.TemporaryDirectory() as name:
        stdin, said, errors = (Path(name) / stream for stream in ("stdin", "said", "errors"))
        stdin.write_text(typed, "utf-8")
        status = launch(words, environ, said, errors, stdin).wait(60)
        return subprocess.CompletedProcess(words, status, said.read_text("utf-8"), errors.read_text("utf-8"))


COMMAND = ("-m", "flask", "--app", "wsgi")


class Serving:
    """`flask --app wsgi serve` with settings of its own; a context manager."""

    # pytest puts a quicker one here: see tests/forked.py.
    launch: Callable[..., Program] = staticmethod(launched)
    # And here a data folder with tables and a first moderator, of which a new blog begins with a copy.
    begun: Path | None = None

    def __init__(self, folder: Path, **settings: object) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        given = {"data_dir": folder / "data", "port": self.port, "site_url": self.url, **settings}
        self.environ = environment(**given)
        self.data = Path(self.environ["BLOG_DATA_DIR"])
        self.log = folder / "serve.log"
        self.process: Program | None = None

    def start(self) -> None:
        """Start and wait for the first answer."""
        if self.begun is not None and not self.data.exists():
            shutil.copytree(self.begun, self.data)
        self.process = self.launch((*COMMAND, "serve"), self.environ, self.log)
        until = time.monotonic() + 30
        while time.monotonic() < until:
            if self.process.poll() is not None:
                break
            try:
                if get(f"{self.url}/healthz").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.02)
        raise AssertionError(f"serve did not start: {self.log.read_text()[-2000:]}")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it; the exit status."""
        assert self.process is not None
        if how is signal.SIGKILL:
            os.killpg(self.process.pid, how)
        else:
            self.process.send_signal(how)
        return self.process.wait(30)

    def run(self, *words: str, stdin: str = "") -> str:
        """A command of the same blog; its output."""
        done = finished(self.launch, (*COMMAND, *words), self.environ, stdin)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def password(self) -> str:
        """The first moderator's password, from where it is kept."""
        found = re.search(r"password: (\S+)", (self.data / "first-moderator.txt").read_text())
        assert found is not None
        return found[1]

    def __enter__(self) -> Serving:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process is not None and self.process.poll() is None:
            self.stop(signal.SIGKILL)


@contextmanager
def browser(url: str) -> Iterator[httpx.Client]:
    """A browser without scripts: it keeps cookies, and follows no redirect by itself."""
    with httpx.Client(base_url=url, timeout=20, verify=TLS) as client:
        yield client
