"""Whatever happens to a session or a comment meanwhile, what a moderator typed comes back."""

from __future__ import annotations

import time

import pytest
from flask import Flask

from blog import people, totp
from blog.db import write
from tests.conftest import PASSWORD, Make, signed_in
from tests.people import Moderator, Page, Person, Reader

WORDS = "An hour's work.\n\n<& \"'> and so on"
REPLY = "/moderation/comments/1/reply"
AGAIN = "form:has(button.again)"


@pytest.fixture
def held(make: Make) -> Flask:
    """A blog where a comment waits."""
    app = make(moderation="all")
    Reader(app).stored(body="A question.")
    return app


@pytest.fixture
def ana(held: Flask) -> Moderator:
    """Somebody at the desk, in a browser that knows its forms."""
    person = signed_in(held)
    person.desk()
    return person


def ended(app: Flask, name: str = "ana") -> None:
    """Somebody's sessions end: signed out elsewhere, a new password, or two idle weeks."""
    with app.app_context():
        found = people.find_moderator(name)
        assert found is not None
        with write():
            people.end_sessions(found)


def shown(page: Page) -> list[str]:
    """What stands in the page's visible fields."""
    areas = [(area.text or "").removeprefix("\n") for area in page.all("main textarea")]
    return areas + [field.get("value", "") for field in page.all("main input:not([type=hidden])")]


def sign_in_again(person: Moderator, page: Page, **typed: str) -> Page:
    """Use the sign-in form that a page has."""
    fields = page.fields("form[action='/login']") | {"name": "ana", "password": PASSWORD}
    return person.post("/login", fields | typed)


def send_again(person: Moderator, page: Page) -> Page:
    """Press the button of the form that a page gives back."""
    return person.post(page.one(AGAIN).get("action"), page.fields(AGAIN))


def reply_form(person: Moderator) -> dict[str, str]:
    """The form for an answer with words in it."""
    return person.get("/moderation/comments/1").fields(f'form[action="{REPLY}"]') | {"body": WORDS}


def test_an_answer_written_while_the_session_ended_is_sent_after_signing_in(held: Flask, ana: Moderator):
    fields = reply_form(ana)
    ended(held)
    page = ana.post(REPLY, fields)
    assert page.status == 403
    assert "not signed in" in page.words("main")
    assert WORDS in shown(page)
    page = sign_in_again(ana, page, password="not it")
    assert page.status == 422
    page = sign_in_again(ana, page)
    assert page.status == 200
    assert WORDS in shown(page)
    assert "An hour" not in Reader(held).get("/posts/open-letter/").text
    assert send_again(ana, page).status == 303
    assert "An hour" in Reader(held).get("/posts/open-letter/").text


