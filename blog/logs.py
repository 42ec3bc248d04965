"""What the log says: one line an event, without control characters and without anything about a person.

Messages are cleaned where they are written out, so a careless one in any module, or in a library, cannot put
an address, a mail address, a token or a key into the log. Of an exception only the class and the places are
told: its text may quote what a reader typed.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import re
import secrets
import sys
import threading
import time
from collections.abc import Iterable
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO
from urllib.parse import unquote, urlsplit
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, request

from blog.config import SECRET, Settings

log = logging.getLogger(__name__)

LONGEST = 2000  # characters of one message
QUIET = ("httpx", "httpcore", "werkzeug")  # their own lines quote addresses of requests and of people
ROUTE = "blog.route"

_request_id: ContextVar[str] = ContextVar("request_id", default="")


def request_id() -> str:
    """The id of the request that is being answered; empty outside of one."""
    return _request_id.get()


def begin_request() -> str:
    """Give the request of this thread a new id. A client's own X-Request-Id is not believed."""
    made = secrets.token_hex(6)
    _request_id.set(made)
    return made


def configure(app: Flask, settings: Settings, form: str = "auto") -> None:
    """Send all logging to standard error: as `text`, as `json`, or as text on a terminal only (`auto`)."""
    if form == "auto":
        form = "text" if sys.stderr.isatty() else "json"
    clean = Cleaner(_secrets(settings))
    handler = Lines()
    handler.setFormatter(TextLine(clean) if form == "text" else JsonLine(clean))
    root = logging.getLogger()
    for old in [known for known in root.handlers if isinstance(known, Lines)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("blog").setLevel(logging.INFO)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)

    @app.before_request
    def note_route() -> None:
        request.environ[ROUTE] = request.url_rule.rule if request.url_rule else ""


def take_over() -> None:
    """Let the log have what Python itself would print: warnings, and what fails in threads or on the way out.

    For a process that serves; a command tells its errors to the person who gave it.
    """
    logging.captureWarnings(True)
    threading.excepthook = lambda args: log.error("a thread failed", exc_info=args.exc_value)
    sys.excepthook = lambda kind, error, trace: log.error("the process failed", exc_info=error)
    sys.unraisablehook = lambda args: log.error(
        "something failed while being cleared away", exc_info=args.exc_value
    )


class Requests:
    """WSGI: an id for the request, and the line that says how it was answered.

    The line names the route and not the address, which may hold a receipt's token.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        begin_request()
        began = time.perf_counter()
        answered = ""

        def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            nonlocal answered
            answered = status[:3]
            return start_response(status, headers, *exc_info)

        try:
            return self._app(environ, start)
        finally:
            route = environ.get(ROUTE, "")
            if not (route == "/healthz" and answered == "200"):
                fields = {
                    "method": str(environ.get("REQUEST_METHOD", ""))[:16],
                    "route": route or "-",
                    "status": int(answered or 500),
                    "ms": round((time.perf_counter() - began) * 1000, 1),
                }
                log.info("answered", extra={"fields": fields})
            _request_id.set("")


class Lines(logging.StreamHandler[TextIO]):
    """Standard error as it is now, not as it was when logging was set up."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        """Where lines go."""
        return sys.stderr


class Cleaner:
    """Makes a text fit for the log: one line, no control characters, nothing about a person, no secret."""

    def __init__(self, secret: Iterable[str] = ()) -> None:
        # The longest first: one secret may be the beginning of another.
        words = sorted((re.escape(word) for word in secret if len(word) >= 8), key=len, reverse=True)
        self._secret = re.compile("|".join(words)) if words else None

    def __call__(self, text: str) -> str:
        if self._secret is not None:
            text = self._secret.sub("[secret]", text)
        if len(text) > LONGEST:
            text = text[:LONGEST] + "…"
        text = _RECEIPT.sub(r"\1[token]", text)
        text = _LONG.sub(_mask_token, text)
        text = _MAIL.sub("[mail]", text)
        text = _ADDRESS.sub(_mask_address, text)
        return _CONTROL.sub(_escape, text)


_RECEIPT = re.compile(r"(/receipts/)(?!<)[^/\s?#\"']+", re.IGNORECASE)
_LONG = re.compile(r"(?<![\w-])[\w-]{32,}", re.ASCII)
_MAIL = re.compile(r"[^\s@<>\"'(),;:]{1,64}@[^\s@<>\"'(),;:]{1,255}")
_ADDRESS = re.compile(
    r"(?<![\w.:])(?:(?:[0-9a-f]{0,4}:){2,7}[0-9a-f.]{0,15}|(?:\d{1,3}\.){3}\d{1,3})(?![\w:])", re.ASCII | re.I
)
# C0, DEL, C1, line and paragraph separators, what turns the direction of text, lone surrogates.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def _mask_token(found: re.Match[str]) -> str:
    text = found[0]
    random = (
        any(c.isdigit() for c in text) and any(c.isupper() for c in text) and any(c.islower() for c in text)
    )
    return "[token]" if random else text


def _mask_address(found: re.Match[str]) -> str:
    try:
        address = ipaddress.ip_address(found[0].rstrip("."))
    except ValueError:
        return found[0]
    return found[0] if address.is_loopback or address.is_unspecified else "[address]"


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")


def _secrets(settings: Settings) -> list[str]:
    found = []
    for name in SECRET:
        value = str(getattr(settings, name))
        parts = urlsplit(value)
        if parts.scheme and parts.netloc:
            found += [parts.password or "", unquote(parts.password or "")]
        else:
            found.append(value)
    return found


class Line(logging.Formatter):
    """The fields of a line, clean, in their order; the two forms below write them out."""

    def __init__(self, clean: Cleaner) -> None:
        super().__init__()
        self._clean = clean

    def fields(self, record: logging.LogRecord) -> dict[str, Any]:
        """Time (UTC), level, logger, request id, message, then what the event brought along."""
        found: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "request": request_id(),
            "message": record.getMessage(),
        }
        found.update(getattr(record, "fields", {}))
        if record.exc_info and record.exc_info[1] is not None:
            found["error"] = _chain(record.exc_info[1])
            found["where"] = places(record.exc_info[2])
        return {
            name: value if isinstance(value, int | float) else self._clean(str(value))
            for name, value in found.items()
            if value != ""
        }


class JsonLine(Line):
    """One JSON object a line, for whatever collects logs."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(self.fields(record), ensure_ascii=False)


class TextLine(Line):
    """For reading on a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        found = self.fields(record)
        head = [str(found.pop(name, "-")) for name in ("at", "level", "logger", "request", "message")]
        return " ".join(head + [f"{name}={value}" for name, value in found.items()])


def _chain(error: BaseException | None) -> str:
    """The classes of an exception and of what led to it, with the store's own code where there is one."""
    found: list[str] = []
    while error is not None and len(found) < 5:
        code = getattr(error, "sqlite_errorname", None) or getattr(error, "sqlstate", None)
        number = error.errno if isinstance(error, OSError) else None
        found.append(type(error).__name__ + (f" ({code or number})" if code or number else ""))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return " from ".join(found)


def places(trace: TracebackType | None) -> str:
    """Where an exception passed, outermost first: file, line, function; the last twelve."""
    found = []
    while trace is not None:
        code = trace.tb_frame.f_code
        found.append(f"{'/'.join(Path(code.co_filename).parts[-2:])}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return " > ".join(found[-12:])
