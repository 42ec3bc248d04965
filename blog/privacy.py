"""What a person may ask for: a copy of everything under an e-mail address, and its erasure.

Both cover every state, spam and rejected included, and go by the table in fields.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import select

from blog import fields, following, retention, sampling
from blog.config import settings
from blog.db import db, utcnow, write
from blog.discussions import discussion
from blog.history import Version
from blog.models import Comment
from blog.text import fold_email


def comments_of(email: str) -> list[Comment]:
    """Every comment under an address, however it was written, oldest first."""
    query = select(Comment).where(Comment.email_folded == fold_email(email)).order_by(Comment.id)
    return list(db.session.scalars(query))


def export(email: str) -> dict[str, Any]:
    """All that is kept about a person, ready for JSON."""
    return {
        "site": settings().site_url,
        "made": utcnow().isoformat(timespec="seconds"),
        "email": email,
        "comments": [copy_of(comment) for comment in comments_of(email)],
        "drawn_by_lot": sampling.copies(fold_email(email)),
    }


def copy_of(comment: Comment) -> dict[str, Any]:
    """One comment with everything that the table of personal data names, its versions and its history."""
    named = [column for field in fields.FIELDS for column in field.columns if "." not in column]
    values = {name: plain(getattr(comment, name)) for name in dict.fromkeys(named)}
    versions = select(Version).where(Version.comment_id == comment.id).order_by(Version.id)
    return {
        "id": comment.id,
        "article": comment.slug,
        "question": comment.reflection,
        "status": comment.status,
        "since": plain(comment.status_at),
        "reasons": list(comment.reasons),
        **values,
        "follows_replies": following.copy_of(comment.id),
        "earlier_texts": [{"at": plain(one.at), "text": one.body} for one in db.session.scalars(versions)],
        "history": [
            {
                "at": plain(event.at),
                "what": event.kind,
                "was": event.was,
                "now": event.now,
                "reasons": event.reasons,
                "note": event.note,
            }
            for event in comment.history()
        ],
    }


def plain(value: Any) -> Any:
    """A value as JSON can hold it."""
    return value.isoformat() if isinstance(value, datetime) else value


def erase(email: str, keep_text: bool = False) -> dict[str, int]:
    """Take a person out of every comment under an address; how many comments of each status were touched.

    The text goes too, unless `keep_text` leaves it without a name. Places that others have replied to stay.
    """
    done: dict[str, int] = {}
    with write():
        for comment in erase_these(comments_of(email), keep_text):
            done[comment.status] = done.get(comment.status, 0) + 1
        if copies := sampling.forget_copies(fold_email(email)):
            done["drawn by lot"] = copies
    return done


def erase_these(comments: Iterable[Comment], keep_text: bool) -> list[Comment]:
    """Erase these comments, inside `write()`; the log says that it was done, not whose they were."""
    found = list(comments)
    for comment in found:
        body = comment.body
        if not keep_text and comment.status in ("pending", "approved"):
            comment.withdraw()
        sampling.forget(comment)
        retention.empty(comment)
        if keep_text:
            comment.body = body
        comment.purged_at = utcnow()
        retention.record(comment, "erased")
        if comment.shown:
            discussion(comment.slug).changed()
    return found
