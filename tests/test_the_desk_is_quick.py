"""However many comments there are, the desk asks the store as often, and finds its orders in indexes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, text

from blog.db import db, write
from tests.conftest import Make, signed_in
from tests.people import Page, Reader

Asked = list[tuple[str, Any]]


@pytest.fixture
def held(make: Make) -> Flask:
    """A blog where everything waits."""
    return make(moderation="all")


@contextmanager
def asked(app: Flask) -> Iterator[Asked]:
    """The statements that the store gets meanwhile, with their values."""
    seen: Asked = []
    with app.app_context():
        engine = db.engine

    def note(connection: object, cursor: object, statement: str, values: Any, *rest: object) -> None:
        seen.append((statement, values))

    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


def plan(app: Flask, statement: str, values: Any) -> str:
    """How the store would carry a statement out."""
    with app.app_context(), db.engine.connect() as connection:
        if db.engine.dialect.name == "sqlite":
            return " ".join(map(str, connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)))
        connection.exec_driver_sql("SET enable_seqscan = off")
        return " ".join(map(str, connection.exec_driver_sql(f"EXPLAIN {statement}", values)))


def numbers(page: Page) -> list[int]:
    return [int(item.get("data-comment")) for item in page.all("[data-comment]")]


def test_a_full_page_costs_as_many_statements_as_a_short_one(held: Flask) -> None:
    reader, moderator = Reader(held), signed_in(held)
    reader.stored()
    with asked(held) as few:
        assert moderator.desk().status == 200
    for _ in range(21):
        reader.stored()
    with asked(held) as many:
        assert moderator.desk().status == 200
    assert len(many) <= len(few) + 1


def test_many_decisions_cost_as_many_statements_as_two(held: Flask) -> None:
    reader, moderator = Reader(held), signed_in(held)
    reader.stored()
    moderator.decide("approve", 1)
    for number in range(24):
        reader.stored(slug=("open-letter", "second")[number % 2], parent="1" if number % 6 == 0 else "")
    steps = ("approve", "restore", "spam", "restore")
    two = [len(deciding(held, step, 2, 3)) for step in steps]
    many = [len(deciding(held, step, *range(4, 26))) for step in steps]
    assert all(more <= few <= 16 for more, few in zip(many, two, strict=True)), (many, two)


def deciding(app: Flask, decision: str, *ids: int) -> Asked:
    """What a decision about these asks of the store."""
    moderator = signed_in(app)
    form = moderator.desk(status="all").fields("#desk")
    with asked(app) as seen:
        done = moderator.post(
            "/moderation/decisions", {**form, "decision": decision, "comment": [str(one) for one in ids]}
        )
    assert done.status == 303
    assert f"{len(ids)} comments" in moderator.get(done.headers["Location"]).words("#said")
    return seen


ORDERS = [
    ({"status": "pending"}, "waiting"),
    ({"status": "spam"}, "queue"),
    ({"status": "all"}, "all"),
    *(
        ({"status": status, **narrowed}, index)
        for status in ("pending", "spam", "all")
        for narrowed, index in (
            ({"article": "open-letter"}, "latest"),
            ({"author": "a@example.org"}, "email"),
            ({"network": "203.0.113.7"}, "network"),
        )
    ),
]


def test_the_views_orders_come_from_indexes(either: Flask) -> None:
    moderator = signed_in(either)
    for view, index in ORDERS:
        with asked(either) as seen:
            moderator.desk(**view)
            moderator.desk(**view, after="1.1700000000000000.5")
        ordered = [one for one in seen if re.search(r"ORDER BY \(?comment", one[0]) and "LIMIT" in one[0]]
        assert len(ordered) in (2, 10)
        for statement, values in ordered:
            words = plan(either, statement, values)
            assert "TEMP B-TREE" not in words, words
            assert "Sort" not in words, words
            assert f"ix_comment_{index}" in words, words


def test_replies_are_found_by_their_index_even_where_nearly_nobody_replies(held: Flask) -> None:
    reader = Reader(held)
    for _ in range(30):
        reader.stored()
    with held.app_context(), write() as session:
        session.execute(text("ANALYZE"))
    (below,) = [one for one in deciding(held, "approve", 1, 2) if "EXISTS" in one[0]]
    assert "ix_comment_parent" in plan(held, *below)


def test_a_page_far_behind_is_the_one_that_it_would_be_from_the_front(held: Flask) -> None:
    reader, moderator = Reader(held), signed_in(held)
    for _ in range(61):
        reader.stored()
    found = [numbers(moderator.desk(page=page)) for page in (1, 2, 3, 4, 5)]
    assert found == [[*range(1, 21)], [*range(21, 41)], [*range(41, 61)], [61], []]
    found = [numbers(moderator.desk(page=page, status="all")) for page in (1, 2, 3, 4, 5)]
    assert found == [[*range(61, 41, -1)], [*range(41, 21, -1)], [*range(21, 1, -1)], [1], []]
    page = moderator.desk(page=4)
    assert not page.all("a[rel=next]")
    assert numbers(moderator.get(page.one("a[rel=prev]").get("href"))) == [*range(41, 61)]
