"""The blind sample of verdicts, and the figures of each day."""

import sqlalchemy as sa
from alembic import op

from blog.db import UtcDateTime

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "sample",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("comment_id", sa.BigInteger(), nullable=False),
        sa.Column("week", sa.String(length=8), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("lot", sa.String(length=64), nullable=False),
        sa.Column("checked_at", UtcDateTime(), nullable=False),
        sa.Column("author", sa.String(length=100), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("who", sa.String(length=64), nullable=True),
        sa.Column("slug", sa.String(length=200), nullable=False),
        sa.Column("judged_at", UtcDateTime(), nullable=True),
        sa.Column("judged_by", sa.String(length=100), nullable=True),
        sa.Column("judgement", sa.String(length=8), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sample")),
        sa.UniqueConstraint("comment_id", name=op.f("uq_sample_comment_id")),
    )
    op.create_index("ix_sample_week", "sample", ["week", "kind", "lot"], unique=False)
    op.create_index(
        "ix_sample_open",
        "sample",
        ["week", "lot"],
        unique=False,
        sqlite_where=sa.text("judgement IS NULL"),
        postgresql_where=sa.text("judgement IS NULL"),
    )
    op.create_table(
        "drawn",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drawn")),
    )
    op.create_index("ix_comment_checked", "comment", ["checked_at"], unique=False)
    op.create_table(
        "day",
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_day")),
    )


def downgrade() -> None:
    op.drop_table("day")
    op.drop_index("ix_comment_checked", table_name="comment")
    op.drop_table("drawn")
    op.drop_table("sample")
