"""The desk's blueprint and its gate, and what every page of it shows."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.wrappers import Response as BaseResponse

from blog.accounts import SIGNED_OUT, current_moderator, gate
from blog.config import settings
from blog.discussions import counts
from blog.headers import private
from blog.people import Moderator

bp = Blueprint("moderation", __name__, url_prefix="/moderation")
gate(bp)


def me() -> Moderator:
    """Who is signed in; the gate let nobody else pass."""
    found = current_moderator()
    if found is None:
        abort(403, SIGNED_OUT)
    return found


def owner() -> Moderator:
    """Who is signed in, if it is an owner; 403 for others."""
    found = me()
    if found.role != "owner":
        abort(403, "Only an owner of this blog may do that. Ask one of them.")
    return found


def page(template: str, status: int = 200, **values: Any) -> Response:
    """A page of the desk; nobody keeps it."""
    drawn = render_template(f"moderation/{template}.html", counts=counts(), moderator=me(), **values)
    return private(make_response(drawn, status))


def go(endpoint: str, **query: Any) -> BaseResponse:
    """On to another page of the desk."""
    return redirect(url_for(f"moderation.{endpoint}", **query), 303)


def tell(endpoint: str, message: str, where: dict[str, Any] | None = None, **news: Any) -> BaseResponse:
    """On to another page of the desk, at `where`, which says what was done; `news` is for its Undo.

    It travels in the address, so that two tabs cannot mix it up, and sealed: whoever makes a link to the
    desk cannot have it say something, nor offer to undo something.
    """
    return go(endpoint, **(where or {}), said=_sealer().dumps({"message": message, **news}))


def told() -> dict[str, Any]:
    """What the address of this page says was done; only a `message` that is empty, if we did not seal it."""
    try:
        return dict(_sealer().loads(request.args.get("said", "")))
    except BadSignature:
        return {"message": ""}


def _sealer() -> URLSafeSerializer:
    return URLSafeSerializer(settings().secret_key, salt="said at the desk")
