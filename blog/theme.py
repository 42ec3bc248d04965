"""What templates can use, and the folder of the owner whose templates replace ours one by one."""

from __future__ import annotations

import hashlib
import mimetypes
from pathlib import Path

from flask import Blueprint, Flask, Response, abort, make_response, request
from jinja2 import BaseLoader, ChoiceLoader, FileSystemLoader, PrefixLoader

from blog import assets
from blog.alerts import failure
from blog.catalogue import tag_url
from blog.config import SettingError, Settings, bundled, settings
from blog.db import utcnow
from blog.markup.typography import set_line
from blog.pagecache import share
from blog.shelf import library
from blog.words import at, day, iso

bp = Blueprint("theme", __name__)


def init(app: Flask) -> None:
    """Give templates the filters, the settings, the clock, the menu and the files that they name."""
    app.register_blueprint(bp)
    app.jinja_env.globals["asset"] = asset
    app.jinja_env.filters.update(day=day, moment=at, iso=iso, failure=failure, typeset=set_line)
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


def asset(name: str) -> str:
    """The address of a file in the folder `static` of the owner's templates, or else of ours."""
    path = own(name)
    return assets.asset(name) if path is None else address(path)


def own(name: str) -> Path | None:
    """The owner's file of that name, if there is one."""
    folder = settings().templates_dir
    path = folder / "static" / name if folder else None
    return path if path is not None and path.is_file() else None


def address(path: Path) -> str:
    """The address of an owner's file, with the hash of its content in it."""
    digest = hashlib.blake2b(path.read_bytes(), digest_size=6).hexdigest()
    return f"/theme/{path.stem}.{digest}{path.suffix}"


@bp.get("/theme/<name>")
def file(name: str) -> Response:
    """An owner's file under its present name; an older or unknown name is 404."""
    stem, _, rest = name.partition(".")
    suffix = rest.rpartition(".")[2]
    path = own(f"{stem}.{suffix}") if stem.replace("-", "").isalnum() and suffix.isalnum() else None
    if path is None or address(path) != request.path:
        abort(404)
    response = make_response(path.read_bytes())
    response.content_type = f"{mimetypes.guess_type(path.name)[0]}; charset=utf-8"
    share(response, None)
    response.headers["Cache-Control"] = f"public, max-age={assets.YEAR}, immutable"
    return response
