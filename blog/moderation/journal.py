"""The log: everything that was decided and changed, by whom and when; it cannot be altered, only read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

from flask import Response, abort, request, stream_with_context
from sqlalchemy import select

from blog.db import db
from blog.headers import private
from blog.history import Event
from blog.moderation.desk import bp, owner, page
from blog.text import clean_line

A_PAGE = 50
BATCH = 1000
KINDS = {
    "received": "comment received",
    "screened": "screened",
    "rechecked": "screened again",
    "decided": "decided",
    "published": "answered",
    "restored": "decision taken back",
    "edited": "text edited",
    "withdrawn": "withdrawn by its author",
    "appealed": "appealed",
    "feedback": "Akismet told",
    "purged": "private data deleted",
    "erased": "person erased",
    "deleted": "deleted for good",
    "list-changed": "word list changed",
    "reason-changed": "reason changed",
    "signed-in": "signed in",
    "signed-out": "signed out",
    "sessions-ended": "signed out elsewhere",
    "password-changed": "password changed",
    "factor-added": "codes set up",
    "factor-removed": "codes removed",
    "moderator-added": "moderator added",
    "moderator-removed": "moderator removed",
    "role-changed": "role changed",
    "mail-mode": "mail chosen",
}
COLUMNS = ("id", "at", "actor", "kind", "comment", "was", "now", "reasons", "note")


@bp.get("/log")
def journal() -> Response:
    """The log, newest first."""
    chosen = filters()
    events = list(db.session.scalars(wanted(chosen).limit(A_PAGE + 1)))
    more = events[A_PAGE - 1].id if len(events) > A_PAGE else 0
    return page("log", events=events[:A_PAGE], more=more, chosen=chosen, kinds=KINDS)


@bp.get("/log.<form>")
def export(form: str) -> Response:
    """The whole log, or what the filter leaves of it, as CSV or as one JSON object a line; for owners."""
    owner()
    if form not in ("csv", "jsonl"):
        abort(404)
    lines = (as_csv if form == "csv" else as_json)(rows(filters()))
    kind = "text/csv" if form == "csv" else "application/jsonl"
    answer = Response(stream_with_context(lines), mimetype=kind)
    answer.headers["Content-Disposition"] = f'attachment; filename="log.{form}"'
    return private(answer)


def filters() -> dict[str, str]:
    """What the address asks for."""
    given = {
        name: clean_line(request.args.get(name, "")[:200]) for name in ("kind", "actor", "comment", "before")
    }
    for name in ("comment", "before"):
        number = given[name].removeprefix("#")
        given[name] = number if number.isascii() and number.isdigit() and len(number) <= 18 else ""
    return given


def wanted(chosen: dict[str, str]) -> Any:
    """The events that a filter leaves, newest first; each filter has its index."""
    query = select(Event).order_by(Event.id.desc())
    if chosen["kind"]:
        query = query.where(Event.kind == chosen["kind"])
    if chosen["actor"]:
        query = query.where(Event.actor == chosen["actor"])
    if chosen["comment"]:
        query = query.where(Event.comment_id == int(chosen["comment"]))
    if chosen["before"]:
        query = query.where(Event.id < int(chosen["before"]))
    return query


def rows(chosen: dict[str, str]) -> Iterator[dict[str, Any]]:
    """The events for an export, fetched in parts, so that a long log needs little memory."""
    while True:
        part = list(db.session.scalars(wanted(chosen).limit(BATCH)))
        for event in part:
            yield {
                "id": event.id,
                "at": event.at.isoformat(),
                "actor": event.actor,
                "kind": event.kind,
                "comment": event.comment_id,
                "was": event.was,
                "now": event.now,
                "reasons": event.reasons,
                "note": event.note,
            }
        if len(part) < BATCH:
            return
        chosen = chosen | {"before": str(part[-1].id)}
        db.session.expunge_all()


def as_json(events: Iterator[dict[str, Any]]) -> Iterator[str]:
    """One object a line."""
    for row in events:
        yield json.dumps(row, ensure_ascii=False) + "\n"


def as_csv(events: Iterator[dict[str, Any]]) -> Iterator[str]:
    """A table with a line of names. No cell begins like a formula, whatever somebody wrote into a note."""
    buffer = io.StringIO()
    table = csv.writer(buffer)
    table.writerow(COLUMNS)
    for row in events:
        cells = [" ".join(row[name]) if name == "reasons" else row[name] for name in COLUMNS]
        table.writerow([f"'{cell}" if str(cell)[:1] in set("=+-@\t") else cell for cell in cells])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue()
