"""An article's page: the text, its question, the form and one page of its comments."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from flask import Flask, abort, current_app, render_template
from markupsafe import Markup
from sqlalchemy import bindparam, select

from blog import pace, threads
from blog.akismet_state import FAILURES, AkismetState
from blog.articles import Article
from blog.config import settings
from blog.db import db, utcnow
from blog.discussions import Discussion
from blog.forms import CommentForm
from blog.markup.comment import render_comment
from blog.models import Comment
from blog.remembered import Remembered
from blog.shelf import library
from blog.tokens import this_hour

_HERE = Discussion.slug == bindparam("slug")
_STANDING = select(
    select(Discussion.approved).where(_HERE).scalar_subquery().label("comments"),
    select(Discussion.threads).where(_HERE).scalar_subquery().label("threads"),
    select(AkismetState.failures).where(AkismetState.id == 1).scalar_subquery().label("failures"),
)

Draw = Callable[..., Markup]


def init(app: Flask) -> None:
    """Room for what was drawn before."""
    app.extensions["blog.drawn"] = Remembered(most=2_000, most_characters=2_000_000)


def find(slug: str) -> Article:
    """The published article of that name; otherwise 404, or 410 for one that was here."""
    here = library()
    found = here.get(slug)
    if found is None:
        abort(410 if here.gone(f"/posts/{slug}/") else 404)
    return found


def form_for(article: Article, data: Any = None) -> CommentForm:
    """The form with the article's question as the label of the answer."""
    return CommentForm(article.slug, article.reflection, data)


def blank_form(article: Article) -> CommentForm:
    """The form as it is for everybody, made once an hour; only to be shown."""
    here, moment = memory()
    known_by = (moment, article.slug, this_hour())
    found: CommentForm | None = here.get(known_by)
    if found is None:
        found = form_for(article)
        here.put(known_by, found, 10_000)
    return found


def is_open(article: Article) -> bool:
    """Whether the article takes comments now."""
    return article.is_open(settings().close_after_days, utcnow())


def standing(slug: str) -> tuple[int, int, int]:
    """Approved comments and threads of an article, and how often in a row Akismet has failed."""
    row = db.session.connection().execute(_STANDING, {"slug": slug}).one()
    return row.comments or 0, row.threads or 0, row.failures or 0


def memory() -> tuple[Remembered[Any], object]:
    """What was drawn before, and something that is another one when articles, templates or settings are."""
    here: Remembered[Any] = current_app.extensions["blog.drawn"]
    return here, here.while_same((library().version, current_app.extensions["blog.freshness"].files))


def remembering(slug: str, takes_more: bool, *of_form: Hashable) -> Callable[..., Markup]:
    """What the template draws its threads with, and its form while that is blank: what it drew before in the
    same words comes from memory.

    Both may show the article, the settings and whether the article takes more comments; a thread its node,
    and the form what is said of it.
    """
    here, moment = memory()

    def drawn(draw: Draw, *node: threads.Node) -> Markup:
        known_by = (moment, slug, takes_more, node[0].facts if node else of_form)
        found: Markup | None = here.get(known_by)
        if found is None:
            found = draw(*node)
            here.put(known_by, found, 2 * len(found))  # what it was made of takes about as much
        return found

    return drawn


def draw(
    article: Article,
    form: CommentForm,
    page: int = 1,
    reply_to: Comment | None = None,
    notice: str = "",
    preview: Markup | None = None,
    with_comments: bool = True,
    alone: bool = False,
) -> str:
    """The article's page with one page of its comments and the form; `alone`: only the form of a reply."""
    here = settings()
    count = pages = 0
    nodes: list[threads.Node] = []
    down, usually = False, ""
    if with_comments:
        count, roots, failures = standing(article.slug)
        pages = max(1, -(-roots // here.comments_per_page))
        if page > pages:
            abort(404)
        nodes = [] if alone else threads.page_of(article.slug, page, here.comments_per_page)
        down = here.screens and failures >= FAILURES
        usually = pace.words()
    takes_more = is_open(article)
    older, newer = library().neighbours(article)
    return render_template(
        "pages/reply.html" if alone else "pages/article.html",
        article=article,
        threads=nodes,
        drawn=remembering(article.slug, takes_more, form.token.data, down, usually),
        count=count,
        page=page,
        pages=pages,
        form=form,
        open=takes_more,
        closed_why="" if takes_more else closed_words(),
        reply_to=reply_to,
        notice=notice,
        preview=preview,
        screening_down=down,
        usually=usually,
        care=care_note(article),
        older=older,
        newer=newer,
        related=[other for other in library().related(article, 5) if other not in (older, newer)][:3],
    )


def closed_words() -> str:
    """What stands in place of a closed article's form."""
    return "This article takes no more comments. What was said stays."


def care_note(article: Article | None) -> Markup:
    """The author's note beside the form and on receipts: the article's own, or else the whole blog's."""
    return render_comment((article.care if article else "") or settings().care_note)
