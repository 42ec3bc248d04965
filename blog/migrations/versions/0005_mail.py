"""Who wants to hear of replies, which were told, and up to where moderators were told what waits."""

import sqlalchemy as sa
from alembic import op

from blog.db import UtcDateTime

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    ident = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "follow",
        sa.Column("comment_id", ident, nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("mailed_at", UtcDateTime(), nullable=True),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        sa.Column("claimed_until", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["comment.id"], name=op.f("fk_follow_comment_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("comment_id", name=op.f("pk_follow")),
    )
    op.create_table(
        "announcement",
        sa.Column("comment_id", ident, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["comment.id"], name=op.f("fk_announcement_comment_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("comment_id", name=op.f("pk_announcement")),
    )
    op.create_table(
        "briefing",
        sa.Column("moderator_id", ident, nullable=False),
        sa.Column("told_event", sa.BigInteger(), nullable=False),
        sa.Column("mailed_at", UtcDateTime(), nullable=True),
        sa.Column("claimed_until", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["moderator_id"], ["moderator.id"], name=op.f("fk_briefing_moderator_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("moderator_id", name=op.f("pk_briefing")),
    )


def downgrade() -> None:
    for name in ("briefing", "announcement", "follow"):
        op.drop_table(name)
