"""How often somebody may do something: counted for all workers together, kept over a restart.

A limit is four values: what is done, by whom, how many times, in how many seconds from the first time on.
`hit` and `peek` count in Redis when it is set and there, else in the database. `wait` and `take` are for
what is stored: `take` runs in the transaction that stores it, so the limit is exact whoever comes at the same
moment, costs no commit of its own, and what is not stored does not count; posts, of which many are stored at
once, use the same counters (counters.py). What is refused is never counted, so it makes nobody wait longer.
Keys are keyed hashes: no address or name is stored.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import time
from collections.abc import Callable, Iterable
from typing import TypeVar, cast

from flask import Flask, current_app
from limits import RateLimitItemPerSecond
from limits.errors import ConfigurationError, StorageError
from limits.storage import RedisStorage, Storage
from limits.strategies import FixedWindowRateLimiter
from sqlalchemy import delete, func, select
from sqlalchemy.exc import SQLAlchemyError

from blog.config import SettingError, Settings
from blog.counters import COUNT, Counters, Limit, Sealed, row_of, until_then
from blog.db import db, write

log = logging.getLogger(__name__)

REDIS_TIMEOUT = 0.25  # seconds that an answer of Redis may take before the database is asked
REDIS_REST = 5.0  # seconds in which a Redis that failed is left alone

Counted = tuple[str, str, int, int]
T = TypeVar("T")


class SqlStorage(Storage):
    """The counters of the limits library in the blog's own database, each hit a transaction of its own."""

    STORAGE_SCHEME = None

    @property
    def base_exceptions(self) -> type[Exception]:
        """What a store that is away raises."""
        return SQLAlchemyError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count `amount` hits, in a new window of `expiry` seconds if none is open; the hits in it so far."""
        with write() as session:
            # Not by way of the session: in SQLAlchemy 2.0 it would leave out what is no column.
            counting = COUNT[db.engine.dialect.name].returning(Limit.count)
            return session.connection().execute(counting, row_of(key, expiry, amount)).scalar_one()

    def get(self, key: str) -> int:
        """The hits in the present window."""
        query = select(Limit.count).where(Limit.key == key, Limit.expires_at > time.time())
        return db.session.scalar(query) or 0

    def get_expiry(self, key: str) -> float:
        """When the present window ends, in seconds since 1970."""
        return db.session.scalar(select(Limit.expires_at).where(Limit.key == key)) or time.time()

    def check(self) -> bool:
        """Whether the counters can be read."""
        return db.session.scalar(select(func.count()).select_from(Limit)) is not None

    def reset(self) -> None:
        """Forget every counter."""
        with write() as session:
            session.execute(delete(Limit))

    def clear(self, key: str) -> None:
        """Forget one counter."""
        with write() as session:
            session.execute(delete(Limit).where(Limit.key == key))


class Limits:
    """The counters of one application: Redis while it answers, else the database."""

    def __init__(self, secret_key: str, redis_url: str, rest: float = REDIS_REST) -> None:
        self._secret = hashlib.sha256(b"limits\0" + secret_key.encode()).digest()
        self._sql = FixedWindowRateLimiter(SqlStorage())
        self._redis = FixedWindowRateLimiter(_redis(redis_url)) if redis_url else None
        self._rest = rest
        self._away = False
        self._retry_at = 0.0

    def seal(self, name: str, key: str) -> str:
        """What stands for `key` in the store; without the secret key it says nothing about it."""
        text = f"{name}\0{key}".encode("utf-8", "replace")
        return hmac.new(self._secret, text, hashlib.sha256).hexdigest()

    def ask(self, question: Callable[[FixedWindowRateLimiter], T]) -> T:
        """The answer of Redis, or of the database while Redis is away, which is logged once."""
        if self._redis is not None and time.monotonic() >= self._retry_at:
            try:
                answer = question(self._redis)
            except StorageError as error:
                self._retry_at = time.monotonic() + self._rest
                if not self._away:
                    # The class only: a client's words may hold the address and the password.
                    why = type(error.__cause__).__name__
                    log.warning("Redis is away (%s): limits are counted in the database", why)
                self._away = True
            else:
                if self._away:
                    log.info("Redis is back: limits are counted there again")
                self._away = False
                return answer
        return question(self._sql)


def _redis(url: str) -> RedisStorage:
    try:
        return RedisStorage(
            url,
            key_prefix="reciprocal",
            wrap_exceptions=True,
            socket_timeout=REDIS_TIMEOUT,
            socket_connect_timeout=REDIS_TIMEOUT,
        )
    except (ConfigurationError, ValueError):  # no client is installed, or this is no address
        raise SettingError(
            "BLOG_REDIS_URL cannot be used; write redis://HOST:6379/0 and install reciprocal[redis]."
        ) from None


def init(app: Flask) -> None:
    """Set the application's limits up. Raises SettingError for a Redis that cannot be used at all."""
    config = cast(Settings, app.extensions["blog.settings"])
    app.extensions["blog.limits"] = Limits(config.secret_key, config.redis_url)


