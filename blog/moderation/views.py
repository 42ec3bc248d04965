"""The views of the desk: which comments, in which order, and where a page of them begins.

A page's own links go on from the last comment shown (`after`, `before`), so that nothing is skipped or shown
twice while comments come and go. `page=N` counts from the start, for addresses that people write themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import abort
from sqlalchemy import ColumnElement, literal, literal_column, select, tuple_
from werkzeug.datastructures import MultiDict

from blog import search
from blog.db import UtcDateTime, db
from blog.discussions import STATUSES, counts
from blog.models import Comment
from blog.pages import page_number
from blog.text import clean_line, fold_email

PER_PAGE = 20
NAMES = (*STATUSES, "all", "private")
# Looking for a status's first and last id costs more than it saves when the status is that common.
COMMON = 200_000
# A Select of places; how its columns are typed differs between the lines of SQLAlchemy.
Query = Any
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
        return bool(self.q or self.article or self.author or self.network)

    @property
    def audience(self) -> str:
        """Whose comments they are: everybody's, or those that only the author of the blog may read."""
        return "private" if self.status == "private" else "public"

    @property
    def rising(self) -> bool:
        """Oldest first, because somebody waits; the other views begin with the newest."""
        return self.status == "pending"


@dataclass(frozen=True)
class Found:
    """A page of a view; `older` and `newer` name where its neighbours begin, empty where there is none."""

    comments: list[Comment]
    on: str
    back: str


def find(view: View) -> Found:
    """The comments of a page, by three statements at most."""
    backwards = bool(view.before) and not view.after
    keys = search_keys(view, backwards) if view.q else plain_keys(view, backwards)
    more, keys = len(keys) > PER_PAGE, keys[:PER_PAGE]
    if backwards:
        keys.reverse()
    ids = [key.id for key in keys]
    rows = {row.id: row for row in db.session.scalars(select(Comment).where(Comment.id.in_(ids)))}
    begun = bool(view.after) or view.page > 1
    on = str(keys[-1]) if keys and (more or backwards) else ""
    back = str(keys[0]) if keys and (begun or (backwards and more)) else ""
    return Found([rows[ident] for ident in ids if ident in rows], on, back)


def plain_keys(view: View, backwards: bool) -> list[Key]:
    """One more place than a page has, in order. A view of all statuses joins the orders of each."""
    by_owner = view.article or view.author
    statuses = STATUSES if by_owner and view.status in ("all", "private") else ("",)
    rising = view.rising != backwards
    found: list[Key] = []
    for status in statuses:
        query = ordered(narrow(start(view, status), view), view, backwards)
        offset = 0 if view.after or view.before else (view.page - 1) * PER_PAGE
        if len(statuses) > 1:
            query, offset = query.limit(offset + PER_PAGE + 1), 0
        else:
            query = query.limit(PER_PAGE + 1).offset(offset)
        found += [Key(bool(row[0]), row[1], row[2]) for row in db.session.execute(query)]
    if len(statuses) > 1:
        found.sort(key=lambda key: (key.calm, key.created_at, key.id), reverse=not rising)
        found = found[0 if view.after or view.before else (view.page - 1) * PER_PAGE :]
    return found[: PER_PAGE + 1]


CALM: ColumnElement[bool] = Comment.appealed_at.is_(None)


def start(view: View, status: str) -> Query:
    """The places of a view's audience and status."""
    wanted = status or (view.status if view.status in STATUSES else "")
    calm = CALM if view.rising else literal_column("1")
    query: Query = select(calm, Comment.created_at, Comment.id).where(Comment.audience == view.audience)
    if wanted == "pending":
        # Written out: an index over what waits is no help to a value that is known only later.
        return query.where(Comment.status == literal_column("'pending'"))
    return query.where(Comment.status == wanted) if wanted else query


def narrow(query: Query, view: View) -> Query:
    """Only of an article, under an e-mail, from an address."""
    if view.article:
        query = query.where(Comment.slug == view.article)
    if view.author:
        query = query.where(Comment.email_folded == fold_email(view.author))
    if view.network:
        query = query.where(Comment.network == view.network)
    return query


def ordered(query: Query, view: View, backwards: bool) -> Query:
    """In the view's order, from where the address says."""
    order: tuple[Any, ...] = (Comment.created_at, Comment.id)
    if view.rising:
        order = (CALM, *order)
    rising = view.rising != backwards
    key = Key.read(view.before if backwards else view.after)
    if key is not None:
        here: tuple[Any, ...] = (literal(key.created_at, UtcDateTime), literal(key.id))
        if view.rising:
            here = (literal(key.calm), *here)
        place, bound = tuple_(*order), tuple_(*here)
        query = query.where(place > bound if rising else place < bound)
    return query.order_by(*(part if rising else part.desc() for part in order))


def search_keys(view: View, backwards: bool) -> list[Key]:
    """The same for words that are searched for, in the order in which comments came."""
    query, order = search.find(view.q)
    query = narrow(query, view).where(Comment.audience == view.audience)
    low, high = 0, 0
    if view.status in STATUSES:
        query = query.where(Comment.status == view.status)
        if counts()[view.status] < COMMON:
            low, high = search.span(view.audience, view.status)
    rising = view.rising != backwards
    key = Key.read(view.before if backwards else view.after)
    if high:
        query = query.where(order >= low, order <= high)
    if key is not None:
        query = query.where(order > key.id if rising else order < key.id)
    offset = 0 if key else (view.page - 1) * PER_PAGE
    query = query.order_by(order if rising else order.desc()).limit(PER_PAGE + 1).offset(offset)
    return [Key(True, EPOCH, row[0]) for row in db.session.execute(query)]
