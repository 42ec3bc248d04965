"""Somebody keeps copies of the blog, and one day needs one."""

from __future__ import annotations

import shutil
import sqlite3
import stat
import threading
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from blog import backups
from blog.config import Settings
from blog.db import db
from tests.conftest import Make, signed_in
from tests.people import Reader

TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY 1"


def rows(path: Path) -> dict[str, list[Any]]:
    """Every row of every table; full-text indexes by what is in them, not by how they lie on disk."""
    with sqlite3.connect(path) as store:
        names = [name for (name,) in store.execute(TABLES)]
        indexes = {
            name
            for (name,) in store.execute("SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL%'")
        }
        plain = [name for name in names if not any(name.startswith(f"{index}_") for index in indexes)]
        return {name: sorted(map(repr, store.execute(f'SELECT rowid, * FROM "{name}"'))) for name in plain}


def run(app: Flask, *words: str) -> tuple[int, str]:
    done = app.test_cli_runner().invoke(args=list(words))
    with app.app_context():
        db.session.remove()
    return done.exit_code, done.output


def test_a_copy_is_the_store_and_for_its_owner_only(app: Flask, reader: Reader, tmp_path: Path) -> None:
    reader.stored(body="Keep this.")
    status, said = run(app, "backup", str(tmp_path / "copy.db"))
    assert status == 0, said
    assert "1 comments" in said
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600
    assert rows(tmp_path / "copy.db") == rows(tmp_path / "data" / "blog.db")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["content", "copy.db", "data"]


