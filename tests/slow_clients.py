"""How readers fare while others are slow: without a proxy, and with each that docs/operations.md describes.

    python -m tests.slow_clients

For some seconds each and in turn, nobody, 500 idle connections, 300 unfinished heads, 200 bodies of a byte a
second, and all of them together are held open while readers read and one person posts. Printed is how many
were still held at the end, and how long readers waited. The exit status is 1 when a reader got no page.
"""

from __future__ import annotations

import argparse
import itertools
import math
import resource
import socket
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from tests.crash import ARTICLE, SLUG
from tests.proxies import caddy, nginx
from tests.serving import Serving, browser
from tests.test_whole_life_of_a_comment import fields

PATH = f"/posts/{SLUG}/"
IDLE, HEAD, BODY = "idle connections", "slow heads", "slow bodies"
ATTACKS: dict[str, dict[str, int]] = {
    "none": {},
    f"500 {IDLE}": {IDLE: 500},
    f"300 {HEAD}": {HEAD: 300},
    f"200 {BODY}": {BODY: 200},
    "all of them": {IDLE: 500, HEAD: 300, BODY: 200},
}
READERS = 4
PAUSE = 0.004  # seconds of a reader between two pages
_numbers = itertools.count(1)


@dataclass
class Fared:
    """What readers and the one who posts met under one attack."""

    waits: list[float] = field(default_factory=list)  # seconds
    posts: list[float] = field(default_factory=list)
    held: int = 0
    sent: int = 0
    failed: list[str] = field(default_factory=list)


class Slow:
    """Clients that begin and do not go on; a context manager."""

    def __init__(self, port: int, attack: dict[str, int]) -> None:
        self.port, self.attack = port, attack
        self.connections: list[tuple[str, socket.socket]] = []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._drip)

    def __enter__(self) -> Slow:
        begun = {
            IDLE: b"",
            HEAD: f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nX-Slow: ".encode(),
            BODY: f"POST {PATH}comments HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 5000\r\n\r\nbody=".encode(),
        }
        for kind, number in self.attack.items():
            for _ in range(number):
                connection = socket.create_connection(("127.0.0.1", self.port), 10)
                connection.sendall(begun[kind])
                connection.setblocking(False)
                self.connections.append((kind, connection))
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()
        for _, connection in self.connections:
            connection.close()

    def _drip(self) -> None:
        while not self.over.wait(1.0):
            for kind, connection in self.connections:
                if kind != IDLE:
                    try:
                        connection.send(b"x")
                    except OSError:
                        continue  # it was sent away; held() counts who was not

    def held(self) -> int:
        """How many connections the server still has."""
        return sum(_is_open(connection) for _, connection in self.connections)


def _is_open(connection: socket.socket) -> bool:
    try:
        connection.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False  # an answer, or the end


def fetch(port: int, path: str) -> str:
    """Open a page over a new connection; what went wrong, or nothing."""
    said = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode()
    heard = b""
    try:
        with socket.create_connection(("127.0.0.1", port), 20) as connection:
            connection.sendall(said)
            while part := connection.recv(65536):
                heard += part
    except OSError as error:
        return type(error).__name__
    whole = heard.startswith(b"HTTP/1.1 200 ") and b"</html>" in heard
    return "" if whole else heard[:30].decode("latin-1")


def read(port: int, fared: Fared, over: threading.Event) -> None:
    """Open the article again and again."""
    while not over.is_set():
        began = time.perf_counter()
        if failure := fetch(port, PATH):
            fared.failed.append(failure)
        fared.waits.append(time.perf_counter() - began)
        over.wait(PAUSE)


def post(url: str, fared: Fared) -> None:
    """Answer the article once."""
    began, number = time.perf_counter(), next(_numbers)
    with browser(url) as client:
        typed = {"author": f"R{number}", "email": f"r{number}@example.org", "body": f"Answer {number}."}
        try:
            form = {**fields(client.get(PATH), "#comment-form"), **typed}
            answer = client.post(f"{PATH}comments", data=form)
        except httpx.TransportError as error:
            fared.failed.append(f"post: {type(error).__name__}")
        else:
            if answer.status_code != 303:
                fared.failed.append(f"post: {answer.status_code}")
    fared.posts.append(time.perf_counter() - began)


def attacked(url: str, attack: dict[str, int], seconds: float, fared: Fared) -> None:
    """Hold that attack for some seconds while people read and one posts; add what they met."""
    port, over = urlsplit(url).port or 80, threading.Event()
    with Slow(port, attack) as slow:
        readers = [threading.Thread(target=read, args=(port, fared, over)) for _ in range(READERS)]
        for thread in readers:
            thread.start()
        time.sleep(seconds / 2)
        post(url, fared)
        time.sleep(seconds / 2)
        over.set()
        for thread in readers:
            thread.join()
        fared.held += slow.held()
        fared.sent += len(slow.connections)


def milliseconds(seconds: list[float], share: float) -> float:
    """How long this share of all waited at most."""
    return sorted(seconds)[max(0, math.ceil(len(seconds) * share) - 1)] * 1000


@contextmanager
def blog(folder: Path, proxies: int) -> Iterator[Serving]:
    """A blog with one article."""
    content = folder / "content"
    content.mkdir()
    (content / f"{SLUG}.md").write_text(ARTICLE)
    with Serving(folder, content_dir=content, flood_seconds=0, trusted_proxies=proxies) as serving:
        yield serving


def bare(folder: Path, port: int) -> AbstractContextManager[str]:
    """Nothing in front."""
    return nullcontext(f"http://127.0.0.1:{port}")


Front = Callable[[Path, int], AbstractContextManager[str]]
SETUPS: dict[str, tuple[Front, int]] = {"bare": (bare, 0), "nginx": (nginx, 1), "caddy": (caddy, 1)}


def main() -> None:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("setups", nargs="*", default=list(SETUPS), help="bare, nginx, caddy; default: all")
    parser.add_argument("--seconds", type=float, default=4.0, help="that each attack lasts, each time")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 16384), hard))
    broken = False
    print("| set-up | attack | held to the end | pages | median | 95th percentile | against none | a post |")
    print("|---|---|---|---|---|---|---|---|")
    for name in options.setups:
        front, proxies = SETUPS[name]
        found: dict[str, Fared] = defaultdict(Fared)
        with tempfile.TemporaryDirectory(prefix="reciprocal-slow-") as place:
            folder = Path(place)
            with blog(folder, proxies) as serving, front(folder, serving.port) as url:
                for _ in range(options.rounds):
                    for attack, numbers in ATTACKS.items():
                        attacked(url, numbers, options.seconds, found[attack])
        calm = milliseconds(found["none"].waits, 0.95)
        for attack, fared in found.items():
            late = milliseconds(fared.waits, 0.95)
            print(
                f"| {name} | {attack} | {fared.held} of {fared.sent} | {len(fared.waits):,} "
                f"| {milliseconds(fared.waits, 0.5):.1f} ms | {late:.1f} ms | {late / calm:.2f} × "
                f"| {milliseconds(fared.posts, 0.5):.0f} ms |",
                flush=True,
            )
            for failure in sorted(set(fared.failed)):
                broken = True
                print(f"  {fared.failed.count(failure)} times: {failure}")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
