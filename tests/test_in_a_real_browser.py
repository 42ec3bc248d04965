"""The whole journey in Chromium, with scripts and without, and every public page under axe."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.akismet_standin import HAM, SPAM, AkismetStandIn
from tests.needs import needs_browser
from tests.serving import ROOT, Serving

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)

ARTICLE = "/posts/reciprocal-relationships/"
scripts = pytest.mark.parametrize("scripted", [True, False], ids=["with scripts", "without scripts"])


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser; each test opens windows of its own in it."""
    path = needs_browser()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def blog(tmp_path: Path, akismet: AkismetStandIn) -> Iterator[Serving]:
    """The sample articles on the real server."""
    with Serving(
        tmp_path,
        content_dir=ROOT / "content",
        akismet_key="123456789abc",
        akismet_endpoint=akismet.url,
        flood_seconds=0,
        workers=1,
        care_note="Talk to somebody.",
    ) as serving:
        yield serving


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
    reader, desk = window(chromium, blog, scripted), window(chromium, blog, scripted)
    reader.goto("/")
    reader.get_by_role("link", name="Reciprocal relationships").click()
    expect(reader.locator("#reflection")).to_contain_text("Which relationship")
    fill(reader, "With my *sister*, I think.")
    reader.get_by_role("button", name="Preview").click()
    expect(reader.locator("#preview em")).to_have_text("sister")
    assert akismet.checks == []
    reader.get_by_role("button", name="Send your answer").click()
    expect(reader).to_have_url(re.compile("/receipts/"))
    receipt = reader.url
    assert status(reader) == "spam"
    expect(reader.locator('[data-reason="akismet-spam"]')).to_be_visible()
    reader.locator("#words").fill("I am a person, and this is about my sister.")
    reader.get_by_role("button", name="Appeal").click()
    assert status(reader) == "pending"

    desk.goto("/moderation/")
    desk.locator("#name").fill("moderator")
    desk.locator("#password").fill(blog.password())
    desk.get_by_role("button", name="Sign in").click()
    item = desk.locator("[data-comment]").first
    expect(item).to_contain_text("this is about my sister")
    item.get_by_role("button", name="Approve").click()
    expect(desk.locator("#said")).to_contain_text("approved")

    reader.goto(receipt)
    assert status(reader) == "approved"
    reader.get_by_role("link", name="see it below the article").click()
    expect(reader.locator("#comments em")).to_have_text("sister")
    assert reader.context.cookies() == []


@scripts
def test_a_reply_stands_below_what_it_answers(
    chromium: Browser, blog: Serving, akismet: AkismetStandIn, scripted: bool
) -> None:
    blog.run("demo")
    akismet.answer_with(HAM)
    reader = window(chromium, blog, scripted)
    reader.goto(ARTICLE)
    reader.locator("#comment-1 .reply").first.click()
    if scripted:
        assert reader.url.endswith(ARTICLE)
        expect(reader.locator("#comment-1 #comment-form")).to_be_visible()
    else:
        expect(reader).to_have_url(re.compile("/replies/1$"))
    fill(reader, "To you.", "Iris", "iris@example.org")
    reader.get_by_role("button", name="Send your answer").click()
    expect(reader).to_have_url(re.compile("/receipts/"))
    reader.get_by_role("link", name="see it below the article").click()
    expect(reader.locator("#comment-1 .comment", has_text="To you.").last).to_be_visible()


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


def test_a_draft_outlives_a_server_that_is_away(chromium: Browser, blog: Serving) -> None:
    reader = window(chromium, blog)
    reader.goto(ARTICLE)
    fill(reader, "Sent into the void")
    blog.stop()
    reader.get_by_role("button", name="Send your answer").click()
    reader.wait_for_timeout(500)
    blog.start()
    reader.goto(ARTICLE)
    reader.get_by_role("button", name="Put it back").click()
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


def documents(blog: Serving) -> Iterator[str]:
    """Every kind of public page; the blog has the demonstration's conversation."""
    yield from ("/", ARTICLE, "/posts/the-second-chair/", "/archive/", "/tags/relationships/", "/about/")
    yield from ("/privacy", f"{ARTICLE}replies/1", "/nowhere", "/login")
    receipts = re.findall(r"(\w+) +http\S+(/receipts/\S+)", blog.run("demo"))
    yield from dict(receipts).values()


@pytest.mark.parametrize(("scheme", "width"), [("light", 360), ("dark", 1280)])
def test_axe_finds_nothing_on_any_public_page(
    chromium: Browser, blog: Serving, scheme: Any, width: int
) -> None:
    page = window(chromium, blog, color_scheme=scheme, viewport={"width": width, "height": 900})
    errors: list[str] = []
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    axe = Axe()
    for path in [*documents(blog)]:
        page.goto(path)
        found = axe.run(page)
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{path} is {wide} pixels too wide"
    page.goto(ARTICLE)
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#body[aria-invalid]")).to_be_visible()
    found = axe.run(page)
    assert found.violations_count == 0, found.generate_report()
    # The browser's own lines about the pages that are meant to be 404 and 422.
    assert [error for error in errors if "status of 4" not in error] == []
