"""The second factor: one-time codes from an authenticator app (RFC 6238), and recovery codes for a lost one.

A code is six digits for 30 seconds, SHA-1, which is what every app takes. Each code is good once.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from urllib.parse import quote, urlencode

from blog.db import write
from blog.history import Event
from blog.passwords import Unfit
from blog.people import Moderator, locked

STEP = 30  # seconds
DRIFT = 1  # steps that a clock may be off, either way
RECOVERY_CODES = 10


def new_secret() -> str:
    """A secret to show to an authenticator app, 160 bits in base32."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def enrolment_uri(secret: str, name: str, site: str) -> str:
    """What the QR code of an enrolment says."""
    values = urlencode({"secret": secret, "issuer": site}, quote_via=quote)
    return f"otpauth://totp/{quote(f'{site}:{name}', safe='')}?{values}"


def code_at(secret: str, step: int) -> str:
    """The six digits of a step (RFC 4226, 5.3)."""
    digest = hmac.digest(base64.b32decode(secret), step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


def step_of(secret: str, code: str, after: int) -> int | None:
    """The step that a code belongs to, if it is about now and later than the step `after`."""
    now = int(time.time()) // STEP
    typed = code.encode("utf-8", "replace")
    steps = range(max(now - DRIFT, after + 1), now + DRIFT + 1)
    return next((step for step in steps if hmac.compare_digest(code_at(secret, step).encode(), typed)), None)


def enrol(moderator: Moderator, secret: str, code: str) -> list[str]:
    """Ask for codes of this secret from now on; the recovery codes, to be shown once.

    `code` proves that the app has the secret. Raises Unfit for a wrong one.
    """
    step = step_of(secret, _plain(code), 0)
    if step is None:
        raise Unfit("That code is not right. Look at the clock of the device, then type the next code.")
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"  # without those that look alike
    codes = ["".join(secrets.choice(alphabet) for _ in range(12)) for _ in range(RECOVERY_CODES)]
    with write() as session:
        moderator = locked(moderator)
        session.add(Event(actor=moderator.name, kind="factor-added"))
        moderator.totp_secret, moderator.totp_last_step = secret, step
        moderator.recovery = [_sealed(code) for code in codes]
    return [f"{code[:4]}-{code[4:8]}-{code[8:]}" for code in codes]


def reset(moderator: Moderator, by: str = "system") -> None:
    """Ask for no code any more: the factor is lost or not wanted."""
    with write() as session:
        moderator = locked(moderator)
        moderator.totp_secret, moderator.totp_last_step, moderator.recovery = None, 0, []
        session.add(Event(actor=by, kind="factor-removed", note=moderator.name))


def is_right(moderator: Moderator, code: str) -> bool:
    """Whether this is a code of now that was not used yet, or a recovery code; it is used up by asking."""
    code = _plain(code[:100])
    with write():
        found = locked(moderator)
        if found.totp_secret is None:
            return False
        step = step_of(found.totp_secret, code, found.totp_last_step)
        if step is not None:
            found.totp_last_step = step
        elif (sealed := _sealed(code)) in found.recovery:
            found.recovery = [other for other in found.recovery if other != sealed]
        else:
            return False
        return True


def _plain(code: str) -> str:
    return "".join(code.split()).replace("-", "").lower()


def _sealed(code: str) -> str:
    # 59 random bits need no slow hash.
    return hashlib.sha256(code.encode("utf-8", "replace")).hexdigest()
