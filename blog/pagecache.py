"""Public pages from memory, ahead of Flask: bytes, compressed once, with an ETag.

A view says that its page is the same for everybody by `share`. The page is then kept until what it shows has
changed, which freshness.py knows. Nothing that sets a cookie or is not a plain 200 is ever kept.
"""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from datetime import datetime
from time import time
from typing import Any

import brotli
from flask import Response, request

from blog.freshness import Freshness

Environ = dict[str, Any]
Start = Callable[..., Any]
Wsgi = Callable[[Environ, Start], Iterable[bytes]]

MOST_BYTES = 32 * 1024 * 1024
MARK = "blog.share"
CACHE_CONTROL = "public, max-age=0, must-revalidate"
# What a 304 repeats; the rest belongs to the body.
FOR_304 = frozenset({"cache-control", "content-location", "date", "etag", "expires", "vary"})
WAIT = 10.0  # seconds that a request waits for another that draws the same page


def share(
    response: Response, scope: str | None, *, query: Iterable[str] = (), until: datetime | None = None
) -> Response:
    """Mark a page that is the same for every reader.

    `scope`: the slug of the article it belongs to, None: it shows something of all. `query`: the query
    parameters that change it. `until`: when it changes by itself.
    """
    response.headers["Cache-Control"] = CACHE_CONTROL
    response.vary.add("Accept-Encoding")
    request.environ[MARK] = (scope, tuple(query), until.timestamp() if until else None)
    return response


class Page:
    """One kept page in its encodings."""

    __slots__ = ("answers", "etag", "not_modified", "scope", "size", "stamp", "until")

    def __init__(
        self,
        headers: list[tuple[str, str]],
        body: bytes,
        scope: str | None,
        stamp: tuple[Any, ...],
        until: float | None,
    ) -> None:
        self.scope, self.stamp, self.until = scope, stamp, until
        # Weak: one tag for all encodings, so that any of them can be confirmed by any other.
        self.etag = f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
        kept = [pair for pair in headers if pair[0].lower() not in ("content-length", "etag")]
        kept.append(("ETag", self.etag))
        self.not_modified = [
            pair for pair in kept if pair[0].lower() in FOR_304 or pair[0].lower() not in BODILY
        ]
        self.answers: dict[str, tuple[list[tuple[str, str]], list[bytes]]] = {}
        variants = {"": body}
        if compressible(headers):
            variants["gzip"] = gzip.compress(body, 6, mtime=0)
            variants["br"] = brotli.compress(body, quality=5)
        for encoding, content in variants.items():
            extra = [("Content-Encoding", encoding)] if encoding else []
            self.answers[encoding] = ([*kept, *extra, ("Content-Length", str(len(content)))], [content])
        self.size = sum(map(len, variants.values())) + 2000


BODILY = frozenset({"content-type", "content-encoding", "content-length", "content-language"})


def compressible(headers: Iterable[tuple[str, str]]) -> bool:
    """Whether the body is text."""
    kind = next((value for name, value in headers if name.lower() == "content-type"), "")
    return kind.startswith("text/") or any(word in kind for word in ("xml", "json", "javascript"))


