"""A conversation to try everything out on: threads, languages, and every state that a comment can be in.

Nothing of it is ever sent anywhere: what Akismet thinks is left open, so no feedback and no recheck is owed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import event, select

from blog.articles import Article
from blog.db import db, utcnow, write
from blog.demo_words import CONVERSATION, Said
from blog.history import Event
from blog.models import Comment
from blog.posting import seal
from blog.text import fold_email

MODERATOR = "demo"
ARTICLE = "reciprocal-relationships"


class NotEmpty(ValueError):
    """The store has comments, and a demonstration must not stand among them."""


@dataclass
class Clock:
    """The moment at which things happen in the conversation; its events are dated by it."""

    now: datetime

    def date(self, mapper: Any, connection: Any, entry: Event) -> None:
        """Date an event as it is written."""
        entry.at = self.now


def fill(article: Article) -> list[Comment]:
    """Store the conversation under an article, over the last days; its comments, oldest first.

    Raises NotEmpty when there is any comment already.
    """
    now = utcnow()
    clock = Clock(now)
    stored: dict[str, Comment] = {}
    event.listen(Event, "before_insert", clock.date)
    try:
        with write() as session:
            if session.scalar(select(Comment.id).limit(1)) is not None:
                raise NotEmpty("the store has comments already; the demonstration needs an empty one.")
            for said in sorted(CONVERSATION, key=lambda said: -said.hours_ago):
                clock.now = now - timedelta(hours=said.hours_ago)
                stored[said.who] = say(said, article, stored.get(said.to), clock)
                session.flush()
    finally:
        event.remove(Event, "before_insert", clock.date)
    return list(stored.values())


def say(said: Said, article: Article, parent: Comment | None, clock: Clock) -> Comment:
    """One comment and what became of it."""
    email = f"{said.mailbox}@example.org"
    comment = Comment(
        slug=article.slug,
        author=said.who,
        email=email,
        email_folded=fold_email(email),
        url="",
        body=said.text,
        reflection=article.reflection,
        created_at=clock.now,
        audience=said.audience,
        ip="192.0.2.1",
        network="192.0.2.1",
        user_agent="Mozilla/5.0 (demonstration)",
        no_akismet="no-akismet" in said.held,
        written_by=MODERATOR if said.by_the_blog else None,
        parent_id=parent.id if parent else None,
    )
    seal(comment)
    comment.receive(parent)
    if said.flagged:
        # Nobody asked Akismet about these, so nothing may say that it answered.
        comment.screened("spam", ["block-words"])
    elif said.by_the_blog:
        comment.publish(MODERATOR)
    else:
        comment.screened("pending" if said.held else "approved", said.held)
    comment.status_at = clock.now
    go_on(said, comment, clock)
    return comment


def go_on(said: Said, comment: Comment, clock: Clock) -> None:
    """What happened to a comment after it was screened."""
    for step in said.then:
        db.session.flush()  # what happened before is dated by the clock as it stands
        clock.now += timedelta(hours=step.after)
        if step.what == "edit":
            comment.edit(step.words, "author")
            comment.edited_at = clock.now
            continue
        if step.what == "appeal":
            comment.appeal(step.words)
            comment.appealed_at = clock.now
        elif step.what == "withdraw":
            comment.withdraw()
        else:
            comment.decide(step.what, MODERATOR, step.reason, step.words)
        comment.status_at = clock.now
