"""The desk: what waits and why, and the decisions."""

from __future__ import annotations

from dataclasses import dataclass
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
from markupsafe import Markup
from sqlalchemy import Select, func, or_, select

from blog import fields, models, rules
from blog.accounts import current_moderator, gate
from blog.alerts import ALERTS
from blog.config import settings
from blog.db import db, write
from blog.discussions import STATUSES, counts
from blog.headers import private
from blog.markup.comment import render_comment
from blog.models import DECISIONS, Comment, NotPossible
from blog.pages import page_number
from blog.service import service
from blog.shelf import library
from blog.text import clean_text, fold

bp = Blueprint("moderation", __name__, url_prefix="/moderation")
gate(bp)

PER_PAGE = 20
MOST_AT_ONCE = 500
VIEWS = (*STATUSES, "all", "private")
VERDICTS = {
    "ham": "Akismet: not spam",
    "spam": "Akismet: spam",
    "discard": "Akismet: blatant spam",
    None: "Akismet: not asked or no answer",
}


@dataclass(frozen=True)
class Item:
    """A comment at the desk, with all that somebody needs to decide about it."""

    comment: Comment
    article_title: str
    article_url: str
    html: Markup
    reasons: list[tuple[str, str]]
    verdict_words: str
    record: dict[str, Any]
    parent_author: str


@bp.get("/")
def queue() -> Response:
    """One view of the desk, 20 comments a page."""
    status = request.args.get("status", "pending")
    if status not in VIEWS:
        abort(404)
    q = clean_text(request.args.get("q", ""))[:200].strip()
    page = page_number(request.args.get("page", "1"))
    query = view(status, q)
    found = list(db.session.scalars(query.limit(PER_PAGE + 1).offset((page - 1) * PER_PAGE)))
    values = {
        "items": [item(comment) for comment in found[:PER_PAGE]],
        "more": len(found) > PER_PAGE,
        "status": status,
        "q": q,
        "page": page,
        "counts": counts(),
        "notices": notices(),
        "message": request.args.get("message", "")[:300],
        "undo_ids": undo_ids(),
        "reject_reasons": [(reason.code, reason.moderator) for reason in rules.REJECTIONS],
        "moderator": current_moderator(),
    }
    return private(make_response(render_template("moderation/queue.html", **values)))


def view(status: str, q: str) -> Select[Comment]:
    """The comments of a view; pending oldest first, because somebody waits, the others newest first."""
    query = select(Comment).where(Comment.audience == ("private" if status == "private" else "public"))
    if status in STATUSES:
        query = query.where(Comment.status == status)
    for word in q.split()[:8]:
        like = f"%{word.replace('!', '!!').replace('%', '!%').replace('_', '!_')}%"
        columns = (Comment.author, Comment.email, Comment.url, Comment.body, Comment.ip)
        query = query.where(or_(*(column.ilike(like, escape="!") for column in columns)))
    if status == "pending":
        return query.order_by(Comment.appealed_at.is_(None), Comment.created_at, Comment.id)
    return query.order_by(Comment.created_at.desc(), Comment.id.desc())


def item(comment: Comment) -> Item:
    """The comment with its article, reasons, verdict and its author's record."""
    article = library().get(comment.slug)
    return Item(
        comment=comment,
        article_title=article.title if article else comment.slug,
        article_url=article.url if article else "",
        html=render_comment(comment.body),
        reasons=[(code, rules.REASONS[code].moderator) for code in comment.reasons if code in rules.REASONS],
        verdict_words=VERDICTS[comment.verdict],
        record=record(comment),
        parent_author=comment.parent.author if comment.parent else "",
    )


def record(comment: Comment) -> dict[str, Any]:
    """What became of other comments under this e-mail, and since when it is known."""
    same = Comment.email_folded == comment.email_folded
    rows = db.session.execute(
        select(Comment.status, func.count(), func.min(Comment.created_at))
        .where(same, Comment.id != comment.id)
        .group_by(Comment.status)
    ).all()
    numbers: dict[str, Any] = dict.fromkeys(STATUSES, 0)
    numbers.update({row[0]: row[1] for row in rows})
    numbers["first_seen"] = min((row[2] for row in rows), default=None)
    return numbers


def notices() -> list[str]:
    """What the owner has to know about the screening, each with what to do."""
    here, state, lines = settings(), service(), []
    if not here.screens:
        lines.append("No Akismet key is set, so every comment waits here. Set BLOG_AKISMET_KEY and restart.")
    elif state.key_state == "invalid":
        lines.append(
            "Akismet does not accept the key for this address. Check BLOG_AKISMET_KEY and BLOG_SITE_URL."
        )
    if here.screens and state.broken:
        lines.append("Akismet does not answer. New comments wait and are asked about again by themselves.")
    if state.alert_code is not None or state.alert_message:
        meaning = ALERTS.get(state.alert_code or 0)
        words = f"{meaning.meaning} {meaning.next_step}" if meaning else state.alert_message
        lines.append(f"Akismet says: {words}")
    return lines


