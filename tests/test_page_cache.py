"""A public page is drawn once, and answered from memory until what it shows has changed."""

from __future__ import annotations

import gzip
import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import brotli
import pytest
from flask import Flask, Response, request
from werkzeug.test import Client, TestResponse

from blog.freshness import FIXED
from blog.pagecache import PageCache, share
from blog.variants import choose, is_match

SLUG = "open-letter"
ARTICLE = f"/posts/{SLUG}/"
LONG = "<p>" + "Some words that say the same again and again. " * 100 + "</p>"


class Site:
    """A few pages that count how often they are drawn, behind a page cache over a real blog's store."""

    def __init__(self, blog: Flask, most_bytes: int = 1_000_000) -> None:
        self.drawn: Counter[str] = Counter()
        self.during: Callable[[], Any] = lambda: None
        self.status = 200
        self.text = LONG
        self.until: datetime | None = None
        app = Flask(__name__)
        app.add_url_rule("/", view_func=self.page, endpoint="front")
        app.add_url_rule("/<path:rest>", view_func=self.page)
        self.cache = PageCache(app.wsgi_app, blog.extensions["blog.freshness"], most_bytes)
        self.client = Client(self.cache)

    def page(self, rest: str = "") -> Response:
        self.drawn[request.path] += 1
        self.during()
        response = Response(f"{self.text} {request.args.get('page', 1)}", self.status)
        if rest.startswith("cookie"):
            response.set_cookie("a", "b")
        if rest.startswith("private"):
            response.headers["Cache-Control"] = "no-store"
        if rest.startswith("silent"):
            return response
        scope = SLUG if SLUG in rest else FIXED if rest.startswith("fixed") else None
        return share(response, scope, query=("page",), until=self.until)

    def get(self, path: str = ARTICLE, method: str = "GET", **headers: str) -> TestResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.open(path, method=method, headers=named)


@pytest.fixture
def site(app: Flask) -> Site:
    return Site(app)


def test_the_second_reader_gets_the_same_bytes_and_nothing_is_drawn(site: Site) -> None:
    assert site.get().data == site.get().data == site.get("/").data
    assert site.drawn == {ARTICLE: 1, "/": 1}


def test_what_a_page_does_not_depend_on_makes_no_second_page(site: Site) -> None:
    for query in ("", "?utm_source=x", "?page=2", "?b=1&page=2", "?page=2&page=3", "?page=1"):
        site.get(ARTICLE + query)
    assert site.drawn[ARTICLE] == 3  # none, 2 and 1
    assert site.get(ARTICLE + "?page=2&x=%ff").text.endswith(" 2")
    assert site.get(ARTICLE + "?x=page").text.endswith(" 1")


@pytest.mark.parametrize("path", ["/cookie", "/private", "/silent"])
def test_a_page_for_one_person_is_never_kept(site: Site, path: str) -> None:
    site.get(path)
    site.get(path)
    assert site.drawn[path] == 2


def test_only_a_page_that_worked_is_kept(site: Site) -> None:
    for status in (404, 500, 503):
        site.status = status
        assert site.get().status_code == status
    site.status = 200
    assert site.get().status_code == site.get().status_code == 200
    assert site.drawn[ARTICLE] == 4


def test_posting_goes_past_it(site: Site) -> None:
    site.get()
    assert site.get(method="POST").status_code == 405
    assert site.get(method="OPTIONS").data == b""


def test_caches_have_to_ask_each_time(site: Site) -> None:
    headers = site.get().headers
    assert headers["Cache-Control"] == "public, max-age=0, must-revalidate"
    assert headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        (None, "identity"),
        ("", "identity"),
        ("gzip", "gzip"),
        ("x-gzip", "gzip"),
        ("gzip, deflate, br, zstd", "br"),
        ("br;q=0.5, gzip;q=1.0", "gzip"),
        ("br;q=0, gzip;q=0", "identity"),
        ("gzip;q=0.001", "gzip"),
        ("GZIP ; Q=0.5", "gzip"),
        ("*", "br"),
        ("*;q=0.5, br;q=0", "gzip"),
        ("identity, gzip;q=0.5", "identity"),
        ("identity;q=0, gzip", "gzip"),
        ("deflate", "identity"),
        ("gzip;q=nonsense", "identity"),
        ("gzip;q=nan, br;q=2", "identity"),
        ("identity;q=0", "none"),
        ("*;q=0", "none"),
        ("*;q=0, identity", "identity"),
        (",;=,,", "identity"),
    ],
)
def test_a_browser_gets_the_coding_that_it_asks_for(accepted: str | None, coding: str) -> None:
    assert choose(accepted) == coding


