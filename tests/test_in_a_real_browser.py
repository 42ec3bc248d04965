"""The whole journey in Chromium, with scripts and without, on the real server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.akismet_standin import HAM, SPAM, AkismetStandIn
from tests.serving import ROOT, Serving

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)

ARTICLE = "/posts/reciprocal-relationships/"
scripts = pytest.mark.parametrize("scripted", [True, False], ids=["with scripts", "without scripts"])


@pytest.fixture(scope="module")
def standin() -> Iterator[AkismetStandIn]:
    """Akismet's stand-in for all of this file."""
    with AkismetStandIn() as akismet:
        yield akismet


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, standin: AkismetStandIn) -> Iterator[Serving]:
    """The sample articles with the conversation of `demo` on the real server, once for all of this file."""
    with Serving(
        tmp_path_factory.mktemp("served"),
        content_dir=ROOT / "content",
        akismet_key="123456789abc",
        akismet_endpoint=standin.url,
        flood_seconds=0,
        workers=1,
        care_note="Talk to somebody.",
    ) as serving:
        serving.run("demo")
        yield serving


@pytest.fixture
def akismet(standin: AkismetStandIn) -> AkismetStandIn:
    """It calls everything ham until told otherwise."""
    standin.reset()
    standin.answer_with(HAM)
    return standin


@pytest.fixture
def blog(served: Serving, akismet: AkismetStandIn) -> Serving:
    """The blog; what other tests sent may stand on it."""
    return served


def window(chromium: Browser, blog: Serving, scripted: bool = True, **more: Any) -> Page:
    """A fresh window without cookies, drafts or history."""
    context = chromium.new_context(
        base_url=blog.url, java_script_enabled=scripted, reduced_motion="reduce", **more
    )
    context.set_default_timeout(30_000)
    return context.new_page()


def fill(page: Page, words: str, name: str = "Ada", email: str = "ada@example.org") -> None:
    page.locator("#body").fill(words)
    page.locator("#author").fill(name)
    page.locator("#email").fill(email)


def status(page: Page) -> str:
    return page.locator("main").get_attribute("data-status") or ""


@scripts
def test_from_reading_to_an_appeal_that_is_heard(
    chromium: Browser, blog: Serving, akismet: AkismetStandIn, scripted: bool
) -> None:
    akismet.answer_with(SPAM)
    words = "With my *sister*, I think." if scripted else "With my *sister*, as so often."
    reader, desk = window(chromium, blog, scripted), window(chromium, blog, scripted)
    reader.goto("/")
    reader.get_by_role("link", name="Reciprocal relationships").click()
    expect(reader.locator("#reflection")).to_contain_text("Which relationship")
    fill(reader, words)
    reader.get_by_role("button", name="Preview").click()
    expect(reader.locator("#preview em")).to_have_text("sister")
    assert akismet.checks == []
    reader.get_by_role("button", name="Send your answer").click()
    expect(reader).to_have_url(re.compile("/receipts/"))
    receipt = reader.url
    assert status(reader) == "spam"
    expect(reader.locator('[data-reason="akismet-spam"]')).to_be_visible()
    reader.locator("#words").fill(f"I am a person {reader.url[-6:]}.")
    reader.get_by_role("button", name="Appeal").click()
    assert status(reader) == "pending"

    desk.goto("/moderation/")
    desk.locator("#name").fill("moderator")
    desk.locator("#password").fill(blog.password())
    desk.get_by_role("button", name="Sign in").click()
    item = desk.locator("[data-comment]", has_text=f"I am a person {receipt[-6:]}.")
    item.get_by_role("button", name="Approve").click()
    expect(desk.locator("#said")).to_contain_text("approved")

    reader.goto(receipt)
    assert status(reader) == "approved"
    reader.get_by_role("link", name="see it below the article").click()
    expect(reader.locator(f"{re.search('#.*', reader.url)[0]} em")).to_have_text("sister")
    assert reader.context.cookies() == []


@scripts
def test_a_reply_stands_below_what_it_answers(
    chromium: Browser, blog: Serving, akismet: AkismetStandIn, scripted: bool
) -> None:
    reader = window(chromium, blog, scripted)
    reader.goto(ARTICLE)
    reader.locator("#comment-1 .reply").first.click()
    if scripted:
        assert reader.url.endswith(ARTICLE)
        expect(reader.locator("#comment-1 #comment-form")).to_be_visible()
    else:
        expect(reader).to_have_url(re.compile("/replies/1$"))
    words = f"To you, {'with' if scripted else 'without'} scripts."
    fill(reader, words, "Iris", "iris@example.org")
    reader.get_by_role("button", name="Send your answer").click()
    expect(reader).to_have_url(re.compile("/receipts/"))
    reader.get_by_role("link", name="see it below the article").click()
    expect(reader.locator("#comment-1 .comment", has_text=words).last).to_be_visible()


