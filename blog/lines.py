"""HTTP/1.1 to one place over kept-alive connections, each exchange bounded by one deadline.

httpcore speaks HTTP; the connections are deadline.py's. Only httpcore's public classes are used.
"""

from __future__ import annotations

import socket
import ssl
import weakref
from collections import deque
from contextlib import suppress
from typing import Any, NamedTuple

import httpcore

from blog.deadline import Deadline, Place, Stream, TooLong

MOST = 64 * 1024  # bytes of an answer, headers included; a real one has about 400
IDLE_SECONDS = 30.0
IDLE_LINES = 128  # as many as a server process has threads

Headers = list[tuple[bytes, bytes]]


class Unfinished(TimeoutError):
    """The answer had begun, but was not complete at the deadline."""


class Garbage(Exception):
    """What came is not an answer in HTTP, or more than anybody agreed to read."""


class Reply(NamedTuple):
    """A whole answer."""

    status: int
    headers: Headers
    body: bytes


class Lines:
    """Connections to one place; the one used last is used next, so that the others can expire.

    Plain HTTP (`tls` None) goes to this machine only.
    """

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None, place: Place | None = None) -> None:
        self._scheme, self._host, self._port = b"https" if tls else b"http", host.encode("ascii"), port
        self._tls = tls
        self._place = place or Place(host, port, only_loopback=tls is None)
        self._idle: deque[_Line] = deque()
        weakref.finalize(self, _close_all, self._idle)

    def post(self, target: bytes, headers: Headers, body: bytes, deadline: Deadline, again: bool) -> Reply:
        """Send `body` and read the whole answer. `again`: sending it twice does no harm.

        Raises TimeoutError (Unfinished when an answer had begun), other OSErrors, and Garbage.
        """
        url = httpcore.URL(scheme=self._scheme, host=self._host, port=self._port, target=target)
        request = httpcore.Request("POST", url, headers=headers, content=body)
        line = self._take()
        if line is not None:
            try:
                return self._exchange(line, request, deadline)
            except ConnectionError:
                # The peer closed this idle line just now; unless it had begun to answer, a fresh one decides.
                if line.heard or not again:
                    raise
        return self._exchange(_Line(url.origin, self._tls, self._place), request, deadline)

    def close(self) -> None:
        """Close what is idle. Forgotten Lines do it by themselves."""
        _close_all(self._idle)

    def _exchange(self, line: _Line, request: httpcore.Request, deadline: Deadline) -> Reply:
        try:
            reply = line.ask(request, deadline)
        except BaseException:
            line.close()
            raise
        if line.is_clean(reply):
            self._keep(line)
        else:
            line.close()
        return reply

    def _take(self) -> _Line | None:
        while (line := _pop(self._idle)) is not None:
            if not line.is_stale():
                return line
            line.close()
        return None

    def _keep(self, line: _Line) -> None:
        self._idle.append(line)
        # A crowd leaves many lines behind: each later call looks at the oldest one.
        try:
            oldest = self._idle.popleft()
        except IndexError:
            return
        if oldest is not line and (len(self._idle) >= IDLE_LINES or oldest.is_stale()):
            oldest.close()
        else:
            self._idle.appendleft(oldest)


def _pop(idle: deque[_Line]) -> _Line | None:
    try:
        return idle.pop()
    except IndexError:
        return None


def _close_all(idle: deque[_Line]) -> None:
    while (line := _pop(idle)) is not None:
        line.close()


class _Line(httpcore.NetworkBackend):
    """One connection, used by one exchange at a time."""

    def __init__(self, origin: httpcore.Origin, tls: ssl.SSLContext | None, place: Place) -> None:
        self._place = place
        self._deadline = Deadline(0)
        self._stream: _Stream | None = None
        self._http = httpcore.HTTPConnection(
            origin, ssl_context=tls, keepalive_expiry=IDLE_SECONDS, network_backend=self
        )

    @property
    def heard(self) -> bytes:
        """What has arrived of the present answer, as it came."""
        return bytes(self._stream.heard) if self._stream else b""

    def connect_tcp(self, *arguments: Any, **options: Any) -> httpcore.NetworkStream:
        """What httpcore calls to connect."""
        self._stream = _Stream(self._place.connect(self._deadline), self._deadline)
        return self._stream

    def ask(self, request: httpcore.Request, deadline: Deadline) -> Reply:
        """One exchange. Raises as Lines.post does."""
        self._deadline = deadline
        if self._stream:
            self._stream.begin(deadline)
        try:
            response = self._http.handle_request(request)
            body = response.read()
            response.close()
        except TimeoutError as error:
            if self.heard:
                raise Unfinished from error
            raise
        except (httpcore.ProtocolError, TooLong) as error:
            if self.heard:
                raise Garbage from error
            raise ConnectionError("closed without an answer") from error
        return Reply(response.status, response.headers, body)

    def is_clean(self, reply: Reply) -> bool:
        """Whether this answer alone came: a remainder would pass for the answer to the next question."""
        _, end_of_headers, rest = self.heard.partition(b"\r\n\r\n")
        if any(name.lower() == b"transfer-encoding" for name, _ in reply.headers):
            alone = rest.endswith(b"0\r\n\r\n") and rest.count(b"\r\n\r\n") == 1
        else:
            alone = rest == reply.body
        return bool(end_of_headers) and alone and self._http.is_idle()

    def is_stale(self) -> bool:
        """Whether it was idle for too long, or the peer has closed it, or speaks unasked."""
        return self._http.has_expired()

    def close(self) -> None:
        """Let the connection go."""
        self._http.close()
        if self._stream:
            self._stream.close()


class _Stream(Stream, httpcore.NetworkStream):
    """A bounded stream as httpcore wants it; a request goes out whole, when its answer is read."""

    def __init__(self, connection: socket.socket, deadline: Deadline) -> None:
        super().__init__(connection, deadline, MOST)
        self._unsent = b""

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._unsent += buffer

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        unsent, self._unsent = self._unsent, b""
        # A peer that closed while it was written to may have answered before.
        with suppress(ConnectionError):
            super().write(unsent)
        return super().read(max_bytes)

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        self.secure(ssl_context, server_hostname)
        return self

    def get_extra_info(self, info: str) -> Any:
        return self.readable() if info == "is_readable" else None
