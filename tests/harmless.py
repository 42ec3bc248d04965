"""Whether a comment's HTML can act, loses words or leaves its place, judged by parsers of others."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import html5lib

from blog.markup.comment import render_comment
from blog.text import clean_text

XHTML = "{http://www.w3.org/1999/xhtml}"
ATTRIBUTES = {
    "p": {"dir"},
    "li": {"dir", "value"},
    "pre": {"dir"},
    "a": {"href", "rel"},
    "ol": {"start"},
    **{tag: set[str]() for tag in ("em", "strong", "blockquote", "ul", "code", "br")},
}
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff\u2028\u2029]")
LIST_NUMBER = re.compile(r"^[\s>*+-]*\d", re.MULTILINE)
FENCE = re.compile(r"(`{3,}|~{3,})")


@lru_cache(maxsize=1)
def body(html: str) -> ET.Element:
    """The body of a page with this comment in it and another one after it, as a browser builds it."""
    page = f"<!doctype html><div id=comment>{html}</div><div id=neighbour>next</div>"
    return html5lib.parse(page).find(f"{XHTML}body")


def elements(html: str) -> Iterator[ET.Element]:
    """The elements of a comment, as a browser sees them."""
    comment = body(html)[0]
    return (element for element in comment.iter() if element is not comment)


def check(text: str) -> None:
    """Everything that must hold for a comment's HTML, whatever its text."""
    html = str(render_comment(text))
    stays_in_its_place(html)
    cannot_act(html)
    is_xml(html)
    keeps_the_words(clean_text(text), html)
    assert render_comment(clean_text(text)) == html


def stays_in_its_place(html: str) -> None:
    """The neighbour is a neighbour, not part of this comment or damaged by it."""
    page = body(html)
    assert [child.get("id") for child in page] == ["comment", "neighbour"]
    assert len(page[1]) == 0
    assert page[1].text == "next"
    assert not [tail for child in page if (tail := child.tail)]


def cannot_act(html: str) -> None:
    """Only elements, attributes and addresses from the list."""
    for element in elements(html):
        assert isinstance(element.tag, str), f"a comment or instruction: {element!r}"
        tag = element.tag.removeprefix(XHTML)
        assert tag in ATTRIBUTES, tag
        assert set(element.attrib) <= ATTRIBUTES[tag], (tag, element.attrib)
        assert element.get("dir", "auto") == "auto"
        for number in ("start", "value"):
            assert re.fullmatch("[0-9]{1,9}", element.get(number, "1"))
        if tag == "a":
            assert element.get("rel") == "nofollow ugc noopener"
            href = element.get("href", "http://nowhere.invalid")
            assert re.match("https?://[^/]", href), href
            assert urlsplit(href).scheme in {"http", "https"}
    assert not CONTROLS.search(html), CONTROLS.findall(html)


def is_xml(html: str) -> None:
    """Feeds may take it as XML, and find the same text in it."""
    element = ET.fromstring(f"<div>{html}</div>")
    assert "".join(element.itertext()) == "".join(body(html)[0].itertext()).replace("\r", "\n")


def words(text: str, digits: bool) -> list[str]:
    """What carries meaning: all but spaces, ASCII punctuation, and digits that may be a list's numbers."""
    return [
        char
        for char in text
        if not char.isspace()
        and (ord(char) > 127 or char.isalpha() or (digits and char.isdigit()))
        and unicodedata.category(char) != "Cc"
    ]


def keeps_the_words(text: str, html: str) -> None:
    """What was typed can be read, in its order; only a link's address may stand in its href instead."""
    digits = not LIST_NUMBER.search(text)
    shown = words("".join(body(html)[0].itertext()), digits)
    typed = words(text, digits)
    if "://" not in text and not FENCE.search(text):
        assert shown == typed
        return
    hidden = [word for element in elements(html) for word in words(element.get("href", ""), digits)]
    if FENCE.search(text):  # a word beside a fence names a language
        hidden += [word for line in text.splitlines() if FENCE.search(line) for word in words(line, digits)]
    missing = Counter(typed) - Counter(shown) - Counter(hidden)
    # A scheme is written in small letters.
    missing.subtract({letter: missing[letter] for letter in "HTPS"})
    assert not +missing, +missing
