"""What a process learns once and every blog of the tests may use: compiled addresses and statements.

A blog is made anew for nearly every test. Werkzeug compiles some seventy addresses for it, SQLAlchemy each
statement: together most of a test's time, and always the same work.
"""

from __future__ import annotations

from typing import Any, ClassVar

from flask import Flask
from sqlalchemy import URL, Engine, event
from werkzeug.routing import Rule

from blog.db import db


class RememberedRule(Rule):
    """An address whose builder was compiled by the first application that had it."""

    _builders: ClassVar[dict[tuple[object, ...], Any]] = {}

    def _compile_builder(self, append_unknown: bool = True) -> Any:
        key = (self.rule, self.subdomain, self.host, repr(self.defaults), append_unknown)
        if key not in self._builders:
            self._builders[key] = super()._compile_builder(append_unknown)
        return self._builders[key]


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

        return engine
