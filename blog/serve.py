"""The server: granian's worker processes with enough threads, and the timer for what is owed."""

from __future__ import annotations

import fcntl
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server import Server

from blog import logs
from blog.config import Settings, settings
from blog.db import db
from blog.reconcile import reconcile

log = logging.getLogger(__name__)

# A thread is taken before a request's body has arrived, so slow senders must not be able to take them all.
THREADS = 128
EVERY = 60.0  # seconds between two runs of what is owed
GRACE = 20  # seconds that a worker has to finish what it accepted


def serve(here: Settings, make: Callable[[], Flask]) -> None:
    """Answer requests until SIGTERM or Ctrl-C; then finish what was accepted and return."""
    server = Server(
        "blog",
        address=here.host,
        port=here.port,
        interface=Interfaces.WSGI,
        workers=here.workers,
        blocking_threads=THREADS,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=10_000, pipeline_flush=True),
        websockets=False,
        backlog=1024,
        respawn_failed_workers=True,
        respawn_interval=0.5,
        workers_kill_timeout=GRACE,
        log_enabled=False,
    )
    print(f"Serving {here.site_url} on http://{here.host}:{here.port} (Ctrl-C ends it)", flush=True)

    def load(*_: Any) -> Flask:
        app = make()
        logs.take_over()
        threading.Thread(target=tend, args=(app,), daemon=True, name="reconcile").start()
        return app

    server.serve(target_loader=load, wrap_loader=False)


def tend(app: Flask) -> None:
    """Do what is owed every minute, in whichever worker holds the lock; the next takes over when it ends."""
    with app.app_context():
        handle = hold(settings().data_dir / ".reconcile.lock")
    pause = threading.Event()
    while True:
        with app.app_context():
            try:
                reconcile()
            except Exception as error:
                # The timer must outlive a store that is away for a while.
                log.error("what is owed could not be done: %s", type(error).__name__)
            finally:
                db.session.remove()
        pause.wait(EVERY)
        assert handle


def hold(path: Path) -> int:
    """Wait for the lock on a file and keep it until this process ends."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(handle, fcntl.LOCK_EX)
    return handle
