"""How long comments that wait have waited lately, in words for the form."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from statistics import median

from flask import current_app
from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import aliased

from blog.db import db, utcnow
from blog.history import Event

LOOK_BACK = timedelta(days=30)
FEWEST = 10
MOST = 1000


def words() -> str:
    """Such as "usually within 5 hours"; empty when too few were decided in the last 30 days to say so.

    Measured as of the full hour, so that all workers draw the same page until the next one.
    """
    hour = utcnow().replace(minute=0, second=0, microsecond=0)
    known: tuple[datetime, str] | None = current_app.extensions.get("blog.pace")
    if known is None or known[0] != hour:
        known = current_app.extensions["blog.pace"] = (hour, phrase(waits(hour)))
    return known[1]


def waits(until: datetime) -> list[timedelta]:
    """How long each comment waited, from its receipt or appeal to a person's decision."""
    rows = db.session.execute(_decided(), {"from": until - LOOK_BACK, "until": until})
    return [at - _aware(since) for at, since in rows]


@cache
def _decided() -> Select[datetime, datetime]:
    """When comments were decided, and when their waiting had begun; the latest first."""
    decided, begun = aliased(Event), aliased(Event)
    return (
        select(decided.at, func.max(begun.at))
        .join(begun, begun.comment_id == decided.comment_id)
        .where(
            decided.kind == "decided",
            decided.was == "pending",
            decided.at >= bindparam("from"),
            decided.at < bindparam("until"),
            begun.kind.in_(("received", "appealed")),
            begun.at <= decided.at,
        )
        .group_by(decided.id, decided.at)
        .order_by(decided.at.desc())
        .limit(MOST)
    )


def phrase(found: list[timedelta]) -> str:
    """The median of at least ten in words, rounded up; empty for fewer."""
    if len(found) < FEWEST:
        return ""
    hours = -(-int(median(wait.total_seconds() for wait in found)) // 3600)
    if hours <= 1:
        return "usually within an hour"
    if hours <= 48:
        return f"usually within {hours} hours"
    return f"usually within {-(-hours // 24)} days"


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
