"""A reader answers an article's question."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.akismet_standin import DISCARD, HAM, SPAM, AkismetStandIn
from tests.conftest import Make
from tests.people import Moderator, Reader

VERDICTS = {"ham": HAM, "spam": SPAM, "discard": DISCARD}


def test_the_question_is_the_label_of_the_answer(reader: Reader) -> None:
    page = reader.get("/posts/open-letter/")
    assert "What would you answer?" in page.words("#reflection")
    label = page.one('label[for="body"]')
    assert "What would you answer?" in label.text_content()


def test_an_answer_that_is_ham_stands_on_the_page_at_once(reader: Reader) -> None:
    receipt = reader.receipt_of(reader.answer(author="Ada", body="I would *write back*."))
    assert receipt.one("main").get("data-status") == "approved"
    page = reader.get("/posts/open-letter/")
    comment = page.one('#comments article[id^="comment-"]')
    assert "Ada" in comment.text_content()
    assert comment.cssselect("em")[0].text == "write back"


def test_the_question_as_it_was_is_stored_with_the_answer(either: Flask, moderator: Moderator) -> None:
    reader = Reader(either)
    reader.stored()
    with either.app_context():
        from sqlalchemy import select

        from blog.db import db
        from blog.models import Comment

        assert db.session.scalars(select(Comment.reflection)).all() == ["What would you answer?"]


@pytest.mark.parametrize("verdict", ["spam", "discard"])
def test_spam_is_stored_and_never_shown(reader: Reader, akismet: AkismetStandIn, verdict: str) -> None:
    akismet.answer_with(VERDICTS[verdict])
    receipt = reader.receipt_of(reader.answer(body="Buy this."))
    assert receipt.one("main").get("data-status") == "spam"
    assert receipt.all(f'[data-reason="akismet-{verdict}"]')
    assert "Buy this." not in reader.get("/posts/open-letter/").text


def test_without_a_key_everything_waits_and_says_why(make: Make) -> None:
    reader = Reader(make(akismet_key=""))
    receipt = reader.receipt_of(reader.answer())
    assert receipt.one("main").get("data-status") == "pending"
    assert receipt.all('[data-reason="no-key"]')


def test_the_first_comment_of_a_new_author_waits_and_the_next_does_not(make: Make) -> None:
    from tests.conftest import signed_in

    app = make(moderation="first")
    reader, moderator = Reader(app), signed_in(app)
    who = {"author": "Ada", "email": "ada@example.org"}
    receipt = reader.receipt_of(reader.answer(**who, body="My first."))
    assert receipt.one("main").get("data-status") == "pending"
    assert receipt.all('[data-reason="first"]')
    moderator.decide("approve", 1)
    assert (
        reader.receipt_of(reader.answer(**who, body="My second.")).one("main").get("data-status")
        == "approved"
    )
    # The e-mail alone, or the name alone, is not enough: anybody can type one of them.
    other = reader.receipt_of(reader.answer(author="Bob", email="ada@example.org"))
    assert other.one("main").get("data-status") == "pending"


def test_two_links_wait_with_every_reason_recorded(make: Make) -> None:
    reader = Reader(make(moderation="first"))
    receipt = reader.receipt_of(reader.answer(body="https://a.example and https://b.example"))
    assert {element.get("data-reason") for element in receipt.all("[data-reason]")} >= {"links", "first"}


def test_asking_for_a_person_sends_nothing(reader: Reader, akismet: AkismetStandIn) -> None:
    receipt = reader.receipt_of(reader.answer(no_akismet="1"))
    assert receipt.one("main").get("data-status") == "pending"
    assert receipt.all('[data-reason="no-akismet"]')
    assert not akismet.checks


def test_a_reply_stands_below_its_parent(reader: Reader) -> None:
    reader.stored(body="The parent.")
    reader.stored(form_at="/posts/open-letter/replies/1", body="The child.", parent="1")
    page = reader.get("/posts/open-letter/")
    assert "The child." in page.one("#comment-1 #comment-2").text_content()


@pytest.fixture(scope="module")
def replying(make_once: Make, _akismet: AkismetStandIn) -> Reader:
    """Somebody at an article with a published comment and one that is spam; a third stands elsewhere."""
    reader = Reader(make_once())
    reader.stored(body="Approved.")
    _akismet.answer_with(SPAM)
    reader.stored(body="Spam.")
    _akismet.answer_with(HAM)
    reader.stored(slug="second", body="Elsewhere.")
    return reader


@pytest.mark.parametrize("parent", ["2", "99", "0", "-1", "٣", "1_0", "x", "9" * 30, "3"])
def test_a_reply_to_what_is_not_there_keeps_the_text_and_says_the_same(replying: Reader, parent: str) -> None:
    page = replying.answer(body="My reply.", parent=parent)
    assert page.status == 422
    assert page.fields("#comment-form")["body"] == "My reply."
    assert "not there any more" in page.words("main")


def test_threads_are_five_deep_and_no_deeper(reader: Reader) -> None:
    reader.stored(body="Level one.")
    for number in range(1, 8):
        reader.stored(body=f"Below {number}.", parent=str(number))
    page = reader.get("/posts/open-letter/")
    deepest = max(
        len(list(element.iterancestors("article"))) for element in page.all('article[id^="comment-"]')
    )
    around = len(list(page.one("#comment-1").iterancestors("article")))
    assert deepest - around == 4
    assert len(page.all('article[id^="comment-"]')) == 8


def test_pages_of_threads_and_a_permalink_that_finds_the_right_one(make: Make) -> None:
    reader = Reader(make(comments_per_page=2))
    for number in range(1, 6):
        reader.stored(body=f"Thread {number}.")
    assert [
        element.get("id") for element in reader.get("/posts/open-letter/?page=3").all("#comments article")
    ] == ["comment-5"]
    found = reader.get("/comments/4")
    assert (found.status, found.headers["Location"]) == (302, "/posts/open-letter/?page=2#comment-4")
    assert reader.get("/posts/open-letter/?page=4").status == 404


def test_public_pages_set_no_cookie_and_load_nothing_from_elsewhere(reader: Reader) -> None:
    reader.stored()
    for path in ("/", "/posts/open-letter/", "/privacy", "/feed.xml", "/nowhere"):
        page = reader.get(path)
        assert "Set-Cookie" not in page.headers
        if page.headers["Content-Type"].startswith("text/html"):
            sources = [
                element.get("src") or element.get("href")
                for element in page.all("script[src], img, link[rel=stylesheet], iframe")
            ]
            assert all(source.startswith("/") for source in sources)


def test_what_was_sent_stands_on_the_receipt(reader: Reader, akismet: AkismetStandIn) -> None:
    receipt = reader.receipt_of(reader.answer(author="Ada", body="Words."))
    terms = [element.text_content() for element in receipt.all("#sent dt")]
    values = [element.text_content() for element in receipt.all("#sent dd")]
    shown = dict(zip(terms, values, strict=True))
    (check,) = akismet.checks
    sent = {name.removesuffix("[]"): value for name, value in check.fields if name != "api_key"}
    assert any("comment_content" in term for term in shown)
    assert set(shown.values()) == set(sent.values())


def test_receipts_are_private(reader: Reader) -> None:
    receipt = reader.receipt_of(reader.answer())
    assert receipt.headers["Cache-Control"] == "no-store"
    assert "noindex" in receipt.headers["X-Robots-Tag"]
    assert reader.get("/receipts/unknown").status == 404
