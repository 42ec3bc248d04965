"""All articles: the content folder as readers may see it now. Knows neither Flask nor the database."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from blog import sources
from blog.article import Article, compose
from blog.catalogue import Catalogue, Record, Tag, addresses, arrange, shown
from blog.content import ContentError, Problem
from blog.proof import slips
from blog.slugs import path_key, site_path, slugify
from blog.sources import Source

__all__ = ["Article", "Library", "Problem", "Tag", "check"]

log = logging.getLogger(__name__)


def _now() -> datetime:
    return datetime.now(UTC)


class Library:
    """The articles below a folder. Any thread may ask at any time; no file that lies there makes it raise."""

    def __init__(
        self,
        content_dir: Path,
        language: str = "en",
        clock: Callable[[], datetime] = _now,
        interval: float = 0.5,
    ) -> None:
        """`interval`: seconds between two looks at the folder."""
        self._dir, self._language, self._clock, self._interval = Path(content_dir), language, clock, interval
        self._lock = threading.Lock()
        self._records: dict[str, Record] = {}
        self._trouble: tuple[Problem, ...] = ()
        self._told: tuple[Problem, ...] = ()
        self._catalogue = Catalogue(clock())
        self._look_again = 0.0
        with self._lock:
            self._look()

    def refresh(self) -> None:
        """See what changed on disk or became due. Looks at most every `interval` seconds, and never waits."""
        if time.monotonic() < self._look_again or not self._lock.acquire(blocking=False):
            return
        try:
            self._look()
            self.tell()
        finally:
            self._lock.release()

    def tell(self) -> None:
        """Log what is wrong now and was not said before; not when it is made, for `content check` says it."""
        before, self._told = self._told, self.problems
        for problem in self._told:
            if problem not in before:
                log.warning("%s", problem)

    @property
    def articles(self) -> tuple[Article, ...]:
        """What readers may see, newest first."""
        return self._catalogue.articles

    @property
    def pages(self) -> tuple[Article, ...]:
        """The visible stand-alone pages, by title."""
        return tuple(sorted(self._catalogue.pages.values(), key=lambda page: page.title.casefold()))

    @property
    def drafts(self) -> tuple[Article, ...]:
        """What can be read but may not be seen: drafts, and what is not due yet or over."""
        found = [record.article for record in self._records.values() if record.article]
        return tuple(article for article in found if not article.is_visible(self._clock()))

    @property
    def tags(self) -> Mapping[str, Tag]:
        """Tags by slug, those with most articles first."""
        return MappingProxyType(self._catalogue.tags)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What an author should mend."""
        return (*self._trouble, *self._catalogue.problems)

    @property
    def version(self) -> int:
        """Grows whenever anything that readers can see has changed."""
        return self._catalogue.version

    def get(self, slug: str) -> Article | None:
        """The visible article of that name as it is on disk now, even between two looks."""
        return self._current(lambda: self._catalogue.by_slug.get(slug))

    def page(self, slug: str) -> Article | None:
        """The stand-alone page of that name."""
        return self._current(lambda: self._catalogue.pages.get(slug))

    def tag(self, name: str) -> Tag | None:
        """A tag by its slug, or by its name in any spelling."""
        return self._catalogue.tags.get(slugify(name))

    def alias(self, path: str) -> str | None:
        """The address to which an old one leads, always on this site; `path` may carry a query."""
        old = site_path(path)
        return None if old is None else self._catalogue.aliases.get(path_key(old))

    def gone(self, path: str) -> bool:
        """Whether something stood at that path that has expired or was removed since the start."""
        old = site_path(path)
        return old is not None and path_key(old) in self._catalogue.gone

    def stamp(self, slug: str) -> tuple[int, ...]:
        """What changes with an article's file, asked of the disk now; empty when there is none."""
        path = self.path(slug)
        return (sources.stamp_of(path) or ()) if path else ()

    def path(self, slug: str) -> str:
        """Where the file of a visible article or page is; empty when there is none."""
        seen = self._catalogue
        article = seen.by_slug.get(slug) or seen.pages.get(slug)
        return str(article.path) if article else ""

    def asset(self, slug: str, name: str, of_page: bool = False) -> Path | None:
        """A file beside a visible article that may be served: of a known type, and truly below its folder."""
        article = self.page(slug) if of_page else self.get(slug)
        return None if article is None else sources.asset(self._dir, article.folder, name)

    def neighbours(self, article: Article) -> tuple[Article | None, Article | None]:
        """The visible articles before (older) and after (newer) one."""
        articles = self._catalogue.articles
        place = next((number for number, other in enumerate(articles) if other.slug == article.slug), None)
        if place is None:
            return None, None
        return articles[place + 1] if place + 1 < len(articles) else None, articles[
            place - 1
        ] if place else None

    def related(self, article: Article, limit: int = 3) -> tuple[Article, ...]:
        """Other articles that share tags, rare tags counting for more, the newer one first when in doubt."""
        seen = self._catalogue
        scores: dict[str, float] = {}
        for tag in filter(None, (seen.tags.get(slugify(name)) for name in article.tags)):
            for other in tag.articles:
                if other.slug != article.slug:
                    scores[other.slug] = scores.get(other.slug, 0.0) + 1 / len(tag.articles)
        best = sorted(scores, key=lambda slug: (scores[slug], seen.by_slug[slug].date), reverse=True)
        return tuple(seen.by_slug[slug] for slug in best[:limit])

    def _current(self, find: Callable[[], Article | None]) -> Article | None:
        article = find()
        if article is None or self._is_current(article):
            return article
        with self._lock:
            if not self._is_current(article):  # no other thread has looked meanwhile
                self._look()
        return find()

    def _is_current(self, article: Article) -> bool:
        record = self._records.get(article.place)
        return record is not None and record.stamp == sources.stamp_of(article.path)

    def _look(self) -> None:
        """Read what changed and swap the catalogue; the lock is held."""
        now, seen = self._clock(), self._catalogue
        records, trouble = self._scan()
        changed = records.keys() != self._records.keys() or any(
            record is not self._records[place] for place, record in records.items()
        )
        if (
            changed
            or not seen.version
            or now < seen.made_at
            or (seen.next_change and seen.next_change <= now)
        ):
            removed = self._removed(records)
            self._records, self._catalogue = records, arrange(records.values(), now, seen, removed)
        self._trouble = trouble
        self._look_again = time.monotonic() + self._interval

    def _removed(self, records: Mapping[str, Record]) -> set[str]:
        """The addresses of articles whose files are gone, but not of those in a folder that is unreadable."""
        closed = tuple(f"{place}/" for place, record in records.items() if record.stamp is None)
        seen = (*self._catalogue.articles, *self._catalogue.pages.values())
        lost = [a for a in seen if a.place not in records and not a.place.startswith(closed)]
        return {address for article in lost for address in addresses(article)}

    def _scan(self) -> tuple[dict[str, Record], tuple[Problem, ...]]:
        """The files as they are now, read again only where they changed; and folders that cannot be read."""
        try:
            root = self._dir.resolve(strict=True)
            found = list(sources.scan(root))
        except (OSError, RuntimeError) as error:
            why = getattr(error, "strerror", None) or "a link in a circle"
            fix = "Check the setting CONTENT_DIR and the folder's permissions"
            return self._records, (
                Problem(shown(str(self._dir)), 0, f"the content folder cannot be read ({why})", fix),
            )
        records: dict[str, Record] = {}
        for source in found:
            old = self._records.get(source.place)
            if (
                old is None
                or old.stamp != source.stamp
                or (source.trouble and old.problems[0].what != source.trouble)
            ):
                records[source.place] = self._read(source, root)
            elif old.article and old.article.body.is_outdated():
                fresh = replace(old.article, body=old.article.body.renewed())
                records[source.place] = replace(old, article=fresh)
            else:
                records[source.place] = old
        return records, ()

    def _read(self, source: Source, root: Path) -> Record:
        place = shown(source.place)
        if source.trouble:
            return Record(None, None, (Problem(place, 1, source.trouble, "Mend it, move it or remove it"),))
        try:
            text = sources.read(source.path)
            article = compose(text, Path(source.path), source.place, root, self._language)
        except ContentError as error:
            return Record(source.stamp, None, (Problem(place, error.line, error.what, error.fix),))
        # Parsers of four formats meet whatever people save; one file must not take the site down.
        except Exception as error:
            log.exception("reading %s failed", place)
            return Record(
                source.stamp,
                None,
                (Problem(place, 1, f"it cannot be read ({type(error).__name__})", "Report this"),),
            )
        warnings = (
            Problem(place, warning.line, warning.what, warning.fix, hidden=False)
            for warning in article.warnings
        )
        return Record(source.stamp, article, tuple(warnings))


def check(library: Library) -> list[Problem]:
    """Everything that an author should mend, after rendering every article that can be read, drafts too."""
    articles = [*library.articles, *library.pages, *library.drafts]
    return [*library.problems, *(problem for article in articles for problem in slips(article))]
