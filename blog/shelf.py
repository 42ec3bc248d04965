"""The running application's articles."""

from __future__ import annotations

from typing import cast

from flask import current_app

from blog.articles import Library


def library() -> Library:
    """The articles as they are on disk now."""
    found = cast(Library, current_app.extensions["blog.library"])
    found.refresh()
    return found
