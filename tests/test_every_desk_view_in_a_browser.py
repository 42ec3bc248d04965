"""Every view of the desk in a browser: for everybody, on a phone, in light and dark, by keyboard alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, Page

from tests.akismet_standin import SPAM, AkismetStandIn
from tests.browsing import desk, serving
from tests.conftest import Make, signed_in
from tests.people import Reader
from tests.test_the_blind_sample import weeks_pass

pytestmark = pytest.mark.browser

VIEWS = {
    "the queue": "",
    "flagged": "?status=spam",
    "all of an article": "?status=all&article=open-letter",
    "nothing found": "?q=nothing",
    "a comment": "comments/1",
    "its history": "comments/4",
    "the word lists": "lists",
    "the rules": "rules",
    "the blind sample": "sample",
    "the figures": "figures",
    "the log": "log",
    "mail": "mail",
    "people": "people",
    "the account": "account",
}
# Only the colours differ.
LOOKS: dict[str, dict[str, Any]] = {"light": {}, "dark": {"runOnly": ["color-contrast"]}}
# What can be reached by Tab is listed; each must show where it is.
FOCUS = """() => {
  const one = document.activeElement, box = one.getBoundingClientRect(), style = getComputedStyle(one);
  return {
    name: one.outerHTML.slice(0, 120), end: one === document.body,
    outline: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    inView: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
  };
}"""
REACHABLE = """document.querySelectorAll(
  "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']"
)"""


@pytest.fixture
def address(make: Make, akismet: AkismetStandIn) -> Iterator[tuple[Flask, str]]:
    """A desk where there is something in every view, and where it answers."""
    app = make(moderation="all", smtp_url="smtp://127.0.0.1:9", mail_from="blog@blog.example")
    reader, moderator = Reader(app), signed_in(app)
    akismet.answer_with(SPAM)
    reader.stored(body="Judged by lot.")
    weeks_pass(app)
    akismet.answer_with()
    for number in range(2, 6):
        reader.stored(
            author=f"Reader {number}", email="ada@example.org", body=f"Answer {number}, *with* `code`."
        )
    moderator.decide("reject", 3, reason="unkind", note="Please be kind.")
    moderator.decide("approve", 4)
    fields = moderator.get("/moderation/comments/4").fields('form[action$="/edit"]')
    moderator.post("/moderation/comments/4/edit", {**fields, "body": "Answer four, *with* `code`."})
    with serving(app) as url:
        yield app, url


def views(app: Flask) -> dict[str, str]:
    """Every view, and that after a decision, which has its undo."""
    decided = signed_in(app).decide("approve", 5).headers["Location"]
    return VIEWS | {"a page with its undo": decided.removeprefix("/moderation/")}


def everybody_can_use(page: Page, name: str) -> None:
    """No violation, nothing too wide, nothing too small for a thumb."""
    page.evaluate("document.querySelectorAll('main details').forEach((box) => { box.open = true; })")
    for scheme, asked in LOOKS.items():
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        found = Axe().run(page, options=asked)
        assert found.violations_count == 0, f"{name}, {scheme}: {found.generate_report()}"
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{name} is {wide} px too wide"
    small = page.evaluate(
        """[...document.querySelectorAll("main :is(button, .button, summary, select)")]
             .filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 44)
             .map((one) => one.outerHTML)"""
    )
    assert small == [], name


def test_every_view_can_be_used_by_everybody_on_a_phone(
    chromium: Browser, address: tuple[Flask, str]
) -> None:
    app, url = address
    page = desk(chromium, app, url, viewport={"width": 360, "height": 740})
    for name, path in views(app).items():
        page.goto(f"{url}/moderation/{path}")
        everybody_can_use(page, name)
    page.goto(f"{url}/moderation/?status=spam")
    page.locator("[formaction='/moderation/emptying']").click()
    page.wait_for_url("**/emptying")
    everybody_can_use(page, "deleting for good")
    page.context.close()


def test_every_view_is_reached_by_keyboard_and_shows_where_one_is(
    chromium: Browser, address: tuple[Flask, str]
) -> None:
    app, url = address
    phone = {"width": 360, "height": 740}
    page = desk(chromium, app, url, viewport=phone, reduced_motion="reduce")  # no scrolling meanwhile
    for name, path in views(app).items():
        page.goto(f"{url}/moderation/{path}")
        wanted = page.evaluate(
            f"[...{REACHABLE}].filter((one) => one.checkVisibility() && !one.disabled).length"
        )
        page.evaluate("document.activeElement.blur()")
        reached = 0
        for _ in range(wanted + 1):
            page.keyboard.press("Tab")
            here = page.evaluate(FOCUS)
            if here["end"]:
                break
            reached += 1
            assert here["outline"], f"{name}: no focus to be seen on {here['name']}"
            assert here["inView"], f"{name}: out of sight: {here['name']}"
        assert reached >= wanted - 1, f"{name}: {reached} of {wanted} reached"
    page.context.close()
