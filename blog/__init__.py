"""Reciprocal: a blog that asks its readers something back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Flask
from flask_wtf import CSRFProtect
from jinja2 import StrictUndefined

from blog import (
    accounts,
    answering,
    articlepage,
    assets,
    cli,
    db,
    erasure,
    errors,
    feeds,
    headers,
    health,
    limits,
    lists,
    logs,
    maildesk,
    measures,
    moderation,
    pages,
    receipts,
    report,
    subscriptions,
    theme,
)
from blog.articles import Library
from blog.config import Settings, bundled
from blog.folder import data_folder, kept_secret
from blog.freshness import Freshness
from blog.hosts import KnownHosts
from blog.pagecache import PageCache

__version__ = "1.0.0"

MOST_BYTES = 256 * 1024


def create_app(config: Settings | Mapping[str, Any] | None = None) -> Flask:
    """The application. `config`: Settings, or values by setting name over the environment's.

    Raises SettingError, in one line, for a configuration that cannot be used.
    """
    settings = config if isinstance(config, Settings) else Settings.load(**dict(config or {}))
    data_folder(settings.data_dir)
    if not settings.secret_key:
        settings = replace(settings, secret_key=kept_secret(settings.data_dir))
    app = Flask("blog", root_path=str(bundled("templates").parent), static_folder=None)
    configure(app, settings)
    logs.configure(app, settings, settings.log_format)

    db.init(app)
    limits.init(app)
    CSRFProtect(app)
    library = Library(settings.content_dir, language=settings.language)
    freshness = Freshness(library, settings)
    freshness.init(app)
    app.extensions.update({"blog.library": library, "blog.freshness": freshness})

    errors.init(app)
    headers.init(app)
    assets.init(app)
    theme.init(app)
    articlepage.init(app)
    readers = (
        feeds.bp,
        pages.bp,
        answering.bp,
        receipts.bp,
        erasure.bp,
        subscriptions.bp,
        report.bp,
        health.bp,
    )
    for blueprint in (*readers, accounts.bp, moderation.bp, lists.bp, measures.bp, maildesk.bp):
        app.register_blueprint(blueprint)
    cli.init(app)

    kept = app.extensions["blog.pagecache"] = PageCache(app.wsgi_app, freshness)
    app.wsgi_app = errors.Backstop(KnownHosts(kept, settings), settings)  # type: ignore[method-assign]
    return app


def configure(app: Flask, settings: Settings) -> None:
    """Flask's own settings, and what of it differs from its defaults."""
    app.extensions["blog.settings"] = settings
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=settings.database,
        # An error must not carry a comment's values into a log.
        SQLALCHEMY_ENGINE_OPTIONS={
            "hide_parameters": True,
            "pool_timeout": 10,
            # Opening a connection costs more than keeping it; the one used last is still warm.
            "pool_size": 15,
            "max_overflow": 0,
            "pool_use_lifo": True,
            # A server that was restarted costs nobody an error.
            "pool_pre_ping": not settings.database.startswith("sqlite"),
        },
        TEMPLATES_AUTO_RELOAD=True,  # a changed template is live like a changed article
        MAX_CONTENT_LENGTH=MOST_BYTES,
        MAX_FORM_MEMORY_SIZE=MOST_BYTES,
        # Only the desk and the sign-in page have a session, and it holds nothing but the forms' token.
        SESSION_COOKIE_NAME="__Host-desk" if settings.https else "desk",
        SESSION_COOKIE_SECURE=settings.https,
        SESSION_COOKIE_SAMESITE="Lax",
        # The desk's gate and the sign-in check their forms themselves; public pages have no session.
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,
    )
    # Werkzeug would put the request's Host into such redirects.
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.url_map.redirect_defaults = False
    app.jinja_options = {"undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
