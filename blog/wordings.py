"""Which page a request asks for: one page may be asked for in many words."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode
from wsgiref.types import WSGIEnvironment


class Mark(NamedTuple):
    """What a view said about its page."""

    scope: str | None
    query: tuple[str, ...]
    until: float | None


def key_of(environ: WSGIEnvironment, mark: Mark) -> str:
    """The path with what of the query changes the page, in one order."""
    path: str = environ["PATH_INFO"]
    query: str = environ.get("QUERY_STRING", "")
    if not query or not mark.query:
        return path
    given = dict(reversed(parse_qsl(query, keep_blank_values=True, encoding="latin-1")))  # the first counts
    wanted = [(name, given[name]) for name in mark.query if name in given]
    return f"{path}?{urlencode(wanted, encoding='latin-1')}" if wanted else path


def scope_of(path: str) -> str:
    """The slug that a path is about, if it is about one: /posts/SLUG/..., or a page at /SLUG/."""
    parts = path.encode("latin-1", "replace").decode("utf-8", "replace").split("/")
    return parts[2] if len(parts) > 2 and parts[1] == "posts" else parts[1] if len(parts) > 1 else ""


def expected(path: str, file_of: Callable[[str], str]) -> Mark | None:
    """What the view of a path that nobody asked for yet is sure to say; None for any but the plainest.

    After a start many may ask for the same article at once, and it should be drawn once then, too.
    `file_of`: where the file of a slug is, empty for an unknown one.
    """
    if path == "/":
        return Mark(None, (), None)
    whole = path.endswith("/") and path.count("/") == (3 if path.startswith("/posts/") else 2)
    return Mark(scope_of(path), ("page",), None) if whole and file_of(scope_of(path)) else None
