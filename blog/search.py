"""Finding comments by words, with the store's own full text: FTS5 on SQLite, tsvector on PostgreSQL.

Each word matches from the beginning of a word in the name, the e-mail, the address, the website or the text;
capitals make no difference. Scripts that write without spaces are not cut into words by either index, so
there a plain comparison finds the words, which is slower.
"""

from __future__ import annotations

import re
import time
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, column, func, or_, select, table, text

from blog.db import db, write
from blog.models import Comment
from blog.text import clean_text

MOST = 200  # characters
MOST_WORDS = 8
# What the migration's generated column puts spaces for, and so cuts at.
MARKS = re.compile(r"[\x00-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]+")
# Thai, Lao, Burmese, Khmer, kana, Chinese characters; compiled at the first search, which takes a while.
UNSPACED = "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"
PLAIN = (Comment.author, Comment.email, Comment.ip, Comment.url, Comment.body)

FOUND = table("comment_text", column("rowid", Integer))


def readable(words: str) -> str:
    """What somebody typed into the search, whatever it was, as it can be asked for."""
    return clean_text(words)[:MOST].strip()


def find(words: str) -> tuple[Select[Any], ColumnElement[int]]:
    """The ids of the comments that have all words, and the column that orders them as they came.

    The order is the index's own, so that the first twenty of half a million need no sorting.
    """
    cut = words.split()[:MOST_WORDS]
    indexed = [word for word in cut if not re.search(UNSPACED, word)]
    query: Select[Any]
    order: ColumnElement[int]
    query, order = _indexed(indexed) if indexed else (select(Comment.id), Comment.id.expression)
    for word in cut:
        if word not in indexed:
            query = query.where(or_(*(part.contains(word, autoescape=True) for part in PLAIN)))
    return query, order


def tidy(seconds: float) -> bool:
    """Let deleted words leave SQLite's index too, for some seconds at most; whether none is left.

    FTS5 marks them as deleted first, and drops them when the pieces of its index are joined. That is done a
    few pages at a time, so that nobody who posts has to wait. Not inside `write()`.
    """
    if db.engine.dialect.name != "sqlite":
        return True
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with write() as session:
            store: Any = session.connection().connection.dbapi_connection
            before = store.total_changes
            session.execute(text("INSERT INTO comment_text (comment_text, rank) VALUES ('merge', -200)"))
            # The statement itself counts as one change.
            if store.total_changes - before < 2:
                return True
    return False


def _indexed(words: list[str]) -> tuple[Select[Any], ColumnElement[int]]:
    if db.engine.dialect.name == "sqlite":
        # Between quotation marks nothing is an operator; the star asks for words that begin so.
        asked = " ".join('"{}"*'.format(word.replace('"', '""')) for word in words)
        match = text("comment_text MATCH :asked").bindparams(asked=asked)
        query = select(Comment.id).select_from(FOUND).join(Comment, Comment.id == FOUND.c.rowid).where(match)
        return query, FOUND.c.rowid
    phrases = []
    for word in words:
        pieces = [f"'{piece}'" for piece in MARKS.split(word) if piece]
        phrases.append(f"{' <-> '.join(pieces)}:*" if pieces else "")
    asked = " & ".join(filter(None, phrases))
    match = text("comment.words @@ to_tsquery('simple', :asked)").bindparams(asked=asked)
    return select(Comment.id).where(match), Comment.id.expression


def among(query: Select[Any], order: ColumnElement[int], those: Select[Any]) -> Select[Any]:
    """The query for these few comments only."""
    if db.engine.dialect.name == "sqlite":
        # The sum keeps SQLite from asking its full-text index anew about each of them.
        order = order + 0
    return query.where(order.in_(those))


def span(audience: str, status: str) -> tuple[int, int]:
    """The lowest and the highest id of a status: what was there before and after need not be looked at."""
    row = db.session.execute(
        select(func.min(Comment.id), func.max(Comment.id)).where(
            Comment.audience == audience, Comment.status == status
        )
    ).one()
    return row[0] or 0, row[1] or 0
