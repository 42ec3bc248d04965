"""Following replies by mail: the receipt's buttons, and the pages that the letters lead to.

GET only asks. What ends the letters is a POST that needs no session and no form of ours: mail programs send
it by themselves (RFC 8058), and the signed address is the proof.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, make_response, render_template, request

from blog import following, limits, receipts
from blog.addresses import client_address, network_of
from blog.config import settings
from blog.db import db, write
from blog.headers import private
from blog.models import Comment, NotPossible
from blog.shelf import library

bp = Blueprint("subscriptions", __name__)

TOO_OFTEN = (
    "You have asked for this several times today. Please wait until tomorrow, and then press it again."
)

TOO_LATE = "This link has expired, or was taken back. The receipt of your comment has the button for it."


@bp.post("/receipts/<token>/follow")
def follow(token: str) -> Response:
    """Ask to hear of replies; a letter to the comment's address asks whether that is wanted."""
    network = network_of(client_address(request.environ, settings().trusted_proxies))
    counted = following.asks_of(network)
    comment = receipts.find(token)
    if following.state(comment) == "off" and (seconds := limits.wait(counted)):
        refused = receipts.show(comment, 429, notice=TOO_OFTEN)
        refused.headers["Retry-After"] = str(seconds)
        return refused

    def verb(found: Comment) -> None:
        state = following.state(found)
        if not state:
            raise NotPossible("Replies to this comment cannot be followed by mail.")
        if state == "off":
            limits.take(counted)
            following.ask(found)

    return receipts.act(token, verb)


@bp.post("/receipts/<token>/unfollow")
def unfollow(token: str) -> Response:
    """No letters about this comment, or no more of them."""
    return receipts.act(token, lambda found: following.stop(found.id))


@bp.get("/mail/confirm/<token>")
def confirmation(token: str) -> Response:
    """Ask once more; some mail programs open every link."""
    found = following.to_confirm(token)
    if found is None:
        abort(
            404,
            TOO_LATE,
        )
    return _page("confirm", found.comment_id, done=found.confirmed_at is not None)


@bp.post("/mail/confirm/<token>")
def confirm(token: str) -> Response:
    """The owner of the address wants the letters."""
    with write():
        found = following.to_confirm(token)
        if found is None:
            abort(
                404,
                TOO_LATE,
            )
        following.confirm(found.comment_id)
        ident = found.comment_id
    return _page("confirm", ident, done=True)


@bp.get("/mail/unsubscribe/<token>")
def ending(token: str) -> Response:
    """Ask whether the letters should end."""
    ident = _ident(token)
    return _page("unsubscribe", ident, done=db.session.get(following.Follow, ident) is None)


@bp.post("/mail/unsubscribe/<token>")
def end(token: str) -> Response:
    """End the letters about one comment, by a person's button or by a mail program's one click."""
    ident = _ident(token)
    with write():
        following.stop(ident)
    return _page("unsubscribe", ident, done=True)


def _ident(token: str) -> int:
    ident = following.to_end(token)
    if ident is None:
        abort(404)
    return ident


def _page(name: str, ident: int, **values: Any) -> Response:
    # The owner of the address need not be who wrote the comment: nothing of it stands on these pages.
    comment = db.session.get(Comment, ident)
    article = library().get(comment.slug) if comment is not None else None
    return private(make_response(render_template(f"mail/{name}.html", article=article, **values)))