def test_each_coding_is_the_same_page(site: Site) -> None:
    plain = site.get()
    packed = site.get(Accept_Encoding="gzip")
    small = site.get(Accept_Encoding="br, gzip")
    assert plain.headers.get("Content-Encoding") is None
    assert gzip.decompress(packed.data) == brotli.decompress(small.data) == plain.data
    assert len(small.data) < len(plain.data) > len(packed.data)
    assert len({page.headers["ETag"] for page in (plain, packed, small)}) == 3
    for page in (plain, packed, small):
        assert page.headers["Content-Length"] == str(len(page.data))
    assert site.drawn[ARTICLE] == 1


def test_who_accepts_no_form_of_it_is_told_so(site: Site) -> None:
    refused = site.get(Accept_Encoding="*;q=0")
    assert refused.status_code == 406
    assert refused.headers["Cache-Control"] == "no-store"
    assert site.get().status_code == 200


def test_a_head_is_the_page_without_its_body(site: Site) -> None:
    head, page = site.get(method="HEAD", Accept_Encoding="gzip"), site.get(Accept_Encoding="gzip")
    assert head.data == b""
    assert dict(head.headers) == dict(page.headers)
    assert site.drawn[ARTICLE] == 1
    assert site.get("/silent", method="HEAD").data == b""


def test_who_has_the_page_already_gets_no_body(site: Site) -> None:
    page = site.get(Accept_Encoding="gzip")
    tag = page.headers["ETag"]
    for known in (tag, f"W/{tag}", f'"a", {tag}', "*"):
        same = site.get(Accept_Encoding="gzip", If_None_Match=known)
        assert (same.status_code, same.data) == (304, b"")
        assert same.headers["ETag"] == tag
        assert same.headers["Vary"] == "Accept-Encoding"
        assert "Content-Length" not in same.headers
        assert "Content-Type" not in same.headers
    for known in ('"other"', tag.strip('"'), "", '"*"'):
        assert site.get(Accept_Encoding="gzip", If_None_Match=known).status_code == 200
    assert not is_match(tag, page.headers["ETag"].replace("gzip", "br"))


def test_every_worker_gives_the_same_page_the_same_tag(app: Flask) -> None:
    assert Site(app).get().headers["ETag"] == Site(app).get().headers["ETag"]


