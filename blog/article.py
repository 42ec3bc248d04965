"""One article: what its file says, when it may be seen, and its text as HTML once somebody asks."""

from __future__ import annotations

import html
import logging
import re
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from markupsafe import Markup

from blog import frontmatter
from blog.content import ContentError, Remark
from blog.dialects import MAX_SUMMARY, MAX_TITLE, Fields, understand
from blog.markup.article import Rendered, count_words, render_article
from blog.markup.typography import set_line
from blog.sources import PAGES, stamp_of
from blog.text import clean_text, plain_line

log = logging.getLogger(__name__)

WORDS_A_MINUTE = 220
ALWAYS = datetime.min.replace(tzinfo=UTC)


class Body:
    """An article's text, and its HTML: made when it is first asked for, and once."""

    def __init__(self, text: str, base: str, folder: Path, root: Path, language: str) -> None:
        self.text = text
        self._base, self._folder, self._root, self._language = base, folder, root, language
        self._lock = threading.Lock()
        self._made: Rendered | None = None

    def rendered(self) -> Rendered:
        """The HTML; the text as it was typed where the Markdown parser gives up, and no exception."""
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made

    def is_outdated(self) -> bool:
        """Whether an image beside the article appeared, changed or went since the HTML was made."""
        return self._made is not None and any(stamp_of(path) != stamp for path, stamp in self._made.pictures)

    def renewed(self) -> Body:
        """The same text, to be made into HTML again."""
        return Body(self.text, self._base, self._folder, self._root, self._language)

    def _make(self) -> Rendered:
        try:
            return render_article(
                self.text, base=self._base, folder=self._folder, root=self._root, language=self._language
            )
        # A parser with a dozen extensions, on any text: whatever it raises, readers get the words.
        except Exception as error:
            log.exception("the Markdown of %s cannot be rendered", self._base)
            return Rendered(Markup("<pre>{}</pre>").format(self.text), Markup(), (), type(error).__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """An article or a stand-alone page as its file says it."""

    slug: str
    title: str
    date: datetime
    visible_from: datetime
    modified: datetime | None
    expires: datetime | None
    tags: tuple[str, ...]
    summary: str
    hidden: str  # why nobody may see it, whatever the date; empty for what may be seen
    aliases: tuple[str, ...]  # site paths that lead here
    comments_open: bool
    reflection: str  # the closing question; empty for none
    language: str
    author: str
    care: str  # the author's note beside the form, for example help lines
    words: int
    path: Path
    place: str  # of the file, below the content folder
    folder: Path  # of its images and files
    is_page: bool
    warnings: tuple[Remark, ...] = ()
    body: Body = field(repr=False, compare=False)

    @property
    def url(self) -> str:
        """The site path, percent-encoded."""
        return f"/{quote(self.slug)}/" if self.is_page else f"/posts/{quote(self.slug)}/"

    @property
    def draft(self) -> bool:
        """Whether the header hides it."""
        return bool(self.hidden)

    @property
    def html(self) -> Markup:
        """The text as HTML, headings from h2."""
        return self.body.rendered().html

    @property
    def toc(self) -> Markup:
        """A nested list of its headings; empty when it is short."""
        return self.body.rendered().toc

    @property
    def minutes(self) -> int:
        """Reading time, at least one minute."""
        return max(1, round(self.words / WORDS_A_MINUTE))

    def is_visible(self, now: datetime) -> bool:
        """Whether readers may see it: no draft, published, and not expired."""
        return not self.hidden and self.visible_from <= now and not self.is_expired(now)

    def is_expired(self, now: datetime) -> bool:
        """Whether its time is over."""
        return self.expires is not None and self.expires <= now

    def closes_at(self, close_after_days: int) -> datetime | None:
        """When it stops taking comments, counted from its publication; None for never (0 days)."""
        try:
            start = max(self.date, self.visible_from)
            return start + timedelta(days=close_after_days) if close_after_days > 0 else None
        except OverflowError:
            return None

    def is_open(self, close_after_days: int, now: datetime) -> bool:
        """Whether it takes comments at a moment."""
        end = self.closes_at(close_after_days)
        return self.comments_open and (end is None or now < end)


def compose(text: str, path: Path, place: str, root: Path, language: str) -> Article:
    """The article in a file at `place` below the content folder; ContentError when it cannot be one.

    Without a date in header or file name the file's own time stands in, with a warning.
    """
    header = frontmatter.read(text)
    fields = understand(header, PurePosixPath(place))
    is_page = place.startswith(f"{PAGES}/")
    if not fields.slug:
        raise ContentError(1, "nothing in its name can stand in an address", "Add slug: with a word in it")
    body = clean_text(header.body)
    heading, rest = _heading(body)
    tongue = fields.language or language
    # The header is taken at its word; what comes out of the text looks as it does in the text.
    title = fields.title or set_line(heading, tongue) or fields.slug.replace("-", " ").capitalize()
    if heading and (not fields.title or heading.casefold() == title.casefold()):
        body = rest  # the page shows its title already
    date, warnings = _date(fields, path, is_page)
    base = f"/{quote(fields.slug)}/" if is_page else f"/posts/{quote(fields.slug)}/"
    return Article(
        slug=fields.slug,
        title=title,
        date=date,
        visible_from=fields.publish or ALWAYS,
        modified=fields.modified,
        expires=fields.expires,
        tags=fields.tags,
        summary=fields.summary or set_line(_summary(body), tongue),
        hidden=fields.hidden,
        aliases=tuple(alias for alias in fields.aliases if alias != base),
        comments_open=fields.comments_open and not is_page,
        reflection=fields.reflection,
        language=tongue,
        author=fields.author,
        care=fields.care,
        words=count_words(body),
        path=path,
        place=place,
        folder=path.parent,
        is_page=is_page,
        warnings=warnings,
        body=Body(body, base, path.parent, root, tongue),
    )


def _date(fields: Fields, path: Path, is_page: bool) -> tuple[datetime, tuple[Remark, ...]]:
    if fields.date is not None:
        return fields.date, fields.warnings
    stamp = stamp_of(path)
    date = datetime.fromtimestamp(stamp[0] // 10**9 if stamp else 0, UTC)
    if is_page or fields.hidden:
        return date, fields.warnings
    warning = Remark(1, "it has no date, so that of the file stands in", f"Add date: {date:%Y-%m-%d}")
    return date, (*fields.warnings, warning)


def _heading(body: str) -> tuple[str, str]:
    """The words of a heading of the first rank that a text begins with, and the text below it."""
    first, _, rest = body.partition("\n")
    under, _, below = rest.partition("\n")
    if first.startswith("# "):
        words = re.sub(r"\{[^{}]*\}$", "", first[2:]).strip().rstrip("#")
        return plain_line(_plain(words), MAX_TITLE), rest
    if first.strip() and under.rstrip() and not under.rstrip().strip("="):
        return plain_line(_plain(first), MAX_TITLE), below
    return "", body


def _summary(body: str) -> str:
    """The words before `<!--more-->`, or else the first paragraph of prose."""
    before, mark, _ = re.sub(r"(?ms)^(```+|~~~+).*?^\1[ \t]*$", "", body[:20_000]).partition("<!--more-->")
    blocks = [block.strip() for block in re.split(r"\n\s*\n", before) if not block.startswith(("    ", "\t"))]
    prose = [
        _plain(block)
        for block in blocks
        if not re.match(r"[#>|{<!+:]|[-*+] |\d+\. |\[\^|\[TOC\]|\[[^]]*\]: ", block)
    ]
    prose = [words for words in prose if words]
    return plain_line(" ".join(prose if mark else prose[:1]), MAX_SUMMARY)


def _plain(words: str) -> str:
    """Markdown of one paragraph without its marks."""
    words = re.sub(r"!\[[^]]*\](\([^)]*\)|\[[^]]*\])|\[\^[^]]*\]|</?[a-zA-Z!][^>]*>", "", words)
    words = re.sub(r"\[([^]]*)\](\([^)]*\)|\[[^]]*\])(\{[^}]*\})?", r"\1", words)
    words = re.sub(r"(?<!\w)[*_~]+(?=\S)|(?<=\S)[*_~]+(?!\w)|`+", "", words)
    return html.unescape(re.sub(r"\\([!-/:-@[-`{-~])", r"\1", words)).strip()
