"""What the tests of mail share: a blog that sends, its runs, and time that passes."""

from __future__ import annotations

import os
import re
from datetime import timedelta
from pathlib import Path

from flask import Flask
from sqlalchemy import update

from blog import briefing
from blog.db import Base, db, write
from blog.limits import Limit
from blog.people import find_moderator
from tests.smtp_standin import Got

# Written anew with WRITE_MAILS=1; look at the difference before you commit it.
GOLDEN = Path(__file__).parent / "mails"


def run(app: Flask, *options: str) -> str:
    """What is owed is done, as by the timer."""
    result = app.test_cli_runner().invoke(args=["comments", "reconcile", *options])
    assert result.exit_code == 0, result.output
    return result.output


def tell(app: Flask, name: str = "ana", mode: str = "each", address: str = "") -> str:
    """A moderator wants to hear; their address."""
    address = address or f"{name}@blog.example"
    with app.app_context():
        found = find_moderator(name)
        assert found is not None
        briefing.set_mail(found, address, mode, "system")
        db.session.remove()
    return address


TIMES = {
    "briefing": ("mailed_at", "claimed_until"),
    "follow": ("asked_at", "mailed_at", "confirmed_at", "claimed_until"),
    "comment": ("created_at", "status_at"),
}


def later(app: Flask, by: timedelta) -> None:
    """Time passes: everything that was, was that much earlier, and counters run out."""
    with app.app_context():
        with write() as session:
            for name, columns in TIMES.items():
                table = Base.metadata.tables[name]
                key = next(iter(table.primary_key.columns))
                for row in session.execute(table.select()).mappings().all():
                    moved = {column: row[column] - by for column in columns if row[column] is not None}
                    if moved:
                        session.execute(table.update().where(key == row[key.name]).values(moved))
            ended = {"expires_at": Limit.expires_at - by.total_seconds()}
            session.execute(update(Limit).values(ended))
        db.session.remove()


def as_agreed(mail: Got, name: str) -> None:
    """The letter is that of the golden file, but for what differs each time."""
    headers = mail.raw.partition("\n\n")[0]
    headers = re.sub(r"(?m)^(Date|Message-ID): .*$", r"\1: ...", headers)
    found = re.sub(r"(/mail/(?:confirm|unsubscribe)/)[^>\s]+", r"\1TOKEN", f"{headers}\n\n{mail.words}")
    if os.environ.get("WRITE_MAILS"):
        (GOLDEN / f"{name}.txt").write_text(found, "utf-8")
    assert found == (GOLDEN / f"{name}.txt").read_text("utf-8")
