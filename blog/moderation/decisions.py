"""Decisions about one comment or many: approve, spam, reject, restore. One commit, and an undo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Response, jsonify, make_response, render_template, request, url_for
from sqlalchemy import select
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from blog import rejections, unsent
from blog.db import db, write
from blog.discussions import together
from blog.headers import private
from blog.history import Event, histories
from blog.models import DECISIONS, Comment, NotPossible
from blog.moderation.desk import bp, me, tell
from blog.moderation.queue import MOST_AT_ONCE, offer, summary
from blog.moderation.views import NAMES, View
from blog.text import clean_text

MOST_WORDS = 1000  # characters to the author
DONE = {"approve": "approved", "spam": "marked as spam", "reject": "rejected", "restore": "put back"}


@dataclass(frozen=True)
class Order:
    """A decision as a form sent it."""

    decision: str
    ids: list[int]
    reason: str
    note: str
    # What the moderator saw: somebody else may have decided since.
    seen: dict[str, str]
    # The status that this moderator's own decision had led to, where Undo is to take that back.
    undoing: str

    @classmethod
    def read(cls) -> Order:
        """The decision of this request; a button beside a comment names it in its own address."""
        form, ids = request.form, chosen()
        one = f"-{ids[0]}" if request.args.get("comment") and ids else ""
        return cls(
            decision=form.get("decision", ""),
            ids=ids,
            reason=form.get(f"reason{one}", "") or form.get("reason", ""),
            note=clean_text(form.get(f"note{one}", "") or form.get("note", "")).strip(),
            seen=dict(pair.split(":", 1) for pair in form.getlist("seen") if ":" in pair),
            undoing=request.values.get("undoing", ""),
        )

    @property
    def misfit(self) -> str:
        """What is wrong with it; empty when nothing is."""
        if self.decision not in DONE:
            return "There is no such decision; approve, spam, reject and restore are the ones."
        if not self.ids:
            return "No comment was chosen; tick one first."
        if len(self.ids) > MOST_AT_ONCE:
            return f"At most {MOST_AT_ONCE} comments can be decided at once."
        return self._unexplained if self.decision == "reject" else ""

    @property
    def _unexplained(self) -> str:
        if not rejections.is_reason(self.reason):
            return "Rejecting needs a reason; choose one beside the button."
        if len(self.note) > MOST_WORDS:
            return f"The words to the author have {len(self.note):,} characters; {MOST_WORDS:,} is the most."
        if self.reason == "other" and not self.note:
            return "The reason “other” needs words for the author."
        return ""


@bp.post("/decisions")
def decide() -> BaseResponse:
    """Carry a decision out; what it could not change is said, and changes nothing else."""
    order = Order.read()
    if order.misfit:
        return refused(order.misfit)
    moved: list[int] = []
    missed: list[str] = []
    by = me().name
    # Written in one go at the end: a hundred decisions are not a hundred round trips.
    with write() as session, session.no_autoflush, together():
        comments = session.scalars(
            select(Comment).where(Comment.id.in_(order.ids)).order_by(Comment.id)
        ).all()
        past = histories(order.ids) if order.decision == "restore" else {}
        for comment in comments:
            problem = carry_out(order, comment, by, past.get(comment.id, []))
            if problem:
                missed.append(problem)
            else:
                moved.append(comment.id)
    if gone := len(order.ids) - len(moved) - len(missed):
        missed.append("That comment is not here any more." if gone == 1 else f"{gone} are not here any more.")
    number = f"{len(moved)} comment{'' if len(moved) == 1 else 's'} {DONE[order.decision]}." if moved else ""
    message = " ".join([number, *dict.fromkeys(missed)]).strip()
    if order.note and not moved:
        return refused(message, 409)
    return done(message, moved, undo=DECISIONS.get(order.decision, ""), approved=order.decision == "approve")


def carry_out(order: Order, comment: Comment, by: str, past: list[Event]) -> str:
    """Decide about one comment with its history, inside `write()`; what was in the way, or nothing."""
    if order.undoing:
        overtaken = comment.status != order.undoing or comment.decided_by != by
    else:
        overtaken = order.seen.get(str(comment.id), comment.status) != comment.status
    if overtaken:
        return f"{comment.decided_by or 'Somebody else'} has decided about it already: {comment.status}."
    try:
        if order.decision == "restore":
            return "" if comment.restore(by, past) else "Nothing to change: no decision stands."
        reason = order.reason if order.decision == "reject" else ""
        if comment.decide(order.decision, by, reason, order.note):
            return ""
    except NotPossible as impossible:
        return str(impossible)
    return f"Nothing to change: it is {DECISIONS[order.decision]} already."


def chosen() -> list[int]:
    """The comments that a form is about: the one in its address, else those ticked."""
    texts = request.args.getlist("comment") or request.form.getlist("comment")
    good = [text for text in texts if text.isascii() and text.isdigit() and len(text) <= 18]
    return list(dict.fromkeys(int(text) for text in good))


def wants_json() -> bool:
    """Whether the desk's script asks."""
    return request.accept_mimetypes.best == "application/json"


def refused(words: str, status: int = 422) -> Response:
    """Nothing was done, and why."""
    if wants_json():
        answer = jsonify(summary(words, [], [], None))
    else:
        answer = make_response(
            render_template(
                "errors/error.html",
                code=status,
                title="Not done",
                words=words,
                request_id="",
                back=url_for("moderation.queue"),
                again=unsent.form(unsent.address(), unsent.typed(), button=False),
            )
        )
    answer.status_code = status
    return private(answer)


def done(message: str, moved: list[int], undo: str = "", approved: bool = False) -> BaseResponse:
    """Back to the view that a form came from, or JSON for the desk's script.

    `undo`: the status of those that moved, if Undo may bring them back.
    """
    given = offer(moved) if approved else None
    if wants_json():
        return private(jsonify(summary(message, moved, moved if undo else [], given)))
    db.session.rollback()
    news = {"undo": moved, "undoing": undo} if moved and undo else {}
    return tell("queue", message, back(), **news, offer=moved if given else [])


def back() -> dict[str, Any]:
    """The address of the view that a form came from."""
    status = request.form.get("view", "")
    page = request.form.get("page", "")
    good = {
        "status": status if status in NAMES else "pending",
        "page": page if page.isascii() and page.isdigit() and int(page or 0) >= 1 and len(page) < 8 else "1",
    }
    return View.read(MultiDict({**request.form.to_dict(), **good})).values(status=good["status"])
