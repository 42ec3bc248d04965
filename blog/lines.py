"""HTTP/1.1 to one place over kept-alive connections, each exchange bounded by one deadline.

The connections are deadline.py's, and reply.py reads what comes back.
"""

from __future__ import annotations

import ssl
import time
import weakref
from collections import deque
from contextlib import suppress

from blog.deadline import Deadline, Place, Stream, TooLong
from blog.reply import Garbage, Headers, Reply, read_reply

__all__ = ["Garbage", "Lines", "Reply", "Unfinished"]

MOST = 64 * 1024  # bytes of an answer, headers included; a real one has about 400
IDLE_SECONDS = 30.0
IDLE_LINES = 128  # as many as a server process has threads


class Unfinished(TimeoutError):
    """The answer had begun, but was not complete at the deadline."""


class Lines:
    """Connections to one place; the one used last is used next, so that the others can expire.

    Plain HTTP (`tls` None) goes to this machine only.
    """

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None, place: Place | None = None) -> None:
        self._host, self._tls = host, tls
        self._place = place or Place(host, port, only_loopback=tls is None)
        self._idle: deque[_Line] = deque()
        weakref.finalize(self, _close_all, self._idle)

    def post(self, target: bytes, headers: Headers, body: bytes, deadline: Deadline, again: bool) -> Reply:
        """Send `body` and read the whole answer. `again`: sending it twice does no harm.

        Raises TimeoutError (Unfinished when an answer had begun), other OSErrors, and Garbage.
        """
        lines = [b"POST " + target + b" HTTP/1.1", *(name + b": " + value for name, value in headers)]
        request = b"\r\n".join([*lines, b"", body])
        line = self._take()
        if line is not None:
            try:
                return self._exchange(line, request, deadline)
            except ConnectionError:
                # The peer closed this idle line just now; unless it had begun to answer, a fresh one decides.
                if line.heard or not again:
                    raise
        return self._exchange(self._open(deadline), request, deadline)

    def close(self) -> None:
        """Close what is idle. Forgotten Lines do it by themselves."""
        _close_all(self._idle)

    def _open(self, deadline: Deadline) -> _Line:
        stream = Stream(self._place.connect(deadline), deadline, MOST)
        if self._tls is not None:
            stream.secure(self._tls, self._host)
        return _Line(stream)

    def _exchange(self, line: _Line, request: bytes, deadline: Deadline) -> Reply:
        try:
            reply = line.ask(request, deadline)
        except BaseException:
            line.close()
            raise
        if line.stays:
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


class _Line:
    """One connection, used by one exchange at a time."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._used_at = 0.0
        # Whether the last answer alone came: a remainder would pass for the answer to the next question.
        self.stays = False

    @property
    def heard(self) -> bool:
        """Whether anything of the present answer has arrived."""
        return bool(self._stream.heard)

    def ask(self, request: bytes, deadline: Deadline) -> Reply:
        """One exchange. Raises as Lines.post does."""
        self._stream.begin(deadline)
        try:
            # A peer that closed while it was written to may have answered before.
            with suppress(ConnectionError):
                self._stream.write(request)
            reply, self.stays = read_reply(self._stream.read)
        except TimeoutError as error:
            if self.heard:
                raise Unfinished from error
            raise
        except TooLong as error:
            raise Garbage from error
        except Garbage as error:
            if self.heard:
                raise
            raise ConnectionError("closed without an answer") from error
        self._used_at = time.monotonic()
        return reply

    def is_stale(self) -> bool:
        """Whether it was idle for too long, or the peer has closed it, or speaks unasked."""
        return time.monotonic() - self._used_at > IDLE_SECONDS or self._stream.readable()

    def close(self) -> None:
        """Let the connection go."""
        self._stream.close()
