"""Real quotation marks and dashes, in the way of each language."""

from __future__ import annotations

import re

# Outer and inner marks. Inner ones without ’ at the end stay as in English, whose sign is the apostrophe too.
_ENGLISH = ("“", "”", "‘", "’")
_QUOTES = {
    "bg": ("„", "“", "‚", "‘"),
    "cs": ("„", "“", "‚", "‘"),
    "de": ("„", "“", "‚", "‘"),
    "el": ("«", "»", "“", "”"),
    "es": ("«", "»", "“", "”"),
    "fi": ("”", "”", "’", "’"),
    "fr": ("«\u202f", "\u202f»", "“", "”"),
    "it": ("«", "»", "“", "”"),
    "nb": ("«", "»", "‘", "’"),
    "no": ("«", "»", "‘", "’"),
    "pl": ("„", "”", "‚", "’"),
    "ru": ("«", "»", "„", "“"),
    "sv": ("”", "”", "’", "’"),
    "uk": ("«", "»", "„", "“"),
}
_DASH = re.compile(r"(?<=\s)---?(?=\s)|(?<=\w)---?(?=\w)")
# What an opening mark can stand behind.
_BEFORE = r"(?<![^\s([{«„“‘\u2013\u2014-])"


def marks_of(language: str) -> tuple[str, str, str, str]:
    """The outer and inner quotation marks of a language."""
    return _QUOTES.get(language.partition("-")[0].lower(), _ENGLISH)


def set_line(words: str, language: str) -> str:
    """A title, a question or a summary, set as an article's text is; plain words in and out.

    Hyphens are a dash only between words or between spaces, so that `--force` stays an option.
    """
    start, end, inner, inner_end = marks_of(language)
    inner, inner_end = (inner, inner_end) if inner_end == "’" else _ENGLISH[2:]
    words = _DASH.sub(lambda found: "—" if len(found[0]) == 3 else "–", words.replace("...", "…"))
    words = re.sub(f'{_BEFORE}"(?=\\S)', start, words).replace('"', end)
    # Of single marks only a pair around words is a quotation; every other is an apostrophe.
    words = re.sub(
        rf"{_BEFORE}'(?=\w)((?:[^']|(?<=\w)'(?=\w))*)(?<=\S)'(?!\w)", rf"{inner}\1{inner_end}", words
    )
    return words.replace("'", "’")
