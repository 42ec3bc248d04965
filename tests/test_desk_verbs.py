"""A moderator edits, deletes for good, and asks Akismet again."""

from __future__ import annotations

import pytest
from flask import Flask

from blog.retention import BATCH
from tests.akismet_standin import SPAM, AkismetStandIn
from tests.conftest import Make, signed_in
from tests.people import Moderator, Page, Reader


@pytest.fixture
def held(make: Make) -> Flask:
    """A blog where everything waits."""
    return make(moderation="all")


def status_of(moderator: Moderator, number: int) -> str:
    return str(moderator.get(f"/moderation/comments/{number}").one("[data-comment]").get("data-status"))


def press(moderator: Moderator, path: str, *comments: int, view: str = "pending", **fields: str) -> Page:
    """Send the desk's form of a view to one of its other buttons."""
    form = moderator.desk(status=view).fields("#desk")
    ids = [str(number) for number in comments]
    return moderator.post(f"/moderation/{path}", {**form, **({"comment": ids} if ids else {}), **fields})


def write_to(moderator: Moderator, number: int, verb: str, body: str) -> Page:
    """Fill in the form on a comment's page."""
    action = f"/moderation/comments/{number}/{verb}"
    fields = moderator.get(f"/moderation/comments/{number}").fields(f'form[action="{action}"]')
    return moderator.post(action, {**fields, "body": body})


@pytest.mark.parametrize("body", ["", "  \n", "\u200b", "x" * 10_001])
def test_an_answer_needs_words_and_has_a_limit(held: Flask, body: str) -> None:
    reader, moderator = Reader(held), signed_in(held)
    reader.stored()
    for verb in ("reply", "edit"):
        assert write_to(moderator, 1, verb, body).status == 422
    assert status_of(moderator, 1) == "pending"


def test_an_edit_keeps_the_earlier_text_and_shows_the_difference(held: Flask) -> None:
    reader, moderator = Reader(held), signed_in(held)
    reader.stored(body="The cat sat on <b>the</b> mat.")
    moderator.decide("approve", 1)
    assert write_to(moderator, 1, "edit", "The dog sat on <b>the</b> mat.").status == 303
    page = moderator.get("/moderation/comments/1")
    assert (page.words("del"), page.words("ins")) == ("cat", "dog")
    assert "<b>the</b>" in page.words("ol.log .quoted")
    public = reader.get("/posts/open-letter/")
    assert "dog" in public.words("#comment-1")
    assert "edited" in public.words("#comment-1 header")


def test_two_who_edit_at_once_do_not_overwrite_each_other(held: Flask) -> None:
    reader, moderator = Reader(held), signed_in(held)
    reader.stored(body="First.")
    action = "/moderation/comments/1/edit"
    fields = moderator.get("/moderation/comments/1").fields(f'form[action="{action}"]')
    assert moderator.post(action, {**fields, "body": "Second."}).status == 303
    late = moderator.post(action, {**fields, "body": "Third."})
    assert late.status == 409
    assert late.one("#body").text.strip() == "Third."


def test_a_hostile_pair_of_texts_is_compared_quickly(held: Flask) -> None:
    reader, moderator = Reader(held), signed_in(held)
    reader.stored(body="x " + "a " * 4000 + "x")
    assert write_to(moderator, 1, "edit", "y " + "a b " * 2000 + "y").status == 303
    assert moderator.get("/moderation/comments/1").status == 200


def test_only_spam_and_rejected_are_deleted_for_good_and_not_without_asking(held: Flask) -> None:
    reader, moderator = Reader(held), signed_in(held)
    for _ in range(3):
        reader.stored()
    moderator.decide("spam", 1)
    moderator.decide("reject", 2, reason="off-topic")
    assert press(moderator, "deletion", 3).status == 422
    asked = press(moderator, "deletion", 1, 2, 3, view="all")
    assert asked.status == 200
    assert moderator.get("/moderation/comments/1").status == 200
    fields = asked.fields("form[action='/moderation/deletion']")
    ids = [element.get("value") for element in asked.all("input[name=comment]")]
    assert ids == ["1", "2"]
    done = moderator.post("/moderation/deletion", {**fields, "comment": [*ids, "3"]})
    assert done.status == 303
    assert [moderator.get(f"/moderation/comments/{number}").status for number in (1, 2, 3)] == [404, 404, 200]
    log = moderator.get("/moderation/log?kind=deleted")
    assert [event.text_content().count("ana") for event in log.all("[data-event]")] == [1, 1]


