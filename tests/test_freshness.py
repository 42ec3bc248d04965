"""After an answered decision, post or edit nobody gets the page as it was before."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from flask import Flask

from blog.db import db
from blog.freshness import FILE, TRUSTED, Freshness
from tests.conftest import Make, signed_in
from tests.people import Moderator, Person, Reader

ARTICLE = "/posts/open-letter/"
FEED = "/posts/open-letter/comments.xml"


@pytest.fixture
def waiting(make: Make) -> Flask:
    """A blog where everything waits for a person."""
    return make(moderation="all")


def test_the_next_reader_sees_a_decision_in_every_worker(waiting: Flask, make: Make) -> None:
    workers = [Person(waiting), Person(make(moderation="all"))]
    for worker in workers:
        assert "My answer" not in worker.get(ARTICLE).text
    Reader(waiting).stored(body="My answer.")
    moderator: Moderator = signed_in(waiting)
    for decision, shown in (("approve", True), ("spam", False), ("restore", True)):
        assert moderator.decide(decision, 1).status == 303
        for worker in workers:
            assert ("My answer" in worker.get(ARTICLE).text) is shown
            assert ("My answer" in worker.get(FEED).text) is shown
            assert ("1 answer" in worker.get("/").text) is shown


def test_the_next_reader_sees_an_answer_that_was_published_at_once(app: Flask, make: Make) -> None:
    workers = [Person(app), Person(make())]
    for number in range(3):
        for worker in workers:
            worker.get(ARTICLE)
        Reader(app).stored(body=f"Number {number}.")
        for worker in workers:
            assert f"Number {number}." in worker.get(ARTICLE).text


def test_the_next_reader_sees_that_an_answer_was_taken_back(app: Flask, reader: Reader) -> None:
    receipt = reader.stored(body="I take this back.")
    assert "I take this back." in reader.get(ARTICLE).text
    fields = reader.get(receipt).fields('form[action$="/withdrawal"]')
    assert reader.post(f"{receipt}/withdrawal", fields).status == 303
    assert "I take this back." not in reader.get(ARTICLE).text


def test_the_next_reader_sees_an_edited_article(app: Flask, content: Path) -> None:
    workers = [Person(app), Person(app)]
    for words in ("Other words.", "Words again, otherwise."):
        assert words not in workers[0].get(ARTICLE).text
        (content / "open-letter.md").write_text(
            f"---\ntitle: An open letter\ndate: 2026-01-02\n---\n\n{words}\n"
        )
        assert words in workers[1].get(ARTICLE).text


def test_a_removed_article_is_gone_at_once(app: Flask, content: Path) -> None:
    person = Person(app)
    assert person.get(ARTICLE).status == 200
    (content / "open-letter.md").unlink()
    assert person.get(ARTICLE).status in (404, 410)


def test_a_new_article_is_on_the_front_page_within_a_second(app: Flask, content: Path) -> None:
    person = Person(app)
    person.get("/")
    (content / "third.md").write_text("---\ntitle: The third\ndate: 2026-03-04\n---\n\nWords.\n")
    threading.Event().wait(TRUSTED + 0.05)
    assert "The third" in person.get("/").text


def test_an_author_sees_a_changed_template(make: Make, tmp_path: Path) -> None:
    folder = tmp_path / "templates"
    folder.mkdir()
    freshness: Freshness = make(templates_dir=folder).extensions["blog.freshness"]
    freshness.look()
    before = freshness.stamp("open-letter"), freshness.stamp(None)
    (folder / "base.html").write_text("other")
    threading.Event().wait(TRUSTED + 0.05)
    freshness.look()
    assert freshness.stamp("open-letter") != before[0]
    assert freshness.stamp(None) != before[1]


def test_an_author_sees_a_changed_template_while_moderators_are_busy(make: Make, tmp_path: Path) -> None:
    folder = tmp_path / "templates"
    folder.mkdir()
    freshness: Freshness = make(templates_dir=folder).extensions["blog.freshness"]
    freshness.look()
    before = freshness.stamp(None)
    (folder / "base.html").write_text("other")
    until = time.monotonic() + TRUSTED
    while time.monotonic() < until and freshness.stamp(None) == before:
        freshness.signal()
        freshness.look()
        threading.Event().wait(0.02)
    assert freshness.stamp(None) != before


def test_a_look_for_which_there_was_no_thread_is_made_by_the_next_reader(make: Make) -> None:
    blog = make()
    blog.extensions["blog.pagecache"]._freshness._looking = threading.Thread()  # which was never started
    Reader(blog).stored(body="Still seen.")
    assert "Still seen." in Person(blog).get(ARTICLE).text


def test_another_machine_sees_a_decision_within_a_second(app: Flask, make: Make, tmp_path: Path) -> None:
    elsewhere = Person(make(data_dir=tmp_path / "elsewhere", database_url=app_database(app)))
    elsewhere.get(ARTICLE)
    Reader(app).stored(body="From the other machine.")
    threading.Event().wait(TRUSTED + 0.05)
    assert "From the other machine." in elsewhere.get(ARTICLE).text


def test_workers_meet_again_after_the_data_folder_was_restored(
    app: Flask, make: Make, tmp_path: Path
) -> None:
    workers = [Person(app), Person(make())]
    path = tmp_path / "data" / FILE
    path.unlink()
    threading.Event().wait(TRUSTED + 0.05)
    for worker in workers:
        worker.get(ARTICLE)
    Reader(app).stored(body="After the restore.")
    for worker in workers:
        assert "After the restore." in worker.get(ARTICLE).text


def test_reading_goes_on_while_the_store_is_away(make: Make, tmp_path: Path) -> None:
    app = make()
    person = Person(app)
    page = person.get(ARTICLE).text
    with app.app_context():
        db.engine.dispose()
    app.extensions["blog.freshness"]._engine.dispose()
    store, aside = tmp_path / "data" / "blog.db", tmp_path / "aside.db"
    store.rename(aside)
    store.mkdir()  # nobody can open this as a database
    threading.Event().wait(TRUSTED + 0.05)
    assert person.get(ARTICLE).text == page
    assert person.get("/posts/second/").status == 503
    store.rmdir()
    aside.rename(store)
    assert person.get("/posts/second/").status == 200
    Reader(app).stored(body="Here again.")
    assert "Here again." in person.get(ARTICLE).text


def app_database(app: Flask) -> str:
    """The address of a blog's store."""
    address: str = app.extensions["blog.settings"].database
    return address
