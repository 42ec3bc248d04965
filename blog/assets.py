"""The stylesheet, the script and the icon, under names that change with their content.

They go through the page cache like every public answer, and so carry the same headers; browsers may keep them
for a year, because a changed file has another name.
"""

from __future__ import annotations

import hashlib
import mimetypes
from functools import lru_cache
from pathlib import Path

from flask import Blueprint, Flask, Response, abort, make_response

from blog.config import PACKAGE
from blog.pagecache import share

FOLDER = PACKAGE / "static"
YEAR = 365 * 24 * 60 * 60

bp = Blueprint("assets", __name__)


def init(app: Flask) -> None:
    """Give templates `asset()`, and serve what it names."""
    app.jinja_env.globals["asset"] = asset
    app.register_blueprint(bp)


def asset(name: str) -> str:
    """The address of a file in static/, with the hash of its content in it."""
    path = FOLDER / name
    return f"/static/{path.stem}.{_hash(path, path.stat().st_mtime_ns)}{path.suffix}"


@lru_cache(maxsize=64)
def _hash(path: Path, changed: int) -> str:
    return hashlib.blake2b(path.read_bytes(), digest_size=6).hexdigest()


@bp.get("/static/<name>")
def static(name: str) -> Response:
    """A file under its present name; an older or unknown name is 404."""
    stem, _, rest = name.partition(".")
    _, _, suffix = rest.rpartition(".")
    path = FOLDER / f"{stem}.{suffix}"
    if not stem.replace("-", "").isalnum() or not path.is_file() or asset(path.name) != f"/static/{name}":
        abort(404)
    response = make_response(path.read_bytes())
    response.content_type = f"{mimetypes.guess_type(path.name)[0]}; charset=utf-8"
    share(response, None)
    response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
    return response
