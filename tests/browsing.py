"""What the tests in a browser share: a blog that answers on a port, and a browser that is signed in."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server

from tests.conftest import signed_in


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """Where a blog answers meanwhile."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def desk(browser: Browser, blog: Flask, address: str, path: str = "", **options: Any) -> Page:
    """The desk in a browser in which ana is signed in."""
    context = browser.new_context(**options)
    cookie = signed_in(blog).client.get_cookie("moderator", domain="localhost")
    assert cookie is not None
    context.add_cookies([{"name": "moderator", "value": cookie.value, "url": address}])
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.goto(f"{address}/moderation/{path}")
    return page
