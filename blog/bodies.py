"""Bodies that arrive slowly hurt only their sender.

The server gives a request to a thread before its body is there. So a body is read here, before anything else
looks at the request: few at a time from one network, not all threads' worth from everybody together, and each
within a time that grows with its length. Where a newcomer finds no place, the oldest unfinished body makes
room, so that whoever sends slowly never shuts out somebody who does not.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import socket
import struct
import sys
import threading
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from blog import logs
from blog.addresses import client_address, network_of
from blog.config import Settings
from blog.errors import bare_page
from blog.headers import base_headers

log = logging.getLogger(__name__)

STEP = 16  # bytes; the server's read waits for all that was asked for, and a slow sender must not hold it
# Linux: milliseconds since the last data, in what the kernel tells about a connection (struct tcp_info).
LAST_DATA = 8 + 4 * 11

REFUSED = {
    "408 Request Timeout": (
        "That took too long",
        "The form did not arrive in time. Go back and send it again.",
    ),
    "429 Too Many Requests": (
        "Too many at once",
        "Many forms from this network have not arrived whole yet. Go back and send yours again in a moment.",
    ),
    "503 Service Unavailable": (
        "Too many at once",
        "Many forms are arriving slowly at this moment. Go back and send yours again in a moment.",
    ),
}
RETRY_SECONDS = 3


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much of one process, with its 128 threads, may wait for bodies: readers always find a thread."""

    of_one: int = 16  # unfinished bodies of one network
    of_all: int = 64
    at_most: int = 96  # with those whose time is over and that have not noticed yet
    patience: float = 15.0  # seconds that every body may take, and
    slowest: int = 2048  # bytes a second beyond them
    makes_room: float = 3.0  # seconds after which an unfinished body has to make room for another
    silent: float = 15.0  # seconds without a byte after which a connection may be cut


@dataclass(eq=False, slots=True)
class Unfinished:
    """A body that is being read: whose it is, and when it has to be there."""

    network: str
    peer: str
    since: float
    until: float
    ended: bool = False


class Bodies:
    """WSGI: reads the body of a request whole before the application is entered."""

    def __init__(
        self, app: WSGIApplication, settings: Settings, most: int, bounds: Bounds | None = None
    ) -> None:
        self._app = app
        self._hops = settings.trusted_proxies
        self._most = most
        self._bounds = bounds or Bounds()
        self._unfinished: set[Unfinished] = set()
        self._lock = threading.Lock()
        self._watching = False
        self._headers = [
            ("Content-Type", "text/html; charset=utf-8"),
            ("Cache-Control", "no-store"),
            ("Retry-After", str(RETRY_SECONDS)),
            *base_headers(settings),
        ]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        length = _length(environ)
        # Without a length, or with too great a one, the application refuses it unread.
        if not 0 < length <= self._most:
            return self._app(environ, start_response)
        one = self._admit(environ, length)
        if isinstance(one, str):
            return self._refuse(one, start_response)
        try:
            take = environ["wsgi.input"].read
            body = read(take, length, lambda: one.ended or monotonic() > one.until)
            if body and environ.get("wsgi.input_terminated"):
                body += take(1)  # more than was announced: the application refuses that
        finally:
            with self._lock:
                self._unfinished.discard(one)
        if body is None:
            return self._refuse("408 Request Timeout", start_response)
        environ["wsgi.input"] = io.BytesIO(body)
        return self._app(environ, start_response)

    def _admit(self, environ: WSGIEnvironment, length: int) -> Unfinished | str:
        """A place for this body, or the status that refuses it."""
        now, bounds = monotonic(), self._bounds
        network = network_of(client_address(environ, self._hops))
        peer = str(environ.get("REMOTE_ADDR", ""))
        one = Unfinished(network, peer, now, now + bounds.patience + length / bounds.slowest)
        with self._lock:
            live = [other for other in self._unfinished if not other.ended]
            same = [other for other in live if other.network == network]
            if len(self._unfinished) >= bounds.at_most:
                return "503 Service Unavailable"
            if len(same) >= bounds.of_one and not self._make_room(same, now):
                return "429 Too Many Requests"
            if len(live) >= bounds.of_all and not self._make_room(live, now):
                return "503 Service Unavailable"
            self._unfinished.add(one)
            if not self._watching:
                self._watching = True
                threading.Thread(target=self._watch, daemon=True, name="bodies").start()
        return one

    def _make_room(self, bodies: list[Unfinished], now: float) -> bool:
        oldest = min(bodies, key=lambda one: one.since)
        oldest.ended = now - oldest.since >= self._bounds.makes_room
        return oldest.ended

    def _watch(self) -> None:
        """Cut the connections of bodies that are overdue and silent; ends when nothing is unfinished."""
        pause = threading.Event()
        while True:
            pause.wait(1)
            with self._lock:
                if not self._unfinished:
                    self._watching = False
                    return
                now = monotonic()
                late = {one.peer for one in self._unfinished if one.ended or now > one.until}
            if late:
                cut_silent(late, self._bounds.silent)

    def _refuse(self, status: str, start_response: StartResponse) -> Iterable[bytes]:
        number = logs.begin_request()
        log.info("refused: %s, a body arrives too slowly", status)
        body = bare_page(*REFUSED[status], number).encode()
        start_response(status, [*self._headers, ("X-Request-Id", number), ("Content-Length", str(len(body)))])
        return [body]


def read(take: Callable[[int], bytes], length: int, is_over: Callable[[], bool]) -> bytes | None:
    """The body, shorter when the sender ended early; None when its time was over first."""
    parts = []
    missing = length
    while missing:
        part = take(min(STEP, missing))
        if is_over():
            return None
        if not part:
            break
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def cut_silent(peers: Container[str], silent: float) -> None:
    """End this process's connections from these addresses that have sent nothing for a while."""
    if not sys.platform.startswith("linux"):
        return
    for link in Path("/proc/self/fd").iterdir():
        # A number may be another connection's a moment later; a duplicate of it stays what it is.
        with contextlib.suppress(OSError):
            if str(link.readlink()).startswith("socket:"):
                cut(os.dup(int(link.name)), peers, silent)


def cut(handle: int, peers: Container[str], silent: float) -> None:
    """End a connection if it is one of these peers' and silent; closes the handle in any case."""
    try:
        connection = socket.socket(fileno=handle)
    except OSError:
        os.close(handle)
        return
    with connection:
        if connection.family in (socket.AF_INET, socket.AF_INET6) and _is_silent(connection, peers, silent):
            connection.shutdown(socket.SHUT_RDWR)


def _is_silent(connection: socket.socket, peers: Container[str], silent: float) -> bool:
    if connection.getpeername()[0] not in peers:
        return False
    told = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
    (milliseconds,) = struct.unpack_from("=I", told, LAST_DATA)
    return bool(milliseconds >= silent * 1000)


def _length(environ: dict[str, Any]) -> int:
    text = str(environ.get("CONTENT_LENGTH") or "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0