def test_a_copy_never_overwrites(app: Flask, tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_text("precious")
    status, said = run(app, "backup", str(tmp_path / "copy.db"))
    assert status == 1
    assert "choose another name" in said
    assert (tmp_path / "copy.db").read_text() == "precious"


def test_a_copy_brings_back_exactly_what_was(make: Make, tmp_path: Path) -> None:
    app = make()
    reader, moderator = Reader(app), signed_in(app)
    reader.stored(body="One.")
    reader.stored(body="Two.")
    moderator.decide("spam", 1)
    moderator.decide("restore", 1)
    run(app, "backup", str(tmp_path / "copy.db"))
    before = rows(tmp_path / "copy.db")
    other = make(data_dir=tmp_path / "other")
    (tmp_path / "other" / "blog.db").unlink()
    status, said = run(other, "restore", str(tmp_path / "copy.db"))
    assert (status, said.split(" ")[0]) == (0, "2")
    assert rows(tmp_path / "other" / "blog.db") == before
    assert "Two." in Reader(other).get("/posts/open-letter/").words("#comments")


def test_a_store_without_comments_is_filled_while_it_is_open(
    make: Make, app: Flask, reader: Reader, tmp_path: Path
) -> None:
    reader.stored(body="Back again.")
    run(app, "backup", str(tmp_path / "copy.db"))
    other = make(data_dir=tmp_path / "other")
    visitor = Reader(other)
    assert "Back again." not in visitor.get("/posts/open-letter/").words("#comments")
    assert run(other, "restore", str(tmp_path / "copy.db"))[0] == 0
    assert "Back again." in visitor.get("/posts/open-letter/").words("#comments")


def test_a_store_with_comments_is_never_overwritten(app: Flask, reader: Reader, tmp_path: Path) -> None:
    run(app, "backup", str(tmp_path / "empty.db"))
    reader.stored(body="Still here.")
    before = rows(tmp_path / "data" / "blog.db")
    status, said = run(app, "restore", str(tmp_path / "empty.db"))
    assert status == 1
    assert "never overwritten" in said
    assert rows(tmp_path / "data" / "blog.db") == before


@pytest.mark.parametrize("fault", ["missing", "text", "empty", "cut", "flipped", "newer", "other"])
def test_a_copy_that_is_no_good_is_not_taken(app: Flask, reader: Reader, tmp_path: Path, fault: str) -> None:
    copy, target = tmp_path / "copy.db", tmp_path / "new" / "blog.db"
    target.parent.mkdir()
    reader.stored(body="words " * 1500)
    run(app, "backup", str(copy))
    if fault in ("missing", "text", "empty", "other"):
        copy.unlink()
    if fault == "text":
        copy.write_text("These are not the bytes of a database, whatever they are.")
    elif fault == "empty":
        copy.touch()
    elif fault == "other":
        sqlite3.connect(copy).execute("CREATE TABLE recipe (name)").connection.close()
    elif fault == "cut":
        copy.write_bytes(copy.read_bytes()[: copy.stat().st_size // 2])
    elif fault == "flipped":
        content = bytearray(copy.read_bytes())
        content[4096 * 3 : 4096 * 12] = bytes(4096 * 9)
        copy.write_bytes(content)
    elif fault == "newer":
        with sqlite3.connect(copy) as store:
            store.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(backups.NoBackup):
        backups.restore(copy, target)
    assert list(target.parent.iterdir()) == []


def test_a_copy_made_while_people_post_is_the_store_at_one_moment(make: Make, tmp_path: Path) -> None:
    app = make()
    live = tmp_path / "data" / "blog.db"
    over = threading.Event()
    posted = threading.Semaphore(0)

    def post() -> None:
        person = Reader(app)
        while not over.is_set():
            person.stored()
            posted.release()

    writers = [threading.Thread(target=post) for _ in range(2)]
    for writer in writers:
        writer.start()
    copies = []
    for number in range(5):
        assert posted.acquire(timeout=30)
        copies.append(tmp_path / f"{number}.db")
        backups.backup(live, copies[-1])
    over.set()
    for writer in writers:
        writer.join()
    final = rows(live)
    sizes = []
    for copy in copies:
        target = tmp_path / f"restored-{copy.name}"
        backups.restore(copy, target)
        found = rows(target)
        assert found == rows(copy)
        # Each comment is whole: with its history, its count, and as it is in the live store.
        count = len(found["comment"])
        sizes.append(count)
        assert set(found["comment"]) <= set(final["comment"])
        assert set(found["event"]) <= set(final["event"])
        with sqlite3.connect(target) as store:
            assert store.execute("SELECT coalesce(sum(approved), 0) FROM discussion").fetchone()[0] == count
            assert store.execute("SELECT count(DISTINCT comment_id) FROM event").fetchone()[0] == count
    assert sizes == sorted(sizes)
    assert sizes[-1] > 0


def test_a_copy_every_day_and_the_oldest_goes(app: Flask, tmp_path: Path) -> None:
    here = Settings.load({}, data_dir=tmp_path / "data", backup_keep=3)
    (tmp_path / "data" / "backups").mkdir()
    mine = tmp_path / "data" / "backups" / "blog-before-the-move.db"
    mine.write_text("mine")
    first = date(2026, 3, 1)
    for day in range(5):
        assert backups.daily(here, first + timedelta(days=day)) is not None
        assert backups.daily(here, first + timedelta(days=day)) is None
    assert sorted(path.name for path in mine.parent.iterdir()) == [
        "blog-2026-03-03.db",
        "blog-2026-03-04.db",
        "blog-2026-03-05.db",
        mine.name,
    ]


def test_the_timer_makes_it_and_a_full_disk_stops_nothing_else(make: Make, tmp_path: Path) -> None:
    app = make(backup_keep=2)
    (tmp_path / "data" / "backups").touch()  # a file where the folder should be
    assert "the daily backup failed" in run(app, "comments", "reconcile")[1]
    (tmp_path / "data" / "backups").unlink()
    assert "backed up to blog-2" in run(app, "comments", "reconcile")[1]
    assert "backed up" not in run(app, "comments", "reconcile")[1]


def test_without_the_setting_there_are_no_copies(app: Flask, tmp_path: Path) -> None:
    here = Settings.load({}, data_dir=tmp_path / "data")
    assert backups.daily(here, date(2026, 3, 1)) is None
    assert not (tmp_path / "data" / "backups").exists()


def test_on_postgresql_the_words_are_those_to_type(make: Make, tmp_path: Path) -> None:
    app = make(database_url="postgresql://127.0.0.1:1/blog")
    status, said = run(app, "backup", str(tmp_path / "copy"))
    assert status == 1
    assert "pg_dump" in said


def test_a_journal_without_its_store_is_not_mixed_with_a_copy(
    app: Flask, reader: Reader, tmp_path: Path
) -> None:
    reader.stored()
    run(app, "backup", str(tmp_path / "copy.db"))
    shutil.copy(tmp_path / "copy.db", tmp_path / "lost.db-wal")
    with pytest.raises(backups.NoBackup, match="move it away"):
        backups.restore(tmp_path / "copy.db", tmp_path / "lost.db")
