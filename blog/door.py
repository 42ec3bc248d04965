"""Between the server and the application: requests come in by RSGI and are answered by WSGI.

What the page cache holds is answered at once, in the server's own thread. Any other request gets a thread of
a pool, and only after its body has arrived: a slow sender costs a little memory and no thread, so any number
of them stops neither readers nor those who post.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any, Protocol
from wsgiref.types import WSGIApplication, WSGIEnvironment

from blog.addresses import client_address, network_of
from blog.errors import bare_page
from blog.kept import Answer
from blog.variants import Headers

log = logging.getLogger(__name__)

THREADS = 128  # of the pool; each is made when it is first needed
PATIENCE = 15.0  # seconds that every body may take to arrive, and
SLOWEST = 2048  # bytes a second beyond them
MOST_OF_ONE = 256  # bodies that have not arrived whole, from one network
MOST_WAITING = 32 * 1024 * 1024  # bytes of all bodies that have not arrived whole
MOST_PASSED_OVER = 1024 * 1024  # bytes of a body that is too large; its sender then reads the answer
CLOSE = ("Connection", "close")

Find = Callable[[str | None, str, str, str | None, str | None], Answer | None]


LATE = 408, "Too slow", "The request did not arrive in time. Go back and send it again."
CROWDED = 503, "Too much at once", "Too much is being sent at the moment. Go back and try again in a minute."
CLOSING = 503, "Back in a moment", "The blog is being restarted. Go back and send it again in a moment."
BROKEN = 500, "Something broke here", "It is not your fault. The log says what happened."


class Crowded(Exception):
    """More bytes are waiting for the rest of their bodies than there is room for."""


class Fields(Protocol):
    """Headers as granian gives them; names in lower case."""

    def get(self, key: str) -> str | None: ...
    def get_all(self, key: str) -> list[str]: ...
    def items(self) -> list[tuple[str, str]]: ...


class Request(Protocol):
    """granian's RSGI scope and protocol of one request, in one object."""

    scope: Any
    proto: Any


