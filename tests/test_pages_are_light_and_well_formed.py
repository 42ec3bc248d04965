"""Every public page parses without an error, sets no cookie and asks nobody else for anything."""

from __future__ import annotations

import re
from collections.abc import Iterator

import html5lib
import pytest
from flask import Flask

from blog.config import bundled
from tests.conftest import Make
from tests.people import Reader

ARTICLE = "/posts/reciprocal-relationships/"
PAGES = ("/", ARTICLE, "/posts/the-second-chair/", "/archive/", "/tags/relationships/", "/about/", "/privacy")
BUDGET = 30_000


@pytest.fixture
def blog(make: Make) -> Flask:
    """The sample articles with a conversation."""
    app = make(content_dir=bundled("content"), comments_per_page=20)
    assert app.test_cli_runner().invoke(args=["demo"]).exit_code == 0
    return app


def documents(reader: Reader) -> Iterator[tuple[str, str]]:
    """Every kind of page that a reader can come to, by its address."""
    receipt = reader.stored(slug="the-second-chair", body="> One\n\n- two\n\n`three` <b>")
    for path in (*PAGES, f"{ARTICLE}replies/1", receipt, "/nowhere", "/login"):
        yield path, reader.get(path).text
    for typed in ({"body": ""}, {"body": "Look *first*.", "preview": "1"}, {"parent": "99"}):
        yield str(typed), reader.answer(slug="the-second-chair", **typed).text


def test_a_strict_parser_finds_no_error(blog: Flask) -> None:
    for path, text in documents(Reader(blog)):
        parser = html5lib.HTMLParser(strict=False, namespaceHTMLElements=False)
        parser.parse(text)
        wrong = [(place, code, text.splitlines()[place[0] - 1]) for place, code, _ in parser.errors]
        assert wrong == [], path


def test_an_id_stands_once_and_every_reference_finds_its_element(blog: Flask) -> None:
    for path, text in documents(Reader(blog)):
        ids = re.findall(r'\sid="([^"]+)"', text)
        assert len(ids) == len(set(ids)), path
        named = re.findall(r'\s(?:for|aria-labelledby|aria-describedby|aria-controls)="([^"]+)"', text)
        named += re.findall(r'\shref="#([^"]+)"', text)
        assert {name for names in named for name in names.split()} - set(ids) == set(), path


def test_no_public_page_sets_a_cookie_or_loads_from_elsewhere(blog: Flask) -> None:
    reader = Reader(blog)
    for path in PAGES:
        page = reader.get(path)
        assert page.status == 200, path
        assert "Set-Cookie" not in page.headers
        loaded = page.all("script[src], img[src], source[src], link[rel=stylesheet], link[rel=icon]")
        assert all((item.get("src") or item.get("href")).startswith("/") for item in loaded), path


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
