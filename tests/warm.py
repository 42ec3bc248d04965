"""What a process learns once and every blog of the tests may use: compiled addresses and statements.

A blog is made anew for nearly every test. Werkzeug compiles some seventy addresses for it, SQLAlchemy each
statement: together most of a test's time, and always the same work.
"""

from __future__ import annotations

from types import CodeType
from typing import Any, ClassVar

from flask import Flask
from jinja2 import FileSystemBytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import URL, Engine, event
from werkzeug.routing import Rule

from blog.db import db


class RememberedRule(Rule):
    """An address that takes over what the first application compiled of it; nothing of that ever changes."""

    _known: ClassVar[dict[tuple[object, ...], dict[str, Any]]] = {}

    def compile(self) -> None:
        """Learn to be matched and built."""
        kind = (self.rule, self.subdomain, self.host, repr(self.defaults))
        key = (*kind, self.strict_slashes, self.merge_slashes, *self.map.converters.values())
        if key not in self._known:
            before = vars(self).copy()
            super().compile()
            made = {name: value for name, value in vars(self).items() if value is not before.get(name)}
            self._known[key] = {**made, "arguments": self.arguments}
        vars(self).update(self._known[key])


class Compiled(FileSystemBytecodeCache):
    """Templates that were compiled before, by an earlier run or by another application of this one."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Take what belongs to this very source, if it is known."""
        name = bucket.key, bucket.checksum
        bucket.code = self._known.get(name)
        if bucket.code is None:
            super().load_bytecode(bucket)
        if bucket.code is not None:
            self._known[name] = bucket.code


class Engines:
    """Engines with the statements that they have compiled, lent to one application at a time."""

    def __init__(self) -> None:
        self._free: dict[str, list[Engine]] = {}
        self._leads_to: dict[Engine, URL] = {}

    def lend(self, app: Flask) -> None:
        """Give the application a known engine for its store, if one is free."""
        with app.app_context():
            made = db.engine
            kept = self._free.setdefault(made.dialect.name, [])
            engine = kept.pop() if kept else self._keep(made)
            self._leads_to[engine] = engine.url = made.url
            db.engines[None] = engine

    def take_back(self, app: Flask) -> None:
        """Close the application's connections; its engine is free again."""
        with app.app_context():
            db.session.remove()
            engine = db.engine
            engine.dispose()
        if engine in self._leads_to:
            self._free[engine.dialect.name].append(engine)

    def _keep(self, engine: Engine) -> Engine:
        of_its_own = engine.dialect.create_connect_args(engine.url)[1]

        @event.listens_for(engine, "do_connect")
        def lead(dialect: Any, record: Any, arguments: list[Any], options: dict[str, Any]) -> None:
            # Both are kept from one connection to the next.
            arguments[:], named = dialect.create_connect_args(self._leads_to[engine])
            for name in of_its_own.keys() - named.keys():
                options.pop(name, None)
            of_its_own.update(named)
            options.update(named)

        if engine.dialect.name == "sqlite":

            @event.listens_for(engine, "connect")
            def hurry(connection: Any, record: Any) -> None:
                # What is on disk when the power fails is no matter of tests that run in this process.
                connection.execute("PRAGMA synchronous=OFF")

        return engine
