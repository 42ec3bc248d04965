"""Readers who asked to hear of replies to their comment, confirmed their address, and were told.

What is owed is a query over these tables and the comments. An address that was not confirmed gets one letter
that asks, and nothing else. All verbs are called inside `db.write()`.
"""

from __future__ import annotations

from datetime import datetime

from itsdangerous import BadSignature, Signer, URLSafeTimedSerializer
from sqlalchemy import ColumnElement, ForeignKey, Select, and_, delete, exists, or_, select
from sqlalchemy.orm import Mapped, aliased, mapped_column

from blog import limits
from blog.config import settings
from blog.db import Base, UtcDateTime, db, utcnow, write
from blog.models import UNDO, Comment

DAY = 86400
CONFIRM_WITHIN = 7 * DAY  # seconds
ASKS = 3  # how often somebody may ask for letters, by network and day


class Follow(Base):
    """That the author of a comment wants to hear of replies; confirmed or not yet."""

    __tablename__ = "follow"

    comment_id: Mapped[int] = mapped_column(ForeignKey("comment.id", ondelete="CASCADE"), primary_key=True)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    # When the letter that asks for confirmation was sent; null: it is owed.
    mailed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # A run of `reconcile` that is sending holds it until then; also the rest after a refusal.
    claimed_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Announcement(Base):
    """That the author of the comment above was told of this reply: once, whatever becomes of it later."""

    __tablename__ = "announcement"

    comment_id: Mapped[int] = mapped_column(ForeignKey("comment.id", ondelete="CASCADE"), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)


Reply = aliased(Comment, name="reply")


def possible(comment: Comment) -> bool:
    """Whether replies to this comment can be followed: it has, or may get, a place where all can read it."""
    return (
        bool(settings().smtp_url)
        and comment.status in ("pending", "approved")
        and comment.audience == "public"
        and bool(comment.email)
        and comment.written_by is None
    )


def state(comment: Comment) -> str:
    """What the receipt shows: "" (not possible), "off", "asked" (not confirmed yet) or "on"."""
    if not possible(comment):
        return ""
    found = db.session.get(Follow, comment.id)
    if found is None:
        return "off"
    return "on" if found.confirmed_at else "asked"


def asks_of(network: str) -> list[limits.Counted]:
    """What is counted when somebody asks to follow."""
    return [("follow", network, ASKS, DAY)]


def ask(comment: Comment) -> None:
    """Note the wish; a letter to the address asks for confirmation. Inside `write()`."""
    if db.session.get(Follow, comment.id) is None:
        db.session.add(Follow(comment_id=comment.id, asked_at=utcnow()))


def copy_of(comment_id: int) -> dict[str, str | None] | None:
    """What is kept about the wish, ready for JSON."""
    found = db.session.get(Follow, comment_id)
    if found is None:
        return None
    moments = {"asked": found.asked_at, "mailed": found.mailed_at, "confirmed": found.confirmed_at}
    return {name: at.isoformat() if at else None for name, at in moments.items()}


def stop(comment_id: int) -> None:
    """Forget the wish and the confirmation. Inside `write()`."""
    db.session.execute(delete(Follow).where(Follow.comment_id == comment_id))


def forget_gone() -> None:
    """Forget the wishes about comments that have no author any more. Not inside `write()`."""
    # From the few wishes to their comments: the other way round a store may look at every comment.
    gone = (
        select(Comment.id)
        .where(
            Comment.id == Follow.comment_id, or_(Comment.status == "withdrawn", Comment.email_folded == "")
        )
        .exists()
    )
    if db.session.scalar(select(Follow.comment_id).where(gone).limit(1)) is not None:
        with write() as session:
            session.execute(delete(Follow).where(gone))


def confirm(comment_id: int) -> None:
    """The address is its owner's, who wants the letters. Inside `write()`."""
    found = db.session.get(Follow, comment_id)
    if found is not None and found.confirmed_at is None:
        found.confirmed_at = utcnow()


