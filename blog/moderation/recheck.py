"""Asking Akismet again about chosen comments, a few in each request, so that nobody waits for long."""

from __future__ import annotations

import time

from flask import jsonify, request
from werkzeug.wrappers import Response as BaseResponse

from blog import reconcile, screening
from blog.config import settings
from blog.db import db, utcnow, write
from blog.headers import private
from blog.models import Comment
from blog.moderation.decisions import back, chosen, done, refused, wants_json
from blog.moderation.desk import bp, page
from blog.moderation.queue import MOST_AT_ONCE

SECONDS = 5.0
FAILURES = 2
ASKED_FOR = "recheck_queue"


@bp.post("/recheck")
def recheck() -> BaseResponse:
    """Ask about the chosen comments, as many as fit into five seconds; the page goes on with the rest."""
    ids = chosen()
    if not settings().screens:
        return refused("No Akismet key is set, so nobody can be asked.")
    if not ids or len(ids) > MOST_AT_ONCE:
        return refused(f"Tick at least one comment, and at most {MOST_AT_ONCE}.")
    total = max(
        len(ids), int(request.form.get("total", "0")[:4]) if request.form.get("total", "").isdecimal() else 0
    )
    asked, left, problem = ask(ids)
    if left and not problem:
        message = f"Asked about {total - len(left)} of {total}."
        if wants_json():
            return private(jsonify(message=message, left=left, total=total))
        return page("rechecking", message=message, left=left, total=total, back=back())
    words = f"Asked about {total - len(left)} of {total}; what Akismet says now stands beside each."
    return done(f"{words} {problem}".strip(), asked and [])


def ask(ids: list[int]) -> tuple[list[int], list[int], str]:
    """Whom Akismet was asked about, who is left, and why it stopped early; nothing when it did not."""
    end, failures, asked = time.monotonic() + SECONDS, 0, list[int]()
    for place, ident in enumerate(ids):
        if time.monotonic() > end:
            return asked, ids[place:], ""
        comment = take(ident)
        if comment is None:
            continue
        report = reconcile.Report()
        error = reconcile.recheck(comment, report, True)
        failures = failures + 1 if error else 0
        asked.append(ident)
        if failures >= FAILURES:
            return asked, ids[place + 1 :], "Akismet does not answer; try again later."
    return asked, [], ""


def take(ident: int) -> Comment | None:
    """Make a comment due now; None for one that nobody may ask about (any more)."""
    with write():
        comment = db.session.get(Comment, ident)
        if comment is None or not may_ask(comment):
            return None
        comment.next_check_at, comment.recheck_reason = utcnow(), ASKED_FOR
    return comment


def may_ask(comment: Comment) -> bool:
    """Not when its author asked for a person, when it is gone, or when what Akismet needs was deleted."""
    return (
        comment.audience == "public"
        and not comment.no_akismet
        and comment.written_by is None
        and comment.purged_at is None
        and comment.status != "withdrawn"
        and screening.wire() is not None
    )
