"""Slips in an article's text that only show once it is rendered."""

from __future__ import annotations

import re
from collections.abc import Iterator

from blog import sources
from blog.article import Article
from blog.catalogue import shown
from blog.content import ContentError, Problem

# What other generators replace before they render, and what the site's own headers forbid.
_FOREIGN = {
    r"\{\{[<%]|\{%": (
        "this is a command of another generator and shows as it stands",
        "Write it in Markdown or HTML",
    ),
    r"(?i)<(script|iframe|object|embed)\b": ("browsers are told not to run this here", "Link to it instead"),
    r"(?i)<[a-z][^>]*\sstyle\s*=": (
        "browsers are told to ignore styles in the text",
        "Use a class, or leave it out",
    ),
}


def slips(article: Article) -> Iterator[Problem]:
    """What its author did not mean to show, or hoped for in vain; renders the article."""
    place, made, text = shown(article.place), article.body.rendered(), article.body.text
    if made.trouble:
        yield Problem(
            place, 1, f"its Markdown cannot be rendered ({made.trouble})", "Simplify it", hidden=False
        )
    for path, stamp in made.pictures:
        if stamp is None:
            yield Problem(
                place, 1, f"the image {shown(path.name)} is not beside it", "Put it there", hidden=False
            )
    prose = re.sub(r"(?ms)^[ \t]*(```+|~~~+).*?^[ \t]*\1[ \t]*$|`[^`\n]*`", "", text)
    for pattern, (what, fix) in _FOREIGN.items():
        if found := re.search(pattern, prose):
            yield Problem(place, _line(article, found[0]), f"“{found[0][:20]}”: {what}", fix, hidden=False)


def _line(article: Article, words: str) -> int:
    try:
        text = sources.read(str(article.path))
    except ContentError:
        return 1
    return text.count("\n", 0, max(text.find(words), 0)) + 1
