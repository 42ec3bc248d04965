"""What templates can use, and the folder of the owner whose templates replace ours one by one."""

from __future__ import annotations

from flask import Flask
from jinja2 import BaseLoader, ChoiceLoader, FileSystemLoader, PrefixLoader

from blog.alerts import failure
from blog.catalogue import tag_url
from blog.config import SettingError, Settings, bundled, settings
from blog.db import utcnow
from blog.shelf import library
from blog.words import at, day, iso


def init(app: Flask) -> None:
    """Give templates the filters, the settings, the clock and the menu."""
    app.jinja_env.filters.update(day=day, moment=at, iso=iso, failure=failure)
    app.jinja_env.globals["tag_url"] = tag_url
    app.jinja_loader = loader(app.extensions["blog.settings"])
    app.context_processor(lambda: {"site": settings(), "now": utcnow(), "menu": library().pages})


def loader(here: Settings) -> BaseLoader:
    """Templates of TEMPLATES_DIR before ours; `original/NAME` is always ours, to extend what is replaced.

    Raises SettingError when that folder is not there.
    """
    ours = FileSystemLoader(bundled("templates"))
    if here.templates_dir is None:
        return ours
    if not here.templates_dir.is_dir():
        what = f"BLOG_TEMPLATES_DIR: {str(here.templates_dir)!r} is not a folder"
        raise SettingError(f"{what}; make it, or leave the setting empty.")
    return ChoiceLoader([FileSystemLoader(here.templates_dir), ours, PrefixLoader({"original": ours})])
