"""Twenty comments decided by keyboard alone, and the same twenty without scripts, in a real browser."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from blog.discussions import counts
from tests.browsing import desk, serving
from tests.conftest import Make
from tests.people import Reader

pytestmark = pytest.mark.browser
# A slow machine is no failure.
expect.set_options(timeout=20_000)
EACH = ["approve", "spam", "reject", "approve", "reject"]
ANYWHERE = {"approved": 8, "spam": 4, "rejected": 8, "pending": 0}


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
    with serving(blog) as url:
        yield url


def numbers(blog: Flask) -> dict[str, int]:
    with blog.app_context():
        return {name: number for name, number in counts().items() if name in ANYWHERE}


def decide_by_key(page: Page, decision: str) -> None:
    if decision == "reject":
        page.keyboard.press("r")
        page.keyboard.press("2")
    else:
        page.keyboard.press(decision[0])


def test_twenty_are_decided_by_keyboard_alone(
    chromium: Browser, blog: Flask, address: str, tmp_path: Path
) -> None:
    page = desk(chromium, blog, address)
    page.context.tracing.start(screenshots=True, title="Twenty comments decided by keyboard alone")
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
    # The recording, to be opened with `playwright show-trace`.
    page.context.tracing.stop(path=tmp_path / "twenty.zip")
    with zipfile.ZipFile(tmp_path / "twenty.zip") as recorded:
        assert len([name for name in recorded.namelist() if name.endswith(".jpeg")]) >= 20
    page.context.close()


def test_the_same_twenty_are_decided_without_scripts(chromium: Browser, blog: Flask, address: str) -> None:
    page = desk(chromium, blog, address, java_script_enabled=False)
    for decision in EACH * 4:
        item = page.locator("[data-comment]").first
        if decision == "reject":
            item.locator("summary").click()
            item.locator("select").select_option("unkind")
        item.locator(f"button[value={decision}]").click()
        page.wait_for_url("**said=**")
    expect(page.locator("[data-comment]")).to_have_count(0)
    assert numbers(blog) == ANYWHERE
    page.locator("[data-undo]").click()
    expect(page.locator("[data-comment]")).to_have_count(1)
    page.context.close()


def test_many_are_selected_and_decided_by_keyboard(chromium: Browser, blog: Flask, address: str) -> None:
    page = desk(chromium, blog, address)
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
    page.go_back()
    page.keyboard.press("j")
    page.keyboard.press("e")
    expect(page.locator("#body:focus")).to_be_visible()
    page.context.close()


def test_a_comment_is_edited_and_answered_by_keyboard(chromium: Browser, blog: Flask, address: str) -> None:
    page = desk(chromium, blog, address, "comments/3")
    page.keyboard.press("e")
    expect(page.locator("#body:focus")).to_be_visible()
    page.keyboard.type("More. ")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("ins")).to_have_count(1)
    page.wait_for_load_state()  # keys before the script is there go nowhere
    page.keyboard.press("p")
    page.keyboard.type("Thank you.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#said [role=status]")).to_have_text("Published, with your answer.")
    page.wait_for_load_state()
    page.keyboard.press("z")
    expect(page.locator("#answer")).to_have_value("Thank you.")
    assert numbers(blog)["pending"] == 20
    page.context.close()


def test_akismet_is_asked_again_without_leaving_the_page(
    chromium: Browser, blog: Flask, address: str
) -> None:
    page = desk(chromium, blog, address)
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.locator("[formaction='/moderation/recheck']").click()
    expect(page.locator("#said [role=status]")).to_have_text(
        "Asked about 1 of 1; what Akismet says now stands beside each."
    )
    expect(page.locator("[data-comment]")).to_have_count(20)
    page.context.close()
