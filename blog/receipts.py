"""The commenter's private page: where a comment stands, why, what was sent to whom, and what can be done."""

from __future__ import annotations

from typing import Any, cast

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for
from sqlalchemy import select

from blog import fields, following, posting, rejections, rules, screening
from blog.articlepage import care_note
from blog.config import settings
from blog.db import db, write
from blog.forms import AppealForm, EditForm
from blog.headers import private
from blog.history import Event
from blog.lookup import look
from blog.markup.comment import render_comment
from blog.models import APPEALABLE, Comment, NotPossible
from blog.shelf import library

bp = Blueprint("receipts", __name__, url_prefix="/receipts")

STATUS_LINES = {
    "pending": "Your comment is here, and waits for a person.",
    "approved": "Your comment is published.",
    "spam": "Your comment was taken for spam and is not published.",
    "rejected": "Your comment was not published.",
    "withdrawn": "You have withdrawn your comment.",
}
PRIVATE_LINES = {
    "pending": "Your words are with the author of this blog.",
    "spam": "Your words were taken for spam.",
    "rejected": "Your words were put aside.",
}
ERASED_LINES = {
    "approved": "Your comment is published, without your name.",
    "pending": "Your comment waits for a person, without your name.",
}

# Where nobody screened it, the history must not say that somebody did.
UNASKED = {
    "no-key": "It was put before a person; this blog asks no spam filter.",
    "no-akismet": "It was put before a person, as you asked, and was sent nowhere.",
    "unchecked": "The spam filter gave no answer; it is asked again, and a person may look at it before.",
}

EVENT_WORDS = {
    ("received", None): "You sent it.",
    ("screened", "approved"): "It was screened and published.",
    ("screened", "pending"): "It was screened; a person looks at it before it appears.",
    ("screened", "spam"): "It was screened and taken for spam.",
    ("rechecked", "approved"): "The spam filter was asked again, and it was published.",
    ("rechecked", "pending"): "The spam filter was asked again; it still waits for a person.",
    ("rechecked", "spam"): "The spam filter was asked again and took it for spam.",
    ("decided", "approved"): "A moderator published it.",
    ("decided", "spam"): "A moderator marked it as spam.",
    ("decided", "rejected"): "A moderator decided not to publish it.",
    ("restored", None): "A moderator took the last decision back.",
    ("appealed", None): "You appealed; a person looks at it again.",
    ("edited", None): "It was edited.",
    ("withdrawn", None): "You withdrew it.",
    ("feedback", None): "The spam filter was told about the moderator's decision.",
    ("purged", None): "What was kept only for a while was deleted: address, browser and what was sent.",
    ("erased", None): "Your personal data was erased.",
}


@bp.get("/<token>")
def receipt(token: str) -> Response:
    """Where the comment stands."""
    return show(find(token))


@bp.post("/<token>/withdrawal")
def withdraw(token: str) -> Response:
    """Blank the text; replies and the place stay."""

    def verb(comment: Comment) -> None:
        if comment.status == "withdrawn":
            raise NotPossible  # a second click: the receipt itself says that it is done
        if comment.status not in ("pending", "approved"):
            raise NotPossible("Only a comment that waits or is published can be withdrawn.")
        comment.withdraw()

    return act(token, verb)


@bp.post("/<token>/appeal")
def appeal(token: str) -> Response:
    """Ask a person to look again, once."""
    comment = find(token)
    form = AppealForm(request.form)
    words = form.words.data or ""
    if comment.status == "pending" and words and words == comment.appeal_words:
        return show(comment, 409)  # a second click
    if not can_appeal(comment):
        return show(comment, 409, notice="This comment cannot be appealed now.", typed=words)
    if not form.validate():
        return show(comment, 422, appeal_form=form)
    return act(token, lambda found: found.appeal(words), appeal_form=form)


@bp.post("/<token>/edit")
def edit(token: str) -> Response:
    """Replace the text of a comment that still waits; it is screened again."""
    comment = find(token)
    form = EditForm(request.form)
    body = form.body.data or ""
    if comment.status != "pending":
        return show(comment, 409, notice="Only a comment that waits can be edited.", typed=body)
    if not form.validate():
        return show(comment, 422, edit_form=form)
    if body == comment.body:
        return back(token)
    article = library().get(comment.slug)
    trial = revised(comment, body)
    outcome = screening.screen(trial, article, look(trial), recheck_reason="edit")

    def verb(found: Comment) -> None:
        if found.status != "pending":
            raise NotPossible("It was decided while you were writing, so it stays as it was.")
        found.edit(body, "author")
        found.digest, found.body_digest = trial.digest, trial.body_digest
        screening.enter(found, outcome, "screened")

    return act(token, verb, edit_form=form)


def revised(comment: Comment, body: str) -> Comment:
    """The comment as it would be with another text, for screening only; it is never stored."""
    names = (
        *("id", "slug", "parent_id", "author", "email", "email_folded", "url", "created_at", "status"),
        *("audience", "ip", "network", "user_agent", "referrer", "no_akismet"),
    )
    trial = Comment(body=body, **{name: getattr(comment, name) for name in names})
    posting.seal(trial)
    return trial


