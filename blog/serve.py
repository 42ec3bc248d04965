"""The server: worker processes, which one parent starts, replaces and ends.

The parent opens the listening sockets, forks and waits; it has no threads and answers nothing. When it is
told to stop it lets nobody new in, has the workers answer whoever is in already, and waits for them. That is
why a restart drops no request.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import logging
import os
import resource
import signal
import socket
import struct
import sys
import threading
import time
from typing import NoReturn

import uvloop
from flask import Flask

from blog import logs
from blog.config import Settings
from blog.crowd import MOST, Crowd
from blog.db import db
from blog.door import Door
from blog.headers import base_headers
from blog.reconcile import reconcile

log = logging.getLogger(__name__)

BACKLOG = 2048  # connections that wait to be accepted, for each worker
EVERY = 60.0  # seconds between two runs of what is owed
GRACE = 20  # seconds that workers have to finish what they accepted
ENDING = 2.0  # of them for requests that are still coming in, or
QUIET = 0.1  # seconds without one
QUICK = 5.0  # seconds; a worker that ends sooner has not worked at all
TRIES = 5  # such workers in a row, and the server gives up
# Seconds that a thread may compute while another wants to. A reader who is answered from memory needs some
# microseconds between two pages that are drawn, and should not wait for the usual five milliseconds.
TURN = 0.0005


def serve(here: Settings, app: Flask) -> None:
    """Answer requests until SIGTERM or Ctrl-C; then finish what was accepted and return.

    The workers share `app`. Raises SystemExit, with a line of explanation, when the address cannot be
    used, and when workers end as soon as they are started.
    """
    _raise_file_limit()
    listeners = _listen(here)
    host = f"[{here.host}]" if ":" in here.host else here.host
    listening = f"http://{host}:{here.port}"
    where = "" if here.site_url == listening else f" on {listening}"
    print(f"Serving {here.site_url}{where} (Ctrl-C ends it)", flush=True)
    _warm(app)
    Parent(listeners, app, here).run()


def _warm(app: Flask) -> None:
    """Draw two pages: what that brings into memory is then there once, and not in each worker.

    No connection to the store may stay open, because forked processes cannot share one.
    """
    newest = app.extensions["blog.library"].articles[:1]
    # A request takes over the context that it finds, so the session to end is the one in here.
    with app.app_context():
        for path in ("/", *(article.url for article in newest)):
            with app.test_request_context(path, base_url=app.extensions["blog.settings"].site_url):
                app.full_dispatch_request()
        db.session.remove()
        db.engine.dispose()


class Parent:
    """Keeps one worker for each listening socket."""

    def __init__(self, listeners: list[socket.socket], app: Flask, here: Settings) -> None:
        self._listeners, self._app, self._here = listeners, app, here
        self._places: dict[int, int] = {}  # process id -> number of its socket
        self._started: dict[int, float] = {}
        self._quick = 0
        # Nothing is ever written: the workers see its end when the parent closes it, or is gone.
        self._end, self._alive = os.pipe()

    def run(self) -> None:
        """Start the workers, replace those that end, and end them all when told to."""
        # Taken one by one below instead of interrupting whatever runs.
        signals = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGALRM}
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
        gc.freeze()  # the workers share what is in memory now as long as nobody touches it
        try:
            for number in range(len(self._listeners)):
                self._start(number)
            while signal.sigwait(signals) == signal.SIGCHLD:
                for number in self._ended():
                    self._start(number)
            self._stop(signals)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _start(self, number: int) -> None:
        pid = os.fork()
        if pid == 0:
            os.close(self._alive)
            _work(self._listeners[number], number, self._app, self._here, self._end)
        self._places[pid], self._started[pid] = number, time.monotonic()

    def _ended(self) -> list[int]:
        """The numbers of the sockets whose workers have ended."""
        numbers = []
        while self._places:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            numbers.append(self._places.pop(pid))
            lived = time.monotonic() - self._started.pop(pid)
            log.error("a worker ended with status %d after %.0f s", os.waitstatus_to_exitcode(status), lived)
            self._quick = self._quick + 1 if lived < QUICK else 0
            if self._quick >= TRIES:
                self._kill()
                raise SystemExit("Error: workers end as soon as they are started; the log says why.")
            if self._quick > 1:
                time.sleep(0.5)
        return numbers

    def _stop(self, signals: set[signal.Signals]) -> None:
        for listener in self._listeners:
            _let_nobody_in(listener)
        os.close(self._alive)
        signal.alarm(GRACE)
        while self._places:
            if signal.sigwait(signals) == signal.SIGALRM:
                log.error("requests were not finished in %d seconds", GRACE)
                self._kill()
            while self._places:
                pid, _ = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    break
                self._places.pop(pid)
        signal.alarm(0)

    def _kill(self) -> None:
        for pid in self._places:
            os.kill(pid, signal.SIGKILL)


def _work(listener: socket.socket, number: int, app: Flask, here: Settings, end: int) -> NoReturn:
    """What a worker process does from its beginning to its end."""
    status = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent too, which knows what to do
        signal.pthread_sigmask(signal.SIG_SETMASK, set())
        logs.take_over()
        sys.setswitchinterval(TURN)
        if number == 0:
            threading.Thread(target=_tend, args=(app,), daemon=True, name="reconcile").start()
        uvloop.run(_answer(listener, app, here, end))
        status = 0
    except BaseException:
        log.exception("a worker failed")
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        # Not by way of the parent's own exit, whose code this process has inherited.
        os._exit(status)


async def _answer(listener: socket.socket, app: Flask, here: Settings, end: int) -> None:
    """Answer requests until told to stop; then those that are here, and return."""
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(end, stopping.set)
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    cache, most = app.extensions["blog.pagecache"], app.config["MAX_CONTENT_LENGTH"]
    door = Door(app, cache, most, base_headers(here), here.trusted_proxies)
    # The other half of the files is for the store and for pages.
    crowd = Crowd(door, most=min(MOST, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2))
    clock = loop.create_task(crowd.tick())
    server = await loop.create_server(crowd.welcome, sock=listener, backlog=BACKLOG)
    await stopping.wait()
    loop.remove_reader(end)
    await door.close(QUIET, ENDING)
    server.close()
    await crowd.leave()
    await door.empty()
    clock.cancel()


def _tend(app: Flask) -> None:
    """Do what is owed every minute; in the first worker only, and its successors."""
    pause = threading.Event()
    starting = True  # the key is looked at once, whether anything is owed or not
    while True:
        with app.app_context():
            try:
                reconcile(starting=starting)
                starting = False
            except Exception as error:
                # The timer must outlive a store that is away for a while.
                log.error("what is owed could not be done: %s", type(error).__name__)
            finally:
                db.session.remove()
        pause.wait(EVERY)


def _listen(here: Settings) -> list[socket.socket]:
    """A socket for each worker, all on one address; the kernel spreads connections over them."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            here.host, here.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        # Sockets that share an address would also share it with another server; this one would not.
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
        listeners = [socket.socket(family, kind, protocol) for _ in range(here.workers)]
        for listener in listeners:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            listener.bind(address)
            listener.listen(BACKLOG)
            listener.setblocking(False)
    except OSError as error:
        raise SystemExit(
            f"Error: BLOG_HOST, BLOG_PORT: cannot listen on {here.host} port {here.port} ({error.strerror})."
            " Choose another port, or end what uses this one."
        ) from None
    return listeners


def _let_nobody_in(listener: socket.socket) -> None:
    """Ignore new connections, but keep those that wait to be accepted: closing would break them off.

    On Linux a filter without mercy: it drops what arrives for the listening socket itself. Who tries again in
    a second finds the next server, or none.
    """
    if sys.platform != "linux":
        return
    drop = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))  # one instruction: return 0 bytes
    program = struct.pack("HP", 1, ctypes.addressof(drop))
    listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)


_SO_ATTACH_FILTER = 26


def _raise_file_limit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65536 if hard == resource.RLIM_INFINITY else min(hard, 65536)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
