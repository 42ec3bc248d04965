"""How Alembic reaches the store. Called by `flask db` and at the start of `serve`."""

from alembic import context
from flask import current_app

from blog import akismet_state, briefing, figures, following, rejections, sampling, wordlists
from blog.counters import Limit
from blog.db import Base, db
from blog.models import Comment
from blog.people import Moderator

# Importing them puts their tables into the metadata.
TABLES = (
    akismet_state.AkismetState,
    rejections.Rejection,
    wordlists.WordList,
    sampling.Sample,
    figures.Day,
    following.Follow,
    briefing.Briefing,
    Limit,
    Moderator,
    Comment,
)
LOCK = 7264318


def run() -> None:
    """Migrate in one transaction, so that a failed step leaves the store as it was."""
    engine = current_app.extensions["migrate"].db.engine
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection = connection.execution_options(writes=True)
        context.configure(
            connection=connection, target_metadata=Base.metadata, render_as_batch=False, compare_type=True
        )
        with context.begin_transaction():
            if engine.dialect.name == "postgresql":
                # Many machines may start at once; the others wait here and then find nothing to do.
                connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
            context.run_migrations()


if context.is_offline_mode():
    context.configure(url=db.engine.url, target_metadata=Base.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    run()
