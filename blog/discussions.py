"""What is counted once and not at every request: each article's discussion, and the views of the desk."""

from __future__ import annotations

from sqlalchemy import BigInteger, String, select
from sqlalchemy.orm import Mapped, mapped_column

from blog.db import Base, db, publish, utcnow

STATUSES = ("pending", "approved", "spam", "rejected", "withdrawn")


class Discussion(Base):
    """What an article's page needs to know without counting; `version` grows with each public change."""

    __tablename__ = "discussion"

    slug: Mapped[str] = mapped_column(String(200), primary_key=True)
    approved: Mapped[int] = mapped_column(default=0)
    threads: Mapped[int] = mapped_column(default=0)
    # Microseconds of the last change: one number orders the changes of all articles.
    version: Mapped[int] = mapped_column(BigInteger, default=0, index=True)

    def changed(self) -> None:
        """Let every cached page of this article go."""
        moment = int(utcnow().timestamp() * 1_000_000)
        self.version = max((self.version or 0) + 1, moment)
        publish()


class Tally(Base):
    """How many comments a view of the desk holds; kept by triggers, so it is always right."""

    __tablename__ = "tally"

    # "public-pending", "private-approved" ...: audience and status.
    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    comments: Mapped[int] = mapped_column(BigInteger, default=0)


def discussion(slug: str) -> Discussion:
    """The article's row; made when it is the article's first. Inside `write()`."""
    found = db.session.get(Discussion, slug)
    if found is None:
        found = Discussion(slug=slug, approved=0, threads=0, version=0)
        db.session.add(found)
        db.session.flush()
    return found


def publish_site() -> None:
    """Let the cached pages of the whole site go; the row without a slug stands for all of it."""
    discussion("").changed()


def counts() -> dict[str, int]:
    """How many public comments there are of each status, and "private" and "all"."""
    rows = {row.name: row.comments for row in db.session.execute(select(Tally.name, Tally.comments))}
    found = {status: rows.get(f"public-{status}", 0) for status in STATUSES}
    found["all"] = sum(found.values())
    found["private"] = sum(number for name, number in rows.items() if name.startswith("private-"))
    return found
