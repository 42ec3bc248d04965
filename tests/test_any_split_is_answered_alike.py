"""However the network cuts what somebody says, it is answered alike, in whole answers, and nothing breaks."""

from __future__ import annotations

import asyncio
import re
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from blog.config import Settings
from blog.crowd import Crowd
from blog.door import Door
from blog.headers import base_headers
from blog.kept import Answer
from blog.request import Request, environ_of
from tests.test_speaking_http import Memory, application

LINES = (
    b"Host: here",
    b"Host: here ",
    b"Connection: close",
    b"Connection: keep-alive",
    b"Content-Length: 3",
    b"Content-Length: 0",
    b"content-length: 05 ",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: gzip",
    b"Expect: 100-continue",
    b"Upgrade: h2c\r\nConnection: upgrade",
    b"Cookie: a=b",
    b"X: \xff",
    b"X: a\r\n b",
    b"X : a",
    b"X_Y: a",
    b"X: a\nY: b",
    b"X: a\rY: b",
    b": a",
)
FIRST = st.builds(
    b"%b %b HTTP/%b\r\n".__mod__,
    st.tuples(
        st.sampled_from((b"GET", b"GET", b"POST", b"HEAD", b"OPTIONS", b"CONNECT", b"get", b"PRI")),
        st.sampled_from((b"/known", b"/a?b#c", b"/%ff", b"*", b"http://there/", b"//x", b"a:1", b"/\xff")),
        st.sampled_from((b"1.1", b"1.1", b"1.1", b"1.0", b"2.0", b"9")),
    ),
)
HEAD = st.builds(
    lambda first, lines: first + b"".join(line + b"\r\n" for line in lines) + b"\r\n",
    FIRST,
    st.lists(st.sampled_from(LINES), max_size=4),
)
PLAIN = st.sampled_from(
    (
        b"GET /known HTTP/1.1\r\nHost: here\r\n\r\n",
        b"GET /known HTTP/1.1\r\nHost: here\r\n\r\n\r\n",
        b"HEAD /known HTTP/1.1\r\nHost: here\r\n\r\n",
        b"GET /other HTTP/1.1\r\nHost: here\r\n\r\n",
        b"GET /known HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
        b"POST /known HTTP/1.1\r\nHost: here\r\nContent-Length: 3\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 1500\r\n\r\n" + b"x" * 1500,
    )
)
SOME = st.sampled_from(
    (b"abc", b"abcde", b"\r\n", b"\r", b"\n", b"G", b"0\r\n\r\n", b"3\r\nabc\r\n", b"\x00")
)
STREAM = st.lists(st.one_of(PLAIN, PLAIN, HEAD, SOME), min_size=1, max_size=8)


class Line(asyncio.Transport):
    """What the other side hears, by a transport that does at once what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.heard, self.over, self.reads = b"", False, True

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 80)

    def write(self, data: Any) -> None:
        assert not self.over
        self.heard += data

    def write_eof(self) -> None:
        assert not self.over
        self.over = True

    close = abort = lambda self: setattr(self, "over", True)

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        self.reads = False

    def resume_reading(self) -> None:
        self.reads = True


class AtOnce(Door):
    """A door whose application needs no thread."""

    def admit(self, request: Request, said: bytes) -> Answer:
        """Ask memory as the real one does, then the application."""
        self._release(request)
        if request.method == "GET":
            found = self._cache.find(None, request.path, request.query, None, None, said)
            if found is not None:
                return found
        return self._call(environ_of(request))


def heard(memory: Memory, parts: list[bytes]) -> bytes:
    """All that is said to these parts, without what differs from one time to another."""

    async def talk() -> bytes:
        door = AtOnce(application, memory, 1000, base_headers(Settings()))
        crowd = Crowd(door)
        line, connection = Line(), crowd.welcome()
        connection.connection_made(line)
        for part in parts:
            if line.over or not line.reads:
                break
            connection.data_received(part)
            await asyncio.sleep(0)
        if not line.over and not connection.eof_received():
            line.close()
        connection.connection_lost(None)
        assert (door._held, door._unfinished, len(crowd.open)) == (0, {}, 0)
        return line.heard

    said = asyncio.run(talk()).replace(b"HTTP/1.1 100 Continue\r\n\r\n", b"")
    return re.sub(rb"(date: |x-request-id: |<p>)(?:\w{3}, [^\r]*|[0-9a-f]{12})", rb"\1", said)


def cut(whole: bytes, places: list[int]) -> list[bytes]:
    """It in pieces."""
    edges = sorted({0, len(whole), *(place % (len(whole) + 1) for place in places)})
    return [whole[left:right] for left, right in pairwise(edges)]


@settings(max_examples=100, deadline=None)
@given(parts=STREAM, places=st.lists(st.integers(0, 10_000), max_size=12))
def test_any_split_is_answered_alike(parts: list[bytes], places: list[int]) -> None:
    memory, whole = Memory(), b"".join(parts)
    at_once = heard(memory, [whole])
    assert heard(memory, parts) == at_once
    assert heard(memory, cut(whole, places)) == at_once
    assert heard(memory, [whole]) == at_once  # what was remembered of it changes nothing
