"""The commands that keep a blog safe: copies of the store, and what the running configuration gets wrong."""

from __future__ import annotations

from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext

from blog import backups, start
from blog.checks import findings
from blog.config import settings
from blog.db import db

security = AppGroup("security", help="How safely this blog is run.")

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", type=FILE)
@with_appcontext
def backup(file: Path) -> None:
    """Copy the store to FILE while the blog runs. A file that exists is never overwritten."""
    try:
        number = backups.backup(backups.store(settings()), file)
    except backups.NoBackup as why:
        raise click.ClickException(str(why)) from None
    click.echo(f"{file}: {number} comments, checked. Keep it as safe as the store itself.")


@click.command()
@click.argument("file", type=FILE)
@with_appcontext
def restore(file: Path) -> None:
    """Put the copy FILE in the place of a store that is missing or holds no comments yet.

    The copy is checked first, and brought to this version's schema afterwards.
    """
    try:
        number = backups.restore(file, backups.store(settings()))
    except backups.NoBackup as why:
        raise click.ClickException(str(why)) from None
    db.engine.dispose()
    start.prepare_store()
    current_app.extensions["blog.published"]()
    click.echo(f"{number} comments are back, from {file}.")


@security.command("check")
def check() -> None:
    """Say what the running configuration gets wrong and how to mend it; exit status 1 if anything."""
    found = findings(settings())
    for problem in found:
        click.echo(f"{problem.what} {problem.fix}")
    if found:
        raise SystemExit(1)
    click.echo("Nothing to mend.")
