"""A moderator's own account: the password, where they are signed in, and codes as a second factor."""

from __future__ import annotations

import re
from typing import Any

from flask import request, url_for
from werkzeug.utils import redirect
from werkzeug.wrappers import Response as BaseResponse

from blog import guesses, people, qr, totp
from blog.accounts import current_session
from blog.addresses import client_address, network_of
from blog.config import settings
from blog.db import write
from blog.history import Event
from blog.moderation.desk import bp, me, page, tell, told
from blog.passwords import Unfit

SECRET = re.compile(r"[A-Z2-7]{32}")


@bp.get("/account")
def account() -> BaseResponse:
    """What there is to change."""
    return show(message=told()["message"])


@bp.post("/account/password")
def new_password() -> BaseResponse:
    """Another password; every session ends, this one too."""
    person = me()
    if problem := wrong_password():
        return show(422, problem)
    try:
        people.add_moderator(person.name, request.form.get("new", ""), by=person.name)
    except Unfit as unfit:
        return show(422, str(unfit))
    return redirect(url_for("accounts.login"), 303)


@bp.post("/account/sessions")
def end_sessions() -> BaseResponse:
    """Sign out of one other browser, or of all of them."""
    person, here = me(), current_session()
    only = request.form.get("session", "")
    number = int(only) if only.isascii() and only.isdigit() and len(only) <= 18 else None
    with write() as session:
        people.end_sessions(person, only=number, but=None if number or here is None else here.id)
        session.add(Event(actor=person.name, kind="sessions-ended"))
    return tell("account", "Signed out there." if number else "Signed out everywhere else.")


@bp.post("/account/codes")
def enrol() -> BaseResponse:
    """Ask for codes from now on, once the device has shown that it makes them."""
    secret = request.form.get("secret", "")
    if not SECRET.fullmatch(secret):
        return show(422, "That form was not drawn here. Please try again.")
    try:
        codes = totp.enrol(me(), secret, request.form.get("code", ""))
    except Unfit as unfit:
        return show(422, str(unfit), secret=secret)
    return show(recovery=codes)


@bp.post("/account/codes/end")
def stop_codes() -> BaseResponse:
    """Ask for no codes any more; needs the password, because a browser left open must not do."""
    if problem := wrong_password():
        return show(422, problem)
    totp.reset(me(), me().name)
    return tell("account", "You sign in with your password alone now.")


def wrong_password() -> str:
    """What is wrong with the present password as it was typed; empty when nothing is. Wrong ones count."""
    network = network_of(client_address(request.environ, settings().trusted_proxies))
    found = guesses.guess(me().name, request.form.get("password", ""), network)
    if isinstance(found, int):
        return f"There were too many attempts. Please wait {found} seconds, then try again."
    return "" if found is not None else "That is not your present password."


def show(status: int = 200, problem: str = "", **values: Any) -> BaseResponse:
    """The page."""
    person, here = people.find_moderator(me().name) or me(), current_session()
    secret = values.get("secret") or totp.new_secret()
    uri = totp.enrolment_uri(secret, person.name, settings().site_name)
    return page(
        "account",
        status,
        person=person,
        sessions=people.sessions_of(person),
        here=here.id if here else 0,
        secret=secret,
        uri=uri,
        recovery=values.get("recovery", []),
        message=values.get("message", ""),
        problem=problem,
        qr=None if person.totp_secret else qr.code(uri),
    )
