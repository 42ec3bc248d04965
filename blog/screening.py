"""From a received comment to its status: rules, then Akismet, then the decision.

No transaction is open while Akismet is asked. What is decided here is entered in one commit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from flask import current_app

from blog import akismet_state, fields, rules, wordlists
from blog.answers import Answer
from blog.articles import Article
from blog.config import settings
from blog.db import db, utcnow
from blog.lookup import Known
from blog.models import Comment
from blog.text import fold

if TYPE_CHECKING:
    from blog.wire import Wire

RETRY = timedelta(minutes=20)
GIVE_UP = timedelta(days=15)


@dataclass(frozen=True)
class Outcome:
    """What screening decided, and all that has to be stored about it."""

    status: str
    reasons: tuple[str, ...]
    answer: Answer | None = None
    submitted: dict[str, Any] | None = None
    matched: tuple[str, ...] = ()

    @property
    def news(self) -> list[Answer]:
        """The answer, where there is one to learn from how Akismet does."""
        return [self.answer] if self.submitted is not None and self.answer is not None else []


def wire() -> Wire:
    """This process's connection to Akismet, made at first use and so after the server has forked."""
    found = current_app.extensions.get("blog.wire")
    if found is None:
        # Its client and HTTP take a while to import, and not every start asks Akismet.
        from blog.wire import Wire

        here = settings()
        found = Wire(here.akismet_key, here.site_url, here.akismet_endpoint, here.akismet_timeout)
        found = current_app.extensions.setdefault("blog.wire", found)
    return cast("Wire", found)


def past_of(comment: Comment, known: Known, honeypot: str = "") -> rules.Past:
    """What the rules may know of all that is known about a comment."""
    hold, block = wordlists.matches(comment, known.lists)
    return rules.Past(
        known=fold(comment.author) in {fold(name) for name in known.names},
        repeated=int(known.repeated),
        hold_words=tuple(map(str, hold)),
        block_words=tuple(map(str, block)),
        honeypot=honeypot,
    )


def screen(
    comment: Comment, article: Article | None, known: Known, honeypot: str = "", recheck_reason: str = ""
) -> Outcome:
    """Decide about a comment. Asks Akismet unless a rule, the author or the settings say not to.

    Ends the session's transaction before the network is used.
    """
    past = past_of(comment, known, honeypot)
    found = rules.apply(comment, past, settings())
    reasons = [rule.code for rule in found]
    said = without_akismet(comment, reasons, any(rule.blocks for rule in found))
    if said is None:
        allowed = akismet_state.may_ask(utcnow(), known.akismet)
        said = ask(comment, article, reasons, recheck_reason, honeypot, allowed)
    return replace(said, matched=past.matched)


def without_akismet(comment: Comment, reasons: list[str], blocked: bool) -> Outcome | None:
    """What follows from the author's wishes, the rules and the settings; None: Akismet has to be asked."""
    if comment.audience == "private":
        return Outcome("pending", ("private", *reasons))
    if comment.no_akismet:
        return Outcome("pending", ("no-akismet", *reasons))
    if blocked:
        return Outcome("spam", tuple(reasons))
    if not settings().screens:
        return Outcome("pending", ("no-key", *reasons))
    return None


def ask(
    comment: Comment,
    article: Article | None,
    reasons: list[str],
    recheck_reason: str,
    honeypot: str,
    allowed: bool,
) -> Outcome:
    """Ask Akismet, if that is allowed now, and join its verdict with the rules' reasons.

    Ends the session's transaction before the network is used.
    """
    submitted = fields.payload(comment, article, settings(), utcnow(), recheck_reason, honeypot)
    db.session.rollback()
    if not allowed:
        return Outcome("pending", ("unchecked", *reasons))
    answer = wire().check(submitted)
    status, why = decide(answer, reasons)
    return Outcome(status, tuple(why), answer, submitted)


def decide(answer: Answer, reasons: list[str]) -> tuple[str, list[str]]:
    """The worst of Akismet's verdict and the rules that hold."""
    if answer.verdict == "unchecked":
        return "pending", ["unchecked", *reasons]
    if answer.verdict in ("spam", "discard"):
        return "spam", [f"akismet-{answer.verdict}", *reasons]
    if answer.recheck_after is not None:
        return "pending", ["provisional", *reasons]
    return ("pending" if reasons else "approved"), reasons


def enter(comment: Comment, outcome: Outcome, kind: str = "screened") -> None:
    """Write the outcome into the comment and its history, with what it says of Akismet; inside `write()`."""
    akismet_state.note(outcome.news)
    apply(comment, outcome, kind)


def apply(comment: Comment, outcome: Outcome, kind: str = "screened") -> None:
    """Write the outcome into the comment and its history. The store is not touched."""
    now = utcnow()
    answer = outcome.answer
    data: dict[str, Any] = {}
    if outcome.submitted is not None and answer is not None:
        comment.attempts += 1
        comment.submitted = outcome.submitted
        comment.checked_at = now
        data = {"verdict": answer.verdict, "seconds": round(answer.seconds, 3)}
        if answer.verdict == "unchecked":
            comment.check_error = data["error"] = answer.error
        else:
            comment.check_error = None
            comment.verdict = answer.verdict
            comment.belief = "ham" if answer.verdict == "ham" else "spam"
            comment.guid = answer.guid or None
            comment.answer = dict(answer.headers)
    comment.matched = list(outcome.matched) or None
    comment.next_check_at, comment.recheck_reason = owed(outcome, now)
    comment.screened(outcome.status, outcome.reasons, kind, **data)


def owed(outcome: Outcome, now: datetime) -> tuple[datetime | None, str | None]:
    """When Akismet has to be asked again, and why; nothing once it has answered for good."""
    if "provisional" in outcome.reasons and outcome.answer is not None:
        return now + timedelta(seconds=outcome.answer.recheck_after or 0), "recheck"
    if "unchecked" in outcome.reasons or "no-key" in outcome.reasons:
        return now + RETRY, "retry"
    return None, None