def test_many_who_ask_at_once_for_a_stale_page_wait_for_one_drawing(site: Site, content: Any) -> None:
    site.get()
    with (content / f"{SLUG}.md").open("a") as file:
        file.write("More.\n")
    site.during = lambda: threading.Event().wait(0.1)
    pages: list[bytes] = []
    threads = [threading.Thread(target=lambda: pages.append(site.get().data)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert len(pages) == 8
    assert site.drawn[ARTICLE] <= 3  # once before, once now, and once if the change was seen in between


def test_many_who_ask_at_once_for_a_page_that_was_never_drawn_wait_for_one_drawing(site: Site) -> None:
    site.during = lambda: threading.Event().wait(0.1)
    for path in (ARTICLE, "/"):
        pages: list[bytes] = []
        threads = [
            threading.Thread(target=lambda p=path, to=pages: to.append(site.get(p).data)) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(5)
        assert len(pages) == 8
        assert site.drawn[path] <= 2  # a second time when the files were first looked at in between


def test_who_waits_does_not_wait_for_ever_when_drawing_fails(site: Site, content: Any) -> None:
    site.get()
    (content / f"{SLUG}.md").touch()
    began = threading.Event()

    def fail() -> None:
        began.set()
        threading.Event().wait(0.1)
        site.during = lambda: None
        raise RuntimeError

    site.during = fail
    first = threading.Thread(target=site.get)
    first.start()
    assert began.wait(5)
    assert site.get().status_code == 200
    first.join(5)


def test_a_change_while_a_page_is_drawn_is_not_lost(site: Site, content: Any) -> None:
    site.get()
    path = content / f"{SLUG}.md"
    path.touch()

    def edit() -> None:
        site.during = lambda: None
        with path.open("a") as file:
            file.write("More.\n")

    site.during = edit
    site.get()
    drawn = site.drawn[ARTICLE]
    site.get()
    assert site.drawn[ARTICLE] == drawn + 1


def test_what_changes_by_itself_is_drawn_again_then(site: Site) -> None:
    site.until = datetime.now(UTC) + timedelta(seconds=0.2)
    site.get()
    threading.Event().wait(0.3)
    site.until = None
    site.get()
    assert site.drawn[ARTICLE] == 2


def test_memory_is_bounded_and_what_is_read_stays(app: Flask) -> None:
    site = Site(app, most_bytes=100_000)
    asked = ("localhost", ARTICLE, "", None, None)
    for number in range(60):
        site.get(f"/page-{number}")
        site.get()
        assert site.cache.find(*asked) is not None
    assert site.drawn[ARTICLE] == 1
    site.get("/page-0")
    assert site.drawn["/page-0"] == 2


def test_a_page_that_is_too_large_is_not_kept(app: Flask) -> None:
    site = Site(app, most_bytes=10_000)
    assert len(site.get().data) == len(site.get().data) > 4000
    assert site.drawn[ARTICLE] == 2


def test_strange_wordings_of_a_request_do_not_fill_the_memory(site: Site) -> None:
    for number in range(1000):
        site.get(f"{ARTICLE}?utm={number}", Accept_Encoding=f"gzip;q=0.{number + 1}")
    assert site.drawn[ARTICLE] == 1
    assert len(site.cache._asked) <= 64
    for number in range(100):
        site.get(f"{ARTICLE}?utm={number}{'x' * 20_000}", Accept_Encoding="gzip" + "," * 20_000)
    assert sum(len(word or "") for wording in site.cache._asked for word in wording) < 64 * 1024


def test_a_question_with_thousands_of_tags_is_not_answered_in_the_thread_that_reads(site: Site) -> None:
    tag = site.get().headers["ETag"]
    many = '"a",' * 1000 + tag
    assert site.get(If_None_Match=many).status_code == 304
    assert site.cache.find("localhost", ARTICLE, "", None, many) is None


def test_the_short_way_knows_only_what_was_asked_in_the_same_words(site: Site) -> None:
    asked = ("localhost", ARTICLE, "", "gzip", None)
    assert site.cache.find(*asked) is None
    page = site.get(Accept_Encoding="gzip")
    answer = site.cache.find(*asked)
    assert answer is not None
    assert answer.body == page.data
    assert site.cache.find("elsewhere.example", ARTICLE, "", "gzip", None) is None
    assert site.cache.find("localhost", ARTICLE, "page=2", "gzip", None) is None
    same = site.cache.find("localhost", ARTICLE, "", "gzip", page.headers["ETag"])
    assert same is not None
    assert same.code == 304


def test_the_short_way_ends_when_the_article_changes(site: Site, content: Any) -> None:
    asked = ("localhost", ARTICLE, "", None, None)
    site.get()
    assert site.cache.find(*asked) is not None
    (content / f"{SLUG}.md").touch()
    assert site.cache.find(*asked) is None


def test_a_page_stands_in_while_the_store_is_away(site: Site, app: Flask) -> None:
    page = site.get().data
    with app.app_context():
        app.extensions["blog.freshness"]._hour -= 1  # a page of the hour before
    site.cache._freshness.moment = object()
    site.status, site.text = 503, "away"
    assert site.get().data == page
    assert site.get("/").status_code == 503  # never drawn before


def test_no_page_stands_in_for_an_article_that_was_taken_down(site: Site, content: Any) -> None:
    site.get()
    (content / f"{SLUG}.md").unlink()
    site.status, site.text = 503, "away"
    assert site.get().status_code == 503


def test_what_never_changes_at_its_address_is_drawn_once(site: Site, content: Any) -> None:
    site.get("/fixed.css")
    (content / f"{SLUG}.md").unlink()
    site.cache._freshness.moment = object()
    site.get("/fixed.css")
    assert site.drawn["/fixed.css"] == 1
