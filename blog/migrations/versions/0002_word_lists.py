"""The owner's word lists, and which of their lines a comment matched."""

import sqlalchemy as sa
from alembic import op

from blog.db import UtcDateTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "word_list",
        sa.Column("name", sa.String(length=8), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("changed_by", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_word_list")),
    )
    op.add_column("comment", sa.Column("matched", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    op.drop_column("comment", "matched")
    op.drop_table("word_list")
