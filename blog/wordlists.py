"""The owner's two word lists: one holds a comment for a person, one sends it to spam without asking Akismet.

They live in the store and are edited at the desk. Each version is made ready once in a process and shared by
its requests; whether it is still the newest is among what lookup.py asks of the store.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import current_app
from sqlalchemy import JSON, String, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from blog.db import Base, UtcDateTime, db, utcnow
from blog.history import Event
from blog.matching import Found, Unreadable, Words, read
from blog.models import Comment

log = logging.getLogger(__name__)

NAMES = ("hold", "block")
# The fields that can be searched, in the words of the desk; the columns are Comment's.
FIELDS = {
    "author": "name",
    "email": "e-mail",
    "url": "website",
    "body": "text",
    "ip": "address",
    "user_agent": "browser",
}
USUAL = ("author", "email", "url", "body")
REHEARSED = 5_000
SHOWN = 50


class WordList(Base):
    """One list as it was typed, and the fields that it looks at."""

    __tablename__ = "word_list"

    name: Mapped[str] = mapped_column(String(8), primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    fields: Mapped[list[str]] = mapped_column(JSON)
    version: Mapped[int]
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_by: Mapped[str] = mapped_column(String(100))


class Changed(ValueError):
    """Somebody else saved the list since this version of it was opened."""


@dataclass(frozen=True)
class Ready:
    """A version of a list, ready to look for."""

    version: int
    # None: it was saved by another version of this program, and this one cannot read it.
    words: Words | None
    fields: tuple[str, ...]

    def find(self, comment: Any) -> tuple[Found, ...]:
        """What it finds in a comment, or in a row with the columns of one."""
        if self.words is None:
            return ()
        texts = {FIELDS[name]: getattr(comment, name) or "" for name in self.fields}
        return self.words.find(texts, comment.ip or "")


def stored(name: str) -> WordList:
    """The list as it stands; an empty one before it was first saved."""
    empty = WordList(name=name, text="", fields=list(USUAL), version=0, changed_at=utcnow(), changed_by="")
    return db.session.get(WordList, name) or empty


def matches(comment: Comment, versions: Mapping[str, int]) -> tuple[tuple[Found, ...], tuple[Found, ...]]:
    """What the hold list and the block list find in a comment; `versions` are those in the store, by name."""
    ready = newest(versions)
    hold, block = (ready[name].find(comment) if name in ready else () for name in NAMES)
    # What a list might have caught must not be published because the list is broken.
    broken = (
        Found("a list that cannot be read", name) for name, list_ in ready.items() if list_.words is None
    )
    return (*hold, *broken), block


def newest(versions: Mapping[str, int]) -> dict[str, Ready]:
    """The lists that were saved, by name, made ready at most once a version."""
    kept: dict[str, Ready] = current_app.extensions.setdefault("blog.wordlists", {})
    for name, version in versions.items():
        if name not in kept or kept[name].version != version:
            row = db.session.get_one(WordList, name, populate_existing=True)
            kept[name] = Ready(row.version, readable(row), tuple(row.fields))
    return kept


def readable(row: WordList) -> Words | None:
    """The stored list made ready; None, and a line in the log, when it cannot be."""
    try:
        return read(row.text)
    except Unreadable as unreadable:
        first = unreadable.problems[0].line
        log.error("the %s list cannot be read (line %d); every comment is held", row.name, first)
        return None


def save(name: str, text: str, fields: Iterable[str], seen: int, by: str) -> None:
    """Store a new version over the one that was seen, and log how much changed; inside `write()`.

    Raises Unreadable for a text with a bad line, Changed when the list is not the one that was seen.
    """
    words = read(text)
    row = stored(name)
    if row.version != seen:
        raise Changed(f"{row.changed_by} has saved this list since you opened it.")
    known = readable(row)
    before = known.entries() if known is not None else frozenset()
    after = words.entries()
    row.text, row.fields, row.version = text, list(fields), row.version + 1
    row.changed_at, row.changed_by = utcnow(), by
    db.session.add(row)
    db.session.add(
        Event(
            actor=by,
            kind="list-changed",
            data={
                "list": name,
                "version": row.version,
                "added": len(after - before),
                "removed": len(before - after),
                "fields": list(row.fields),
            },
        )
    )


@dataclass(frozen=True)
class Rehearsal:
    """What a list would have done to stored comments, newest first."""

    looked_at: int
    caught: int
    published: int
    approved_by_person: int
    # The first of those caught, with what was found in them; enough to see whether the list is right.
    examples: list[tuple[Any, tuple[Found, ...]]]


def rehearse(text: str, fields: Iterable[str]) -> Rehearsal:
    """Try a list on the newest comments, without storing anything. Raises Unreadable."""
    ready = Ready(0, read(text), tuple(fields))
    columns = (Comment.id, Comment.status, Comment.decided_by, Comment.created_at)
    searched = [getattr(Comment, name) for name in FIELDS]
    rows = db.session.execute(select(*columns, *searched).order_by(Comment.id.desc()).limit(REHEARSED)).all()
    caught = [(row, found) for row in rows if (found := ready.find(row))]
    published = [row for row, _ in caught if row.status == "approved"]
    return Rehearsal(
        looked_at=len(rows),
        caught=len(caught),
        published=len(published),
        approved_by_person=sum(row.decided_by is not None for row in published),
        examples=caught[:SHOWN],
    )
