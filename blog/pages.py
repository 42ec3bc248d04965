"""What readers see. The same for everyone: no cookie, no session, and so shared by all."""

from __future__ import annotations

from typing import Any, cast

from flask import (
    Blueprint,
    Response,
    abort,
    make_response,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)
from werkzeug.exceptions import Gone, HTTPException, NotFound

from blog import fields, threads
from blog.articlepage import blank_form, draw, find
from blog.config import settings
from blog.db import db
from blog.errors import http_error
from blog.models import Comment
from blog.pagecache import share
from blog.shelf import library

bp = Blueprint("pages", __name__)

# Addresses of WordPress before it gave its posts names.
NUMBERED = ("p", "page_id")


@bp.get("/")
def index() -> Response:
    """All articles, newest first."""
    if request.args and (target := library().alias(request.full_path)):
        return moved(target)
    articles = library().articles
    page = render_template("pages/index.html", articles=articles, counts=threads.how_many_each())
    return share(make_response(page), None, query=NUMBERED)


@bp.get("/archive/")
def archive() -> Response:
    """All articles by year, and the tags."""
    here = library()
    page = render_template("pages/archive.html", articles=here.articles, tags=list(here.tags.values()))
    return share(make_response(page), None)


@bp.get("/tags/<slug>/")
def tag(slug: str) -> Response:
    """The articles with a tag; a name in another spelling leads to the tag's own address."""
    here = library()
    found = here.tags.get(slug)
    if found is None:
        if other := here.tag(slug):
            return moved(other.url)
        abort(404)
    return share(make_response(render_template("pages/tag.html", tag=found)), None)


@bp.get("/posts/<slug>/")
def article(slug: str) -> Response:
    """An article, its question, its comments and the form."""
    found = find(slug)
    page = page_number(request.args.get("page", "1"))
    response = make_response(draw(found, blank_form(found), page=page))
    return share(response, slug, query=("page",), until=found.closes_at(settings().close_after_days))


@bp.get("/<slug>/")
def page(slug: str) -> Response:
    """A stand-alone page."""
    found = library().page(slug)
    if found is None:
        abort(404)
    return share(make_response(render_template("pages/page.html", article=found)), None)


@bp.get("/comments/<int:comment_id>")
def permalink(comment_id: int) -> Response:
    """To the page on which a comment stands; 404 for any that is not shown."""
    comment = db.session.get(Comment, comment_id) if comment_id < 2**63 else None
    if comment is None or not comment.shown or library().get(comment.slug) is None:
        abort(404)
    number = threads.page_with(comment, settings().comments_per_page)
    query: dict[str, Any] = {"page": number} if number > 1 else {}
    return cast(
        Response,
        redirect(url_for("pages.article", slug=comment.slug, _anchor=f"comment-{comment_id}", **query), 302),
    )


@bp.get("/posts/<slug>/<path:name>")
def asset(slug: str, name: str) -> Response:
    """A picture or file that lies beside the article."""
    return beside(slug, name)


@bp.get("/<slug>/<path:name>")
def page_asset(slug: str, name: str) -> Response:
    """A picture or file that lies beside a stand-alone page."""
    return beside(slug, name, of_page=True)


def beside(slug: str, name: str, of_page: bool = False) -> Response:
    """A file beside an article or a page, if it may be served."""
    path = library().asset(slug, name, of_page)
    if path is None:
        abort(404)
    return send_file(path, conditional=True, max_age=3600)


@bp.get("/privacy")
def privacy_page() -> Response:
    """What happens to a comment's data, from the table and the settings that do it."""
    text = render_template("pages/privacy.html", rows=fields.privacy_rows(settings()))
    return share(make_response(text), None)


@bp.app_errorhandler(404)
def not_here(error: NotFound) -> HTTPException | Response:
    """An old address leads on by 301; what was taken down is 410; the rest is 404."""
    here = library()
    if request.method == "GET" and (target := here.alias(request.full_path) or here.alias(request.path)):
        return moved(target)
    return http_error(Gone() if here.gone(request.path) else error)


def moved(target: str) -> Response:
    """To the address that something has now."""
    return cast(Response, redirect(target, 301))


def page_number(value: str) -> int:
    """A page as it stands in an address: plain digits from 1; anything else is no page."""
    if not (value.isascii() and value.isdigit() and len(value) < 8) or int(value) < 1:
        abort(404)
    return int(value)
