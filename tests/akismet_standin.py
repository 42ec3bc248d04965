"""A stand-in that speaks Akismet's protocol over real HTTP, and fails in every way that a server can.

In a test:

    with AkismetStandIn() as akismet:
        akismet.answer_with(HANGS, SPAM)     # the first check hangs, all later ones are spam
        ...
        assert akismet.checks[0].get("comment_author") == "Ann"

For a rehearsal, or as the other end of a benchmark:

    python -m tests.akismet_standin --port 8081 --answer ham --delay-ms 300

Without a script it answers as the real service documents: its test values are spam, an administrator is
ham, everything else is ham, a missing address or a wrong key gets the real answer's words.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import struct
import sys
import threading
import time
import uuid
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal
from urllib.parse import parse_qsl

Then = Literal["answer", "hang", "drip headers", "drip body", "reset", "cut", "raw"]
THANKS = b"Thanks for making the web a better place."


@dataclass(frozen=True)
class Reply:
    """How to answer one request.

    `then`: answer whole; hang without a byte; drip the headers or the body, a byte each `pace` seconds;
    reset after the request; cut the connection in the middle of the body; or write `body` raw, in place of
    an HTTP answer. `delay` (seconds) comes first. `close` ends the connection after an answer, whole or raw.
    """

    body: bytes = b"false"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    then: Then = "answer"
    delay: float = 0.0
    pace: float = 0.02
    close: bool = False


HAM = Reply(b"false")
SPAM = Reply(b"true")
DISCARD = Reply(b"true", headers={"X-akismet-pro-tip": "discard"})
INVALID = Reply(b"invalid", headers={"X-akismet-debug-help": "We were unable to parse your blog URI"})
EMPTY = Reply(b"")
NEWLINE = Reply(b"false\n")
HANGS = Reply(then="hang")
DRIPS_HEADERS = Reply(then="drip headers")
DRIPS_BODY = Reply(b"false" + b" " * 1000, then="drip body")
RESETS = Reply(then="reset")
CUTS = Reply(b"false", then="cut")
GARBAGE = Reply(b"\x16\x03\x01 this is not HTTP\r\n\r\n", then="raw", close=True)
HUGE = Reply(b"false" * 400_000)
REDIRECT = Reply(b"", 302, {"Location": "http://127.0.0.1:9/1.1/comment-check"})
SUSPENDED = Reply(
    b"false",
    headers={
        "X-akismet-error": "suspended",
        "X-akismet-alert-code": "10402",
        "X-akismet-alert-msg": "Your account is suspended",
    },
)
OVER_LIMIT = Reply(
    b"false",
    headers={"X-akismet-alert-code": "10501", "X-akismet-alert-msg": "You are over your limit"},
)


def provisional(seconds: int) -> Reply:
    """Ham for now: ask again after so many seconds."""
    return Reply(b"false", headers={"X-akismet-recheck-after": str(seconds)})


def status(code: int, body: bytes = b"", **headers: str) -> Reply:
    """An error status; headers as retry_after="30"."""
    return Reply(body, code, {name.replace("_", "-"): value for name, value in headers.items()})


def later(seconds: float, reply: Reply = HAM) -> Reply:
    """The same answer, after a while."""
    return replace(reply, delay=seconds)


ANSWERS = {
    "ham": HAM,
    "spam": SPAM,
    "discard": DISCARD,
    "invalid": INVALID,
    "suspended": SUSPENDED,
    "over-limit": OVER_LIMIT,
    "provisional": provisional(120),
    "empty": EMPTY,
    "newline": NEWLINE,
    "garbage": GARBAGE,
    "huge": HUGE,
    "redirect": REDIRECT,
    "error": status(500, b"Internal Server Error"),
    "busy": status(429, b"Too many requests", retry_after="30"),
    "hang": HANGS,
    "drip-headers": DRIPS_HEADERS,
    "drip-body": DRIPS_BODY,
    "reset": RESETS,
    "cut": CUTS,
}


@dataclass(frozen=True)
class Asked:
    """One request as it came: path, form fields in their order, headers by lower-case name, when."""

    path: str
    fields: list[tuple[str, str]]
    headers: Mapping[str, str]
    at: float

    def get(self, name: str) -> str | None:
        """The first value of a field."""
        return next((value for key, value in self.fields if key == name), None)

    def all(self, name: str) -> list[str]:
        """All values of a field."""
        return [value for key, value in self.fields if key == name]

    @property
    def names(self) -> set[str]:
        """The names of all fields."""
        return {name for name, _ in self.fields}


class AkismetStandIn:
    """The server, in a thread of its own; a context manager. `url` is the endpoint to ask."""

    def __init__(self, port: int = 0, key: str | None = None, keep: int = 10_000) -> None:
        self.key = key  # None: any key is valid
        self.requests: deque[Asked] = deque(maxlen=keep)
        self.connections = 0
        self.served = 0
        self.default: Reply | None = None
        self.delay = 0.0  # seconds before every answer
        self._script: list[Reply] = []
        self._port = port
        self._loop: asyncio.AbstractEventLoop | None = None
        self._open: set[_Connection] = set()

    @property
    def url(self) -> str:
        """Where it listens, or last listened."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def checks(self) -> list[Asked]:
        """The comment-checks so far."""
        return [asked for asked in self.requests if asked.path == "/1.1/comment-check"]

    @property
    def taught(self) -> list[Asked]:
        """The feedback so far, ham and spam."""
        return [asked for asked in self.requests if asked.path.startswith("/1.1/submit-")]

    def reset(self) -> None:
        """As new: nothing asked, nothing scripted, any key valid, no connection open."""
        self.key, self.default, self.served, self.connections, self.delay = None, None, 0, 0, 0.0
        self._script = []
        if self._loop is None:
            self.start()
        self.drop_connections()
        self.requests.clear()

    def answer_with(self, *replies: Reply | str) -> None:
        """Answer from now on with these in turn, the last one for ever; without any, as documented.

        A reply can be given by its name in ANSWERS.
        They are for every endpoint but verify-key, which follows `key`. HAM, SPAM and DISCARD stand for the
        endpoint's own good answer, so feedback is thanked for.
        """
        self._script = [ANSWERS[one] if isinstance(one, str) else one for one in replies]

    def start(self) -> None:
        """Listen; after stop() on the same port as before."""
        ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, args=(self._loop, ready), daemon=True)
        self._thread.start()
        if not ready.wait(10):
            raise RuntimeError("the stand-in did not start")

    def stop(self) -> None:
        """Close the port and every connection: connecting is refused until start()."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)
            self._loop = None

    def drop_connections(self) -> None:
        """Close all open connections as an idle timeout does, and go on listening."""
        assert self._loop is not None
        done = threading.Event()

        def drop(loop: asyncio.AbstractEventLoop) -> None:
            for connection in list(self._open):
                connection.transport.close()
            loop.call_soon(done.set)

        self._loop.call_soon_threadsafe(drop, self._loop)
        done.wait(10)

    def __enter__(self) -> AkismetStandIn:
        self.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self.stop()

    def _run(self, loop: asyncio.AbstractEventLoop, ready: threading.Event) -> None:
        asyncio.set_event_loop(loop)
        listening = socket.create_server(("127.0.0.1", self._port), backlog=1024)
        self._port = listening.getsockname()[1]
        server = loop.run_until_complete(loop.create_server(lambda: _Connection(self, loop), sock=listening))
        ready.set()
        try:
            loop.run_forever()
        finally:
            server.close()
            loop.run_until_complete(asyncio.sleep(0))  # who was just let in is known after this
            while self._open:
                for connection in list(self._open):
                    connection.transport.abort()
                loop.run_until_complete(asyncio.sleep(0))
            loop.close()

    def reply_to(self, asked: Asked) -> Reply:
        """What this request gets; records it."""
        self.requests.append(asked)
        self.served += 1
        operation = asked.path.rpartition("/")[2]
        if operation == "verify-key":
            return self._script_for_key(asked)
        reply = self.default
        if self._script:
            reply = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        if reply is None:
            reply = self._documented(asked)
        if operation.startswith("submit-") and reply in (HAM, SPAM, DISCARD):
            reply = replace(HAM, body=THANKS)
        return reply

    def _script_for_key(self, asked: Asked) -> Reply:
        # A server that is down, hangs or drips does so for every endpoint.
        broken = self._script[0] if self._script else self.default
        if broken is not None and (broken.then != "answer" or broken.status != 200):
            return broken
        known = asked.get("key") or asked.get("api_key")
        extra = broken.headers if broken is not None and "X-akismet-alert-code" in broken.headers else {}
        return Reply(b"valid" if known and self.key in (None, known) else b"invalid", headers=extra)

    def _documented(self, asked: Asked) -> Reply:
        if self.key is not None and asked.get("api_key") != self.key:
            return Reply(b"invalid")
        if not (asked.get("blog") or "").startswith(("http://", "https://")):
            return INVALID
        if not asked.get("user_ip"):
            help_text = {"X-akismet-debug-help": 'Empty "user_ip" value'}
            return Reply(b"Missing required field: user_ip.", headers=help_text)
        if asked.get("user_role") == "administrator":
            return HAM
        spam = asked.get("comment_author") in ("akismet-guaranteed-spam", "viagra-test-123")
        spam = spam or asked.get("comment_author_email") == "akismet-guaranteed-spam@example.com"
        return SPAM if spam else HAM


class _Connection(asyncio.Protocol):
    """HTTP/1.1 with keep-alive, no more of it than a client of Akismet uses."""

    def __init__(self, server: AkismetStandIn, loop: asyncio.AbstractEventLoop) -> None:
        self.server = server
        self.loop = loop
        self.buffer = b""
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.server.connections += 1
        self.server._open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.server._open.discard(self)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while True:
            head, blank, rest = self.buffer.partition(b"\r\n\r\n")
            if not blank:
                return
            lines = head.decode("latin-1").split("\r\n")
            headers = {}
            for line in lines[1:]:
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip()
            length = int(headers.get("content-length", "0"))
            if len(rest) < length:
                return
            self.buffer = rest[length:]
            path = lines[0].split(" ")[1]
            fields = parse_qsl(rest[:length].decode("utf-8", "replace"), keep_blank_values=True)
            reply = self.server.reply_to(Asked(path, fields, headers, time.monotonic()))
            if delay := reply.delay + self.server.delay:
                self.loop.call_later(delay, self.send, reply)
            else:
                self.send(reply)

    def send(self, reply: Reply) -> None:
        if self.transport.is_closing():
            return
        if reply.then == "answer":
            self.transport.write(whole(reply))
            if reply.close:
                self.transport.close()
        elif reply.then == "raw":
            self.transport.write(reply.body)
            if reply.close:
                self.transport.close()
        elif reply.then == "reset":
            self.reset()
        elif reply.then == "cut":
            self.transport.write(whole(reply)[: -len(reply.body) + 1])
            self.loop.call_later(0.01, self.reset)
        elif reply.then == "drip headers":
            self.drip(whole(reply), 0, reply.pace)
        elif reply.then == "drip body":
            everything = whole(reply)
            start = len(everything) - len(reply.body)
            self.transport.write(everything[:start])
            self.drip(everything, start, reply.pace)

    def drip(self, everything: bytes, at: int, pace: float) -> None:
        if at < len(everything) and not self.transport.is_closing():
            self.transport.write(everything[at : at + 1])
            self.loop.call_later(pace, self.drip, everything, at + 1, pace)

    def reset(self) -> None:
        connection = self.transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


def whole(reply: Reply) -> bytes:
    """The bytes of an answer."""
    lines = [
        f"HTTP/1.1 {reply.status} Status",
        "Server: nginx",
        "Content-Type: text/plain; charset=utf-8",
        f"Content-Length: {len(reply.body)}",
        "X-akismet-server: 192.0.2.1",
        f"X-akismet-guid: {uuid.uuid4().hex}",
        *(f"{name}: {value}" for name, value in reply.headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + reply.body


def main(arguments: Iterable[str] | None = None) -> None:
    """Run in the foreground until interrupted."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.akismet_standin", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--port", type=int, default=8081)
    parser.add_argument("--answer", choices=["documented", *ANSWERS], default="documented")
    parser.add_argument("--delay-ms", type=float, default=0.0)
    parser.add_argument("--key", help="the only valid key; without it every key is")
    chosen = parser.parse_args(None if arguments is None else list(arguments))
    server = AkismetStandIn(port=chosen.port, key=chosen.key, keep=1000)
    if chosen.answer != "documented" or chosen.delay_ms:
        server.default = later(chosen.delay_ms / 1000, ANSWERS.get(chosen.answer, HAM))
    server.start()
    sys.stdout.write(f"Akismet's stand-in answers {chosen.answer} on {server.url}\n")
    sys.stdout.flush()
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        server.stop()
        sys.stdout.write(f"{server.served} requests over {server.connections} connections\n")


if __name__ == "__main__":
    main()
