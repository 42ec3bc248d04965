"""The public form's token: signed, timed, bound to an article, and the same for every reader.

An article's page is shared by all readers, so nothing in it may belong to one of them. The time in the
token is the full hour, so that every worker draws the same bytes and the page keeps its ETag.
"""

from __future__ import annotations

import hashlib
import hmac
import time

from itsdangerous import BadSignature, TimestampSigner

from blog.config import settings

HOUR = 3600
# A page drawn at the end of an hour carries a token that is an hour old already.
LIFETIME = 25 * HOUR


def this_hour() -> int:
    """When this hour began, in seconds since 1970: until it ends every blank form is the same."""
    return int(time.time()) // HOUR * HOUR


class _Hourly(TimestampSigner):
    def get_timestamp(self) -> int:
        return this_hour()


class _Exact(TimestampSigner):
    pass


def make_token(slug: str) -> str:
    """The token of this hour for the forms of this article."""
    signed = _Hourly(settings().secret_key, salt="comment-form").sign(slug.encode()).decode()
    return signed[len(slug) + 1 :]


def check_token(slug: str, token: str) -> bool:
    """Whether the token was made here, for this article, within the last day."""
    if len(token) > 200:
        return False
    try:
        _Exact(settings().secret_key, salt="comment-form").unsign(
            f"{slug}.{token}".encode("utf-8", "replace"), max_age=LIFETIME
        )
    except BadSignature:
        return False
    return True


def digest(*parts: str) -> str:
    """A keyed hash for finding equal things; without the key it says nothing about them."""
    text = "\x1f".join(parts).encode("utf-8", "replace")
    return hmac.new(settings().secret_key.encode(), text, hashlib.sha256).hexdigest()
