"""Moderators signing in and out, and the gate in front of the desk.

A session is a cookie of its own, read at the desk and the sign-in page only. Flask's session holds nothing
but the forms' token there, and no other page touches it.
"""

from __future__ import annotations

import hashlib
from typing import cast

from flask import (
    Blueprint,
    Response,
    abort,
    g,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_wtf.csrf import generate_csrf, validate_csrf
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.wrappers import Response as BaseResponse
from wtforms import ValidationError

from blog import guesses, people, totp, unsent
from blog.addresses import client_address, network_of
from blog.config import settings
from blog.db import db, write
from blog.errors import RETRY_SECONDS
from blog.headers import on_site, private
from blog.health import store_is_away
from blog.history import Event
from blog.people import Moderator
from blog.posting import from_elsewhere
from blog.text import clean_line

bp = Blueprint("accounts", __name__)
bp.after_request(private)

STEP_SECONDS = 300  # between the password and the code
WRONG = "That name and password do not belong together. Look at both and try again."
WRONG_CODE = "That code is not right, or was used already. Wait for the next one and try again."
STALE = "This page was open for too long, or your browser kept no cookie for it. Please send it again."
FOREIGN = (
    "This form was open for too long or came from somewhere else. Go back, reload the page and try again."
)
AWAY = "The blog cannot reach its store right now, so nobody can sign in. Try again in a few seconds."
OUTLIVED = "This form is older than your last sign-in, so nothing was changed. Look at it and send it again."
NOT_YET = "You are signed in. What you had typed was not sent: look at it, then send it."
SIGNED_OUT = "You are not signed in (any more), so nothing was changed. Sign in and do it again."


def current_session() -> people.Session | None:
    """The session of this request, looked up once."""
    if "signed_in" not in g:
        token = request.cookies.get(cookie_name(), "")
        g.signed_in = people.find_session(token) if token else None
    return cast("people.Session | None", g.signed_in)


def current_moderator() -> Moderator | None:
    """Who is signed in; None: nobody."""
    found = current_session()
    return found.moderator if found else None


def cookie_name() -> str:
    """With https no other host and no plain page can set a cookie of this name."""
    return "__Host-session" if settings().https else "moderator"


def gate(blueprint: Blueprint) -> None:
    """Let only moderators in, believe only forms that we drew, and let no cache keep the answers."""
    blueprint.before_request(_admit)
    blueprint.after_request(private)


def _admit() -> BaseResponse | None:
    reading = request.method in ("GET", "HEAD", "OPTIONS")
    if reading:
        if current_moderator() is None:
            return redirect(url_for("accounts.login", next=unsent.address()), 303)
        return None
    request.form  # noqa: B018  read first: whoever is refused gets back what was typed
    if current_moderator() is None:
        if from_elsewhere() or request.accept_mimetypes.best == "application/json":
            abort(403, SIGNED_OUT)
        return _form(403, SIGNED_OUT, url_for("moderation.queue"), unsent.seal())
    if not _genuine() and not from_elsewhere() and (fields := unsent.typed()):
        return _unsent(400, OUTLIVED, unsent.address(), fields)
    check_form()
    return None


def check_form() -> None:
    """Refuse (400) a form without the token that this browser was given."""
    if not _genuine():
        abort(400, FOREIGN)


def _genuine() -> bool:
    try:
        validate_csrf(request.form.get("csrf_token") or request.headers.get("X-CSRFToken"))
    except ValidationError:
        return False
    return True


@bp.get("/login")
def login() -> BaseResponse:
    """The form; whoever is signed in is led on."""
    wanted = _next()
    return redirect(wanted, 303) if current_moderator() else _form(200, "", wanted)


@bp.post("/login")
def sign_in() -> BaseResponse:
    """A name and a password."""
    wanted, network = _next(), _network()
    if not _genuine():
        return _form(422, STALE, wanted)
    if store_is_away():
        return _away(_form(503, AWAY, wanted))
    name = clean_line(request.form.get("name", "")[:200])
    found = guesses.guess(name, request.form.get("password", ""), network)
    if isinstance(found, int):
        return _too_often(found, wanted)
    if found is None:
        return _form(422, WRONG, wanted)
    if found.totp_secret:
        return _code_form(200, "", _steps().dumps([found.id, _since(found), wanted]))
    return _welcome(found, network, wanted)


@bp.post("/login/code")
def second_step() -> BaseResponse:
    """The code of the second factor, after the password."""
    step = request.form.get("step", "")[:4000]
    try:
        number, since, wanted = _steps().loads(step, max_age=STEP_SECONDS)
    except BadSignature:
        return _form(422, STALE, _next())
    found = db.session.get(Moderator, number)
    if found is None or not found.active or since != _since(found) or not _genuine():
        return _form(422, STALE, wanted)
    if store_is_away():
        return _away(_code_form(503, AWAY, step))
    if wait := guesses.count_code(found):
        return _too_often(wait, wanted)
    if not totp.is_right(found, request.form.get("code", "")):
        return _code_form(422, WRONG_CODE, step)
    guesses.forgive(found)
    return _welcome(found, _network(), wanted)


@bp.post("/logout")
def logout() -> BaseResponse:
    """The end of this browser's session."""
    found = current_session()
    if found is not None:
        check_form()
        with write() as store:
            people.end_session(request.cookies[cookie_name()])
            store.add(Event(actor=found.moderator.name, kind="signed-out"))
    session.clear()
    answer = redirect(url_for(".login"), 303)
    answer.delete_cookie(cookie_name(), secure=settings().https, httponly=True, samesite="Lax")
    return answer


def _welcome(found: Moderator, network: str, wanted: str) -> BaseResponse:
    guesses.remember(found.name, network)
    with write() as store:
        people.end_session(request.cookies.get(cookie_name(), ""))
        token = people.start_session(found, network, request.headers.get("User-Agent", ""))
        store.add(Event(actor=found.name, kind="signed-in"))
    session.clear()  # a token that was known before sign-in is worth nothing afterwards
    action, fields = unsent.unseal(request.form.get("unsent", ""))
    answer = _unsent(200, NOT_YET, action, fields) if fields else redirect(wanted, 303)
    answer.set_cookie(
        cookie_name(),
        token,
        max_age=people.OLDEST,
        secure=settings().https,
        httponly=True,
        samesite="Lax",
    )
    return answer


def _form(status: int, problem: str, wanted: str, sealed: str = "") -> Response:
    name = clean_line(request.form.get("name", "")[:200]) if request.blueprint == bp.name else ""
    values = _carried(sealed)
    page = render_template("accounts/login.html", problem=problem, next=wanted, name=name, **values)
    return make_response(page, status)


def _code_form(status: int, problem: str, step: str) -> Response:
    page = render_template("accounts/code.html", problem=problem, step=step, **_carried())
    return make_response(page, status)


def _carried(sealed: str = "") -> dict[str, str]:
    """What waits to be sent after signing in: to be seen, and for the form that carries it on."""
    sealed = sealed or request.form.get("unsent", "")
    action, fields = unsent.unseal(sealed)
    return {"unsent": sealed if fields else "", "waiting": unsent.form(action, fields, button=False)}


def _unsent(status: int, words: str, action: str, fields: unsent.Fields) -> Response:
    """A form that was not taken, ready to be sent by this browser."""
    fresh = [("csrf_token", generate_csrf()), *(pair for pair in fields if pair[0] != "csrf_token")]
    again = unsent.form(action, fresh, button=True)
    return make_response(render_template("accounts/unsent.html", words=words, again=again), status)


def _too_often(wait: int, wanted: str) -> Response:
    minutes = -(-wait // 60)
    how_long = f"{wait} seconds" if wait <= 90 else f"{minutes} minutes"
    answer = _form(429, f"There were too many attempts. Please wait {how_long}, then try again.", wanted)
    answer.headers["Retry-After"] = str(wait)
    return answer


def _away(answer: Response) -> Response:
    answer.headers["Retry-After"] = str(RETRY_SECONDS)
    return answer


def _next() -> str:
    """Where to go after signing in: a path of this site, else the desk."""
    wanted = request.form.get("next", "") or request.args.get("next", "")
    safe = wanted.startswith("/") and len(wanted) <= 2000 and on_site(wanted, "") == wanted
    return wanted if safe else url_for("moderation.queue")


def _network() -> str:
    return network_of(client_address(request.environ, settings().trusted_proxies))


def _steps() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings().secret_key, salt="second-step")


def _since(found: Moderator) -> str:
    # A step that was begun with an earlier password or secret leads nowhere.
    return hashlib.sha256(f"{found.password_hash} {found.totp_secret}".encode()).hexdigest()[:16]
