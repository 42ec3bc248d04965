"""How a new comment gets into the store: its row, the history that it has so far, and its article's counts.

Each is one statement, prepared once, whatever screening has decided: this is what a posted comment costs.
`comment` is a models.Comment throughout; that class stands above this module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Insert, Table, insert
from sqlalchemy.orm import make_transient_to_detached

from blog import discussions
from blog.db import db
from blog.history import Event, Line

LOG = insert(Event.__table__)  # type: ignore[arg-type]


@cache
def _entering(table: Table) -> Insert:
    return insert(table).returning(table.c.id)


@cache
def _columns(table: Table) -> Mapping[str, Any]:
    return {column.name: column.default for column in table.columns if not column.primary_key}


def fill(comment: Any) -> None:
    """Give every column that was not set the value that it has by default."""
    known = vars(comment)
    for name, default in _columns(type(comment).__table__).items():
        if default is not None and known.get(name) is None:
            setattr(comment, name, default.arg(None) if default.is_callable else default.arg)


def store(comment: Any, history: Sequence[Line]) -> None:
    """Write a comment that was never stored, and the first lines of its history. Inside `write()`."""
    db.session.flush()
    connection, table, known = db.session.connection(), type(comment).__table__, vars(comment)
    row = {name: known.get(name) for name in _columns(table)}
    comment.id = connection.execute(_entering(table), row).scalar_one()
    connection.execute(LOG, [{**line, "comment_id": comment.id} for line in history])
    if comment.shown:
        discussions.grow(comment.slug, comment.parent_id is None)


def follow(comment: Any) -> None:
    """Make a comment that was just stored an object of the session, so that verbs can change it."""
    make_transient_to_detached(comment)
    db.session.add(comment)
