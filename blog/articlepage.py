"""An article's page: the text, its question, the form and one page of its comments."""

from __future__ import annotations

from typing import Any

from flask import abort, render_template
from markupsafe import Markup

from blog import akismet_state, pace, threads
from blog.articles import Article
from blog.config import settings
from blog.db import utcnow
from blog.forms import CommentForm
from blog.markup.comment import render_comment
from blog.models import Comment
from blog.shelf import library


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


def is_open(article: Article) -> bool:
    """Whether the article takes comments now."""
    return article.is_open(settings().close_after_days, utcnow())


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
        count, roots = threads.how_many(article.slug)
        pages = max(1, -(-roots // here.comments_per_page))
        if page > pages:
            abort(404)
        nodes = [] if alone else threads.page_of(article.slug, page, here.comments_per_page)
        down = here.screens and akismet_state.current().broken
        usually = pace.words()
    takes_more = is_open(article)
    older, newer = library().neighbours(article)
    return render_template(
        "pages/reply.html" if alone else "pages/article.html",
        article=article,
        threads=nodes,
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
