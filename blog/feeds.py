"""For machines: Atom and JSON Feed of the articles, Atom of an article's comments, sitemap, robots.txt.

Every address in them begins with SITE_URL. What XML cannot carry is taken out of the whole document at once,
so no field can be forgotten.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from typing import Any
from urllib.parse import urljoin

from flask import Blueprint, Response, abort, current_app, json, render_template, url_for
from markupsafe import escape
from sqlalchemy import select

from blog.articles import Article
from blog.config import settings
from blog.db import db
from blog.markup.comment import render_comment
from blog.models import Comment
from blog.pagecache import share
from blog.shelf import library
from blog.text import plain_line
from blog.words import iso

bp = Blueprint("feeds", __name__)

NEWEST_ARTICLES = 20
NEWEST_COMMENTS = 50
NEVER = datetime(1970, 1, 1, tzinfo=UTC)  # Atom wants a date even where nothing is published yet
PRIVATE = ("/receipts/", "/moderation/", "/login")

# Everything outside of XML 1.0's Char, lone surrogates included.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_TAG = re.compile(r"<[a-zA-Z][^<>]*>")
_LINK = re.compile(r'(\s(?:href|src|poster)=)"([^"]*)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One item of a feed."""

    id: str
    url: str
    title: str
    author: str
    language: str
    published: datetime
    updated: datetime
    html: str
    summary: str = ""
    tags: Sequence[str] = ()
    replies: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A feed: its own address, the page that it follows, its entries with the newest first."""

    url: str
    page: str
    title: str
    language: str
    entries: Sequence[Entry]
    since: datetime = NEVER

    @property
    def updated(self) -> datetime:
        """When its last entry changed."""
        return max((entry.updated for entry in self.entries), default=self.since)


@bp.get("/feed.xml")
def atom() -> Response:
    """The newest articles in full, as Atom."""
    return articles("atom")


@bp.get("/feed.json")
def json_feed() -> Response:
    """The same as JSON Feed."""
    return articles("json")


@bp.get("/tags/<slug>/feed.xml")
def tag_atom(slug: str) -> Response:
    """The newest articles with a tag, as Atom."""
    return tag_feed(slug, "atom")


@bp.get("/tags/<slug>/feed.json")
def tag_json(slug: str) -> Response:
    """The same as JSON Feed."""
    return tag_feed(slug, "json")


@bp.get("/posts/<slug>/comments.xml")
def comments_atom(slug: str) -> Response:
    """The newest comments of an article, as Atom."""
    return comments(slug, "atom")


@bp.get("/posts/<slug>/comments.json")
def comments_json(slug: str) -> Response:
    """The same as JSON Feed."""
    return comments(slug, "json")


def articles(draw: str) -> Response:
    """The feed of the whole site."""
    url = "/feed.json" if draw == "json" else "/feed.xml"
    return share(DRAW[draw](_articles(url, "/", settings().site_name, library().articles)), None)


def tag_feed(slug: str, draw: str) -> Response:
    """The newest articles with a tag; 404 for a tag that no article has."""
    tag = library().tags.get(slug)
    if tag is None:
        abort(404)
    title = f"{tag.name} · {settings().site_name}"
    url = f"{tag.url}feed.{'json' if draw == 'json' else 'xml'}"
    return share(DRAW[draw](_articles(url, tag.url, title, tag.articles)), None)


def comments(slug: str, draw: str) -> Response:
    """The newest comments of an article: approved and public, with the author's name and no more."""
    here = library()
    article = here.get(slug)
    if article is None:
        abort(410 if here.gone(f"/posts/{slug}/") else 404)
    rows = db.session.execute(
        select(
            Comment.id, Comment.author, Comment.body, Comment.created_at, Comment.status_at, Comment.edited_at
        )
        .where(Comment.slug == slug, Comment.status == "approved", Comment.audience == "public")
        .order_by(Comment.created_at.desc(), Comment.id.desc())
        .limit(NEWEST_COMMENTS)
    ).all()
    page = _absolute(article.url)
    entries = [
        Entry(
            id=f"{page}#comment-{row.id}",
            url=_absolute(url_for("pages.permalink", comment_id=row.id)),
            title=f"{plain_line(row.author, 100)} on {article.title}",
            author=row.author,
            language=article.language,
            published=row.created_at,
            updated=max(row.status_at, row.edited_at or row.status_at),
            html=render_comment(row.body),
            about=page,
        )
        for row in rows
    ]
    feed = Feed(
        url=f"{page}comments.{'json' if draw == 'json' else 'xml'}",
        page=page,
        title=f"Comments on {article.title}",
        language=article.language,
        entries=entries,
        since=article.date,
    )
    return share(DRAW[draw](feed), slug)


