"""Fields of a header as text, dates, yes or no, and lists; FrontMatterError for what is none of these."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from blog.content import FrontMatterError, Remark, Value
from blog.dates import moment
from blog.frontmatter import Header
from blog.text import clean_line, clean_text

YES = frozenset({"true", "yes", "on", "1", "y"})
NO = frozenset({"false", "no", "off", "0", "n"})
# What Eleventy writes for the date of the file itself.
_FILE_DATES = frozenset({"last modified", "created", "git last modified", "git created"})


class Reader:
    """Reads fields of one header and collects warnings. Of several names the first filled one counts."""

    def __init__(self, header: Header) -> None:
        self.header = header
        self.warnings: list[Remark] = []

    def find(self, *keys: str) -> tuple[str, Value]:
        """The name that is filled and its value; the first name and None when none is."""
        for key in keys:
            value = self.header.fields.get(key)
            if value is not None and value != "":
                return key, value
        return keys[0], None

    def wrong(self, key: str, what: str, fix: str) -> FrontMatterError:
        """The error of a field that cannot be understood."""
        return FrontMatterError(self.header.line_of(key), f"{key}: {what}", fix)

    def warn(self, key: str, what: str, fix: str) -> None:
        """Note something about a field."""
        self.warnings.append(Remark(self.header.line_of(key), f"{key}: {what}", fix))

    def text(self, *keys: str, limit: int, lines: bool = False) -> str:
        """Text of at most `limit` characters; one line, unless `lines`."""
        key, value = self.find(*keys)
        words = self.words(key, value, lines)
        if len(words) > limit:
            raise self.wrong(
                key, f"longer than {limit} characters", "Say it shorter, or move it into the text"
            )
        return words

    def words(self, key: str, value: Value, lines: bool = False) -> str:
        """A value that must be text, a number or a date, as clean text."""
        if value is None:
            return ""
        if isinstance(value, (list, dict, bool)):
            raise self.wrong(key, "this is not text", f'Write {key}: "the words"')
        try:
            return clean_text(str(value)).strip() if lines else clean_line(str(value))
        except ValueError as error:  # a number of more than 4,300 digits
            raise self.wrong(key, "this number is too long", "Put it into quotes") from error

    def moment(self, *keys: str) -> datetime | None:
        """A date, in UTC."""
        key, value = self.find(*keys)
        if value is None or (isinstance(value, str) and value.strip().casefold() in _FILE_DATES):
            return None
        try:
            return moment(value)
        except ValueError as error:
            shown = f"“{value[:40]}”" if isinstance(value, str) else "this"
            fix = f"Write {key}: 2026-01-31, or with a time {key}: 2026-01-31 18:30:00 +0100"
            raise self.wrong(key, f"{shown} is not a date", fix) from error

    def answer(self, key: str) -> bool | None:
        """Yes or no; None for anything else."""
        value = self.header.fields.get(key)
        if isinstance(value, (bool, int)):
            return bool(value) if value in (0, 1) else None
        word = value.strip().casefold() if isinstance(value, str) else ""
        return True if word in YES else False if word in NO else None

    def flag(self, key: str) -> bool:
        """Yes or no, and no where the field is missing or empty."""
        answer = self.answer(key)
        if answer is None and self.find(key)[1] is not None:
            raise self.wrong(key, "this is neither true nor false", f"Write {key}: true or {key}: false")
        return bool(answer)

    def names(self, key: str, split: Callable[[str], list[str]]) -> list[str]:
        """A list of words, or a line of them that `split` takes apart."""
        value = self.header.fields.get(key)
        items = value if isinstance(value, list) else split(self.words(key, value))
        return [word for word in (self.words(key, item) for item in items) if word]
