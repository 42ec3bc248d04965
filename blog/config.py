"""Every setting once: its name, type, default and one line of help.

The README's table, the `.env` reader and the checks at start all come from `Settings`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any, cast

from flask import current_app

from blog import values

PREFIX = "BLOG_"
PACKAGE = Path(__file__).resolve().parent
CHECKOUT = PACKAGE.parent


class SettingError(ValueError):
    """A setting that cannot be used; its text names the setting, the problem and the fix."""


def bundled(name: str) -> Path:
    """The folder `name` of the checkout, or its copy in an installed wheel."""
    here = CHECKOUT / name
    return here if here.is_dir() and (CHECKOUT / "pyproject.toml").is_file() else PACKAGE / "_bundled" / name


def _text(value: str) -> str:
    return value.strip()


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not (value.isascii() and value.isdigit()) or not low <= int(value[:20]) <= high:
            raise ValueError(f"is not a whole number from {low} to {high}")
        return int(value)

    return parse


def _seconds(value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = 0.0
    if not 0.05 <= seconds <= 60:
        raise ValueError("is not a number of seconds from 0.05 to 60")
    return seconds


def _one_of(*allowed: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value not in allowed:
            raise ValueError("is none of " + ", ".join(allowed))
        return value

    return parse


def _path(value: str) -> Path:
    return Path(value).expanduser()


def _no_path(value: str) -> Path | None:
    return _path(value) if value else None


def setting(default: Any, parse: Callable[[str], Any], help: str) -> Any:
    """One row of the table: the default, the parser of its text form, a line of help."""
    return field(default=default, metadata={"parse": parse, "help": help})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The running configuration; built by `load`, never changed afterwards."""

    site_name: str = setting("Reciprocal", _text, "The name at the top of every page and in feeds")
    site_url: str = setting(
        "http://127.0.0.1:8000", values.address, "The public address; links, feeds and cookies follow it"
    )
    language: str = setting("en", values.language, "The language of articles that do not name theirs")
    host: str = setting("127.0.0.1", _text, "The address that the server listens on")
    port: int = setting(8000, _whole(1, 65535), "The port that the server listens on")
    workers: int = setting(2, _whole(1, 64), "Server processes; one for each processor is a good number")
    secret_key: str = setting("", _text, "Signs forms and cookies; empty: made once, kept in the data folder")
    data_dir: Path = setting(
        Path("instance"), _path, "The folder of the database, the secret key and backups"
    )
    database_url: str = setting("", values.database, "A PostgreSQL address; empty: SQLite in the data folder")
    content_dir: Path = setting(bundled("content"), _path, "The folder of the articles")
    templates_dir: Path | None = setting(
        None, _no_path, "A folder whose templates replace those of the same name"
    )
    care_note: str = setting("", _text, "A note beside every form and on receipts, such as help lines")
    akismet_key: str = setting("", _text, "The Akismet key; empty: every comment waits for a person")
    akismet_endpoint: str = setting(
        "https://rest.akismet.com", values.endpoint, "Where Akismet answers; plain http only for this machine"
    )
    akismet_timeout: float = setting(3.0, _seconds, "Seconds that a whole call to Akismet may take")
    moderation: str = setting(
        "first",
        _one_of("first", "flagged", "all"),
        "What waits for a person: `first` comments of new authors, only `flagged` ones, or `all`",
    )
    links_held: int = setting(2, _whole(1, 1000), "A comment with this many links or more waits for a person")
    close_after_days: int = setting(
        0, _whole(0, 36500), "Days after which an article takes no more comments; 0: never"
    )
    comments_per_page: int = setting(50, _whole(1, 500), "Threads on one page of an article")
    flood_seconds: int = setting(
        15, _whole(0, 86400), "Seconds between two comments of one person; 0: no limit on posting at all"
    )
    trusted_proxies: int = setting(0, _whole(0, 10), "Proxies in front whose X-Forwarded-For is believed")
    retention_days: int = setting(
        15, _whole(1, 3650), "Days after the decision until address, browser and what was sent are deleted"
    )
    spam_days: int = setting(
        30, _whole(1, 3650), "Days after the decision until spam and rejected comments are deleted"
    )
    backup_keep: int = setting(
        0, _whole(0, 3650), "Daily backups to keep in the data folder's `backups`; 0: none are made"
    )
    log_format: str = setting(
        "auto", _one_of("auto", "text", "json"), "Log lines as `text` or `json`; `auto`: text on a terminal"
    )
    report: str = setting("on", _one_of("on", "off"), "Whether everybody can read /moderation-report")
    redis_url: str = setting("", _text, "Redis for limits that several machines share; empty: the database")
    smtp_url: str = setting(
        "", values.smtp_url, "A mail server, smtp://user:password@host:587; empty: no mail"
    )
    mail_from: str = setting(
        "", values.mail_sender, "The sender: blog@example.org, or `My blog <blog@example.org>`"
    )

    @property
    def https(self) -> bool:
        """Whether readers reach the site over https; cookies and HSTS follow it."""
        return self.site_url.startswith("https://")

    @property
    def database(self) -> str:
        """The SQLAlchemy address of the store."""
        return self.database_url or f"sqlite:///{(self.data_dir / 'blog.db').absolute()}"

    @property
    def screens(self) -> bool:
        """Whether there is a key to ask Akismet with."""
        return bool(self.akismet_key)

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
        """Read the environment over the `.env` file of the working folder; `overrides` win.

        Overrides are text as in the environment, or already of the setting's type.
        Raises SettingError for a value that cannot be used and for a name that is no setting.
        """
        texts = _environment(os.environ if environ is None else environ)
        known = {item.name: item for item in fields(cls)}
        for name in [*texts, *overrides]:
            if name not in known:
                raise SettingError(
                    f"{PREFIX}{name.upper()}: there is no such setting; the README lists them."
                )
        typed = {name: parse(known[name], text) for name, text in texts.items()}
        for name, value in overrides.items():
            typed[name] = parse(known[name], value) if isinstance(value, str) else value
        if Path("content").is_dir():  # an installed wheel brings samples, but one's own folder goes first
            typed.setdefault("content_dir", Path("content"))
        found = cls(**typed)
        if found.smtp_url and not found.mail_from:
            raise SettingError(
                f"{PREFIX}MAIL_FROM: is empty, but mail needs a sender; set it, like blog@example.org."
            )
        return found


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    found = {**_dotenv(Path(".env")), **environ}
    texts = {
        name.removeprefix(PREFIX).lower(): value for name, value in found.items() if name.startswith(PREFIX)
    }
    # The akismet client's own variable is what its documentation tells people to set.
    if not texts.get("akismet_key") and found.get("PYTHON_AKISMET_API_KEY"):
        texts["akismet_key"] = found["PYTHON_AKISMET_API_KEY"]
    return texts


