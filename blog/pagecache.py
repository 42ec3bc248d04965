"""Public pages from memory, ahead of Flask: bytes, compressed once, with an ETag.

A view says by `share` that its page is the same for everybody. The page is then kept with the stamp of what
it was made from, and answered only while that stamp is still the present one (freshness.py). Nothing that
sets a cookie or is not a plain 200 is ever kept.

`find` is the short way: what was asked before in the very same words costs one look into a dictionary, and
`recall` the shortest, for the very same bytes. Neither waits, so the server's own thread may call them.
Everything else goes through the middleware.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Response, request

from blog.freshness import FIXED, Freshness
from blog.kept import Answer, Page, is_shareable
from blog.sources import stamp_of
from blog.variants import Headers, choose
from blog.wordings import Mark, expected, key_of, scope_of

MOST_BYTES = 24 * 1024 * 1024
MOST_PATHS = 10_000  # whose marks are remembered
MOST_WORDINGS = 64  # of requests for one page
LONGEST = 1024  # characters of a wording; longer ones are no browser's, and go the long way
MOST_SAID = 256  # requests for one page that are known by their bytes
MARK = "blog.share"
CACHE_CONTROL = "public, max-age=0, must-revalidate"
WAIT = 5.0  # seconds that a request waits for another that draws the same page

Wording = tuple[str | None, ...]  # host, path, query, Accept-Encoding


def share(
    response: Response, scope: str | None, *, query: Iterable[str] = (), until: datetime | None = None
) -> Response:
    """Mark a page that is the same for every reader.

    `scope`: the slug of the article it belongs to; None: it shows something of all; FIXED: its address
    changes with its content. `query`: the query parameters that change it. `until`: when it changes anyway.
    """
    response.headers.setdefault("Cache-Control", CACHE_CONTROL)
    request.environ[MARK] = Mark(scope, tuple(query), until.timestamp() if until else None)
    return response


class Drawing:
    """A page that is being drawn, for those who wait for it."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.page: Page | None = None


