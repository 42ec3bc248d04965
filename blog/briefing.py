"""Which waiting comments a moderator was not told about yet, and how often somebody wants to be told.

The log tells it: a comment that began to wait has an event, and each moderator a place in the log up to which
everything was told. So a comment is told once, a second time only when its author appeals or rewrites it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import BigInteger, ForeignKey, Select, func, select
from sqlalchemy.orm import Mapped, mapped_column

from blog.config import settings
from blog.db import Base, UtcDateTime, db, write
from blog.history import Event
from blog.models import Comment
from blog.passwords import Unfit
from blog.people import Moderator, locked
from blog.values import mailbox

MODES = ("each", "digest", "off")
# In a flood of comments this is the pace of letters; each has all that came meanwhile.
PACE = {"each": timedelta(minutes=5), "digest": timedelta(days=1)}
BEGINS_TO_WAIT = ("screened", "rechecked", "appealed")
IDLE = 1000  # events about nothing that waits, after which the place in the log moves on all the same


class Briefing(Base):
    """Up to where in the log a moderator was told, and when the last letter went."""

    __tablename__ = "briefing"

    moderator_id: Mapped[int] = mapped_column(
        ForeignKey("moderator.id", ondelete="CASCADE"), primary_key=True
    )
    told_event: Mapped[int] = mapped_column(BigInteger, default=0)
    mailed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # A run of `reconcile` that is sending holds it until then; also the rest after a refusal.
    claimed_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


def set_mail(moderator: Moderator, address: str, mode: str, by: str) -> None:
    """Where and how often a moderator is told. Raises Unfit for an address that nothing can be sent to."""
    if mode not in MODES:
        raise Unfit("Choose each, digest or off.")
    if address:
        try:
            mailbox(address)
        except ValueError as error:
            raise Unfit(f"This {error}.") from None
    elif mode != "off":
        raise Unfit("Give an address, or choose off.")
    with write() as session:
        moderator = locked(moderator)
        moderator.mail, moderator.mail_mode = address, mode
        session.add(Event(actor=by, kind="mail-mode", note=f"{moderator.name}: {mode}"))


def wanting() -> list[Moderator]:
    """The moderators who want to be told."""
    query = select(Moderator).where(Moderator.active, Moderator.mail != "", Moderator.mail_mode.in_(PACE))
    return list(db.session.scalars(query.order_by(Moderator.id)))


def place_of(moderator: Moderator) -> Briefing:
    """Where a moderator stands; at the beginning of the log when nothing was told yet."""
    found = db.session.get(Briefing, moderator.id, populate_existing=True)
    return found or Briefing(moderator_id=moderator.id, told_event=0)


def is_time(moderator: Moderator, place: Briefing, now: datetime, regardless: bool) -> bool:
    """Whether a letter may go now; a digest comes once a day, whatever else is ignored."""
    if place.claimed_until is not None and place.claimed_until > now:
        return False
    if place.mailed_at is None or (regardless and moderator.mail_mode == "each"):
        return True
    return place.mailed_at <= now - PACE[moderator.mail_mode]


def newest_event() -> int:
    """The end of the log. Numbers are given in the order of commits, so nothing earlier can appear later."""
    return db.session.scalar(select(func.max(Event.id))) or 0


def news(after: int, until: int) -> Select[Comment]:
    """Comments that wait for a person and began to in this part of the log.

    A comment about which Akismet still has to be asked is told when the answer is there, because it may be
    spam. Without a key nobody is asked, and it is told at once.
    """
    began = select(Event.comment_id).where(
        Event.id > after, Event.id <= until, Event.kind.in_(BEGINS_TO_WAIT), Event.now == "pending"
    )
    query = select(Comment).where(Comment.status == "pending", Comment.id.in_(began)).order_by(Comment.id)
    return query.where(Comment.next_check_at.is_(None)) if settings().screens else query
