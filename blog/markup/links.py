"""Addresses that strangers give: which ones may become a link, and how a comment's Markdown writes one.

A link is made only for a whole http(s) address; whatever else was typed in its place stays there as text.
"""

from __future__ import annotations

import re
from html import escape

import nh3
from markdown_it import MarkdownIt
from markdown_it.helpers import parseLinkLabel
from markdown_it.rules_inline import StateInline

from blog.markup import budget
from blog.text import URL_MAX, is_invisible

# Spelled out, because ignoring case would also let ſ be an s.
_SCHEME = "[Hh][Tt][Tt][Pp][Ss]?"
# Invisible characters make an address look like another one, and browsers read a backslash as a slash.
_NEVER = r"\s\"<>\\`\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
_ADDRESS = re.compile(
    rf"({_SCHEME})://((?!\.)[^{_NEVER}!#$%&'()*+,/:;=?@\[\]^{{|}}~\xa0\xad\u180e\u200b-\u200d\u2060-\u2065\ufeff]+"
    r"|\[[0-9A-Fa-f:.]{2,45}\])(?::([0-9]{1,5}))?"
    rf"(?:[/?#][^{_NEVER}]*)?"
)
_HIGHEST_PORT = 65_535
# Hosts that every parser reads alike. About numbers, IPv6 and other scripts the sanitiser is asked: it would
# later take the address from a link that it cannot read, and nothing would be left of it.
_PLAIN_HOST = re.compile(r"(?!.*[Xx][Nn]--)(?:[A-Za-z0-9_-]+\.)*[A-Za-z][A-Za-z0-9_-]*")
_SANITISER = nh3.Cleaner(
    tags={"a"}, attributes={"a": {"href"}}, url_schemes={"http", "https"}, url_relative="deny", link_rel=None
)

# Where an address may begin in running text. Not inside a word, but CJK is written without spaces.
BARE_START = rf"(?<![A-Za-z0-9]){_SCHEME}://"
# Up to a space, a quote or bracket, or CJK punctuation; a closing parenthesis is decided below.
_BARE = re.compile(BARE_START + r"[^\s<>\"`\[\]\\{}|^，。、；：？！（）「」『』《》〈〉【】“”‘’…]+")
_AFTER = ".,;:!?'*_~"
_ANGLE = re.compile(rf"<({_SCHEME}://[^\s<>]+)>")
# One pair of parentheses may stand in an address, as in Wikipedia's.
_TARGET = re.compile(r"\((?:<([^\s<>]{1,500})>|((?:[^\s()<>]|\([^\s()<>]{0,200}\)){1,500}+))\)")


def safe_url(url: str) -> str | None:
    """This http(s) address with its scheme in small letters, or None when it may not become a link.

    It has a host but no name or password, at most URL_MAX characters, and neither spaces nor controls in it.
    """
    url = url.strip()
    match = _ADDRESS.fullmatch(url) if len(url) <= URL_MAX else None
    if match is None or int(match[3] or 0) > _HIGHEST_PORT:
        return None
    url = match[1].lower() + url[match.end(1) :]
    if not _PLAIN_HOST.fullmatch(match[2]) and "href" not in _SANITISER.clean(
        f'<a href="{escape(url)}"></a>'
    ):
        return None
    return url


def add_link_rules(md: MarkdownIt) -> None:
    """Let this parser make links from `[text](address)`, `<address>` and addresses in running text."""
    md.inline.ruler.at("link", _bracket_rule)
    md.inline.ruler.at("autolink", _angle_rule)
    md.inline.ruler.at("linkify", _bare_rule)


def _push(state: StateInline, href: str, text: str) -> None:
    budget.spend(state.env, budget.LINK)
    state.push("link_open", "a", 1).attrs = {"href": href}
    state.push("text", "", 0).content = text
    state.push("link_close", "a", -1)


def _bare_rule(state: StateInline, silent: bool) -> bool:
    match = None if state.linkLevel else _BARE.match(state.src, state.pos, state.posMax)
    if match is None:
        return False
    text = _without_closing(match[0])
    if not silent:
        href = safe_url(text)
        if href:
            _push(state, href, text)
        else:
            state.append_pending(text)
    state.pos += len(text)
    return True


def _without_closing(text: str) -> str:
    """The address without what ends the sentence: punctuation, and a parenthesis that it did not open."""
    text = text.rstrip(_AFTER)
    unopened = text.count(")") - text.count("(")
    while unopened > 0 and text.endswith(")"):
        text = text[:-1].rstrip(_AFTER)
        unopened -= 1
    return text


def _angle_rule(state: StateInline, silent: bool) -> bool:
    match = _ANGLE.match(state.src, state.pos, state.posMax)
    href = safe_url(match[1]) if match else None
    if match is None or href is None or state.linkLevel:
        return False
    if not silent:
        _push(state, href, match[1])
    state.pos = match.end()
    return True


def _bracket_rule(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] != "[" or state.linkLevel:
        return False
    start, end = state.pos + 1, parseLinkLabel(state, state.pos, disableNested=True)
    match = _TARGET.match(state.src, end + 1, state.posMax) if end >= 0 else None
    href = safe_url(match[1] or match[2]) if match else None
    if match is None or href is None or not _honest(state.src[start:end], href):
        return False
    if not silent:
        budget.spend(state.env, budget.LINK)
        most, state.posMax, state.pos = state.posMax, end, start
        state.push("link_open", "a", 1).attrs = {"href": href}
        state.linkLevel += 1
        state.md.inline.tokenize(state)
        state.linkLevel -= 1
        state.push("link_close", "a", -1)
        state.posMax = most
    state.pos = match.end()
    return True


def _honest(label: str, href: str) -> bool:
    """A label that is itself an address has to be the one it leads to; and there is something to click on."""
    return not is_invisible(label) and ("://" not in label or label.strip() == href)
