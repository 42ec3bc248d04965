"""An answer in HTTP/1.1, read strictly: what is not plainly well-formed is garbage, and nothing is guessed.

Akismet answers with a few short lines; a whole HTTP library to read them cost more than sending the question.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

AT_ONCE = 64 * 1024  # bytes
HEAD = re.compile(rb"HTTP/1\.([01]) (\d{3})(?: [^\r\n]*)?((?:\r?\n[!#$%&'*+.^_`|~\w-]+:[^\r\n\0]*)*)")
BLANK = re.compile(rb"\r?\n\r?\n")  # the return may be missing, as HTTP lets a reader expect
END = re.compile(rb"\r\n")
CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?")

Headers = list[tuple[bytes, bytes]]


class Garbage(Exception):
    """What came is not an answer in HTTP, or more than anybody agreed to read."""


class Reply(NamedTuple):
    """A whole answer."""

    status: int
    headers: Headers
    body: bytes


def read_reply(read: Callable[[int], bytes]) -> tuple[Reply, bool]:
    """The next answer, and whether the connection may be used again: it was to stay, and nothing else came.

    `read` gives at most so many bytes, b"" at the end. Raises what it raises, and Garbage.
    """
    source = _Source(read)
    version, status, headers = _head(source)
    while 100 <= status < 200 and status != 101:  # "go on", "early hints": the answer is still to come
        version, status, headers = _head(source)
    if status < 200:
        raise Garbage("an answer of another protocol")
    lengths = {value for name, value in headers if name == b"content-length"}
    codings = [value.lower() for name, value in headers if name == b"transfer-encoding"]
    connection = b",".join(value.lower() for name, value in headers if name == b"connection")
    stays = version == b"1" and b"close" not in connection
    if status in (204, 304):
        body = b""
    elif codings:
        if lengths or codings != [b"chunked"]:
            raise Garbage("a body of unclear length")
        body = _chunks(source)
    elif lengths:
        body = source.exactly(_number(lengths))
    else:
        body, stays = source.everything(), False
    return Reply(status, headers, body), stays and not source.rest


def _head(source: _Source) -> tuple[bytes, int, Headers]:
    found = HEAD.fullmatch(source.until(BLANK))
    if found is None:
        raise Garbage("no HTTP")
    version, status, lines = found.groups()
    pairs = (line.split(b":", 1) for line in lines.split(b"\n")[1:])
    return version, int(status), [(name.lower(), value.strip(b" \t\r")) for name, value in pairs]


def _number(lengths: set[bytes]) -> int:
    (length,) = lengths if len(lengths) == 1 else (b"",)
    if not length.isdigit() or len(length) > 9:
        raise Garbage("a body of unclear length")
    return int(length)


def _chunks(source: _Source) -> bytes:
    body = b""
    while True:
        size = CHUNK.fullmatch(source.until(END))
        if size is None:
            raise Garbage("chunks without a size")
        length = int(size[1], 16)
        if not length:
            break
        body += source.exactly(length)
        if source.exactly(2) != b"\r\n":
            raise Garbage("a chunk longer than it said")
    while source.until(END):
        pass  # trailers, which nobody reads
    return body


class _Source:
    """Bytes as they come, cut into pieces."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self.rest = b""  # what came and was not taken yet

    def until(self, mark: re.Pattern[bytes]) -> bytes:
        """What stands before the next mark; the mark is passed over."""
        while (found := mark.search(self.rest)) is None:
            self._more()
        taken, self.rest = self.rest[: found.start()], self.rest[found.end() :]
        return taken

    def exactly(self, length: int) -> bytes:
        """So many bytes."""
        while len(self.rest) < length:
            self._more()
        taken, self.rest = self.rest[:length], self.rest[length:]
        return taken

    def everything(self) -> bytes:
        """All until the peer closes."""
        while more := self._read(AT_ONCE):
            self.rest += more
        taken, self.rest = self.rest, b""
        return taken

    def _more(self) -> None:
        more = self._read(AT_ONCE)
        if not more:
            raise Garbage("it ends in the middle")
        self.rest += more
