"""Dates as people write them in front matter, as moments in UTC."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CLOCK = r"(?:[Tt ,]+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?)?"
_ZONE = r"\s*([Zz]|UTC|GMT|[+-][0-9]{1,2}(?::?[0-9]{2})?)?"
_NUMBERS = re.compile(rf"([0-9]{{4}})[-/.]([0-9]{{1,2}})[-/.]([0-9]{{1,2}}){_CLOCK}{_ZONE}")
_DAY_FIRST = re.compile(
    rf"(?:[A-Za-z]{{3,9}},?\s+)?([0-9]{{1,2}})\s+([A-Za-z]{{3,9}})\.?\s+([0-9]{{4}}){_CLOCK}{_ZONE}"
)
_MONTH_FIRST = re.compile(rf"([A-Za-z]{{3,9}})\.?\s+([0-9]{{1,2}}),?\s+([0-9]{{4}}){_CLOCK}{_ZONE}")


def moment(value: object) -> datetime:
    """A date, a datetime or its text as an aware datetime in UTC; without a zone it is UTC already.

    Raises ValueError for what is no date, impossible days and hours included.
    """
    if isinstance(value, datetime):
        return _utc(value)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if isinstance(value, str):
        return _utc(_parse(value.strip()))
    raise ValueError("this is not a date")


def _utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("this date is out of range") from error


def _parse(text: str) -> datetime:
    if found := _NUMBERS.fullmatch(text):
        year, month, day = found[1], int(found[2]), found[3]
    elif found := _DAY_FIRST.fullmatch(text):
        year, month, day = found[3], _month(found[2]), found[1]
    elif found := _MONTH_FIRST.fullmatch(text):
        year, month, day = found[3], _month(found[1]), found[2]
    else:
        raise ValueError("this is not a date")
    hour, minute, second, fraction, zone = found.group(4, 5, 6, 7, 8)
    micro = int((fraction or "0").ljust(6, "0")[:6])
    clock = (int(hour or 0), int(minute or 0), int(second or 0), micro)
    return datetime(int(year), month, int(day), *clock, tzinfo=_zone(zone))


def _month(name: str) -> int:
    short = name[:3].casefold()
    if short not in _MONTHS:
        raise ValueError("this is not a month")
    return _MONTHS.index(short) + 1


def _zone(text: str | None) -> timezone:
    if not text or text[0] not in "+-":
        return UTC
    digits = text[1:].replace(":", "")
    hours, minutes = (digits[:-2], digits[-2:]) if len(digits) > 2 else (digits, "0")
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-offset if text[0] == "-" else offset)
