"""The people of the desk, for owners: who may sign in, as what, and how they get in again."""

from __future__ import annotations

import secrets
from typing import Any

from flask import abort, request
from werkzeug.wrappers import Response as BaseResponse

from blog import guesses, people, totp
from blog.db import db, write
from blog.history import Event
from blog.moderation.desk import bp, owner, page, tell, told
from blog.passwords import Unfit
from blog.people import Moderator


@bp.get("/people")
def staff() -> BaseResponse:
    """Everybody who may sign in."""
    owner()
    return show(message=told()["message"])


@bp.post("/people")
def add_person() -> BaseResponse:
    """Somebody new; the password is made up and shown on this one answer."""
    by, form = owner(), request.form
    name, role = form.get("name", ""), form.get("role", "moderator")
    try:
        fit = people.fit_name(name)
        found = people.find_moderator(fit)
        if found is not None and found.active:
            raise Unfit(f"There is somebody called {found.name} already.")
        return password_of(fit, by.name, role if role in people.ROLES else "moderator")
    except Unfit as unfit:
        return show(422, problem=str(unfit), typed=name[:200])


@bp.post("/people/<int:number>")
def change_person(number: int) -> BaseResponse:
    """What a button beside a person does."""
    by = owner()
    found = db.session.get(Moderator, number) if number < 2**63 else None
    if found is None or not found.active:
        abort(404)
    action = request.form.get("action", "")
    if action == "password":
        return password_of(found.name, by.name)
    try:
        message = carry_out(action, found, by.name)
    except Unfit as unfit:
        return show(422, problem=str(unfit))
    return tell("staff", message)


def carry_out(action: str, found: Moderator, by: str) -> str:
    """Do it, and say what was done. Raises Unfit."""
    if action == "remove":
        people.deactivate(found, by)
        return f"{found.name} cannot sign in any more."
    if action in people.ROLES:
        people.set_role(found, action, by)
        return f"{found.name} is {'an owner' if action == 'owner' else 'a moderator'} now."
    if action == "codes":
        totp.reset(found, by)
        guesses.forgive(found)
        return f"{found.name} signs in with the password alone until codes are set up again."
    if action == "sessions":
        with write() as session:
            people.end_sessions(found)
            session.add(Event(actor=by, kind="sessions-ended", note=found.name))
        return f"{found.name} is signed out everywhere."
    raise Unfit("There is no such button.")


def password_of(name: str, by: str, role: str = "") -> BaseResponse:
    """A new password for somebody; shown once, kept nowhere."""
    word = secrets.token_urlsafe(12)
    found = people.add_moderator(name, word, role, by)
    guesses.forgive(found)
    return show(made=(found.name, word))


def show(status: int = 200, **values: Any) -> BaseResponse:
    """The page."""
    given = {"problem": "", "typed": "", "made": None, "message": "", **values}
    rows = [(person, people.sessions_of(person)) for person in people.everybody()]
    return page("people", status, rows=rows, **given)
