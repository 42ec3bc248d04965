"""The way in for answers: sending, looking at it first, and the form of a reply as a page of its own."""

from __future__ import annotations

from typing import cast
from urllib.parse import unquote

from flask import Blueprint, Response, abort, current_app, make_response, redirect, request, url_for

from blog import posting
from blog.articlepage import closed_words, draw, find, form_for, is_open
from blog.articles import Article
from blog.config import settings
from blog.db import db
from blog.errors import is_store_away
from blog.forms import CommentForm
from blog.headers import private
from blog.markup.comment import render_comment
from blog.pagecache import share
from blog.posting import Refused
from blog.shelf import library

bp = Blueprint("answering", __name__, url_prefix="/posts/<slug>")

BUSY = (
    "The blog cannot store anything at the moment. Your text is kept here: please send it again in a minute."
)


@bp.get("/replies/<int:comment_id>")
def reply(slug: str, comment_id: int) -> Response:
    """The form for a reply, as a page of its own for browsers without scripts."""
    found = find(slug)
    try:
        parent = posting.find_parent(str(comment_id), slug)
    except Refused:
        abort(404)
    form = form_for(found)
    form.parent.data = str(comment_id)
    response = make_response(draw(found, form, reply_to=parent, alone=True))
    return share(response, slug, until=found.closes_at(settings().close_after_days))


@bp.post("/comments")
def comment(slug: str) -> Response:
    """Take an answer: 303 to its receipt, or the form as it was typed with the reason beside the field."""
    typed = request.form  # read first: whatever is wrong with the address, the text can be given back
    found = find(moved(slug))
    form = form_for(found, typed)
    try:
        if posting.from_elsewhere():
            raise Refused(422, "This form came from another site. Nothing is lost: please send it once more.")
        if not is_open(found):
            raise Refused(403, closed_words())
        if "preview" in typed:
            return preview(found, form)
        if not form.validate():
            raise Refused(422, "Something needs another look before this can be sent.")
        token = posting.post(form, found)
    except Refused as refused:
        return refuse(found, form, refused)
    except Exception as error:
        if not is_store_away(error):
            raise
        current_app.logger.error("the store refused a comment: %s", type(error).__name__)
        return refuse(found, form, Refused(503, BUSY, wait=30), with_comments=False)
    return cast(Response, redirect(url_for("receipts.receipt", token=token), 303))


def moved(slug: str) -> str:
    """The present slug of an article that got another address while somebody was writing."""
    here = library()
    target = None if here.get(slug) else here.alias(f"/posts/{slug}/")
    return unquote(target).removeprefix("/posts/").rstrip("/") if target else slug


def preview(article: Article, form: CommentForm) -> Response:
    """The filled form with the text as it would look. Nothing is stored, counted or sent anywhere."""
    form.renew()
    if not form.body.validate(form, [CommentForm.validate_body]):
        raise Refused(422, "There is nothing to look at yet.")
    return private(make_response(draw(article, form, preview=render_comment(form.body.data or ""))))


def refuse(article: Article, form: CommentForm, refused: Refused, with_comments: bool = True) -> Response:
    """The article's page again with everything that was typed, and why it was not taken."""
    db.session.rollback()
    if refused.field:
        field = form[refused.field]
        field.errors = [*field.errors, refused.words]
    if refused.field == "parent":
        form.parent.data = ""
    page = draw(article, form, notice=refused.words, with_comments=with_comments)
    response = private(make_response(page, refused.status))
    if refused.wait:
        response.headers["Retry-After"] = str(refused.wait)
    return response
