"""What a word list means, and how it is looked for in a comment: in linear time, whatever is typed where.

One entry a line. A word matches as a whole word; `*` stands for the rest of a word: `casin*`, `*casino*`,
`v*gra`. Several words match one after the other, whatever stands between them. Case, accents, width and
invisible characters are ignored. A network, `203.0.113.0/24`, matches the address. Lines that begin with #
are remarks.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from blog.text import fold

MOST_LINES = 2_000
LONGEST = 200
# A star inside a word is looked for word by word, which costs more than the rest together.
MOST_INNER = 50

# Letters, digits, and the vowel signs that scripts without Latin's alphabet write above or beside them.
_WORD = re.compile(
    "[\\w\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0963\u0966-\u0dff\u0e31-\u0e4e"
    "\u0eb1-\u0ece\u0f18-\u0fbc\u102b-\u109d\u17b4-\u17d3]+"
)
_ADDRESS = re.compile(r"[0-9.]+(/\w*)?|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*(/\w*)?")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Problem(NamedTuple):
    """A line that cannot be read: its number from 1, what is wrong, and what to write instead."""

    line: int
    words: str


class Unreadable(ValueError):
    """A list with lines that cannot be read."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(f"{len(problems)} lines cannot be read")
        self.problems = problems


class Found(NamedTuple):
    """An entry as it was typed, and the field that it was found in."""

    entry: str
    field: str

    def __str__(self) -> str:
        return f"{self.entry} ({self.field})"


@dataclass(frozen=True)
class Words:
    """A list made ready, for any number of threads. Made by `read`."""

    # " casino " or " casi" or "sino ", as it would stand among words with one space around each.
    plain: Mapping[str, str]
    # A single word without a star: the commonest entry, found by one look into a set.
    single: Mapping[str, str]
    # The pieces around the stars inside a word.
    inner: Mapping[tuple[str, ...], str]
    # By version and prefix length, the networks' first addresses.
    networks: Mapping[tuple[int, int], Mapping[int, str]]

    def __len__(self) -> int:
        return len(self.entries())

    def entries(self) -> frozenset[str]:
        """Every entry as it was typed."""
        named = [*self.plain.values(), *self.single.values(), *self.inner.values()]
        return frozenset([*named, *(entry for some in self.networks.values() for entry in some.values())])

    def find(self, texts: Mapping[str, str], address: str = "") -> tuple[Found, ...]:
        """The entries found in these fields, and the networks that the address belongs to."""
        found = [Found(entry, field) for field, text in texts.items() for entry in self._in(text)]
        return tuple(dict.fromkeys([*found, *(Found(entry, "network") for entry in self._around(address))]))

    def _in(self, text: str) -> Iterable[str]:
        words = _words(text)
        row = f" {' '.join(words)} "
        different = frozenset(words)
        yield from (self.single[word] for word in different & self.single.keys())
        yield from (entry for piece, entry in self.plain.items() if piece in row)
        yield from (
            entry for pieces, entry in self.inner.items() if any(_fits(word, pieces) for word in different)
        )

    def _around(self, address: str) -> Iterable[str]:
        try:
            there = ipaddress.ip_address(address) if address and self.networks else None
        except ValueError:
            return
        if there is None:
            return
        for (version, length), networks in self.networks.items():
            spare = there.max_prefixlen - length
            entry = networks.get(int(there) >> spare << spare) if version == there.version else None
            if entry:
                yield entry


def read(text: str) -> Words:
    """A list from the text that a moderator typed. Raises Unreadable with every line that cannot be read."""
    plain: dict[str, str] = {}
    single: dict[str, str] = {}
    inner: dict[tuple[str, ...], str] = {}
    networks: dict[tuple[int, int], dict[int, str]] = {}
    problems = []
    lines = text.splitlines()
    if len(lines) > MOST_LINES:
        raise Unreadable([Problem(MOST_LINES + 1, f"A list has at most {MOST_LINES:,} lines.")])
    for number, line in enumerate(lines, 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        try:
            network = _network(line)
            if network is not None:
                where = networks.setdefault((network.version, network.prefixlen), {})
                where.setdefault(int(network.network_address), line)
            else:
                _enter(line, plain, single, inner)
        except ValueError as error:
            problems.append(Problem(number, str(error)))
    if problems:
        raise Unreadable(problems)
    return Words(plain, single, inner, networks)


def _words(text: str) -> list[str]:
    return _WORD.findall(fold(text))


def _network(line: str) -> Network | None:
    """The network that a line names; None for a line of words."""
    if not _ADDRESS.fullmatch(line) or not (line.count(".") == 3 or line.count(":") > 1):
        return None
    try:
        return ipaddress.ip_network(line)
    except ValueError:
        pass
    try:
        wide = ipaddress.ip_network(line, strict=False)
    except ValueError:
        raise ValueError(f"“{line}” is no address and no network; write one like 203.0.113.0/24.") from None
    raise ValueError(f"“{line}” is an address inside a network; write {wide}, or the address alone.")


def _enter(
    line: str, plain: dict[str, str], single: dict[str, str], inner: dict[tuple[str, ...], str]
) -> None:
    if len(line) > LONGEST:
        raise ValueError(f"It is {len(line)} characters long; at most {LONGEST} fit on a line.")
    core = line.strip("*")
    words = _words(core)
    if not words:
        raise ValueError(f"“{line[:40]}” has no letter and no digit to look for.")
    if "*" in core:
        _enter_inner(line, inner)
        return
    opens, closes = line.startswith("*"), line.endswith("*")
    if len(words) == 1 and not opens and not closes:
        single.setdefault(words[0], line)
        return
    row = " ".join(words)
    plain.setdefault(f"{'' if opens else ' '}{row}{'' if closes else ' '}", line)


def _enter_inner(line: str, inner: dict[tuple[str, ...], str]) -> None:
    pieces = [_words(piece) for piece in line.split("*")]
    if any(len(piece) > 1 for piece in pieces) or any(letter.isspace() for letter in line):
        raise ValueError("Several words may have a * before the first or after the last, not between.")
    if len(inner) >= MOST_INNER:
        raise ValueError(f"At most {MOST_INNER} lines may have a * inside a word.")
    inner.setdefault(tuple(piece[0] if piece else "" for piece in pieces), line)


def _fits(word: str, pieces: tuple[str, ...]) -> bool:
    """Whether the pieces stand in the word in this order, the first and the last at its ends."""
    first, *middle, last = pieces
    if not (word.startswith(first) and word.endswith(last)):
        return False
    here, end = len(first), len(word) - len(last)
    for piece in middle:
        here = word.find(piece, here, end)
        if here < 0:
            return False
        here += len(piece)
    return here <= end