def test_it_comes_back_through_the_second_factor_too(held: Flask, ana: Moderator):
    fields = reply_form(ana)
    with held.app_context():
        found = people.find_moderator("ana")
        assert found is not None
        secret = totp.new_secret()
        codes = totp.enrol(found, secret, totp.code_at(secret, int(time.time()) // 30))
    ended(held)
    page = sign_in_again(ana, ana.post(REPLY, fields))
    for code in ("000000", codes[0]):
        page = ana.post("/login/code", page.fields("form[action='/login/code']") | {"code": code})
    assert WORDS in shown(page)
    assert send_again(ana, page).status == 303


REJECTED = {"note-1": WORDS, "reason-1": "off-topic", "decision": "reject"}
FORMS = [
    ("/moderation/comments/1/edit", "/moderation/comments/1", {"body": WORDS}),
    ("/moderation/decisions?comment=1", "/moderation/", REJECTED),
    ("/moderation/lists/hold", "/moderation/lists", {"text": WORDS}),
    ("/moderation/rules/reasons", "/moderation/rules", {"moderator": "Long", "author": "It is too long."}),
    ("/moderation/people", "/moderation/people", {"name": "Zoë"}),
    ("/moderation/mail", "/moderation/mail", {"mail": "ana@example.org"}),
]


@pytest.mark.parametrize(("action", "at", "typed"), FORMS)
def test_every_form_of_the_desk_comes_back(held: Flask, ana: Moderator, action: str, at: str, typed: dict):
    form = f"form[action^='{action.partition('?')[0]}']"
    if action.endswith("/people"):
        form = "form:has(#name)"
    fields = ana.get(at).fields(form if "reasons" not in action else "form.sheet:last-of-type") | typed
    ended(held)
    page = ana.post(action, fields)
    words = [words for name, words in typed.items() if name not in ("reason-1", "decision")]
    assert page.status == 403
    assert set(words) <= set(shown(page))
    page = sign_in_again(ana, page)
    assert set(words) <= set(shown(page))
    sent = send_again(ana, page)
    assert sent.status in (200, 303), sent.words("main")
    if "decision" in typed:
        assert len(ana.desk(status="rejected").all("[data-comment]")) == 1


@pytest.mark.parametrize(("action", "at", "typed"), FORMS)
def test_a_form_of_an_earlier_visit_comes_back_ready_to_be_sent(
    held: Flask, ana: Moderator, action: str, at: str, typed: dict
):
    page = ana.post(
        action, {**typed, "version": "0", "mode": "off", "csrf_token": "of a browser that was closed"}
    )
    assert page.status == 400
    words = [words for name, words in typed.items() if name not in ("reason-1", "decision")]
    assert set(words) <= set(shown(page))
    assert send_again(ana, page).status in (200, 303)


def test_nothing_typed_is_nothing_to_come_back(held: Flask, ana: Moderator):
    ended(held)
    page = ana.post("/moderation/decisions?comment=1", {"decision": "approve", "note-1": ""})
    assert page.status == 403
    done = sign_in_again(ana, page)
    assert (done.status, done.headers["Location"]) == (303, "/moderation/")


def test_no_other_site_can_have_a_moderator_send_its_words(held: Flask, ana: Moderator):
    foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    page = ana.post(REPLY, {"body": WORDS}, headers=foreign)
    assert page.status == 400
    assert page.all(AGAIN) == []
    ended(held)
    page = ana.post(REPLY, {"body": WORDS}, headers=foreign)
    assert page.status == 403
    assert page.all("[name=unsent]") == page.all(AGAIN) == []


@pytest.mark.parametrize("made_up", ["x", "W10.x.y", "x" * 5000])
def test_only_what_was_sealed_here_comes_back(held: Flask, made_up: str):
    person = Moderator(held)
    page = person.get("/login")
    assert sign_in_again(person, page, unsent=made_up).status == 303


def test_a_password_is_never_in_a_page(held: Flask):
    person = Person(held)
    typed = {"name": "Zoë", "password": PASSWORD, "new": PASSWORD, "code": PASSWORD, "body": WORDS}
    for action in ("/moderation/account/password", "/moderation/people", REPLY):
        assert PASSWORD not in person.post(action, typed).text


def test_the_script_is_told_and_keeps_the_page_as_it_is(held: Flask, ana: Moderator):
    ended(held)
    answer = ana.post("/moderation/decisions", {"note-1": WORDS}, headers={"Accept": "application/json"})
    assert answer.status == 403
    assert "not signed in" in answer.response.json["words"]


@pytest.mark.parametrize("verb", ["edit", "reply"])
def test_words_about_a_comment_that_was_withdrawn_meanwhile_come_back(make: Make, verb: str):
    app = make(moderation="all")
    reader = Reader(app)
    receipt = reader.stored()
    moderator = signed_in(app)
    fields = moderator.get("/moderation/comments/1").fields(f"form[action$='/{verb}']")
    reader.post(f"{receipt}/withdrawal")
    page = moderator.post(f"/moderation/comments/1/{verb}", fields | {"body": WORDS})
    assert page.status == 409
    assert WORDS in shown(page)


def test_words_with_a_decision_that_was_not_taken_come_back(held: Flask, ana: Moderator):
    fields = ana.desk().fields("#desk") | {"note-1": WORDS, "decision": "reject"}
    page = ana.post("/moderation/decisions?comment=1", fields)
    assert page.status == 422
    assert WORDS in shown(page)
    signed_in(held, "ben").decide("spam", 1)
    page = ana.post("/moderation/decisions?comment=1", fields | {"reason-1": "off-topic"})
    assert page.status == 409
    assert "ben has decided" in page.words("main")
    assert WORDS in shown(page)


def test_words_to_an_author_are_never_cut(held: Flask, ana: Moderator):
    fields = ana.desk().fields("#desk") | {"note-1": "long " * 201, "reason-1": "other", "decision": "reject"}
    page = ana.post("/moderation/decisions?comment=1", fields)
    assert page.status == 422
    assert "1,000" in page.words("main")
    assert "long " * 201 in shown(page)
    assert ana.post("/moderation/decisions?comment=1", fields | {"note-1": "long " * 200}).status == 303
