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
from blog.db import db
from blog.people import add_moderator, ensure_first_moderator
from tests.akismet_standin import AkismetStandIn
from tests.blogs import CHEAP, PASSWORD, Make, blogs, signed_in, written
from tests.forked import Forked
from tests.needs import needs_browser, needs_postgres
from tests.people import Moderator, Reader
from tests.postgres import Postgres, postgres_server
from tests.serving import Serving
from tests.smtp_standin import MailServer

__all__ = ["CHEAP", "PASSWORD", "Make", "signed_in"]  # what the tests take from here

Serving.launch = Forked

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
        server.hurry()
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


@pytest.fixture(scope="module")
def lasting_postgres(_postgres: Postgres, _migrated_postgres: str) -> str:
    """The same for all tests of a file."""
    return _postgres.database(f"test{next(_databases)}", like=_migrated_postgres)


@pytest.fixture
def content(tmp_path: Path) -> Path:
    """A folder with a few articles."""
    return written(tmp_path / "content")


@pytest.fixture
def make(tmp_path: Path, content: Path, akismet: AkismetStandIn, _migrated: Path) -> Iterator[Make]:
    """Makes a blog, settings by name; without any: SQLite, and what Akismet calls ham is published."""
    with blogs(tmp_path, _migrated, content_dir=content, akismet_endpoint=akismet.url) as build:
        yield build


@pytest.fixture(scope="module")
def make_once(
    tmp_path_factory: pytest.TempPathFactory, _akismet: AkismetStandIn, _migrated: Path
) -> Iterator[Make]:
    """Makes a blog that many tests of a file look at: what they do there must leave it as it is."""
    folder = tmp_path_factory.mktemp("once")
    _akismet.reset()
    with blogs(
        folder, _migrated, content_dir=written(folder / "content"), akismet_endpoint=_akismet.url
    ) as build:
        yield build


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
