"""What is counted once and not at every request: each article's discussion, and the views of the desk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import Any

from sqlalchemy import BigInteger, Insert, Integer, Select, String, bindparam, case, exists, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, aliased, mapped_column

from blog.db import Base, db, publish, utcnow
from blog.history import Event, Line

STATUSES = ("pending", "approved", "spam", "rejected", "withdrawn")


class Discussion(Base):
    """What an article's page needs to know without counting; `version` grows with each public change."""

    __tablename__ = "discussion"

    slug: Mapped[str] = mapped_column(String(200), primary_key=True)
    approved: Mapped[int] = mapped_column(default=0)
    threads: Mapped[int] = mapped_column(default=0)
    # Microseconds of the last change: one number orders the changes of all articles.
    version: Mapped[int] = mapped_column(BigInteger, default=0, index=True)

    def changed(self) -> None:
        """Let every cached page of this article go."""
        self.version = max((self.version or 0) + 1, _moment())
        publish()


class Tally(Base):
    """How many comments a view of the desk holds; kept by triggers, so it is always right."""

    __tablename__ = "tally"

    # "public-pending", "private-approved" ...: audience and status.
    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    comments: Mapped[int] = mapped_column(BigInteger, default=0)


def discussion(slug: str) -> Discussion:
    """The article's row; made when it is the article's first. Inside `write()`."""
    found = db.session.get(Discussion, slug)
    if found is None:
        found = Discussion(slug=slug, approved=0, threads=0, version=0)
        db.session.add(found)
        db.session.flush()
    return found


# A Comment, which is made of what stands here and so cannot be named.
Comment = Any


@contextmanager
def together() -> Iterator[None]:
    """Let what is decided inside be settled as one at the end, and written to the log by one statement."""
    moved: list[Comment] = []
    lines: list[Line] = []
    db.session.info.update(together=moved, lines=lines)
    try:
        yield
    finally:
        del db.session.info["together"], db.session.info["lines"]
    settle(moved)
    if lines:
        db.session.execute(insert(Event), lines)


def settle(moved: Sequence[Comment]) -> None:
    """Enter that these comments became public or ceased to be: what is shown, counted and kept in caches.

    A comment is shown when it is approved, or as a place when something below it is. However many have
    moved, the statements are as many as the levels that change.
    """
    later: list[Comment] | None = db.session.info.get("together")
    if later is not None:
        later.extend(moved)
        return
    if not moved:
        return
    places = discussions({comment.slug for comment in moved})
    for comment in moved:
        places[comment.slug].approved += 1 if comment.status == "approved" else -1
        places[comment.slug].changed()
    level = moved
    while level:
        changed = show(level)
        for comment in changed:
            if comment.parent_id is None:
                places[comment.slug].threads += 1 if comment.shown else -1
        level = parents([comment for comment in changed if comment.parent_id])


def show(comments: Sequence[Comment]) -> list[Comment]:
    """Show or hide these, as they and their replies are now; those that changed."""
    kind: Any = type(comments[0])
    # What changed below these is written already; what did not need not be, to look it up.
    with db.session.no_autoflush:
        having = set(db.session.scalars(_with_replies(kind), {"ids": [one.id for one in comments]}))
    changed = []
    for comment in comments:
        visible = comment.status == "approved" or comment.id in having
        if visible != comment.shown:
            comment.shown = visible
            changed.append(comment)
    return changed


@cache
def _with_replies(kind: Any) -> Select[Any]:
    """Which of the comments `ids` have a reply that is shown."""
    reply = aliased(kind)
    below = exists().where(reply.parent_id == kind.id, reply.shown)
    return select(kind.id).where(kind.id.in_(bindparam("ids", expanding=True)), below)


def parents(comments: Sequence[Comment]) -> Sequence[Comment]:
    """What these replied to, to be looked at after what changed below it is written."""
    if not comments:
        return ()
    db.session.flush()
    kind = type(comments[0])
    return db.session.scalars(select(kind).where(kind.id.in_([one.parent_id for one in comments]))).all()


def discussions(slugs: set[str]) -> dict[str, Discussion]:
    """The rows of these articles. Inside `write()`."""
    with db.session.no_autoflush:
        rows = db.session.scalars(select(Discussion).where(Discussion.slug.in_(slugs)))
        found = {row.slug: row for row in rows}
    return found | {slug: discussion(slug) for slug in slugs - found.keys()}


def grow(slug: str, comments: int, threads: int) -> None:
    """Count comments that are shown from their first moment on, by one statement. Inside `write()`."""
    values = {"one": slug, "comments": comments, "more": threads, "moment": _moment()}
    db.session.connection().execute(_GROW[db.engine.dialect.name], values)
    publish()


def _growing(dialect: ModuleType) -> Insert:
    moment = bindparam("moment", type_=BigInteger)
    comments, threads = bindparam("comments", type_=Integer), bindparam("more", type_=Integer)
    new = dialect.insert(Discussion).values(
        slug=bindparam("one"), approved=comments, threads=threads, version=moment
    )
    next_version = Discussion.version + 1
    grown: Insert = new.on_conflict_do_update(
        index_elements=[Discussion.slug],
        set_={
            "approved": Discussion.approved + comments,
            "threads": Discussion.threads + threads,
            "version": case((next_version > moment, next_version), else_=moment),
        },
    )
    return grown


_GROW = {"sqlite": _growing(sqlite), "postgresql": _growing(postgresql)}


def _moment() -> int:
    return int(utcnow().timestamp() * 1_000_000)


def publish_site() -> None:
    """Let the cached pages of the whole site go; the row without a slug stands for all of it."""
    discussion("").changed()


def counts() -> dict[str, int]:
    """How many public comments there are of each status, and "private" and "all"."""
    rows = {row.name: row.comments for row in db.session.execute(select(Tally.name, Tally.comments))}
    found = {status: rows.get(f"public-{status}", 0) for status in STATUSES}
    found["all"] = sum(found.values())
    found["private"] = sum(number for name, number in rows.items() if name.startswith("private-"))
    return found
