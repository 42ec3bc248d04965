"""Sending the mail that is owed. Nothing is queued: what is owed is asked of briefing.py and following.py.

A letter is owed until the server has taken it. Each is claimed by a conditional UPDATE before it is sent, so
two runs at once send it once; a run that dies gives its claim back by time. The network is used between
transactions, never inside one, and nobody's decision or comment waits for it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any

from sqlalchemy import Select, func, or_, select, update

from blog import briefing, following, letters, limits, mail
from blog.briefing import Briefing
from blog.config import settings
from blog.db import db, utcnow, write
from blog.discussions import counts
from blog.following import Announcement, Follow
from blog.mail import Away, Postman, Refused
from blog.models import Comment
from blog.people import Moderator
from blog.shelf import library
from blog.values import mail_server

log = logging.getLogger(__name__)

MOST_A_RUN = 100
LONGEST = 120.0  # seconds of one run; what else is owed waits for the next
LATER = timedelta(minutes=15)  # after "not now"
MUCH_LATER = timedelta(hours=1)  # after "no" to a moderator's address, which somebody has to mend


class Run:
    """One round of sending: the open conversation, and what it may do."""

    def __init__(self, report: Any, postman: Postman, regardless: bool, dry_run: bool) -> None:
        self.report, self.postman = report, postman
        self.regardless, self.dry_run = regardless, dry_run
        self.now = utcnow()
        self.ends = time.monotonic() + LONGEST
        patience = mail_server(settings().smtp_url).timeout
        self.until = self.now + timedelta(seconds=LONGEST + 3 * mail.STEPS * patience)

    @property
    def over(self) -> bool:
        """Whether this run took long enough."""
        return time.monotonic() > self.ends


def deliver(report: Any, regardless: bool, dry_run: bool) -> None:
    """Send what is owed; the number goes into the report's `mailed`."""
    if not mail.sends():
        return
    with Postman(settings()) as postman:
        run = Run(report, postman, regardless, dry_run)
        try:
            for moderator in briefing.wanting():
                brief(run, moderator)
            each(run, following.unconfirmed(run.now), ask)
            each(run, readable(following.untold(run.now, regardless)), tell)
        except Away as error:
            log.warning("mail cannot be sent at the moment: %s", error)
            report.notes.append(f"mail could not be sent ({error}); it is tried again at the next run")


def brief(run: Run, moderator: Moderator) -> None:
    """Tell one moderator, in one letter, what began to wait since the last."""
    place, end = briefing.place_of(moderator), briefing.newest_event()
    if run.over or not briefing.is_time(moderator, place, run.now, run.regardless):
        return
    query = briefing.news(place.told_event, end)
    number = db.session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    if not number:
        if end - place.told_event > briefing.IDLE and not run.dry_run:
            told(moderator.id, end, place.mailed_at)
        return
    if run.dry_run:
        run.report.mailed += 1
        return
    ident = moderator.id
    if not claim_briefing(ident, place.told_event, run.until):
        return
    try:
        shown = list(db.session.scalars(query.limit(letters.SHOWN)))
        message = letters.waiting(moderator, shown, number, counts()["pending"])
        hand_over(run, message, lambda: told(ident, end, run.now), lambda: rest(ident, None))
    except Refused as refused:
        log.warning("the mail to a moderator was refused: %s", refused)
        rest(ident, run.now + (MUCH_LATER if refused.final else LATER))


def claim_briefing(moderator_id: int, seen: int, until: datetime) -> bool:
    """Take a moderator's letter for this run, unless another has it or has sent it since `seen`."""
    free = or_(Briefing.claimed_until.is_(None), Briefing.claimed_until <= utcnow())
    with write() as session:
        if session.get(Briefing, moderator_id) is None:
            session.add(Briefing(moderator_id=moderator_id, told_event=0))
            session.flush()
        return changed(
            update(Briefing)
            .where(Briefing.moderator_id == moderator_id, Briefing.told_event == seen, free)
            .values(claimed_until=until)
        )


def told(moderator_id: int, event: int, at: datetime | None) -> None:
    """Move a moderator's place in the log on."""
    with write() as session:
        place = session.get(Briefing, moderator_id) or Briefing(moderator_id=moderator_id)
        place.told_event, place.mailed_at, place.claimed_until = event, at, None
        session.add(place)


