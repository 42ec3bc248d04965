"""Between connections and the application: who is answered at once, who gets a thread, and who is refused.

What the page cache holds is answered at once, in the thread that reads the network. Any other request gets a
thread of a pool, and only after its body has arrived: a slow sender costs a little memory and no thread, so
any number of them stops neither readers nor those who post.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol
from wsgiref.types import WSGIApplication, WSGIEnvironment

from blog import logs
from blog.addresses import client_address, network_of
from blog.errors import bare_page
from blog.kept import LARGE, Answer, Rest
from blog.request import BROKEN, CLOSING, CROWDED, LATE, Asker, Refusal, Request, environ_of
from blog.variants import Headers

log = logging.getLogger(__name__)

THREADS = 128  # of the pool; each is made when it is first needed
PATIENCE = 15.0  # seconds that every body may take to arrive, and
SLOWEST = 2048  # bytes a second beyond them
MOST_OF_ONE = 256  # bodies that have not arrived whole, from one network
MOST_HELD = 32 * 1024 * 1024  # bytes of all bodies that are not answered yet
MOST_PASSED_OVER = 1024 * 1024  # bytes of a body that is too large; its sender then reads the answer


class Cache(Protocol):
    """Pages in memory; neither way waits for anything."""

    def recall(self, said: bytes) -> Answer | None:
        """The answer to the very bytes of an earlier request."""

    def find(
        self,
        host: str | None,
        path: str,
        query: str,
        accepted: str | None,
        known: str | None,
        said: bytes = b"",
    ) -> Answer | None:
        """The answer to a GET; `said`: its bytes, for `recall`, or none."""


class Door:
    """Answers the requests of one worker process. All methods are for the thread of its loop."""

    def __init__(
        self, app: WSGIApplication, cache: Cache, most_bytes: int, refusal: Headers, hops: int = 0
    ) -> None:
        """`most_bytes`: of a body; `refusal`: the headers of an answer made here; `hops`: trusted proxies."""
        self._app, self._cache, self._most_bytes, self._refusal = app, cache, most_bytes, refusal
        self._hops = hops
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="request")
        self._loop = asyncio.get_running_loop()
        # Whose bodies have not arrived whole, by the network that sends them, the oldest first.
        self._unfinished: dict[str, list[Request]] = {}
        self._held = 0  # bytes of bodies
        self._inside = 0  # requests that have a thread, or will
        self._empty = asyncio.Event()
        self._last = 0.0
        self.closing = False

    def known(self, said: bytes) -> Answer | None:
        """The answer from memory to exactly these bytes, if they were a request before."""
        return None if self.closing else self._cache.recall(said)

    def admit(self, request: Request, said: bytes) -> Answer | None:
        """The answer from memory, or None: then somebody answers. `said`: all its bytes, or none."""
        header = request.header
        if self.closing:
            self._last = time.monotonic()
        elif request.method == "GET":
            # A cookie is nobody's business, and what a proxy says differs from reader to reader.
            told = b"cookie" in request.headers or b"x-forwarded-for" in request.headers
            plain = request.version == "1.1" and not told
            answer = self._cache.find(
                header(b"host"),
                request.path,
                request.query,
                header(b"accept-encoding"),
                header(b"if-none-match"),
                said if plain else b"",
            )
            if answer is not None:
                self._release(request)
                return answer
        self._inside += 1
        self._pool.submit(self._answer, request)
        return None

    async def close(self, quiet: float, most: float) -> None:
        """End connections with their next answer; return after `quiet` seconds without one, or `most`.

        Bodies that have not arrived by then are sent back.
        """
        self.closing, begun = True, time.monotonic()
        self._last = now = begun
        while now < begun + most and (now < self._last + quiet or self._unfinished):
            await asyncio.sleep(quiet / 4)
            now = time.monotonic()
        for request in [late for same in self._unfinished.values() for late in same]:
            self._give_up(request, CLOSING)

    async def empty(self) -> None:
        """Return when nobody has a thread any more."""
        while self._inside:
            self._empty.clear()
            await self._empty.wait()

    def expect(self, request: Request) -> None:
        """A body begins to arrive."""
        forwarded = request.header(b"x-forwarded-for") or ""
        peer = {"REMOTE_ADDR": request.asker.peer, "HTTP_X_FORWARDED_FOR": forwarded}
        request.network = network_of(client_address(peer, self._hops))
        same = self._unfinished.setdefault(request.network, [])
        if len(same) >= MOST_OF_ONE:
            # A body that somebody means to send is here at once; the one that waits longest makes room.
            self._give_up(same[0], LATE)
            same = self._unfinished.setdefault(request.network, [])
        same.append(request)
        patience = PATIENCE + min(request.length, self._most_bytes) / SLOWEST
        request.timer = self._loop.call_later(patience, self._give_up, request, LATE)

    def take(self, request: Request, part: bytes) -> None:
        """A part of its body; what is larger than the application takes is passed over, which it then sees
        by the length that was announced.
        """
        if request.passed_over or len(request.body) + len(part) > self._most_bytes:
            self._release(request)
            request.body.clear()
            request.passed_over += len(part)
            if request.passed_over > MOST_PASSED_OVER:
                request.asker.has_enough(request)
            return
        request.body += part
        request.held += len(part)
        self._held += len(part)
        if self._held > MOST_HELD:
            # What somebody typed is small; whoever means to fill the memory makes room.
            unfinished = (late for same in self._unfinished.values() for late in same)
            self._give_up(max(unfinished, key=lambda late: late.held), CROWDED)

    def arrived(self, request: Request) -> None:
        """It is here, with all of its body."""
        self._stop_waiting(request)
        request.whole = True

    def forget(self, request: Request) -> None:
        """Its body is not wanted any longer."""
        self._stop_waiting(request)
        self._release(request)

    def _release(self, request: Request) -> None:
        self._held -= request.held
        request.held = 0

    def _stop_waiting(self, request: Request) -> None:
        if request.timer is None:
            return
        request.timer.cancel()
        request.timer = None
        same = self._unfinished[request.network]
        same.remove(request)
        if not same:
            del self._unfinished[request.network]

    def refused(self, refusal: Refusal) -> Answer:
        """The page that says why, and one line in the log with the same number."""
        return contextvars.copy_context().run(self._refused, refusal)

    def _refused(self, refusal: Refusal) -> Answer:
        code, title, words = refusal
        number = logs.begin_request()
        log.info("refused at the door", extra={"fields": {"status": code}})
        headers = [*self._refusal, ("Content-Type", "text/html; charset=utf-8"), ("X-Request-Id", number)]
        headers += [("Cache-Control", "no-store"), *([("Retry-After", "5")] if code == 503 else [])]
        return Answer.of(code, headers, bare_page(title, words, number).encode())

    def _give_up(self, request: Request, refusal: Refusal) -> None:
        self.forget(request)
        request.asker.send_back(request, refusal)

    def _answer(self, request: Request) -> None:
        """What a thread of the pool does."""
        try:
            answer = self._call(environ_of(request))
        except BaseException:
            log.exception("a request failed outside of the application")
            answer = self.refused(BROKEN)
        self._loop.call_soon_threadsafe(self._leave, request, answer)

    def read_on(self, asker: Asker, rest: Rest) -> None:
        """Have more of a large answer read, which may take a disk its time."""
        self._inside += 1
        self._pool.submit(self._read, asker, rest)

    def _read(self, asker: Asker, rest: Rest) -> None:
        try:
            part: bytes | None = rest.read()
        except BaseException:
            log.exception("an answer broke off")
            part = None
        self._loop.call_soon_threadsafe(self._pass_on, asker, rest, part)

    def _pass_on(self, asker: Asker, rest: Rest, part: bytes | None) -> None:
        self._one_less()
        asker.more(rest, part)

    def _one_less(self) -> None:
        self._inside -= 1
        if not self._inside:
            self._empty.set()

    def _leave(self, request: Request, answer: Answer) -> None:
        self._one_less()
        self._release(request)
        request.asker.answered(request, answer)

    def _call(self, environ: WSGIEnvironment) -> Answer:
        begun: list[tuple[int, Headers]] = []

        def start_response(status: str, headers: Headers, exc_info: object = None) -> object:
            begun[:] = [(int(status[:3]), headers)]
            return None

        content = self._app(environ, start_response)  # type: ignore[arg-type]
        code, headers = begun[0]
        size = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
        if size > LARGE and environ["REQUEST_METHOD"] != "HEAD":
            rest = Rest(content, size)
            return Answer.of(code, headers, rest.read()).followed_by(rest)
        try:
            return Answer.of(code, headers, b"".join(content))
        finally:
            close = getattr(content, "close", None)
            if close is not None:
                close()
