"""The views of the desk: which comments, in which order, and where a page of them begins.

A page's own links go on from the last comment shown (`after`, `before`), so that nothing is skipped or shown
twice while comments come and go. `page=N` counts from the start, for addresses that people write themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import abort
from werkzeug.datastructures import MultiDict

from blog import search
from blog.discussions import STATUSES
from blog.pages import page_number
from blog.text import clean_line

PER_PAGE = 20
NAMES = (*STATUSES, "all", "private")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Key:
    """A comment's place in a view."""

    calm: bool  # not an appeal that waits
    created_at: datetime
    id: int

    def __str__(self) -> str:
        return f"{self.calm:d}.{(self.created_at - EPOCH) // timedelta(microseconds=1)}.{self.id}"

    @classmethod
    def read(cls, words: str) -> Key | None:
        """The place that an address names; None for anything else."""
        parts = words.split(".")
        if len(parts) != 3 or not all(p.isascii() and p.isdigit() and len(p) <= 18 for p in parts):
            return None
        try:
            moment = EPOCH + timedelta(microseconds=int(parts[1]))
        except OverflowError:
            return None
        return cls(parts[0] != "0", moment, int(parts[2]))


@dataclass(frozen=True)
class View:
    """What a moderator wants to see, as an address says it."""

    status: str = "pending"
    q: str = ""
    article: str = ""
    author: str = ""
    network: str = ""
    page: int = 1
    after: str = ""
    before: str = ""

    @classmethod
    def read(cls, given: MultiDict[str, str]) -> View:
        """The view of an address or a form; 404 for one that does not exist."""
        status = given.get("status", "pending")
        if status not in NAMES:
            abort(404)
        return cls(
            status=status,
            q=search.readable(given.get("q", "")),
            page=page_number(given.get("page", "") or "1"),
            **{
                name: clean_line(given.get(name, "")[:500])[:254] for name in ("article", "author", "network")
            },
            **{
                name: given.get(name, "") if Key.read(given.get(name, "")) else ""
                for name in ("after", "before")
            },
        )

    def values(self, **other: Any) -> dict[str, Any]:
        """What differs from the first page of what waits, for an address or hidden fields."""
        merged = {field.name: getattr(self, field.name) for field in fields(self)} | other
        plain = {"page": 1}
        return {name: value for name, value in merged.items() if value and value != plain.get(name)}

    def first(self, **other: Any) -> dict[str, Any]:
        """The same view from its beginning, or one like it."""
        return self.values(**{"page": 1, "after": "", "before": ""} | other)

    @property
    def narrowed(self) -> bool:
        """Whether it is about less than everything of its status, so that the counts say nothing about it."""
        return bool(self.q or self.owned)

    @property
    def owned(self) -> bool:
        """Whether it is about one article, person or address."""
        return bool(self.article or self.author or self.network)

    @property
    def audience(self) -> str:
        """Whose comments they are: everybody's, or those that only the author of the blog may read."""
        return "private" if self.status == "private" else "public"

    @property
    def rising(self) -> bool:
        """Oldest first, because somebody waits; the other views begin with the newest."""
        return self.status == "pending"

    @property
    def urgent(self) -> bool:
        """Whether appeals come first: in the whole queue, not among those of one article or person."""
        return self.rising and not self.owned
