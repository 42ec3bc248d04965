"""The stylesheet, the scripts and the icon, under names that change with their content.

They go through the page cache like every public answer, and so carry the same headers; browsers may keep them
for a year, because a changed file has another name. An older name leads to the present one: a page that a
browser still shows may ask for it, or a page from a machine that runs another version.
"""

from __future__ import annotations

import hashlib
import mimetypes
import re
from functools import lru_cache
from pathlib import Path
from typing import cast

from flask import Blueprint, Flask, Response, abort, make_response, redirect

from blog.config import PACKAGE
from blog.freshness import FIXED
from blog.pagecache import share

FOLDER = PACKAGE / "static"
YEAR = 365 * 24 * 60 * 60

bp = Blueprint("assets", __name__)

_HASHED = re.compile(r"([a-z0-9-]+)(?:\.[0-9a-f]{12})?(\.[a-z0-9]+)", re.ASCII)


def init(app: Flask) -> None:
    """Give templates `asset()`, and serve what it names."""
    app.jinja_env.globals["asset"] = asset
    app.register_blueprint(bp)


def asset(name: str) -> str:
    """The address of a file in static/, with the hash of its present content in it."""
    path = FOLDER / name
    found = path.stat()
    return _address(path, _hash(path, found.st_mtime_ns, found.st_size))


@bp.get("/static/<name>")
def static(name: str) -> Response:
    """A file under its present name; under an older one, or without a hash, the way to it."""
    parts = _HASHED.fullmatch(name)
    path = FOLDER / f"{parts[1]}{parts[2]}" if parts else FOLDER
    if not path.is_file():
        abort(404)
    body = path.read_bytes()
    present = _address(path, _digest(body))
    if present != f"/static/{name}":
        return cast(Response, redirect(present, 302))
    response = make_response(body)
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    response.content_type = f"{kind}; charset=utf-8" if kind.startswith(("text/", "image/svg")) else kind
    response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
    return share(response, FIXED)


def _address(path: Path, digest: str) -> str:
    return f"/static/{path.stem}.{digest}{path.suffix}"


@lru_cache(maxsize=64)
def _hash(path: Path, changed: int, size: int) -> str:
    """`changed` and `size` make it look again when the file is another."""
    return _digest(path.read_bytes())


def _digest(body: bytes) -> str:
    return hashlib.blake2b(body, digest_size=6).hexdigest()
