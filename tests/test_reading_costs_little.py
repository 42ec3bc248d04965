"""What it costs to draw an article's page: queries, index entries, threads. The page, and not the article."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Connection, Engine, event

from blog.db import db, write
from blog.discussions import discussion
from blog.freshness import TRUSTED
from blog.models import Comment
from tests.conftest import Make
from tests.people import Page, Reader

SLUG = "open-letter"
ARTICLE = f"/posts/{SLUG}/"
# Two drawings of one thread differ, so whatever is the same came from memory.
THREAD = """{% macro thread(node) %}<article class="comment" id="comment-{{ node.comment.id }}">
{{ range(1000000000)|random }} {{ node.html }}{% for child in node.children %}{{ thread(child) }}{% endfor %}
</article>{% endmacro %}
"""


def engine_of(app: Flask) -> Engine:
    with app.app_context():
        return db.engine


@contextmanager
def queries(app: Flask) -> Iterator[list[tuple[str, object]]]:
    """What is asked of the store meanwhile, without the words around a transaction."""
    asked: list[tuple[str, object]] = []

    def note(connection: object, cursor: object, statement: str, parameters: object, *rest: object) -> None:
        if not statement.startswith("BEGIN"):
            asked.append((statement, parameters))

    event.listen(engine_of(app), "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine_of(app), "before_cursor_execute", note)


def said(body: str, parent: int | None = None) -> int:
    """Store an approved comment; its id."""
    with write() as session:
        comment = Comment(
            slug=SLUG, author="Jo", email="jo@example.org", email_folded="jo@example.org", body=body
        )
        comment.receive(None if parent is None else session.get_one(Comment, parent))
        comment.decide("approve", "ana")
    return comment.id


def changed(app: Flask) -> None:
    """Let every kept page of the article go, as a decision does."""
    with app.app_context():
        with write():
            discussion(SLUG).changed()
        db.session.remove()


def plan(connection: Connection, statement: str, parameters: object) -> str:
    """How the store would answer."""
    if connection.dialect.name == "sqlite":
        return "\n".join(
            str(row[3]) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        )
    connection.exec_driver_sql("SET enable_seqscan = off")
    return "\n".join(str(row[0]) for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters))


@pytest.mark.parametrize("threads", [1, 12])
def test_a_page_takes_two_queries_however_long_the_discussion_is(either: Flask, threads: int) -> None:
    reader = Reader(either)
    with either.app_context():
        for number in range(threads):
            root = said(f"Thread {number}.")
            said(f"Reply {number}.", root)
    reader.get(ARTICLE)  # how long people wait is measured once an hour
    changed(either)
    with queries(either) as asked:
        page = reader.get(ARTICLE)
    assert len(page.all("#comments .comment")) == 2 * threads
    assert len(asked) == 2, asked


def test_skipping_to_a_page_reads_an_index_and_no_comments(either: Flask) -> None:
    reader = Reader(either)
    with either.app_context():
        for number in range(60):
            said(f"Thread {number}.")
    reader.get(ARTICLE)
    with queries(either) as asked:
        assert len(reader.get(f"{ARTICLE}?page=2").all("#comments .comment")) == 10
    with engine_of(either).connect() as connection:
        words = "\n".join(plan(connection, *one) for one in asked)
    assert "ix_comment_roots" in words, words
    if either.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite"):
        assert "SEARCH comment USING COVERING INDEX ix_comment_roots" in words, words
        assert "SCAN comment" not in words, words
    else:
        assert "Seq Scan on comment" not in words, words


@pytest.fixture
def noisy(make: Make, tmp_path: Path) -> Flask:
    """A blog whose threads look different each time they are drawn."""
    own = tmp_path / "own" / "pages"
    own.mkdir(parents=True)
    (own / "_comment.html").write_text(THREAD)
    return make(templates_dir=own.parent)


def drawn(page: Page) -> dict[str, str]:
    """Each thread's text by its id."""
    return {one.get("id"): one.text_content() for one in page.all("#comments > .comment")}


def test_what_did_not_change_is_not_drawn_again(noisy: Flask) -> None:
    reader = Reader(noisy)
    with noisy.app_context():
        ids = [said(f"Thread {number}.") for number in range(3)]
    before = drawn(reader.get(ARTICLE))
    with noisy.app_context():
        said("A reply.", ids[1])
    after = drawn(reader.get(ARTICLE))
    assert after[f"comment-{ids[0]}"] == before[f"comment-{ids[0]}"]
    assert after[f"comment-{ids[2]}"] == before[f"comment-{ids[2]}"]
    assert "A reply." in after[f"comment-{ids[1]}"]


def test_nothing_withdrawn_or_removed_comes_back_from_memory(noisy: Flask) -> None:
    reader = Reader(noisy)
    with noisy.app_context():
        root, other = said("First words."), said("Other words.")
        reply = said("A reply.", root)
    reader.get(ARTICLE)
    with noisy.app_context(), write() as session:
        session.get_one(Comment, root).withdraw()
        session.get_one(Comment, other).decide("spam", "ana")
    text = reader.get(ARTICLE).words("#comments")
    assert "First words." not in text
    assert "Other words." not in text
    assert "A reply." in text
    with noisy.app_context(), write() as session:
        session.get_one(Comment, reply).edit("Better words.", "ana")
    assert "Better words." in reader.get(ARTICLE).words("#comments")


def test_a_changed_template_draws_all_threads_again(noisy: Flask, tmp_path: Path) -> None:
    reader = Reader(noisy)
    with noisy.app_context():
        said("A thread.")
    reader.get(ARTICLE)
    path = tmp_path / "own" / "pages" / "_comment.html"
    path.write_text(path.read_text().replace("{{ node.html }}", "Newly said: {{ node.html }}"))
    threading.Event().wait(TRUSTED + 0.05)
    assert "Newly said:" in reader.get(ARTICLE).words("#comments")


# Whatever is drawn of the form twice differs.
FORM = """{% macro summary(form, notice, labels) %}
<p id="drawing">{{ range(1000000000)|random }}</p>{{ form.body.data or "" }}{% endmacro %}
{{ summary(form, notice, {}) }}
<form id="comment-form"><input name="token" value="{{ form.token.data }}"></form>
"""


def test_the_blank_form_is_drawn_once_and_a_typed_one_belongs_to_nobody_else(
    make: Make, tmp_path: Path
) -> None:
    own = tmp_path / "own" / "pages"
    own.mkdir(parents=True)
    (own / "_form.html").write_text(FORM)
    app = make(templates_dir=own.parent)
    reader = Reader(app)
    blank = reader.get(ARTICLE).words("#drawing")
    changed(app)
    refused = reader.post(f"{ARTICLE}comments", {"author": "Jo", "email": "jo", "body": "My own words."})
    assert "My own words." in refused.text
    seen = reader.post(f"{ARTICLE}comments", {"author": "Jo", "body": "Looked at.", "preview": "1"})
    assert "Looked at." in seen.text
    page = reader.get(ARTICLE)
    assert page.words("#drawing") == blank
    assert "My own words." not in page.text
    assert "Looked at." not in page.text
