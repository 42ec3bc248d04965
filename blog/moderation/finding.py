"""The comments of a page of a view, in its order, by few statements whose orders are those of indexes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, false, func, literal, literal_column, select, tuple_

from blog import search
from blog.db import UtcDateTime, db
from blog.discussions import STATUSES, counts
from blog.models import Comment
from blog.moderation.views import EPOCH, PER_PAGE, Key, View
from blog.text import fold_email

# So many comments of a view, or fewer, are looked up at once to be searched among.
FEW = 20_000
# Looking for a status's first and last id costs more than it saves when the status is that common.
COMMON = 200_000
# A Select of places; how its columns are typed differs between the lines of SQLAlchemy.
Query = Any


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
    if view.owned and view.status in ("all", "private"):
        return joined_keys(view, backwards)
    skipped = 0 if view.after or view.before else (view.page - 1) * PER_PAGE
    if not skipped or view.owned:
        return keys(view, backwards, PER_PAGE + 1, skipped)
    return far_keys(view, skipped)


def joined_keys(view: View, backwards: bool) -> list[Key]:
    """The same for an article's or a person's comments of all statuses: each has an order of its own."""
    skipped = 0 if view.after or view.before else (view.page - 1) * PER_PAGE
    wanted = skipped + PER_PAGE + 1
    found = [key for status in STATUSES for key in keys(view, backwards, wanted, status=status)]
    found.sort(key=lambda key: (key.created_at, key.id), reverse=view.rising == backwards)
    return found[skipped:wanted]


def far_keys(view: View, skipped: int) -> list[Key]:
    """A page far from the beginning, counted from whichever end is nearer."""
    rest = counts()[view.status] - skipped
    if rest > skipped:
        return keys(view, False, PER_PAGE + 1, skipped)
    wanted = min(rest, PER_PAGE + 1)
    return keys(view, True, wanted, rest - wanted)[::-1] if wanted > 0 else []


def keys(view: View, backwards: bool, wanted: int, skipped: int = 0, status: str = "") -> list[Key]:
    """The places from where the address says, by one statement."""
    query = ordered(narrow(start(view, status), view), view, backwards).limit(wanted).offset(skipped)
    return [Key(bool(row[0]), row[1], row[2]) for row in db.session.execute(query)]


CALM: ColumnElement[bool] = Comment.appealed_at.is_(None)


def start(view: View, status: str) -> Query:
    """The places of a view's audience and status."""
    wanted = status or (view.status if view.status in STATUSES else "")
    calm = CALM if view.urgent else literal_column("1")
    query: Query = select(calm, Comment.created_at, Comment.id).where(audience(view))
    if wanted == "pending":
        # Written out: an index over what waits is no help to a value that is known only later.
        return query.where(Comment.status == literal_column("'pending'"))
    return query.where(Comment.status == wanted) if wanted else query


def audience(view: View) -> ColumnElement[bool]:
    """Whose comments. In a narrowed view in words that let no index of whole statuses seem as good."""
    column = func.coalesce(Comment.audience, "") if view.owned else Comment.audience
    return column == view.audience


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
    if view.urgent:
        order = (CALM, *order)
    rising = view.rising != backwards
    key = Key.read(view.before if backwards else view.after)
    if key is not None:
        here: tuple[Any, ...] = (literal(key.created_at, UtcDateTime), literal(key.id))
        if view.urgent:
            here = (literal(key.calm), *here)
        place, bound = tuple_(*order), tuple_(*here)
        query = query.where(place > bound if rising else place < bound)
    return query.order_by(*(part if rising else part.desc() for part in order))


def search_keys(view: View, backwards: bool) -> list[Key]:
    """The same for words that are searched for, in the order in which comments came."""
    query, order = search.find(view.q)
    query = within(view, query, order)
    key = Key.read(view.before if backwards else view.after)
    rising = view.rising != backwards
    if key is not None:
        query = query.where(order > key.id if rising else order < key.id)
    offset = 0 if key else (view.page - 1) * PER_PAGE
    query = query.order_by(order if rising else order.desc()).limit(PER_PAGE + 1).offset(offset)
    return [Key(True, EPOCH, row[0]) for row in db.session.execute(query)]


def within(view: View, query: Query, order: ColumnElement[int]) -> Query:
    """A search for a view's own comments: among few these are looked up first, among many last."""
    mine = narrow(select(Comment.id).where(audience(view)), view)
    if view.status in STATUSES:
        mine = mine.where(Comment.status == view.status)
    number = db.session.scalar(select(func.count()).select_from(mine.limit(FEW + 1).subquery())) or 0
    if number <= FEW:
        return search.among(query, order, mine) if number else query.where(false())
    query = narrow(query, view).where(Comment.audience == view.audience)
    if view.status in STATUSES:
        query = query.where(Comment.status == view.status)
        if counts()[view.status] < COMMON:
            low, high = search.span(view.audience, view.status)
            query = query.where(order >= low, order <= high)
    return query
