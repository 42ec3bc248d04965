"""What readers see, and the way in for their answers. The same for everyone: no cookie, no session."""

from __future__ import annotations

from typing import Any, cast

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)
from sqlalchemy.exc import InterfaceError, OperationalError

from blog import fields, posting, threads
from blog.articles import Article
from blog.config import settings
from blog.db import db, utcnow
from blog.forms import CommentForm
from blog.headers import private
from blog.models import Comment
from blog.pagecache import share
from blog.service import service
from blog.shelf import library

bp = Blueprint("pages", __name__)


@bp.get("/")
def index() -> Response:
    """All articles, newest first."""
    articles = library().articles
    page = render_template("pages/index.html", articles=articles, counts=threads.how_many_each())
    return share(make_response(page), None)


@bp.get("/posts/<slug>/")
def article(slug: str) -> Response:
    """An article, its question, its comments and the form."""
    found = find(slug)
    page = page_number(request.args.get("page", "1"))
    response = make_response(draw(found, form_for(found), page=page))
    return share(response, slug, query=("page",), until=found.closes_at(settings().close_after_days))


@bp.get("/posts/<slug>/replies/<int:comment_id>")
def reply(slug: str, comment_id: int) -> Response:
    """The form for a reply, as a page of its own for browsers without scripts."""
    found = find(slug)
    try:
        parent = posting.find_parent(str(comment_id), slug)
    except posting.Refused:
        abort(404)
    form = form_for(found)
    form.parent.data = str(comment_id)
    response = make_response(draw(found, form, reply_to=parent, alone=True))
    return share(response, slug, until=found.closes_at(settings().close_after_days))


@bp.get("/comments/<int:comment_id>")
def permalink(comment_id: int) -> Response:
    """To the page on which a comment stands; 404 for any that is not shown."""
    comment = db.session.get(Comment, comment_id) if comment_id < 2**63 else None
    if comment is None or not comment.shown or library().get(comment.slug) is None:
        abort(404)
    page = threads.page_with(comment, settings().comments_per_page)
    query: dict[str, Any] = {"page": page} if page > 1 else {}
    return cast(
        Response,
        redirect(url_for("pages.article", slug=comment.slug, _anchor=f"comment-{comment_id}", **query), 302),
    )


@bp.get("/posts/<slug>/<path:name>")
def asset(slug: str, name: str) -> Response:
    """A picture or file that lies beside the article."""
    path = library().asset(slug, name)
    if path is None:
        abort(404)
    return send_file(path, conditional=True, max_age=3600)


@bp.get("/privacy")
def privacy_page() -> Response:
    """What happens to a comment's data, from the table and the settings that do it."""
    page = render_template("pages/privacy.html", rows=fields.privacy_rows(settings()))
    return share(make_response(page), None)


@bp.post("/posts/<slug>/comments")
def comment(slug: str) -> Response:
    """Take an answer: 303 to its receipt, or the form as it was typed with the reason beside the field."""
    found = find(slug)
    form = form_for(found, request.form)
    try:
        if posting.from_elsewhere():
            raise posting.Refused(
                422, "This form came from another site. Nothing is lost: please send it once more."
            )
        if not form.validate():
            raise posting.Refused(422, "Something needs another look before this can be sent.")
        if not found.is_open(settings().close_after_days, utcnow()):
            raise posting.Refused(403, closed_words())
        stored = posting.post(form, found)
    except posting.Refused as refused:
        return refuse(found, form, refused)
    except (OperationalError, InterfaceError) as error:
        current_app.logger.error("the store refused a comment: %s", type(error.orig).__name__)
        busy = "The blog cannot store anything at the moment. Your text is kept here: please send it again in a minute."
        return refuse(found, form, posting.Refused(503, busy, wait=30), with_comments=False)
    return cast(Response, redirect(url_for("receipts.receipt", token=stored.token), 303))


def refuse(
    article: Article, form: CommentForm, refused: posting.Refused, with_comments: bool = True
) -> Response:
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


def find(slug: str) -> Article:
    """The published article of that name; otherwise 404, or 410 for one that was here."""
    here = library()
    found = here.get(slug)
    if found is None:
        abort(410 if here.gone(request.path) else 404)
    return found


def form_for(article: Article, data: Any = None) -> CommentForm:
    """The form with the article's question as the label of the answer."""
    return CommentForm(article.slug, article.reflection, data)


def page_number(value: str) -> int:
    """A page as it stands in an address: plain digits from 1; anything else is no page."""
    if not (value.isascii() and value.isdigit() and len(value) < 8) or int(value) < 1:
        abort(404)
    return int(value)


def draw(
    article: Article,
    form: CommentForm,
    page: int = 1,
    reply_to: Comment | None = None,
    notice: str = "",
    with_comments: bool = True,
    alone: bool = False,
) -> str:
    """The article's page with one page of its comments and the form."""
    here = settings()
    count = pages = 0
    nodes: list[threads.Node] = []
    down = False
    if with_comments:
        count, roots = threads.how_many(article.slug)
        pages = max(1, -(-roots // here.comments_per_page))
        if page > pages:
            abort(404)
        nodes = [] if alone else threads.page_of(article.slug, page, here.comments_per_page)
        down = here.screens and service().broken
    is_open = article.is_open(here.close_after_days, utcnow())
    older, newer = neighbours(article)
    return render_template(
        "pages/reply.html" if alone else "pages/article.html",
        article=article,
        threads=nodes,
        count=count,
        page=page,
        pages=pages,
        form=form,
        open=is_open,
        closed_why="" if is_open else closed_words(),
        reply_to=reply_to,
        notice=notice,
        screening_down=down,
        older=older,
        newer=newer,
    )


def closed_words() -> str:
    """What stands in place of a closed article's form."""
    return "This article takes no more comments. What was said stays."


def neighbours(article: Article) -> tuple[Article | None, Article | None]:
    """The article before and the one after this, by date."""
    articles = list(library().articles)
    place = next((number for number, other in enumerate(articles) if other.slug == article.slug), None)
    if place is None:
        return None, None
    older = articles[place + 1] if place + 1 < len(articles) else None
    return older, articles[place - 1] if place else None
