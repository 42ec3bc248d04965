"""The reasons with which a moderator can reject: the six that always exist, and what the owner made of them.

The store holds only what differs from rules.REJECTIONS. A reason that was used once keeps its words for ever,
because receipts show them; it can only cease to be offered.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import String, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from blog import rules
from blog.db import Base, db
from blog.text import clean_line, fold

MOST = 30
MODERATOR = 100
AUTHOR = 300


class Rejection(Base):
    """A reason that the owner wrote, or a known one in the owner's words."""

    __tablename__ = "rejection"

    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    place: Mapped[int] = mapped_column(default=0)
    moderator: Mapped[str] = mapped_column(String(MODERATOR))
    author: Mapped[str] = mapped_column(Text)
    offered: Mapped[bool] = mapped_column(default=True)


@dataclass(frozen=True)
class Choice:
    """A reason as the desk offers it: its code, what moderators see, what the author sees."""

    code: str
    moderator: str
    author: str
    offered: bool = True
    ours: bool = False  # one of the six, which other programs count on


def choices() -> list[Choice]:
    """All reasons in their order, also those that are not offered (any more)."""
    stored = {row.code: row for row in db.session.scalars(select(Rejection).order_by(Rejection.place))}
    made = []
    for known in rules.REJECTIONS:
        row = stored.pop(known.code, None)
        source = row or known
        made.append(
            Choice(known.code, source.moderator, source.author, row is None or row.offered, ours=True)
        )
    own = [Choice(row.code, row.moderator, row.author, row.offered) for row in stored.values()]
    # "other" asks for words and so stands last.
    return [*made[:-1], *own, made[-1]]


def offered() -> list[tuple[str, str]]:
    """Code and label of each reason that the desk offers."""
    return [(choice.code, choice.moderator) for choice in choices() if choice.offered]


def is_reason(code: str) -> bool:
    """Whether a decision may carry this code."""
    known = {reason.code for reason in rules.REJECTIONS}
    return code in known or (len(code) <= 40 and db.session.get(Rejection, code) is not None)


def words_of(code: str, author: bool = False) -> str:
    """A rejection's words for the moderator or the author; the code itself when nothing is known."""
    row = db.session.get(Rejection, code)
    known = row or next((reason for reason in rules.REJECTIONS if reason.code == code), None)
    if known is None:
        return code
    return known.author if author else known.moderator


def put(code: str, moderator: str, author: str, is_offered: bool) -> str:
    """Write a reason, a new one when the code is empty; its code. Inside `write()`. Raises ValueError."""
    moderator, author = clean_line(moderator)[:MODERATOR], clean_line(author)[:AUTHOR]
    if not moderator or not author:
        raise ValueError("A reason needs a name for moderators and a sentence for the author.")
    existing = choices()
    if not code:
        if len(existing) >= MOST:
            raise ValueError(f"There can be {MOST} reasons at most.")
        stem = re.sub(r"[^a-z0-9]+", "-", fold(moderator)).strip("-")[:30] or "reason"
        taken = {choice.code for choice in existing} | set(rules.REASONS)
        code = next(name for name in (stem, *(f"{stem}-{n}" for n in range(2, 99))) if name not in taken)
    elif code not in {choice.code for choice in existing}:
        raise ValueError("That reason does not exist.")
    row = db.session.get(Rejection, code)
    if row is None:
        row = Rejection(code=code, place=len(existing))
        db.session.add(row)
    # "other" is what remains when nothing fits, so it is always there.
    row.moderator, row.author, row.offered = moderator, author, is_offered or code == "other"
    return code
