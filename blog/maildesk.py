"""How a moderator hears of waiting comments: a page of the desk, and the commands for it."""

from __future__ import annotations

import click
from flask import Blueprint, abort, make_response, redirect, render_template, request
from flask.cli import AppGroup, with_appcontext
from werkzeug.wrappers import Response

from blog import briefing, letters, start
from blog.accounts import current_moderator, gate
from blog.config import settings
from blog.mail import Away, Postman, Refused, sends
from blog.passwords import Unfit
from blog.people import Moderator, find_moderator
from blog.text import clean_line

bp = Blueprint("maildesk", __name__, url_prefix="/moderation/mail")
gate(bp)

commands = AppGroup("mail", help="The blog's mail.")


@bp.get("")
def choices() -> Response:
    """The form for one's own address and pace."""
    me = _me()
    return _form(200, me, me.mail, me.mail_mode)


@bp.post("")
def choose() -> Response:
    """Keep them."""
    me = _me()
    address, mode = clean_line(request.form.get("mail", "")[:400]), request.form.get("mode", "")
    try:
        briefing.set_mail(me, address, mode, me.name)
    except Unfit as unfit:
        return _form(422, me, address, mode, str(unfit))
    return redirect("/moderation/mail?kept=1", 303)


def _me() -> Moderator:
    found = current_moderator()
    if found is None:
        abort(403)
    return found


def _form(status: int, me: Moderator, address: str, mode: str, problem: str = "") -> Response:
    page = render_template(
        "moderation/mail.html",
        moderator=me,
        address=address,
        mode=mode,
        problem=problem,
        kept=request.args.get("kept") == "1",
        sends=sends(),
    )
    return make_response(page, status)


@click.command("mail")
@click.argument("name")
@click.argument("address", default="")
@click.option("--mode", type=click.Choice(briefing.MODES), help="At once, once a day, or never.")
@with_appcontext
def moderator_mail(name: str, address: str, mode: str | None) -> None:
    """Say where the moderator NAME hears of waiting comments, and how often.

    Without an ADDRESS the present one stays; without --mode it is `digest` for a new address.
    """
    start.prepare_store()
    found = find_moderator(name)
    if found is None:
        raise click.ClickException(f"there is no moderator {name}")
    address = clean_line(address) or found.mail
    mode = mode or (found.mail_mode if address == found.mail else "digest")
    try:
        briefing.set_mail(found, address, mode, "system")
    except Unfit as unfit:
        raise click.ClickException(str(unfit)) from None
    click.echo(f"{found.name}: {mode}" + (f", to {address}" if address and mode != "off" else ""))
    if not sends():
        click.echo("No mail is sent yet: BLOG_SMTP_URL is empty.")


@commands.command("test")
@click.argument("address")
@with_appcontext
def trial(address: str) -> None:
    """Send a short mail to ADDRESS now, to see whether the settings are right."""
    if not sends():
        raise click.ClickException("BLOG_SMTP_URL is empty; the README says what to write there.")
    try:
        with Postman(settings()) as postman:
            postman.send(letters.trial(clean_line(address)))
    except Refused as refused:
        raise click.ClickException(f"the mail was not taken: {refused}") from None
    except Away as away:
        raise click.ClickException(f"the mail server cannot be used: {away}") from None
    click.echo("The mail server has taken it.")
