"""A moderator finds comments: by view, article, author, address and words, page by page."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import text

from blog.db import write
from tests.conftest import Make, signed_in
from tests.people import Moderator, Page, Person, Reader


@pytest.fixture
def held(make: Make) -> Flask:
    """A blog where everything waits."""
    return make(moderation="all")


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def searching(request: pytest.FixtureRequest, make_once: Make) -> Moderator:
    """Somebody at a desk where many words are looked for, and nothing is written."""
    if request.param == "sqlite":
        return signed_in(make_once())
    return signed_in(make_once(database_url=request.getfixturevalue("lasting_postgres")))


@pytest.fixture(scope="module")
def looking(make_once: Make, tmp_path_factory: pytest.TempPathFactory) -> Moderator:
    """Somebody at a desk with one comment that waits."""
    app = make_once(moderation="all", data_dir=tmp_path_factory.mktemp("looking"))
    Reader(app).stored()
    return signed_in(app)


def numbers(page: Page) -> list[int]:
    return [int(item.get("data-comment")) for item in page.all("[data-comment]")]


def test_an_appeal_comes_before_what_has_waited_longer(held: Flask) -> None:
    reader, moderator = Reader(held), signed_in(held)
    reader.stored()
    receipt = reader.stored()
    moderator.decide("spam", 2)
    fields = reader.get(receipt).fields('form[action$="/appeal"]')
    assert reader.post(f"{receipt}/appeal", {**fields, "words": "I am a person."}).status == 303
    assert numbers(moderator.desk()) == [2, 1]


def test_paging_neither_skips_nor_repeats_while_comments_come_and_go(held: Flask) -> None:
    reader, moderator = Reader(held), signed_in(held)
    for _ in range(45):
        reader.stored()
    first = moderator.desk()
    assert numbers(first) == [*range(1, 21)]
    moderator.decide("approve", *range(1, 11))
    reader.stored()
    second = moderator.get(first.one("a[rel=next]").get("href"))
    assert numbers(second) == [*range(21, 41)]
    third = moderator.get(second.one("a[rel=next]").get("href"))
    assert numbers(third) == [*range(41, 47)]
    assert not third.all("a[rel=next]")
    assert numbers(moderator.get(third.one("a[rel=prev]").get("href"))) == [*range(21, 41)]
    newest = moderator.desk(status="all")
    reader.stored()
    assert numbers(moderator.get(newest.one("a[rel=next]").get("href"))) == [*range(26, 6, -1)]


def test_a_page_can_be_asked_for_by_its_number(held: Flask) -> None:
    reader, moderator = Reader(held), signed_in(held)
    for _ in range(22):
        reader.stored()
    assert numbers(moderator.desk(page=2)) == [21, 22]
    assert numbers(moderator.desk(page=2, status="all")) == [2, 1]
    assert numbers(moderator.desk(page=2, status="all", article="open-letter")) == [2, 1]
    assert numbers(moderator.desk(page=9)) == []
    for wrong in ("0", "-1", "x", "٢", "99999999999999999999"):
        assert moderator.desk(page=wrong).status == 404


@pytest.mark.parametrize(
    "place", ["", "x", "1.2", "0.99999999999999999999.1", "1.999999999999999999.1", "1.1.1"]
)
def test_whatever_stands_in_the_address_is_answered(looking: Moderator, place: str) -> None:
    for name in ("after", "before"):
        assert looking.desk(**{name: place}).status == 200


def test_comments_are_listed_by_article_author_and_address(held: Flask) -> None:
    reader = Reader(held)
    elsewhere = Reader(held, REMOTE_ADDR="203.0.113.77")
    moderator = signed_in(held)
    reader.stored(email="Ada@Example.org")
    reader.stored(slug="second")
    elsewhere.stored(slug="second", email="ada@example.org")
    for status in ("pending", "all"):
        rising = status == "pending"
        assert numbers(moderator.desk(status=status, article="second")) == ([2, 3] if rising else [3, 2])
        assert numbers(moderator.desk(status=status, author="ADA@example.org")) == (
            [1, 3] if rising else [3, 1]
        )
        assert numbers(moderator.desk(status=status, network="203.0.113.77")) == [3]
        assert numbers(moderator.desk(status=status, article="second", author="ada@example.org")) == [3]
    link = moderator.desk().one('[data-comment="3"] a[href*="network="]').get("href")
    assert numbers(moderator.get(link)) == [3]


def test_words_are_found_wherever_they_stand(either: Flask) -> None:
    reader, moderator = Reader(either), signed_in(either)
    reader.stored(
        author="Zoë Müller", email="zoe@example.org", body="About trees, and O'Brien's `List<String>`."
    )
    reader.stored(
        author="李小龙", email="li@example.net", url="https://kung.example/fu", body="我喜欢安静的早晨。"
    )
    found = {
        "tree": [1],
        "TREES": [1],
        "müller zoë": [1],
        "zoe@example": [1],
        "zoe@example.org": [1],
        "example": [2, 1],
        "127.0.0.1": [2, 1],
        "o'brien": [1],
        "List<String>": [1],
        "kung.example": [2],
        "安静": [2],
        "李小龙 kung": [2],
        "trees kung": [],
        "rees": [],
        "100%": [],
        '"': [],
        "-trees": [1],
    }
    assert {words: numbers(moderator.desk(status="all", q=words)) for words in found} == found
    assert numbers(moderator.desk(status="approved", q="tree", article="open-letter")) == [1]
    assert numbers(moderator.desk(status="spam", q="tree")) == []


@pytest.mark.parametrize(
    "words",
    [
        "'",
        '"*',
        "NEAR(",
        "AND",
        "a OR b NOT",
        "body: x",
        "*",
        "^",
        "(",
        "\\",
        "\x00",
        "\ud800",
        "🙂",
        "' & !",
        ":*",
        *["a" * 5000, "x " * 3000, "%_!", "<->", "\u202e", "1e5 -7 0x1f", "{a b}: c", "+"],
    ],
)
def test_no_words_break_the_search(searching: Moderator, words: str) -> None:
    for status in ("pending", "all"):
        raw = words.encode("utf-8", "surrogatepass")
        assert searching.desk(status=status, q=raw).status in (200, 400)


def test_what_is_withdrawn_edited_or_erased_is_not_found_any_more(either: Flask) -> None:
    reader, moderator = Reader(either), signed_in(either)
    receipt = reader.stored(body="Something unforgettable.", email="ada@example.org")
    assert numbers(moderator.desk(status="all", q="unforgettable")) == [1]
    fields = reader.get(receipt).fields('form[action$="/withdrawal"]')
    reader.post(f"{receipt}/withdrawal", fields)
    assert numbers(moderator.desk(status="all", q="unforgettable")) == []
    assert numbers(moderator.desk(status="all", q="ada@example.org")) == [1]
    either.test_cli_runner().invoke(args=["privacy", "erase", "ada@example.org"])
    assert numbers(moderator.desk(status="all", q="ada@example.org")) == []
    assert numbers(moderator.desk(status="all", q="127.0.0.1")) == []


def test_the_index_is_what_the_comments_say(app: Flask) -> None:
    reader = Reader(app)
    for _ in range(3):
        reader.stored()
    with app.app_context(), write() as session:
        session.execute(text("UPDATE comment SET body = 'something else' WHERE id = 2"))
        session.execute(text("DELETE FROM comment WHERE id = 3"))
        # SQLite compares its index with the table, and raises when they differ.
        session.execute(text("INSERT INTO comment_text (comment_text, rank) VALUES ('integrity-check', 1)"))


def test_the_counts_are_those_of_the_views(held: Flask) -> None:
    reader, moderator = Reader(held), signed_in(held)
    for _ in range(3):
        reader.stored()
    moderator.decide("approve", 1)
    page = moderator.desk(status="spam")
    shown = {count.get("data-count"): count.text_content() for count in page.all("[data-count]")}
    assert shown == {
        "pending": "2",
        "approved": "1",
        "spam": "0",
        "rejected": "0",
        "withdrawn": "0",
        "all": "3",
    }


def test_nobody_else_sees_the_desk(held: Flask) -> None:
    for path in ("/moderation/rules", "/moderation/comments/1", "/moderation/?q=x"):
        assert Person(held).get(path).status == 303
    for path in ("deletion", "emptying", "recheck", "comments/1/edit", "comments/1/reply", "rules/reasons"):
        assert Person(held).post(f"/moderation/{path}", {}).status == 403
