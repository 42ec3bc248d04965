"""The content folder: which files in it are articles, what they hold, and which files beside them are served.

Nothing outside the folder is ever read, whatever links lie in it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TypeAlias

from blog.content import ContentError

Stamp: TypeAlias = tuple[int, int, int, int]

MARKDOWN = (".md", ".markdown", ".mkd", ".mdown")
PAGES = "pages"
MAX_FILE = 2_000_000  # bytes; several novels
MAX_DEPTH = 8
_READ_ALTHOUGH_UNDERLINED = ("_posts", "_drafts")

# What may be served from beside an article. No type that a browser would run as a page of this site.
_ASSETS = """
    .png .jpg .jpeg .gif .webp .avif .svg .ico .pdf .epub .txt .csv .tsv .ics .mp3 .ogg .oga .opus .m4a .flac
    .wav .mp4 .webm .ogv .vtt .zip .gz .woff2 .odt .ods .docx .xlsx
"""
ASSETS = frozenset(_ASSETS.split())


class Source(NamedTuple):
    """A file that should be an article: where it is, what `stat` says, or why it cannot be read."""

    path: str
    place: str  # below the content folder, with slashes
    stamp: Stamp | None
    trouble: str = ""


def stamp_of(path: str | Path) -> Stamp | None:
    """What changes when a file does (modified, changed, size, number); None when there is no such file."""
    try:
        return _stamp(os.stat(path))  # noqa: PTH116  (twice as fast, and asked at every request)
    except (OSError, ValueError):
        return None


def _stamp(found: os.stat_result) -> Stamp:
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino


def scan(root: Path) -> Iterator[Source]:
    """Every article file below `root`, a path without links; OSError when `root` cannot be read.

    Passed over: hidden files, Hugo's `_index.md`, and folders that begin with an underline, except Jekyll's.
    """
    yield from _scan(str(root), "", str(root), 0)


def _scan(folder: str, place: str, root: str, depth: int) -> Iterator[Source]:
    with os.scandir(folder) as entries:
        found = sorted((entry for entry in entries if entry.name[0] != "."), key=lambda entry: entry.name)
    for entry in found:
        name, here = entry.name, f"{place}{entry.name}"
        is_article = name.lower().endswith(MARKDOWN)
        if entry.is_dir(follow_symlinks=False):
            if is_article:
                yield Source(entry.path, here, None, "this is a folder, not a file")
            elif (name[0] != "_" or name in _READ_ALTHOUGH_UNDERLINED) and name != "node_modules":
                yield from _descend(entry.path, f"{here}/", root, depth + 1)
        elif entry.is_symlink():
            if is_article or entry.is_dir():
                yield _linked(entry, here, root)
        elif is_article and name[0] != "_":
            yield _plain(entry, here)


def _descend(folder: str, place: str, root: str, depth: int) -> Iterator[Source]:
    if depth > MAX_DEPTH:
        yield Source(folder, place[:-1], None, f"folders deeper than {MAX_DEPTH} are not read")
        return
    try:
        yield from _scan(folder, place, root, depth)
    except OSError as error:
        yield Source(folder, place[:-1], None, f"this folder cannot be read ({error.strerror})")


def _plain(entry: os.DirEntry[str], place: str) -> Source:
    try:
        found = entry.stat()
    except OSError as error:
        return Source(entry.path, place, None, f"this file cannot be read ({error.strerror})")
    if not stat.S_ISREG(found.st_mode):
        return Source(entry.path, place, None, "this is not a plain file")
    return Source(entry.path, place, _stamp(found))


def _linked(entry: os.DirEntry[str], place: str, root: str) -> Source:
    try:
        target = os.path.realpath(entry.path, strict=True)
    except OSError:
        return Source(entry.path, place, None, "this link leads nowhere")
    if not target.startswith(f"{root}/"):
        return Source(entry.path, place, None, "this link leads out of the content folder")
    if entry.is_dir():
        return Source(entry.path, place, None, "this is a link to a folder, and those are not followed")
    return _plain(entry, place)


def read(path: str) -> str:
    """The text of an article file; ContentError when it cannot be had."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123  (a path that may not be UTF-8)
            data = file.read(MAX_FILE + 1)
    except OSError as error:
        raise ContentError(
            1, f"this file cannot be read ({error.strerror})", "Let the blog's user read it"
        ) from error
    if len(data) > MAX_FILE:
        raise ContentError(1, f"this file is larger than {MAX_FILE:,} bytes", "Make two articles of it")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ContentError(line, "this file is not UTF-8", "Save it as UTF-8 in your editor") from error


def asset(root: Path, folder: Path, name: str) -> Path | None:
    """The file `name` (with slashes) that may be served from an article's folder; None for all others.

    A folder below it that holds articles of its own keeps its files: they may belong to a draft.
    """
    parts = name.split("/")
    if "\\" in name or "\0" in name or any(part == "" or part[0] == "." for part in parts):
        return None
    try:
        home = folder.resolve()
        found = home.joinpath(*parts).resolve(strict=True)
        within = found.relative_to(home).parts
        found.relative_to(root.resolve())
        if not found.is_file() or Path(parts[-1]).suffix.lower() not in ASSETS:
            return None
        if found.suffix.lower() not in ASSETS or any(part[0] == "." for part in within):
            return None
        inner = [home.joinpath(*within[:depth]) for depth in range(1, len(within))]
        return None if any(map(_holds_articles, inner)) else found
    except (OSError, ValueError, RuntimeError):  # a link in a circle is a RuntimeError before Python 3.13
        return None


def _holds_articles(folder: Path) -> bool:
    return (
        folder.name == PAGES
        or folder.name[0] == "_"
        or any(path.suffix.lower() in MARKDOWN for path in folder.iterdir())
    )
