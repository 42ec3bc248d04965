"""A comment, its states, its history and its place in a discussion.

Every change of state is a verb here. `MOVES` is the whole machine, and one private method assigns
`.status` and writes the Event in the same transaction. The verbs must be called inside `db.write()`.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from blog import arrivals
from blog.db import Base, UtcDateTime, db, utcnow
from blog.discussions import discussion, settle
from blog.history import Event, Id, Line, Version, histories, line

DECISIONS = {"approve": "approved", "spam": "spam", "reject": "rejected"}
DEEPEST = 5
UNDO = timedelta(minutes=10)
# With the columns of the index's condition too, so that SQLite need not look into the comments for them.
ROOTS = ("slug", "created_at", "id", "parent_id", "shown")
# Where feedback is owed, and what retention deletes when its time has come. SQLite takes the index of these
# only for a query that says the same in the same words.
DISAGREED = (
    "decided_by IS NOT NULL AND submitted IS NOT NULL"
    " AND (status = 'approved' AND belief = 'spam' OR status = 'spam' AND belief = 'ham')"
)
DELETABLE = "status IN ('spam', 'rejected') AND email_folded <> ''"
APPEALABLE = ("spam", "rejected")

# Who may move a comment from which status to which. Screening never moves what a person decided;
# Comment.screened holds that, because it is about the comment and not about the two statuses.
MOVES: dict[str, set[tuple[str, str]]] = {
    "screening": {("pending", "approved"), ("pending", "spam"), ("pending", "pending")},
    "moderator": {
        (was, now)
        for was in ("pending", "approved", "spam", "rejected")
        for now in ("pending", "approved", "spam", "rejected")
        if was != now
    },
    "author": {
        ("pending", "withdrawn"),
        ("approved", "withdrawn"),
        ("spam", "pending"),
        ("rejected", "pending"),
    },
}


class NotPossible(ValueError):
    """A verb that the comment's present state does not allow; the text says why, for people."""


