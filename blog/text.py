"""What becomes of text that people type, decided once: kept exactly, but for what no reader could see.

Everything is NFC, never NFKC: compatibility forms carry meaning. Joiners, variation selectors, bidi marks and
combining marks stay as they were typed. Gone are characters that no text needs and some store, feed or
terminal refuses: NUL and the other controls, lone surrogates, noncharacters. Every function takes time
proportional to its input, whatever stands in it.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Literal

AUTHOR_MAX = 100
"""Characters of a name, after cleaning, as for the others below."""
EMAIL_MAX = 254
"""Characters of an e-mail address (RFC 5321)."""
URL_MAX = 500
"""Characters of a website's address."""
BODY_MAX = 10_000
"""Characters of a comment; a line break counts as one."""

# A pattern whose characters are all below U+10000 compiles to a table; with one above, to a list, which is
# ten times slower.
_UNUSABLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]+")
_LINE_BREAK = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_BLANK_START = re.compile(r"\A(?:[ \t]*\n)+")
_SPACE = re.compile("[\t\n\r\x0b\x0c\x85\u2028\u2029 ]+")
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+")

# What Unicode counts among letters and symbols but shows nothing: Hangul fillers, the blank braille cell, a
# musical null note, the object placeholder; and ranges to be ignored even where nothing is assigned yet.
_BLANK = re.compile(
    "[\u115f\u1160\u2065\u2800\u3164\uffa0\ufff0-\ufff8\ufffc\U0001d159\U000e0000-\U000e0fff]"
)
_INVISIBLE_KINDS = frozenset({"Cc", "Cf", "Cs", "Mc", "Me", "Mn", "Zl", "Zp", "Zs"})


def _marks(start: int, end: int) -> str:
    """The characters in this range that combine with the one before, as the inside of a character class."""
    first, last, parts = -1, -1, []
    for code in range(start, end):
        if not unicodedata.combining(chr(code)):
            continue
        if code != last + 1:
            parts.append((first, last))
            first = code
        last = code
    parts.append((first, last))
    return "".join(f"{chr(low)}-{chr(high)}" for low, high in parts[1:])


# Normalising sorts each run of marks in quadratic time: 10,000 of them take a tenth of a second. Unicode's
# "stream-safe text" (UAX 15) gives 30 as more than any writing needs; longer runs are kept as they are.
_STACK = re.compile(f"([{_marks(0x300, 0x10000)}]{{31,}})")
# Only rare scripts have marks above U+FFFF, all of them below the emoji.
_RARE = re.compile("[\U00010000-\U0001efff]")
# Accents of the Latin, Greek and Cyrillic alphabets. Marks of other scripts tell words apart: か is not が.
_ACCENT = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+")
# Nothing to see, so nothing to compare: soft hyphen, joiners, bidi marks, fillers, variation selectors, tags.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0]+"
)
_TAGS = re.compile("[\U000e0000-\U000e0fff]+")
# One sign for several words: ﷺ alone would become 18 letters, and comparing many times dearer than prose.
_PHRASE = re.compile("([\ufdf0-\ufdfd]+)")
# Letters with a stroke are letters of their own in Unicode, without a decomposition.
_STROKES = str.maketrans("øłđħŧıð", "oldhtid") | str.maketrans({"æ": "ae", "œ": "oe"})


@cache
def _rare_stack() -> re.Pattern[str]:
    """Made when the first of them is met: it takes as long as a page."""
    return re.compile(f"([{_marks(0x300, 0x1F000)}]{{31,}})")


def _stacks(text: str) -> re.Pattern[str]:
    return _rare_stack() if _RARE.search(text) else _STACK


def _normal(form: Literal["NFC", "NFKD"], kept: re.Pattern[str], text: str) -> str:
    """The text in this form, except for what the pattern finds."""
    pieces = kept.split(text)
    pieces[::2] = [unicodedata.normalize(form, piece) for piece in pieces[::2]]
    return "".join(pieces)


def _nfc(text: str) -> str:
    return text if text.isascii() else _normal("NFC", _stacks(text), text)


def clean_text(text: str) -> str:
    r"""Text of several lines as it is stored: NFC, lines ended by \n, no other control character but the tab.

    Blank lines around it and spaces at its end go; spaces at its start may be indented code and stay.
    """
    text = _UNUSABLE.sub("", _LINE_BREAK.sub("\n", text))
    return _BLANK_START.sub("", _nfc(text)).rstrip()


def clean_line(text: str) -> str:
    """Text of one line as it is stored: NFC, line breaks and tabs become a space, nothing around it."""
    return _nfc(_SPACE.sub(" ", _UNUSABLE.sub("", text))).strip()


def plain_line(text: str, limit: int) -> str:
    """One line of at most `limit` characters for a mail's subject, a title, a log: no bidi controls either.

    A cut shows as `…` and does not split an accent or an emoji from what it belongs to.
    """
    line = clean_line(_BIDI.sub("", text))
    if len(line) <= limit:
        return line
    end = max(limit - 1, 0)
    # Flags and families are at most this long; a longer stack of accents is cut anywhere.
    lowest = max(end - 16, 0)
    while end > lowest and _belongs_to_the_left(line, end):
        end -= 1
    return line[:end].rstrip() + "…" if limit > 0 else ""


def _belongs_to_the_left(line: str, position: int) -> bool:
    """Whether a cut here would change what stands before: marks, joined emoji, skin tones, tag sequences."""
    char = line[position]
    return (
        unicodedata.category(char) in {"Mc", "Me", "Mn"}
        or "\u200d" in (char, line[position - 1])
        or "\U0001f3fb" <= char <= "\U0001f3ff"
        or "\U000e0020" <= char <= "\U000e007f"
    )


def is_invisible(text: str) -> bool:
    """Whether a reader would see nothing at all: spaces, joiners, fillers, lone accents, or no text."""
    return all(unicodedata.category(char) in _INVISIBLE_KINDS or _BLANK.match(char) for char in text)


def fold(text: str) -> str:
    """Text for comparing names and words, never for showing: what looks alike in a hurry becomes the same.

    Case, accents, width, styled letters (𝓿 is v), invisible characters and the kinds of spaces are all gone.
    """
    text = _UNUSABLE.sub("", text)
    if not text.isascii():
        text = _TAGS.sub("", _UNSEEN.sub("", text))
        text = _normal("NFKD", _PHRASE, _stacks(text).sub("", text))
        text = _UNSEEN.sub("", unicodedata.normalize("NFC", _ACCENT.sub("", text)))
    return " ".join(text.casefold().translate(_STROKES).split())


def fold_email(text: str) -> str:
    """An e-mail address for comparing: only case is ignored, because josé@ and jose@ can be two people."""
    return clean_line(text).lower()
