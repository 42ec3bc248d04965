"""From reading to being read, over real HTTP against the real server."""

from __future__ import annotations

import signal
from pathlib import Path

import httpx
from lxml import html

from tests.akismet_standin import SPAM, AkismetStandIn
from tests.serving import ROOT, Serving, browser, launched

SLUG = "reciprocal-relationships"


class FromNothing(Serving):
    """Started as somebody does who types the command."""

    launch = staticmethod(launched)
    begun = None


def fields(page: httpx.Response, selector: str) -> dict[str, str]:
    (form,) = html.document_fromstring(page.text).cssselect(selector)
    named = form.cssselect(
        "input[name]:not([type=checkbox]):not([type=radio]), textarea[name], input[checked]"
    )
    return {element.get("name"): (element.value or "") for element in named}


def status(page: httpx.Response) -> str:
    (main,) = html.document_fromstring(page.text).cssselect("main")
    return str(main.get("data-status"))


def test_from_the_article_to_the_receipt_to_the_desk_to_the_next_reader(
    tmp_path: Path, akismet: AkismetStandIn
) -> None:
    with FromNothing(
        tmp_path, content_dir=ROOT / "content", akismet_key="123456789abc", akismet_endpoint=akismet.url
    ) as blog:
        with browser(blog.url) as reader:
            article = reader.get(f"/posts/{SLUG}/")
            assert "Reciprocal relationships" in article.text
            assert html.document_fromstring(article.text).cssselect("#reflection")
            typed = {"author": "Ada", "email": "ada@example.org", "body": "With my *sister*, I think."}
            answered = reader.post(
                f"/posts/{SLUG}/comments", data={**fields(article, "#comment-form"), **typed}
            )
            assert answered.status_code == 303
            receipt = answered.headers["Location"]
            assert status(reader.get(receipt)) == "pending"
            assert not reader.cookies
        assert akismet.checks[0].get("comment_content") == typed["body"]

        with browser(blog.url) as moderator:
            sign_in = moderator.get("/login")
            assert f"password: {blog.password()}" in blog.log.read_text()
            given = {"name": "moderator", "password": blog.password()}
            signed = moderator.post("/login", data={**fields(sign_in, "form[method=post]"), **given})
            assert signed.status_code == 303
            desk = moderator.get("/moderation/")
            assert "first comment" in desk.text or "approved together" in desk.text
            token = fields(desk, 'form[action^="/moderation/decisions"]')["csrf_token"]
            decision = {"csrf_token": token, "comment": "1", "decision": "approve"}
            assert moderator.post("/moderation/decisions", data=decision).status_code == 303

        with browser(blog.url) as other:
            shown = other.get(f"/posts/{SLUG}/")
            assert "<em>sister</em>" in shown.text
            again = other.get(f"/posts/{SLUG}/", headers={"If-None-Match": shown.headers["ETag"]})
            assert again.status_code == 304
            assert status(other.get(receipt)) == "approved"
        assert blog.stop(signal.SIGTERM) == 0
        assert "Traceback" not in blog.log.read_text()


def test_spam_is_overturned_and_akismet_is_told(tmp_path: Path, akismet: AkismetStandIn) -> None:
    akismet.answer_with(SPAM)
    with (
        Serving(
            tmp_path,
            content_dir=ROOT / "content",
            akismet_key="123456789abc",
            akismet_endpoint=akismet.url,
            workers=1,
        ) as blog,
        browser(blog.url) as person,
    ):
        form = fields(person.get(f"/posts/{SLUG}/"), "#comment-form")
        typed = {"author": "Ben", "email": "ben@example.org", "body": "I am not a robot."}
        receipt = person.post(f"/posts/{SLUG}/comments", data={**form, **typed}).headers["Location"]
        assert status(person.get(receipt)) == "spam"
        assert person.post(f"{receipt}/appeal", data={"words": "Please look again."}).status_code == 303
        assert status(person.get(receipt)) == "pending"

        blog.run("moderators", "add", "ana", "--password-stdin", stdin="a long enough password\n")
        sign_in = fields(person.get("/login"), "form[method=post]")
        given = {"name": "ana", "password": "a long enough password"}
        assert person.post("/login", data={**sign_in, **given}).status_code == 303
        desk = person.get("/moderation/")
        assert "Please look again." in desk.text
        token = fields(desk, 'form[action^="/moderation/decisions"]')["csrf_token"]
        person.post(
            "/moderation/decisions", data={"csrf_token": token, "comment": "1", "decision": "approve"}
        )
        assert status(person.get(receipt)) == "approved"
        blog.run("comments", "reconcile", "--now")
        (told,) = akismet.taught
        assert (told.path, told.get("reporter")) == ("/1.1/submit-ham", "ana")
