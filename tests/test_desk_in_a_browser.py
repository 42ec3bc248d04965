"""Twenty comments decided by keyboard alone, and the same twenty without scripts, in a real browser."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, Page, expect, sync_playwright
from werkzeug.serving import make_server

from blog.discussions import counts
from tests.conftest import Make, signed_in
from tests.needs import needs_browser
from tests.people import Reader

pytestmark = pytest.mark.browser
# A slow machine is no failure.
expect.set_options(timeout=20_000)
EACH = ["approve", "spam", "reject", "approve", "reject"]
ANYWHERE = {"approved": 8, "spam": 4, "rejected": 8, "pending": 0}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real Chromium."""
    path = needs_browser()
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def blog(make: Make) -> Flask:
    """A blog where twenty comments wait."""
    app = make(moderation="all")
    reader = Reader(app)
    for number in range(1, 21):
        reader.stored(author=f"Reader {number}", body=f"Answer *{number}*.\n\n> quoted\n\n`code`")
    return app


@pytest.fixture
def address(blog: Flask) -> Iterator[str]:
    """Where it answers."""
    server = make_server("127.0.0.1", 0, blog, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def desk(browser: Browser, blog: Flask, address: str, path: str = "", **options: Any) -> Page:
    """The desk in a browser in which ana is signed in."""
    context = browser.new_context(**options)
    cookie = signed_in(blog).client.get_cookie("moderator", domain="localhost")
    assert cookie is not None
    context.add_cookies([{"name": "moderator", "value": cookie.value, "url": address}])
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.goto(f"{address}/moderation/{path}")
    return page


def numbers(blog: Flask) -> dict[str, int]:
    with blog.app_context():
        return {name: number for name, number in counts().items() if name in ANYWHERE}


def decide_by_key(page: Page, decision: str) -> None:
    if decision == "reject":
        page.keyboard.press("r")
        page.keyboard.press("2")
    else:
        page.keyboard.press(decision[0])


def test_twenty_are_decided_by_keyboard_alone(browser: Browser, blog: Flask, address: str) -> None:
    page = desk(browser, blog, address)
    loads: list[str] = []
    page.on("load", lambda loaded: loads.append(loaded.url))
    page.keyboard.press("j")
    for place, decision in enumerate(EACH * 4):
        focused = page.locator("[data-comment]:focus")
        expect(focused).to_have_attribute("data-comment", str(place + 1))
        decide_by_key(page, decision)
        words = {"approve": "approved", "spam": "marked as spam", "reject": "rejected"}[decision]
        expect(page.locator("#said [role=status]")).to_have_text(f"1 comment {words}.")
        expect(page.locator("[data-count=pending]")).to_have_text(str(19 - place))
    expect(page.locator(".empty")).to_be_visible()
    assert numbers(blog) == ANYWHERE
    page.keyboard.press("z")
    expect(page.locator("[data-comment='20']:focus")).to_be_visible()
    assert numbers(blog)["pending"] == 1
    assert loads == []
    page.context.close()


def test_the_same_twenty_are_decided_without_scripts(browser: Browser, blog: Flask, address: str) -> None:
    page = desk(browser, blog, address, java_script_enabled=False)
    for decision in EACH * 4:
        item = page.locator("[data-comment]").first
        if decision == "reject":
            item.locator("summary").click()
            item.locator("select").select_option("unkind")
        item.locator(f"button[value={decision}]").click()
        page.wait_for_url("**message=**")
    expect(page.locator("[data-comment]")).to_have_count(0)
    assert numbers(blog) == ANYWHERE
    page.locator("[data-undo]").click()
    expect(page.locator("[data-comment]")).to_have_count(1)
    page.context.close()


def test_many_are_selected_and_decided_by_keyboard(browser: Browser, blog: Flask, address: str) -> None:
    page = desk(browser, blog, address)
    for key in ("j", "x", "j", "j", "x", "Shift+S"):
        page.keyboard.press(key)
    expect(page.locator("#said [role=status]")).to_have_text("2 comments marked as spam.")
    expect(page.locator("[data-comment='2']")).to_be_visible()
    page.keyboard.press("z")
    expect(page.locator("[data-comment='1']")).to_be_visible()
    expect(page.locator("[data-count=spam]")).to_have_text("0")
    page.keyboard.press("/")
    page.keyboard.type("asr answer")
    assert page.locator("#q").input_value() == "asr answer"
    assert numbers(blog)["pending"] == 20
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("p")
    expect(page.locator("#answer:focus")).to_be_visible()
    page.context.close()


def test_a_comment_is_edited_and_answered_by_keyboard(browser: Browser, blog: Flask, address: str) -> None:
    page = desk(browser, blog, address, "comments/3")
    page.keyboard.press("e")
    expect(page.locator("#body:focus")).to_be_visible()
    page.keyboard.type("More. ")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("ins")).to_have_count(1)
    page.keyboard.press("p")
    page.keyboard.type("Thank you.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#said [role=status]")).to_have_text("Published, with your answer.")
    page.context.close()


def test_akismet_is_asked_again_without_leaving_the_page(browser: Browser, blog: Flask, address: str) -> None:
    page = desk(browser, blog, address)
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.locator("[formaction='/moderation/recheck']").click()
    expect(page.locator("#said [role=status]")).to_have_text(
        "Asked about 1 of 1; what Akismet says now stands beside each."
    )
    expect(page.locator("[data-comment]")).to_have_count(20)
    page.context.close()


VIEWS = ("", "?status=spam", "comments/1", "rules", "log", "people", "account", "lists")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_view_can_be_used_by_everybody(
    browser: Browser, blog: Flask, address: str, scheme: Any
) -> None:
    moderator = signed_in(blog)
    moderator.decide("spam", 1, 2)
    moderator.decide("reject", 3, reason="unkind")
    page = desk(browser, blog, address, color_scheme=scheme, viewport={"width": 360, "height": 740})
    for path in VIEWS:
        page.goto(f"{address}/moderation/{path}")
        page.evaluate("document.querySelectorAll('main details').forEach((box) => { box.open = true; })")
        found = Axe().run(page)
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{path} is {wide} px too wide"
        small = page.evaluate(
            """[...document.querySelectorAll("main :is(button, .button, summary, select)")]
                 .filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 44)
                 .map((one) => one.outerHTML)"""
        )
        assert small == [], path
    page.context.close()
