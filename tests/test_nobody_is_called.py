"""The server asks for no address that a reader gave, wherever they wrote it."""

from __future__ import annotations

import socket

from flask import Flask

from blog.reconcile import reconcile
from tests.conftest import signed_in
from tests.people import Reader
from tests.test_every_route import addresses


def test_no_address_that_a_reader_gives_is_asked_for(app: Flask) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        there = f"http://127.0.0.1:{listener.getsockname()[1]}/picture.png"
        asked = {"HTTP_REFERER": there, "HTTP_ORIGIN": "http://localhost", "HTTP_X_FORWARDED_FOR": there}
        reader = Reader(app, **asked, HTTP_PINGBACK=there, HTTP_CALLBACK=there)
        receipt = reader.stored(url=there, body=f"![x]({there}) <img src={there}> {there}\n\n[a]: {there}")
        moderator = signed_in(app)
        for address in addresses(app, "GET", token=receipt.rsplit("/", 1)[-1]):
            for person in (reader, moderator):
                person.client.get(address, query_string={"next": there, "url": there, "q": there})
        moderator.decide("spam", 1)
        with app.app_context():
            reconcile(regardless=True)
        try:
            listener.accept()
        except TimeoutError:
            return
    raise AssertionError("the server asked for it")
