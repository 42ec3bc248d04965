"""What somebody may say on a connection, how it is answered, and how patient the server is.

The same classes as in a worker of `serve`, in a thread, before a small application that says what it got.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
import uvloop

from blog.config import Settings
from blog.connection import MOST_IN_A_ROW
from blog.crowd import MOST, Crowd
from blog.door import MOST_HELD, Door
from blog.headers import base_headers
from blog.kept import Answer
from blog.request import Patience

KNOWN = Answer.of(200, [("ETag", '"x"')], b"from memory" * 2000)
LARGE = b"x" * 8_000_000
MOST_BYTES = 1000


class Memory:
    """One page, at /known; it counts how often it was looked for."""

    def __init__(self) -> None:
        self.known: dict[bytes, Answer] = {}
        self.found = self.recalled = 0

    def recall(self, said: bytes) -> Answer | None:
        self.recalled += said in self.known
        return self.known.get(said)

    def find(self, host: Any, path: str, query: str, accepted: Any, known: Any, said: bytes = b"") -> Any:
        if path != "/known":
            return None
        self.found += 1
        if said:
            self.known[said] = KNOWN
        return KNOWN


class File:
    """A large one; it counts what is read, and how often it is closed."""

    def __init__(self) -> None:
        self.read = self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(LARGE), 8192):
            self.read += 8192
            yield LARGE[start : start + 8192]

    def close(self) -> None:
        self.closed += 1


FILE = File()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Say what was asked; /slow takes its time."""
    if environ["PATH_INFO"] == "/slow":
        time.sleep(0.03)
    said = {name: value for name, value in environ.items() if isinstance(value, str)}
    body = json.dumps({**said, "body": environ["wsgi.input"].read(1000).decode("latin-1")}).encode()
    if environ["PATH_INFO"] == "/large":
        body = LARGE
    if environ["PATH_INFO"] in ("/file", "/cut", "/grown"):
        length = {"/file": 0, "/cut": 1, "/grown": -1}[environ["PATH_INFO"]] + len(LARGE)
        start_response("200 OK", [("Content-Length", str(length))])
        return FILE
    headers = [("X-Odd", "a\r\nb: \xe9")]
    start_response("200 OK", headers)
    return [body] if environ["REQUEST_METHOD"] != "HEAD" else []


