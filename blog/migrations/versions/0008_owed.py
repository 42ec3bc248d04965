"""Indexes for what is looked for every minute: feedback that is owed, and spam whose time is over."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

DISAGREED = (
    "decided_by IS NOT NULL AND submitted IS NOT NULL"
    " AND (status = 'approved' AND belief = 'spam' OR status = 'spam' AND belief = 'ham')"
)


def upgrade() -> None:
    op.drop_index("ix_comment_disagreed", table_name="comment")
    make("ix_comment_disagreed", DISAGREED)
    make("ix_comment_deletable", "status IN ('spam', 'rejected') AND email_folded <> ''")


def downgrade() -> None:
    op.drop_index("ix_comment_deletable", table_name="comment")
    op.drop_index("ix_comment_disagreed", table_name="comment")
    make("ix_comment_disagreed", "decided_by IS NOT NULL AND belief IS NOT NULL")


def make(name: str, condition: str) -> None:
    """An index of these comments only, by the time of their status."""
    only = sa.text(condition)
    op.create_index(name, "comment", ["status_at"], sqlite_where=only, postgresql_where=only)
