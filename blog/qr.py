"""A QR code as the outline of its dark squares, which a template draws without a style or a script."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

QUIET = 4  # squares of white around it, which readers of codes need


@dataclass(frozen=True)
class Code:
    """How many squares it is wide, the white around it included, and an SVG path over the dark ones."""

    size: int
    path: str


def code(words: str) -> Code:
    """The code that says `words`."""
    import segno  # here, because hardly any process ever draws one

    rows = segno.make(words, error="m", micro=False).matrix
    path = []
    for y, row in enumerate(rows, QUIET):
        x = QUIET
        for dark, squares in groupby(row):
            width = len(list(squares))
            if dark:
                path.append(f"M{x} {y}h{width}v1h-{width}z")
            x += width
    return Code(len(rows) + 2 * QUIET, "".join(path))
