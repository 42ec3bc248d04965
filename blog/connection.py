"""One connection: requests are answered in the order in which they came, and whoever does not go on is ended.

libuv (by uvloop) moves the bytes, parser.py makes requests of them. What memory can answer is answered here,
in the thread that reads the network; everything else goes to the door. A request in the very bytes of an
earlier one is not even parsed.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import Protocol, cast

from blog.door import Door
from blog.kept import Answer, Rest
from blog.parser import Parser
from blog.request import CROWDED, LATE, Patience, Refusal, Request

log = logging.getLogger(__name__)

MOST_IN_A_ROW = 32  # requests of one connection that are not answered yet
SHORT = 1024  # bytes; longer requests are not known again by their bytes
KEEP = b"connection: keep-alive\r\n"


class Company(Protocol):
    """What the connections of a worker share."""

    door: Door
    patience: Patience
    now: float  # on the monotonic clock, of the last look at all of them
    date: bytes  # a header, and the end of all headers
    known: dict[bytes, bytes]  # whole answers to the bytes of requests, for this turn of the loop

    def recall(self, data: bytes) -> bytes:
        """The answer to these bytes from memory, if they were a request before; else nothing."""

    def came(self, connection: Connection) -> bool:
        """It is open; whether there is room."""

    def forget(self, connection: Connection) -> None:
        """It is closed."""


class Connection(asyncio.Protocol):
    """One connection. All methods are for the thread of the loop."""

    def __init__(self, crowd: Company) -> None:
        self._crowd, self._door, self._known = crowd, crowd.door, crowd.known
        self._parser = Parser(self)
        self._transport: asyncio.Transport
        self.peer, self.here = "", ("", "")
        self._row: deque[Request] = deque()  # not answered yet, in the order in which they came
        self._resting = True  # everything is answered, and nothing of a next request is here
        self._busy = False  # somebody is answering the first
        self._full = False  # the other side does not take what it is sent
        self._rest: Rest | None = None  # of a large answer, which waits until there is room for it
        self._reads = True  # what comes is read; otherwise whoever sends it has to wait
        self._ended = False  # the other side has said all, or
        self._lingers = False  # all was said to it, and it may read that
        self._since, self._unsent = crowd.now, 0  # nothing moved, with so many bytes not taken
        self._said = b""  # the bytes of a request, when they came alone

    # What the loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody is there."""
        self._transport = cast(asyncio.Transport, transport)
        peer, here = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
        self.peer, self.here = peer[0] if peer else "", (here[0], str(here[1]))
        if not self._crowd.came(self):
            self._refuse(CROWDED)
            self._go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is there any more. Who has a thread keeps it: what was sent may have to be stored."""
        if self._parser.request is not None:
            log.info("a body broke off")
        if self._rest is not None:
            self._rest.close()
        if self._busy:
            self._row.popleft()
        self._forget_row()
        self._crowd.forget(self)

    def pause_writing(self) -> None:
        """Too much waits to be taken: no further answer until it was."""
        self._full = True
        self._listen()

    def resume_writing(self) -> None:
        """It was taken."""
        self._full = False
        rest, self._rest = self._rest, None
        if rest is not None:
            self._read_on(rest)
        self._go_on()

    def data_received(self, data: bytes) -> None:
        """A request, some of it, or more than one."""
        if self._resting:
            said = self._known.get(data) or self._crowd.recall(data)
            self._since = self._crowd.now
            if said:
                self._transport.write(said)
                return
            self._resting = False
            self._said = data if len(data) <= SHORT else b""
        else:
            self._said = b""
        refusal = self._parser.feed(data)
        if refusal is not None:
            self._refuse(refusal)
        if self._parser.in_head:
            self._said = b""
        self._go_on()

    def eof_received(self) -> bool:
        """The other side has said all; True: it may still be answered."""
        self._ended = True
        if not self._row or self._parser.request is not None:
            return False
        self._end_with_last()
        return True

    # What the parser calls.

    def begun(self, request: Request) -> None:
        """A request, whose body may be still to come."""
        if self._row:
            self._said = b""
        if len(self._row) >= MOST_IN_A_ROW:
            self._parser.stop()
            self._refuse(CROWDED)
            return
        self._row.append(request)
        if request.length:
            self._door.expect(request)

    def continued(self, request: Request, body: bytes) -> None:
        """A part of its body."""
        self._door.take(request, body)

    def completed(self, request: Request) -> None:
        """It may be answered when those before it are."""
        self._door.arrived(request)

    # What the door calls.

    def answered(self, request: Request, answer: Answer) -> None:
        """The request that was admitted has its answer, or the beginning of a large one."""
        if not self._row:
            if answer.rest is not None:
                answer.rest.close()
        elif answer.rest is not None:
            self._say(request, answer)
            self._read_on(answer.rest)
        else:
            self._busy = False
            self._send(request, answer)
            self._go_on()

    def more(self, rest: Rest, part: bytes | None) -> None:
        """A part of a large answer, the last when nothing is left; None: it broke off."""
        if part and self._row:
            self._transport.write(part)
            if rest.left:
                return self._read_on(rest)
        rest.close()
        if rest.left:
            self._transport.abort()
        elif self._row:
            self._busy = False
            self._end_of(self._row[0])
            self._go_on()
        return None

    def send_back(self, request: Request, refusal: Refusal) -> None:
        """Refuse a request whose body is not waited for any longer."""
        self._refuse(refusal)
        self._go_on()

    def has_enough(self, request: Request) -> None:
        """Go on as if the rest of the body, which nobody wants, were here."""
        self._end_with_last()
        self._door.arrived(request)

    # Answers.

    def _go_on(self) -> None:
        """Answer whoever is next, or have them answered."""
        while self._row and not self._busy and not self._full:
            request = self._row[0]
            if request.refusal is not None:
                self._send(request, self._door.refused(request.refusal))
            elif request.whole:
                answer = self._door.admit(request, self._said if request.stays else b"")
                if answer is None:
                    self._busy = True
                else:
                    self._send(request, answer)
            else:
                if request.waits_for_a_word():
                    self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                break
        self._listen()

    def _listen(self) -> None:
        """Read on, unless answers pile up here or requests do: what memory holds is then bounded."""
        reads = not self._full and len(self._row) < 2
        if reads != self._reads:
            (self._transport.resume_reading if reads else self._transport.pause_reading)()
        self._reads = reads

    def _read_on(self, rest: Rest) -> None:
        if self._full:
            self._rest = rest
        else:
            self._door.read_on(self, rest)

    def _send(self, request: Request, answer: Answer) -> None:
        self._say(request, answer)
        self._end_of(request)

    def _say(self, request: Request, answer: Answer) -> None:
        self._since = self._crowd.now
        last = not request.stays or self._door.closing
        how = b"connection: close\r\n" if last else KEEP if request.version == "1.0" else b""
        body = b"" if request.method == "HEAD" else answer.body
        self._transport.write(b"".join((answer.head, how, self._crowd.date, body)))

    def _end_of(self, request: Request) -> None:
        self._row.popleft()
        if not request.stays or self._door.closing:
            self._forget_row()
            self._resting = False
            # If all ended at once while somebody still sends, the answer could get lost.
            if self._ended:
                self._transport.close()
            else:
                self._lingers = True
                self._transport.write_eof()
        elif not self._row and not self._parser.in_head:
            self._resting = True

    def _refuse(self, refusal: Refusal) -> None:
        """Refuse the request that arrives, when those before it are answered, and hear no more."""
        request = self._parser.request
        self._parser.stop()
        self._resting, self._said = False, b""
        if request is None:
            request = Request(self, "", b"/", "1.1", {})
            self._row.append(request)
        self._door.forget(request)
        request.refusal, request.stays = refusal, False

    def _end_with_last(self) -> None:
        self._parser.stop()
        if self._row:
            self._row[-1].stays = False

    def _forget_row(self) -> None:
        self._parser.stop()
        for request in self._row:
            self._door.forget(request)
        self._row.clear()

    def look(self, now: float) -> None:
        """End what does not go on. `now`: on the monotonic clock."""
        quiet, patience = now - self._since, self._crowd.patience
        unsent = self._transport.get_write_buffer_size()
        if unsent != self._unsent:
            self._unsent, self._since = unsent, now
        elif unsent:
            if quiet > (patience.leaving if self._door.closing else patience.stuck):
                self._transport.abort()
        elif self._row:
            return  # somebody answers, or the body has a clock of its own
        elif self._lingers:
            if quiet > patience.linger:
                self._transport.abort()
        elif self._parser.in_head:
            if quiet > patience.head:
                self._refuse(LATE)
                self._go_on()
        elif quiet > patience.idle:
            self._transport.close()

    def is_idle(self) -> bool:
        """Whether nothing was asked that is not answered."""
        return not self._row and not self._lingers and not self._transport.get_write_buffer_size()

    def end(self) -> None:
        """Take no further request."""
        if self._row:
            self._end_with_last()
        elif not self._lingers:
            self._transport.close()