def only(condition: str) -> dict[str, Any]:
    """An index over the rows of this condition only, on either store."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


class Comment(Base):
    """What somebody answered, where it stands, and what Akismet thinks of it (another column)."""

    __tablename__ = "comment"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    token: Mapped[str] = mapped_column(String(64), unique=True, default=lambda: secrets.token_urlsafe(24))
    slug: Mapped[str] = mapped_column(String(200))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("comment.id"))
    root_id: Mapped[int | None] = mapped_column(ForeignKey("comment.id"))
    depth: Mapped[int] = mapped_column(default=1)
    status: Mapped[str] = mapped_column(String(16), default="pending")
    # Approved, or a placeholder because something below it is.
    shown: Mapped[bool] = mapped_column(default=False)
    # "public", or "private": for the author of the blog only, never shown whatever its status.
    audience: Mapped[str] = mapped_column(String(8), default="public")

    author: Mapped[str] = mapped_column(String(100))
    email: Mapped[str] = mapped_column(String(254))
    email_folded: Mapped[str] = mapped_column(String(254))
    url: Mapped[str] = mapped_column(String(500), default="")
    body: Mapped[str] = mapped_column(Text)
    reflection: Mapped[str] = mapped_column(Text, default="")
    # The name of the moderator who wrote this at the desk; a reader cannot imitate a column.
    written_by: Mapped[str | None] = mapped_column(String(100))

    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    status_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    edited_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The moderator who decided last; null while only screening or the author did.
    decided_by: Mapped[str | None] = mapped_column(String(100))

    ip: Mapped[str | None] = mapped_column(String(45))
    network: Mapped[str | None] = mapped_column(String(49))
    user_agent: Mapped[str | None] = mapped_column(Text)
    referrer: Mapped[str | None] = mapped_column(Text)
    no_akismet: Mapped[bool] = mapped_column(default=False)
    # Who sent what: an HMAC over article, parent, name, e-mail and text, and one over the text alone.
    digest: Mapped[str] = mapped_column(String(64), default="")
    body_digest: Mapped[str] = mapped_column(String(64), default="")

    reasons: Mapped[list[str]] = mapped_column(JSON, default=list)
    # Which lines of the word lists it matched, and where; for the desk, never for its author.
    matched: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    # Akismet's last answer: ham, spam, discard; null: never answered.
    verdict: Mapped[str | None] = mapped_column(String(8))
    # What Akismet thinks now, ham or spam: its answer, or what a person taught it since.
    belief: Mapped[str | None] = mapped_column(String(4))
    guid: Mapped[str | None] = mapped_column(String(64))
    checked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    check_error: Mapped[str | None] = mapped_column(String(40))
    attempts: Mapped[int] = mapped_column(default=0)
    # When Akismet is to be asked (again); null: nothing is owed.
    next_check_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    recheck_reason: Mapped[str | None] = mapped_column(String(16))
    claimed_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    submitted: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    answer: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))

    appeal_words: Mapped[str | None] = mapped_column(Text)
    appealed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # When what is kept only for a while (address, browser, what was sent) was deleted.
    purged_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    parent: Mapped[Comment | None] = relationship(
        foreign_keys=[parent_id], remote_side="Comment.id", viewonly=True
    )

    __table_args__ = (
        Index("ix_comment_roots", *ROOTS, **only("parent_id IS NULL AND shown")),
        # Most reply to nothing; counted with those, these two would seem useless to SQLite's planner.
        Index("ix_comment_replies", "root_id", "shown", "created_at", **only("root_id IS NOT NULL")),
        Index("ix_comment_parent", "parent_id", "shown", **only("parent_id IS NOT NULL")),
        Index("ix_comment_queue", "audience", "status", "created_at", "id"),
        # Appeals first, then whoever has waited longest.
        Index(
            "ix_comment_waiting",
            "audience",
            text("(appealed_at IS NULL)"),
            "created_at",
            "id",
            **only("status = 'pending'"),
        ),
        Index("ix_comment_all", "audience", "created_at", "id"),
        Index("ix_comment_latest", "slug", "status", "created_at", "id"),
        Index("ix_comment_email", "email_folded", "status", "created_at", "id"),
        Index("ix_comment_network", "network", "status", "created_at", "id"),
        Index("ix_comment_checked", "checked_at"),
        Index("ix_comment_digest", "digest"),
        Index("ix_comment_body_digest", "body_digest"),
        Index("ix_comment_next_check", "next_check_at", **only("next_check_at IS NOT NULL")),
        Index("ix_comment_disagreed", "status_at", **only(DISAGREED)),
        Index("ix_comment_deletable", "status_at", **only(DELETABLE)),
        Index("ix_comment_unpurged", "status_at", **only("purged_at IS NULL")),
        {"sqlite_autoincrement": True},
    )

    def receive(self, parent: Comment | None, by: str = "author") -> None:
        """Begin and be stored at once, as pending; other verbs may follow."""
        self.begin(parent, by)
        self.store()
        arrivals.follow(self)

    def begin(self, parent: Comment | None, by: str = "author") -> None:
        """Take a place in the discussion and begin the history; the status is pending until screened.

        Whatever happens to it before `store` is stored with it.
        """
        arrivals.fill(self)
        self.status = "pending"
        if parent is not None:
            self.parent_id, self.root_id = parent.id, parent.root_id or parent.id
            self.depth = min(parent.depth + 1, DEEPEST)
        self.begun: list[Line] = []
        self._record(line(by, "received", None, self.status, at=self.created_at))

    def store(self) -> None:
        """Be stored for the first time, with the history since `begin`."""
        (self.id,) = arrivals.store(self)

    @property
    def _is_new(self) -> bool:
        ident: int | None = self.id  # the store gives it
        return ident is None

    def screened(self, status: str, reasons: Iterable[str], kind: str = "screened", **data: Any) -> None:
        """Enter what screening decided. A comment that a person decided keeps that decision."""
        if self.decided_by is not None or self.status != "pending":
            self._record(line("screening", kind, self.status, self.status, data=data))
            return
        self.reasons = list(reasons)
        if self.appealed_at is not None:
            status = "pending"  # a person was asked to look, and only a person answers
        self._move("screening", "screening", status, kind, data=data)

    def decide(self, decision: str, by: str, reason: str = "", note: str = "") -> bool:
        """A moderator's decision (approve, spam, reject). False when the status is that already."""
        now = DECISIONS[decision]
        if now == self.status:
            return False
        if now == "approved" and self.audience == "private":
            raise NotPossible("It was written for the author of this blog only, so it cannot be published.")
        before = {"decided_by": self.decided_by, "status_at": self.status_at.isoformat()}
        self._move("moderator", by, now, "decided", [reason] if reason else [], note, {"before": before})
        self.decided_by = by
        return True

    def publish(self, by: str, **data: Any) -> None:
        """An answer written at the desk: nobody has to decide about it."""
        self._move("moderator", by, "approved", "published", data=data)
        self.decided_by = by

    def restore(self, by: str, history: Iterable[Event] | None = None) -> bool:
        """Bring back the status before the last decision that still stands; False when there is none.

        Whoever restores many has read their `history` at once.
        """
        standing: list[Event] = []
        for entry in self.history() if history is None else history:
            if entry.kind == "decided":
                standing.append(entry)
            elif entry.kind == "restored" and standing:
                standing.pop()
        # After the author's own move (withdrawn, appealed) there is nothing left to bring back.
        if not standing or standing[-1].now != self.status:
            return False
        last = standing[-1]
        self._move("moderator", by, str(last.was), "restored", list(last.reasons))
        before = last.data["before"]
        self.decided_by, self.status_at = before["decided_by"], datetime.fromisoformat(before["status_at"])
        return True

    def withdraw(self, by: str = "author") -> None:
        """Taken back by its author: the text is blanked, replies and the place stay."""
        self._move("author", by, "withdrawn", "withdrawn")
        self.body, self.url = "", ""
        self.next_check_at = None
        if self.submitted:
            words = ("comment_content", "comment_author_url")
            self.submitted = {name: value for name, value in self.submitted.items() if name not in words}
        db.session.query(Version).filter_by(comment_id=self.id).delete()

    def appeal(self, words: str) -> None:
        """Ask a person to look again, once; the words stay with the comment, not in the log."""
        if self.appealed_at is not None:
            raise NotPossible("You have appealed already; a person's answer will stand here.")
        self._move("author", "author", "pending", "appealed")
        self.appeal_words, self.appealed_at = words, utcnow()
        # Screening must not overrule the person who now has to look.
        self.next_check_at = None

    def edit(self, body: str, by: str) -> None:
        """Replace the text; the earlier one is kept beside it."""
        db.session.add(Version(comment_id=self.id, at=utcnow(), by=by, body=self.body))
        self.body, self.edited_at = body, utcnow()
        self._record(line(by, "edited", self.status, self.status))
        if self.shown:
            discussion(self.slug).changed()

    def history(self) -> list[Event]:
        """Its events, oldest first."""
        return histories([self.id])[self.id]

    def _move(
        self,
        role: str,
        actor: str,
        now: str,
        kind: str,
        reasons: Iterable[str] | None = None,
        note: str = "",
        data: dict[str, Any] | None = None,
    ) -> None:
        was = self.status
        if (was, now) not in MOVES[role]:
            raise NotPossible(f"A comment that is {was} cannot become {now}.")
        self.status = now
        self.status_at = utcnow()
        reasons = self.reasons if reasons is None else reasons
        self._record(line(actor, kind, was, now, reasons, note, data))
        if "approved" in (was, now) and was != now and self.audience == "public":
            if self._is_new:
                self.shown = True  # counted when it is stored; what it replies to is shown already
            else:
                settle([self])

    def _record(self, said: Line) -> None:
        if self._is_new:
            self.begun.append(said)
        elif (lines := db.session.info.get("lines")) is not None:
            lines.append({"comment_id": self.id, **said})
        else:
            db.session.add(Event(comment_id=self.id, **said))
