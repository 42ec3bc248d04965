"""The first shape of the store."""

import sqlalchemy as sa
from alembic import op

from blog.db import UtcDateTime

revision = "0001"
down_revision = None

# The log is append-only because the store itself says so; the tally is right because nobody counts.
SQLITE = """
CREATE TRIGGER event_kept BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER event_stays BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER tally_in AFTER INSERT ON comment BEGIN
  INSERT INTO tally (name, comments) VALUES (NEW.audience || '-' || NEW.status, 1)
    ON CONFLICT (name) DO UPDATE SET comments = comments + 1;
END;
CREATE TRIGGER tally_moved AFTER UPDATE OF status, audience ON comment
  WHEN OLD.status <> NEW.status OR OLD.audience <> NEW.audience BEGIN
  UPDATE tally SET comments = comments - 1 WHERE name = OLD.audience || '-' || OLD.status;
  INSERT INTO tally (name, comments) VALUES (NEW.audience || '-' || NEW.status, 1)
    ON CONFLICT (name) DO UPDATE SET comments = comments + 1;
END;
CREATE TRIGGER tally_out AFTER DELETE ON comment BEGIN
  UPDATE tally SET comments = comments - 1 WHERE name = OLD.audience || '-' || OLD.status;
END;
"""
POSTGRESQL = """
CREATE FUNCTION event_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the log is append-only'; END $$;
CREATE TRIGGER event_kept BEFORE UPDATE OR DELETE ON event FOR EACH ROW EXECUTE FUNCTION event_kept();
CREATE TRIGGER event_stays BEFORE TRUNCATE ON event FOR EACH STATEMENT EXECUTE FUNCTION event_kept();
CREATE FUNCTION tally_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    UPDATE tally SET comments = comments - 1 WHERE name = OLD.audience || '-' || OLD.status;
  END IF;
  IF TG_OP <> 'DELETE' THEN
    INSERT INTO tally (name, comments) VALUES (NEW.audience || '-' || NEW.status, 1)
      ON CONFLICT (name) DO UPDATE SET comments = tally.comments + 1;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER tally_in_out AFTER INSERT OR DELETE ON comment FOR EACH ROW EXECUTE FUNCTION tally_moved();
CREATE TRIGGER tally_moved AFTER UPDATE OF status, audience ON comment FOR EACH ROW
  WHEN (OLD.status <> NEW.status OR OLD.audience <> NEW.audience) EXECUTE FUNCTION tally_moved();
"""