class Server:
    """A worker's door and connections, and what happened there."""

    def __init__(self, patience: Patience, most: int, most_bytes: int) -> None:
        self.memory, self.patience = Memory(), patience
        self.most, self.most_bytes = most, most_bytes
        self.failed: list[str] = []  # what reached the loop
        self.port = 0
        self.begun, self.told = threading.Event(), asyncio.Event()
        self.loop: asyncio.AbstractEventLoop
        self.crowd: Crowd
        self.thread = threading.Thread(target=lambda: uvloop.run(self.work()))

    async def work(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.loop.set_exception_handler(lambda _, what: self.failed.append(str(what)))
        door = Door(application, self.memory, self.most_bytes, base_headers(Settings()))
        self.crowd = Crowd(door, self.patience, self.most)
        clock = self.loop.create_task(self.crowd.tick())
        server = await self.loop.create_server(self.crowd.welcome, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self.begun.set()
        await self.told.wait()
        await door.close(0.1, 1.0)
        server.close()
        await self.crowd.leave()
        await door.empty()
        clock.cancel()

    def stop(self) -> None:
        if not self.thread.is_alive():
            return
        self.loop.call_soon_threadsafe(self.told.set)
        self.thread.join(10)
        assert not self.thread.is_alive()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as found:
        yield found


@contextmanager
def running(most: int = MOST, most_bytes: int = MOST_BYTES, **patience: float) -> Iterator[Server]:
    server = Server(Patience(tick=0.02, **patience), most, most_bytes)
    server.thread.start()
    assert server.begun.wait(5)
    try:
        yield server
    finally:
        server.stop()
    assert server.failed == []


def until(is_so: Callable[[], bool]) -> None:
    """Wait for it, five seconds at most."""
    end = time.monotonic() + 5
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.005)


def say(server: Server, *parts: bytes, wait: float = 0.0, end: bool = False) -> bytes:
    """All that comes back to these bytes, sent one after another."""
    with socket.create_connection(("127.0.0.1", server.port), 5) as line:
        for part in parts:
            line.sendall(part)
            time.sleep(wait)
        if end:
            line.shutdown(socket.SHUT_WR)
        heard = b""
        while part := line.recv(1 << 20):
            heard += part
        return heard


def answers(heard: bytes) -> list[tuple[int, dict[str, str], bytes]]:
    """The answers in what was heard: status, headers, body."""
    found = []
    while heard:
        head, _, heard = heard.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        length = int(headers.get("content-length", 0))
        found.append((int(first.split()[1]), headers, heard[:length]))
        heard = heard[length:]
    return found


def last(target: str = "/", method: str = "GET", headers: str = "", body: bytes = b"") -> bytes:
    """A request after which the connection ends."""
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    head = f"{method} {target} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n{length}{headers}\r\n"
    return head.encode("latin-1") + body


MORE = b"GET /%s HTTP/1.1\r\nHost: here\r\n\r\n"


def seen(heard: bytes) -> dict[str, str]:
    """What the application saw of a request."""
    ((code, _, body),) = answers(heard)
    assert code == 200
    found: dict[str, str] = json.loads(body)
    return found


def test_an_answer_has_its_length_the_date_and_nothing_that_breaks_a_line(server: Server) -> None:
    ((code, headers, body),) = answers(say(server, last()))
    assert (code, headers["content-length"], headers["connection"]) == (200, str(len(body)), "close")
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", headers["date"])
    assert headers["x-odd"] == "a??b: ?"


@pytest.mark.parametrize("cut", [1, 7, 20, 40, 60])
def test_a_request_may_come_in_pieces(server: Server, cut: int) -> None:
    whole = last("/a?b=1", "POST", body=b"some words")
    environ = seen(say(server, whole[:cut], whole[cut:], wait=0.02))
    assert (environ["REQUEST_METHOD"], environ["PATH_INFO"], environ["QUERY_STRING"]) == ("POST", "/a", "b=1")
    assert (environ["body"], environ["CONTENT_LENGTH"]) == ("some words", "10")


def test_requests_sent_at_once_are_answered_in_their_order(server: Server) -> None:
    heard = answers(say(server, MORE % b"slow" + MORE % b"known" + MORE % b"2" + last("/3")))
    assert [code for code, *_ in heard] == [200] * 4
    assert [json.loads(heard[at][2])["PATH_INFO"] for at in (0, 2, 3)] == ["/slow", "/2", "/3"]
    assert heard[1][2] == KNOWN.body


def test_too_many_sent_at_once_are_turned_away_after_the_first(server: Server) -> None:
    codes = [code for code, *_ in answers(say(server, MORE % b"slow" * (MOST_IN_A_ROW + 5)))]
    assert codes == [200] * MOST_IN_A_ROW + [503]


def test_what_was_asked_in_the_same_bytes_is_answered_without_being_read(server: Server) -> None:
    before = server.memory.found
    with socket.create_connection(("127.0.0.1", server.port), 5) as line:
        for _ in range(4):
            line.sendall(MORE % b"known")
            heard = b""
            while not heard.endswith(KNOWN.body):
                heard += line.recv(1 << 20)
            assert heard.startswith(b"HTTP/1.1 200 OK\r\n")
    assert server.memory.found - before <= 1
    assert server.memory.recalled >= 3


def test_two_requests_in_one_piece_are_not_taken_for_one_that_is_known(server: Server) -> None:
    both = MORE % b"known" + MORE % b"known?again"
    for _ in range(2):
        heard = answers(say(server, both, last("/end")))
        assert len(heard) == 3
    assert both not in server.memory.known


@pytest.mark.parametrize("line", [b"Cookie: desk=secret", b"X-Forwarded-For: secret"])
def test_a_request_that_tells_of_a_person_is_not_remembered_as_it_was(server: Server, line: bytes) -> None:
    say(server, b"GET /known HTTP/1.1\r\nHost: here\r\n" + line + b"\r\n\r\n", last("/end"), wait=0.05)
    assert not [said for said in server.memory.known if b"secret" in said]


def test_who_waits_for_a_word_before_the_body_gets_it(server: Server) -> None:
    whole = last("/", "POST", "Expect: 100-continue\r\n", b"words")
    heard = say(server, whole[:-5], whole[-5:], wait=0.05)
    assert heard.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")


def test_old_clients_may_keep_the_connection_and_have_to_be_told_so(server: Server) -> None:
    kept = b"GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
    first, second = answers(say(server, kept, b"GET /2 HTTP/1.0\r\n\r\n", wait=0.05))
    assert (first[1]["connection"], second[1]["connection"]) == ("keep-alive", "close")


def test_a_header_ends_where_its_words_do(server: Server) -> None:
    whole = b"POST / HTTP/1.1\r\nHost: here \t\r\nConnection: close\r\nContent-Length: 5 \r\n\r\nwords"
    environ = seen(say(server, whole))
    assert (environ["HTTP_HOST"], environ["CONTENT_LENGTH"], environ["body"]) == ("here", "5", "words")


def test_a_question_about_the_head_gets_no_body(server: Server) -> None:
    heard = say(server, last("/known", "HEAD"))
    assert heard.startswith(b"HTTP/1.1 200")
    assert heard.endswith(b"\r\n\r\n")


def test_who_has_said_all_still_gets_the_answer(server: Server) -> None:
    assert [code for code, *_ in answers(say(server, MORE % b"slow", end=True))] == [200]


def test_an_upgrade_is_answered_as_if_nobody_had_asked_for_it(server: Server) -> None:
    wish = b"GET / HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n\x00\x00\x12\x04"
    ((code, headers, _),) = answers(say(server, wish))
    assert (code, headers["connection"]) == (200, "close")


@pytest.mark.parametrize(
    ("target", "path", "host"),
    [
        ("/a%2Fb%C3%A9?x=%41#y", "/a/b\xc3\xa9", "here"),
        ("/%ff", "/\xff", "here"),
        ("http://there:81/a?b", "/a", "there:81"),
        ("http://there", "/", "there"),
        ("//there/a", "//there/a", "here"),
        ("http://[::1]:81/a", "/a", "[::1]:81"),
    ],
)
def test_an_address_is_read_as_the_standard_has_it(server: Server, target: str, path: str, host: str) -> None:
    environ = seen(say(server, last(target)))
    assert (environ["PATH_INFO"], environ["HTTP_HOST"]) == (path, host)


def test_lines_of_one_name_are_joined_and_names_with_an_underline_left_out(server: Server) -> None:
    environ = seen(say(server, last(headers="A: 1\r\nA: 2\r\nCookie: x\r\nCookie: y\r\nB_C: 3\r\n")))
    assert (environ["HTTP_A"], environ["HTTP_COOKIE"]) == ("1,2", "x; y")
    assert "HTTP_B_C" not in environ


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"hello\r\n\r\n", 400),
        (b"FROB / HTTP/1.1\r\nHost: here\r\n\r\n", 400),
        (b"GET /a b HTTP/1.1\r\nHost: here\r\n\r\n", 400),
        (b"CONNECT here:80 HTTP/1.1\r\nHost: here\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: here\r\nX: a\x00b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: here\r\nX : a\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: " + b"0" * 5000 + b"5\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: " * 99_000, 411),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\nHost: here\r\n\r\n", 505),
        (b"GET /\r\n\r\n", 505),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nX: " + b"y" * 70_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nX: " + b"y" * 400_000, 431),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", 431),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_answered_gets_a_page_that_says_so(server: Server, said: bytes, code: int) -> None:
    ((found, headers, body),) = answers(say(server, said))
    assert (found, headers["connection"], headers["cache-control"]) == (code, "close", "no-store")
    for name, value in base_headers(Settings()):
        assert headers[name.lower()] == value
    assert b"<h1>" in body
    assert headers["x-request-id"].encode() in body


