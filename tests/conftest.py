"""A blog of one's own for each test: real files, a real store, a stand-in for Akismet over real HTTP."""

from __future__ import annotations

import gc
import itertools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from blog import create_app, start
from blog.accounts import cookie_name
from blog.db import db, write
from blog.people import add_moderator, ensure_first_moderator, find_moderator, start_session
from tests.akismet_standin import AkismetStandIn
from tests.forked import Forked
from tests.needs import needs_browser, needs_postgres
from tests.people import Moderator, Reader
from tests.postgres import Postgres, postgres_server
from tests.serving import Serving
from tests.smtp_standin import MailServer
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
CHEAP = "scrypt:1024:8:1"

COMPILED = Compiled()
ENGINES = Engines()
Flask.url_rule_class = RememberedRule
Serving.launch = Forked

Make = Callable[..., Flask]
_databases = itertools.count(1)


# Whatever is made while the tests are found stays to the end. Python need not look through it for garbage,
# neither now nor whenever a test has made some: that took a tenth of the suite's time.
gc.disable()


def pytest_collection_finish() -> None:
    """Look for garbage from here on, among what the tests make, and not after every few hundred objects."""
    gc.freeze()
    gc.set_threshold(10_000, 10, 20)
    gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave endurance to `make endure`: the suite must stay so quick that one runs it all the time."""
    if "endurance" in config.option.markexpr:
        return
    chosen, left = [], []
    for item in items:
        (left if item.get_closest_marker("endurance") else chosen).append(item)
    config.hook.pytest_deselected(items=left)
    items[:] = chosen


@pytest.fixture(scope="session")
def _akismet() -> Iterator[AkismetStandIn]:
    with AkismetStandIn() as standin:
        yield standin


@pytest.fixture
def akismet(_akismet: AkismetStandIn) -> AkismetStandIn:
    """Akismet's stand-in as if just started, calling everything ham until told otherwise."""
    _akismet.reset()
    return _akismet


def _store(folder: Path, act: Callable[[], object], **values: Any) -> Path:
    """Do this with the store in a folder; its file, which nobody has open."""
    app = create_app({"data_dir": folder, "secret_key": "k" * 40, **values})
    app.config["PASSWORD_HASH"] = CHEAP
    with app.app_context():
        act()
        db.session.remove()
        db.engine.dispose()
    return folder / "blog.db"


@pytest.fixture(scope="session")
def _tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _store(tmp_path_factory.mktemp("tables"), start.prepare_store)


@pytest.fixture(scope="session")
def _migrated(tmp_path_factory: pytest.TempPathFactory, _tables: Path) -> Path:
    folder = tmp_path_factory.mktemp("migrated")
    shutil.copy(_tables, folder)
    return _store(folder, lambda: [add_moderator(name, PASSWORD) for name in ("ana", "ben")])


@pytest.fixture(scope="session", autouse=True)
def _begun(tmp_path_factory: pytest.TempPathFactory, _tables: Path) -> None:
    Serving.begun = tmp_path_factory.mktemp("begun")
    shutil.copy(_tables, Serving.begun)
    _store(Serving.begun, ensure_first_moderator)


@pytest.fixture(scope="session")
def _postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    needs_postgres()
    with postgres_server(tmp_path_factory.mktemp("postgres")) as server:
        server.never_sync()
        yield server


@pytest.fixture(scope="session")
def _migrated_postgres(_postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> str:
    address = _postgres.database("migrated")
    _store(tmp_path_factory.mktemp("migrated"), start.prepare_store, database_url=address)
    return "migrated"


@pytest.fixture
def postgres(_postgres: Postgres) -> str:
    """The address of an empty PostgreSQL database."""
    return _postgres.database(f"test{next(_databases)}")


@pytest.fixture
def migrated_postgres(_postgres: Postgres, _migrated_postgres: str) -> str:
    """The address of a PostgreSQL database with the tables of this version."""
    return _postgres.database(f"test{next(_databases)}", like=_migrated_postgres)


@pytest.fixture
def content(tmp_path: Path) -> Path:
    """A folder with a few articles."""
    folder = tmp_path / "content"
    folder.mkdir()
    for name, text in ARTICLES.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def make(tmp_path: Path, content: Path, akismet: AkismetStandIn, _migrated: Path) -> Iterator[Make]:
    """Makes a blog, settings by name; without any: SQLite, and what Akismet calls ham is published."""
    made: list[Flask] = []

    def build(**values: Any) -> Flask:
        data = values.setdefault("data_dir", tmp_path / "data")
        if "database_url" not in values and not (data / "blog.db").exists():
            data.mkdir(exist_ok=True)
            shutil.copy(_migrated, data / "blog.db")
        defaults = {
            "content_dir": content,
            "secret_key": "k" * 40,
            "akismet_key": "123456789abc",
            "akismet_endpoint": akismet.url,
            "akismet_timeout": 0.5,
            "moderation": "flagged",
            "flood_seconds": 0,
        }
        app = create_app({**defaults, **values})
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


@pytest.fixture
def app(make: Make) -> Flask:
    """A blog that publishes what Akismet calls ham."""
    return make()


@pytest.fixture(params=["sqlite", "postgres"])
def either(request: pytest.FixtureRequest, make: Make) -> Flask:
    """The same blog on SQLite and on PostgreSQL, where it starts empty."""
    if request.param == "sqlite":
        return make()
    return make(database_url=request.getfixturevalue("migrated_postgres"))


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without scripts."""
    return app.test_client()


@pytest.fixture
def reader(app: Flask) -> Reader:
    """Somebody who reads and answers."""
    return Reader(app)


@pytest.fixture
def moderator(app: Flask) -> Moderator:
    """Somebody signed in at the desk."""
    return signed_in(app)


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


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A browser; each test opens windows of its own in it."""
    path = needs_browser()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def mailserver() -> Iterator[MailServer]:
    """A mail server that takes everything until told otherwise."""
    with MailServer() as server:
        yield server
