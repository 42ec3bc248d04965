"""The commands about moderators, also for when nobody can sign in any more."""

from __future__ import annotations

import secrets
import sys

import click
from flask.cli import AppGroup

from blog import guesses, people, start, totp
from blog.config import settings
from blog.people import Moderator

moderators = AppGroup("moderators", help="People who decide about comments.")
password_stdin_option = click.option(
    "--password-stdin", is_flag=True, help="Read the password from the first line of standard input."
)


@moderators.command("add")
@click.argument("name")
@password_stdin_option
@click.option(
    "--role", type=click.Choice(people.ROLES), help="What the person may do; the first is an owner."
)
def add(name: str, password_stdin: bool, role: str | None) -> None:
    """Add the moderator NAME, or give an existing one a new password.

    Without --password-stdin a password is made up and printed once.
    """
    start.prepare_store()
    give_password(name, password_stdin, role or "")


@moderators.command("password")
@click.argument("name")
@password_stdin_option
def password(name: str, password_stdin: bool) -> None:
    """Give the moderator NAME a new password, which ends their sessions."""
    give_password(known(name).name, password_stdin)


@moderators.command("list")
def list_() -> None:
    """Print each moderator with role, second factor, and when they were last here."""
    start.prepare_store()
    for person in people.everybody():
        sessions = people.sessions_of(person)
        seen = f"last seen {sessions[0].seen_at:%Y-%m-%d}" if sessions else "not signed in"
        click.echo(f"{person.name}\t{person.role}\t{'codes' if person.totp_secret else 'no codes'}\t{seen}")


@moderators.command("role")
@click.argument("name")
@click.argument("role", type=click.Choice(people.ROLES))
def role_(name: str, role: str) -> None:
    """Make the moderator NAME an owner, who manages people and rules, or a moderator."""
    try:
        people.set_role(known(name), role)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{name} is {'an owner' if role == 'owner' else 'a moderator'}")


@moderators.command("remove")
@click.argument("name")
def remove(name: str) -> None:
    """Take the access of NAME away; what they decided keeps their name."""
    try:
        people.deactivate(known(name))
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{name} cannot sign in any more")


@moderators.command("reset-codes")
@click.argument("name")
def reset_codes(name: str) -> None:
    """Ask NAME for no code at sign-in any more: the device with the codes is lost."""
    found = known(name)
    totp.reset(found)
    guesses.forgive(found)
    click.echo(f"{found.name} signs in with the password alone")


def known(name: str) -> Moderator:
    """The active moderator of this name; otherwise the command ends with one line."""
    start.prepare_store()
    found = people.find_moderator(name)
    if found is None or not found.active:
        raise click.ClickException(f"there is no moderator {name}")
    return found


def give_password(name: str, from_stdin: bool, role: str = "") -> None:
    """Set a password, typed or made up, and say what can be done with it."""
    word = sys.stdin.readline().rstrip("\r\n") if from_stdin else secrets.token_urlsafe(12)
    try:
        found = people.add_moderator(name, word, role)
        guesses.forgive(found)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{found.name} can sign in at {settings().site_url}/login")
    if not from_stdin:
        click.echo(f"password: {word}")
