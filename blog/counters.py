"""The counters that limits keep in the store: a row each, shared by all workers and kept over a restart.

`Counters` looks at several once and counts for everybody who is stored in the same transaction. Keys are
sealed by limits.py: no address or name is stored.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterable
from types import ModuleType
from typing import NamedTuple

from sqlalchemy import Float, Insert, Integer, String, bindparam, case, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from blog.db import Base, db


class Limit(Base):
    """One counter: how many hits, and until when (seconds since 1970) they count."""

    __tablename__ = "rate_limit"

    key: Mapped[str] = mapped_column(String(160), primary_key=True)
    count: Mapped[int] = mapped_column(Integer)
    expires_at: Mapped[float] = mapped_column(Float(53), index=True)


class Sealed(NamedTuple):
    """A limit as the store knows it: so many times in so many seconds."""

    key: str
    times: int
    seconds: int


def _counting(dialect: ModuleType) -> Insert:
    """The one statement that counts, atomic on both databases."""
    now, until = bindparam("now", type_=Float(53)), bindparam("until", type_=Float(53))
    amount = bindparam("amount", type_=Integer)
    new = dialect.insert(Limit).values(key=bindparam("one"), count=amount, expires_at=until)
    ended = Limit.expires_at <= now
    counting: Insert = new.on_conflict_do_update(
        index_elements=[Limit.key],
        set_={
            "count": case((ended, amount), else_=Limit.count + amount),
            "expires_at": case((ended, until), else_=Limit.expires_at),
        },
    )
    return counting


COUNT = {"sqlite": _counting(sqlite), "postgresql": _counting(postgresql)}
STANDING = select(Limit.key, Limit.count, Limit.expires_at).where(
    Limit.key.in_(bindparam("keys", expanding=True))
)


def row_of(key: str, seconds: int, amount: int = 1) -> dict[str, str | float]:
    """The values of COUNT, from now on."""
    now = time.time()
    return {"one": key, "amount": amount, "now": now, "until": now + seconds}


Standings = dict[str, tuple[int, float]]  # of a key: how many, and until when they count


class Counters:
    """Counters as they stand, looked at once. A limit in no seconds at all is switched off."""

    def __init__(self, asked: Iterable[Sealed] = (), standing: Standings | None = None) -> None:
        """Looks at all of these, unless somebody has; when there are none the store is not asked."""
        if standing is None:
            keys = list({one.key for one in asked if one.seconds > 0})
            rows = db.session.connection().execute(STANDING, {"keys": keys}) if keys else ()
            standing = {key: (count, until) for key, count, until in rows}
        now = time.time()
        self._standing = {key: one for key, one in standing.items() if one[1] > now}
        self._taken: Counter[Sealed] = Counter()

    def wait(self, asked: Iterable[Sealed]) -> int:
        """Seconds until all of these may be taken; 0 when they may now."""
        waits = [0]
        for one in asked:
            count, until = self._standing.get(one.key, (0, 0.0))
            if one.seconds > 0 and count >= one.times:
                waits.append(until_then(until, one.seconds))
        return max(waits)

    def take(self, asked: Iterable[Sealed]) -> int:
        """Count each of these once, or none of them: 0 when counted, else the seconds to wait.

        Inside `write()`, where nobody else counts between the look and `store`.
        """
        wanted = {one for one in asked if one.seconds > 0}
        if refused := self.wait(wanted):
            return refused
        for one in wanted:
            count, until = self._standing.get(one.key, (0, time.time() + one.seconds))
            self._standing[one.key] = count + 1, until
            self._taken[one] += 1
        return 0

    def store(self) -> None:
        """Write down what was taken, by one statement; what is rolled back was not counted."""
        if self._taken:
            hits = [row_of(one.key, one.seconds, amount) for one, amount in self._taken.items()]
            db.session.connection().execute(COUNT[db.engine.dialect.name], hits)


def until_then(moment: float, seconds: int) -> int:
    """Whole seconds from now to the end of a window of so many."""
    return min(max(1, math.ceil(moment - time.time())), seconds)
