"""A moderator writes word lists: what they match, what they would have done, what they do."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from blog.db import db, write
from blog.history import Event
from blog.matching import MOST_LINES, Unreadable, read
from blog.models import Comment
from blog.wordlists import WordList
from tests.akismet_standin import AkismetStandIn
from tests.conftest import Make, signed_in
from tests.people import Moderator, Page, Reader


def found(entry: str, text: str, address: str = "") -> bool:
    return bool(read(entry).find({"text": text}, address))


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ("casino", "The CASINO is open."),
        ("casino", "casino"),
        ("casíno", "A cāsino!"),
        ("Straße", "STRASSE"),
        ("viagra", "ｖｉａｇｒａ and 𝓿𝓲𝓪𝓰𝓻𝓪"),
        ("casin*", "casinos"),
        ("*casino", "supercasino"),
        ("*casino*", "mycasinos.example"),
        ("v*gra", "buy v1aaagra"),
        ("v*g*a", "buy v1aaagra"),
        ("buy now", "Buy, NOW!"),
        ("buy no*", "buy nothing"),
        ("@spam.example", "me@spam.example"),
        ("spam.example", "https://spam.example/a?b"),
        ("C++ course", "a C++ course"),
        ("赌场", "赌场"),
        ("*赌场*", "最好的赌场在这里"),
        ("हिन्दी", "यह हिन्दी है"),
        ("zero", "ze\u200bro"),
    ],
)
def test_what_an_entry_finds(entry: str, text: str) -> None:
    assert found(entry, text)


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ("cialis", "a specialist"),
        ("casino", "casinos"),
        ("ass", "the class passes"),
        ("casin*", "occasina"),
        ("*casino", "casinos"),
        ("v*gra", "viagra's"[:5]),
        ("ab*ba", "aba"),
        ("buy now", "buy it now"),
        ("# casino", "casino"),
    ],
)
def test_what_an_entry_leaves_alone(entry: str, text: str) -> None:
    assert not found(entry, text)


@pytest.mark.parametrize(
    ("entry", "address", "inside"),
    [
        ("203.0.113.0/24", "203.0.113.255", True),
        ("203.0.113.0/24", "203.0.114.1", False),
        ("203.0.113.9", "203.0.113.9", True),
        ("203.0.113.9", "203.0.113.90", False),
        ("2001:db8::/32", "2001:db8:1::5", True),
        ("2001:db8::/32", "2001:db9::5", False),
        ("0.0.0.0/0", "2001:db8::1", False),
        ("::/0", "2001:db8::1", True),
        ("203.0.113.0/24", "", False),
    ],
)
def test_networks_name_addresses(entry: str, address: str, inside: bool) -> None:
    assert found(entry, "no words", address) is inside


@pytest.mark.parametrize(
    "line",
    [
        "203.0.113.0/33",
        "203.0.113.7/24",
        "300.1.1.1",
        "203.0.113.0/x",
        "1::2::3",
        "*",
        "***",
        "!?",
        "x" * 201,
        "buy*n ow*x",
    ],
)
def test_a_line_that_cannot_be_read_is_named_by_its_number(line: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read(f"fine\n# remark\n{line}\nfine too")
    assert [problem.line for problem in refused.value.problems] == [3]


@pytest.mark.parametrize("line", ["24/7", "12:30", "1.2", "v1.0.0", "a:b", "1/2/3"])
def test_numbers_that_are_no_network_are_words(line: str) -> None:
    assert found(line, f"at {line} then")


@given(st.text(max_size=60), st.text(max_size=200))
def test_any_list_is_read_or_refused_and_any_text_is_searched(entries: str, text: str) -> None:
    with suppress(Unreadable):
        read(entries).find({"text": text}, text)


@pytest.mark.parametrize("text", ["va " * 3300, "a" * 10_000, "".join(f"v{n}g " for n in range(1700))])
def test_a_full_list_is_searched_in_a_moment(text: str) -> None:
    lines = [f"v*g{n}a*x" for n in range(50)] + [f"a{'a' * (n % 150)}{n}*" for n in range(MOST_LINES - 50)]
    words = read("\n".join(lines))
    began = time.process_time()
    words.find({"text": text})
    assert time.process_time() - began < 0.4


def type_in(moderator: Moderator, name: str, text: str, action: str, **changed: object) -> Page:
    fields: dict[str, object] = dict(moderator.get("/moderation/lists").fields(f"form[action*='/{name}']"))
    fields.update(text=text, action=action, field=["author", "email", "url", "body"])
    return moderator.post(f"/moderation/lists/{name}", fields | changed)


def saved(app: Flask, name: str, text: str, **changed: object) -> None:
    assert type_in(signed_in(app), name, text, "save", **changed).status == 303


def test_a_held_word_waits_and_only_the_moderator_sees_which(app: Flask, akismet: AkismetStandIn) -> None:
    saved(app, "hold", "Lotter*")
    reader = Reader(app)
    receipt = reader.get(reader.stored(body="I won the LÖTTERY."))
    assert receipt.one("main").get("data-status") == "pending"
    assert [element.get("data-reason") for element in receipt.all("[data-reason]")] == ["hold-words"]
    assert "Lotter*" not in receipt.text
    assert len(akismet.checks) == 1
    assert "Lotter* (text)" in signed_in(app).get("/moderation/comments/1").words(".item")


def test_a_blocked_word_is_spam_and_never_sent(app: Flask, akismet: AkismetStandIn) -> None:
    saved(app, "block", "casino")
    reader = Reader(app)
    receipt = reader.get(reader.stored(author="Casino Royal"))
    assert receipt.one("main").get("data-status") == "spam"
    assert receipt.all('[data-reason="block-words"]')
    assert list(akismet.requests) == []


def test_a_blocked_network(app: Flask) -> None:
    saved(app, "block", "127.0.0.0/8", field=[])
    receipt = Reader(app).stored()
    assert Reader(app).get(receipt).one("main").get("data-status") == "spam"


def test_only_the_chosen_fields_are_looked_at(app: Flask) -> None:
    saved(app, "block", "casino", field=["url"])
    reader = Reader(app)
    first = reader.stored(body="casino")
    second = reader.stored(url="https://casino.example/")
    assert [reader.get(one).one("main").get("data-status") for one in (first, second)] == ["approved", "spam"]


def test_a_list_with_a_bad_line_is_refused_and_kept_as_typed(app: Flask) -> None:
    typed = "good\n203.0.113.7/24\n  two spaces in front"
    page = type_in(signed_in(app), "hold", typed, "save")
    assert page.status == 422
    assert "203.0.113.0/24" in page.words('[data-line="2"]')
    assert page.fields("form[action*='/hold']")["text"].replace("\r\n", "\n") == typed
    assert signed_in(app).get("/moderation/lists").fields("form[action*='/hold']")["text"] == ""


def test_a_rehearsal_says_what_would_have_been_held_and_saves_nothing(either: Flask) -> None:
    reader, moderator = Reader(either), signed_in(either)
    reader.stored(body="A lottery for all.")
    reader.stored(body="Something else.")
    reader.stored(body="The lottery again.")
    moderator.decide("reject", 1, reason="off-topic")
    moderator.decide("approve", 1)
    page = type_in(moderator, "hold", "lottery", "rehearse")
    assert page.status == 200
    assert page.one("[data-caught]").get("data-caught") == "2"
    assert page.one("[data-approved]").get("data-approved") == "1"
    assert "newest 3 comments" in page.words("#rehearsal")
    assert {element.get("data-caught-comment") for element in page.all("[data-caught-comment]")} == {"1", "3"}
    receipt = reader.stored(body="One more lottery.")
    assert reader.get(receipt).one("main").get("data-status") == "approved"


def test_a_change_is_in_the_log_without_the_words(app: Flask) -> None:
    saved(app, "hold", "one\ntwo")
    saved(app, "hold", "two\nthree\nfour")
    with app.app_context():
        events = list(
            db.session.scalars(select(Event).where(Event.kind == "list-changed").order_by(Event.id))
        )
        db.session.remove()
    assert [(event.actor, event.data["added"], event.data["removed"]) for event in events] == [
        ("ana", 2, 0),
        ("ana", 2, 1),
    ]


def test_two_moderators_do_not_overwrite_each_other(app: Flask) -> None:
    saved(app, "hold", "one")
    page = type_in(signed_in(app), "hold", "other", "save", version="0")
    assert page.status == 409
    assert page.fields("form[action*='/hold']")["text"] == "other"


def test_a_saved_list_holds_in_another_process_at_once(make: Make) -> None:
    here, there = make(), make()
    reader = Reader(there)
    reader.stored()
    saved(here, "block", "casino")
    assert reader.get(reader.stored(body="casino")).one("main").get("data-status") == "spam"
    saved(here, "block", "nothing")
    assert reader.get(reader.stored(body="casino!")).one("main").get("data-status") == "approved"


def test_what_was_matched_goes_with_the_rest(app: Flask) -> None:
    saved(app, "hold", "zoe@example.org")
    Reader(app).stored(email="zoe@example.org")
    app.test_cli_runner().invoke(args=["privacy", "erase", "zoe@example.org"])
    with app.app_context():
        assert db.session.scalars(select(Comment.matched)).one() is None
        assert "zoe" not in repr([event.data for event in db.session.scalars(select(Event))])
        db.session.remove()


@pytest.mark.parametrize("name", ["hold", "block"])
def test_a_stored_list_that_cannot_be_read_publishes_nothing(app: Flask, name: str) -> None:
    saved(app, name, "fine")
    with app.app_context(), write() as session:
        session.execute(update(WordList).values(text="203.0.113.0/99", version=7))
    reader = Reader(app)
    assert reader.get(reader.stored()).one("main").get("data-status") == "pending"
    assert "a list that cannot be read" in signed_in(app).get("/moderation/comments/1").words(".item")
    saved(app, name, "fine again")
    assert reader.get(reader.stored()).one("main").get("data-status") == "approved"
