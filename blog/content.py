"""What can be wrong with a file of the content folder, and how that is said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TypeAlias

Value: TypeAlias = "str | int | float | bool | date | datetime | time | list[Value] | dict[str, Value] | None"
"""What a field of a header may hold."""


class ContentError(ValueError):
    """A file that cannot become an article: the line (from 1), what is wrong there, how to mend it."""

    def __init__(self, line: int, what: str, fix: str) -> None:
        super().__init__(f"line {line}: {what}. {fix}")
        self.line, self.what, self.fix = line, what, fix


class FrontMatterError(ContentError):
    """A header that cannot be read beyond doubt."""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that an author should know although the article can be read."""

    line: int
    what: str
    fix: str


@dataclass(frozen=True, slots=True)
class Problem:
    """An error or a remark with its file, as a path below the content folder; `hidden`: not published."""

    path: str
    line: int
    what: str
    fix: str
    hidden: bool = True

    def __str__(self) -> str:
        end = "Not published." if self.hidden else "Published all the same."
        return f"{self.path}:{self.line}: {self.what}. {self.fix}. {end}"
