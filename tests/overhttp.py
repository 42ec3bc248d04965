"""The whole application over real HTTP, for tests about time and about many at once."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.people import Reader


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        """The application has a log of its own."""


class _Answer:
    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.status_code, self.headers = answer.status, answer.headers
        self._body = answer.read()

    def get_data(self, as_text: bool = True) -> Any:
        return self._body.decode() if as_text else self._body

    def close(self) -> None:
        """It was read to its end and closed already."""


class _Browser:
    """As much of a test client as a Person uses."""

    def __init__(self, port: int) -> None:
        self.port = port

    def get(self, path: str) -> _Answer:
        return self._ask("GET", path)

    def post(self, path: str, data: Any = None) -> _Answer:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._ask("POST", path, urlencode(data or {}, doseq=True), form)

    def _ask(self, method: str, path: str, body: str = "", headers: dict[str, str] | None = None) -> _Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            parts = urlsplit(path)
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            connection.request(method, target, body or None, headers or {})
            return _Answer(connection.getresponse())
        finally:
            connection.close()


@contextmanager
def over_http(app: Flask) -> Iterator[Reader]:
    """Somebody who reads and answers through a socket."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    reader = Reader(app)
    reader.client = _Browser(server.server_port)  # type: ignore[assignment]
    try:
        yield reader
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
