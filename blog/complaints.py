"""How a command ends that cannot do its work: one line, exit status 1, never a traceback."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click
from sqlalchemy.exc import DBAPIError, ProgrammingError, SQLAlchemyError

from blog.config import SettingError
from blog.errors import is_store_away

# What the engines say, and what helps.
FIXES = (
    (("no such table", "does not exist"), "Run `flask --app wsgi db upgrade` first."),
    (("not a database", "malformed"), "Restore a backup, or let BLOG_DATA_DIR name another folder."),
    (("disk is full", "disk i/o", "no space"), "Make room on the disk, then do it again."),
    (("readonly", "read-only"), "Let this user write to the data folder and the files in it."),
    (("locked",), "Another program holds the store; wait for it, or end it."),
    (("unable to open",), "Look at BLOG_DATA_DIR: the folder must exist and be writable."),
    (("authentication", "role "), "Look at the user and the password in BLOG_DATABASE_URL."),
    (("connect", "resolve", "shutting down"), "Look at BLOG_DATABASE_URL, and whether that server runs."),
)


def plainly(command: click.Command) -> None:
    """Let a command, or all commands of a group, end in one line whatever happens in them."""
    for child in getattr(command, "commands", {}).values():
        plainly(child)
    if command.callback is not None and not hasattr(command.callback, "is_plain"):
        command.callback = _guarded(command.callback)


def _guarded(work: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(work)
    def guarded(*args: Any, **values: Any) -> Any:
        try:
            return work(*args, **values)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            raise click.ClickException(describe(error)) from None

    guarded.is_plain = True  # type: ignore[attr-defined]
    return guarded


def describe(error: Exception) -> str:
    """What went wrong and what helps, in one line."""
    if isinstance(error, SettingError):
        return str(error)
    if isinstance(error, ProgrammingError) or is_store_away(error):
        said = _first_line(error.orig if isinstance(error, DBAPIError) else error)
        fix = next((fix for words, fix in FIXES if any(word in said.lower() for word in words)), "")
        return f"the store cannot be used: {said}. {fix}".rstrip()
    if isinstance(error, OSError):
        return f"{error.strerror or type(error).__name__}: {error.filename or 'no file is named'}"
    # The text of any other error of the store may quote what readers typed.
    said = "" if isinstance(error, SQLAlchemyError) else f": {_first_line(error)}"
    return f"this failed unexpectedly ({type(error).__name__}{said})"


def _first_line(error: BaseException | None) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].strip().rstrip(".")[:300]
