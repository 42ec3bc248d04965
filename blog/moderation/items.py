"""A comment as the desk shows it, with all that somebody needs to decide about it.

However many comments a page has, what belongs to them is fetched by the same few statements.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from markupsafe import Markup
from sqlalchemy import ColumnElement, Select, bindparam, func, literal_column, select
from sqlalchemy.orm import aliased

from blog import rules
from blog.db import db
from blog.discussions import STATUSES
from blog.history import Event, histories
from blog.markup.comment import render_comment
from blog.models import Comment
from blog.rejections import words_of
from blog.shelf import library
from blog.text import plain_line

VERDICTS = {
    "ham": "Akismet: not spam",
    "spam": "Akismet: spam",
    "discard": "Akismet: blatant spam",
    None: "Akismet: not asked or no answer",
}
LISTS = {"hold-words": "/moderation/lists#hold", "block-words": "/moderation/lists#block"}
# Beyond that many nobody needs to know the number.
COUNTED = 200


@dataclass
class Record:
    """What became of the other comments under an e-mail, and since when it is known."""

    first_seen: datetime | None = None
    numbers: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STATUSES, 0))

    def words(self, status: str) -> str:
        """How many there are of a status; nobody needs to know more than that there are very many."""
        number = self.numbers[status]
        return f"{number}" if number < COUNTED - 1 else f"{COUNTED - 1}+"


@dataclass(frozen=True)
class Item:
    """A comment at the desk."""

    comment: Comment
    article_title: str
    article_url: str
    html: Markup
    # Code, words, and the rule or setting behind it with its address.
    reasons: list[tuple[str, str, str, str]]
    verdict_words: str
    record: Record
    parent_author: str
    parent_words: str
    # Why a person decided so, and what they wrote to the author.
    decision: str
    note: str


def items(comments: Sequence[Comment]) -> list[Item]:
    """The comments of a page with their articles, reasons, authors' records and what they reply to."""
    shelf, parents, records = library(), _parents(comments), _records(comments)
    decisions = _decisions(comments)
    made = []
    for comment in comments:
        article = shelf.get(comment.slug)
        parent = parents.get(comment.parent_id or 0)
        decided = decisions.get(comment.id)
        made.append(
            Item(
                comment=comment,
                article_title=article.title if article else comment.slug,
                article_url=article.url if article else "",
                html=render_comment(comment.body),
                reasons=[(code, *reason(code)) for code in comment.reasons],
                verdict_words=VERDICTS.get(comment.verdict, VERDICTS[None]),
                record=_record_of(comment, records),
                parent_author=parent.author if parent else "",
                parent_words=plain_line(parent.body[:400], 200) if parent else "",
                decision=" ".join(words_of(code) for code in decided.reasons) if decided else "",
                note=decided.note if decided else "",
            )
        )
    return made


def reason(code: str) -> tuple[str, str, str]:
    """A reason in words for the moderator, and the setting or rule behind it, with its address."""
    known = rules.REASONS.get(code)
    if known is None or not known.setting:
        return (known.moderator if known else words_of(code)), "", ""
    return known.moderator, known.setting, LISTS.get(code, f"/moderation/rules#{code}")


def _parents(comments: Sequence[Comment]) -> dict[int, Any]:
    wanted = {comment.parent_id for comment in comments if comment.parent_id}
    if not wanted:
        return {}
    rows = db.session.execute(select(Comment.id, Comment.author, Comment.body).where(Comment.id.in_(wanted)))
    return {row.id: row for row in rows}


def _decisions(comments: Sequence[Comment]) -> dict[int, Event]:
    """The decisions that put comments aside and still stand."""
    aside = [one.id for one in comments if one.status in ("spam", "rejected") and one.decided_by]
    if not aside:
        return {}
    return {
        ident: event for ident, past in histories(aside).items() for event in past if event.kind == "decided"
    }


def _records(comments: Sequence[Comment]) -> dict[str, Record]:
    """The records of all authors of a page by one statement, at a bounded cost for each."""
    made = {}
    for row in db.session.execute(_records_statement(), {"shown": [comment.id for comment in comments]}):
        firsts = [moment for moment in row[2::2] if moment is not None]
        made[row[0]] = Record(min(firsts, default=None), dict(zip(STATUSES, row[1::2], strict=True)))
    return made


@cache
def _records_statement() -> Select[Any]:
    """Its columns are an address, then for each status a number and the first date.

    Putting it together takes SQLAlchemy longer than the store takes to answer it.
    """
    shown = Comment.id.in_(bindparam("shown", expanding=True))
    people = select(Comment.email_folded).where(shown, Comment.email_folded != "").distinct().subquery()
    columns = [part for status in STATUSES for part in _count(people.c.email_folded, status)]
    return select(people.c.email_folded, *columns)


def _count(email: ColumnElement[str], status: str) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """How many comments an author has of a status, up to COUNTED, and the date of the first."""
    other = aliased(Comment)
    theirs = (other.email_folded == email, other.status == literal_column(f"'{status}'"))
    some = select(other.id).where(*theirs).limit(COUNTED).correlate(email.table).subquery()
    first = select(func.min(other.created_at)).where(*theirs).scalar_subquery()
    return select(func.count()).select_from(some).scalar_subquery(), first


def _record_of(comment: Comment, records: dict[str, Record]) -> Record:
    """The record without the comment itself."""
    whole = records.get(comment.email_folded) or Record()
    numbers = {status: number - (status == comment.status) for status, number in whole.numbers.items()}
    if not comment.email_folded or not any(numbers.values()):
        return Record()
    return Record(whole.first_seen, numbers)
