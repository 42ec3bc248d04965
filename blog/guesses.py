"""How often somebody may guess a password: by address and by name, and only failures count.

A refused attempt is no failure, so every wait ends. Where somebody signed in lately the limit by name does
not apply: whoever keeps guessing an owner's password from elsewhere cannot keep the owner out.
"""

from __future__ import annotations

import threading

from blog import limits
from blog.db import db
from blog.people import Moderator, check_password
from blog.text import clean_line, fold

TRIES, WINDOW = 10, 15 * 60  # failures of an address or a name, in seconds
CODE_TRIES = 5  # codes that somebody who knew the password may try, in the same time
REMEMBERED = 90 * 24 * 3600  # seconds for which an address counts as one where a name signs in
BUSY = 5  # seconds to wait when too many are waiting already

# Each check takes 32 MB and a fifth of a second. More at once would only make all of them slower, and more
# waiting would keep the server's threads from its readers.
_checking = threading.BoundedSemaphore(2)
_waiting = threading.BoundedSemaphore(32)


def guess(name: str, password: str, network: str) -> Moderator | int | None:
    """The moderator, None for a wrong guess, or the seconds to wait before the next."""
    if wait := _wait(name, network):
        return wait
    db.session.rollback()  # no connection is held while others are checked
    if not _waiting.acquire(blocking=False):
        return BUSY
    try:
        with _checking:
            # Again: of a hundred guesses sent at once only the first ones may be looked at.
            if wait := _wait(name, network):
                return wait
            found = check_password(name, password)
            if found is None:
                limits.hit("sign-in-address", network, TRIES, WINDOW)
                limits.hit("sign-in-name", _folded(name), TRIES, WINDOW)
            return found
    finally:
        _waiting.release()


def remember(name: str, network: str) -> None:
    """Note that this name signed in from here."""
    limits.hit(*_here(name, network))


def count_code(moderator: Moderator) -> int:
    """Count a code before it is looked at, so that many at once gain nothing; the seconds to wait."""
    return limits.hit("sign-in-code", str(moderator.id), CODE_TRIES, WINDOW)


def forgive(moderator: Moderator) -> None:
    """Forget what was guessed about a person: the code was right, or the password was set anew."""
    limits.forgive("sign-in-code", str(moderator.id), CODE_TRIES, WINDOW)
    limits.forgive("sign-in-name", _folded(moderator.name), TRIES, WINDOW)


def _wait(name: str, network: str) -> int:
    if wait := limits.peek("sign-in-address", network, TRIES, WINDOW):
        return wait
    if limits.peek(*_here(name, network)):
        return 0
    return limits.peek("sign-in-name", _folded(name), TRIES, WINDOW)


def _here(name: str, network: str) -> tuple[str, str, int, int]:
    return "signed-in-from", f"{_folded(name)}\0{network}", 1, REMEMBERED


def _folded(name: str) -> str:
    return fold(clean_line(name))
