"""Every public page in Chromium: axe, width, targets, the length of lines, and that nothing moves."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, Page, Route, expect
from werkzeug.serving import make_server

from tests.akismet_standin import AkismetStandIn
from tests.conftest import Make
from tests.everywhere import ARTICLE, PICTURES, documents, furnished
from tests.smtp_standin import MailServer

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)

AXE = Axe()
# What is pressed or typed in, and links that stand alone; those in a sentence are as high as its line.
SMALL = """() => [...document.querySelectorAll(
        "button, input:not([type=hidden]), select, textarea, summary, .top a, .foot a, .reply," +
        ".pages a, .pair a"
    )].filter((one) => one.checkVisibility() && !one.closest(".vh, .task-list-item"))
    .map((one) => one.closest("label.check") ?? one)
    .filter((one) => Math.round(one.getBoundingClientRect().height) < 44)
    .map((one) => one.outerHTML.slice(0, 120))"""
LENGTHS = """() => [...document.querySelectorAll(".text > p")].map((text) => {
        const range = document.createRange(), tops = new Set();
        range.selectNodeContents(text);
        for (const box of range.getClientRects()) tops.add(Math.round(box.top / 8));
        return [text.textContent.length, tops.size];
    })"""
SHIFTS = """() => new Promise((done) => {
        let sum = 0;
        new PerformanceObserver((list) => { for (const one of list.getEntries()) sum += one.value; })
            .observe({ type: "layout-shift", buffered: true });
        setTimeout(() => done(sum), 300);
    })"""


@pytest.fixture
def blog(make: Make, tmp_path: Path, mailserver: MailServer) -> Flask:
    """A blog with something of everything."""
    return furnished(make, tmp_path, mailserver)


@pytest.fixture
def paths(blog: Flask, akismet: AkismetStandIn, mailserver: MailServer) -> list[str]:
    """The addresses of all kinds of pages."""
    return [*documents(blog, akismet, mailserver)]


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


def examine(page: Page, where: str) -> None:
    """Nothing that axe finds, nothing that is too wide, no target that is too small."""
    found = AXE.run(page)
    assert found.violations_count == 0, f"{where}: {found.generate_report()}"
    assert page.evaluate(SMALL) == [], where
    size = page.viewport_size
    assert size is not None
    # 320 pixels are what a window of 1280 has at four times the size.
    for width in (size["width"], 320):
        page.set_viewport_size({**size, "width": width})
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{where} is {wide} pixels too wide for {width}"
    page.set_viewport_size(size)


def test_every_page_is_for_everybody(chromium: Browser, address: str, paths: list[str]) -> None:
    for scheme, width in (("light", 360), ("dark", 1280)):
        view: Any = {"color_scheme": scheme, "viewport": {"width": width, "height": 900}}
        context = chromium.new_context(base_url=address, reduced_motion="reduce", **view)
        context.set_default_timeout(30_000)
        page = context.new_page()
        errors: list[str] = []
        asked: list[str] = []
        page.on("console", lambda said, to=errors: to.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error, to=errors: to.append(str(error)))
        page.on("request", lambda request, to=asked: to.append(request.url))
        for path in paths:
            page.goto(path)
            examine(page, f"{path}, {scheme}")
        page.goto(ARTICLE)
        page.get_by_role("button", name="Preview").click()
        expect(page.locator("#body[aria-invalid]")).to_be_visible()
        examine(page, f"a refused form, {scheme}")
        page.locator("#body").fill("> Words\n\n- and\n- more")
        page.get_by_role("button", name="Preview").click()
        expect(page.locator("#preview li")).to_have_count(2)
        examine(page, f"a preview, {scheme}")
        # The browser's own lines about the pages that are meant to be 404, 410 and 422.
        assert [error for error in errors if "status of 4" not in error] == []
        assert [url for url in asked if not url.startswith(address)] == []
        assert [cookie["name"] for cookie in context.cookies()] == ["desk"]  # of the page to sign in
        context.close()


def test_nothing_moves_and_lines_are_as_long_as_in_a_book(
    chromium: Browser, address: str, paths: list[str]
) -> None:
    def slowly(route: Route) -> None:
        threading.Event().wait(0.3)
        route.continue_()

    for width in (360, 768, 1280):
        context = chromium.new_context(base_url=address, viewport={"width": width, "height": 900})
        page = context.new_page()
        page.route("**/*.svg", slowly)
        for path in (PICTURES, ARTICLE):
            page.goto(path)
            assert page.evaluate(SHIFTS) == 0, (path, width)
        page.goto(PICTURES)
        expect(page.locator("figure figcaption")).to_be_visible()
        page.goto(ARTICLE)
        long = [(letters, lines) for letters, lines in page.evaluate(LENGTHS) if lines > 3]
        line = sum(letters / (lines - 0.5) for letters, lines in long) / len(long)
        assert 60 <= line <= 75 if width > 360 else line < 60, f"{line:.0f} characters at {width} pixels"
        context.close()