def rest(moderator_id: int, until: datetime | None) -> None:
    """Leave a moderator's letter alone until then."""
    with write() as session:
        mine = Briefing.moderator_id == moderator_id
        session.execute(update(Briefing).where(mine).values(claimed_until=until))


def readable(query: Select[Follow]) -> Select[Follow]:
    """Only where the article can be read now."""
    return query.where(Comment.slug.in_([article.slug for article in library().articles]))


def each(run: Run, query: Select[Follow], step: Callable[[Run, int, Comment], None]) -> None:
    """Do the step for each wish of the query: at most a hundred a run, or all."""
    bounded = query if run.regardless else query.limit(MOST_A_RUN)
    idents = db.session.scalars(bounded.with_only_columns(Follow.comment_id)).all()
    db.session.rollback()
    for ident in idents:
        comment = db.session.get(Comment, ident)
        if run.over or comment is None:
            continue
        try:
            step(run, ident, comment)
        except Refused as refused:
            log.warning("the mail to a reader was refused: %s", refused)
            refuse(ident, refused.final, run.now)


def ask(run: Run, ident: int, comment: Comment) -> None:
    """Send the letter that asks for confirmation, if this address was not asked today."""
    counted = following.may_ask_now(comment.email_folded)
    if limits.wait(counted):
        return
    if run.dry_run:
        run.report.mailed += 1
    elif claim_follow(following.unconfirmed(utcnow()), ident, run.until):
        follow = db.session.get_one(Follow, ident)
        message = letters.confirmation(follow, comment)
        hand_over(run, message, lambda: asked(ident, counted), lambda: release(ident, None))


def asked(ident: int, counted: list[limits.Counted]) -> None:
    """Enter that the letter went."""
    with write() as session:
        limits.take(counted)
        mine = Follow.comment_id == ident
        session.execute(update(Follow).where(mine).values(mailed_at=utcnow(), claimed_until=None))


def tell(run: Run, ident: int, comment: Comment) -> None:
    """Send one letter about all replies that are to be told."""
    if run.dry_run:
        run.report.mailed += 1
    elif claim_follow(following.untold(run.now, run.regardless), ident, run.until):
        # Read after the claim: another run may have told some of them a moment ago.
        found = following.news_for(ident, run.now, run.regardless)
        idents = [reply.id for reply in found]
        message = letters.replies(comment, found)
        hand_over(run, message, lambda: announced(ident, idents), lambda: release(ident, None))


def announced(ident: int, replies: list[int]) -> None:
    """Enter that these replies were told; one that was deleted meanwhile needs no entry."""
    with write() as session:
        for reply in session.scalars(select(Comment.id).where(Comment.id.in_(replies))):
            session.merge(Announcement(comment_id=reply, at=utcnow()))
        session.execute(update(Follow).where(Follow.comment_id == ident).values(claimed_until=None))


def claim_follow(query: Select[Follow], ident: int, until: datetime) -> bool:
    """Take a reader's letter for this run, if it is still owed and no other run has it."""
    owed = query.where(Follow.comment_id == ident).with_only_columns(Follow.comment_id).order_by(None)
    with write():
        if db.session.scalar(owed) is None:
            return False
        return changed(update(Follow).where(Follow.comment_id == ident).values(claimed_until=until))


def release(ident: int, until: datetime | None) -> None:
    """Give a reader's letter back, to be sent not before `until`."""
    with write() as session:
        session.execute(update(Follow).where(Follow.comment_id == ident).values(claimed_until=until))


def refuse(ident: int, final: bool, now: datetime) -> None:
    """An address that takes no mail is not written to any more; "not now" is asked again later."""
    if not final:
        release(ident, now + LATER)
        return
    with write():
        following.stop(ident)


def hand_over(run: Run, message: EmailMessage, sent: Callable[[], None], back: Callable[[], None]) -> None:
    """Send a claimed letter: enter that it went, or give the claim back."""
    db.session.rollback()
    try:
        run.postman.send(message)
    except Away:
        back()
        raise
    sent()
    run.report.mailed += 1


def changed(statement: Any) -> bool:
    """Run an UPDATE; whether it found its row."""
    done: Any = db.session.execute(statement.execution_options(synchronize_session=False))
    return bool(done.rowcount)
