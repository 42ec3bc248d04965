"""The commenter's own copy of what is kept about one comment, and its erasure, confirmed on the receipt."""

from __future__ import annotations

import json
from typing import Any, cast

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for

from blog import posting, privacy
from blog.config import settings
from blog.db import db, utcnow, write
from blog.headers import private
from blog.models import Comment
from blog.receipts import find, is_erased

bp = Blueprint("erasure", __name__, url_prefix="/receipts")

# The desk's own: who decided, and which words are looked for here. Neither is about the author.
NOT_THEIRS = ("decided_by", "matched")


@bp.get("/<token>/export.json")
def export(token: str) -> Response:
    """Everything that is kept about this comment, to be saved as a file."""
    kept = {name: value for name, value in privacy.copy_of(find(token)).items() if name not in NOT_THEIRS}
    copy: dict[str, Any] = {
        "site": settings().site_url,
        "made": utcnow().isoformat(timespec="seconds"),
        "comments": [kept],
    }
    response = make_response(json.dumps(copy, ensure_ascii=False, indent=2))
    response.mimetype = "application/json"
    response.headers["Content-Disposition"] = f'attachment; filename="comment-{kept["id"]}.json"'
    return private(response)


@bp.get("/<token>/erasure")
def question(token: str) -> Response:
    """What would go and what would stay, before anything does."""
    return ask(find(token))


@bp.post("/<token>/erasure")
def erase(token: str) -> Response:
    """Take the author out of the comment: with the text, or leaving it without a name (`text=keep`)."""
    comment = find(token)
    if posting.from_elsewhere():
        return ask(comment, 422, "This came from another site. Please press the button once more.")
    if is_erased(comment):
        return ask(comment, 409, "This has been erased already.")
    ident = comment.id
    with write():
        found = db.session.get(Comment, ident, populate_existing=True)
        if found is None:
            abort(404)
        privacy.erase_these([found], keep_text=request.form.get("text") == "keep")
    return cast(Response, redirect(url_for("receipts.receipt", token=token), 303))


def ask(comment: Comment, status: int = 200, notice: str = "") -> Response:
    """The page with the question."""
    page = render_template("receipts/erasure.html", comment=comment, notice=notice, erased=is_erased(comment))
    return private(make_response(page, status))
