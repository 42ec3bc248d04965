"""A reader's Markdown becomes HTML that cannot act, costs little, and still says what was meant.

grammar.py reads the text, within the steps that budget.py allows; a writer that knows eleven elements makes
HTML of the tokens; nh3, which shares no code with either, lets only those elements pass; a last pattern makes
it XML as well. A text with more markup than its length allows is shown as typed, in one block.

Every paragraph, list item and code block gets dir="auto". So text of any direction is set its own way, and a
bidi control that nobody closed ends with its block: none has to be removed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape, unescape

import nh3
from markdown_it.token import Token
from markupsafe import Markup

from blog.markup.budget import TooMuchMarkup
from blog.markup.grammar import read
from blog.markup.links import safe_url
from blog.remembered import Remembered
from blog.text import clean_text, plain_line

__all__ = ["excerpt", "render_comment", "safe_url"]

_SANITISER = nh3.Cleaner(
    tags={"p", "em", "strong", "a", "blockquote", "ul", "ol", "li", "code", "pre", "br"},
    clean_content_tags=set(),
    attributes={"a": {"href"}, "ol": {"start"}, "li": {"value"}},
    url_schemes={"http", "https"},
    url_relative="deny",
    link_rel="nofollow ugc noopener",
    set_tag_attribute_values={tag: {"dir": "auto"} for tag in ("p", "li", "pre")},
)
_DEEPEST_EMPHASIS = 6

_TAGS = {
    "paragraph_open": "<p>",
    "paragraph_close": "</p>\n",
    "blockquote_open": "<blockquote>\n",
    "blockquote_close": "</blockquote>\n",
    "bullet_list_open": "<ul>\n",
    "bullet_list_close": "</ul>\n",
    "ordered_list_close": "</ol>\n",
    "list_item_close": "</li>\n",
    "em_open": "<em>",
    "em_close": "</em>",
    "strong_open": "<strong>",
    "strong_close": "</strong>",
    "link_close": "</a>",
    "softbreak": "<br>\n",
}
_LANGUAGE = re.compile(r"[\w+#.-]{1,20}")
_NOT_XML = re.compile("<br>|&nbsp;")
_XML = {"<br>": "<br/>", "&nbsp;": "\u00a0"}
_WORD = re.compile(r"[^\s!-/:-@\[-`{-~]")
_SEEN = re.compile(r">[^<]*?[^<\s]")
_INLINE_TAG = re.compile("</?(?:em|strong|a|code)[^>]*>")
_TAG = re.compile("<[^>]*>")


_made: Remembered[Markup] = Remembered(most=2_000, most_characters=2_000_000)


def render_comment(text: str) -> Markup:
    """A comment's text as HTML that is safe in any page or feed, and XML too. Bounded work, no errors."""
    page = _made.get(text)
    if page is None:
        page = _render(clean_text(text))
        _made.put(text, page, len(text) + len(page))
    return page


def excerpt(text: str, limit: int) -> str:
    """The words of a comment without their markup, on one line of at most `limit` characters, not as HTML."""
    words = _TAG.sub(" ", _INLINE_TAG.sub("", render_comment(text)))
    return plain_line(unescape(words), limit)


def _render(text: str) -> Markup:
    if not text:
        return Markup()
    try:
        made = _SANITISER.clean("".join(_write(read(text))))
    except TooMuchMarkup:
        return _as_typed(text)
    # A lone ">" or "1." would be an empty quote or list.
    if not _SEEN.search(made):
        return _as_typed(text)
    return Markup(_NOT_XML.sub(lambda found: _XML[found[0]], made))  # noqa: S704 - it comes from the sanitiser


def _as_typed(text: str) -> Markup:
    return Markup('<pre dir="auto">{}</pre>').format(text)


def _write(tokens: list[Token]) -> Iterator[str]:
    numbers: list[int] = []
    last = ""
    for token in tokens:
        match token.type:
            case "paragraph_open" if token.hidden and last == "paragraph_close":
                yield "<br>\n"
            case "paragraph_open" | "paragraph_close" if token.hidden:
                pass
            case "inline":
                yield from _write_inline(token.children or [])
            case "ordered_list_open":
                numbers.append(int(token.attrs.get("start", 1)))
                yield f'<ol start="{numbers[-1]}">\n' if token.attrs else "<ol>\n"
            case "list_item_open":
                yield _item(token, numbers)
            case "ordered_list_close":
                numbers.pop()
                yield _TAGS[token.type]
            case "fence" | "code_block":
                yield f"<pre><code>{escape(_code(token), quote=False)}</code></pre>\n"
            case "hr":  # its markup has one character more than was typed
                yield f"<p>{token.markup[1:]}</p>\n"
            case _:
                yield _TAGS[token.type]
        last = token.type


def _item(token: Token, numbers: list[int]) -> str:
    """A list item; with its number where numbers were left out, as in an answer to questions 1 and 3."""
    if not token.info:
        return "<li>"
    number, expected = int(token.info), numbers[-1]
    numbers[-1] = max(number, expected) + 1
    return f'<li value="{number}">' if number > expected else "<li>"


def _code(token: Token) -> str:
    """What stands in a code block, with what was typed beside its fence unless that names a language."""
    info = token.info.strip()
    if info and (not _LANGUAGE.fullmatch(info) or not token.content.strip()):
        return f"{info}\n{token.content}"
    return token.content


def _write_inline(tokens: list[Token]) -> Iterator[str]:
    _settle_emphasis(tokens)
    for token in tokens:
        match token.type:
            case "text":
                yield escape(token.content, quote=False)
            case "code_inline":
                yield f"<code>{escape(token.content, quote=False)}</code>"
            case "link_open":
                yield f'<a href="{escape(str(token.attrs["href"]))}">'
            case _:
                yield _TAGS[token.type]


def _settle_emphasis(tokens: list[Token]) -> None:
    """Turn emphasis that lies too deep, or has nothing but signs in it, back into what was typed."""
    opened: list[Token] = []
    with_words = 0  # how many of them, from the outermost on
    for token in tokens:
        match token.type:
            case "em_open" | "strong_open":
                opened.append(token)
            case "em_close" | "strong_close":
                first = opened.pop()
                if len(opened) >= min(with_words, _DEEPEST_EMPHASIS):
                    for side in (first, token):
                        side.type, side.content = "text", side.markup
                with_words = min(with_words, len(opened))
            case _ if _WORD.search(token.content):
                with_words = len(opened)
