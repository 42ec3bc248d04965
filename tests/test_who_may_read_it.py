"""A reader writes for the author of the blog only."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from tests.akismet_standin import AkismetStandIn
from tests.conftest import signed_in
from tests.mailing import later, run
from tests.people import Moderator, Reader

SECRET = "Only between us."


def everywhere(reader: Reader) -> str:
    paths = ("/", "/posts/open-letter/", "/posts/open-letter/comments.xml", "/feed.xml", "/feed.json")
    return "".join(reader.get(path).text for path in paths)


def test_words_for_the_author_are_never_public_and_never_sent(
    reader: Reader, moderator: Moderator, akismet: AkismetStandIn
) -> None:
    receipt = reader.receipt_of(reader.answer(author="Quiet One", body=SECRET, audience="private"))
    assert receipt.one("main").get("data-status") == "pending"
    assert receipt.all('[data-reason="private"]')
    assert "never published" in receipt.words("main")
    assert "before it appears" not in receipt.words("main")
    assert receipt.words("#sent") == ""
    assert akismet.checks == []
    assert "0" not in reader.get("/posts/open-letter/").words("#comment-count")
    assert SECRET not in everywhere(reader)
    assert "Quiet One" not in everywhere(reader)


def test_the_desk_has_them_in_a_view_of_their_own(reader: Reader, moderator: Moderator) -> None:
    reader.stored(body=SECRET, audience="private")
    assert SECRET in moderator.desk(status="private").words("main")
    for status in ("pending", "approved", "all"):
        assert SECRET not in moderator.desk(status=status).words("main")


def test_the_desk_offers_no_button_that_cannot_do_it(reader: Reader, moderator: Moderator) -> None:
    reader.stored(body=SECRET, audience="private")
    item = '[data-comment="1"] [name=decision]'
    for page in (moderator.desk(status="private"), moderator.get("/moderation/comments/1")):
        assert [button.get("value") for button in page.all(item)] == ["spam", "reject"]


def test_no_decision_publishes_them(reader: Reader, moderator: Moderator) -> None:
    reader.stored(author="Quiet One", body=SECRET, audience="private")
    for decision in ("approve", "spam", "restore", "approve"):
        assert moderator.decide(decision, 1).status in (303, 409)
        assert SECRET not in everywhere(reader)
    assert reader.get("/comments/1").status == 404
    assert reader.answer(parent="1").status == 422


def test_an_edit_stays_between_the_two(reader: Reader, akismet: AkismetStandIn) -> None:
    receipt = reader.stored(body=SECRET, audience="private")
    assert reader.post(f"{receipt}/edit", {"body": "Still between us."}).status == 303
    assert reader.get(receipt).one("main").get("data-status") == "pending"
    assert "between us" not in everywhere(reader)
    assert akismet.checks == []


def test_nobody_is_told_to_wait_for_a_decision(reader: Reader, moderator: Moderator) -> None:
    receipt = reader.stored(body=SECRET, audience="private")
    for page in (moderator.desk(status="private"), moderator.get("/moderation/comments/1")):
        assert page.words("[data-comment] .state") == "for you only"
    words = reader.get(receipt).words("main")
    assert "Your words are with the author of this blog." in words
    assert "No decision is needed" in words
    for waiting in ("wait", "decides", "published, without"):
        assert waiting not in words


@pytest.mark.parametrize("decision", ["spam", "reject"])
def test_words_that_were_put_aside_were_not_refused_publication(
    reader: Reader, moderator: Moderator, decision: str
) -> None:
    receipt = reader.stored(body=SECRET, audience="private")
    moderator.decide(decision, 1, reason="off-topic")
    page = reader.get(receipt)
    assert page.one("main").get("data-status") in ("spam", "rejected")
    assert "publish" not in page.words("h1, ol.log")


def test_the_address_goes_when_its_time_is_over_though_nobody_decides(app: Flask) -> None:
    reader, moderator = Reader(app, REMOTE_ADDR="203.0.113.9"), signed_in(app)
    receipt = reader.stored(body=SECRET, audience="private")
    run(app)
    assert "203.0.113.9" in moderator.desk(status="private").words("main")
    later(app, timedelta(days=16))
    run(app)
    assert "203.0.113.9" not in moderator.desk(status="private").words("main")
    assert SECRET in reader.get(receipt).words("main")


def test_the_same_words_can_be_published_afterwards(reader: Reader) -> None:
    typed = {"author": "Ada", "email": "ada@example.org", "body": "On second thoughts."}
    first, second = reader.stored(**typed, audience="private"), reader.stored(**typed, audience="public")
    assert first != second
    assert reader.get(second).one("main").get("data-status") in ("approved", "pending")


@pytest.mark.parametrize("audience", ["me", "", "PUBLIC", "everybody"])
def test_what_is_unclear_is_not_stored_and_not_lost(reader: Reader, audience: str) -> None:
    page = reader.answer(body=SECRET, audience=audience)
    assert page.status == 422
    fields = page.fields("#comment-form")
    assert (fields["body"], fields["audience"]) == (SECRET, "private")
    assert page.one("#audience").get("aria-invalid") == "true"
    assert SECRET not in everywhere(reader)


def test_a_form_without_the_choice_is_public(reader: Reader) -> None:
    assert reader.answer(audience=None, body="For all.").status == 303
    assert "For all." in reader.get("/posts/open-letter/").words("#comments")


def test_an_export_of_one_person_has_nothing_of_another(app: Flask, reader: Reader) -> None:
    from blog import privacy

    reader.stored(email="one@example.org", body=SECRET, audience="private")
    reader.stored(email="two@example.org", body="Mine.")
    with app.app_context():
        assert SECRET in str(privacy.export("one@example.org"))
        assert SECRET not in str(privacy.export("two@example.org"))