def limits() -> Limits:
    """The limits of the running application."""
    return cast(Limits, current_app.extensions["blog.limits"])


def peek(name: str, key: str, times: int, seconds: int) -> int:
    """Seconds until `key` may do `name` again; 0 when it may now. Counts nothing."""
    item, sealed = _item((name, key, times, seconds))

    def question(limiter: FixedWindowRateLimiter) -> int:
        if limiter.test(item, sealed):
            return 0
        return until_then(limiter.get_window_stats(item, sealed).reset_time, seconds)

    return limits().ask(question)


def hit(name: str, key: str, times: int, seconds: int) -> int:
    """Count that `key` does `name`: 0 when it may, else the seconds to wait. Not inside `write()`."""
    if refused := peek(name, key, times, seconds):
        return refused
    item, sealed = _item((name, key, times, seconds))
    if limits().ask(lambda limiter: limiter.hit(item, sealed)):
        return 0
    return max(1, peek(name, key, times, seconds))


def forgive(name: str, key: str, times: int, seconds: int) -> None:
    """Forget the hits of `key`. Not inside `write()`."""
    item, sealed = _item((name, key, times, seconds))
    limits().ask(lambda limiter: limiter.clear(item, sealed))


def wait(counted: Iterable[Counted]) -> int:
    """Seconds until all of these may be taken; 0 when they may now. One read, for before the paid call.

    A limit in no seconds at all is switched off.
    """
    asked = seal_all(counted)
    return Counters(asked).wait(asked)


def take(counted: Iterable[Counted]) -> int:
    """Count each of these once, or none of them: 0 when counted, else the seconds to wait.

    Inside `write()`; what is rolled back was not counted.
    """
    asked = seal_all(counted)
    counters = Counters(asked)
    refused = counters.take(asked)
    counters.store()
    return refused


def purge() -> int:
    """Delete the counters that have run out; how many. Not inside `write()`."""
    ended = Limit.expires_at <= time.time()
    if db.session.scalar(select(Limit.key).where(ended).limit(1)) is None:
        return 0
    with write() as session:
        return len(session.scalars(delete(Limit).where(ended).returning(Limit.key)).all())


def _item(one: Counted) -> tuple[RateLimitItemPerSecond, str]:
    # The limit's own numbers are part of the key: a wait that was set by mistake ends when it is corrected.
    name, key, times, seconds = one
    return RateLimitItemPerSecond(times, seconds, namespace=name), limits().seal(name, key)


def seal_all(counted: Iterable[Counted]) -> list[Sealed]:
    """These limits as the store knows them."""
    return [Sealed(_key(one), one[2], one[3]) for one in counted]


def _key(one: Counted) -> str:
    item, sealed = _item(one)
    return item.key_for(sealed)
