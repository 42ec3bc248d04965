"""The real server in a process of its own, for tests that speak HTTP to it."""

from __future__ import annotations

import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType

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


class Serving:
    """`flask --app wsgi serve` with settings of its own; a context manager."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        given = {"data_dir": folder / "data", "port": self.port, "site_url": self.url, **settings}
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("BLOG_", "PYTHON_AKISMET"))
        }
        self.environ = {**kept, **{f"BLOG_{name.upper()}": str(value) for name, value in given.items()}}
        self.log = folder / "serve.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait for the first answer."""
        command = [sys.executable, "-m", "flask", "--app", "wsgi", "serve"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self.environ, stdout=log, stderr=log, start_new_session=True
            )
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
        done = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", *words],
            cwd=ROOT,
            env=self.environ,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def password(self) -> str:
        """The first moderator's password, as it was printed."""
        found = re.search(r"password: (\S+)", self.log.read_text())
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
