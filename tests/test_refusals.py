"""What cannot be taken comes back in the filled form, with the reason beside the field."""

from __future__ import annotations

import pytest

from tests.akismet_standin import AkismetStandIn
from tests.conftest import Make
from tests.people import Page, Reader

TYPED = {
    "author": "O'Brien & Söhne",
    "email": "brien@example.org",
    "url": "https://brien.example/?a=1&b=2",
    "body": "First line.\n\n  <b>not bold</b> & so on\n\"quoted\" 'single'",
}


@pytest.fixture(scope="module")
def refused(make_once: Make) -> Reader:
    """Somebody whose answers are never taken, and so leave the blog as it is."""
    return Reader(make_once())


def kept(page: Page, **changed: str) -> None:
    fields = page.fields("#comment-form")
    for name, value in {**TYPED, **changed}.items():
        assert fields[name].replace("\r\n", "\n") == value


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("author", ""),
        ("author", "\u200b\u2060"),
        ("author", "x" * 101),
        ("email", ""),
        ("email", "nobody"),
        ("email", "a@b@c.example"),
        ("url", "javascript:alert(1)"),
        ("url", "https://example.org/" + "x" * 500),
        ("body", ""),
        ("body", "y" * 10_001),
    ],
)
def test_a_field_that_needs_another_look(refused: Reader, field: str, value: str) -> None:
    page = refused.answer(**{**TYPED, field: value})
    assert page.status == 422
    kept(page, **{field: value})
    element = page.one(f'#comment-form [name="{field}"]')
    assert element.get("aria-invalid") == "true"
    described = element.get("aria-describedby").split()
    assert any(page.words(f'[id="{ident}"]') for ident in described)


@pytest.mark.parametrize("token", [None, "", "stale.token", "x" * 5000])
def test_a_form_without_a_good_token_comes_back_with_one_more_click_to_go(
    reader: Reader, token: str | None
) -> None:
    page = reader.answer(**TYPED, token=token)
    assert page.status == 422
    kept(page)
    again = reader.post("/posts/open-letter/comments", page.fields("#comment-form"))
    assert again.status == 303


def test_the_token_of_another_article_does_not_count(reader: Reader) -> None:
    token = reader.get("/posts/second/").fields("#comment-form")["token"]
    assert reader.answer(**TYPED, token=token).status == 422


def test_the_token_works_any_number_of_times_and_for_every_reader(reader: Reader) -> None:
    token = reader.get("/posts/open-letter/").fields("#comment-form")["token"]
    assert [reader.answer(token=token).status for _ in range(3)] == [303, 303, 303]
    assert Reader(reader.app).answer(token=token).status == 303


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}]
)
def test_a_form_sent_by_another_site_is_not_taken(refused: Reader, headers: dict[str, str]) -> None:
    fields = {**refused.get("/posts/open-letter/").fields("#comment-form"), **TYPED}
    page = refused.post("/posts/open-letter/comments", fields, headers=headers)
    assert page.status == 422
    kept(page)


def test_a_closed_article_says_so_and_gives_the_text_back(reader: Reader) -> None:
    for token in (token_for(reader, "closed"), "stale"):
        page = reader.post("/posts/closed/comments", {**TYPED, "token": token})
        assert page.status == 403
        assert TYPED["body"].splitlines()[0] in page.text


def token_for(reader: Reader, slug: str) -> str:
    from blog.tokens import make_token

    with reader.app.app_context():
        return make_token(slug)


def test_the_same_again_from_the_same_place_leads_to_the_same_receipt(
    reader: Reader, akismet: AkismetStandIn
) -> None:
    first, second = reader.answer(**TYPED), reader.answer(**TYPED)
    assert (first.status, second.status) == (303, 303)
    assert first.headers["Location"] == second.headers["Location"]
    assert len(akismet.checks) == 1


def test_the_same_again_from_elsewhere_is_a_duplicate(reader: Reader) -> None:
    reader.stored(**TYPED)
    page = Reader(reader.app, REMOTE_ADDR="198.51.100.7").answer(**TYPED)
    assert page.status == 409
    kept(page)


def test_too_fast_says_how_long_to_wait(make: Make, akismet: AkismetStandIn) -> None:
    reader = Reader(make(flood_seconds=15))
    reader.stored()
    page = reader.answer(**TYPED)
    assert page.status == 429
    assert 1 <= int(page.headers["Retry-After"]) <= 15
    kept(page)
    assert len(akismet.checks) == 1
    assert Reader(reader.app, REMOTE_ADDR="198.51.100.7").answer().status == 303


def test_a_request_above_256_kb_is_too_large(reader: Reader) -> None:
    page = reader.answer(**{**TYPED, "body": "z" * 300_000})
    assert page.status == 413
    assert "256" in page.words("main")


def test_a_refusal_is_kept_by_no_cache(reader: Reader) -> None:
    assert reader.answer(**{**TYPED, "body": ""}).headers["Cache-Control"] == "no-store"


def test_an_unknown_article_takes_no_answers(reader: Reader) -> None:
    assert reader.post("/posts/nowhere/comments", TYPED).status == 404
