"""The connections of one worker: what they share, who makes room, and the clock that ends the slow."""

from __future__ import annotations

import asyncio
import logging
import time
from email.utils import formatdate

from blog.connection import Connection
from blog.door import Door
from blog.request import USUAL, Patience

log = logging.getLogger(__name__)

MOST = 8192  # open connections of a worker; one that says nothing costs a few kB


class Crowd:
    """All methods are for the thread of the loop."""

    def __init__(self, door: Door, patience: Patience = USUAL, most: int = MOST) -> None:
        """`most`: open connections."""
        self.door, self.patience, self._most = door, patience, most
        self.open: dict[Connection, None] = {}  # in the order in which they came
        self.now = time.monotonic()  # of the last tick
        self.date = _date()  # a header, and the end of all headers
        # Whole answers to the bytes of requests, right for what came in this turn of the loop: all of that is
        # here already, so what was looked at since is new enough for all of it.
        self.known: dict[bytes, bytes] = {}
        self._nobody = asyncio.Event()

    def welcome(self) -> asyncio.Protocol:
        """The protocol of a new connection."""
        return Connection(self)

    def came(self, connection: Connection) -> bool:
        """It is open; whether there is room. Who waits longest without a request makes some."""
        if len(self.open) >= self._most:
            idle = next((other for other in self.open if other.is_idle()), None)
            if idle is not None:
                del self.open[idle]
                idle.end()
        self.open[connection] = None
        return len(self.open) <= self._most

    def recall(self, data: bytes) -> bytes:
        """The answer to these bytes from memory, if they were a request before; else nothing."""
        answer = self.door.known(data)
        if answer is None:
            return b""
        if not self.known:
            asyncio.get_running_loop().call_soon(self.known.clear)
        self.known[data] = said = b"".join((answer.head, self.date, answer.body))
        return said

    def forget(self, connection: Connection) -> None:
        """It is closed."""
        self.open.pop(connection, None)
        if not self.open:
            self._nobody.set()

    async def tick(self) -> None:
        """Look at everybody again and again; never ends by itself."""
        while True:
            await asyncio.sleep(self.patience.tick)
            self.now, self.date = time.monotonic(), _date()
            for connection in list(self.open):
                try:
                    connection.look(self.now)
                except Exception:
                    # The others are looked at all the same.
                    self.forget(connection)
                    log.exception("a connection could not be looked at")

    async def leave(self) -> None:
        """Close every connection after its answers, and return when there is none."""
        self._nobody.clear()
        for connection in list(self.open):
            connection.end()
        if self.open:
            await self._nobody.wait()


def _date() -> bytes:
    return f"date: {formatdate(usegmt=True)}\r\n\r\n".encode()
