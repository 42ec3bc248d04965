"""What the desk needs to be quick with a million comments: its orders as indexes, and a full-text index."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

# An external content table keeps the words only once; the triggers keep it right whoever writes.
COLUMNS = "author, email, ip, url, body"
OLD, NEW = (", ".join(f"{row}.{name}" for name in COLUMNS.split(", ")) for row in ("OLD", "NEW"))
# ruff: noqa: S608 - only names that stand here become part of these statements
SQLITE = (
    f"CREATE VIRTUAL TABLE comment_text USING fts5({COLUMNS}, content='comment', content_rowid='id', "
    "tokenize='unicode61 remove_diacritics 2')",
    "INSERT INTO comment_text (comment_text) VALUES ('rebuild')",
    "CREATE TRIGGER comment_text_in AFTER INSERT ON comment BEGIN "
    f"INSERT INTO comment_text (rowid, {COLUMNS}) VALUES (NEW.id, {NEW}); END",
    "CREATE TRIGGER comment_text_out AFTER DELETE ON comment BEGIN "
    f"INSERT INTO comment_text (comment_text, rowid, {COLUMNS}) VALUES ('delete', OLD.id, {OLD}); END",
    f"CREATE TRIGGER comment_text_moved AFTER UPDATE OF {COLUMNS} ON comment BEGIN "
    f"INSERT INTO comment_text (comment_text, rowid, {COLUMNS}) VALUES ('delete', OLD.id, {OLD}); "
    f"INSERT INTO comment_text (rowid, {COLUMNS}) VALUES (NEW.id, {NEW}); END",
)
# The parser would keep an e-mail or a web address in one piece; search.py cuts at the same characters.
MARKS = "!\"#$%&''()*+,-./:;<=>?@[\\]^_`{|}~"
JOINED = " || ' ' || ".join(f"coalesce({name}, '')" for name in COLUMNS.split(", "))
POSTGRESQL = (
    "ALTER TABLE comment ADD COLUMN words tsvector GENERATED ALWAYS AS "
    f"(to_tsvector('simple'::regconfig, translate({JOINED}, '{MARKS}', '{' ' * 32}'))) STORED",
    "CREATE INDEX ix_comment_words ON comment USING gin (words)",
)


def upgrade() -> None:
    # Appeals first, then whoever has waited longest.
    op.execute(
        "CREATE INDEX ix_comment_waiting ON comment (audience, (appealed_at IS NULL), created_at, id) "
        "WHERE status = 'pending'"
    )
    op.drop_index("ix_comment_email", "comment")
    op.create_index("ix_comment_email", "comment", ["email_folded", "status", "created_at", "id"])
    op.drop_index("ix_comment_latest", "comment")
    op.create_index("ix_comment_latest", "comment", ["slug", "status", "created_at", "id"])
    op.create_index("ix_event_actor", "event", ["actor", "id"])
    op.create_index("ix_event_kind", "event", ["kind", "id"])
    op.create_table(
        "rejection",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("moderator", sa.String(length=100), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("offered", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_rejection")),
    )
    for statement in POSTGRESQL if op.get_bind().dialect.name == "postgresql" else SQLITE:
        op.execute(sa.text(statement.replace(":", r"\:")))


def downgrade() -> None:
    op.drop_table("rejection")
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index("ix_comment_words", "comment")
        op.drop_column("comment", "words")
    else:
        for name in ("in", "out", "moved"):
            op.execute(f"DROP TRIGGER comment_text_{name}")
        op.execute("DROP TABLE comment_text")
    op.drop_index("ix_event_kind", "event")
    op.drop_index("ix_event_actor", "event")
    op.drop_index("ix_comment_latest", "comment")
    op.create_index("ix_comment_latest", "comment", ["slug", "status", "created_at"])
    op.drop_index("ix_comment_email", "comment")
    op.create_index("ix_comment_email", "comment", ["email_folded", "status"])
    op.drop_index("ix_comment_waiting", "comment")
