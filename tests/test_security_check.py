"""The owner asks what the configuration gets wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from blog import checks
from blog.config import Settings

GOOD: dict[str, Any] = {
    "site_url": "https://blog.example",
    "secret_key": "hF3kQz8LmW2xVb7NcR5tYp9GdJ4sA6uE1oIq0ZxT",
    "trusted_proxies": 1,
}


def found(folder: Path, **values: Any) -> str:
    """All that is wrong, as one text."""
    here = Settings.load({}, **{**GOOD, "data_dir": folder, **values})
    return "\n".join(f"{one.what} {one.fix}" for one in checks.findings(here))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder as it should be."""
    (tmp_path / "data" / "backups").mkdir(parents=True)
    (tmp_path / "data").chmod(0o700)
    (tmp_path / "data" / "backups").chmod(0o700)
    (tmp_path / "data" / "backups" / "blog-2026-03-01.db").touch(0o600)
    return tmp_path / "data"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"site_url": "http://blog.example"}, "https://"),
        ({"secret_key": "short"}, "BLOG_SECRET_KEY"),
        ({"secret_key": "k" * 40}, "BLOG_SECRET_KEY"),
        ({"secret_key": "change-me-please-1234567890-abcdefg"}, "BLOG_SECRET_KEY"),
        ({"trusted_proxies": 3}, "BLOG_TRUSTED_PROXIES"),
        ({"host": "0.0.0.0"}, "BLOG_HOST"),
        ({"akismet_endpoint": "http://127.0.0.1:9"}, "BLOG_AKISMET_ENDPOINT"),
    ],
)
def test_a_dangerous_setting_is_named_with_its_fix(folder: Path, values: dict[str, Any], words: str) -> None:
    assert words not in found(folder)
    assert words in found(folder, **values)


def test_a_folder_that_others_can_read(folder: Path) -> None:
    assert "chmod" not in found(folder)
    folder.chmod(0o755)
    assert f"chmod 700 {folder}" in found(folder)
    (folder / "secret_key").touch(0o644)
    assert f"chmod go= {folder / 'secret_key'}" in found(folder)


def test_a_blog_without_backups(folder: Path) -> None:
    assert "BLOG_BACKUP_KEEP" not in found(folder)
    (folder / "backups" / "blog-2026-03-01.db").unlink()
    assert "BLOG_BACKUP_KEEP" in found(folder)
    assert "BLOG_BACKUP_KEEP" not in found(folder, database_url="postgresql://127.0.0.1/blog")


@pytest.mark.parametrize(
    ("version", "affected"),
    [
        ((3, 6, 23), False),
        ((3, 7, 0), True),
        ((3, 40, 1), True),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 52, 0), False),
    ],
)
def test_a_sqlite_with_the_wal_reset_fault(version: tuple[int, int, int], affected: bool) -> None:
    assert checks.has_reset_bug(version) is affected


def test_the_exit_status_says_whether_there_is_something_to_mend(app: Flask) -> None:
    done = app.test_cli_runner().invoke(args=["security", "check"])
    assert done.exit_code == 1
    assert "BLOG_SECRET_KEY" in done.output  # the tests' own key is one letter, forty times


def test_a_good_configuration_has_nothing_to_mend(folder: Path) -> None:
    left = found(folder)
    # What the machine that runs the tests brings with it is not the configuration's fault.
    rest = [line for line in left.splitlines() if not line.startswith(("SQLite ", "This runs as root"))]
    assert rest == []
