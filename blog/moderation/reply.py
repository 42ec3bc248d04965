"""An answer written at the desk, and its way back: the text returns into the form, and nothing else stays."""

from __future__ import annotations

from flask import Response, request
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from blog.db import db, write
from blog.history import histories
from blog.models import Comment, NotPossible
from blog.moderation.comment import find, show, unfit
from blog.moderation.desk import bp, me, tell
from blog.text import clean_text

DECIDED_SINCE = "Something was decided about the answer since, so it is not taken back."


@bp.post("/comments/<int:number>/reply")
def reply(number: int) -> BaseResponse:
    """Answer a comment as a moderator; one that waits is approved in the same commit."""
    found, body, by = find(number), clean_text(request.form.get("body", "")), me().name
    if problem := unfit(body):
        return show(found, 422, problem, reply=body)
    with write():
        found = find(number)
        if found.audience != "public" or found.status == "withdrawn":
            return show(found, 409, "Nobody would see an answer to this.", reply=body)
        if sent_before := same(found, by, body):
            return tell("queue", "Published, with your answer.", answer=sent_before)
        try:
            approved = found.decide("approve", by)
            answer = Comment(slug=found.slug, author=by, email="", email_folded="", body=body, written_by=by)
            answer.begin(found, by)
            answer.publish(by, approved=approved, above=found.id)
            answer.store()
        except NotPossible as impossible:
            db.session.rollback()
            return show(find(number), 409, str(impossible), reply=body)
        ident = answer.id
    return tell("queue", "Published, with your answer.", answer=ident)


@bp.post("/answers/<int:number>/undo")
def take_back(number: int) -> Response:
    """Take an answer back, and the approval that came with it; its text is in the form again."""
    with write():
        if done_before := second_click(number):
            return done_before
        answer = find(number)
        above = answer.parent_id
        if above is None or not stands(answer):
            return show(answer, 409, DECIDED_SINCE)
        body = answer.body
        approved = answer.history()[-1].data.get("approved")
        remove(answer, me().name)
        said, question = "Taken back. Your answer is below, and nobody sees it.", find(above)
        if approved and (question.status, question.decided_by) == ("approved", me().name):
            question.restore(me().name)
        elif approved:
            who = question.decided_by or "Somebody else"
            said += f" {who} has decided about the comment since, so it stays {question.status}."
    return show(find(above), 200, reply=body, said=said)


def second_click(number: int) -> Response | None:
    """The page of an answer that was taken back already, with the text that the form brought along."""
    past = {event.kind: event for event in histories([number])[number]} if number < 2**63 else {}
    above = past["published"].data.get("above") if "published" in past else None
    if above is None or "withdrawn" not in past:
        return None
    done = past["withdrawn"]
    said = f"{done.actor} took this answer back already, on {done.at:%Y-%m-%d at %H:%M} UTC."
    return show(find(above), 200, reply=clean_text(request.form.get("answered", "")), said=said)


def same(above: Comment, by: str, body: str) -> int | None:
    """The answer that this moderator has published with the same words, if a second click sent them."""
    theirs = (Comment.parent_id == above.id, Comment.written_by == by, Comment.body == body)
    return db.session.scalar(select(Comment.id).where(*theirs, Comment.status == "approved").limit(1))


def stands(answer: Comment) -> bool:
    """Whether the answer is as it was published: nobody decided about it, edited it or took it back since."""
    return answer.written_by is not None and answer.history()[-1].kind == "published"


def remove(answer: Comment, by: str) -> None:
    """Take an answer off the page, inside `write()`; its place stays only where somebody has replied."""
    answer.withdraw(by)
    db.session.flush()
    if db.session.scalar(select(Comment.id).where(Comment.parent_id == answer.id).limit(1)) is None:
        db.session.delete(answer)
        db.session.flush()
