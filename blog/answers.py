"""What Akismet said: verdicts, feedback and key checks as plain values, read from whatever came back.

Everything in an answer is foreign: each value is bounded, stripped of what does not print, and dropped
when it is not of its documented form.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Literal

Verdict = Literal["ham", "spam", "discard", "unchecked"]

DAY = 86_400
PREFIX = "x-akismet-"
ERROR = "x-akismet-error"


@dataclass(frozen=True, slots=True)
class Answer:
    """One comment-check.

    `verdict` is "unchecked" exactly when `error` is filled; alerts.failure() has the words for it.
    `discard` is spam that Akismet calls blatant. `recheck_after` (seconds) makes a ham provisional.
    `retry_after` (seconds) is when the server wants to be asked again. `alert_code` is None when the answer
    carried no alert, and 0 when it carried one that cannot be read. `headers` holds every x-akismet-* header
    by its lower-case name. `seconds` is how long the call took.
    """

    verdict: Verdict
    error: str = ""
    guid: str = ""
    recheck_after: int | None = None
    retry_after: int | None = None
    alert_code: int | None = None
    alert_message: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Taught:
    """One submit-ham or submit-spam: whether Akismet took it, otherwise why not (as Answer.error)."""

    ok: bool
    error: str = ""
    retry_after: int | None = None
    alert_code: int | None = None
    alert_message: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class KeyState:
    """One verify-key; `state` is "unknown" when there was no usable answer, and `error` says why."""

    state: Literal["valid", "invalid", "unknown"]
    error: str = ""
    alert_code: int | None = None
    alert_message: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0


def akismet_headers(pairs: Iterable[tuple[bytes, bytes]], secret: str) -> dict[str, str]:
    """The x-akismet-* headers, at most 30 of 300 characters each, without the key should one repeat it."""
    found: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name = raw_name.decode("latin-1").lower()[:64]
        # However many come: the one that says that the verdict is worth nothing is never dropped.
        if name.startswith(PREFIX) and (len(found) < 30 or name == ERROR):
            value = raw_value.decode("utf-8", "replace").strip()
            value = "".join(letter if letter.isprintable() else " " for letter in value)
            found[name] = (value.replace(secret, "(the key)") if secret else value)[:300]
    return found


def guid(headers: Mapping[str, str]) -> str:
    """Akismet's name for this check, or "" when it has not the form of one."""
    value = headers.get("x-akismet-guid", "")
    return value if re.fullmatch(r"[0-9A-Za-z-]{1,64}", value) else ""


def recheck_after(headers: Mapping[str, str]) -> int | None:
    """Seconds after which a ham is to be asked about again; at least 1, at most a day."""
    return _seconds(headers.get("x-akismet-recheck-after", ""))


def retry_after(pairs: Iterable[tuple[bytes, bytes]]) -> int | None:
    """Seconds of a Retry-After header, given as seconds or as a date; at least 1, at most a day."""
    value = next((value for name, value in pairs if name.lower() == b"retry-after"), b"").decode("latin-1")[
        :64
    ]
    seconds = _seconds(value)
    if seconds is not None or not value:
        return seconds
    try:
        moment = parsedate_to_datetime(value).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
    return int(min(max(moment - time.time(), 1), DAY))


def alert(headers: Mapping[str, str]) -> tuple[int | None, str]:
    """The account alert's code and message; (None, "") without one, code 0 for one that is no number."""
    code = headers.get("x-akismet-alert-code")
    message = headers.get("x-akismet-alert-msg", "")
    if code is None and not message:
        return None, ""
    return (int(code) if code and re.fullmatch(r"[0-9]{1,6}", code) else 0), message


def _seconds(value: str) -> int | None:
    digits = value.strip()
    if not re.fullmatch(r"[0-9]{1,18}", digits):
        return None
    return min(max(int(digits), 1), DAY)