@bp.get("/sitemap.xml")
def sitemap() -> Response:
    """Every public page with the moment of its last change."""
    here = library()
    changed = max(map(_changed, here.articles), default=None)
    views = current_app.view_functions
    places: list[tuple[str, datetime | None]] = [("/", changed), ("/privacy", None)]
    places += [(article.url, _changed(article)) for article in here.articles]
    if "pages.archive" in views:
        places.append(("/archive/", changed))
    if "pages.tag" in views:
        places += [(tag.url, max(map(_changed, tag.articles))) for tag in here.tags.values()]
    if "pages.page" in views:
        places += [(page.url, _changed(page)) for page in here.pages]
    text = render_template("feeds/sitemap.xml", places=[(_absolute(path), moment) for path, moment in places])
    return share(_answer(text, "application/xml"), None)


@bp.get("/robots.txt")
def robots() -> Response:
    """What search engines leave alone: what is private, and says so itself as well."""
    lines = [
        "User-agent: *",
        *(f"Disallow: {path}" for path in PRIVATE),
        f"Sitemap: {_absolute('/sitemap.xml')}",
    ]
    return share(_answer("\n".join(lines) + "\n", "text/plain"), None)


def _articles(url: str, page: str, title: str, articles: Sequence[Article]) -> Feed:
    return Feed(
        url=_absolute(url),
        page=_absolute(page),
        title=title,
        language=settings().language,
        entries=[_entry(article) for article in articles[:NEWEST_ARTICLES]],
    )


def _entry(article: Article) -> Entry:
    url = _absolute(article.url)
    return Entry(
        id=url,
        url=url,
        title=article.title,
        author=article.author or settings().site_name,
        language=article.language,
        published=article.date,
        updated=_changed(article),
        html=absolute_links(article.html, url),
        summary=article.summary,
        tags=article.tags,
        replies=f"{url}comments.xml",
    )


def _item(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "url": entry.url,
        "title": entry.title,
        "summary": entry.summary,
        "content_html": entry.html,
        "date_published": iso(entry.published),
        "date_modified": iso(entry.updated),
        "authors": [{"name": entry.author}],
        "tags": list(entry.tags),
        "language": entry.language,
    }


def _changed(article: Article) -> datetime:
    return max(article.date, article.modified or article.date)


def _absolute(path: str) -> str:
    return settings().site_url + path


def absolute_links(html: str, page: str) -> str:
    """The HTML of an article with whole addresses: a feed reader does not know where it came from."""

    def link(found: re.Match[str]) -> str:
        address = unescape(found[2])
        if address.startswith("/") and not address.startswith("//"):
            whole = _absolute(address)
        else:
            try:
                whole = urljoin(page, address)
            except ValueError:  # an author's typing error such as http://[
                return found[0]
        return f'{found[1]}"{escape(whole)}"'

    return _TAG.sub(lambda tag: _LINK.sub(link, tag[0]), str(html))


def _atom(feed: Feed) -> Response:
    return _answer(render_template("feeds/atom.xml", feed=feed), "application/atom+xml")


def _json(feed: Feed) -> Response:
    """JSON Feed 1.1."""
    content = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "home_page_url": feed.page,
        "feed_url": feed.url,
        "language": feed.language,
        "items": [_item(entry) for entry in feed.entries],
    }
    return _answer(json.dumps(content, ensure_ascii=False), "application/feed+json")


def _answer(text: str, kind: str) -> Response:
    return Response(_FORBIDDEN.sub("", text), content_type=f"{kind}; charset=utf-8")


DRAW = {"atom": _atom, "json": _json}
