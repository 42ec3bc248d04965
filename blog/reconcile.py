"""What is owed: questions that Akismet has not answered, feedback, and what retention deletes.

Nothing here is a queue. What is owed is a query over the comments, each is claimed by a conditional
UPDATE, and so any number of runs at once send each thing once. Run by `serve` every minute and by
`comments reconcile`.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Select, or_, select, text, update

from blog import akismet_state, backups, fields, figures, outbox, retention, rules, sampling, screening
from blog.config import settings
from blog.db import db, utcnow, write
from blog.history import Event
from blog.lookup import look
from blog.models import DISAGREED, UNDO, Comment
from blog.shelf import library
from blog.tokens import digest

log = logging.getLogger(__name__)

MOST_A_RUN = 100
IN_A_ROW = 3
# Failures that are Akismet's as a whole: the next comment would meet the same.
SERVICE_WIDE = frozenset({"unreachable", "timeout", "deadline", "key-invalid", "account", "breaker"})


@dataclass
class Report:
    """What a run did, or with `dry_run` would do."""

    dry_run: bool = False
    asked: int = 0
    unanswered: int = 0
    feedback: int = 0
    purged: int = 0
    deleted: int = 0
    mailed: int = 0
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        will = "would " if self.dry_run else ""
        parts = (
            f"{will}ask again about {self.asked}"
            + (f" ({self.unanswered} without an answer)" if self.unanswered else ""),
            f"{will}send feedback on {self.feedback}",
            f"{will}delete the private data of {self.purged}",
            f"{will}delete {self.deleted} spam or rejected",
            *((f"{will}send {self.mailed} mails",) if self.mailed else ()),
        )
        return "; ".join([*parts, *self.notes])


def reconcile(regardless: bool = False, dry_run: bool = False, starting: bool = False) -> Report:
    """Do what is owed. `regardless` ignores waiting times, the breaker and the bound per run.

    `starting` looks at the key even when nothing is owed.
    """
    report = Report(dry_run=dry_run)
    now = utcnow()
    if settings().screens and not stopped(report, regardless, starting, now):
        now = utcnow()  # what was brought forward just now is due
        each(due(now, regardless), recheck, report, regardless, dry_run)
        each(disagreed(now, regardless), feed_back, report, regardless, dry_run)
    if not dry_run:
        sampling.draw(now)
        sampling.lapse(now)
        figures.roll_up(now)
    retention.apply(report, now, dry_run)
    if not dry_run:
        back_up(report, now)
    # Last: a mail server that is slow must not delay what readers and moderators wait for.
    outbox.deliver(report, regardless, dry_run)
    return report


def back_up(report: Report, now: datetime) -> None:
    """Make the copy of the day, if the settings want one and there is none yet."""
    try:
        made = backups.daily(settings(), now.date())
    except (backups.NoBackup, OSError, sqlite3.Error) as error:
        log.error("the daily backup failed: %s", type(error).__name__)
        report.notes.append(f"the daily backup failed: {error}")
        return
    if made is not None:
        report.notes.append(f"backed up to {made.name}")


def stopped(report: Report, regardless: bool, looking: bool, now: datetime) -> bool:
    """Whether Akismet is not to be asked at all now; looks at the key first, if there is anything to ask.

    `looking` looks at it anyway.
    """
    state = akismet_state.current()
    sealed = digest("akismet-key", settings().akismet_key, settings().site_url)
    new_key, was_broken = state.key_digest != sealed, state.broken
    if report.dry_run or not (looking or new_key or was_broken or owes(now, regardless)):
        return False
    if was_broken and not regardless and not new_key and state.retry_at and state.retry_at > now:
        report.notes.append("Akismet is left alone for a minute after failures")
        return True
    db.session.rollback()
    answer = screening.wire().key_state()
    with write():
        # No answer about the key is no answer about comments: the first of those will tell.
        if answer.state != "unknown":
            akismet_state.saw_key(answer, sealed)
        if was_broken:
            akismet_state.tried_again(answer)
    if answer.state == "invalid":
        report.notes.append("Akismet does not accept the key here; check AKISMET_KEY and SITE_URL")
    return answer.state == "invalid"


def owes(now: datetime, regardless: bool) -> bool:
    """Whether there is anything to ask or to tell Akismet."""
    queries = (due(now, regardless), disagreed(now, regardless))
    return any(db.session.scalar(query.limit(1)) is not None for query in queries)


def due(now: datetime, regardless: bool) -> Select[Comment]:
    """Comments that Akismet has to be asked about now and that no person has decided."""
    query = select(Comment).where(
        Comment.next_check_at.is_not(None),
        Comment.status == "pending",
        Comment.decided_by.is_(None),
        Comment.created_at > now - screening.GIVE_UP,
    )
    return (query if regardless else query.where(Comment.next_check_at <= now)).order_by(
        Comment.next_check_at, Comment.id
    )


def disagreed(now: datetime, regardless: bool) -> Select[Comment]:
    """Comments on which a person and what Akismet thinks disagree; that is all that makes feedback owed."""
    query = select(Comment).where(text(DISAGREED))
    return (query if regardless else query.where(Comment.status_at <= now - UNDO)).order_by(
        Comment.status_at, Comment.id
    )


Step = Callable[[Comment, Report, bool], str]


def each(query: Select[Comment], step: Step, report: Report, regardless: bool, dry_run: bool) -> None:
    """Claim and do one after the other; stop when Akismet is away, go on when only one comment fails."""
    failures = 0
    for ident in candidates(query, regardless):
        comment = db.session.get(Comment, ident, populate_existing=True)
        if comment is None:
            continue
        if dry_run:
            report.asked += step is recheck
            report.feedback += step is feed_back
            continue
        if not claim(query, ident):
            continue
        error = step(comment, report, regardless)
        failures = failures + 1 if error else 0
        if error in SERVICE_WIDE or failures >= IN_A_ROW:
            report.notes.append(f"stopped at a failure ({error}); the rest is tried again later")
            return


def candidates(query: Select[Comment], regardless: bool) -> Iterator[int]:
    """The ids that a run looks at: at most a hundred, or all."""
    bounded = query if regardless else query.limit(MOST_A_RUN)
    found = db.session.scalars(bounded.with_only_columns(Comment.id)).all()
    db.session.rollback()
    return iter(found)


def claim(query: Select[Comment], ident: int) -> bool:
    """Take a comment for this run, if it still qualifies and no other run has it."""
    now = utcnow()
    until = now + timedelta(seconds=60 + 2 * settings().akismet_timeout)
    free = or_(Comment.claimed_until.is_(None), Comment.claimed_until < now)
    with write() as session:
        done: Any = session.execute(
            update(Comment)
            .where(Comment.id == ident, free, query.whereclause if query.whereclause is not None else free)
            .values(claimed_until=until)
            .execution_options(synchronize_session=False)
        )
        return bool(done.rowcount)


def recheck(comment: Comment, report: Report, regardless: bool) -> str:
    """Ask about one comment again and enter the answer, unless a person has decided meanwhile."""
    comment = db.session.get_one(Comment, comment.id, populate_existing=True)
    # What was typed there was sent, and is found again in what was submitted.
    trapped = str((comment.submitted or {}).get(fields.HONEYPOT, "")) or (
        "filled" if "honeypot" in comment.reasons else ""
    )
    known = look(comment)
    past = screening.past_of(comment, known, trapped)
    found = rules.apply(comment, past, settings())
    reasons = [rule.code for rule in found]
    article = library().get(comment.slug)
    asked_for = comment.recheck_reason or "retry"
    body = comment.body
    if any(rule.blocks for rule in found):
        outcome = screening.Outcome("spam", tuple(reasons))
    else:
        allowed = regardless or akismet_state.may_ask(utcnow(), known.akismet)
        outcome = screening.ask(comment, article, reasons, asked_for, trapped, allowed)
    outcome = replace(outcome, matched=past.matched)
    if outcome.answer is None and outcome.status == "pending":
        release(comment.id)
        return "breaker"
    with write():
        fresh = db.session.get_one(Comment, comment.id, populate_existing=True)
        fresh.claimed_until = None
        # A text that was edited meanwhile was screened by that; this answer is about the old one.
        if fresh.body == body and fresh.next_check_at is not None:
            screening.enter(fresh, outcome, "rechecked")
    report.asked += 1
    answer = outcome.answer
    error = answer.error if answer is not None and answer.verdict == "unchecked" else ""
    report.unanswered += bool(error)
    return error


def feed_back(comment: Comment, report: Report, regardless: bool) -> str:
    """Tell Akismet what a person decided, with the values as they were submitted then."""
    comment = db.session.get_one(Comment, comment.id, populate_existing=True)
    kind: Literal["ham", "spam"] = "ham" if comment.status == "approved" else "spam"
    reporter, submitted = comment.decided_by or "", dict(comment.submitted or {})
    thought = {"ham": "false", "spam": "true", "discard": "true"}.get(comment.verdict or "", "")
    db.session.rollback()
    taught = screening.wire().teach(kind, submitted, reporter=reporter, check_response=thought)
    with write():
        fresh = db.session.get_one(Comment, comment.id, populate_existing=True)
        fresh.claimed_until = None
        akismet_state.taught(taught)
        if taught.ok:
            fresh.belief = kind
            db.session.add(
                Event(
                    comment_id=fresh.id,
                    actor="system",
                    kind="feedback",
                    was=fresh.status,
                    now=fresh.status,
                    data={"told": kind},
                )
            )
            report.feedback += 1
    if not taught.ok:
        log.warning("feedback was not taken: %s", taught.error)
    return "" if taught.ok else taught.error


def release(ident: int) -> None:
    """Give a claimed comment back untouched."""
    with write() as session:
        session.execute(update(Comment).where(Comment.id == ident).values(claimed_until=None))