def undo_ids() -> list[int]:
    """The comments of the decision just made, as the address after it names them."""
    texts = request.args.get("undo", "").split(",")[:MOST_AT_ONCE]
    return [int(text) for text in texts if text.isascii() and text.isdigit() and len(text) <= 18]


@bp.post("/decisions")
def decide() -> Response:
    """Decide about one comment or many, in one commit; 303 back with an undo."""
    decision = request.form.get("decision", "")
    ids = chosen()
    one = str(ids[0]) if request.args.get("comment") and ids else ""
    reason = request.form.get(f"reason-{one}" if one else "reason", "") or request.form.get("reason", "")
    note = request.form.get(f"note-{one}" if one else "note", "") or request.form.get("note", "")
    note = clean_text(note)[:1000].strip()
    problem = misfit(decision, ids, reason, note)
    if problem:
        return done([], problem, 422)
    seen = dict(pair.split(":", 1) for pair in request.form.getlist("seen") if ":" in pair)
    moved: list[int] = []
    missed: list[str] = []
    moderator = current_moderator()
    assert moderator is not None
    with write():
        for comment in models.chosen(ids):
            if decision != "restore" and seen.get(str(comment.id), comment.status) != comment.status:
                missed.append(
                    f"{comment.decided_by or 'Somebody else'} has decided about it already: {comment.status}."
                )
                continue
            try:
                if decision == "restore":
                    changed = comment.restore(moderator.name)
                else:
                    changed = comment.decide(
                        decision, moderator.name, reason if decision == "reject" else "", note
                    )
            except NotPossible as impossible:
                missed.append(str(impossible))
                continue
            if changed:
                moved.append(comment.id)
            else:
                missed.append(
                    "Nothing to change: "
                    + ("no decision stands." if decision == "restore" else f"it is {comment.status} already.")
                )
    if not moved and not missed:
        missed.append("That comment is not here any more.")
    return done(
        moved,
        " ".join([headline(decision, len(moved)), *dict.fromkeys(missed)]).strip(),
        undo=decision != "restore",
    )


def chosen() -> list[int]:
    """The comments that a decision is about: the one in the address, else those ticked."""
    texts = request.args.getlist("comment") or request.form.getlist("comment")
    good = [text for text in texts if text.isascii() and text.isdigit() and len(text) <= 18]
    return list(dict.fromkeys(int(text) for text in good))


def misfit(decision: str, ids: list[int], reason: str, note: str) -> str:
    """What is wrong with a decision as it was sent; empty when nothing is."""
    if decision not in (*DECISIONS, "restore"):
        return "There is no such decision; approve, spam, reject and restore are the ones."
    if not ids:
        return "No comment was chosen; tick one first."
    if len(ids) > MOST_AT_ONCE:
        return f"At most {MOST_AT_ONCE} comments can be decided at once."
    if decision == "reject" and reason not in {known.code for known in rules.REJECTIONS}:
        return "Rejecting needs a reason; choose one beside the button."
    if decision == "reject" and reason == "other" and not note:
        return "The reason “other” needs words for the author."
    return ""


def headline(decision: str, number: int) -> str:
    """What was done, in words."""
    if not number:
        return ""
    done_words = {
        "approve": "approved",
        "spam": "marked as spam",
        "reject": "rejected",
        "restore": "put back",
    }
    return f"{number} comment{'' if number == 1 else 's'} {done_words[decision]}."


def done(moved: list[int], message: str, status: int = 303, undo: bool = False) -> Response:
    """Back to the view that the decision came from, or JSON for the desk's script."""
    if request.accept_mimetypes.best == "application/json":
        answer = jsonify(moved=moved, undo=moved if undo else [], counts=counts(), message=message)
        answer.status_code = 200 if status == 303 else status
        return private(answer)
    if status != 303:
        return private(
            make_response(
                render_template(
                    "errors/error.html", code=status, title="Not decided", words=message, request_id=""
                ),
                status,
            )
        )
    query: dict[str, Any] = {"status": request.form.get("view", "pending"), "message": message}
    if query["status"] not in VIEWS:
        query["status"] = "pending"
    for name in ("q", "page"):
        if request.form.get(name):
            query[name] = request.form[name][:200]
    if moved and undo:
        query["undo"] = ",".join(map(str, moved))
    return private(cast(Response, redirect(url_for("moderation.queue", **query), 303)))


@bp.get("/comments/<int:comment_id>")
def comment(comment_id: int) -> Response:
    """One comment with its whole history."""
    found = db.session.get(Comment, comment_id) if comment_id < 2**63 else None
    if found is None:
        abort(404)
    values = {
        "item": item(found),
        "events": found.history(),
        "sent": fields.sent_rows(found.submitted),
        "reason_words": {code: reason.moderator for code, reason in rules.REASONS.items()},
        "reject_reasons": [(reason.code, reason.moderator) for reason in rules.REJECTIONS],
        "counts": counts(),
        "moderator": current_moderator(),
        "same_author": fold(found.author),
    }
    return private(make_response(render_template("moderation/comment.html", **values)))
