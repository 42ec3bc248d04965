"""How the text of a setting becomes its value, where that takes more than a line. Each raises ValueError."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from email.headerregistry import Address
from email.utils import getaddresses
from urllib.parse import parse_qsl, unquote, urlsplit

PORTS = {"smtp": 25, "smtps": 465}
SUBMISSION = 587  # where a mail server takes mail from people who sign in


def is_loopback(host: str | None) -> bool:
    """Whether a host name can only mean this machine."""
    if host is None:
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def address(value: str) -> str:
    """An http(s) address without a slash at its end."""
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("is not an address like https://blog.example")
    parts.port  # noqa: B018  (raises ValueError for a port that is no number)
    return value.rstrip("/")


def endpoint(value: str) -> str:
    """An address that secrets may be sent to."""
    value = address(value)
    parts = urlsplit(value)
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("would send comments and the key unencrypted; use https")
    return value


def database(value: str) -> str:
    """A store that SQLAlchemy knows, with the driver that is installed here."""
    for short in ("postgres://", "postgresql://"):
        if value.startswith(short):
            return "postgresql+psycopg://" + value.removeprefix(short)
    if value and not value.startswith(("sqlite:", "postgresql+psycopg:", "cockroachdb")):
        raise ValueError("is neither a postgresql:// nor a sqlite:// address")
    return value


def language(value: str) -> str:
    """A language tag, by its shape."""
    if not value or len(value) > 35 or not all(part.isalnum() for part in value.split("-")):
        raise ValueError("is not a language tag like en or pt-BR")
    return value


@dataclass(frozen=True, slots=True)
class MailServer:
    """What SMTP_URL says; `timeout` in seconds, for each step of the conversation."""

    host: str
    port: int
    tls: bool = False
    user: str = ""
    password: str = ""
    timeout: float = 10.0


def mail_server(url: str) -> MailServer:
    """The server of smtp://user:password@host:587 or smtps://...; ?timeout=5 changes the patience."""
    parts = urlsplit(url)
    if parts.scheme not in PORTS or not parts.hostname or parts.path.strip("/") or parts.fragment:
        raise ValueError("is not an address like smtp://user:password@mail.example:587")
    try:
        port = parts.port
    except ValueError:
        raise ValueError("has a port that is not a number from 1 to 65535") from None
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if bool(user) != bool(password):
        raise ValueError("has a user without a password or the other way round; give both or none")
    usual = SUBMISSION if user and parts.scheme == "smtp" else PORTS[parts.scheme]
    return MailServer(
        parts.hostname, port or usual, parts.scheme == "smtps", user, password, _timeout(parts.query)
    )


def _timeout(query: str) -> float:
    found = dict(parse_qsl(query, keep_blank_values=True))
    try:
        seconds = float(found.pop("timeout", "10"))
    except ValueError:
        seconds = 0.0
    if found or not 0.1 <= seconds <= 60:
        raise ValueError("has something else than timeout=SECONDS, from 0.1 to 60, after its question mark")
    return seconds


def smtp_url(value: str) -> str:
    """A mail server's address, checked."""
    if value:
        mail_server(value)
    return value


def mail_sender(value: str) -> str:
    """One mail address, alone or as Name <address>."""
    if value:
        sender(value, "")
    return value


def sender(value: str, name: str) -> Address:
    """The sender of MAIL_FROM, with `name` when it gives none."""
    found = getaddresses([value])
    if len(found) != 1:
        raise ValueError("is not exactly one mail address")
    given, mail = found[0]
    return mailbox(mail, given or name)


def mailbox(mail: str, name: str = "") -> Address:
    """A mail address as headers take it: with nothing in it that could begin another header or recipient."""
    # It compiles its patterns when it is imported, and most starts have no address to look at.
    from email_validator import EmailNotValidError, validate_email

    try:
        found = validate_email(mail, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise ValueError("is not a mail address like blog@example.org") from None
    return Address(name, found.local_part, found.ascii_domain)
