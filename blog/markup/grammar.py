"""Which Markdown a comment may use.

CommonMark by markdown-it, without what a comment has no use for: raw HTML, entities, images, headings,
reference links. It differs where text that nobody wrote as Markdown would lose something: line breaks and
indentation count, 2*3*4 and __init__ are no emphasis, a backslash goes only where it stands before markup,
and markers nested or repeated beyond use stay as text.
"""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_block import StateBlock, blockquote, list_block
from markdown_it.rules_inline import StateInline, emphasis
from markdown_it.token import Token

from blog.markup import budget
from blog.markup.links import BARE_START, add_link_rules

_DEEPEST = 6
"""Quotes and lists inside one another: a quote is one level, a list two. Markers beyond are text."""
_INDENT = re.compile(r"[ \t]*")
_WIDEST_INDENT = 32
_DELIMITERS = re.compile(r"\*+|_+")
_EMPHASIS = {"*", "**", "***", "_"}
_SYMBOLS = frozenset("!#$%&()+,-.:;<=>?@^{|}~\\")
_FACES = frozenset(":;._<^=")
_ESCAPE = re.compile(r"\\([*_`\[\]<>])|(?<![^\n])\\([-+~])|(?<=[0-9])\\([.)])")


def read(text: str) -> list[Token]:
    """The tokens of a text from clean_text(). Raises budget.TooMuchMarkup."""
    return _PARSER.parse(text, budget.begin(text))


class _Inline(ParserInline):
    """Looking ahead costs too, also where the answer is known already: it can be asked again and again."""

    def skipToken(self, state: StateInline) -> None:  # noqa: N802 - markdown-it's name
        budget.spend(state.env, budget.LOOK_AHEAD)
        super().skipToken(state)


def _count_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    # Within a list it is asked before each item, and an empty item asks nothing else.
    ends_paragraph = silent and state.parentType != "list"
    budget.spend(state.env, budget.CONTINUED if ends_paragraph else budget.BLOCK)
    return False


def _count_inline(state: StateInline, silent: bool) -> bool:
    budget.spend(state.env, budget.INLINE)
    return False


def _quote(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    place = state.bMarks[start] + state.tShift[start]
    if state.src[place + 1 : place + 2] in _FACES:  # >:( and >_<
        return False
    # Looking ahead is not bounded: the marker of an outer quote ends a paragraph at any depth.
    return (silent or _has_room(state)) and blockquote(state, start, end, silent)


def _list(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    return (silent or _has_room(state)) and list_block(state, start, end, silent)


def _has_room(state: StateBlock) -> bool:
    budget.spend(state.env, state.level)
    return state.level <= _DEEPEST


def _line_break(state: StateInline, silent: bool) -> bool:
    """Every line break is kept, and so is the indentation after it: poems, and code without its fence."""
    if state.src[state.pos] != "\n":
        return False
    indent = _INDENT.match(state.src, state.pos + 1, state.posMax)
    assert indent is not None  # noqa: S101 - the empty string matches
    if not silent:
        state.push("softbreak", "br", 0)
        state.append_pending("\u00a0" * min(len(indent[0].expandtabs(4)), _WIDEST_INDENT))
    state.pos = indent.end()
    return True


def _escape(state: StateInline, silent: bool) -> bool:
    """A backslash takes the meaning of what is markup here; before anything else it is a backslash."""
    found = _ESCAPE.match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    if not silent:
        state.append_pending(found[0][1])
    state.pos = found.end()
    return True


def _emphasis(state: StateInline, silent: bool) -> bool:
    """Emphasis, where asterisks and underscores can be meant so."""
    run = _DELIMITERS.match(state.src, state.pos, state.posMax)
    if run is None:
        return False
    if not silent and run[0] in _EMPHASIS and not _is_typed(run):
        budget.spend(state.env, budget.INLINE * len(run[0]))
        return emphasis.tokenize(state, silent)
    if not silent:
        state.append_pending(run[0])
    state.pos = run.end()
    return True


def _is_typed(run: re.Match[str]) -> bool:
    """Whether it stands in 2*3*4, count(*), ^_^, /* or **/, by what is on both sides of it."""
    before, after = run.string[max(run.start() - 1, 0) : run.start()], run.string[run.end() : run.end() + 1]
    if not before.isascii() or not after.isascii():
        return False
    return (
        (before.isalnum() and after.isalnum())
        or (before in _SYMBOLS and after in _SYMBOLS)
        or "/" in (before, after)
    )


def _make_parser() -> MarkdownIt:
    md = MarkdownIt("zero", {"maxNesting": 10})
    md.inline = _Inline()
    md.inline.terminator_re = re.compile(r"[\n\\`*_\[\]<]|" + BARE_START)
    ends = ["paragraph", "blockquote", "list"]
    md.block.ruler.before("table", "count", _count_block, {"alt": ends})
    md.block.ruler.at("blockquote", _quote, {"alt": ends})
    md.block.ruler.at("list", _list, {"alt": ["paragraph", "blockquote"]})
    md.inline.ruler.before("text", "count", _count_inline)
    md.inline.ruler.at("newline", _line_break)
    md.inline.ruler.at("escape", _escape)
    md.inline.ruler.at("emphasis", _emphasis)
    add_link_rules(md)
    md.core.ruler.enableOnly(["block", "inline"])
    md.block.ruler.enableOnly(["count", "code", "fence", "blockquote", "hr", "list", "paragraph"])
    md.inline.ruler.enableOnly(
        ["count", "text", "linkify", "newline", "escape", "backticks", "emphasis", "link", "autolink"]
    )
    md.inline.ruler2.enableOnly(["balance_pairs", "emphasis"])
    # The rules are compiled when they are first used, and two threads must not do that at once.
    md.parse("> - *x*", budget.begin(""))
    return md


_PARSER = _make_parser()