def test_what_was_asked_before_the_nonsense_is_answered(server: Server) -> None:
    assert [code for code, *_ in answers(say(server, MORE % b"slow" + b"nonsense\r\n"))] == [200, 400]


def test_nothing_is_read_after_the_last_request(server: Server) -> None:
    assert [code for code, *_ in answers(say(server, last("/slow") + b"nonsense\r\n" * 9))] == [200]


def test_who_sends_too_much_gets_to_read_the_answer(server: Server) -> None:
    for size in (MOST_BYTES + 1, 900_000, 3_000_000):
        environ = seen(say(server, last("/", "POST", body=b"x" * size)))
        assert (environ["body"], environ["CONTENT_LENGTH"]) == ("", str(size))


def test_who_takes_nothing_gets_no_more(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), 5) as line:
        for _ in range(10):
            line.sendall(MORE % b"large")
            time.sleep(0.03)
        (held,) = server.crowd.open
        assert 0 < held._transport.get_write_buffer_size() <= len(LARGE) + 1000
        # and all of it once it does
        heard = 0
        while heard < 10 * len(LARGE):
            heard += len(line.recv(1 << 20))


def test_a_large_file_is_read_as_fast_as_it_is_taken(server: Server) -> None:
    FILE.read = FILE.closed = 0
    with socket.create_connection(("127.0.0.1", server.port), 5) as line:
        line.sendall(MORE % b"file" * 2)
        until(lambda: any(held._full for held in server.crowd.open))
        assert FILE.read < len(LARGE)
        heard = 0
        while heard < 2 * len(LARGE):
            heard += len(line.recv(1 << 20))
    first, second = answers(say(server, MORE % b"file" + last("/2")))
    assert first[2] == LARGE
    assert second[0] == 200
    assert say(server, last("/file", "HEAD")).endswith(b"\r\n\r\n")
    assert FILE.closed == 4


def test_a_file_whose_reader_leaves_is_closed(server: Server) -> None:
    FILE.closed = 0
    with socket.create_connection(("127.0.0.1", server.port), 5) as line:
        line.sendall(MORE % b"file")
        until(lambda: any(held._full for held in server.crowd.open))
    until(lambda: FILE.closed == 1)


