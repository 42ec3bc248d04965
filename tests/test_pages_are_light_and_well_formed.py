"""Every public page parses without an error, sets no cookie and asks nobody else for anything."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import html5lib
import pytest
from flask import Flask

from tests.akismet_standin import AkismetStandIn
from tests.conftest import Make
from tests.everywhere import ARTICLE, NO_PAGES, documents, furnished
from tests.people import Page, Reader
from tests.smtp_standin import MailServer

CLOSED = "/posts/closed/comments"
BUDGET = 30_000


@pytest.fixture
def blog(make: Make, tmp_path: Path, mailserver: MailServer) -> Flask:
    """A blog with something of everything."""
    return furnished(make, tmp_path, mailserver)


@pytest.fixture
def pages(
    blog: Flask, make: Make, akismet: AkismetStandIn, mailserver: MailServer
) -> dict[str, tuple[int, Page]]:
    """Every kind of page, with the status that it must have, by its address or by what led to it."""
    reader = Reader(blog)
    found = {path: (code, reader.get(path)) for path, code in documents(blog, akismet, mailserver).items()}
    found |= {f"refusal {number}": answer for number, answer in enumerate(refusals(reader))}
    path = blog.extensions["blog.settings"].data_dir / "blog.db"
    content = blog.extensions["blog.settings"].content_dir
    unwritable = make(database_url=f"sqlite:///file:{path}?mode=ro&uri=true", content_dir=content)
    found["the store cannot be written"] = (503, Reader(unwritable).answer(slug="the-second-chair"))
    return found


def refusals(reader: Reader) -> Iterator[tuple[int, Page]]:
    """What comes back when a form cannot be taken, and the preview."""
    typed = {"body": "Look *first*.", "author": "Ada", "email": "ada@example.org"}
    for code, more in (
        (422, {"body": ""}),
        (422, {"author": "", "email": "no", "url": "javascript:x", "audience": "all", "parent": "99"}),
        (200, {"preview": "1"}),
    ):
        yield code, reader.answer(slug="the-second-chair", **{**typed, **more})
    yield 403, reader.post(CLOSED, typed)
    yield 410, reader.post("/posts/over/comments", typed)
    yield 404, reader.post("/posts/nowhere/comments", typed)
    yield 413, reader.post(CLOSED, {**typed, "body": "x" * 300_000})
    yield 405, Page(reader.client.delete("/"))
    receipt = reader.stored(slug="the-second-chair", no_akismet="y")
    yield 422, reader.post(f"{receipt}/edit", {"body": ""})
    yield 409, reader.post(f"{receipt}/appeal", {"words": "Now."})
    yield 422, reader.post(f"{receipt}/erasure", headers={"Sec-Fetch-Site": "cross-site"})


def test_every_page_is_well_formed_and_keeps_to_itself(
    blog: Flask, pages: dict[str, tuple[int, Page]]
) -> None:
    for path, (code, page) in pages.items():
        assert page.status == code, path
        assert parse_errors(page) == [], path
        assert ids_that_are_wrong(page) == set(), path
        assert "Set-Cookie" not in page.headers or path == "/login", path
        loaded = page.all("script[src], img[src], source[src], link[rel=stylesheet], link[rel=icon]")
        assert all((item.get("src") or item.get("href")).startswith("/") for item in loaded), path
    adapter = blog.url_map.bind("localhost")
    seen = {
        adapter.match(path.partition("?")[0])[0]
        for path in pages
        if path.startswith("/") and "nowhere" not in path
    }
    readers = {rule.endpoint for rule in blog.url_map.iter_rules() if "GET" in (rule.methods or ())}
    desk = {name for name in readers if name.startswith(("lists.", "maildesk.", "measures.", "moderation."))}
    assert seen == readers - desk - NO_PAGES, "a kind of page is not in the list"


def parse_errors(page: Page) -> list[tuple[object, str, str]]:
    """What a strict parser has against a page, with the line."""
    parser = html5lib.HTMLParser(strict=False, namespaceHTMLElements=False)
    parser.parse(page.text)
    lines = page.text.splitlines()
    return [(place, code, lines[place[0] - 1]) for place, code, _ in parser.errors]


def ids_that_are_wrong(page: Page) -> set[str]:
    """Ids that stand twice, and references that lead nowhere."""
    ids = re.findall(r'\sid="([^"]+)"', page.text)
    named = re.findall(r'\s(?:for|aria-labelledby|aria-describedby|aria-controls)="([^"]+)"', page.text)
    named += re.findall(r'\shref="#([^"]+)"', page.text)
    lost = {name for names in named for name in names.split()} - set(ids)
    return lost | {name for name in ids if ids.count(name) > 1}


@pytest.mark.parametrize("encoding", ["gzip", "br"])
def test_a_first_visit_to_an_article_with_twenty_comments_is_light(blog: Flask, encoding: str) -> None:
    reader = Reader(blog)
    for number in range(20):
        reader.stored(
            slug="reciprocal-relationships",
            author=f"Somebody {number}",
            body=" ".join(f"Sentence {number * 40 + word} says something else." for word in range(12)),
        )
    page = reader.get(ARTICLE)
    assert len(page.all("#comments .comment")) >= 20
    parts = [ARTICLE, *(item.get("src") for item in page.all("script[src]"))]
    parts += [item.get("href") for item in page.all("link[rel=stylesheet], link[rel=icon]")]
    assert len(parts) == 4
    total = 0
    for part in parts:
        answer = reader.client.get(part, headers={"Accept-Encoding": encoding})
        assert answer.status_code == 200
        total += len(answer.data) + len(str(answer.headers))
    assert total <= BUDGET, f"{total} bytes in {encoding}"
