"""Which names this site answers to. Any other, and a malformed one, is refused before the application.

X-Forwarded-Host is not read anywhere: a proxy in front passes Host on as it came.
"""

from __future__ import annotations

import ipaddress
import logging
import re
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from blog import logs
from blog.config import Settings
from blog.errors import bare_page
from blog.headers import base_headers
from blog.values import is_loopback

log = logging.getLogger(__name__)

REMEMBERED = 64  # spellings of known hosts; there are as many as there are ports

_HOST = re.compile(
    r"(?:\[([0-9a-f:.]{2,45})\]|([a-z0-9_.-]{1,253}))(?::([0-9]{1,5}))?", re.ASCII | re.IGNORECASE
)


def allowed(settings: Settings) -> Callable[[str], bool]:
    """A test for Host headers: SITE_URL's host, and names of this machine while that is one; any port."""
    site = (urlsplit(settings.site_url).hostname or "").lower()
    local = is_loopback(site)
    known = _known(site)

    def test(host: str) -> bool:
        found = _HOST.fullmatch(host)
        if found is None or int(found[3] or 0) > 65535:
            return False
        try:
            name = _name(found[1] or found[2])
        except ValueError:
            return False
        return name == known or (local and _is_this_machine(name))

    return test


class KnownHosts:
    """WSGI, outermost: 400 for an unknown Host, a malformed one, or none."""

    def __init__(self, app: WSGIApplication, settings: Settings) -> None:
        self._app = app
        self._allowed = allowed(settings)
        self._seen: set[str | None] = set()
        words = f"This server answers for {settings.site_url} and for no other name."
        self._body = bare_page("Unknown host", words).encode()
        self._headers = [
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Length", str(len(self._body))),
            ("Cache-Control", "no-store"),
            *base_headers(settings),
        ]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        host = environ.get("HTTP_HOST")
        if host in self._seen:
            return self._app(environ, start_response)
        if host is not None and self._allowed(host):
            if len(self._seen) < REMEMBERED:
                self._seen.add(host)
            return self._app(environ, start_response)
        number = logs.begin_request()
        log.info("refused: unknown host")
        start_response("400 Bad Request", [*self._headers, ("X-Request-Id", number)])
        return [] if environ.get("REQUEST_METHOD") == "HEAD" else [self._body]


def _known(site: str) -> str:
    try:
        return _name(site)
    except ValueError:
        # A browser sends a name beyond ASCII in this form.
        return site.encode("idna").decode("ascii")


def _name(text: str) -> str:
    """One spelling for each name: lower case, addresses in their shortest form. ValueError: no such name."""
    if ":" in text:
        return str(ipaddress.IPv6Address(text))
    if not text.isascii():
        raise ValueError(text)
    if text.replace(".", "").isdigit():
        return str(ipaddress.IPv4Address(text))
    return text.lower()


def _is_this_machine(name: str) -> bool:
    return name in ("localhost", "::1") or (name.startswith("127.") and name.replace(".", "").isdigit())
