"""What happened to comments, in numbers: one row for each day that has ended, made from the log.

The log outlives the comments, so these numbers do too, and there is nothing personal in them. A page reads
a few hundred short rows, however many comments there are.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from statistics import median
from typing import Any

from sqlalchemy import JSON, String, func, select
from sqlalchemy.orm import Mapped, mapped_column

from blog.db import Base, db, write
from blog.history import Event

# Days that one run enters; a run comes every minute.
DAYS_A_RUN = 31
SCREENED = ("screened", "rechecked")
# Waiting times kept of one day; more than that would say nothing more.
MOST_WAITS = 2_000


class Day(Base):
    """The figures of one day."""

    __tablename__ = "day"

    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    data: Mapped[dict[str, Any]] = mapped_column(JSON)


def roll_up(now: datetime) -> None:
    """Enter the figures of days that have ended since the last one entered."""
    today = now.date()
    last = db.session.scalar(select(func.max(Day.day)))
    if last is not None and date.fromisoformat(last) >= today - timedelta(days=1):
        db.session.rollback()
        return
    first = db.session.scalar(select(func.min(Event.at))) if last is None else None
    begin = date.fromisoformat(last) + timedelta(days=1) if last else (first.date() if first else today)
    days = [begin + timedelta(days=n) for n in range(min(DAYS_A_RUN, (today - begin).days))]
    found = [(day.isoformat(), of_day(day)) for day in days]
    db.session.rollback()
    if found:
        with write() as session:
            for name, data in found:
                session.merge(Day(day=name, data=data))


def of_day(day: date) -> dict[str, Any]:
    """The figures of one day, from the log."""
    begin = datetime.combine(day, time(), UTC)
    inside = (Event.at >= begin, Event.at < begin + timedelta(days=1))
    counted: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    decided: dict[int, datetime] = {}
    for event in db.session.scalars(select(Event).where(*inside).order_by(Event.id)):
        counted.update(names(event))
        if event.kind == "screened" and event.now in ("pending", "spam"):
            reasons.update(event.reasons)
        if event.kind == "decided" and event.was == "pending" and event.comment_id is not None:
            decided.setdefault(event.comment_id, event.at)
    waits = sorted(waits_of(decided))
    return {
        "counts": dict(counted),
        "reasons": dict(reasons),
        "waits": waits[:: len(waits) // MOST_WAITS + 1],
    }


def names(event: Event) -> Iterable[str]:
    """What an event counts as."""
    if event.kind == "received":
        yield "received"
    if event.now == "approved" and event.was != "approved":
        yield "published"
    if event.kind == "screened" and event.now == "pending":
        yield "held"
    if event.now == "spam" and event.kind in SCREENED and event.was != "spam":
        yield "flagged"
    if event.kind in ("feedback", "appealed"):
        yield event.kind
    if event.kind == "decided":
        yield "decided"
    if event.kind in SCREENED and "verdict" in event.data:
        yield "unanswered" if event.data["verdict"] == "unchecked" else "answered"


def waits_of(decided: Mapping[int, datetime]) -> Iterable[int]:
    """The seconds that each comment had waited for a person, since it came or was appealed."""
    ids = list(decided)
    for start in range(0, len(ids), 500):
        some = select(Event.comment_id, Event.at).where(
            Event.comment_id.in_(ids[start : start + 500]), Event.kind.in_(("received", "appealed"))
        )
        rows = db.session.execute(some.order_by(Event.id))
        since = {ident: at for ident, at in rows if ident is not None and at <= decided[ident]}
        yield from (int((decided[ident] - at).total_seconds()) for ident, at in since.items())


@dataclass
class Month:
    """The figures of one month; `name` is 2026-11."""

    name: str
    counts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    waits: list[int] = field(default_factory=list)

    def add(self, data: Mapping[str, Any]) -> None:
        """Add a day's."""
        self.counts.update(data["counts"])
        self.reasons.update(data["reasons"])
        self.waits.extend(data["waits"])

    @property
    def wait(self) -> tuple[int, int] | None:
        """Median and 90th percentile of the waiting time in seconds; None when nobody decided."""
        ordered = sorted(self.waits)
        return (int(median(ordered)), ordered[-(-len(ordered) * 9 // 10) - 1]) if ordered else None

    @property
    def availability(self) -> float | None:
        """The share of questions that Akismet answered; None when it was not asked."""
        asked = self.counts["answered"] + self.counts["unanswered"]
        return self.counts["answered"] / asked if asked else None

    def plain(self) -> dict[str, Any]:
        """For JSON; times in seconds."""
        return {
            "month": self.name,
            **{name: self.counts[name] for name in COUNTED},
            "reasons": dict(sorted(self.reasons.items())),
            "waiting_median": self.wait[0] if self.wait else None,
            "waiting_90": self.wait[1] if self.wait else None,
            "akismet_availability": self.availability,
        }


COUNTED = (
    "received",
    "published",
    "held",
    "flagged",
    "decided",
    "appealed",
    "feedback",
    "answered",
    "unanswered",
)


def months(now: datetime, *, with_today: bool = True) -> list[Month]:
    """The last twelve months with anything in them, oldest first; today is read from the log itself."""
    last_year = f"{now.year - 1}-{now.month:02}-31"
    found: defaultdict[str, Month] = defaultdict(lambda: Month(""))
    rows = select(Day.day, Day.data).where(Day.day > last_year).order_by(Day.day)
    days = [(name, data) for name, data in db.session.execute(rows)]
    if with_today:
        days.append((now.date().isoformat(), of_day(now.date())))
    for name, data in days:
        found[name[:7]].name = name[:7]
        found[name[:7]].add(data)
    return list(found.values())


def altogether(some: Iterable[Month]) -> Month:
    """All of these in one."""
    whole = Month("")
    for month in some:
        whole.counts.update(month.counts)
        whole.reasons.update(month.reasons)
        whole.waits.extend(month.waits)
    return whole