def confirming_token(follow: Follow) -> str:
    """What the letter's link carries: this wish and no later one."""
    return str(_confirming().dumps([follow.comment_id, _moment(follow)]))


def to_confirm(token: str) -> Follow | None:
    """The wish that a link confirms; None for one that is foreign, too old, or was taken back."""
    try:
        ident, moment = _confirming().loads(token[:300], max_age=CONFIRM_WITHIN)
    except (BadSignature, ValueError, TypeError):
        return None
    found = db.session.get(Follow, ident)
    return found if found is not None and _moment(found) == moment else None


def ending_token(comment_id: int) -> str:
    """What a link that ends the letters about one comment carries; it has no end itself."""
    return _ending().sign(str(comment_id)).decode()


def to_end(token: str) -> int | None:
    """The comment whose letters a link ends; None for a foreign link."""
    try:
        return int(_ending().unsign(token[:200].encode("utf-8", "replace")))
    except BadSignature:
        return None


def may_ask_now(address: str) -> list[limits.Counted]:
    """What is counted when a letter asks an address: one a day, whoever typed it, however often."""
    return [("follow-mail", address, 1, DAY)]


def free(now: datetime) -> ColumnElement[bool]:
    """Held by no run at this moment."""
    return or_(Follow.claimed_until.is_(None), Follow.claimed_until <= now)


def unconfirmed(now: datetime) -> Select[Follow]:
    """Wishes whose address has to be asked; of one address, one at a time."""
    other, its = aliased(Follow), aliased(Comment)
    # Two runs must not ask one address about two comments at the same moment.
    being_asked = exists().where(
        other.comment_id == its.id,
        its.email_folded == Comment.email_folded,
        other.comment_id != Comment.id,
        other.mailed_at.is_(None),
        other.claimed_until > now,
    )
    return (
        select(Follow)
        .join(Comment, Comment.id == Follow.comment_id)
        .where(Follow.mailed_at.is_(None), Follow.confirmed_at.is_(None), free(now), ~being_asked)
        .where(Comment.status.in_(("pending", "approved")), Comment.email_folded != "")
        .where(Comment.audience == "public")
        .order_by(Follow.asked_at, Follow.comment_id)
    )


def untold(now: datetime, regardless: bool) -> Select[Follow]:
    """Confirmed wishes for which there is a reply that was not told yet."""
    return (
        select(Follow)
        .join(Comment, Comment.id == Follow.comment_id)
        .where(Follow.confirmed_at.is_not(None), free(now))
        .where(Comment.status == "approved", Comment.email_folded != "", Comment.audience == "public")
        .where(exists(select(Reply.id).where(_is_news(now, regardless))))
        .order_by(Follow.comment_id)
    )


def news_for(comment_id: int, now: datetime, regardless: bool) -> list[Comment]:
    """The replies to tell about in one letter, oldest first."""
    return list(
        db.session.scalars(
            select(Reply)
            .join(Comment, Comment.id == Reply.parent_id)
            .join(Follow, Follow.comment_id == Comment.id)
            .where(Follow.comment_id == comment_id, _is_news(now, regardless))
            .order_by(Reply.id)
            .execution_options(populate_existing=True)
        )
    )


def _is_news(now: datetime, regardless: bool) -> ColumnElement[bool]:
    """Published after the wish, by somebody else, and not told; a decision's undo time is waited out."""
    conditions = [
        Reply.parent_id == Comment.id,
        Reply.status == "approved",
        Reply.audience == "public",
        Reply.email_folded != Comment.email_folded,
        Reply.status_at >= Follow.asked_at,
        ~exists().where(Announcement.comment_id == Reply.id),
    ]
    if not regardless:
        conditions.append(or_(Reply.decided_by.is_(None), Reply.status_at <= now - UNDO))
    return and_(*conditions)


def _moment(follow: Follow) -> int:
    return int(follow.asked_at.timestamp() * 1000)


def _confirming() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings().secret_key, salt="follow-confirm")


def _ending() -> Signer:
    return Signer(settings().secret_key, salt="follow-end")
