"""The real server: several processes that act as one, and that nobody can stop by being slow or rude."""

from __future__ import annotations

import itertools
import os
import re
import signal
import socket
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from blog.door import MOST_OF_ONE
from tests import forked
from tests.akismet_standin import AkismetStandIn, later
from tests.rude_http import torment
from tests.serving import COMMAND, Serving, browser, get, head, post
from tests.test_whole_life_of_a_comment import fields

ARTICLE = "/posts/open-letter/"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def blog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A server for all tests that leave it as it was."""
    folder = tmp_path_factory.mktemp("blog")
    with AkismetStandIn() as akismet, serving(folder, akismet) as found:
        yield found


def serving(folder: Path, akismet: AkismetStandIn, **settings: object) -> Serving:
    content = folder / "content"
    content.mkdir()
    (content / "open-letter.md").write_text("---\ntitle: An open letter\ndate: 2026-01-02\n---\n\nWords.\n")
    given = {"akismet_key": "123456789abc", "moderation": "flagged", "flood_seconds": 0, **settings}
    return Serving(folder, content_dir=content, akismet_endpoint=akismet.url, **given)


def answer(blog: Serving, words: str) -> httpx.Response:
    """Answer the article with these words."""
    with browser(blog.url) as reader:
        form = fields(reader.get(ARTICLE), "#comment-form")
        typed = {"author": "Ada", "email": f"ada{next(_numbers)}@example.org", "body": words}
        return reader.post(f"{ARTICLE}comments", data={**form, **typed})


def workers(blog: Serving) -> list[int]:
    """The process ids of the workers."""
    assert blog.process is not None
    parent = blog.process.pid
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


def speak(blog: Serving, said: bytes, wait: float = 5.0) -> bytes:
    """What the server answers to these bytes until it hangs up or is silent."""
    with socket.create_connection(("127.0.0.1", blog.port), wait) as connection:
        connection.sendall(said)
        heard = b""
        try:
            while part := connection.recv(65536):
                heard += part
                head, _, body = heard.partition(b"\r\n\r\n")
                length = re.search(rb"content-length: (\d+)", head)
                if length and len(body) >= int(length[1]):
                    break
        except (TimeoutError, ConnectionResetError):
            pass
        return heard


def test_every_worker_shows_an_answer_that_was_taken(blog: Serving) -> None:
    for number in range(3):
        assert answer(blog, f"Number {number} of some.").status_code == 303
        for _ in range(8):  # a new connection each time reaches any of them
            assert f"Number {number} of some." in get(blog.url + ARTICLE).text


def test_a_page_comes_from_memory_with_all_its_headers(blog: Serving) -> None:
    for _ in range(4):
        page = get(blog.url + ARTICLE, headers={"Accept-Encoding": "gzip"})
        assert page.headers["Content-Encoding"] == "gzip"
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        again = get(
            blog.url + ARTICLE, headers={"Accept-Encoding": "gzip", "If-None-Match": page.headers["ETag"]}
        )
        assert (again.status_code, again.content) == (304, b"")
        assert "default-src 'none'" in again.headers["Content-Security-Policy"]
        bare = head(blog.url + ARTICLE, headers={"Accept-Encoding": "gzip"})
        assert (bare.headers["Content-Length"], bare.content) == (page.headers["Content-Length"], b"")


def test_files_have_names_that_change_with_them(blog: Serving) -> None:
    style = re.search(r'href="(/static/style\.[0-9a-f]+\.css)"', get(blog.url).text)
    assert style is not None
    found = get(blog.url + style[1])
    assert found.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert found.headers["Content-Type"] == "text/css; charset=utf-8"
    for old in ("/static/style.0123456789ab.css", "/static/style.css"):
        moved = get(blog.url + old)
        assert (moved.status_code, moved.headers["Location"]) == (302, style[1])
    for unknown in ("/static/no.css", "/static/..%2fserve.py", "/static/", "/static/serve.py"):
        assert get(blog.url + unknown).status_code == 404


def test_names_of_hosts_are_checked_before_memory(blog: Serving) -> None:
    known = f"Host: 127.0.0.1:{blog.port}"
    for said, code in (
        (known, b"200"),
        ("Host: elsewhere.example", b"400"),
        (f"{known}\r\nHost: elsewhere.example", b"400"),
        (f"Host: elsewhere.example\r\n{known}", b"400"),
        ("X: y", b"400"),
    ):
        for _ in range(4):
            heard = speak(blog, f"GET / HTTP/1.1\r\n{said}\r\n\r\n".encode())
            assert heard.startswith(b"HTTP/1.1 " + code), said


def test_slow_senders_are_in_nobodys_way(blog: Serving) -> None:
    begun = b"POST %scomments HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: 5000\r\n\r\nauthor=x"
    connections = [socket.create_connection(("127.0.0.1", blog.port)) for _ in range(300)]
    for connection in connections[:200]:
        connection.sendall(begun % (ARTICLE.encode(), blog.port))
    for connection in connections[200:250]:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: 127")
    assert max(len(list(Path(f"/proc/{pid}/task").iterdir())) for pid in workers(blog)) < 60
    assert get(blog.url + ARTICLE).status_code == 200
    assert answer(blog, "Somebody who is quick.").status_code == 303
    connections[0].sendall(b"&" * 4992)
    assert connections[0].recv(100).startswith(b"HTTP/1.1 4")
    for connection in connections:
        connection.close()


def test_one_network_can_only_have_so_many_unfinished_bodies(tmp_path: Path, akismet: AkismetStandIn) -> None:
    with serving(tmp_path, akismet, workers=1) as blog, ExitStack() as held:
        said = (
            f"POST {ARTICLE}comments HTTP/1.1\r\nHost: 127.0.0.1:{blog.port}\r\nContent-Length: 99\r\n\r\na"
        )
        slow = []
        for _ in range(MOST_OF_ONE + 1):
            slow.append(held.enter_context(socket.create_connection(("127.0.0.1", blog.port), 10)))
            slow[-1].sendall(said.encode())
        assert slow[0].recv(100).startswith(b"HTTP/1.1 408")
        assert answer(blog, "Others come through.").status_code == 303


@pytest.mark.parametrize(
    "said",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"GET /\xff\x00 HTTP/1.1\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 500 + b"\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
    ids=str,
)
def test_what_is_no_http_hurts_only_its_sender(blog: Serving, said: bytes) -> None:
    assert not speak(blog, said, 0.3).startswith(b"HTTP/1.1 5")
    assert get(blog.url).status_code == 200


def test_a_form_that_is_too_large_gets_an_answer(blog: Serving) -> None:
    for size in (300_000, 900_000):
        form = {"author": "Ada", "email": "a@example.org", "body": "x" * size}
        assert post(f"{blog.url}{ARTICLE}comments", data=form).status_code == 413


def test_headers_with_an_underline_do_not_pass_for_others(blog: Serving) -> None:
    said = f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{blog.port}\r\nContent_Length: 5\r\nHost_: x\r\n\r\n"
    assert speak(blog, said.encode()).startswith(b"HTTP/1.1 200")


def test_the_parent_holds_no_transaction_open(blog: Serving) -> None:
    # Its log could then never be put into the store, and would grow for as long as the server runs.
    assert answer(blog, "Something to keep.").status_code == 303
    with sqlite3.connect(blog.environ["BLOG_DATA_DIR"] + "/blog.db", timeout=10) as store:
        until = time.monotonic() + 10
        while store.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] and time.monotonic() < until:
            time.sleep(0.05)  # a reader is at it
        assert store.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone() == (0, 0, 0)


def test_a_second_server_on_the_same_port_is_refused_in_one_line(blog: Serving) -> None:
    done = forked.run((*COMMAND, "serve"), blog.environ)
    assert done.returncode != 0
    assert f"port {blog.port}" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_worker_that_dies_is_replaced(tmp_path: Path, akismet: AkismetStandIn) -> None:
    with serving(tmp_path, akismet) as blog:
        before = workers(blog)
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        until = time.monotonic() + 20
        while len(set(workers(blog)) - set(before)) < 2 and time.monotonic() < until:
            time.sleep(0.02)
        for _ in range(6):
            assert get(blog.url, timeout=20).status_code == 200
        assert blog.stop() == 0


def test_stopping_finishes_what_was_accepted(tmp_path: Path, akismet: AkismetStandIn) -> None:
    akismet.default = later(0.4)
    with serving(tmp_path, akismet) as blog:
        ended: Counter[str] = Counter()
        stop = threading.Event()
        readers = [
            threading.Thread(target=read, args=(blog, keep, path, ended, stop))
            for keep in (True, False)
            for path in ("/", ARTICLE, "/healthz", "/privacy")
        ]
        posts: list[int] = []
        slow = socket.create_connection(("127.0.0.1", blog.port))
        slow.sendall(b"POST / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: 9\r\n\r\na" % blog.port)
        writers = [
            threading.Thread(target=lambda n=n: posts.append(answer(blog, f"Post {n}.").status_code))
            for n in range(4)
        ]
        for thread in [*readers, *writers]:
            thread.start()
        until = time.monotonic() + 20
        while len(akismet.checks) < 4 and time.monotonic() < until:
            time.sleep(0.01)
        assert blog.stop() == 0
        stop.set()
        for thread in [*readers, *writers]:
            thread.join(10)
        assert posts == [303] * 4
        assert slow.recv(1000).startswith(b"HTTP/1.1 503")
        slow.close()
        assert ended["read"] > 10
        assert set(ended) <= {"read", "turned away"}
        blog.start()
        assert get(blog.url + ARTICLE).text.count("Post ") >= 4


def read(blog: Serving, keep: bool, path: str, ended: Counter[str], stop: threading.Event) -> None:
    """Read again and again, over one connection or many, and count how it ended."""
    said = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{blog.port}\r\n\r\n".encode()
    connection: socket.socket | None = None
    while not stop.is_set():
        if connection is None:
            try:
                connection = socket.create_connection(("127.0.0.1", blog.port), 0.5)
            except OSError:
                ended["turned away"] += 1
                return
        try:
            connection.sendall(said)
            heard = b""
            while not (whole := re.search(rb"content-length: (\d+)(?s:.*?)\r\n\r\n", heard)) or (
                len(heard) < whole.end() + int(whole[1])
            ):
                part = connection.recv(65536)
                if not part:
                    raise ConnectionResetError
                heard += part
            ended["read"] += 1
            if keep and b"connection: close" not in heard:
                continue
        except OSError as error:
            ended[f"broken off: {type(error).__name__}"] += 1
        connection.close()
        connection = None
    if connection is not None:
        connection.close()


def test_rude_requests_get_an_answer_or_none(blog: Serving) -> None:
    met, wrong = torment(blog, 100, seed=3)
    assert wrong == []
    assert {"200", "400", "404"} <= set(met)
