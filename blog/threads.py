"""The public side of a discussion: which comments a page shows, in threads, without anything private.

Only the columns named here ever reach a reader's page; name them elsewhere and they stay private.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup
from sqlalchemy import ColumnElement, and_, bindparam, func, literal_column, select, tuple_, union_all

from blog.db import db
from blog.discussions import Discussion
from blog.markup.comment import render_comment, safe_url
from blog.models import DEEPEST, Comment

COLUMNS = (
    Comment.id,
    Comment.parent_id,
    Comment.depth,
    Comment.status,
    Comment.author,
    Comment.url,
    Comment.body,
    Comment.written_by,
    Comment.created_at,
    Comment.edited_at,
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a reader may see of a comment; of one that is gone only that it was there."""

    id: int
    depth: int
    status: str
    created_at: datetime
    author: str = ""
    written_by: str | None = None
    edited_at: datetime | None = None


class Node:
    """A comment of a page with what hangs below it. What is asked of it is made then, and not before."""

    __slots__ = ("_row", "_slug", "children")

    def __init__(self, slug: str, row: Any) -> None:
        self._slug, self._row = slug, row
        self.children: list[Node] = []

    @property
    def placeholder(self) -> str:
        """What became of words that are gone: withdrawn, erased, removed; empty while they are there."""
        status = self._row.status
        if status == "approved":
            return ""
        if status == "withdrawn":
            return "erased" if self._row.erased else "withdrawn"
        return "removed"

    @property
    def comment(self) -> Seen:
        """What may be said of it."""
        row = self._row
        if gone := self.placeholder:
            return Seen(row.id, row.depth, gone, row.created_at)
        return Seen(row.id, row.depth, row.status, row.created_at, row.author, row.written_by, row.edited_at)

    @property
    def html(self) -> Markup:
        """Its words."""
        return Markup("") if self.placeholder else render_comment(self._row.body)

    @property
    def url(self) -> str:
        """Where it stands, whatever page that is."""
        return f"/comments/{self._row.id}"

    @property
    def reply_url(self) -> str:
        """Where it is answered without a script."""
        return "" if self.placeholder else f"/posts/{self._slug}/replies/{self._row.id}"

    @property
    def website(self) -> str:
        """Its author's address on the web, if that is one."""
        return "" if self.placeholder else safe_url(self._row.url) or ""

    @property
    def facts(self) -> tuple[Hashable, ...]:
        """All that it says, with what is below it: the same facts are shown by the same HTML."""
        own = (self._row.id, self.placeholder) if self.placeholder else tuple(self._row)
        return (*own, *(child.facts for child in self.children))


def how_many_each() -> dict[str, int]:
    """Approved comments of each article that has any."""
    return {
        row.slug: row.approved for row in db.session.execute(select(Discussion.slug, Discussion.approved))
    }


# The places of one page's threads come out of an index alone, and only these threads are then read: the cost
# is that of the page, however many comments the article has. SQLite takes that index, which holds nothing but
# threads that are shown, only where the condition is written as the index has it: not as "shown = 1".
_SHOWN: ColumnElement[Any] = literal_column("comment.shown")
_PLACES = (
    select(Comment.id)
    .where(Comment.slug == bindparam("slug"), Comment.parent_id.is_(None), _SHOWN)
    .order_by(Comment.created_at, Comment.id)
    .limit(bindparam("size"))
    .offset(bindparam("skip"))
    .cte("places")
)
# Nobody but a moderator can send a comment without an address: another that has none was erased.
_ERASED = and_(Comment.email_folded == "", Comment.written_by.is_(None)).label("erased")
_SAID = [*(column.label(column.key) for column in COLUMNS), _ERASED]
_PAGE = union_all(
    select(*_SAID).where(Comment.id.in_(select(_PLACES.c.id))),
    select(*_SAID).where(Comment.root_id.in_(select(_PLACES.c.id)), Comment.shown),
).order_by("created_at", "id")


def page_of(slug: str, page: int, size: int) -> list[Node]:
    """The threads of one page, oldest first."""
    wanted = {"slug": slug, "size": size, "skip": (page - 1) * size}
    return assemble(slug, db.session.connection().execute(_PAGE, wanted).all())


def assemble(slug: str, rows: Sequence[Any]) -> list[Node]:
    """Hang each reply below its parent; below the deepest level all stand side by side."""
    roots = {row.id: Node(slug, row) for row in rows if row.parent_id is None}
    places = dict(roots)
    for row in rows:
        above = None if row.parent_id is None else places.get(row.parent_id)
        if above is not None:
            node = Node(slug, row)
            above.children.append(node)
            places[row.id] = node if row.depth < DEEPEST else above
    return list(roots.values())


def page_with(comment: Comment, size: int) -> int:
    """The number of the page on which a shown comment's thread stands."""
    root = comment if comment.root_id is None else db.session.get(Comment, comment.root_id)
    if root is None:
        return 1
    before = db.session.scalar(
        select(func.count())
        .select_from(Comment)
        .where(
            Comment.slug == root.slug,
            Comment.parent_id.is_(None),
            _SHOWN,
            tuple_(Comment.created_at, Comment.id) < (root.created_at, root.id),
        )
    )
    return (before or 0) // size + 1
