"""Why comments are held here: each rule with the setting behind it, and the reasons for rejecting."""

from __future__ import annotations

from typing import Any

from flask import request
from werkzeug.wrappers import Response as BaseResponse

from blog import rejections, rules
from blog.config import settings
from blog.db import write
from blog.history import Event
from blog.moderation.desk import bp, me, owner, page, tell, told


@bp.get("/rules")
def rulebook() -> BaseResponse:
    """The rules as they are in force, and the reasons that the desk offers."""
    return show()


@bp.post("/rules/reasons")
def save_reason() -> BaseResponse:
    """Write a reason for rejecting, or a new one; for owners."""
    by, form = owner().name, request.form
    typed = {name: form.get(name, "") for name in ("code", "moderator", "author")}
    try:
        with write() as session:
            code = rejections.put(typed["code"], typed["moderator"], typed["author"], "offered" in form)
            session.add(Event(actor=by, kind="reason-changed", note=code))
    except ValueError as unfit:
        return show(422, str(unfit), typed)
    return tell("rulebook", f"The reason {code} is saved.")


def show(status: int = 200, problem: str = "", typed: dict[str, str] | None = None) -> BaseResponse:
    """The page; `typed` is a reason that was refused."""
    values: dict[str, Any] = {
        "rules": [(rule, value_of(rule.setting)) for rule in (*rules.RULES, *rules.OTHER_REASONS)],
        "choices": rejections.choices(),
        "problem": problem,
        "typed": typed or {"code": "", "moderator": "", "author": ""},
        "message": told()["message"],
        "may_change": me().role == "owner",
    }
    return page("rules", status, **values)


def value_of(setting: str) -> str:
    """A setting's value as it is in force; secrets and what is no setting say nothing."""
    here = settings()
    if setting == "AKISMET_KEY":
        return "set" if here.screens else "not set"
    return str(getattr(here, setting.lower(), "")) if setting.isupper() else ""
