"""What a running configuration gets wrong, each with what mends it."""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url

from blog.config import Settings
from blog.values import is_loopback

SHORTEST = 32  # characters of a secret key that is random enough to sign with
GUESSED = ("secret", "change", "default", "example", "password", "dev", "test", "key")
STALE = 2 * 24 * 60 * 60  # seconds
# https://www.sqlite.org/wal.html#walresetbug
RESET_BUG = ((3, 7, 0), (3, 51, 3))


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, and the fix."""

    what: str
    fix: str


def findings(settings: Settings) -> list[Finding]:
    """All of them, the gravest first."""
    return [found for look in LOOKS for found in look(settings)]


def has_reset_bug(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> bool:
    """Whether this SQLite can, rarely, damage a store in WAL mode: fixed in 3.51.3."""
    return RESET_BUG[0] <= version[:3] < RESET_BUG[1]


def on_sqlite(settings: Settings) -> bool:
    """Whether the store is a SQLite file."""
    return make_url(settings.database).get_backend_name() == "sqlite"


def _transport(settings: Settings) -> Iterator[Finding]:
    site = urlsplit(settings.site_url)
    if site.scheme == "http" and not is_loopback(site.hostname):
        yield Finding(
            f"Readers reach {settings.site_url} unencrypted, and moderators' passwords go over the wire.",
            "Put a proxy with a certificate in front and let BLOG_SITE_URL begin with https://.",
        )
    if not is_loopback(site.hostname) and not is_loopback(settings.host) and settings.trusted_proxies:
        yield Finding(
            f"BLOG_HOST {settings.host} is open to everybody, so the proxy in front can be walked around "
            "and the address of a client be made up.",
            "Set BLOG_HOST=127.0.0.1, or let only the proxy reach that port.",
        )


def _secret(settings: Settings) -> Iterator[Finding]:
    key = settings.secret_key
    guessed = any(word in key.lower() for word in GUESSED) and len(key) < 2 * SHORTEST
    if len(key) < SHORTEST or len(set(key)) < 10 or guessed:
        yield Finding(
            "BLOG_SECRET_KEY is short or can be guessed; with it anybody can sign forms and sign-in steps.",
            "Leave it empty: a random one is then made and kept in the data folder.",
        )


def _folder(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir
    if _mode(folder) & 0o007:
        yield Finding(f"Everybody on this machine can look into {folder}.", f"chmod 700 {folder}")
    names = ("blog.db", "blog.db-wal", "secret_key", "first-moderator.txt", "backups")
    for path in (folder / name for name in names):
        if _mode(path) & 0o077:
            yield Finding(f"Others on this machine may read {path}.", f"chmod go= {path}")
    if _mode(Path(".env")) & 0o077:
        yield Finding("Others on this machine may read .env, which holds keys.", "chmod 600 .env")
    if (folder / "first-moderator.txt").exists():
        yield Finding(
            f"The first moderator's password is still in {folder / 'first-moderator.txt'}.",
            "Change it with `flask --app wsgi moderators add moderator`, then delete that file.",
        )


def _server(settings: Settings) -> Iterator[Finding]:
    if settings.trusted_proxies > 2:
        yield Finding(
            f"BLOG_TRUSTED_PROXIES is {settings.trusted_proxies}; with more than there are, every client can "
            "choose the address that is counted, stored and sent.",
            "Set it to the number of proxies that you run yourself; for nginx or Caddy alone it is 1.",
        )
    if os.environ.get("FLASK_DEBUG", "").lower() in ("1", "true", "yes", "on"):
        yield Finding(
            "FLASK_DEBUG is on and shows code to readers when something fails.", "Unset FLASK_DEBUG."
        )
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        yield Finding("This runs as root.", "Give the blog a user of its own, who owns only the data folder.")
    if settings.akismet_endpoint.startswith("http:"):
        yield Finding("Akismet is asked without encryption.", "Unset BLOG_AKISMET_ENDPOINT.")


def _store(settings: Settings) -> Iterator[Finding]:
    if on_sqlite(settings) and has_reset_bug():
        yield Finding(
            f"SQLite {sqlite3.sqlite_version} has a rare fault that can damage the store (WAL reset).",
            "Run a Python with SQLite 3.51.3 or newer, or use PostgreSQL; until then keep backups.",
        )


def _backups(settings: Settings) -> Iterator[Finding]:
    if not on_sqlite(settings):
        return
    copies = list((settings.data_dir / "backups").glob("blog-*.db"))
    newest = max((path.stat().st_mtime for path in copies), default=0.0)
    if time.time() - newest > STALE:
        yield Finding(
            f"There is no backup of the last two days in {settings.data_dir / 'backups'}.",
            "Set BLOG_BACKUP_KEEP=14, or run `flask --app wsgi backup FILE` daily; keep a copy elsewhere.",
        )


def _mode(path: Path) -> int:
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return 0


LOOKS: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
    _transport,
    _secret,
    _folder,
    _server,
    _store,
    _backups,
)
