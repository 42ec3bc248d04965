"""The queue: one view of the desk, 20 comments a page."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Response, request
from sqlalchemy import func, select

from blog import rejections
from blog.db import db, utcnow
from blog.discussions import counts
from blog.models import Comment
from blog.moderation.desk import bp, page, told
from blog.moderation.finding import find
from blog.moderation.items import items
from blog.moderation.notices import notices
from blog.moderation.views import View
from blog.shelf import library

MOST_AT_ONCE = 500
MOST_OFFERED = 50


@bp.get("/")
def queue() -> Response:
    """What waits, or another view, as the address says."""
    view, news = View.read(request.args), told()
    found = find(view)
    values: dict[str, Any] = {
        "items": items(found.comments),
        "view": view,
        "next": view.values(page=view.page + 1, after=found.on, before="") if found.on else None,
        "previous": view.values(page=max(view.page - 1, 1), after="", before=found.back)
        if found.back
        else None,
        "article": library().get(view.article) if view.article else None,
        "notices": notices(),
        "message": news["message"],
        "answer": answer(news.get("answer", 0)),
        "undoing": news.get("undoing", ""),
        "undo_ids": news.get("undo", []),
        "offer": offer(news.get("offer", [])),
        "reject_reasons": rejections.offered(),
        "drawn": drawn(),
    }
    return page("queue", **values)


def answer(ident: int) -> Comment | None:
    """The answer just written at the desk; None when it is not there any more."""
    return db.session.get(Comment, ident) if ident else None


def offer(ids: list[int]) -> dict[str, Any] | None:
    """The comments that still wait from the author of the only one just approved, if it was their first."""
    comment = db.session.get(Comment, ids[0]) if len(ids) == 1 else None
    if comment is None or comment.status != "approved" or not comment.email_folded:
        return None
    same = Comment.email_folded == comment.email_folded
    approved = select(Comment.id).where(same, Comment.status == "approved").limit(2)
    if len(db.session.scalars(approved).all()) > 1:
        return None
    waiting = select(Comment.id, Comment.author).where(
        same, Comment.status == "pending", Comment.audience == "public"
    )
    rows = db.session.execute(waiting.order_by(Comment.created_at).limit(MOST_OFFERED)).all()
    others = [row.id for row in rows if row.author == comment.author]
    return {"ids": others, "author": comment.author} if others else None


def drawn() -> str:
    """A mark of this moment: what comes to the store after it was not on this page."""
    newest = db.session.scalar(select(func.max(Comment.id))) or 0
    return f"{newest}.{int(utcnow().timestamp() * 1_000_000)}"


def mark_of(words: str) -> tuple[int, datetime] | None:
    """The newest comment and the moment that a page's mark names."""
    number, _, moment = words.partition(".")
    if not all(part.isascii() and part.isdigit() and len(part) <= 17 for part in (number, moment)):
        return None
    try:
        return int(number), datetime.fromtimestamp(int(moment) / 1_000_000, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def summary(message: str, moved: list[int], undo: list[int], given: dict[str, Any] | None) -> dict[str, Any]:
    """What the desk's script is told after a decision."""
    return {"message": message, "moved": moved, "undo": undo, "counts": counts(), "offer": given}
