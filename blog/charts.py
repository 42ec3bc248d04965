"""Where the bars of a chart stand, in the units of its picture. The template draws; a table says the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10

# Small, so that the labels can be read where a phone draws it at three quarters of its size.
WIDTH, HEIGHT = 420, 220
LEFT, RIGHT, TOP, BOTTOM = 48, 8, 12, 44
LINES = 4


@dataclass(frozen=True)
class Bar:
    """One bar; `series` says how it is filled."""

    x: float
    y: float
    width: float
    height: float
    series: int
    label: str


@dataclass(frozen=True)
class Chart:
    """Grouped bars with a scale; `scale` and `groups` are positions with their words."""

    ident: str
    title: str
    summary: str
    series: Sequence[str]
    bars: Sequence[Bar]
    scale: Sequence[tuple[float, str]]
    groups: Sequence[tuple[float, str]]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    floor: int = HEIGHT - BOTTOM


def chart(
    ident: str, title: str, groups: Sequence[str], series: Sequence[tuple[str, Sequence[float]]], unit: str
) -> Chart:
    """The values of each series, one for each group, side by side."""
    most = max((value for _, values in series for value in values), default=0)
    top, step = ceiling(most)
    room = (WIDTH - LEFT - RIGHT) / max(1, len(groups))
    each = room * 0.8 / max(1, len(series))
    high = HEIGHT - TOP - BOTTOM
    bars = []
    for number, (name, values) in enumerate(series):
        for place, value in enumerate(values):
            size = round(high * value / top, 1)
            x = round(LEFT + room * (place + 0.1) + each * number, 1)
            label = f"{groups[place]}, {name}: {value:,g} {unit}".rstrip()
            bars.append(Bar(x, round(HEIGHT - BOTTOM - size, 1), round(each * 0.9, 1), size, number, label))
    scale = []
    value = 0.0
    while value <= top:
        scale.append((round(HEIGHT - BOTTOM - high * value / top, 1), f"{value:,g}"))
        value += step
    return Chart(
        ident=ident,
        title=title,
        summary="; ".join(
            f"{name}: {', '.join(f'{value:,g}' for value in values)}" for name, values in series
        ),
        series=[name for name, _ in series],
        bars=bars,
        scale=scale,
        groups=[(round(LEFT + room * (place + 0.5), 1), name) for place, name in enumerate(groups)],
    )


def ceiling(most: float) -> tuple[float, float]:
    """The end of the scale and its step: a round number not below `most`."""
    if most <= 0:
        return LINES, 1
    rough = most / LINES
    size = 10.0 ** floor(log10(rough))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough)
    step = max(1.0, step)
    lines = -(-most // step)
    return step * lines, step
