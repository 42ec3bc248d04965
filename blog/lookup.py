"""All that the store is asked about a comment before Akismet is: one statement, whatever it is about.

Asked one by one, these questions cost a posted comment more than their answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Float,
    Integer,
    Select,
    String,
    bindparam,
    cast,
    literal_column,
    null,
    select,
    union_all,
)
from sqlalchemy.sql.elements import SQLCoreOperations

from blog.akismet_state import AkismetState, Standing
from blog.counters import Limit, Sealed, Standings
from blog.db import UtcDateTime, reading
from blog.models import Comment
from blog.wordlists import WordList

EARLIER, NAME, SAME, LIST, AKISMET, COUNTER = range(6)
MOST_LIMITS = 3  # that one comment has to keep


class Earlier(NamedTuple):
    """What tells whether an answer that is there already was sent by the same person just now."""

    token: str
    network: str | None
    created_at: datetime


class Known(NamedTuple):
    """What the store knows about a comment, its author and its text."""

    earlier: Earlier | None  # the last comment with the same words of the same author at the same place
    names: list[str]  # under which its e-mail was published
    repeated: bool  # whether another comment has the same text
    lists: dict[str, int]  # the word lists that there are, with their versions
    akismet: Standing | None
    counters: Standings


Column = SQLCoreOperations[Any]


def _facts(
    kind: int,
    words: Column | None = None,
    more: Column | None = None,
    at: Column | None = None,
    number: Column | None = None,
    moment: Column | None = None,
) -> Select[*tuple[Any, ...]]:
    """One kind of answer; each has the columns that it needs of these."""

    def given(column: Column | None, kind: Any) -> ColumnElement[Any]:
        return cast(null(), kind) if column is None else column  # type: ignore[return-value]

    return select(
        literal_column(str(kind), Integer).label("kind"),
        given(words, String).label("words"),
        given(more, String).label("more"),
        given(at, UtcDateTime).label("at"),
        given(number, Integer).label("number"),
        given(moment, Float(53)).label("moment"),
    )


# Not a value beside the statement: SQLite would prepare it anew each time, because an index holds only the
# comments of one status, and which one is asked for decides whether that can be used.
_APPROVED: ColumnElement[str] = literal_column("'approved'")
_EARLIER = (
    select(Comment.token, Comment.network, Comment.created_at)
    .where(Comment.digest == bindparam("digest"))
    .order_by(Comment.id.desc())
    .limit(1)
    .subquery("earlier")
)
_NAMES = (
    select(Comment.author)
    .where(Comment.email_folded == bindparam("email"), Comment.status == _APPROVED)
    .distinct()
    .limit(50)
    .subquery("names")
)
_SAME = (
    select(Comment.id)
    .where(Comment.body_digest == bindparam("body_digest"), Comment.id != bindparam("me"))
    .limit(1)
    .subquery("same")
)
_ALL = union_all(
    _facts(EARLIER, _EARLIER.c.token, _EARLIER.c.network, _EARLIER.c.created_at),
    _facts(NAME, _NAMES.c.author),
    _facts(SAME, number=_SAME.c.id),
    _facts(LIST, WordList.name, number=WordList.version),
    _facts(AKISMET, at=AkismetState.retry_at, number=AkismetState.failures).where(AkismetState.id == 1),
    _facts(COUNTER, Limit.key, number=Limit.count, moment=Limit.expires_at).where(
        Limit.key.in_([bindparam(f"key{number}") for number in range(MOST_LIMITS)])
    ),
)


_NO_KEYS = {f"key{number}": "" for number in range(MOST_LIMITS)}


def look(comment: Comment, limits: Sequence[Sealed] = ()) -> Known:
    """What the store knows about a comment, stored or not, and how these limits stand. Only reads."""
    given = {
        **_NO_KEYS,
        **{f"key{number}": one.key for number, one in enumerate(limits)},
        "digest": comment.digest,
        "email": comment.email_folded,
        "body_digest": comment.body_digest,
        "me": comment.id or 0,
    }
    found: list[list[Any]] = [[] for _ in range(6)]
    with reading() as connection:
        for kind, *facts in connection.execute(_ALL, given):
            found[kind].append(facts)
    return Known(
        earlier=next((Earlier(*one[:3]) for one in found[EARLIER]), None),
        names=[one[0] for one in found[NAME]],
        repeated=bool(found[SAME]),
        lists={name: version for name, _, _, version, _ in found[LIST]},
        akismet=next((Standing(one[3], one[2]) for one in found[AKISMET]), None),
        counters={key: (count, until) for key, _, _, count, until in found[COUNTER]},
    )
