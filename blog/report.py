"""The public report: how many comments became what, in counts of whole days, rounded."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import Blueprint, Response, abort, make_response, render_template

from blog import figures
from blog.config import settings
from blog.db import utcnow
from blog.figures import Month
from blog.pagecache import share

bp = Blueprint("report", __name__)

# A smaller number could be about somebody whom a reader knows.
SMALLEST = 5
COLUMNS = (
    ("received", "Received"),
    ("published", "Published"),
    ("held", "Held for a person"),
    ("flagged", "Taken for spam"),
    ("decided", "Decisions by people"),
    ("appealed", "Appeals"),
)
# When the figures of the day before have certainly been entered.
MINUTES = 5


@bp.get("/moderation-report")
def report() -> Response:
    """Counts by month; 404 where the owner has switched it off."""
    if settings().report == "off":
        abort(404)
    now = utcnow()
    months = figures.months(now, with_today=False)
    page = render_template(
        "pages/report.html",
        columns=[label for _, label in COLUMNS],
        rows=[(month.name, shown(month)) for month in reversed(months)],
        whole=shown(figures.altogether(months)),
        smallest=SMALLEST,
    )
    return share(make_response(page), None, until=next_change(now))


def shown(month: Month) -> list[str]:
    """The counts in steps of five, so that nobody finds the small ones by taking one from another."""
    numbers = (month.counts[name] // SMALLEST * SMALLEST for name, _ in COLUMNS)
    return [f"{number:,}" if number else f"fewer than {SMALLEST}" for number in numbers]


def next_change(now: datetime) -> datetime:
    """Shortly after the next midnight, UTC."""
    change = now.replace(hour=0, minute=MINUTES, second=0, microsecond=0)
    return change if change > now else change + timedelta(days=1)