class Door:
    """Answers the requests of one worker process."""

    def __init__(
        self, app: WSGIApplication, find: Find, most_bytes: int, refusal: Headers, hops: int = 0
    ) -> None:
        """`most_bytes`: of a body; `refusal`: the headers of an answer made here; `hops`: trusted proxies."""
        self._app, self._find, self._most_bytes, self._refusal = app, find, most_bytes, refusal
        self._hops = hops
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="request")
        self._loop = asyncio.new_event_loop()
        # Bodies that have not arrived whole, by the network that sends them, the oldest first.
        self._unfinished: dict[str, list[asyncio.Task[None]]] = {}
        self._waiting = 0  # bytes
        self._closing = False
        self._last = 0.0

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """Where bodies are waited for; somebody has to run it."""
        return self._loop

    def admit(self, request: Request) -> None:
        """Answer from memory, or see to it that somebody answers. Never waits and never raises."""
        try:
            scope = request.scope
            headers: Fields = scope.headers
            if self._closing:
                self._last = time.monotonic()
            elif scope.method == "GET":
                path: str = scope.path
                hosts = headers.get_all("host")
                answer = self._find(
                    hosts[0] if len(hosts) == 1 else None,
                    path if path.isascii() else path.encode().decode("latin-1"),
                    scope.query_string,
                    headers.get("accept-encoding"),
                    headers.get("if-none-match"),
                )
                if answer is not None:
                    request.proto.response_bytes(answer.code, answer.headers, answer.body)
                    return
            if headers.get("content-length") in (None, "0") and headers.get("transfer-encoding") is None:
                self._pool.submit(self._answer, request, b"")
            else:
                self._loop.call_soon_threadsafe(self._receive, request)
        except Exception:
            log.exception("a request could not be admitted")

    async def close(self, quiet: float, most: float) -> None:
        """End connections with their next answer; return after `quiet` seconds without one, or `most`.

        Bodies that have not arrived by then are sent back.
        """
        self._closing, begun = True, time.monotonic()
        self._last = now = begun
        while now < min(begun + most, self._last + quiet):
            await asyncio.sleep(min(begun + most, self._last + quiet) - now)
            now = time.monotonic()
        if unfinished := [task for tasks in self._unfinished.values() for task in tasks]:
            _, late = await asyncio.wait(unfinished, timeout=begun + most - now)
            for task in late:
                task.cancel()

    def _receive(self, request: Request) -> None:
        network = self._network(request.scope)
        same = self._unfinished.setdefault(network, [])
        if len(same) >= MOST_OF_ONE:
            # A body that somebody means to send is here at once; the one that waits longest makes room.
            same.pop(0).cancel()
        task = self._loop.create_task(self._wait_for_body(request))
        same.append(task)
        task.add_done_callback(lambda done: self._forget(network, done))

    def _forget(self, network: str, task: asyncio.Task[None]) -> None:
        same = self._unfinished.get(network, [])
        if task in same:
            same.remove(task)
        if not same:
            self._unfinished.pop(network, None)

    def _network(self, scope: Any) -> str:
        peer = {"REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]")}
        forwarded = ",".join(scope.headers.get_all("x-forwarded-for"))
        return network_of(client_address({**peer, "HTTP_X_FORWARDED_FOR": forwarded}, self._hops))

    async def _wait_for_body(self, request: Request) -> None:
        length = request.scope.headers.get("content-length") or ""
        expected = int(length) if length.isascii() and length.isdigit() else self._most_bytes
        try:
            async with asyncio.timeout(PATIENCE + min(expected, self._most_bytes) / SLOWEST):
                body = await self._read(request.proto)
        except (TimeoutError, asyncio.CancelledError):
            self._refuse(request, *(CLOSING if self._closing else LATE))
        except Crowded:
            self._refuse(request, *CROWDED)
        except Exception as error:
            # The sender is gone, or what it sends is no HTTP: nobody reads an answer.
            log.info("a body broke off: %s", type(error).__name__)
        else:
            self._pool.submit(self._answer, request, body)

    async def _read(self, proto: Any) -> bytes:
        """The body; empty when it is larger than the application takes, which then sees only its length."""
        body, passed_over = bytearray(), 0
        try:
            async for chunk in proto:
                if passed_over or len(body) + len(chunk) > self._most_bytes:
                    passed_over += len(chunk)
                    if passed_over > MOST_PASSED_OVER:
                        break
                    continue
                self._waiting += len(chunk)
                body += chunk
                if self._waiting > MOST_WAITING:
                    raise Crowded
        finally:
            self._waiting -= len(body)
        return b"" if passed_over else bytes(body)

    def _answer(self, request: Request, body: bytes) -> None:
        try:
            code, headers, content = self._call(environ_of(request.scope, body))
            if self._closing:
                headers.append(CLOSE)
            request.proto.response_bytes(code, headers, content)
        except BaseException:
            log.exception("a request failed outside of the application")
            self._refuse(request, *BROKEN)

    def _call(self, environ: WSGIEnvironment) -> tuple[int, Headers, bytes]:
        begun: list[tuple[int, Headers]] = []

        def start_response(status: str, headers: Headers, exc_info: object = None) -> object:
            begun[:] = [(int(status[:3]), [(name, _plain(value)) for name, value in headers])]
            return None

        answer: Iterable[bytes] = self._app(environ, start_response)  # type: ignore[arg-type]
        try:
            content = b"".join(answer)
        finally:
            close = getattr(answer, "close", None)
            if close is not None:
                close()
        code, headers = begun[0]
        return code, headers, content

    def _refuse(self, request: Request, code: int, title: str, words: str) -> None:
        headers = [*self._refusal, ("Content-Type", "text/html; charset=utf-8"), CLOSE]
        headers += [("Cache-Control", "no-store"), *([("Retry-After", "5")] if code == 503 else [])]
        request.proto.response_bytes(code, headers, bare_page(title, words).encode())


def environ_of(scope: Any, body: bytes) -> WSGIEnvironment:
    """The request as WSGI has it. Names with an underline are left out: they would pass for others."""
    server, _, port = scope.server.rpartition(":")
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode("utf-8", "replace").decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": server.strip("[]"),
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope.headers.items():
        if "_" in name:
            continue
        key = name.replace("-", "_").upper()
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = f"HTTP_{key}"
        joint = "; " if key == "HTTP_COOKIE" else ","
        environ[key] = f"{environ[key]}{joint}{value}" if key in environ else value
    return environ


def _plain(value: str) -> str:
    """A header's value without what the server would refuse to send."""
    return value if value.isascii() and value.isprintable() else value.encode("ascii", "replace").decode()
