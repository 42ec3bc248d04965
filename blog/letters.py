"""What the blog writes to people: one function for each letter, its words in templates/mail.

Subjects hold nothing that a reader typed, and a letter to an unconfirmed address none of it anywhere: else
anybody could have the blog send their words to a stranger.
"""

from __future__ import annotations

from collections.abc import Sequence
from email.message import EmailMessage
from typing import Any

from flask import current_app

from blog import following, mail, rules
from blog.config import settings
from blog.following import Follow
from blog.mail import quoted
from blog.markup.comment import excerpt
from blog.models import Comment
from blog.people import Moderator
from blog.shelf import library

NAME = 60  # characters of a reader's name
WORDS = 300  # characters of a comment
SHOWN = 10  # comments in one letter; the desk has the others


def waiting(moderator: Moderator, comments: Sequence[Comment], number: int, queue: int) -> EmailMessage:
    """To a moderator: `number` comments began to wait, of which these are shown; `queue` wait in all."""
    here = mail.one_line(settings().site_name, 60)
    subject = f"A comment waits at {here}" if number == 1 else f"{number} comments wait at {here}"
    body = _written(
        "waiting",
        items=[_item(comment) for comment in comments],
        number=number,
        more=number - len(comments),
        queue=queue,
        mode=moderator.mail_mode,
        whom=mail.one_line(moderator.name, NAME),
    )
    return mail.letter(moderator.mail, subject, body)


def confirmation(follow: Follow, comment: Comment) -> EmailMessage:
    """To an address that somebody typed: do you want letters about replies?"""
    body = _written(
        "confirm",
        title=_title(comment.slug),
        confirm=_link("confirm", following.confirming_token(follow)),
        end=_link("unsubscribe", following.ending_token(comment.id)),
    )
    subject = f"Do you want to hear of replies at {mail.one_line(settings().site_name, 60)}?"
    return mail.letter(comment.email, subject, body, _link("unsubscribe", following.ending_token(comment.id)))


def replies(comment: Comment, found: Sequence[Comment]) -> EmailMessage:
    """To the author of a comment: these replies to it were published."""
    end = _link("unsubscribe", following.ending_token(comment.id))
    body = _written(
        "replies",
        title=_title(comment.slug),
        items=[_item(reply) for reply in found[:SHOWN]],
        more=max(0, len(found) - SHOWN),
        link=f"{settings().site_url}/comments/{comment.id}",
        end=end,
    )
    number = "A reply" if len(found) == 1 else f"{len(found)} replies"
    subject = f"{number} to your comment on {_title(comment.slug)}"
    return mail.letter(comment.email, subject, body, end)


def trial(address: str) -> EmailMessage:
    """To whoever set the mail server up: it works."""
    return mail.letter(address, f"{mail.one_line(settings().site_name, 60)} can send mail", _written("trial"))


def _written(name: str, **values: Any) -> str:
    # Without the application's context processors: they are about pages, and no request is answered here.
    template = current_app.jinja_env.get_template(f"mail/{name}.txt")
    here = settings()
    return template.render(site=here, site_name=mail.one_line(here.site_name, 60), **values)


def _item(comment: Comment) -> dict[str, Any]:
    private = comment.audience != "public"
    return {
        "author": "" if private else quoted(comment.author, NAME),
        "title": _title(comment.slug),
        # What is for the author of the blog alone does not travel by mail.
        "words": "" if private else quoted(excerpt(comment.body, WORDS), WORDS),
        "private": private,
        "moderator": comment.written_by is not None,
        "reasons": [rules.REASONS[code].moderator for code in comment.reasons if code in rules.REASONS],
        "appealed": comment.appealed_at is not None,
        "desk": f"{settings().site_url}/moderation/comments/{comment.id}",
        "public": f"{settings().site_url}/comments/{comment.id}",
    }


def _title(slug: str) -> str:
    article = library().get(slug)
    return mail.one_line(article.title if article else slug, 80)


def _link(page: str, token: str) -> str:
    return f"{settings().site_url}/mail/{page}/{token}"