def _dotenv(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(
            f".env cannot be read ({type(error).__name__}); make it a readable UTF-8 text file."
        ) from None
    found = {}
    for number, line in enumerate(lines, 1):
        line = line.strip().removeprefix("export ")
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals:
            raise SettingError(f".env line {number} is not NAME=value; add the equals sign or a # in front.")
        value = value.strip()
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        found[name.strip()] = value
    return found


def parse(item: Field[Any], value: str) -> Any:
    """The typed value of a setting's text; an empty text means the default. Raises SettingError."""
    value = value.strip()
    if not value and item.default is not MISSING:
        return item.default
    if any(ord(character) < 32 for character in value):
        raise SettingError(f"{PREFIX}{item.name.upper()} has a control character in it; type it again.")
    try:
        return item.metadata["parse"](value)
    except ValueError as error:
        # A key or a password must not reach a log, not even a wrong one.
        shown = "its value" if item.name in SECRET else repr(value[:80])
        raise SettingError(
            f"{PREFIX}{item.name.upper()}: {shown} {error}; default: {item.default or 'empty'}."
        ) from None


SECRET = frozenset({"secret_key", "akismet_key", "database_url", "redis_url", "smtp_url"})


def table() -> list[tuple[str, str, str]]:
    """Name, default and help of each setting, for the README and `--help`."""
    rows = []
    for item in fields(Settings):
        default = "" if item.default is None else str(item.default)
        default = "content" if item.name == "content_dir" else default
        rows.append((PREFIX + item.name.upper(), default, str(item.metadata["help"])))
    return rows


def settings() -> Settings:
    """The settings of the running application."""
    return cast(Settings, current_app.extensions["blog.settings"])
