"""The header of an article file: YAML, TOML, JSON or Pelican's lines, told apart by how the file begins.

Syntax only; dialects.py knows what the fields mean. A header that cannot be read beyond doubt raises
FrontMatterError and its article stays hidden: no typing mistake may let a draft out.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from blog.content import FrontMatterError, Value
from blog.plainyaml import read_yaml

__all__ = ["FrontMatterError", "Header", "Value", "read"]

MAX_HEADER = 64_000  # characters; a hundred times what most posts have


@dataclass(frozen=True, slots=True)
class Header:
    """The fields of a header, their names in lower case, and the text below it.

    Scalars of YAML and Pelican are text as it was typed (`NO`, `010`, `12:30:00`), those of TOML and JSON
    have their types.
    """

    fields: Mapping[str, Value]
    body: str
    source: str
    first_line: int

    def line_of(self, key: str) -> int:
        """The line of the file on which a field stands; the header's first when it is not found."""
        found = re.search(
            rf"^[\s{{,]*[\"']?{re.escape(key)}[\"']?\s*[:=]", self.source, re.IGNORECASE | re.MULTILINE
        )
        return self.first_line + (self.source.count("\n", 0, found.end()) if found else 0)


def read(text: str) -> Header:
    """Take header and body of an article file apart; FrontMatterError when there is doubt."""
    text = text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    start = len(text) - len(text.lstrip())
    start = text.rfind("\n", 0, start) + 1
    line = text.count("\n", 0, start) + 1
    text = text[start:]
    opener = re.match(r"(---|\+\+\+)[ \t]*([A-Za-z]*)[ \t]*(?:\n|$)", text)
    if opener:
        return _fenced(text, opener, line)
    if text.startswith("{"):
        return _bare_json(text, line)
    return _lines(text, line)


def _fenced(text: str, opener: re.Match[str], line: int) -> Header:
    fence, language = opener[1], opener[2].casefold() or {"---": "yaml", "+++": "toml"}[opener[1]]
    read_fields = _LANGUAGES.get(language)
    if read_fields is None:
        raise FrontMatterError(
            line, f"front matter in {language} is not read", "Write it as YAML between lines of ---"
        )
    closers = (fence, "...") if language == "yaml" else (fence,)
    place = opener.end()
    for row in text[place:MAX_HEADER].split("\n"):
        if row.rstrip() in closers:
            source = text[opener.end() : place]
            body = text[place + len(row) + 1 :]
            return Header(_lower(read_fields(source, line + 1), line), body, source, line + 1)
        place += len(row) + 1
    raise FrontMatterError(
        line, "the front matter is never closed", f"Put a line of {fence} below its last field"
    )


def _toml(source: str, line: int) -> Value:
    if found := _MANY_DOTS.search(source):  # tomllib takes the square of their number
        raise FrontMatterError(
            line + source.count("\n", 0, found.start()), "this name is too deep", "Shorten it"
        )
    try:
        return tomllib.loads(source)
    except (ValueError, RecursionError) as error:
        found = re.search(r"at line (\d+)", str(error))
        what = f"this is not TOML ({str(error).partition(' (at')[0][:80]})"
        fix = 'Write one name = "value" a line, words in quotes, each name once'
        raise FrontMatterError(line + (int(found[1]) - 1 if found else 0), what, fix) from error


def _json(source: str, line: int) -> Value:
    value, end = _decode(source, line)
    if source[end:].strip():
        raise FrontMatterError(
            line + source.count("\n", 0, end),
            "there is more after the closing brace",
            "Leave one pair of braces",
        )
    return value


def _bare_json(text: str, line: int) -> Header:
    value, end = _decode(text[:MAX_HEADER], line)
    rest, _, body = text[end:].partition("\n")
    if rest.strip():
        raise FrontMatterError(
            line + text.count("\n", 0, end),
            "text follows the closing brace",
            "Begin the article on a new line",
        )
    return Header(_lower(value, line), body, text[:end], line)


def _decode(source: str, line: int) -> tuple[Value, int]:
    decoder = json.JSONDecoder(object_pairs_hook=lambda pairs: _pairs(pairs, line), parse_constant=_no_number)
    try:
        value, end = decoder.raw_decode(source, len(source) - len(source.lstrip()))
    except json.JSONDecodeError as error:
        fix = 'Write {"name": "value", …} with double quotes and no comma before the closing brace'
        raise FrontMatterError(line + error.lineno - 1, f"this is not JSON ({error.msg})", fix) from error
    except FrontMatterError:
        raise
    except (ValueError, RecursionError) as error:
        raise FrontMatterError(
            line, "this is not JSON", "Look for odd numbers and unclosed brackets"
        ) from error
    return value, end


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


# Pelican's files have no fence, so a first line like `Note: …` of plain prose must not pass for a header.
_FIRST = "author authors category comments date draft keywords lang language modified reflection slug status"
_PELICAN = {*_FIRST.split(), "summary", "tags", "template", "title"}


def _lines(text: str, line: int) -> Header:
    rows = text[:MAX_HEADER].split("\n")
    first = re.match(r" {0,3}([\w-]+):", rows[0])
    if not first or first[1].casefold() not in _PELICAN:
        fix = "Begin the file with a line of ---, then title: and date:, then another line of ---"
        raise FrontMatterError(line, "the file does not begin with front matter", fix)
    pairs: list[tuple[str, Value]] = []
    for number, row in enumerate(rows):
        field = re.match(r" {0,3}([\w-]+):[ \t]*(.*)$", row)
        if not row.strip():
            source = "\n".join(rows[:number])
            body = text[len(source) + 1 + len(row) + 1 :]
            return Header(_lower(_pairs(pairs, line), line), body, source, line)
        if field:
            pairs.append((field[1], field[2].strip()))
        elif row.startswith(("    ", "\t")):
            name, value = pairs[-1]
            pairs[-1] = (name, f"{value}\n{row.strip()}".strip())
        else:
            raise FrontMatterError(
                line + number, "this line is no field", "Leave an empty line below the last field"
            )
    raise FrontMatterError(line, "no empty line ends the header", "Leave an empty line below the last field")


def _lower(value: Value, line: int) -> dict[str, Value]:
    if not isinstance(value, dict):
        raise FrontMatterError(line, "the front matter holds no fields", "Write one name: value a line")
    return _pairs(((key.strip().casefold(), item) for key, item in value.items()), line)


def _pairs(pairs: Iterable[tuple[str, Any]], line: int) -> dict[str, Value]:
    result: dict[str, Value] = {}
    for key, value in pairs:
        if key in result:
            raise FrontMatterError(line, f"the field {key[:60]} is there twice", "Keep one of the two")
        result[key] = value
    return result


_MANY_DOTS = re.compile(r"(?:\.[ \t]*[\w\"'-]+[ \t]*){32}")
_LANGUAGES: dict[str, Callable[[str, int], Value]] = {
    "yaml": read_yaml,
    "yml": read_yaml,
    "toml": _toml,
    "json": _json,
}
