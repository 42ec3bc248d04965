"""What readers may see of all files that were read: addresses, tags, redirects; and what hides the rest."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote

from blog.article import Article
from blog.content import Problem
from blog.slugs import path_key, site_path, slugify
from blog.sources import Stamp
from blog.text import plain_line

# Pages stand at the top of the site, where these names have another meaning, or may have one some day.
_RESERVED_PAGES = """
    account accounts admin archive comments feed healthz login logout mail moderation moderation-report posts
    privacy receipts robots search sitemap static tags theme
"""
RESERVED_PAGES = frozenset(_RESERVED_PAGES.split())
MAX_GONE = 10_000


@dataclass(frozen=True, slots=True)
class Record:
    """A file as it was last read: its article, or why there is none."""

    stamp: Stamp | None
    article: Article | None
    problems: tuple[Problem, ...] = ()


def tag_url(name: str) -> str:
    """The site path of a tag's page, percent-encoded; empty for a name without a letter or digit."""
    slug = slugify(name)
    return f"/tags/{quote(slug)}/" if slug else ""


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag or category, and the visible articles that have it, newest first."""

    slug: str
    name: str  # as the newest of them spells it
    articles: tuple[Article, ...]

    @property
    def url(self) -> str:
        """The site path, percent-encoded."""
        return tag_url(self.slug)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything that readers may see at one moment; replaced as a whole, never changed."""

    made_at: datetime
    version: int = 0
    articles: tuple[Article, ...] = ()  # newest first
    by_slug: Mapping[str, Article] = field(default_factory=dict)
    pages: Mapping[str, Article] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, Tag] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    gone: frozenset[str] = frozenset()
    next_change: datetime | None = None  # when the passing of time alone will change it


def shown(place: str) -> str:
    """A file's place for messages: one line, and UTF-8 even where the file system is not."""
    return plain_line(os.fsencode(place).decode("utf-8", "replace"), 300)


def arrange(records: Iterable[Record], now: datetime, before: Catalogue, removed: Iterable[str]) -> Catalogue:
    """The catalogue at `now`; `removed` are the addresses whose files were deleted since `before`."""
    records = list(records)
    problems = [problem for record in records for problem in record.problems]
    readable = [record.article for record in records if record.article]
    visible = sorted((a for a in readable if a.is_visible(now)), key=lambda a: (a.visible_from, a.place))
    by_slug = dict(_one_each((a for a in visible if not a.is_page), problems))
    pages = dict(_one_each((a for a in visible if a.is_page), problems))
    articles = tuple(sorted(by_slug.values(), key=lambda a: (a.date, a.slug), reverse=True))
    aliases = _aliases([*by_slug.values(), *pages.values()], problems)
    expired = {address for a in readable if not a.hidden and a.is_expired(now) for address in addresses(a)}
    present = aliases.keys() | {_key(a.url) for a in (*articles, *pages.values())}
    gone = sorted((before.gone | expired | set(removed)) - present)[:MAX_GONE]
    return Catalogue(
        made_at=now,
        version=before.version + (0 if before.version and _same(before, articles, pages) else 1),
        articles=articles,
        by_slug=by_slug,
        pages=pages,
        aliases=aliases,
        tags=_tags(articles),
        problems=tuple(sorted(problems, key=lambda problem: (problem.path, problem.line))),
        gone=frozenset(gone),
        next_change=min(_moments(readable, now), default=None),
    )


def addresses(article: Article) -> set[str]:
    """The keys of the addresses at which an article is found, old ones included."""
    return {_key(address) for address in (article.url, *article.aliases)}


def _key(address: str) -> str:
    return path_key(site_path(address) or "/")


def _same(before: Catalogue, articles: tuple[Article, ...], pages: Mapping[str, Article]) -> bool:
    old, new = [*before.articles, *before.pages.values()], [*articles, *pages.values()]
    return len(old) == len(new) and all(one is other for one, other in zip(old, new, strict=True))


def _one_each(articles: Iterable[Article], problems: list[Problem]) -> Iterator[tuple[str, Article]]:
    """The articles by slug. Of two with one slug the one that was there first keeps it."""
    taken: dict[str, Article] = {}
    for article in articles:
        if article.is_page and article.slug in RESERVED_PAGES:
            what = f"/{article.slug}/ is an address of the blog itself"
            problems.append(Problem(shown(article.place), 1, what, "Give the page another slug:"))
        elif first := taken.get(article.slug):
            what = f"{shown(first.place)} has the same address, {article.url}"
            problems.append(Problem(shown(article.place), 1, what, "Give this one a slug: of its own"))
        else:
            taken[article.slug] = article
            yield article.slug, article


def _aliases(articles: Iterable[Article], problems: list[Problem]) -> dict[str, str]:
    found: dict[str, str] = {}
    for article in articles:
        for alias in article.aliases:
            if found.setdefault(_key(alias), article.url) != article.url:
                what = f"the old address {plain_line(alias, 100)} leads to {found[_key(alias)]} already"
                problems.append(
                    Problem(shown(article.place), 1, what, "Take it out of one of the two", hidden=False)
                )
    return found


def _tags(articles: Iterable[Article]) -> dict[str, Tag]:
    found: dict[str, list[Article]] = {}
    names: dict[str, str] = {}
    for article in articles:
        for name in article.tags:
            found.setdefault(slugify(name), []).append(article)
            names.setdefault(slugify(name), name)
    tags = [Tag(slug, names[slug], tuple(having)) for slug, having in found.items()]
    return {tag.slug: tag for tag in sorted(tags, key=lambda tag: (-len(tag.articles), tag.name.casefold()))}


def _moments(articles: Iterable[Article], now: datetime) -> Iterator[datetime]:
    for article in articles:
        if not article.hidden:
            yield from (at for at in (article.visible_from, article.expires) if at and at > now)