class PageCache:
    """WSGI middleware that answers GET and HEAD for shared pages from memory."""

    def __init__(self, app: Wsgi, freshness: Freshness, most_bytes: int = MOST_BYTES) -> None:
        self.app, self.freshness, self.most_bytes = app, freshness, most_bytes
        self.pages: OrderedDict[str, Page] = OrderedDict()
        self.bytes = 0
        self._queries: dict[str, tuple[str, ...]] = {}
        self._drawing: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()
        self._encodings: dict[str, str] = {}

    def __call__(self, environ: Environ, start_response: Start) -> Iterable[bytes]:
        """Answer from memory what can be, and let the application draw the rest."""
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return self.app(environ, start_response)
        key = self._key(environ)
        page = self.pages.get(key)
        if page is not None and self._is_fresh(page):
            return self._answer(page, environ, start_response)
        if page is None and environ["PATH_INFO"] not in self._queries:
            return self._draw(environ, start_response)
        # Many ask at the moment a page became stale; one draws, the others wait and take it.
        turn = self._drawing.setdefault(key, threading.Lock())
        got = turn.acquire(timeout=WAIT)
        try:
            page = self.pages.get(self._key(environ))
            if page is not None and self._is_fresh(page):
                return self._answer(page, environ, start_response)
            return self._draw(environ, start_response, page)
        finally:
            if got:
                turn.release()
                self._drawing.pop(key, None)

    def _key(self, environ: Environ) -> str:
        path: str = environ["PATH_INFO"]
        query: str = environ.get("QUERY_STRING", "")
        if not query:
            return path
        wanted = self._queries.get(path, ())
        pairs = [pair for pair in query.split("&") if pair.partition("=")[0] in wanted]
        return f"{path}?{pairs[0]}" if pairs else path

    def _is_fresh(self, page: Page) -> bool:
        if page.until is not None and time() >= page.until:
            return False
        return page.stamp == self.freshness.stamp(page.scope)

    def _answer(self, page: Page, environ: Environ, start_response: Start) -> Iterable[bytes]:
        known = environ.get("HTTP_IF_NONE_MATCH")
        if known is not None and _matches(known, page.etag):
            start_response("304 Not Modified", page.not_modified)
            return ()
        accepted = environ.get("HTTP_ACCEPT_ENCODING", "")
        encoding = self._encodings.get(accepted)
        if encoding is None:
            encoding = self._remember(accepted)
        headers, body = page.answers.get(encoding) or page.answers[""]
        start_response("200 OK", headers)
        return () if environ["REQUEST_METHOD"] == "HEAD" else body

    def _remember(self, accepted: str) -> str:
        if len(self._encodings) > 500:
            self._encodings.clear()
        encoding = self._encodings[accepted] = best_encoding(accepted)
        return encoding

    def _draw(self, environ: Environ, start_response: Start, old: Page | None = None) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        # Taken before the view reads anything: what changes meanwhile makes the page stale, never wrong.
        slug = path.split("/", 3)[2] if path.startswith("/posts/") else None
        stamp = self.freshness.stamp(slug)
        begun: list[Any] = []
        # The view draws a whole page for HEAD as well, so that both have one entry and the same length.
        method, environ["REQUEST_METHOD"] = environ["REQUEST_METHOD"], "GET"

        def begin(
            status: str, headers: list[tuple[str, str]], exc_info: Any = None
        ) -> Callable[[bytes], Any]:
            begun[:] = [status, headers]
            return lambda data: None

        answer = self.app(environ, begin)
        environ["REQUEST_METHOD"] = method
        status, headers = begun
        mark = environ.get(MARK)
        if (
            mark is None
            or not status.startswith("200")
            or any(name.lower() == "set-cookie" for name, _ in headers)
        ):
            if old is not None and status.startswith("503") and old.stamp[:2] == stamp[:2]:
                _close(answer)
                return self._answer(old, environ, start_response)
            start_response(status, headers)
            return _empty(answer) if method == "HEAD" else answer
        try:
            body = b"".join(answer)
        finally:
            _close(answer)
        scope, query, until = mark
        page = Page(headers, body, slug if scope is not None else None, stamp, until)
        self._keep(environ, path, query, page)
        return self._answer(page, environ, start_response)

    def _keep(self, environ: Environ, path: str, query: tuple[str, ...], page: Page) -> None:
        with self._lock:
            if len(self._queries) > 10_000:
                self._queries.clear()
            self._queries[path] = query
            key = self._key(environ)
            old = self.pages.pop(key, None)
            self.bytes += page.size - (old.size if old else 0)
            self.pages[key] = page
            while self.bytes > self.most_bytes and self.pages:
                _, dropped = self.pages.popitem(last=False)
                self.bytes -= dropped.size


def _matches(known: str, etag: str) -> bool:
    bare = etag.removeprefix("W/")
    return known.strip() == "*" or any(one.strip().removeprefix("W/") == bare for one in known.split(","))


def best_encoding(accepted: str) -> str:
    """br or gzip when the browser takes it, the first of these two; otherwise none."""
    weights: dict[str, float] = {}
    for part in accepted.lower().split(","):
        name, _, parameter = part.partition(";")
        try:
            weights[name.strip()] = float(parameter.partition("=")[2]) if parameter.strip() else 1.0
        except ValueError:
            weights[name.strip()] = 0.0
    plain = weights.get("identity", 0.001)
    best = max(("br", "gzip"), key=lambda name: weights.get(name, weights.get("*", 0.0)))
    return best if weights.get(best, weights.get("*", 0.0)) > 0 and weights.get(best, 1.0) >= plain else ""


def _empty(answer: Iterable[bytes]) -> Iterable[bytes]:
    _close(answer)
    return ()


def _close(answer: Iterable[bytes]) -> None:
    close = getattr(answer, "close", None)
    if close is not None:
        close()
