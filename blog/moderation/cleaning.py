"""Deleting for good, from spam and rejected only, and never without a second look."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from flask import Response, current_app, request
from sqlalchemy import ColumnElement, func, select
from werkzeug.wrappers import Response as BaseResponse

from blog import retention
from blog.db import db, write
from blog.models import Comment
from blog.moderation.decisions import back, chosen, done, refused
from blog.moderation.desk import bp, me, page
from blog.moderation.items import items
from blog.moderation.queue import MOST_AT_ONCE, mark_of

DELETABLE = ("spam", "rejected")
SHOWN = 20
SECONDS = 5.0


@bp.post("/deletion")
def delete() -> BaseResponse:
    """Ask once more, then delete the chosen comments in one commit."""
    ids = chosen()
    if not ids or len(ids) > MOST_AT_ONCE:
        return refused(f"Tick at least one comment, and at most {MOST_AT_ONCE}.")
    query = select(Comment).where(Comment.id.in_(ids), Comment.status.in_(DELETABLE))
    if request.form.get("sure") != "yes":
        found = list(db.session.scalars(query.order_by(Comment.id)))
        if not found:
            return refused("Only spam and rejected comments can be deleted for good.")
        fields = [("comment", str(comment.id)) for comment in found]
        return confirm(found[:SHOWN], len(found), "deletion", fields)
    with write():
        gone = list(db.session.scalars(query.with_only_columns(Comment.id)))
        retention.delete_all(gone, me().name)
    return done(deleted(len(gone)), gone)


@bp.post("/emptying")
def empty() -> BaseResponse:
    """Delete the spam that was there when the page was drawn, after asking once more."""
    mark = mark_of(request.form.get("drawn", ""))
    if mark is None:
        return refused("That page was not drawn here. Open the spam view and try again.")
    there = (
        Comment.audience == "public",
        Comment.status == "spam",
        Comment.id <= mark[0],
        Comment.status_at <= mark[1],
        Comment.email_folded != "",  # what is emptied already keeps its place for the replies
    )
    gone = emptied(there) if request.form.get("sure") == "yes" else []
    number = db.session.scalar(select(func.count()).select_from(Comment).where(*there)) or 0
    if not number:
        return done(deleted(len(gone)) if gone else "There is no spam to delete.", gone)
    newest = select(Comment).where(*there).order_by(Comment.created_at.desc()).limit(SHOWN)
    fields = [("drawn", request.form["drawn"])]
    said = f"{deleted(len(gone))} Here is the rest." if gone else ""
    return confirm(list(db.session.scalars(newest)), number, "emptying", fields, said)


def emptied(there: tuple[ColumnElement[bool], ...]) -> list[int]:
    """Delete in bounded transactions for a few seconds, so that nobody who posts has to wait."""
    gone: list[int] = []
    end = time.monotonic() + current_app.config.get("EMPTYING_SECONDS", SECONDS)
    while not gone or time.monotonic() < end:
        with write():
            some = select(Comment.id).where(*there).order_by(Comment.id.desc()).limit(retention.BATCH)
            ids = list(db.session.scalars(some))
            retention.delete_all(ids, me().name)
        gone += ids
        if len(ids) < retention.BATCH:
            break
    return gone


def deleted(number: int) -> str:
    """What was done, in words."""
    return f"{number:,} comment{'' if number == 1 else 's'} deleted for good."


def confirm(
    shown: Sequence[Comment], number: int, action: str, fields: list[tuple[str, str]], said: str = ""
) -> Response:
    """The page that asks whether it is meant; `said`: what is done of it already."""
    values: dict[str, Any] = {"number": number, "action": action, "fields": fields, "said": said}
    return page("deletion", items=items(shown), back=back(), **values)