def test_empty_spam_spares_what_came_after_the_page_was_drawn(held: Flask, akismet: AkismetStandIn) -> None:
    reader, moderator = Reader(held), signed_in(held)
    akismet.answer_with(SPAM)
    reader.stored()
    reader.stored()
    moderator.decide("approve", 2)
    asked = press(moderator, "emptying", view="spam")
    fields = asked.fields("form[action='/moderation/emptying']")
    reader.stored()  # new spam
    moderator.decide("spam", 2)  # old, but spam only now
    assert moderator.post("/moderation/emptying", fields).status == 303
    left = [item.get("data-comment") for item in moderator.desk(status="spam").all("[data-comment]")]
    assert left == ["3", "2"]
    assert moderator.post("/moderation/emptying", {**fields, "drawn": "x"}).status == 422


def test_a_folder_too_full_for_one_press_says_what_is_left_and_goes_on(
    held: Flask, akismet: AkismetStandIn
) -> None:
    held.config["EMPTYING_SECONDS"] = 0
    reader, moderator = Reader(held), signed_in(held)
    akismet.answer_with(SPAM)
    form = reader.get("/posts/open-letter/").fields("#comment-form")
    for number in range(BATCH + 1):
        typed = {"author": "Ada", "email": f"a{number}@example.org", "body": f"{number}"}
        assert reader.post("/posts/open-letter/comments", form | typed).status == 303
    page = press(moderator, "emptying", view="spam")
    assert "spam goes by itself 30 days after" in page.words("main")
    page = moderator.post("/moderation/emptying", page.fields("form[action='/moderation/emptying']"))
    assert page.words("[role=status]") == f"{BATCH} comments deleted for good. Here is the rest."
    assert page.words("h1") == "Delete 1 comment for good?"
    done = moderator.post("/moderation/emptying", page.fields("form[action='/moderation/emptying']"))
    assert moderator.get(done.headers["Location"]).words("#said p") == "1 comment deleted for good."


def test_a_spam_comment_with_an_answer_leaves_only_its_place(held: Flask) -> None:
    reader, moderator = Reader(held), signed_in(held)
    reader.stored(author="Ada")
    write_to(moderator, 1, "reply", "An answer.")
    moderator.decide("spam", 1)
    fields = press(moderator, "emptying", view="spam").fields("form[action='/moderation/emptying']")
    assert moderator.post("/moderation/emptying", fields).status == 303
    assert "Ada" not in moderator.get("/moderation/comments/1").words("main")
    assert "An answer." in reader.get("/posts/open-letter/").words("#comments")


def test_a_thread_of_spam_goes_as_a_whole(held: Flask) -> None:
    reader, moderator = Reader(held), signed_in(held)
    reader.stored()
    moderator.decide("approve", 1)
    reader.stored(parent="1")
    moderator.decide("spam", 1, 2)
    fields = press(moderator, "emptying", view="spam").fields("form[action='/moderation/emptying']")
    assert moderator.post("/moderation/emptying", fields).status == 303
    assert not moderator.desk(status="all").all("[data-comment]")


def test_akismet_is_asked_again_about_the_chosen_ones(held: Flask, akismet: AkismetStandIn) -> None:
    reader, moderator = Reader(held), signed_in(held)
    for _ in range(3):
        reader.stored()
    reader.stored(no_akismet="yes")
    akismet.answer_with(SPAM)
    done = press(moderator, "recheck", 1, 2, 4)
    assert done.status == 303
    assert "Asked about 3 of 3" in moderator.get(done.headers["Location"]).words("#said")
    assert [status_of(moderator, number) for number in (1, 2, 3, 4)] == ["spam", "spam", "pending", "pending"]


