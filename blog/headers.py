"""The headers that every answer carries, whatever its status, and the few that only some answers need."""

from __future__ import annotations

import re
from typing import cast
from urllib.parse import urlsplit

from flask import Flask, Response, request
from markupsafe import Markup

from blog.config import Settings

POLICY = "Content-Security-Policy"
YEAR = 365 * 24 * 60 * 60
MOVED = Markup(
    '<!doctype html>\n<html lang="en"><title>Moved</title><p>See <a href="{link}">{link}</a>.</p></html>\n'
)

# A data block (JSON-LD) is no script to a browser; only an element with a source is.
_SCRIPT = re.compile(rb"<script\b[^>]*\bsrc=")
# A path of this site: `//x` and `/\x` name another host, and a browser drops tabs and line ends.
_ON_SITE = re.compile(r"(?:/(?![/\\])|\?|#|\Z)[^\x00-\x20\x7f\\]*", re.ASCII)


def policy(*, script: bool = False) -> str:
    """The content security policy of a page, with or without the site's own script.

    The script may ask this site for more: the desk and the preview do. Without that, tools which look at a
    page from inside (Lighthouse) could not read robots.txt either, and would call it broken.
    """
    parts = ["default-src 'none'", "img-src 'self'", "style-src 'self'"]
    if script:
        parts += ["script-src 'self'", "connect-src 'self'"]
    return "; ".join([*parts, "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"])


def base_headers(settings: Settings) -> list[tuple[str, str]]:
    """The set for an answer that is made without Flask, and the strictest form of it."""
    found = [
        (POLICY, policy()),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
    ]
    if settings.https:
        found.append(("Strict-Transport-Security", f"max-age={YEAR}"))
    return found


def private(response: Response) -> Response:
    """Mark an answer that is for one person: kept by no cache, found by no search. Fits `after_request`."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def init(app: Flask) -> None:
    """Dress every answer of the application. What no view marked as shared is kept by no cache."""
    common = [
        pair for pair in base_headers(cast(Settings, app.extensions["blog.settings"])) if pair[0] != POLICY
    ]

    @app.after_request
    def dress(response: Response) -> Response:
        for name, value in common:
            response.headers[name] = value
        if POLICY not in response.headers:
            response.headers[POLICY] = policy(script=_has_script(response))
        if "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
        if "Location" in response.headers:
            _keep_on_site(response)
        return response


def on_site(location: str, host: str) -> str:
    """The redirect as a path of this site; the front page when it leads anywhere else.

    `host` is the request's own, which Werkzeug puts into the redirects that it makes itself.
    """
    if _ON_SITE.fullmatch(location):
        return location
    try:
        parts = urlsplit(location)
    except ValueError:
        return "/"
    if parts.scheme not in ("http", "https") or not host or parts.netloc != host:
        return "/"
    path = "/" + parts._replace(scheme="", netloc="").geturl().lstrip("/")
    return path if _ON_SITE.fullmatch(path) else "/"


def _keep_on_site(response: Response) -> None:
    given = response.headers["Location"]
    kept = on_site(given, request.host)
    if kept == given:
        return
    response.headers["Location"] = kept
    # The text of the answer repeats the address.
    if response.status_code in (301, 302, 303, 307, 308):
        response.set_data(MOVED.format(link=kept))


def _has_script(response: Response) -> bool:
    if response.mimetype != "text/html" or not response.is_sequence or response.direct_passthrough:
        return False
    return _SCRIPT.search(response.get_data()) is not None
