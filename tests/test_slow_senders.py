"""Somebody whose form arrives slowly, or never whole, is in nobody's way."""

from __future__ import annotations

import io
import os
import socket
import threading
from contextlib import contextmanager
from typing import Any

import pytest

from blog import bodies
from blog.bodies import Bodies, Bounds
from blog.config import Settings

FEW, MANY = Bounds().of_one, Bounds().of_all


class Slow(io.RawIOBase):
    """A body of which nothing more comes until it is let go."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.go = threading.Event()

    def read(self, size: int = -1) -> bytes:
        self.asked.set()
        assert self.go.wait(10)
        return b"a" * size


class Door:
    """The door alone, with an application behind it that says how much came in."""

    def __init__(self, bounds: Bounds | None = None, **values: Any) -> None:
        def app(environ: Any, start_response: Any) -> list[bytes]:
            start_response("200 OK", [])
            return [environ["wsgi.input"].read()]

        self.bodies = Bodies(app, Settings.load({}, **values), most=1000, bounds=bounds)
        self.headers: dict[str, str] = {}

    def send(self, body: Any, length: int, address: str = "203.0.113.1", **extra: str) -> str:
        said: list[str] = []
        environ = {
            "REQUEST_METHOD": "POST",
            "REMOTE_ADDR": address,
            "CONTENT_LENGTH": str(length),
            "wsgi.input": body,
            **extra,
        }

        def start(status: str, headers: list[tuple[str, str]]) -> None:
            said.append(status)
            self.headers = dict(headers)

        answer = b"".join(self.bodies(environ, start))
        return f"{said[0]} {len(answer)}" if said[0] == "200 OK" else said[0]

    @contextmanager
    def holding(self, number: int, address: str = "203.0.113.1") -> Any:
        """So many bodies that do not arrive; gives the list of what became of them at the end."""
        ends: list[str] = []
        slow = [Slow() for _ in range(number)]
        threads = [
            threading.Thread(target=lambda one=one: ends.append(self.send(one, 100, address))) for one in slow
        ]
        for thread in threads:
            thread.start()
        for one in slow:
            assert one.asked.wait(5)
        try:
            yield ends
        finally:
            for one in slow:
                one.go.set()
            for thread in threads:
                thread.join(5)


def test_a_body_arrives_whole() -> None:
    assert Door().send(io.BytesIO(b"a" * 100), 100) == "200 OK 100"


def test_a_body_that_ends_early_is_handed_on_as_it_is() -> None:
    assert Door().send(io.BytesIO(b"a" * 50), 100) == "200 OK 50"


def test_one_network_has_a_few_unfinished_bodies_and_others_do_not_notice() -> None:
    door = Door()
    with door.holding(FEW):
        assert door.send(io.BytesIO(b"abc"), 3) == "429 Too Many Requests"
        assert door.send(io.BytesIO(b"abc"), 3, "203.0.113.2") == "200 OK 3"


def test_behind_a_proxy_the_client_is_counted_and_not_the_proxy() -> None:
    door = Door(trusted_proxies=1)
    with door.holding(FEW, "127.0.0.1"):
        forwarded = {"HTTP_X_FORWARDED_FOR": "203.0.113.2"}
        assert door.send(io.BytesIO(b"abc"), 3, "127.0.0.1", **forwarded) == "200 OK 3"


def test_many_networks_together_never_take_all_threads() -> None:
    door = Door()
    with (
        door.holding(FEW, "2001:db8:0:1::1"),
        door.holding(FEW, "2001:db8:0:2::1"),
        door.holding(FEW, "2001:db8:0:3::1"),
        door.holding(MANY - 3 * FEW, "2001:db8:0:4::1"),
    ):
        assert door.send(io.BytesIO(b"abc"), 3, "2001:db8:0:5::1") == "503 Service Unavailable"


def test_the_oldest_unfinished_body_makes_room_for_a_quick_one() -> None:
    door = Door(Bounds(makes_room=0.0))
    with door.holding(FEW) as ends:
        assert door.send(io.BytesIO(b"abc"), 3) == "200 OK 3"
    assert sorted(ends) == ["200 OK 100"] * (FEW - 1) + ["408 Request Timeout"]


def test_a_body_that_takes_too_long_is_refused_by_a_page_with_all_headers() -> None:
    door = Door(Bounds(patience=-1.0))
    assert door.send(io.BytesIO(b"a" * 100), 100) == "408 Request Timeout"
    assert door.headers["Retry-After"] == "3"
    assert "frame-ancestors 'none'" in door.headers["Content-Security-Policy"]


@pytest.mark.skipif("not __import__('sys').platform.startswith('linux')")
def test_a_silent_connection_is_cut_and_a_live_one_is_not() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
        server.accept()[0] as accepted,
    ):
        client.settimeout(5)
        for peer, silent in (("127.0.0.1", 60.0), ("203.0.113.1", 0.0)):
            bodies.cut(os.dup(accepted.fileno()), {peer}, silent)
            bodies.cut_silent({"203.0.113.1"}, 0.0)
            accepted.sendall(b"still here")
            assert client.recv(100) == b"still here"
        bodies.cut(os.dup(accepted.fileno()), {"127.0.0.1"}, 0.0)
        assert client.recv(100) == b""
