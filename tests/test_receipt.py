"""The author follows a comment on its private receipt."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.akismet_standin import DISCARD, HAM, SPAM, AkismetStandIn, Reply
from tests.conftest import Make, signed_in
from tests.people import Reader

VERDICTS = {"ham": HAM, "spam": SPAM, "discard": DISCARD}


@pytest.fixture
def held(make: Make) -> Flask:
    """A blog where everything waits."""
    return make(moderation="all")


def status(reader: Reader, receipt: str) -> str:
    return str(reader.get(receipt).one("main").get("data-status"))


def test_a_waiting_comment_is_edited_and_screened_again(held: Flask, akismet: AkismetStandIn) -> None:
    reader, moderator = Reader(held), signed_in(held)
    receipt = reader.stored(body="First words.")
    assert reader.post(f"{receipt}/edit", {"body": "Better words."}).status == 303
    assert "Better words." in reader.get(receipt).words()
    check = akismet.checks[-1]
    assert dict(check.fields)["recheck_reason"] == "edit"
    assert dict(check.fields)["comment_content"] == "Better words."
    moderator.decide("approve", 1)
    assert reader.post(f"{receipt}/edit", {"body": "Too late."}).status == 409
    assert "Better words." in reader.get("/posts/open-letter/").text


def test_an_edit_that_is_spam_is_not_published(held: Flask, akismet: AkismetStandIn) -> None:
    reader = Reader(held)
    receipt = reader.stored(body="Innocent.")
    akismet.answer_with(SPAM)
    reader.post(f"{receipt}/edit", {"body": "Buy!"})
    assert status(reader, receipt) == "spam"


@pytest.mark.parametrize("body", ["", "  ", "x" * 10_001])
def test_an_edit_that_cannot_be_taken_keeps_what_was_typed(held: Flask, body: str) -> None:
    reader = Reader(held)
    receipt = reader.stored(body="Mine.")
    page = reader.post(f"{receipt}/edit", {"body": body})
    assert page.status == 422
    assert body.strip() in page.text
    assert "Mine." in reader.get(receipt).text


def test_a_published_comment_is_withdrawn_and_its_replies_stay(reader: Reader) -> None:
    receipt = reader.stored(author="Ada", body="Take me back.")
    reader.stored(parent="1", body="A reply.")
    assert reader.post(f"{receipt}/withdrawal").status == 303
    page = reader.get("/posts/open-letter/")
    assert "Take me back." not in page.text
    assert "Ada" not in page.words("#comments")
    assert "A reply." in page.words("#comment-1")
    assert status(reader, receipt) == "withdrawn"
    assert reader.post(f"{receipt}/withdrawal").status == 409


def test_a_second_click_sees_what_the_first_has_done(reader: Reader, akismet: AkismetStandIn) -> None:
    receipt = reader.stored()
    reader.post(f"{receipt}/withdrawal")
    twice = reader.post(f"{receipt}/withdrawal")
    assert twice.words("h1") == "You have withdrawn your comment."
    assert not twice.all("[role=alert]")
    akismet.answer_with(SPAM)
    receipt = reader.stored()
    reader.post(f"{receipt}/appeal", {"words": "I am real."})
    twice = reader.post(f"{receipt}/appeal", {"words": "I am real."})
    assert twice.words("h1") == "You have appealed, and a person looks again."
    assert not twice.all("[role=alert]")
    other = reader.post(f"{receipt}/appeal", {"words": "Something else."})
    assert "Something else." in other.words("[role=alert]")


def test_a_withdrawn_text_is_gone_at_the_desk_too(held: Flask) -> None:
    reader, moderator = Reader(held), signed_in(held)
    receipt = reader.stored(body="Secret words.")
    reader.post(f"{receipt}/edit", {"body": "Other secret."})
    reader.post(f"{receipt}/withdrawal")
    page = moderator.get("/moderation/comments/1")
    assert page.status == 200
    assert "ecret" not in page.text
    assert moderator.decide("approve", 1).status in (303, 409)
    assert status(reader, receipt) == "withdrawn"


def test_an_appeal_goes_back_to_a_person_once(held: Flask, akismet: AkismetStandIn) -> None:
    akismet.answer_with(SPAM)
    reader, moderator = Reader(held), signed_in(held)
    receipt = reader.stored(body="Not spam.")
    assert reader.post(f"{receipt}/appeal", {"words": ""}).status == 422
    assert reader.post(f"{receipt}/appeal", {"words": "I am real."}).status == 303
    assert status(reader, receipt) == "pending"
    assert "I am real." in moderator.get("/moderation/comments/1").words()
    moderator.decide("spam", 1)
    assert status(reader, receipt) == "spam"
    assert reader.post(f"{receipt}/appeal", {"words": "Again."}).status == 409


@pytest.mark.parametrize("now", [HAM, SPAM])
def test_an_appeal_waits_for_a_person_whatever_akismet_says_of_an_edit(
    app: Flask, akismet: AkismetStandIn, now: Reply
) -> None:
    reader = Reader(app)
    akismet.answer_with(SPAM, now)
    receipt = reader.stored()
    reader.post(f"{receipt}/appeal", {"words": "I am real."})
    assert reader.post(f"{receipt}/edit", {"body": "Said better."}).status == 303
    assert reader.get(receipt).one("main").get("data-status") == "pending"
    assert "Said better." in signed_in(app).desk().words()


@pytest.mark.parametrize("verb", ["withdrawal", "edit", "appeal"])
def test_an_unknown_receipt_has_no_verbs(reader: Reader, verb: str) -> None:
    assert reader.post(f"/receipts/unknown/{verb}", {"body": "x", "words": "x"}).status == 404


def test_a_receipt_is_not_acted_on_by_another_site(reader: Reader) -> None:
    receipt = reader.stored()
    refused = reader.post(f"{receipt}/withdrawal", headers={"Sec-Fetch-Site": "cross-site"})
    assert refused.status == 422
    assert status(reader, receipt) == "approved"


@pytest.mark.parametrize("verdict", ["ham", "spam", "discard"])
def test_every_outcome_is_answered_in_the_same_shape(
    reader: Reader, akismet: AkismetStandIn, verdict: str
) -> None:
    akismet.answer_with(VERDICTS[verdict])
    answered = reader.answer()
    assert answered.status == 303
    assert answered.headers["Location"].startswith("/receipts/")
    assert len(answered.headers["Location"]) == len("/receipts/") + 32


def test_after_an_appeal_only_a_person_decides(held: Flask, akismet: AkismetStandIn) -> None:
    akismet.answer_with(SPAM)
    reader = Reader(held)
    receipt = reader.stored(body="Not spam.")
    reader.post(f"{receipt}/appeal", {"words": "I am real."})
    assert reader.post(f"{receipt}/edit", {"body": "Not spam at all."}).status == 303
    assert status(reader, receipt) == "pending"


def test_what_nobody_screened_is_not_said_to_be(make: Make) -> None:
    reader = Reader(make(akismet_key=""))
    page = reader.get(reader.stored())
    assert "this blog asks no spam filter" in page.words("main")
    assert "It was screened" not in page.words("main")
