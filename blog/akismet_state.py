"""How Akismet has been doing: the last alert, and the breaker that stops asking for a while.

One row, shared by all workers and kept over a restart. It is written only when it changes, so while
Akismet works a posted comment pays nothing for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Row, String, Text, select, update
from sqlalchemy.orm import Mapped, mapped_column

from blog.answers import Answer, KeyState, Taught
from blog.db import Base, UtcDateTime, db, utcnow, write
from blog.discussions import publish_site
from blog.models import Comment

FAILURES = 5
PAUSE = timedelta(seconds=60)


class AkismetState(Base):
    """What is known about Akismet; one row with id 1."""

    __tablename__ = "service"  # as the first migration named it

    id: Mapped[int] = mapped_column(primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)
    # With FAILURES reached nobody asks before this moment; then one does.
    retry_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_error: Mapped[str] = mapped_column(String(40), default="")
    failed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    worked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    alert_code: Mapped[int | None]
    alert_message: Mapped[str] = mapped_column(Text, default="")
    # valid, invalid, unknown; "" before the key was looked at. The digest tells a new key from the old.
    key_state: Mapped[str] = mapped_column(String(8), default="")
    key_digest: Mapped[str] = mapped_column(String(64), default="")

    @property
    def broken(self) -> bool:
        """Whether the breaker is open: Akismet failed several times in a row."""
        return self.failures >= FAILURES


class Standing(NamedTuple):
    """What decides whether Akismet may be asked."""

    failures: int
    retry_at: datetime | None


# What posted comments ask of it when they are stored; most find that there is nothing to say.
GLANCE = select(
    AkismetState.failures,
    AkismetState.retry_at,
    AkismetState.worked_at,
    AkismetState.alert_code,
    AkismetState.alert_message,
).where(AkismetState.id == 1)


def current() -> AkismetState:
    """The row as it stands; a fresh one before the first answer."""
    return db.session.get(AkismetState, 1) or AkismetState(
        id=1, failures=0, last_error="", alert_message="", key_state="", key_digest=""
    )


def may_ask(now: datetime, standing: Standing | None) -> bool:
    """Whether Akismet, of which this is known, may be asked. With the breaker open one caller in each pause
    gets a yes.

    Ends the session's transaction when it has to claim that turn.
    """
    if standing is None or standing.failures < FAILURES or standing.retry_at is None:
        return True
    if standing.retry_at > now:
        return False
    with write() as session:
        claimed = session.execute(
            update(AkismetState)
            .where(AkismetState.id == 1, AkismetState.retry_at <= now)
            .values(retry_at=now + PAUSE)
        )
        return bool(claimed.rowcount)  # type: ignore[attr-defined]


def note(answers: Sequence[Answer]) -> None:
    """Enter what answers say about Akismet; inside `write()`, with the comments they were about."""
    if not answers:
        return
    now, state = utcnow(), _glance()
    if not all(_is_as_usual(answer, state, now) for answer in answers):
        for answer in answers:
            _note(answer, now)


def _note(answer: Answer, now: datetime) -> None:
    state = _row()
    hear(state, answer)
    if answer.error in ("incomplete", "internal"):
        return  # our own fault, not Akismet's
    if answer.verdict == "unchecked":
        _failed(state, answer, now)
    else:
        _worked(state, now)


def _is_as_usual(answer: Answer, state: Row[*tuple[Any, ...]] | None, now: datetime) -> bool:
    """Whether a verdict came, as the last one did a moment ago."""
    return (
        state is not None
        and answer.verdict != "unchecked"
        and not state.failures
        and state.worked_at is not None
        and now - state.worked_at <= PAUSE
        and (state.alert_code, state.alert_message) == (answer.alert_code, answer.alert_message)
    )


def _glance() -> Row[*tuple[Any, ...]] | None:
    return db.session.connection().execute(GLANCE).first()


def hear(state: AkismetState, answer: Answer | Taught | KeyState) -> None:
    """Every answer sets or clears the alert; what never reached Akismet says nothing about it."""
    answered = answer.headers or not answer.error
    if answered and (state.alert_code, state.alert_message) != (answer.alert_code, answer.alert_message):
        state.alert_code, state.alert_message = answer.alert_code, answer.alert_message


def _failed(state: AkismetState, answer: Answer, now: datetime) -> None:
    was_broken = state.broken
    state.failures = min(state.failures + 1, 1_000_000)
    state.last_error, state.failed_at = answer.error, now
    state.retry_at = now + max(PAUSE, timedelta(seconds=min(answer.retry_after or 0, 3600)))
    if state.broken and not was_broken:
        publish_site()  # the line at the form says that screening is down


def _worked(state: AkismetState, now: datetime) -> None:
    if state.failures:
        if state.broken:
            publish_site()
        state.failures, state.retry_at, state.last_error = 0, None, ""
        _bring_forward(now)
    if state.worked_at is None or now - state.worked_at > PAUSE:
        state.worked_at = now


def _bring_forward(now: datetime) -> None:
    # A live call works again, so what could not be asked need not wait out its time.
    db.session.execute(
        update(Comment)
        .where(Comment.next_check_at > now, Comment.recheck_reason == "retry")
        .values(next_check_at=now)
    )


def tried_again(answer: KeyState) -> None:
    """Half open or keep open the breaker after a look at the key, inside `write()`.

    An answer about the key is a live call that works, but says nothing about verdicts: what waits is asked
    about now, and the first failure opens the breaker again.
    """
    state, now = _row(), utcnow()
    if not state.broken:
        return
    if answer.state != "valid":
        state.retry_at = now + PAUSE
        return
    state.failures, state.retry_at = FAILURES - 1, None
    publish_site()
    _bring_forward(now)


def saw_key(answer: KeyState, sealed: str) -> None:
    """Enter what verify-key said about the key with this digest, inside `write()`."""
    state = _row()
    hear(state, answer)
    state.key_state, state.key_digest = answer.state, sealed


def taught(answer: Taught) -> None:
    """Enter what an answer to feedback says about Akismet, inside `write()`."""
    hear(_row(), answer)


def _row() -> AkismetState:
    state = db.session.get(AkismetState, 1)
    if state is None:
        state = current()
        db.session.add(state)
    return state