def is_erased(comment: Comment) -> bool:
    """Whether its author was taken out of it; nobody can send a comment without an address."""
    return not comment.email_folded


def can_appeal(comment: Comment) -> bool:
    """Whether a person can be asked to look again: once, and while there is something to look at."""
    return comment.status in APPEALABLE and comment.appealed_at is None and not is_erased(comment)


def find(token: str) -> Comment:
    """The comment of a receipt; 404 for an unknown one."""
    found = db.session.scalar(select(Comment).where(Comment.token == token)) if len(token) <= 64 else None
    if found is None:
        abort(404)
    return found


def act(token: str, verb: Any, **forms: EditForm | AppealForm) -> Response:
    """Run an author's verb in one transaction: 303 back, or 409 with the reason on the receipt.

    `forms`: what was typed, to be given back when it cannot be done.
    """
    if posting.from_elsewhere():
        again = "This came from another site. Please press the button once more."
        return show(find(token), 422, notice=again, **forms)
    ident = find(token).id
    with write():
        comment = db.session.get(Comment, ident)
        if comment is None:
            abort(404)
        try:
            verb(comment)
        except NotPossible as impossible:
            db.session.rollback()
            texts = [str(field.data) for form in forms.values() for field in form if field.data]
            return show(find(token), 409, notice=str(impossible), typed="".join(texts))
    return back(token)


def back(token: str) -> Response:
    """To the receipt."""
    return cast(Response, redirect(url_for("receipts.receipt", token=token), 303))


def show(comment: Comment, status: int = 200, **extra: Any) -> Response:
    """The page of a comment for its author; nobody stores it and no search engine lists it."""
    article = library().get(comment.slug)
    values: dict[str, Any] = {
        "comment": comment,
        "article": article,
        "status_line": status_line(comment),
        "reasons": reasons(comment),
        "sent": fields.sent_rows(comment.submitted),
        "events": [(event.at, words(event, comment)) for event in comment.history()],
        "erased": is_erased(comment),
        "html": render_comment(comment.body),
        "can_withdraw": comment.status in ("pending", "approved"),
        "can_edit": comment.status == "pending",
        "can_appeal": can_appeal(comment),
        "edit_form": EditForm(body=comment.body),
        "appeal_form": AppealForm(),
        "url": settings().site_url + url_for("receipts.receipt", token=comment.token),
        "answer_words": decision_note(comment),
        "follows": following.state(comment),
        "notice": "",
        "typed": "",
        "care": care_note(article),
        **extra,
    }
    return private(make_response(render_template("receipts/receipt.html", **values), status))


def status_line(comment: Comment) -> str:
    """Where the comment stands, in a sentence."""
    if is_erased(comment):
        return ERASED_LINES.get(comment.status, "Your data in this comment is erased.")
    if comment.audience == "private" and not comment.appealed_at and comment.status in PRIVATE_LINES:
        return PRIVATE_LINES[comment.status]
    if comment.status == "pending" and comment.appealed_at is not None:
        return "You have appealed, and a person looks again."
    return STATUS_LINES[comment.status]


def reasons(comment: Comment) -> list[tuple[str, str]]:
    """The reasons that hold now, in words for the author."""
    codes = list(comment.reasons)
    last = last_decision(comment)
    if last is not None and comment.decided_by is not None:
        codes = list(last.reasons)
    if comment.status in ("approved", "withdrawn"):
        return []
    return [(code, words_for_author(code)) for code in codes]


def words_for_author(code: str) -> str:
    """A reason as its author reads it: a rejection in the owner's words, or a rule."""
    rejection = rejections.words_of(code, author=True)
    return rules.REASONS[code].author if rejection == code and code in rules.REASONS else rejection


def decision_note(comment: Comment) -> str:
    """What the moderator wrote to the author with the decision that stands."""
    last = last_decision(comment)
    return last.note if last is not None and last.now == comment.status else ""


def last_decision(comment: Comment) -> Event | None:
    """The last decision of a person."""
    decided = [event for event in comment.history() if event.kind == "decided"]
    return decided[-1] if decided else None


def words(event: Event, comment: Comment) -> str:
    """A line of the history for the author; who decided stays with the desk."""
    if is_erased(comment) and event.kind == "withdrawn":
        return "Its words were deleted."  # by its author, or with everything else about them
    if comment.audience == "private" and (event.kind, event.now) == ("decided", "rejected"):
        return "A moderator put it aside."
    if event.kind == "screened" and "private" in event.reasons:
        return "It was put before the author of this blog, and nobody else was asked."
    if event.kind in ("screened", "rechecked") and event.now == "pending":
        for code, said in UNASKED.items():
            if code in event.reasons:
                return said
    return EVENT_WORDS.get((event.kind, event.now)) or EVENT_WORDS.get((event.kind, None)) or event.kind
