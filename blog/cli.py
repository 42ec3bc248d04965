"""What the command line can do. Errors are one line and exit status 1; a traceback is never the answer."""

from __future__ import annotations

import json
import logging
from typing import Any, cast

import click
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext

from blog import demo, maildesk, privacy, search, start
from blog.articles import check
from blog.checks import has_reset_bug, on_sqlite
from blog.complaints import plainly
from blog.config import settings
from blog.db import db
from blog.folder import content_folder
from blog.moderatorcli import moderators
from blog.reconcile import reconcile
from blog.shelf import library
from blog.upkeep import backup, restore, security

comments = AppGroup("comments", help="What is done about comments besides reading them.")
content = AppGroup("content", help="The articles on disk.")
data = AppGroup("privacy", help="What is kept about a person.")


def init(app: Flask) -> None:
    """Give the application its commands."""
    for command in (moderators, comments, content, data, maildesk.commands, security):
        app.cli.add_command(command)
    for single in (serve, backup, restore):
        app.cli.add_command(single)
    app.cli.add_command(demonstrate)
    moderators.add_command(maildesk.moderator_mail)
    for known in app.cli.commands.values():
        plainly(known)
    app.cli.add_command(Migrations(app))


class Migrations(click.Command):
    """Flask-Migrate's group of commands, brought in when it is asked for: a sixth of all that is imported."""

    def __init__(self, app: Flask) -> None:
        super().__init__("db", help="Bring the store up to date, or look at how it is.")
        self._app = app

    def make_context(self, *args: Any, **values: Any) -> click.Context:
        """That of the group itself, which so takes the place of this one."""
        from flask_migrate.cli import db as group  # type: ignore[import-not-found]  # its stubs leave it out

        start.know_migrations(self._app)
        plainly(group)
        return cast(click.Group, group).make_context(*args, **values)


@click.command()
@with_appcontext
def serve() -> None:
    """Serve the blog until told to stop; migrates first, and makes a moderator when there is none."""
    from blog.serve import serve as run

    here = settings()
    content_folder(here.content_dir)
    library().tell()  # once, for all workers
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    made = start.prepare(app)
    if made:
        click.echo(f"First moderator: {made[0]}  password: {made[1]}")
        click.echo(
            f"(kept in {settings().data_dir / 'first-moderator.txt'}; sign in at {settings().site_url}/login)"
        )
    if on_sqlite(here) and has_reset_bug():
        click.echo(
            "Warning: this SQLite has a rare fault; `flask --app wsgi security check` says more.", err=True
        )
    if here.akismet_key:
        # The workers share what is in memory when they are forked.
        from blog import wire  # noqa: F401
    # They are forked from this process and must not share its connections.
    db.session.remove()
    db.engine.dispose()
    run(here, app)


@click.command("demo")
@with_appcontext
def demonstrate() -> None:
    """Fill an empty store with a conversation to try out; a store with comments is left alone."""
    start.prepare_store()
    here = library()
    open_now = (article for article in here.articles if article.comments_open)
    article = here.get(demo.ARTICLE) or next(open_now, None)
    if article is None:
        raise click.ClickException("no article takes comments, so there is nothing to talk about.")
    try:
        stored = demo.fill(article)
    except demo.NotEmpty as error:
        raise click.ClickException(str(error)) from None
    site = settings().site_url
    click.echo(f"{len(stored)} comments on {site}{article.url}; the desk is at {site}/moderation/. Receipts:")
    for comment in stored:
        if comment.status != "approved":
            click.echo(f"  {comment.status:10}{site}/receipts/{comment.token}  {comment.author}")


@comments.command("reconcile")
@click.option(
    "--now",
    "regardless",
    is_flag=True,
    help="Ignore waiting times, the pause after failures and the bound per run.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
def reconcile_command(regardless: bool, dry_run: bool) -> None:
    """Do what is owed: ask Akismet again, send feedback and mail, delete what is due."""
    # What it logs stands in the line that is printed.
    logging.getLogger("blog.reconcile").disabled = True
    click.echo(str(reconcile(regardless, dry_run)))


@data.command("export")
@click.argument("email")
def export(email: str) -> None:
    """Print everything that is kept under EMAIL, in every status, as JSON."""
    click.echo(json.dumps(privacy.export(email), ensure_ascii=False, indent=2))


@data.command("erase")
@click.argument("email")
@click.option("--keep-text", is_flag=True, help="Leave the words, without a name.")
def erase(email: str, keep_text: bool) -> None:
    """Take the person of EMAIL out of every comment, in every status."""
    done = privacy.erase(email, keep_text)
    search.tidy(60)
    if not done:
        raise click.ClickException(f"nothing is kept under {email}")
    each = ", ".join(f"{number} {status}" for status, number in sorted(done.items()))
    text = "kept without a name" if keep_text else "blanked"
    click.echo(f"erased {sum(done.values())} comments ({each}); the text was {text}")


@content.command("check")
def check_content() -> None:
    """Name what an author should mend, with the line and the fix; exit 1 when something is not published."""
    said = logging.getLogger("blog.articles")
    said.disabled = True  # what it logs stands in the lines that are printed
    here = library()
    problems = check(here)
    said.disabled = False
    for problem in problems:
        click.echo(str(problem))
    if any(problem.hidden for problem in problems):
        raise SystemExit(1)
    click.echo(f"{len(here.articles)} articles are published from {settings().content_dir}")
