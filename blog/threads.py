"""The public side of a discussion: which comments a page shows, in threads, without anything private.

Only the columns named here ever reach a reader's page; name them elsewhere and they stay private.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from markupsafe import Markup
from sqlalchemy import func, select

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


@dataclass(slots=True)
class Node:
    """A comment of a page with what hangs below it; `placeholder` instead of words that are gone."""

    comment: Seen
    html: Markup
    url: str
    reply_url: str
    website: str = ""
    placeholder: str = ""
    children: list[Node] = field(default_factory=list)


def how_many(slug: str) -> tuple[int, int]:
    """Approved comments and threads of an article."""
    row = db.session.execute(
        select(Discussion.approved, Discussion.threads).where(Discussion.slug == slug)
    ).one_or_none()
    return (0, 0) if row is None else (row.approved, row.threads)


def how_many_each() -> dict[str, int]:
    """Approved comments of each article that has any."""
    return {
        row.slug: row.approved for row in db.session.execute(select(Discussion.slug, Discussion.approved))
    }


def page_of(slug: str, page: int, size: int) -> list[Node]:
    """The threads of one page, oldest first."""
    roots = db.session.execute(
        select(*COLUMNS)
        .where(Comment.slug == slug, Comment.parent_id.is_(None), Comment.shown)
        .order_by(Comment.created_at, Comment.id)
        .limit(size)
        .offset((page - 1) * size)
    ).all()
    replies = db.session.execute(
        select(*COLUMNS)
        .where(Comment.root_id.in_([row.id for row in roots]), Comment.shown)
        .order_by(Comment.created_at, Comment.id)
    ).all()
    return assemble(slug, roots, replies)


def assemble(slug: str, roots: Sequence[Any], replies: Sequence[Any]) -> list[Node]:
    """Hang each reply below its parent; below the deepest level all stand side by side."""
    nodes: dict[int, Node] = {}
    places: dict[int, Node] = {}
    for row in roots:
        nodes[row.id] = places[row.id] = _node(slug, row)
    for row in replies:
        node = nodes[row.id] = _node(slug, row)
        above = places.get(row.parent_id)
        if above is None:
            continue  # its thread is on another page
        above.children.append(node)
        places[row.id] = node if row.depth < DEEPEST else above
    return [nodes[row.id] for row in roots]


def _node(slug: str, row: Any) -> Node:
    url, reply = f"/comments/{row.id}", f"/posts/{slug}/replies/{row.id}"
    if row.status == "approved":
        seen = Seen(row.id, row.depth, row.status, row.created_at, row.author, row.written_by, row.edited_at)
        return Node(seen, render_comment(row.body), url, reply, safe_url(row.url) or "")
    gone = "withdrawn" if row.status == "withdrawn" else "removed"
    return Node(Seen(row.id, row.depth, gone, row.created_at), Markup(""), url, "", placeholder=gone)


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
            Comment.shown,
            (Comment.created_at < root.created_at)
            | ((Comment.created_at == root.created_at) & (Comment.id < root.id)),
        )
    )
    return (before or 0) // size + 1
