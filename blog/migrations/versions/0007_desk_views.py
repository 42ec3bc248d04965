"""Views of the desk by address in the order of an index, and indexes of replies that hold replies only."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    renew("network", "network", "status", "created_at", "id")
    renew("parent", "parent_id", "shown", only="parent_id IS NOT NULL")
    renew("replies", "root_id", "shown", "created_at", only="root_id IS NOT NULL")


def downgrade() -> None:
    renew("network", "network", "created_at")
    renew("parent", "parent_id")
    renew("replies", "root_id", "shown", "created_at")


def renew(name: str, *columns: str, only: str = "") -> None:
    """Put an index of these columns in the place of the one of that name."""
    op.drop_index(f"ix_comment_{name}", table_name="comment")
    some = sa.text(only) if only else None
    op.create_index(f"ix_comment_{name}", "comment", [*columns], sqlite_where=some, postgresql_where=some)