def test_a_file_that_changes_while_it_is_sent_never_moves_the_next_answer(server: Server) -> None:
    ((_, _, body),) = answers(say(server, MORE % b"cut" + last("/2")))
    assert body == LARGE
    first, second = answers(say(server, MORE % b"grown" + last("/2")))
    assert (first[2], second[0]) == (LARGE[:-1], 200)


def test_a_large_answer_arrives_whole(server: Server) -> None:
    ((code, _, body),) = answers(say(server, last("/large")))
    assert (code, body) == (200, LARGE)


@pytest.mark.parametrize(
    ("limit", "said", "code"),
    [
        ("head", b"GET / HTTP/1.1\r\nHost: he", 408),
        ("idle", b"", None),
        ("idle", MORE % b"1", 200),
        ("idle", b"\r\n", None),
    ],
)
def test_who_does_not_go_on_is_ended(limit: str, said: bytes, code: int | None) -> None:
    with running(**{limit: 0.5}) as own:
        heard = answers(say(own, said))
        assert [found for found, *_ in heard] == ([code] if code else [])


def test_who_takes_nothing_for_long_is_ended() -> None:
    with running(stuck=0.05) as own, socket.create_connection(("127.0.0.1", own.port), 5) as line:
        line.sendall(MORE % b"large")
        until(lambda: len(own.crowd.open) == 1)
        until(lambda: not own.crowd.open)


def test_one_connection_that_cannot_be_looked_at_leaves_the_clock_running() -> None:
    with running(idle=0.05) as own:
        broken: Any = object()
        own.crowd.open[broken] = None
        assert say(own, b"") == b""
        assert broken not in own.crowd.open


def test_who_says_nothing_makes_room_for_others() -> None:
    with running(most=4) as own, ExitStack() as held:
        lines = [held.enter_context(socket.create_connection(("127.0.0.1", own.port), 5)) for _ in range(4)]
        lines[1].sendall(b"GET / HTTP/1.1\r\n")
        lines[2].sendall(b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\na")
        until(lambda: len(own.crowd.door._unfinished) == 1)
        for _ in range(3):
            assert say(own, last()).startswith(b"HTTP/1.1 200")
        lines[2].sendall(b"bcdefghi")
        assert lines[2].recv(100).startswith(b"HTTP/1.1 200")


def test_who_fills_the_memory_is_turned_away_and_not_who_types() -> None:
    size = 1_000_000
    with running(most_bytes=size + 1) as own, ExitStack() as held:
        said = b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (size + 1) + b"x" * size
        lines = []
        for _ in range(MOST_HELD // size + 3):
            lines.append(held.enter_context(socket.create_connection(("127.0.0.1", own.port), 5)))
            lines[-1].sendall(said)
        until(lambda: own.crowd.door._held > MOST_HELD - size)
        assert seen(say(own, last("/", "POST", body=b"words")))["body"] == "words"
        assert own.crowd.door._held <= MOST_HELD
    assert own.crowd.door._held == 0


def test_who_sends_ahead_waits_until_the_first_is_answered() -> None:
    size = 500_000
    with running(most_bytes=size) as own:
        ahead = b"POST /slow HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size
        most, heard = 0, list[bytes]()
        sender = threading.Thread(target=lambda: heard.append(say(own, ahead * 20 + last("/end"))))
        sender.start()
        while sender.is_alive():
            most = max(most, own.crowd.door._held)
            time.sleep(0.001)
        assert [code for code, *_ in answers(heard[0])] == [200] * 21
        assert size <= most < 3 * size
        assert own.crowd.door._held == 0


def test_stopping_does_not_wait_for_who_takes_nothing() -> None:
    with running(leaving=0.05) as own, socket.create_connection(("127.0.0.1", own.port), 5) as line:
        line.sendall(MORE % b"large")
        until(lambda: [held._full for held in own.crowd.open] == [True])
        began = time.monotonic()
        own.stop()
        assert time.monotonic() < began + 5


def test_stopping_answers_whoever_is_in() -> None:
    with running() as own:
        heard: list[bytes] = []
        waiting = threading.Thread(target=lambda: heard.append(say(own, MORE % b"slow")))
        unfinished = threading.Thread(
            target=lambda: heard.append(say(own, b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\na"))
        )
        idle = socket.create_connection(("127.0.0.1", own.port), 5)
        waiting.start()
        unfinished.start()
        time.sleep(0.05)
        own.stop()
        waiting.join()
        unfinished.join()
        assert sorted(answers(said)[0][0] for said in heard) == [200, 503]
        assert idle.recv(10) == b""
        idle.close()
