"""The desk's pages about the screening itself: figures with plots, and the blind sample."""

from __future__ import annotations

from typing import Any, cast

from flask import (
    Blueprint,
    Response,
    abort,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)

from blog import figures, rules, sampling
from blog.accounts import current_moderator, gate
from blog.charts import Chart, chart
from blog.db import utcnow, write
from blog.figures import Month
from blog.markup.comment import render_comment
from blog.people import Moderator
from blog.sampling import JUDGEMENTS, Rate
from blog.shelf import library

bp = Blueprint("measures", __name__, url_prefix="/moderation")
gate(bp)

HOUR = 3600


@bp.get("/figures")
def page() -> Response:
    """The last twelve months in numbers, with plots."""
    months = figures.months(utcnow())
    whole = figures.altogether(months)
    drawn = render_template(
        "moderation/figures.html",
        months=list(reversed(months)),
        whole=whole,
        charts=plots(months) if months else [],
        reasons=[(words_for(code), number) for code, number in whole.reasons.most_common()],
        rates=sampling.rates(),
        enough=sampling.ENOUGH,
        left=sampling.left(utcnow()),
        moderator=current_moderator(),
    )
    return make_response(drawn)


@bp.get("/figures.json")
def for_programs() -> Response:
    """The same as JSON; times in seconds, shares from 0 to 1."""
    months = figures.months(utcnow())
    answer: dict[str, Any] = {"months": [month.plain() for month in months]}
    answer["error_rates"] = {name: plain(rate) for name, rate in sampling.rates().items()}
    return jsonify(answer)


def plain(rate: Rate) -> dict[str, Any]:
    """A rate for JSON; the share is null while there are too few cases to tell."""
    share = rate.share if rate.enough else None
    return {"cases": rate.cases, "wrong": rate.wrong, "share": share, "low": rate.low, "high": rate.high}


def words_for(code: str) -> str:
    """A reason in the moderator's words."""
    return rules.REASONS[code].moderator if code in rules.REASONS else code


def plots(months: list[Month]) -> list[Chart]:
    """What became of comments, and how long they waited."""
    names = [month.name for month in months]
    became = [
        (label, [float(month.counts[name]) for month in months])
        for label, name in (("published", "published"), ("held", "held"), ("flagged", "flagged"))
    ]
    hours = [
        (label, [round(month.wait[place] / HOUR, 1) if month.wait else 0.0 for month in months])
        for place, label in enumerate(("median", "90th percentile"))
    ]
    return [
        chart("became", "Comments by month", names, became, "comments"),
        chart("waited", "Hours that comments waited for a person", names, hours, "hours"),
    ]


@bp.get("/sample")
def sample() -> Response:
    """One comment without what Akismet or anybody thought of it."""
    now = utcnow()
    one = sampling.next_one(now)
    article = library().get(one.slug) if one else None
    drawn = render_template(
        "moderation/sample.html",
        one=one,
        html=render_comment(one.body) if one else "",
        article=article,
        left=sampling.left(now),
        rates=sampling.rates(),
        enough=sampling.ENOUGH,
        moderator=current_moderator(),
    )
    return make_response(drawn)


@bp.post("/sample/<int:ident>")
def judge(ident: int) -> Response:
    """Enter what the moderator thinks about it, and go on to the next."""
    judgement = request.form.get("judgement", "")
    if judgement not in JUDGEMENTS or ident >= 2**63:
        abort(404)
    with write():
        sampling.judge(ident, judgement, cast(Moderator, current_moderator()).name)
    return cast(Response, redirect(url_for("measures.sample"), 303))
