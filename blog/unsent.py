"""What somebody typed into a form that was not taken: given back to be copied, or to be sent again.

Where the desk asks for signing in first, the form travels through that inside the page, sealed. It is kept
nowhere here, so it needs no store and no cookie.
"""

from __future__ import annotations

from flask import request
from itsdangerous import BadSignature, URLSafeTimedSerializer
from markupsafe import Markup

from blog.config import settings

Fields = list[tuple[str, str]]

# What a person writes into the forms of this site, and what the page calls it.
AREAS = {"body": "Your text", "words": "Your words", "note": "Your words", "text": "Your list"}
LINES = {
    "author": "Author",
    "email": "E-mail",
    "url": "Website",
    "moderator": "At the desk",
    "name": "Name",
    "mail": "E-mail",
}
SECRET = {"password", "new", "code", "secret", "step", "unsent"}
KEPT = 24 * 3600  # seconds in which somebody signs in again

FORM = Markup('<form method="post" action="{action}">{fields}{button}</form>')
HIDDEN = Markup('<input type="hidden" name="{name}" value="{value}">')
# A browser drops the first line end of a textarea.
AREA = Markup(
    '<p><label>{label}<br><textarea name="{name}" rows="12" dir="auto"{only}>\n{value}</textarea></label></p>'
)
LINE = Markup('<p><label>{label}<br><input name="{name}" value="{value}" dir="auto"{only}></label></p>')
READONLY = Markup(" readonly")
BUTTON = Markup('<p><button type="submit" class="primary again">Send again</button></p>')


def typed() -> Fields:
    """The form of this request without its secrets; nothing when nobody typed anything into it.

    Only a form that was read already: reading it may be the very thing that failed.
    """
    if request.method != "POST" or "form" not in request.__dict__:
        return []
    fields = [(name, value) for name, value in request.form.items(multi=True) if name not in SECRET]
    return fields if any(value for name, value in fields if kind(name)) else []


def kind(name: str) -> str:
    """What the page calls a field that people type into; empty for any other."""
    # A note at the desk carries the number of its comment.
    return AREAS.get(name.partition("-")[0]) or LINES.get(name, "")


def form(action: str, fields: Fields, *, button: bool) -> Markup:
    """A form with what was typed to be seen and the rest hidden; without a button it is for copying."""
    only = Markup("") if button else READONLY
    drawn = Markup("").join(field(name, value, only) for name, value in fields)
    return FORM.format(action=action, fields=drawn, button=BUTTON if button else "") if fields else Markup("")


def field(name: str, value: str, only: Markup) -> Markup:
    """One field of it; `only`: the attribute of one that cannot be changed."""
    label = kind(name)
    if not label or not value:
        return HIDDEN.format(name=name, value=value)
    return (LINE if name in LINES else AREA).format(name=name, value=value, label=label, only=only)


def address() -> str:
    """Where this request was sent, to send it there again; bytes that no browser sends are left out."""
    query = request.query_string.decode("ascii", "ignore")
    return f"{request.path}?{query}" if query else request.path


def seal() -> str:
    """The form of this request for a hidden field; empty when nothing was typed."""
    fields = [(name, value) for name, value in typed() if name != "csrf_token"]
    return _sealer().dumps([address(), fields]) if fields else ""


def unseal(sealed: str) -> tuple[str, Fields]:
    """The address and the fields that were sealed here within a day; both empty for anything else."""
    try:
        action, fields = _sealer().loads(sealed, max_age=KEPT)
    except BadSignature:
        return "", []
    return action, [(name, value) for name, value in fields]


def _sealer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings().secret_key, salt="unsent")
