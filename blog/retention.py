"""What is deleted, and when: counted from the decision, never from the comment's own date.

What still waits for a person is never touched. For what is meant for the author of the blog only nobody has
to decide, so its time counts from its arrival.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, delete, or_, select, text

from blog import fields, following, limits, people, sampling, search
from blog.config import settings
from blog.db import db, write
from blog.history import Event, Version
from blog.models import DELETABLE, Comment

# Comments in one transaction: a fifth of a second with a million stored, for which whoever posts has to wait.
BATCH = 100
# How often the words of what was deleted are taken out of the search, too, and for how long at a time.
DAILY = ("search-tidied", "", 1, 86400)
SECONDS = 5.0


def apply(report: Any, now: datetime, dry_run: bool) -> None:
    """Delete what is due, in batches; counts go into the report's `purged` and `deleted`."""
    here = settings()
    report.deleted += in_batches(
        select(Comment.id).where(text(DELETABLE), Comment.status_at <= now - timedelta(days=here.spam_days)),
        delete_all,
        dry_run,
    )
    report.purged += in_batches(
        select(Comment.id).where(
            Comment.purged_at.is_(None),
            or_(Comment.status != "pending", Comment.audience == "private"),
            Comment.status_at <= now - timedelta(days=here.retention_days),
        ),
        lambda ids: purge(ids, now),
        dry_run,
    )
    if not dry_run:
        following.forget_gone()
        limits.purge()
        people.purge_sessions()
        if not limits.peek(*DAILY) and search.tidy(SECONDS):
            limits.hit(*DAILY)


def in_batches(query: Select[int], work: Callable[[list[int]], None], dry_run: bool) -> int:
    """Run `work` over the ids in transactions of bounded size, so that posting never waits long."""
    ids = list(db.session.scalars(query))
    db.session.rollback()
    if not dry_run:
        for start in range(0, len(ids), BATCH):
            with write():
                # Read again inside: a moderator may have decided since.
                work(list(db.session.scalars(query.where(Comment.id.in_(ids[start : start + BATCH])))))
    return len(ids)


def purge(ids: Iterable[int], now: datetime) -> None:
    """Blank what is kept only for a while."""
    for comment in db.session.scalars(select(Comment).where(Comment.id.in_(list(ids)))):
        for name in fields.TEMPORARY_COLUMNS:
            setattr(comment, name, None)
        comment.purged_at = now
        record(comment, "purged")


def delete_all(ids: Iterable[int], actor: str = "system") -> None:
    """Delete comments; one that others have replied to is emptied instead, because its place is needed.

    The youngest first, because a reply is younger than what it answers and may go too.
    """
    query = select(Comment).where(Comment.id.in_(list(ids))).order_by(Comment.id.desc())
    for comment in db.session.scalars(query):
        record(comment, "deleted", actor)
        if actor == "system":
            sampling.keep(comment)
        else:
            sampling.forget(comment)
        if db.session.scalar(select(Comment.id).where(Comment.parent_id == comment.id).limit(1)) is None:
            db.session.delete(comment)
            db.session.flush()
        else:
            empty(comment)


def empty(comment: Comment) -> None:
    """Take everything personal out of a comment and leave its place."""
    for name, value in fields.ERASED_COLUMNS.items():
        setattr(comment, name, value)
    db.session.execute(delete(Version).where(Version.comment_id == comment.id))
    following.stop(comment.id)


def record(comment: Comment, kind: str, actor: str = "system") -> None:
    """A line in the log, without personal data."""
    db.session.add(
        Event(comment_id=comment.id, actor=actor, kind=kind, was=comment.status, now=comment.status)
    )
