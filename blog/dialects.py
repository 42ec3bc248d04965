"""What the fields of a header mean: in this blog's own files and in those of Jekyll, Hugo, Eleventy, Pelican.

Where the dialects disagree the field's type or the file's place decides. Where that leaves a doubt about
whether something may be seen, it is hidden.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from pathlib import PurePosixPath

from blog.content import FrontMatterError, Remark
from blog.dates import moment
from blog.frontmatter import Header
from blog.reading import NO, YES, Reader
from blog.slugs import site_path, slugify
from blog.text import plain_line

MAX_TITLE = 300
MAX_REFLECTION = 1000
MAX_CARE = 2000
MAX_SUMMARY = 600
MAX_TAGS = 50
MAX_TAG = 60
MAX_ALIASES = 200

_PUBLISHED = {"published", "publish", "public", "live"}
_HIDDEN = {"draft", "hidden", "private", "pending", "skip", "trash", "future"}
# Fields that decide what is seen, and by whom when: a slip in their names is worth a warning.
_WEIGHTY = [
    "draft",
    "published",
    "publishdate",
    "expirydate",
    "status",
    "comments",
    "reflection",
    "date",
    "slug",
]
_KNOWN = {*_WEIGHTY, "data", "layout", "publisher", "publication", "state", "update", "updated"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """What a header says, in this blog's terms; empty or None where it says nothing."""

    title: str
    slug: str
    date: datetime | None
    publish: datetime | None
    modified: datetime | None
    expires: datetime | None
    tags: tuple[str, ...]
    summary: str
    hidden: str  # why nobody may see it, whatever the dates say; empty: they may
    aliases: tuple[str, ...]
    comments_open: bool
    reflection: str
    language: str
    author: str
    care: str
    warnings: tuple[Remark, ...]


def understand(header: Header, place: PurePosixPath) -> Fields:
    """The meaning of a header at a place below the content folder; FrontMatterError for what has none."""
    reader = Reader(header)
    name = _FileName(place)
    publish = reader.moment("publishdate", "pubdate") or _published(reader)
    date = reader.moment("date", "created") or publish or name.date()
    slug = slugify(reader.text("slug", limit=MAX_TITLE)) or name.slug
    _look_for_slips(reader)
    return Fields(
        title=reader.text("title", limit=MAX_TITLE),
        slug=slug,
        date=date,
        publish=publish or date,
        modified=reader.moment("modified", "lastmod", "last_modified_at", "updated"),
        expires=reader.moment("expires", "expirydate", "unpublishdate"),
        tags=_tags(reader, by_space="_posts" in place.parts),
        summary=_summary(reader),
        hidden=_hidden(reader) or ("it lies in _drafts" if "_drafts" in place.parts else ""),
        aliases=_aliases(reader, slug, date),
        comments_open=_comments_open(reader),
        reflection=reader.text("reflection", limit=MAX_REFLECTION),
        language=_language(reader),
        author=_author(reader),
        care=reader.text("care", limit=MAX_CARE, lines=True),
        warnings=tuple(reader.warnings),  # the last of the fields: it collects what the others noted
    )


class _FileName:
    """What a file's name says: `2026-01-02-a-walk.md`, or `a-walk/index.md` for a folder of its own."""

    def __init__(self, place: PurePosixPath) -> None:
        stem = place.stem
        if stem.casefold() == "index" and place.parent.name:
            stem = place.parent.name
        dated = re.match(r"([0-9]{4}-[0-9]{1,2}-[0-9]{1,2})(?![0-9])[-_ ]?(.*)$", stem)
        self._date, rest = (dated[1], dated[2]) if dated else ("", stem)
        self.slug = slugify(rest) or slugify(stem)

    def date(self) -> datetime | None:
        if not self._date:
            return None
        try:
            return moment(self._date)
        except ValueError as error:
            what = f"{self._date} in the file's name is no day"
            raise FrontMatterError(1, what, "Add date: to the header") from error


def _published(reader: Reader) -> datetime | None:
    """Hugo's `published` is a date. Jekyll's is a yes or no, which `_hidden` reads."""
    return None if reader.answer("published") is not None else reader.moment("published")


