"""Dates and numbers as templates write them."""

from __future__ import annotations

from datetime import datetime


def day(moment: datetime) -> str:
    """A date for people: 12 November 2026."""
    return f"{moment.day} {moment:%B %Y}"


def at(moment: datetime) -> str:
    """A date with its time, in UTC and saying so."""
    return f"{day(moment)}, {moment:%H:%M} UTC"


def iso(moment: datetime) -> str:
    """A moment for machines."""
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
