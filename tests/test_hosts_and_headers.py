"""Whatever is asked, the answer carries the headers; whoever is meant by another name is refused."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from lxml import html
from werkzeug.test import Client, TestResponse

from blog.config import Settings
from blog.headers import on_site
from blog.hosts import KnownHosts

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
POLICY = "Content-Security-Policy"
SCRIPT = (
    "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HOSTILE_PATHS = [
    "/%00",
    "/%ff%fe",
    "/posts/%00/",
    "/posts/%ff/",
    "/posts/../../etc/passwd",
    "/posts/%2e%2e%2f%2e%2e/",
    "//evil.example/",
    "/posts/" + "a" * 20_000 + "/",
    "/" * 5_000,
    "/a" * 5_000,
    "/posts/%0d%0aSet-Cookie:x=1/",
    "/posts/%ud800/",
    "/posts/%",
    "/comments/9223372036854775808",
    "/comments/" + "9" * 400,
    "/comments/-1",
    "/comments/%d9%a1",
    "/receipts/" + "x" * 5_000,
    "/receipts/%00",
    "/receipts/%f0%9f",
    "/moderation/comments/" + "9" * 30,
    "/static/../wsgi.py",
    "/static/%00",
    "/\\evil.example",
    "/posts/open-letter/%2e%2e/%2e%2e/hidden.md",
    "/tags/%00/feed.xml",
    "/tags/%ff/feed.xml",
    "/posts/a%0a/comments.xml",
]
HOSTILE_QUERIES = [
    "page=%ff",
    "page=" + "9" * 500,
    "page=%d9%a1",
    "page=1_0",
    "%",
    "=&=&;",
    "q=%00&q=%ed%a0%80",
    "a" * 9_000,
]
HOSTILE_HEADERS = [
    {"Cookie": "\xff\x00=;;;=x; desk=\xf0"},
    {"Accept": ";;q=x,,*/"},
    {"Accept-Language": "\xff"},
    {"Range": "bytes=9-1"},
    {"Range": "bytes=" + "0-0," * 900},
    {"If-None-Match": '"\xff'},
    {"If-Modified-Since": "Mon, 99 Foo 99999 99:99:99 GMT"},
    {"Content-Length": "-1"},
    {"Content-Length": "9" * 40},
    {"Content-Type": "multipart/form-data; boundary=\xff"},
    {"Referer": "http://["},
    {"Origin": "null\xff"},
    {"User-Agent": "\x01" * 900},
    {"X-Forwarded-For": "\xff," * 99},
    {"Authorization": "Basic \xff"},
    {"Transfer-Encoding": "chunked"},
]
METHODS = [
    "GET",
    "HEAD",
    "OPTIONS",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "TRACE",
    "CONNECT",
    "PROPFIND",
    "get",
    "X" * 300,
    "É",
]


def seen_by(settings: Settings, host: str | None, **environ: str) -> TestResponse:
    """What somebody gets who calls the site by this name."""

    def answer(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b"here"]

    values = {"HTTP_HOST": host, **environ}
    site = KnownHosts(answer, settings)

    def served(environ: Any, start_response: Any) -> Any:
        del environ["HTTP_HOST"]
        environ.update({name: value for name, value in values.items() if value is not None})
        return site(environ, start_response)

    return Client(served, TestResponse).get("/")


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LocalHost:8000",
        "127.0.0.1",
        "127.0.0.1:1",
        "127.8.9.10:80",
        "[::1]:8000",
        "[0:0:0:0:0:0:0:1]",
    ],
)
def test_a_blog_on_this_machine_answers_to_every_name_of_it(host):
    assert seen_by(Settings(), host).status_code == 200


@pytest.mark.parametrize("host", ["blog.example", "BLOG.example", "blog.example:443", "blog.example:8443"])
def test_a_blog_answers_to_its_own_name_on_any_port(host):
    assert seen_by(Settings(site_url="https://blog.example"), host).status_code == 200


@pytest.mark.parametrize(
    ("site", "host"),
    [("http://bücher.example", "xn--bcher-kva.example"), ("http://[2001:db8::1]", "[2001:DB8:0::1]:80")],
)
def test_a_name_has_several_spellings(site, host):
    assert seen_by(Settings(site_url=site), host).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        None,
        "",
        " ",
        "evil.example",
        "localhost.evil.example",
        "evil.example:8000",
        "127.0.0.1.evil.example",
        "128.0.0.1",
        "localhost:",
        "localhost:x",
        "localhost:99999",
        "localhost:8000:8000",
        "user@localhost",
        "localhost/",
        "localhost,evil",
        "localhost evil",
        "localhost\t",
        "localhost\n",
        "127.1",
        "127.0.0.256",
        "0.0.0.0",
        "[::2]",
        "[::1",
        "::1",
        "[::1%lo]",
        "[::ffff:127.0.0.1]",
        "localhost٨",
        "ｌocalhost",
        "\x00",
        "a" * 70_000,
        "localhost:8000, localhost:8000",
        ".localhost",
    ],
)
def test_another_name_is_refused(host):
    refused = seen_by(Settings(), host)
    assert refused.status_code == 400
    assert refused.mimetype == "text/html"
    assert dict(refused.headers).items() >= ALWAYS.items()
    assert "script-src" not in refused.headers[POLICY]
    assert "evil" not in refused.text


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8000", "[::1]"])
def test_a_public_blog_does_not_answer_to_names_of_its_machine(host):
    assert seen_by(Settings(site_url="https://blog.example"), host).status_code == 400


def test_a_forwarded_host_changes_nothing():
    assert seen_by(Settings(), "localhost", HTTP_X_FORWARDED_HOST="evil.example").status_code == 200
    assert seen_by(Settings(), "evil.example", HTTP_X_FORWARDED_HOST="localhost").status_code == 400


def test_a_thousand_spellings_are_not_all_remembered():
    site = KnownHosts(lambda environ, start: [b""], Settings())
    for port in range(1000):
        assert site({"HTTP_HOST": f"localhost:{port}"}, lambda *_: None) == [b""]
    assert len(site._seen) <= 64


@pytest.mark.parametrize(
    "location", ["/", "/login", "/posts/x/?page=2#comment-5", "?page=2", "#top", "", "/%2f%2fevil.example"]
)
def test_a_redirect_within_the_site_stays_as_it_is(location):
    assert on_site(location, "localhost") == location


@pytest.mark.parametrize(
    ("location", "kept"),
    [
        ("http://localhost/posts/x/?page=2", "/posts/x/?page=2"),
        ("http://localhost//evil.example", "/evil.example"),
        ("http://localhost", "/"),
        ("http://evil.example/x", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("\\\\evil.example", "/"),
        ("https:evil.example", "/"),
        ("https:/evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("javascript:alert(1)", "/"),
        (" //evil.example", "/"),
        ("http://[", "/"),
        ("///evil.example", "/"),
        ("http://localhost/\\evil.example", "/"),
        ("http://localhost@evil.example/", "/"),
        ("evil.example", "/"),
        ("http:///evil.example", "/"),
    ],
)
def test_a_redirect_never_leaves_the_site(location, kept):
    assert on_site(location, "localhost") == kept


def addresses(app: Flask) -> list[str]:
    """Each route once, with something in the place of its variables."""
    adapter = app.url_map.bind("localhost")
    found = []
    for rule in app.url_map.iter_rules():
        values = {
            name: 1 if "int" in type(rule._converters[name]).__name__.lower() else "open-letter"
            for name in rule.arguments
        }
        found.append(
            adapter.build(rule.endpoint, values, method=next(iter(rule.methods or ())), force_external=False)
        )
    return sorted(set(found))


def check(answer: TestResponse) -> None:
    assert answer.status_code < 500, (answer.request.method, answer.request.path[:80], answer.text[:200])
    assert dict(answer.headers).items() >= ALWAYS.items()
    assert answer.headers[POLICY].startswith("default-src 'none'; ")
    assert "Strict-Transport-Security" not in answer.headers
    assert len(answer.headers.getlist(POLICY)) == 1
    assert "Cache-Control" in answer.headers


def test_every_route_and_method_gets_an_answer_with_the_headers(app):
    client = app.test_client()
    for address in addresses(app):
        for method in METHODS:
            check(client.open(address, method=method))


def test_a_hostile_path_gets_an_answer_with_the_headers(client):
    for path in HOSTILE_PATHS:
        check(client.get(path))
        check(client.post(path, data={"body": "x"}))


def test_a_hostile_query_gets_an_answer_with_the_headers(app):
    client = app.test_client()
    for address in addresses(app):
        for query in HOSTILE_QUERIES:
            check(client.get(f"{address}?{query}"))


def test_a_hostile_header_gets_an_answer_with_the_headers(client):
    for headers in HOSTILE_HEADERS:
        for address in (
            "/",
            "/posts/open-letter/",
            "/feed.xml",
            "/receipts/x",
            "/moderation/",
            "/login",
            "/healthz",
        ):
            check(client.get(address, headers=headers))


def test_each_kind_of_answer_has_the_headers(client):
    page = client.get("/")
    answers = {
        200: page,
        304: client.get("/", headers={"If-None-Match": page.headers["ETag"]}),
        404: client.get("/nothing-here"),
        405: client.put("/"),
        413: client.post("/posts/open-letter/comments", data={"body": "x" * 300_000}),
    }
    for status, answer in answers.items():
        assert answer.status_code == status
        check(answer)


def test_everything_that_a_page_loads_comes_from_here_and_has_the_headers(client):
    page = html.document_fromstring(client.get("/posts/open-letter/").text)
    loaded = [
        *page.xpath("//link[@rel='stylesheet' or @rel='icon']/@href"),
        *page.xpath("//script/@src"),
        *page.xpath("//img/@src"),
    ]
    assert len(loaded) >= 3
    for address in loaded:
        answer = client.get(address)
        assert answer.status_code == 200, address
        check(answer)


def test_pages_may_run_the_script_of_the_site_and_nothing_else(client):
    assert client.get("/").headers[POLICY] == SCRIPT
    assert client.get("/posts/open-letter/").headers[POLICY] == SCRIPT
    assert "script-src" not in client.get("/feed.xml").headers[POLICY]
    assert "script-src" not in client.get("/healthz").headers[POLICY]


def test_private_pages_are_kept_by_nobody_and_found_by_nobody(reader, moderator):
    receipt = reader.stored()
    pages = [
        reader.get(receipt),
        reader.get(receipt[:-1] + "~"),
        reader.get("/login"),
        reader.get("/moderation/"),
        moderator.desk(),
    ]
    for page in pages:
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["X-Robots-Tag"] == "noindex"


def test_public_pages_may_be_kept_by_anyone(client):
    for path in ("/", "/posts/open-letter/", "/privacy", "/feed.xml", "/sitemap.xml"):
        answer = client.get(path)
        assert "public" in answer.headers["Cache-Control"], path
        assert "Set-Cookie" not in answer.headers
        assert "Cookie" not in answer.headers.get("Vary", "")


def test_over_https_the_name_is_remembered_for_a_year(make):
    client = make(site_url="https://blog.example").test_client()
    for path in ("/", "/nothing-here", "/feed.xml", "/healthz"):
        answer = client.get(path, base_url="https://blog.example")
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_no_redirect_repeats_the_host(app):
    client = app.test_client()
    for address in addresses(app):
        for path in (address, address.rstrip("/"), address + "/", "/" + address):
            answer = client.get(path or "/", base_url="http://localhost:4321")
            assert ":4321" not in answer.headers.get("Location", "") + answer.text, path
