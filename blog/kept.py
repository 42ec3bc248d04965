"""A kept page: what it was made from, and its answers, each made once when it is first asked for."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from http import HTTPStatus

from blog.freshness import Stamp
from blog.variants import CODINGS, NONE_ACCEPTABLE, PLAIN, SMALLEST, Headers, is_match, is_text, tag_of

# Seconds that a page may be answered although it should be drawn anew, while the store is away. The token in
# its form works for a day.
OLDEST = 12 * 3600
PHRASES = {status.value: status.phrase for status in HTTPStatus}
LARGE = 512 * 1024  # bytes of an answer that is not read as a whole, and of a part of it
RETRY = 1.0  # seconds between two attempts to draw such a page
BODILY = frozenset({"content-type", "content-encoding", "content-length", "content-language"})
UNACCEPTABLE = (
    b"This page comes as it is, or compressed with gzip or br. The request accepts none of these.\n"
)


class Rest:
    """What is still to be read of a large answer. One thread at a time."""

    def __init__(self, parts: Iterable[bytes], left: int) -> None:
        """`left`: bytes, as they were announced."""
        self._given, self._parts, self.left = parts, iter(parts), left

    def read(self) -> bytes:
        """About LARGE bytes more, none beyond those that were announced; nothing at the end."""
        found, size = [], 0
        for part in self._parts:
            found.append(part)
            size += len(part)
            if size >= LARGE:
                break
        read = b"".join(found)[: self.left]
        self.left -= len(read)
        return read

    def close(self) -> None:
        """Let go of the file."""
        close = getattr(self._given, "close", None)
        if close is not None:
            close()


@dataclass(slots=True, frozen=True)
class Answer:
    """An answer, ready to be sent."""

    code: int
    status: str
    headers: Headers
    body: bytes
    etag: str = ""
    not_modified: Answer | None = None
    head: bytes = b""  # as it is sent, but for the last lines, which depend on connection and time
    rest: Rest | None = None  # of a body that is too large for memory

    @classmethod
    def of(
        cls, code: int, headers: Headers, body: bytes, etag: str = "", short: Answer | None = None
    ) -> Answer:
        """An answer with all that is made of these; its length is added when nobody said it."""
        status = f"{code} {PHRASES.get(code, 'Unknown')}"
        if code not in (204, 304) and not any(name.lower() == "content-length" for name, _ in headers):
            headers = [*headers, ("Content-Length", str(len(body)))]
        lines = [f"HTTP/1.1 {status}", *(f"{name.lower()}: {_plain(value)}" for name, value in headers), ""]
        return cls(code, status, headers, body, etag, short, "\r\n".join(lines).encode("ascii"))

    def followed_by(self, rest: Rest) -> Answer:
        """This answer as the beginning of a larger one."""
        return replace(self, rest=rest)

    def unless_known(self, known: str) -> Answer:
        """This answer, or a 304 for whoever has it already: `known` is an If-None-Match header."""
        # Most browsers send back just the tag that they were given.
        if self.not_modified is not None and (known == self.etag or is_match(known, self.etag)):
            return self.not_modified
        return self


class Page:
    """One page in all its forms."""

    def __init__(
        self, headers: Headers, body: bytes, scope: str | None, stamp: Stamp, until: float | None
    ) -> None:
        """`until`: seconds since 1970 when it changes by itself."""
        self.scope, self.stamp, self.until = scope, stamp, until
        self._made, self._retry_at = time.monotonic(), 0.0
        self._body, self._tag, self._text = body, tag_of(body), is_text(headers) and len(body) >= SMALLEST
        self._headers = _without(headers, {"content-length", "etag", "vary"})
        vary = [value for name, value in headers if name.lower() == "vary"]
        self._headers.append(("Vary", ", ".join(dict.fromkeys([*vary, "Accept-Encoding"]))))
        self._answers: dict[str, Answer] = {}
        # What the cache notes about it.
        self.seen: object = None  # the moment at which it was found to be fresh
        self.path = ""  # of the file in its stamp
        self.used = self.kept = False
        self.counted = 0  # bytes
        self.asked: list[tuple[str | None, ...]] = []
        self.said: list[bytes] = []

    @property
    def size(self) -> int:
        """About how many bytes of memory it takes."""
        answers = sum(len(answer.body) for answer in list(self._answers.values()))
        return 4096 + len(self._body) + answers + sum(map(len, self.said))

    def is_over(self) -> bool:
        """Whether the time has come at which it changes by itself."""
        return self.until is not None and time.time() >= self.until

    def is_good_enough(self, now: Stamp) -> bool:
        """Whether it may stand in while the store is away: never when an article it shows has changed."""
        articles_stand = self.scope is not None or now.articles == self.stamp.articles
        if now.file != self.stamp.file or not articles_stand:
            return False
        self._retry_at = time.monotonic() + RETRY
        return time.monotonic() < self._made + OLDEST

    def is_standing_in(self) -> bool:
        """Whether it was found good enough a moment ago."""
        return time.monotonic() < self._retry_at

    def answer(self, coding: str) -> Answer:
        """The page in that coding, as `variants.choose` names it."""
        found = self._answers.get(coding)
        if found is None:
            found = self._answers[coding] = self._make(coding)
        return found

    def _make(self, coding: str) -> Answer:
        if coding == NONE_ACCEPTABLE:
            return self._refusal()
        if coding == PLAIN or not self._text:
            return self._complete(f'"{self._tag}"', self._body)
        packed = CODINGS[coding](self._body)
        return self._complete(f'"{self._tag}-{coding}"', packed, ("Content-Encoding", coding))

    def _complete(self, etag: str, body: bytes, *more: tuple[str, str]) -> Answer:
        headers = [*self._headers, ("ETag", etag)]
        short = Answer.of(304, _without(headers, BODILY), b"")
        return Answer.of(200, [*headers, *more], body, etag, short)

    def _refusal(self) -> Answer:
        headers = _without(self._headers, {*BODILY, "cache-control"})
        headers += [
            ("Cache-Control", "no-store"),
            ("Content-Type", "text/plain; charset=utf-8"),
        ]
        return Answer.of(406, headers, UNACCEPTABLE)


def is_shareable(status: str, headers: Headers) -> bool:
    """Whether an answer may be kept at all, whatever a view said about it."""
    if not status.startswith("200"):
        return False
    for name, value in headers:
        if name.lower() == "set-cookie":
            return False
        if name.lower() == "cache-control" and ("no-store" in value or "private" in value):
            return False
    return True


def _plain(value: str) -> str:
    """A header's value without what must not be sent, above all without the end of its line."""
    if value.isascii() and value.isprintable():
        return value
    return "".join(sign if sign.isascii() and sign.isprintable() else "?" for sign in value)


def _without(headers: Headers, names: set[str] | frozenset[str]) -> Headers:
    return [pair for pair in headers if pair[0].lower() not in names]