def test_a_preview_follows_the_typing(chromium: Browser, blog: Serving) -> None:
    reader = window(chromium, blog)
    reader.goto(ARTICLE)
    reader.locator("#body").fill("One *word*")
    reader.get_by_role("button", name="Preview").click()
    expect(reader.locator("#preview em")).to_have_text("word")
    reader.locator("#body").fill("One *other word*")
    expect(reader.locator("#preview em")).to_have_text("other word")
    assert reader.url.endswith(ARTICLE)
    reader.locator("#body").fill("")
    reader.get_by_role("button", name="Preview").click()
    expect(reader.locator("#field-body-error")).to_contain_text("write something")


def test_a_draft_is_offered_again_and_goes_when_it_was_sent(chromium: Browser, blog: Serving) -> None:
    reader = window(chromium, blog)
    reader.goto(ARTICLE)
    reader.locator("#body").fill("Half a thought")
    reader.goto("/")
    reader.goto(ARTICLE)
    expect(reader.locator("#body")).to_have_value("")
    reader.get_by_role("button", name="Put it back").click()
    expect(reader.locator("#body")).to_have_value("Half a thought")
    fill(reader, "Half a thought, and the other half.")
    reader.get_by_role("button", name="Send your answer").click()
    expect(reader).to_have_url(re.compile("/receipts/"))
    reader.goto(ARTICLE)
    expect(reader.locator("#form-draft")).to_be_hidden()


@scripts
def test_what_was_sent_to_a_server_that_is_away_is_still_there(
    chromium: Browser, blog: Serving, scripted: bool
) -> None:
    reader = window(chromium, blog, scripted)
    reader.goto(ARTICLE)
    fill(reader, "Sent into the void")
    blog.stop()
    reader.get_by_role("button", name="Send your answer").click()
    expect(reader.locator("#comment-form")).to_have_count(0)
    blog.start()
    if scripted:
        reader.goto(ARTICLE)
        reader.get_by_role("button", name="Put it back").click()
    else:
        reader.go_back()
    expect(reader.locator("#body")).to_have_value("Sent into the void")


def test_a_name_is_remembered_only_when_asked(chromium: Browser, blog: Serving) -> None:
    reader = window(chromium, blog)
    for remember, left in ((False, ""), (True, "Ada")):
        reader.goto(ARTICLE)
        fill(reader, f"Words, {remember}.")
        reader.locator("#remember").set_checked(remember)
        reader.get_by_role("button", name="Send your answer").click()
        expect(reader).to_have_url(re.compile("/receipts/"))
        reader.goto("/posts/the-second-chair/")
        expect(reader.locator("#author")).to_have_value(left)
    assert reader.context.cookies() == []


def test_what_is_only_for_me_never_leaves_the_browser(
    chromium: Browser, blog: Serving, akismet: AkismetStandIn
) -> None:
    reader = window(chromium, blog)
    reader.goto(ARTICLE)
    sent: list[str] = []
    reader.on("request", lambda request: sent.append(f"{request.method} {request.url}"))
    reader.locator("#body").fill("The name was my own.")
    reader.locator("#audience").select_option("me")
    reader.get_by_role("button", name="Send your answer").click()
    expect(reader.locator("#form-mine")).to_contain_text("The name was my own.")
    expect(reader.locator("#body")).to_have_value("")
    assert [request for request in sent if "/static/" not in request] == []
    reader.goto(ARTICLE)
    expect(reader.locator("#form-mine")).to_contain_text("The name was my own.")
    reader.locator("#form-mine").get_by_role("button", name="Forget it").click()
    expect(reader.locator("#form-mine")).to_be_hidden()
    assert akismet.checks == []


def test_without_scripts_nothing_is_offered_that_needs_one(chromium: Browser, blog: Serving) -> None:
    reader = window(chromium, blog, scripted=False)
    reader.goto(ARTICLE)
    assert reader.locator("#audience option").all_text_contents() == [
        "Everybody, below the article",
        "Only the author of this blog: never published, not sent to Akismet",
    ]
    for selector in ("#remember", "[data-theme-switch]", "#form-draft", "#form-mine"):
        expect(reader.locator(selector)).to_be_hidden()


def test_the_chosen_colours_stay(chromium: Browser, blog: Serving) -> None:
    reader = window(chromium, blog, color_scheme="light")
    reader.goto("/")
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    day = reader.evaluate(paper)
    reader.locator("[data-theme-switch]").click()
    night = reader.evaluate(paper)
    assert day != night
    reader.goto(ARTICLE)
    assert reader.evaluate(paper) == night


def test_on_paper_there_is_the_text_and_what_was_answered(chromium: Browser, blog: Serving) -> None:
    reader = window(chromium, blog, color_scheme="light")
    reader.goto(ARTICLE)
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    day = reader.evaluate(paper)
    reader.locator("[data-theme-switch]").click()
    reader.emulate_media(media="print")
    assert reader.evaluate(paper) == day
    for shown in (".text", "#reflection", "#comments .words >> nth=0"):
        expect(reader.locator(shown)).to_be_visible()
    for hidden in (".top nav", ".foot", "#comment-form", ".reply >> nth=0"):
        expect(reader.locator(hidden)).to_be_hidden()
