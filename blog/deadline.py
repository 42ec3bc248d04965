"""A TCP connection that one deadline bounds: looking up the name, connecting, TLS, reading and writing.

An ordinary socket timeout starts anew with every read, so a peer that sends one byte a second holds its
caller for as long as it likes. Here each operation gets what is left of the whole call. Only the standard
library is used; wire.py puts HTTP on top.
"""

from __future__ import annotations

import ipaddress
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

# What socket.getaddrinfo gives for one address: family, kind, protocol, name, socket address.
Address = tuple[Any, ...]


class TooLong(Exception):
    """The peer sent more than anybody agreed to read."""


class Deadline:
    """A moment after which nothing is waited for; `seconds` from now."""

    __slots__ = ("_at",)

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds that remain. Raises TimeoutError when there are none."""
        seconds = self._at - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("the deadline has passed")
        return seconds


Resolve = Callable[[str, int], Sequence[Address]]


def _resolve(host: str, port: int) -> Sequence[Address]:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


class Place:
    """A host and port to connect to.

    A resolver cannot be interrupted, so it runs beside the caller, who stops waiting at the deadline. At
    most one lookup is under way: callers that come meanwhile wait for the same one.
    `only_loopback` refuses every address of another machine, whatever the name resolves to.
    """

    def __init__(
        self, host: str, port: int, only_loopback: bool = False, resolve: Resolve = _resolve
    ) -> None:
        self.host, self.port = host, port
        self._only_loopback = only_loopback
        self._resolve = resolve
        self._lock = threading.Lock()
        self._lookup: Future[Sequence[Address]] | None = None

    def connect(self, deadline: Deadline) -> socket.socket:
        """A connected socket. Raises OSError, TimeoutError among them."""
        addresses = [entry for entry in self._addresses(deadline) if self._allows(entry)]
        failure: OSError = ConnectionError("the name has no address that may be used")
        for number, (family, kind, protocol, _, address) in enumerate(addresses):
            # An address that swallows packets (often IPv6) must leave time for the next one.
            share = deadline.left() / (len(addresses) - number)
            connection = socket.socket(family, kind, protocol)
            try:
                connection.settimeout(share)
                connection.connect(address)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError as error:
                connection.close()
                failure = error
            else:
                return connection
        raise failure

    def _addresses(self, deadline: Deadline) -> Sequence[Address]:
        try:
            family = socket.AF_INET6 if ipaddress.ip_address(self.host).version == 6 else socket.AF_INET
        except ValueError:
            pass
        else:
            return [(family, socket.SOCK_STREAM, 0, "", (self.host, self.port))]
        with self._lock:
            if self._lookup is None or self._lookup.done():
                self._lookup = Future()
                threading.Thread(target=self._look_up, args=(self._lookup,), daemon=True).start()
            lookup = self._lookup
        return lookup.result(timeout=deadline.left())

    def _look_up(self, lookup: Future[Sequence[Address]]) -> None:
        try:
            lookup.set_result(self._resolve(self.host, self.port))
        except UnicodeError:
            lookup.set_exception(ConnectionError("this cannot be the name of a host"))
        except Exception as error:  # handed to whoever waits
            lookup.set_exception(error)

    def _allows(self, entry: Address) -> bool:
        return not self._only_loopback or ipaddress.ip_address(str(entry[4][0]).partition("%")[0]).is_loopback


class Stream:
    """One connection. Set `deadline` before each exchange; `heard` is what arrived since `begin`."""

    def __init__(self, connection: socket.socket, deadline: Deadline, most: int) -> None:
        self._socket = connection
        self._most = most
        self.deadline = deadline
        self.heard = bytearray()

    def begin(self, deadline: Deadline) -> None:
        """Start another exchange over the same connection."""
        self.deadline = deadline
        self.heard.clear()

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What has arrived; b"" at the end. Raises OSError, and TooLong beyond the bound in bytes."""
        self._socket.settimeout(self.deadline.left())
        data = self._socket.recv(max_bytes)
        self.heard += data
        if len(self.heard) > self._most:
            raise TooLong
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send everything. Raises OSError."""
        rest = memoryview(buffer)
        while rest:
            self._socket.settimeout(self.deadline.left())
            rest = rest[self._socket.send(rest) :]

    def secure(self, context: ssl.SSLContext, hostname: str | None) -> None:
        """Speak TLS from here on; the handshake as a whole ends by the deadline. Raises OSError."""
        self._socket.settimeout(self.deadline.left())
        try:
            self._socket = context.wrap_socket(self._socket, server_hostname=hostname)
        except BaseException:
            self._socket.close()
            raise

    def readable(self) -> bool:
        """Whether something waits to be read; on an idle connection that is its end, or a peer astray."""
        if isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
            return True
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(0))

    def close(self) -> None:
        """Let the connection go, without ceremony."""
        self._socket.close()