class PageCache:
    """WSGI middleware that answers GET and HEAD for shared pages from memory."""

    def __init__(self, app: WSGIApplication, freshness: Freshness, most_bytes: int = MOST_BYTES) -> None:
        self._app, self._freshness, self._most_bytes = app, freshness, most_bytes
        self._lock = threading.Lock()
        self._pages: OrderedDict[str, Page] = OrderedDict()
        self._bytes = 0
        self._marks: dict[str, Mark] = {}
        self._asked: dict[Wording, tuple[Page, Answer]] = {}
        self._said: dict[bytes, tuple[Page, Answer]] = {}
        self._drawing: dict[str, Drawing] = {}

    def recall(self, said: bytes) -> Answer | None:
        """The answer to the very bytes of an earlier request, when it is certainly still right."""
        known = self._said.get(said)
        return known[1] if known is not None and self._is_right(known[0]) else None

    def find(
        self,
        host: str | None,
        path: str,
        query: str,
        accepted: str | None,
        known: str | None,
        said: bytes = b"",
    ) -> Answer | None:
        """The answer to a GET that was asked before and is certainly still right; never waits.

        A host is known only when it came through the middleware, and so through what stands before it.
        `said`: all bytes of the request, when `recall` may answer the next one like it; else none.
        """
        asked = self._asked.get((host, path, query, accepted))
        if asked is None or not self._is_right(asked[0]):
            return None
        page, answer = asked
        if known is not None:
            if len(known) > LONGEST:
                return None
            answer = answer.unless_known(known)
        # A page is drawn anew at least each hour, so who asks now gets a turn later.
        if said and len(page.said) < MOST_SAID:
            self._remember_bytes(page, said, answer)
        return answer

    def _is_right(self, page: Page) -> bool:
        freshness = self._freshness
        if not freshness.is_known() or page.seen is not freshness.moment:
            return False
        if (page.path and stamp_of(page.path) != page.stamp.file) or page.is_over():
            return False
        page.used = True
        return True

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer from memory what can be, and let the application draw the rest."""
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return self._app(environ, start_response)
        self._freshness.look()
        path = environ["PATH_INFO"]
        mark = self._marks.get(path) or expected(path, self._freshness.path)
        if mark is None:
            return self._draw(environ, start_response)
        key = key_of(environ, mark)
        page = self._pages.get(key)
        if page is not None and (self._is_fresh(page) or page.is_standing_in()):
            return self._answer(page, environ, start_response)
        return self._draw_once(key, environ, start_response)

    def _draw_once(
        self, key: str, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Many ask at a moment when a page is stale or new: one draws, the others wait for what it draws."""
        for turn in (1, 2):
            drawing = Drawing()
            with self._lock:
                other = self._drawing.setdefault(key, drawing)
            if other is drawing:
                try:
                    return self._draw(environ, start_response, self._pages.get(key), drawing)
                finally:
                    del self._drawing[key]
                    drawing.done.set()
            other.done.wait(WAIT)
            # The second one began after this request had come: that is new enough, whatever changed since.
            if other.page is not None and (turn == 2 or self._is_fresh(other.page)):
                return self._answer(other.page, environ, start_response)
        return self._draw(environ, start_response, self._pages.get(key))

    def _draw(
        self,
        environ: WSGIEnvironment,
        start_response: StartResponse,
        old: Page | None = None,
        drawing: Drawing | None = None,
    ) -> Iterable[bytes]:
        # Before the view reads anything: what changes meanwhile makes the page stale, never wrong.
        moment, guess = self._freshness.moment, scope_of(environ["PATH_INFO"])
        stamps = {scope: self._freshness.stamp(scope) for scope in (guess, None, FIXED)}
        status, headers, answer = self._run(environ)
        mark: Mark | None = environ.get(MARK)
        if old is not None and status.startswith("503") and old.is_good_enough(stamps[old.scope]):
            _close(answer)
            page = old
        elif mark is not None and mark.scope in stamps and is_shareable(status, headers):
            page = Page(headers, _read(answer), mark.scope, stamps[mark.scope], mark.until)
            page.seen, page.path = moment, self._freshness.path(mark.scope)
            self._keep(environ, mark, page)
        else:
            start_response(status, headers)
            return _close(answer) if environ["REQUEST_METHOD"] == "HEAD" else answer
        if drawing is not None:
            drawing.page = page
        return self._answer(page, environ, start_response)

    def _run(self, environ: WSGIEnvironment) -> tuple[str, Headers, Iterable[bytes]]:
        begun: list[tuple[str, Headers]] = []

        def begin(status: str, headers: Headers, exc_info: object = None) -> object:
            begun[:] = [(status, headers)]
            return None

        # A whole page is drawn for HEAD too, so that both share one entry and one length.
        method, environ["REQUEST_METHOD"] = environ["REQUEST_METHOD"], "GET"
        try:
            answer = self._app(environ, begin)  # type: ignore[arg-type]
        finally:
            environ["REQUEST_METHOD"] = method
        return *begun[0], answer

    def _is_fresh(self, page: Page) -> bool:
        freshness, moment = self._freshness, self._freshness.moment
        if page.is_over():
            return False
        if page.seen is moment and page.stamp.file == freshness.file(page.scope):
            return True
        if page.stamp != freshness.stamp(page.scope):
            return False
        page.seen = moment
        return True

    def _answer(self, page: Page, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        get = environ.get
        accepted, known = get("HTTP_ACCEPT_ENCODING"), get("HTTP_IF_NONE_MATCH")
        answer = page.answer(choose(accepted and accepted[:LONGEST]))
        self._remember(
            page, (get("HTTP_HOST"), environ["PATH_INFO"], get("QUERY_STRING", ""), accepted), answer
        )
        if known is not None:
            answer = answer.unless_known(known)
        start_response(answer.status, answer.headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [answer.body]

    def _remember(self, page: Page, wording: Wording, answer: Answer) -> None:
        with self._lock:
            if not page.kept:
                return
            self._count(page)
            if sum(map(len, filter(None, wording))) > LONGEST:
                return
            if wording not in self._asked:
                if len(page.asked) >= MOST_WORDINGS:
                    self._forget_wordings(page)
                page.asked.append(wording)
            self._asked[wording] = page, answer

    def _remember_bytes(self, page: Page, said: bytes, answer: Answer) -> None:
        with self._lock:
            if page.kept:
                page.said.append(said)
                self._said[said] = page, answer
                self._count(page)

    def _keep(self, environ: WSGIEnvironment, mark: Mark, page: Page) -> None:
        with self._lock:
            if len(self._marks) >= MOST_PATHS:
                self._marks.clear()
            self._marks[environ["PATH_INFO"]] = mark
            if page.size > self._most_bytes // 4:
                return
            key = key_of(environ, mark)
            self._drop(self._pages.pop(key, None))
            self._pages[key], page.kept = page, True
            self._count(page)
            while self._bytes > self._most_bytes:
                oldest, candidate = self._pages.popitem(last=False)
                if candidate.used:  # a second chance, at the end of the row
                    candidate.used = False
                    self._pages[oldest] = candidate
                else:
                    self._drop(candidate)

    def _count(self, page: Page) -> None:
        size = page.size
        self._bytes += size - page.counted
        page.counted = size

    def _drop(self, page: Page | None) -> None:
        if page is not None:
            self._bytes -= page.counted
            page.kept = False
            self._forget_wordings(page)

    def _forget_wordings(self, page: Page) -> None:
        for wording in page.asked:
            self._asked.pop(wording, None)
        for said in page.said:
            self._said.pop(said, None)
        page.asked.clear()
        page.said.clear()


def _read(answer: Iterable[bytes]) -> bytes:
    try:
        return b"".join(answer)
    finally:
        _close(answer)


def _close(answer: Iterable[bytes]) -> Iterable[bytes]:
    close = getattr(answer, "close", None)
    if close is not None:
        close()
    return []