def _hidden(reader: Reader) -> str:
    if any([reader.flag("draft"), reader.flag("private"), reader.flag("headless")]):
        return "it is a draft"
    if reader.answer("published") is False:
        return "it is not published"
    if reader.flag("eleventyexcludefromcollections") or reader.answer("permalink") is False:
        return "it has no address"
    key, value = reader.find("status")
    status = "" if value is None else value.strip().casefold() if isinstance(value, str) else "?"
    if status and status not in _PUBLISHED | _HIDDEN:
        reader.warn(key, "no known status, so the article stays hidden", "Write published or draft")
    return "" if not status or status in _PUBLISHED else "its status is not published"


def _tags(reader: Reader, by_space: bool) -> tuple[str, ...]:
    """Tags and categories, one of each spelling. Jekyll parts a line of them by spaces, Pelican by commas."""

    def split(line: str) -> list[str]:
        return line.split() if by_space and "," not in line else re.split("[,;]", line)

    found: dict[str, str] = {}
    for key in ("tags", "keywords", "categories", "category"):
        for word in reader.names(key, split):
            name = plain_line(word, MAX_TAG)
            found.setdefault(slugify(name), name)
    return tuple(name for slug, name in found.items() if slug)[:MAX_TAGS]


def _summary(reader: Reader) -> str:
    key, value = reader.find("summary", "description", "excerpt")
    return "" if isinstance(value, (bool, list, dict)) else plain_line(reader.words(key, value), MAX_SUMMARY)


def _author(reader: Reader) -> str:
    key, value = reader.find("author", "authors")
    people = value if isinstance(value, list) else [value]
    names = [person.get("name") if isinstance(person, dict) else person for person in people]
    return plain_line(", ".join(filter(None, (reader.words(key, name) for name in names))), MAX_TITLE)


def _language(reader: Reader) -> str:
    key, value = reader.find("language", "lang", "locale")
    tag = reader.words(key, value).replace("_", "-")
    if tag and not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}", tag):
        reader.warn(key, "this is no language tag", "Write en, or pt-BR")
        return ""
    return tag


def _comments_open(reader: Reader) -> bool:
    key, value = reader.find("comments")
    word = str(value).strip().casefold() if isinstance(value, (str, bool)) else ""
    if value is None or word in YES or word == "open":
        return True
    if word not in NO and word not in ("closed", "close"):
        reader.warn(key, "neither open nor closed, so there is no form", "Write open or closed")
    return False


def _aliases(reader: Reader, slug: str, date: datetime | None) -> tuple[str, ...]:
    """The site paths at which the article was found before, in the order of the header."""
    paths: dict[str, None] = {}
    for key in ("permalink", "url", "aliases", "alias", "redirect_from"):
        value = reader.header.fields.get(key)
        for item in value if isinstance(value, list) else [value]:
            if not isinstance(item, str) or not item or reader.answer(key) is not None:
                continue
            path = site_path(_filled(item, slug, date))
            if path is None or re.search(r"\{\{|\{%|/:[a-z]", path):
                what = f"“{plain_line(item, 60)}” is no address to redirect from"
                reader.warn(key, what, "Write it out, like /old/address/")
            else:
                paths[path] = None
    return tuple(paths)[:MAX_ALIASES]


def _filled(address: str, slug: str, date: datetime | None) -> str:
    """An address with Jekyll's and Hugo's placeholders for name and date filled in."""
    words = {"title": slug, "slug": slug}
    if date is not None:
        words |= {"year": f"{date.year:04}", "month": f"{date.month:02}", "day": f"{date.day:02}"}
    return re.sub(r":([a-z]+)", lambda found: words.get(found[1], found[0]), address)


def _look_for_slips(reader: Reader) -> None:
    for key in reader.header.fields:
        close = get_close_matches(key, _WEIGHTY, 1, 0.8) if key not in _KNOWN and len(key) < 20 else []
        if close:
            reader.warn(key, "no field has this name", f"If you mean {close[0]}, write {close[0]}:")