def test_what_a_person_decided_stands_whatever_akismet_says_now(held: Flask, akismet: AkismetStandIn) -> None:
    reader, moderator = Reader(held), signed_in(held)
    reader.stored()
    moderator.decide("approve", 1)
    akismet.answer_with(SPAM)
    press(moderator, "recheck", 1, view="approved")
    assert status_of(moderator, 1) == "approved"
    page = moderator.get("/moderation/comments/1")
    assert "Akismet: spam" in page.words("[data-comment]")
    # What it said first is not forgotten.
    said = [line.text_content() for line in page.all("[data-event]")]
    assert [words for line in said for words in ("Akismet: not spam", "Akismet: spam") if words in line] == [
        "Akismet: not spam",
        "Akismet: spam",
    ]


def test_what_akismet_published_stays_until_a_person_decides(app: Flask, akismet: AkismetStandIn) -> None:
    reader, moderator = Reader(app), signed_in(app)
    reader.stored(body="Published at once.")
    akismet.answer_with(SPAM)
    press(moderator, "recheck", 1, view="approved")
    assert status_of(moderator, 1) == "approved"
    assert "Published at once." in reader.get("/posts/open-letter/").words("#comments")


def test_the_others_of_an_author_approved_for_the_first_time_are_offered(held: Flask) -> None:
    reader, moderator = Reader(held), signed_in(held)
    for _ in range(3):
        reader.stored(author="Ada", email="ada@example.org")
    reader.stored(author="Eve", email="ada@example.org")
    page = moderator.get(moderator.decide("approve", 1).headers["Location"])
    button = page.one("#offer button")
    assert "the other 2 that wait from Ada" in button.text_content()
    fields = {**page.fields("#desk"), "decision": "approve"}
    page = moderator.get(moderator.post(button.get("formaction"), fields).headers["Location"])
    assert [status_of(moderator, number) for number in (1, 2, 3, 4)] == ["approved"] * 3 + ["pending"]
    assert page.one("#offer").get("hidden") is not None


def test_the_view_is_kept_by_a_decision(held: Flask) -> None:
    reader, moderator = Reader(held), signed_in(held)
    for _ in range(45):
        reader.stored(slug="second")
    first = moderator.desk(article="second")
    page = moderator.get(first.one("a[rel=next]").get("href"))
    assert len(page.all("[data-comment]")) == 20
    button = page.one('[data-comment="30"] button[value=spam]')
    done = moderator.post(button.get("formaction"), {**page.fields("#desk"), "decision": "spam"})
    after = moderator.get(done.headers["Location"])
    assert [int(item.get("data-comment")) for item in after.all("[data-comment]")] == [
        *range(21, 30),
        *range(31, 42),
    ]
    assert "The second" in after.words(".narrowed")


def test_an_owner_edits_the_reasons_and_the_author_reads_them(held: Flask) -> None:
    reader, owner, other = Reader(held), signed_in(held), signed_in(held, "ben")
    receipt = reader.stored()
    fields = owner.get("/moderation/rules").fields("form.sheet:not([id])")
    typed = {
        **fields,
        "moderator": "Too long",
        "author": "It is longer than people read here.",
        "offered": "yes",
    }
    assert other.post("/moderation/rules/reasons", {"moderator": "x", "author": "y"}).status in (400, 403)
    assert owner.post("/moderation/rules/reasons", {**typed, "author": " "}).status == 422
    assert owner.post("/moderation/rules/reasons", typed).status == 303
    labels = [option.text_content() for option in owner.desk().all("#reason-1 option")]
    assert labels[-2:] == ["6 Too long", "7 Other (say what)"]
    assert owner.decide("reject", 1, reason="too-long").status == 303
    page = reader.get(receipt)
    assert page.one("[data-reason]").get("data-reason") == "too-long"
    assert "longer than people read" in page.words("main")
    codes = ("off-topic", "unkind", "advertising", "personal-data", "duplicate", "other")
    reader.stored()
    for code in codes:
        assert owner.decide("reject", 2, reason=code, note="n").status == 303
        owner.decide("restore", 2)


def test_a_reason_leads_to_the_rule_behind_it(held: Flask) -> None:
    reader, moderator = Reader(held), signed_in(held)
    reader.stored()
    link = moderator.desk().one("[data-reason=all-held] a").get("href")
    page = moderator.get(link)
    assert "BLOG_MODERATION is all" in page.words(f"{link.partition('#')[1]}all-held + dd")
