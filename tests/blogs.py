"""Makes the tests' blogs: real files, a real store, and what does not differ between them made only once."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask

from blog import create_app
from blog.accounts import cookie_name
from blog.db import db, write
from blog.people import add_moderator, find_moderator, start_session
from tests.people import Moderator
from tests.warm import Compiled, Engines, RememberedRule

ARTICLES = {
    "open-letter.md": "---\ntitle: An open letter\ndate: 2026-01-02\ntags: [letters]\n"
    "reflection: What would you answer?\n---\n\nSome *words* to read.\n",
    "second.md": "---\ntitle: The second\ndate: 2026-02-03\n---\n\nMore words.\n",
    "closed.md": "---\ntitle: Closed\ndate: 2026-01-01\ncomments: closed\n---\n\nNothing to add.\n",
    "hidden.md": "---\ntitle: Hidden\ndate: 2026-01-01\ndraft: true\n---\n\nNot yet.\n",
}
PASSWORD = "a long enough password"
# The real cost of a password is tested where signing in is.
CHEAP = "scrypt:128:8:1"

COMPILED = Compiled()
ENGINES = Engines()
Flask.url_rule_class = RememberedRule

Make = Callable[..., Flask]


def written(folder: Path) -> Path:
    """The folder, with a few articles in it."""
    folder.mkdir()
    for name, text in ARTICLES.items():
        (folder / name).write_text(text)
    return folder


@contextmanager
def blogs(folder: Path, migrated: Path, **settings: Any) -> Iterator[Make]:
    """Make blogs whose data lie in the folder, with `migrated` as the store that they begin with."""
    made: list[Flask] = []
    usual = {
        "secret_key": "k" * 40,
        "akismet_key": "123456789abc",
        "akismet_timeout": 2.0,
        "moderation": "flagged",
        "flood_seconds": 0,
        **settings,
    }

    def build(**values: Any) -> Flask:
        data = values.setdefault("data_dir", folder / "data")
        if "database_url" not in values and not (data / "blog.db").exists():
            data.mkdir(exist_ok=True)
            shutil.copy(migrated, data / "blog.db")
        app = create_app({**usual, **values})
        app.config["PASSWORD_HASH"] = CHEAP
        # Compiling the templates anew for each test would take most of the suite's time.
        app.jinja_env.bytecode_cache = COMPILED
        ENGINES.lend(app)
        made.append(app)
        return app

    yield build
    for app in made:
        if "blog.wire" in app.extensions:
            app.extensions["blog.wire"].close()
        app.extensions["blog.freshness"].close()
        ENGINES.take_back(app)


def signed_in(app: Flask, name: str = "ana") -> Moderator:
    """A moderator of that name, signed in."""
    with app.app_context():
        found = find_moderator(name) or add_moderator(name, PASSWORD)
        with write():
            token = start_session(found, "127.0.0.1", "tests")
        db.session.remove()
    person = Moderator(app)
    with app.test_request_context():
        person.client.set_cookie(cookie_name(), token, domain="localhost")
    return person
