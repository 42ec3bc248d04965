"""Bytes become requests: llhttp (by httptools) reads what is HTTP and refuses what is not.

RFC 9112 is what it follows, in its strict form. HTTP/1.0 and 1.1 are understood, and nothing is upgraded.
"""

from __future__ import annotations

import logging
from typing import Protocol

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from blog.request import TOO_LONG, UNMEASURED, UNREADABLE, VERSION, Asker, Refusal, Request

log = logging.getLogger(__name__)

MOST_HEAD = 64 * 1024  # bytes of a request's first line and headers
MOST_HEADERS = 100


class Hearer(Asker, Protocol):
    """Who is told what came, in the order in which it came."""

    def begun(self, request: Request) -> None:
        """All is known of a request but its body."""

    def continued(self, request: Request, body: bytes) -> None:
        """A part of its body."""

    def completed(self, request: Request) -> None:
        """All of it is here."""


class Parser:
    """What one connection says."""

    def __init__(self, hearer: Hearer) -> None:
        self._hearer, self._parser = hearer, HttpRequestParser(self)
        self.deaf = False  # whatever still comes is nobody's request
        self.in_head = False  # some of a head is here
        self.request: Request | None = None  # whose body arrives
        self._refusal: Refusal | None = None
        self._fed = self._lines = 0  # bytes that were read while a head came; its lines
        self._target, self._headers = b"", dict[bytes, bytes]()

    def feed(self, data: bytes) -> Refusal | None:
        """Tell the hearer what comes; what to say when it cannot be a request. Then nothing more is heard."""
        if self.deaf:
            return None
        if self.in_head:
            self._fed += len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            self.deaf = True  # the request was told, and is answered as if nobody had asked for an upgrade
        except HttpParserError:
            # After the last request of a connection anything may follow, and was not read.
            if not self.deaf:
                self._refuse(UNREADABLE)
        if self.in_head and self._fed > MOST_HEAD:
            self._refuse(TOO_LONG)
        refusal, self._refusal = self._refusal, None
        return refusal

    def stop(self) -> None:
        """Hear nothing more."""
        self.deaf, self.in_head, self.request = True, False, None

    def _refuse(self, refusal: Refusal) -> None:
        self.deaf, self.in_head, self._refusal = True, False, refusal

    # What httptools calls.

    def on_message_begin(self) -> None:
        """A first line begins."""
        if not self.deaf:
            self.in_head, self._target, self._headers = True, b"", {}
            self._fed = self._lines = 0

    def on_url(self, url: bytes) -> None:
        """What the first line asks for, or some of it."""
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One line; a name that comes again adds to its value."""
        self._lines += 1
        if not self.in_head or self._lines > MOST_HEADERS:
            return  # what is refused anyway need not cost much
        key, value, headers = name.lower(), value.rstrip(b" \t"), self._headers
        if key in headers:
            value = headers[key] + (b"; " if key == b"cookie" else b",") + value
        headers[key] = value

    def on_headers_complete(self) -> None:
        """The head is here."""
        if not self.in_head:
            return None
        parser, version = self._parser, self._parser.get_http_version()
        if version not in ("1.0", "1.1"):
            return self._refuse(VERSION)
        headers = self._headers
        if b"transfer-encoding" in headers:
            # What comes in chunks may go on for ever below its end, and no form may be without a length.
            return self._refuse(UNMEASURED)
        size = len(self._target) + sum(map(len, headers)) + sum(map(len, headers.values()))
        if size > MOST_HEAD or self._lines > MOST_HEADERS:
            return self._refuse(TOO_LONG)
        try:
            request = Request(self._hearer, parser.get_method().decode(), self._target, version, headers)
        except (HttpParserError, ValueError):
            return self._refuse(UNREADABLE)
        request.stays = parser.should_keep_alive() and not parser.should_upgrade()
        self.in_head, self.request = False, request
        self._hearer.begun(request)
        return None

    def on_body(self, body: bytes) -> None:
        """Some of the body."""
        if self.request is not None:
            self._hearer.continued(self.request, body)

    def on_message_complete(self) -> None:
        """All of the request is here."""
        request, self.request = self.request, None
        if request is not None:
            self.deaf = not request.stays
            self._hearer.completed(request)
