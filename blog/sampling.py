"""How often Akismet is wrong, measured: a few verdicts of each kind a week, judged without seeing them.

Every verdict draws a lot, a keyed hash of its comment. A week's sample are the lowest lots of each kind. It
is kept up to date by each run of what is owed, so it needs no list of the week, and what retention deletes
has drawn before. A row holds no text: that is read from the comment, and copied only when the comment is
deleted by its age before anybody judged it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt

from sqlalchemy import BigInteger, Index, String, Text, delete, func, select, text, update
from sqlalchemy.orm import Mapped, mapped_column

from blog.db import Base, UtcDateTime, db, utcnow, write
from blog.history import Id
from blog.models import Comment
from blog.tokens import digest

KINDS = ("ham", "spam", "discard")
EACH_WEEK = 5
ENOUGH = 30
# Nobody judges what is older; then it goes, with the text if there is one.
LAPSE = timedelta(days=35)
# Verdicts that one run looks at; a run comes every minute.
BATCH = 5_000
OVERLAP = timedelta(minutes=1)
JUDGEMENTS = ("publish", "spam", "other", "unsure")


class Sample(Base):
    """One verdict that a moderator is to judge blind, or has judged."""

    __tablename__ = "sample"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    # No foreign key: the judgement outlives the comment.
    comment_id: Mapped[int] = mapped_column(BigInteger, unique=True)
    week: Mapped[str] = mapped_column(String(8))
    kind: Mapped[str] = mapped_column(String(8))
    lot: Mapped[str] = mapped_column(String(64))
    checked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # Only when the comment itself was deleted before somebody judged it.
    author: Mapped[str | None] = mapped_column(String(100))
    body: Mapped[str | None] = mapped_column(Text)
    # A keyed hash of the e-mail address beside such a copy, so that an erasure finds it.
    who: Mapped[str | None] = mapped_column(String(64))
    slug: Mapped[str] = mapped_column(String(200))
    judged_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    judged_by: Mapped[str | None] = mapped_column(String(100))
    judgement: Mapped[str | None] = mapped_column(String(8))

    __table_args__ = (
        Index("ix_sample_week", "week", "kind", "lot"),
        Index(
            "ix_sample_open",
            "week",
            "lot",
            sqlite_where=text("judgement IS NULL"),
            postgresql_where=text("judgement IS NULL"),
        ),
    )


class Drawn(Base):
    """Up to which verdict lots were drawn; one row with id 1."""

    __tablename__ = "drawn"

    id: Mapped[int] = mapped_column(primary_key=True)
    until: Mapped[datetime] = mapped_column(UtcDateTime)


def week_of(moment: datetime) -> str:
    """The ISO week, as it sorts: 2026-W07."""
    year, week, _ = moment.isocalendar()
    return f"{year}-W{week:02}"


def draw(now: datetime) -> None:
    """Let the verdicts since the last run draw their lots, before retention deletes anything."""
    drawn = db.session.get(Drawn, 1)
    until = drawn.until if drawn else now - LAPSE
    news = (
        select(Comment.id, Comment.checked_at, Comment.verdict, Comment.slug)
        # A commit may come after one with a later time. Whoever draws twice draws the same lot.
        .where(
            Comment.checked_at >= until - OVERLAP, Comment.verdict.in_(KINDS), Comment.audience == "public"
        )
        .order_by(Comment.checked_at)
        .limit(BATCH)
    )
    rows = db.session.execute(news).all()
    db.session.rollback()
    if not rows or rows[-1].checked_at <= until:
        return
    with write() as session:
        for row in rows:
            enter(row.id, row.checked_at, row.verdict, row.slug)
        session.merge(Drawn(id=1, until=rows[-1].checked_at))


def enter(comment_id: int, checked_at: datetime, kind: str, slug: str) -> None:
    """Let one verdict draw its lot; a newer one about the same comment takes the place of the old."""
    known = db.session.scalar(select(Sample).where(Sample.comment_id == comment_id))
    if known is not None and (known.judgement is not None or known.checked_at == checked_at):
        return
    if known is not None:
        db.session.delete(known)
        db.session.flush()
    week = week_of(checked_at)
    lot = digest("sample", week, str(comment_id))
    chosen = select(Sample).where(Sample.week == week, Sample.kind == kind)
    others = list(db.session.scalars(chosen.order_by(Sample.lot.desc())))
    if len(others) >= EACH_WEEK:
        worst = next((other for other in others if other.judgement is None), None)
        if worst is None or worst.lot <= lot:
            return
        db.session.delete(worst)
    db.session.add(
        Sample(comment_id=comment_id, week=week, kind=kind, lot=lot, checked_at=checked_at, slug=slug)
    )
    db.session.flush()


def keep(comment: Comment) -> None:
    """Copy what has to be judged still, before its comment is deleted by age; inside `write()`."""
    db.session.execute(
        update(Sample)
        .where(Sample.comment_id == comment.id, Sample.judgement.is_(None))
        .values(author=comment.author, body=comment.body, who=digest("sample", comment.email_folded))
    )


def forget(comment: Comment) -> None:
    """Drop a sample that nobody judged, because its author wants it gone; inside `write()`."""
    db.session.execute(delete(Sample).where(Sample.comment_id == comment.id, Sample.judgement.is_(None)))


def forget_copies(email_folded: str) -> int:
    """Drop the copies of deleted comments under this address; how many. Inside `write()`."""
    mine = delete(Sample).where(Sample.who == digest("sample", email_folded)).returning(Sample.id)
    return len(db.session.scalars(mine).all())


def copies(email_folded: str) -> list[str]:
    """The texts of deleted comments under this address that wait to be judged."""
    mine = select(Sample.body).where(Sample.who == digest("sample", email_folded), Sample.body.is_not(None))
    return [body for body in db.session.scalars(mine) if body]


def lapse(now: datetime) -> None:
    """Drop what nobody judged in time."""
    old = (Sample.judgement.is_(None), Sample.week < week_of(now - LAPSE))
    if db.session.scalar(select(Sample.id).where(*old).limit(1)) is not None:
        with write() as session:
            session.execute(delete(Sample).where(*old))


@dataclass(frozen=True)
class Blind:
    """What a moderator gets to see: nothing that says what Akismet or anybody thought of it."""

    id: int
    author: str
    body: str
    slug: str
    reflection: str = ""


def next_one(now: datetime) -> Blind | None:
    """The next sample of a week that has ended, kinds mixed; None when all are judged."""
    query = (
        select(Sample, Comment)
        .outerjoin(Comment, Comment.id == Sample.comment_id)
        .where(Sample.judgement.is_(None), Sample.week < week_of(now))
        .order_by(Sample.week, Sample.lot)
    )
    for sample, comment in db.session.execute(query):
        if sample.body:
            return Blind(sample.id, sample.author or "", sample.body, sample.slug)
        here: Comment | None = comment
        # An edited text is not the one that the verdict was about; it has drawn again by then.
        if here is not None and here.body and here.checked_at == sample.checked_at:
            return Blind(sample.id, here.author, here.body, here.slug, here.reflection)
    return None


def judge(ident: int, judgement: str, by: str) -> bool:
    """Enter what a moderator thinks and drop the text, inside `write()`; False when it was judged already."""
    sample = db.session.get(Sample, ident)
    if sample is None or sample.judgement is not None:
        return False
    sample.judgement, sample.judged_by, sample.judged_at = judgement, by, utcnow()
    sample.author = sample.body = sample.who = None
    return True


@dataclass(frozen=True)
class Rate:
    """`wrong` of `cases`, and where the true share lies with 95% certainty (Wilson), all from 0 to 1."""

    wrong: int
    cases: int
    share: float
    low: float
    high: float

    @property
    def enough(self) -> bool:
        """Whether there are cases enough to say anything."""
        return self.cases >= ENOUGH


def wilson(wrong: int, cases: int, z: float = 1.959964) -> Rate:
    """The share with Wilson's score interval; of no cases at all it can be anything."""
    if not cases:
        return Rate(0, 0, 0.0, 0.0, 1.0)
    share = wrong / cases
    middle = (share + z * z / (2 * cases)) / (1 + z * z / cases)
    half = z / (1 + z * z / cases) * sqrt(share * (1 - share) / cases + z * z / (4 * cases * cases))
    return Rate(wrong, cases, share, max(0.0, middle - half), min(1.0, middle + half))


def rates() -> dict[str, Rate]:
    """`false_positives` among what Akismet called spam, `false_negatives` among what it called ham."""
    query = (
        select(Sample.kind, Sample.judgement, func.count())
        .where(Sample.judgement.in_(("publish", "spam", "other")))
        .group_by(Sample.kind, Sample.judgement)
    )
    counted = {(kind, judgement): number for kind, judgement, number in db.session.execute(query)}

    def among(kinds: tuple[str, ...], wrong: tuple[str, ...]) -> Rate:
        cases = sum(number for (kind, _), number in counted.items() if kind in kinds)
        return wilson(sum(counted.get((kind, said), 0) for kind in kinds for said in wrong), cases)

    return {
        "false_positives": among(("spam", "discard"), ("publish", "other")),
        "false_negatives": among(("ham",), ("spam",)),
    }


def left(now: datetime) -> int:
    """How many samples can be judged now."""
    query = select(func.count()).where(Sample.judgement.is_(None), Sample.week < week_of(now))
    return db.session.scalar(query) or 0
