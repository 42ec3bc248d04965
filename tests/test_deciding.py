"""A moderator decides about what is held or flagged."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.akismet_standin import SPAM, AkismetStandIn
from tests.conftest import Make, signed_in
from tests.people import Moderator, Page, Reader


@pytest.fixture
def held(make: Make) -> Flask:
    """A blog where everything waits."""
    return make(moderation="all")


def status_of(moderator: Moderator, number: int) -> str:
    found = moderator.get(f"/moderation/comments/{number}").one(f'[data-comment="{number}"]')
    return str(found.get("data-status"))


def test_the_desk_is_for_moderators(client: Reader) -> None:
    assert client.get("/moderation/").status_code == 303
    assert client.get("/moderation/").headers["Location"].startswith("/login")
    assert (
        client.post("/moderation/decisions", data={"comment": "1", "decision": "approve"}).status_code == 403
    )


def test_what_waits_is_seen_with_its_reasons_in_words(held: Flask) -> None:
    reader, moderator = Reader(held), signed_in(held)
    reader.stored(author="Ada", body="https://a.example https://b.example")
    page = moderator.desk()
    item = page.one('[data-comment="1"]')
    assert item.get("data-status") == "pending"
    words = " ".join(item.text_content().split())
    assert "Ada" in words
    assert "Every comment waits for a person here." in words
    assert "as many links as are held" in words
    assert "Akismet: not spam" in words
    assert "An open letter" in words


@pytest.mark.parametrize(
    ("decision", "status"), [("approve", "approved"), ("spam", "spam"), ("reject", "rejected")]
)
def test_one_decision_is_seen_by_the_next_reader_and_on_the_receipt(
    held: Flask, decision: str, status: str
) -> None:
    reader, moderator = Reader(held), signed_in(held)
    receipt = reader.stored(body="Words of mine.")
    assert "Words of mine." not in reader.get("/posts/open-letter/").text
    done = moderator.decide(decision, 1, reason="unkind", note="Please be kind.")
    assert done.status == 303
    assert status_of(moderator, 1) == status
    assert ("Words of mine." in reader.get("/posts/open-letter/").text) is (status == "approved")
    assert reader.get(receipt).one("main").get("data-status") == status


def test_a_rejection_says_why_to_the_author(held: Flask) -> None:
    reader, moderator = Reader(held), signed_in(held)
    receipt = reader.stored()
    moderator.decide("reject", 1, reason="unkind", note="Please leave out the last line.")
    page = reader.get(receipt)
    assert page.one("[data-reason]").get("data-reason") == "unkind"
    assert "Please leave out the last line." in page.words("main")
    assert "ana" not in page.words("main").split()


@pytest.mark.parametrize("fields", [{}, {"reason": "because"}, {"reason": "other"}])
def test_a_rejection_needs_a_reason(held: Flask, fields: dict[str, str]) -> None:
    reader, moderator = Reader(held), signed_in(held)
    reader.stored()
    assert moderator.decide("reject", 1, **fields).status == 422
    assert status_of(moderator, 1) == "pending"


def test_the_view_of_what_was_rejected_says_why(held: Flask) -> None:
    reader, ana = Reader(held), signed_in(held)
    for _ in range(3):
        reader.stored()
    ana.decide("reject", 1, reason="unkind", note="Say it to *nobody*.")
    ana.decide("reject", 2, reason="off-topic")
    ana.decide("restore", 2)
    signed_in(held, "ben").decide("reject", 2, reason="advertising")
    ana.decide("spam", 3)
    page = ana.desk(status="rejected")
    assert "Decided by ana: Unkind" in page.words('[data-comment="1"]')
    assert page.words('[data-comment="1"] [data-note]') == "Say it to *nobody*."
    assert "Decided by ben: Advertising" in page.words('[data-comment="2"]')
    assert "Off topic" not in page.words('[data-comment="2"] .about')
    assert "Decided by ana" in ana.desk(status="spam").words('[data-comment="3"]')


def test_what_was_done_is_said_by_the_desk_alone(held: Flask, moderator: Moderator) -> None:
    Reader(held).stored()
    words = "Your password has expired."
    for made_up in (
        f"message={words}",
        f"said={words}",
        "said=eyJtZXNzYWdlIjoiTm8ifQ.x",
        "undo=1",
        "saved=x",
    ):
        for page in ("", "people", "account", "rules"):
            seen = moderator.get(f"/moderation/{page}?{made_up}&undoing=pending&answer=1&offer=1")
            assert seen.status == 200
            assert words not in seen.text
            assert not seen.words("main [role=status]")
            assert not seen.all("[data-undo]:not([hidden])")
    done = moderator.decide("approve", 1)
    for _ in range(2):  # in another tab, too
        seen = moderator.get(done.headers["Location"])
        assert seen.words("#said p") == "1 comment approved."
        assert seen.all("[data-undo]:not([hidden])")


def test_undo_leaves_what_somebody_else_decided_since(held: Flask) -> None:
    reader, ana, ben = Reader(held), signed_in(held), signed_in(held, "ben")
    for _ in range(3):
        reader.stored()
    decided = ana.decide("approve", 1, 2, 3)
    page = ana.get(decided.headers["Location"])
    ben.decide("spam", 2)
    ben.decide("restore", 3)
    ben.decide("approve", 3)
    undone = ana.post(
        page.one("[data-undo]").get("formaction"), {**page.fields("#desk"), "decision": "restore"}
    )
    said = ana.get(undone.headers["Location"]).words("#said")
    assert "1 comment put back." in said
    assert "ben has decided about it already: spam." in said
    assert "ben has decided about it already: approved." in said
    for status, number in (("pending", 1), ("spam", 2), ("approved", 3)):
        assert [item.get("data-comment") for item in ana.desk(status=status).all("[data-comment]")] == [
            str(number)
        ]


def test_many_are_decided_in_one_request_and_brought_back_by_undo(held: Flask) -> None:
    reader, moderator = Reader(held), signed_in(held)
    for _ in range(3):
        reader.stored()
    moderator.decide("approve", 2)
    done = moderator.decide("spam", 1, 2, 3)
    page = moderator.get(done.headers["Location"])
    assert "3 comments marked as spam" in page.words()
    assert moderator.decide("restore", 1, 2, 3).status == 303
    assert [status_of(moderator, number) for number in (1, 2, 3)] == ["pending", "approved", "pending"]
    moderator.decide("restore", 2)
    assert status_of(moderator, 2) == "pending"


def test_the_whole_history_stands_on_the_comments_page(held: Flask) -> None:
    reader, moderator = Reader(held), signed_in(held)
    reader.stored()
    moderator.decide("reject", 1, reason="off-topic", note="Elsewhere, please.")
    moderator.decide("restore", 1)
    words = moderator.get("/moderation/comments/1").words()
    for part in ("ana", "pending", "rejected", "off-topic", "Elsewhere, please."):
        assert part in words


@pytest.mark.parametrize("numbers", [[99], [2**62], []])
def test_a_decision_about_nothing_is_no_error(held: Flask, numbers: list[int]) -> None:
    moderator = signed_in(held)
    assert moderator.decide("approve", *numbers).status in (303, 409, 422)


def test_two_moderators_at_once_decide_once(held: Flask) -> None:
    reader, ana, ben = Reader(held), signed_in(held), signed_in(held, "ben")
    reader.stored()
    ana.decide("approve", 1)
    done = ben.decide("spam", 1, seen="1:pending")
    assert done.status == 303
    assert "ana has decided about it already" in ben.get(done.headers["Location"]).words()
    assert status_of(ben, 1) == "approved"


def test_without_the_forms_token_nothing_is_decided(held: Flask) -> None:
    reader, moderator = Reader(held), signed_in(held)
    reader.stored()
    held.config["WTF_CSRF_ENABLED"] = True
    refused = moderator.post("/moderation/decisions", {"comment": "1", "decision": "approve"})
    assert refused.status == 400
    assert status_of(moderator, 1) == "pending"


def test_each_view_counts_and_finds(held: Flask, akismet: AkismetStandIn) -> None:
    reader, moderator = Reader(held), signed_in(held)
    reader.stored(author="Ada", email="ada@example.org", body="About trees.")
    akismet.answer_with(SPAM)
    reader.stored(author="Bot", body="Cheap trees.")
    assert [item.get("data-comment") for item in moderator.desk(status="spam").all("[data-comment]")] == ["2"]
    assert [item.get("data-comment") for item in moderator.desk(status="all").all("[data-comment]")] == [
        "2",
        "1",
    ]
    assert [
        item.get("data-comment")
        for item in moderator.desk(status="all", q="ada@example").all("[data-comment]")
    ] == ["1"]
    assert [
        item.get("data-comment") for item in moderator.desk(status="all", q="tre").all("[data-comment]")
    ] == ["2", "1"]
    assert moderator.desk(status="all", q="100%").all("[data-comment]") == []
    assert moderator.desk(status="unheard-of").status == 404


def test_twenty_a_page(held: Flask) -> None:
    reader, moderator = Reader(held), signed_in(held)
    for _ in range(21):
        reader.stored()
    first, second = moderator.desk(), moderator.desk(page=2)
    assert [len(page.all("[data-comment]")) for page in (first, second)] == [20, 1]
    assert first.all("[data-comment]")[0].get("data-comment") == "1"


def test_the_buttons_of_the_page_work_without_scripts(held: Flask) -> None:
    reader, moderator = Reader(held), signed_in(held)
    reader.stored()
    page = moderator.desk()
    (form,) = page.all('form[method="post"][action^="/moderation/decisions"]')
    button = page.one('[data-comment="1"] button[name="decision"][value="approve"]')
    done = moderator.post(
        button.get("formaction") or form.get("action"),
        {**page.fields('form[action^="/moderation/decisions"]'), "decision": "approve"},
    )
    assert done.status == 303
    assert status_of(moderator, 1) == "approved"


def test_without_a_key_the_desk_says_what_to_do(make: Make) -> None:
    moderator = signed_in(make(akismet_key=""))
    assert "BLOG_AKISMET_KEY" in moderator.desk().words()


def json_of(page: Page) -> object:
    return page.response.get_json()
