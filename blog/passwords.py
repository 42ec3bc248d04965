"""Passwords: what may be one, what is kept of it, and a check that takes the same time for everybody."""

from __future__ import annotations

import unicodedata

from flask import current_app
from werkzeug.security import check_password_hash, generate_password_hash

# 32 MB and about a fifth of a second for each guess. A test may put a cheaper PASSWORD_HASH into app.config.
SCRYPT = "scrypt:32768:8:3"
SHORTEST = 8  # characters, the least that NIST SP 800-63B allows
LONGEST = 1000


class Unfit(ValueError):
    """A name, password or change that cannot be; the text says why, for people."""


def hash_password(password: str) -> str:
    """What is kept of a new password: a salted scrypt hash. Raises Unfit."""
    password = unicodedata.normalize("NFKC", password)
    if not SHORTEST <= len(password) <= LONGEST:
        raise Unfit(f"A password has {SHORTEST} to {LONGEST} characters; a few words are good.")
    try:
        return generate_password_hash(password, _method())
    except UnicodeEncodeError:
        raise Unfit("The password is not readable text; use UTF-8.") from None


def is_right(password: str, hashed: str | None) -> bool:
    """Whether this is the hashed password. No hash (nobody has that name) costs the same, and is wrong."""
    decoy = f"{_method()}$nobody${'0' * 128}"  # it has the form of a hash, and no password has this one
    # The same form of the letters as when it was set, whatever keyboard typed them; never an exception.
    password = unicodedata.normalize("NFKC", password[: 4 * LONGEST]).encode("utf-8", "replace").decode()
    right = check_password_hash(hashed or decoy, password)
    return right and hashed is not None


def is_outdated(hashed: str) -> bool:
    """Whether a hash was made with other parameters than today's."""
    return not hashed.startswith(_method() + "$")


def _method() -> str:
    return str(current_app.config.get("PASSWORD_HASH", SCRYPT))
