"""How new comments get into the store: their rows, the history that they have so far, their articles' counts.

Each is one statement, prepared once, whatever screening has decided and however many arrive together: this
is what posted comments cost. `comment` is a models.Comment; that class stands above this module.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import Insert, Table, insert
from sqlalchemy.orm import make_transient_to_detached

from blog import discussions
from blog.db import db
from blog.history import Event

# What is returned is not read: with it, all lines are one statement and not one each.
LOG = insert(Event.__table__).returning(Event.id)  # type: ignore[arg-type]


@cache
def _entering(table: Table) -> Insert:
    return insert(table).returning(table.c.token, table.c.id)


@cache
def _columns(table: Table) -> Mapping[str, Any]:
    return {column.name: column.default for column in table.columns if not column.primary_key}


def fill(comment: Any) -> None:
    """Give every column that was not set the value that it has by default."""
    known = vars(comment)
    for name, default in _columns(type(comment).__table__).items():
        if default is not None and known.get(name) is None:
            setattr(comment, name, default.arg(None) if default.is_callable else default.arg)


def store(*comments: Any) -> list[int]:
    """Write comments that were never stored, with the histories that they have begun; the ids they got.

    Inside `write()`. The comments themselves are left as they are.
    """
    db.session.flush()
    connection, table = db.session.connection(), type(comments[0]).__table__
    names = _columns(table)
    rows = [{name: known.get(name) for name in names} for known in map(vars, comments)]
    found = {row.token: row.id for row in connection.execute(_entering(table), rows)}  # in any order
    ids = [found[one.token] for one in comments]
    begun = zip(ids, comments, strict=True)
    connection.execute(LOG, [{**line, "comment_id": ident} for ident, one in begun for line in one.begun])
    shown = Counter(one.slug for one in comments if one.shown)
    threads = Counter(one.slug for one in comments if one.shown and one.parent_id is None)
    for slug, number in shown.items():
        discussions.grow(slug, number, threads[slug])
    return ids


def follow(comment: Any) -> None:
    """Make a comment that was just stored an object of the session, so that verbs can change it."""
    make_transient_to_detached(comment)
    db.session.add(comment)
