"""One comment with its whole history, and its text, which a moderator can change."""

from __future__ import annotations

import difflib
import itertools
import re

from flask import Response, abort, request
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from blog import fields, rejections
from blog.db import db, write
from blog.history import Version
from blog.models import Comment
from blog.moderation.desk import bp, go, me, page
from blog.moderation.items import VERDICTS, items, reason
from blog.moderation.journal import KINDS
from blog.text import BODY_MAX, clean_text, is_invisible

# Comparing takes more than the product of the numbers of words; a longer change is shown as a whole.
MOST_COMPARED = 150
MOST_VERSIONS = 10
Change = tuple[str, str]  # "same", "del" or "ins", and the words


@bp.get("/comments/<int:number>")
def comment(number: int) -> Response:
    """Everything about one comment."""
    return show(find(number))


@bp.post("/comments/<int:number>/edit")
def edit(number: int) -> BaseResponse:
    """Give a comment another text; the earlier one is kept."""
    found, body = find(number), clean_text(request.form.get("body", ""))
    if problem := unfit(body):
        return show(found, 422, problem, body=body)
    with write():
        found = find(number)
        if request.form.get("edited", "") != mark(found):
            return show(found, 409, "It was edited meanwhile; this is the text as it is now.", body=body)
        if found.status == "withdrawn":
            return show(found, 409, "Its author took it back, so there is no text to edit.", body=body)
        if body != found.body:
            found.edit(body, me().name)
    return go("comment", number=number)


def find(number: int) -> Comment:
    """The comment of an address, or 404."""
    found = db.session.get(Comment, number) if number < 2**63 else None
    if found is None:
        abort(404)
    return found


def unfit(body: str) -> str:
    """What is wrong with a text; empty when nothing is."""
    if is_invisible(body):
        return "There are no words in it yet."
    if len(body) > BODY_MAX:
        return f"It has {len(body):,} characters; {BODY_MAX:,} is the most."
    return ""


def mark(comment: Comment) -> str:
    """Which text somebody saw when they began to edit."""
    return comment.edited_at.isoformat() if comment.edited_at else ""


def show(
    comment: Comment, status: int = 200, problem: str = "", body: str = "", reply: str = "", said: str = ""
) -> Response:
    """The page of a comment; `said`: what was just done."""
    events = comment.history()
    codes = {code for event in events for code in event.reasons}
    return page(
        "comment",
        status,
        item=items([comment])[0],
        events=events,
        kinds=KINDS,
        verdicts=VERDICTS,
        versions=versions(comment),
        sent=fields.sent_rows(comment.submitted),
        reason_words={code: reason(code)[0] for code in codes},
        reject_reasons=rejections.offered(),
        problem=problem,
        said=said,
        body=body or comment.body,
        reply=reply,
        mark=mark(comment),
    )


def versions(comment: Comment) -> list[tuple[Version, list[Change]]]:
    """The last earlier texts, newest first, each with what the edit after it changed."""
    query = select(Version).where(Version.comment_id == comment.id).order_by(Version.id)
    earlier = list(db.session.scalars(query))[-MOST_VERSIONS:]
    texts = [*(version.body for version in earlier), comment.body]
    pairs = zip(earlier, itertools.pairwise(texts), strict=True)
    return [(version, difference(was, now)) for version, (was, now) in pairs][::-1]


def difference(was: str, now: str) -> list[Change]:
    """The words of two texts: what both have, what is gone, what is new."""
    old, new = re.findall(r"\s+|\S+", was), re.findall(r"\s+|\S+", now)
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    middle = compare(old[start : len(old) - end], new[start : len(new) - end])
    changes = [("same", "".join(old[:start])), *middle, ("same", "".join(old[len(old) - end :]))]
    return [(kind, words) for kind, words in changes if words]


def compare(old: list[str], new: list[str]) -> list[Change]:
    """The same for what lies between a common start and a common end."""
    if max(len(old), len(new)) > MOST_COMPARED:
        return [("del", "".join(old)), ("ins", "".join(new))]
    changes: list[Change] = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            changes.append(("same", "".join(old[a:b])))
        else:
            changes += [("del", "".join(old[a:b])), ("ins", "".join(new[c:d]))]
    return changes
