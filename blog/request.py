"""One request as it came in, the connection that it belongs to, and the answers that need no application."""

from __future__ import annotations

import sys
from io import BytesIO
from typing import NamedTuple, Protocol
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIEnvironment

from httptools import parse_url

from blog.errors import WORDS
from blog.kept import Answer, Rest


class Refusal(NamedTuple):
    """An answer without the application."""

    code: int
    title: str
    words: str


UNREADABLE = Refusal(400, *WORDS[400])
LATE = Refusal(408, "Too slow", "The request did not arrive in time. Go back and send it again.")
UNMEASURED = Refusal(411, *WORDS[411])
TOO_LONG = Refusal(
    431, "Too long", "The address or the headers are longer than what is read here (64 kB, 100 headers)."
)
BROKEN = Refusal(500, *WORDS[500])
CROWDED = Refusal(
    503, "Too much at once", "Too much is being sent at the moment. Go back and try again in a minute."
)
CLOSING = Refusal(
    503, "Back in a moment", "The blog is being restarted. Go back and send it again in a moment."
)
VERSION = Refusal(505, "Not this version", "HTTP/1.1 and HTTP/1.0 are spoken here.")


class Patience(NamedTuple):
    """How long something may take, in seconds."""

    head: float = 15  # until it has arrived
    idle: float = 60  # between two requests
    stuck: float = 60  # with nothing taken of an answer
    leaving: float = 10  # the same while the server stops, which is less than it waits for all
    linger: float = 2  # to read the last answer
    tick: float = 1  # between two looks at all of them


USUAL = Patience()


class Timer(Protocol):
    """What the loop does later."""

    def cancel(self) -> None:
        """Do not."""


class Asker(Protocol):
    """The connection that a request came from."""

    peer: str
    here: tuple[str, str]

    def answered(self, request: Request, answer: Answer) -> None:
        """Say it."""

    def more(self, rest: Rest, part: bytes | None) -> None:
        """Say this too; None: it could not be read."""

    def send_back(self, request: Request, refusal: Refusal) -> None:
        """Say this to a request whose body is not waited for any longer."""

    def has_enough(self, request: Request) -> None:
        """Take the request as if its body had arrived."""


class Request:
    """One request: what was asked, and how far its body has arrived."""

    __slots__ = (
        "asker", "body", "goes_on", "headers", "held", "length", "method", "network",
        "passed_over", "path", "query", "refusal", "stays", "timer", "version", "whole",
    )  # fmt: skip

    def __init__(
        self, asker: Asker, method: str, target: bytes, version: str, headers: dict[bytes, bytes]
    ) -> None:
        """`headers`: by their names in lower case, those of one name joined.

        Raises HttpParserError when the target, ValueError when the length is none.
        """
        self.asker, self.method, self.version, self.headers = asker, method, version, headers
        path, _, query = target.partition(b"#")[0].partition(b"?")
        if not path.startswith(b"/") and target != b"*":
            # RFC 9112, 3.2.2: the address of a whole page, whose host then counts.
            parts = parse_url(target)
            path, query = parts.path or b"/", parts.query or b""
            port = b":%d" % parts.port if parts.port else b""
            host = parts.host or b""
            headers[b"host"] = (b"[%b]" % host if b":" in host else host) + port
        self.path = (unquote_to_bytes(path) if b"%" in path else path).decode("latin-1")
        self.query = query.decode("latin-1")
        self.stays = True  # the connection, after the answer
        self.refusal: Refusal | None = None
        # RFC 9110, 10.1.1
        self.goes_on = version == "1.1" and headers.get(b"expect", b"").lower() == b"100-continue"
        self.whole = False
        self.length = int(headers.get(b"content-length", 0))  # bytes of its body
        self.body, self.passed_over = bytearray(), 0
        self.held = 0  # bytes of its body that the door counts
        self.network = ""
        self.timer: Timer | None = None  # until its body is given up

    def waits_for_a_word(self) -> bool:
        """Whether the sender waits to be told that its body is wanted; to be told once."""
        waits, self.goes_on = self.goes_on, False
        return waits

    def header(self, name: bytes) -> str | None:
        """What this header says; None when it is not there. `name`: in lower case."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")


def environ_of(request: Request) -> WSGIEnvironment:
    """The request as WSGI has it. Names with an underline are left out: they would pass for others."""
    server, port = request.asker.here
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": request.path,
        "QUERY_STRING": request.query,
        "SERVER_NAME": server,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{request.version}",
        "REMOTE_ADDR": request.asker.peer,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(request.body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in request.headers.items():
        if b"_" not in name:
            key = name.decode("latin-1").replace("-", "_").upper()
            key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
            environ[key] = value.decode("latin-1")
    return environ
