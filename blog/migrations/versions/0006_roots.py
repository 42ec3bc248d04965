"""The index of threads holds all that a page asks of it, so that skipping to a page reads no comments."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

SHOWN = sa.text("parent_id IS NULL AND shown")


def upgrade() -> None:
    renew(["slug", "created_at", "id", "parent_id", "shown"])


def downgrade() -> None:
    renew(["slug", "created_at", "id"])


def renew(columns: list[str]) -> None:
    op.drop_index("ix_comment_roots", table_name="comment")
    op.create_index(
        "ix_comment_roots",
        "comment",
        columns,
        unique=False,
        sqlite_where=SHOWN,
        postgresql_where=SHOWN,
    )
