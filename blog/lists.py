"""The desk's page for the two word lists: typed, rehearsed on stored comments, then saved."""

from __future__ import annotations

from typing import Any, cast

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for

from blog import wordlists
from blog.accounts import current_moderator, gate
from blog.db import write
from blog.matching import Problem, Unreadable
from blog.moderation.desk import owner
from blog.text import clean_text
from blog.wordlists import Changed, WordList

bp = Blueprint("lists", __name__, url_prefix="/moderation/lists")
gate(bp)

WORDS = {
    "hold": ("Hold list", "A comment that matches waits for a person, whatever Akismet says."),
    "block": ("Block list", "A comment that matches goes to spam at once. Akismet is not asked about it."),
}


@bp.get("")
def both() -> Response:
    """The lists as they stand."""
    return show()


@bp.post("/<name>")
def change(name: str) -> Response:
    """Rehearse a list as it was typed, or save it; whatever is refused stays on the page as typed."""
    if name not in wordlists.NAMES:
        abort(404)
    typed = as_typed(name)
    try:
        if request.form.get("action") != "save":
            return show(typed=typed, rehearsal=wordlists.rehearse(typed.text, typed.fields))
        by = owner().name
        with write():
            wordlists.save(name, typed.text, typed.fields, typed.version, by)
    except Unreadable as unreadable:
        return show(422, typed=typed, problems=unreadable.problems)
    except Changed as changed:
        return show(
            409,
            typed=typed,
            notice=f"{changed} What you typed is kept here; open the page anew to see theirs.",
        )
    return cast(Response, redirect(url_for("lists.both", saved=name), 303))


def as_typed(name: str) -> WordList:
    """The form as it was sent; never stored as it is."""
    version = request.form.get("version", "")
    return WordList(
        name=name,
        # splitlines() and the line numbers of the messages must agree with what the browser shows.
        text=clean_text(request.form.get("text", "")),
        fields=[field for field in wordlists.FIELDS if field in request.form.getlist("field")],
        version=int(version) if version.isascii() and version.isdigit() and len(version) < 10 else 0,
    )


def show(
    status: int = 200,
    typed: WordList | None = None,
    problems: list[Problem] | None = None,
    **values: Any,
) -> Response:
    """The page; `typed` stands in place of the stored list of its name."""
    lists = [
        typed if typed is not None and typed.name == name else wordlists.stored(name)
        for name in wordlists.NAMES
    ]
    saved = request.args.get("saved", "")
    page = render_template(
        "moderation/lists.html",
        lists=lists,
        words=WORDS,
        fields=wordlists.FIELDS,
        chosen=typed.name if typed is not None else "",
        problems=problems or [],
        rehearsal=values.get("rehearsal"),
        notice=values.get("notice", ""),
        message=f"The {WORDS[saved][0].lower()} is saved." if saved in WORDS else "",
        moderator=current_moderator(),
    )
    return make_response(page, status)
