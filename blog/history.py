"""What happened: the append-only log, and the earlier texts of edited comments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Integer, String, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from blog.db import Base, UtcDateTime, db, utcnow

Id = BigInteger().with_variant(Integer, "sqlite")


class Event(Base):
    """One line of the log: append-only (the store itself refuses changes), without personal data."""

    __tablename__ = "event"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    # No foreign key: the log outlives a comment that retention deletes.
    comment_id: Mapped[int | None] = mapped_column(Id, index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow, index=True)
    # A moderator's name, "author", "screening", "akismet" or "system".
    actor: Mapped[str] = mapped_column(String(100))
    kind: Mapped[str] = mapped_column(String(20))
    was: Mapped[str | None] = mapped_column(String(16))
    now: Mapped[str | None] = mapped_column(String(16))
    reasons: Mapped[list[str]] = mapped_column(JSON, default=list)
    note: Mapped[str] = mapped_column(Text, default="")
    data: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)

    __table_args__ = ({"sqlite_autoincrement": True},)


Line = dict[str, Any]  # the values of an Event whose comment may not be stored yet


def line(
    actor: str,
    kind: str,
    was: str | None,
    now: str | None,
    reasons: Iterable[str] = (),
    note: str = "",
    data: Mapping[str, Any] | None = None,
    at: datetime | None = None,
) -> Line:
    """What happened to a comment, for the log."""
    who = {"at": at or utcnow(), "actor": actor, "kind": kind, "was": was, "now": now}
    return {**who, "reasons": list(reasons), "note": note, "data": dict(data or {})}


def histories(ids: Iterable[int]) -> dict[int, list[Event]]:
    """The events of comments, oldest first, by one statement."""
    found: dict[int, list[Event]] = {ident: [] for ident in ids}
    query = select(Event).where(Event.comment_id.in_(found)).order_by(Event.id)
    for entry in db.session.scalars(query):
        found[entry.comment_id or 0].append(entry)
    return found


class Version(Base):
    """An earlier text of an edited comment."""

    __tablename__ = "version"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    comment_id: Mapped[int] = mapped_column(ForeignKey("comment.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    by: Mapped[str] = mapped_column(String(100))
    body: Mapped[str] = mapped_column(Text)