def upgrade() -> None:
    op.create_table(
        "comment",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("slug", sa.String(length=200), nullable=False),
        sa.Column("parent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("root_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("shown", sa.Boolean(), nullable=False),
        sa.Column("audience", sa.String(length=8), nullable=False),
        sa.Column("author", sa.String(length=100), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_folded", sa.String(length=254), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("reflection", sa.Text(), nullable=False),
        sa.Column("written_by", sa.String(length=100), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("status_at", UtcDateTime(), nullable=False),
        sa.Column("edited_at", UtcDateTime(), nullable=True),
        sa.Column("decided_by", sa.String(length=100), nullable=True),
        sa.Column("ip", sa.String(length=45), nullable=True),
        sa.Column("network", sa.String(length=49), nullable=True),
        sa.Column("user_agent", sa.Text(), nullable=True),
        sa.Column("referrer", sa.Text(), nullable=True),
        sa.Column("no_akismet", sa.Boolean(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("body_digest", sa.String(length=64), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("verdict", sa.String(length=8), nullable=True),
        sa.Column("belief", sa.String(length=4), nullable=True),
        sa.Column("guid", sa.String(length=64), nullable=True),
        sa.Column("checked_at", UtcDateTime(), nullable=True),
        sa.Column("check_error", sa.String(length=40), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_check_at", UtcDateTime(), nullable=True),
        sa.Column("recheck_reason", sa.String(length=16), nullable=True),
        sa.Column("claimed_until", UtcDateTime(), nullable=True),
        sa.Column("submitted", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("answer", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("appeal_words", sa.Text(), nullable=True),
        sa.Column("appealed_at", UtcDateTime(), nullable=True),
        sa.Column("purged_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["parent_id"], ["comment.id"], name=op.f("fk_comment_parent_id")),
        sa.ForeignKeyConstraint(["root_id"], ["comment.id"], name=op.f("fk_comment_root_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comment")),
        sa.UniqueConstraint("token", name=op.f("uq_comment_token")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_comment_all", "comment", ["audience", "created_at", "id"], unique=False)
    op.create_index("ix_comment_body_digest", "comment", ["body_digest"], unique=False)
    op.create_index("ix_comment_digest", "comment", ["digest"], unique=False)
    op.create_index(
        "ix_comment_disagreed",
        "comment",
        ["status_at"],
        unique=False,
        sqlite_where=sa.text("decided_by IS NOT NULL AND belief IS NOT NULL"),
        postgresql_where=sa.text("decided_by IS NOT NULL AND belief IS NOT NULL"),
    )
    op.create_index("ix_comment_email", "comment", ["email_folded", "status"], unique=False)
    op.create_index("ix_comment_latest", "comment", ["slug", "status", "created_at"], unique=False)
    op.create_index("ix_comment_network", "comment", ["network", "created_at"], unique=False)
    op.create_index(
        "ix_comment_next_check",
        "comment",
        ["next_check_at"],
        unique=False,
        sqlite_where=sa.text("next_check_at IS NOT NULL"),
        postgresql_where=sa.text("next_check_at IS NOT NULL"),
    )
    op.create_index("ix_comment_parent", "comment", ["parent_id"], unique=False)
    op.create_index("ix_comment_queue", "comment", ["audience", "status", "created_at", "id"], unique=False)
    op.create_index("ix_comment_replies", "comment", ["root_id", "shown", "created_at"], unique=False)
    op.create_index(
        "ix_comment_roots",
        "comment",
        ["slug", "created_at", "id"],
        unique=False,
        sqlite_where=sa.text("parent_id IS NULL AND shown"),
        postgresql_where=sa.text("parent_id IS NULL AND shown"),
    )
    op.create_index(
        "ix_comment_unpurged",
        "comment",
        ["status_at"],
        unique=False,
        sqlite_where=sa.text("purged_at IS NULL"),
        postgresql_where=sa.text("purged_at IS NULL"),
    )
    op.create_table(
        "discussion",
        sa.Column("slug", sa.String(length=200), nullable=False),
        sa.Column("approved", sa.Integer(), nullable=False),
        sa.Column("threads", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_discussion")),
    )
    op.create_index(op.f("ix_discussion_version"), "discussion", ["version"], unique=False)
    op.create_table(
        "event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("comment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("was", sa.String(length=16), nullable=True),
        sa.Column("now", sa.String(length=16), nullable=True),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_event_at"), "event", ["at"], unique=False)
    op.create_index(op.f("ix_event_comment_id"), "event", ["comment_id"], unique=False)
    op.create_table(
        "moderator",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("name_folded", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("mail", sa.String(length=254), nullable=False),
        sa.Column("mail_mode", sa.String(length=8), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("totp_secret", sa.String(length=64), nullable=True),
        sa.Column("totp_last_step", sa.BigInteger(), nullable=False),
        sa.Column("recovery", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_moderator")),
        sa.UniqueConstraint("name_folded", name=op.f("uq_moderator_name_folded")),
    )
    op.create_table(
        "rate_limit",
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.Float(precision=53), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_rate_limit")),
    )
    op.create_index(op.f("ix_rate_limit_expires_at"), "rate_limit", ["expires_at"], unique=False)
    op.create_table(
        "service",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("retry_at", UtcDateTime(), nullable=True),
        sa.Column("last_error", sa.String(length=40), nullable=False),
        sa.Column("failed_at", UtcDateTime(), nullable=True),
        sa.Column("worked_at", UtcDateTime(), nullable=True),
        sa.Column("alert_code", sa.Integer(), nullable=True),
        sa.Column("alert_message", sa.Text(), nullable=False),
        sa.Column("key_state", sa.String(length=8), nullable=False),
        sa.Column("key_digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service")),
    )
    op.create_table(
        "tally",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("comments", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_tally")),
    )
    op.create_table(
        "moderator_session",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("moderator_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("address_network", sa.String(length=49), nullable=False),
        sa.Column("user_agent", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["moderator_id"],
            ["moderator.id"],
            name=op.f("fk_moderator_session_moderator_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_moderator_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_moderator_session_token_hash")),
    )
    op.create_index(
        op.f("ix_moderator_session_expires_at"), "moderator_session", ["expires_at"], unique=False
    )
    op.create_index(
        op.f("ix_moderator_session_moderator_id"), "moderator_session", ["moderator_id"], unique=False
    )
    op.create_table(
        "version",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("comment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["comment.id"], name=op.f("fk_version_comment_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_version")),
    )
    op.create_index(op.f("ix_version_comment_id"), "version", ["comment_id"], unique=False)
    triggers()


def triggers() -> None:
    """Each statement alone: SQLite's driver runs one at a time."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(POSTGRESQL)
        return
    for statement in SQLITE.strip().split("\nCREATE"):
        op.execute(statement if statement.startswith("CREATE") else "CREATE" + statement)


def downgrade() -> None:
    for name in (
        "version",
        "moderator_session",
        "tally",
        "service",
        "rate_limit",
        "moderator",
        "event",
        "discussion",
        "comment",
    ):
        op.drop_table(name)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION event_kept; DROP FUNCTION tally_moved")
