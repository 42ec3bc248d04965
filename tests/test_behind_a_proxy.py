"""Behind nginx or Caddy, set up with the lines that docs/operations.md has for them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from tests.proxies import caddy, nginx
from tests.serving import Serving, browser, get
from tests.slow_clients import ATTACKS, PATH, Fared, attacked
from tests.slow_clients import blog as serving
from tests.test_whole_life_of_a_comment import fields

FRONTS = {"nginx": nginx, "caddy": caddy}


@pytest.fixture(scope="module")
def blog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """The server behind the proxies."""
    with serving(tmp_path_factory.mktemp("blog"), 1) as found:
        yield found


@pytest.fixture(scope="module", params=list(FRONTS))
def front(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, blog: Serving
) -> Iterator[str]:
    """The address that readers use."""
    with FRONTS[request.param](tmp_path_factory.mktemp(request.param), blog.port) as url:
        yield url


def addresses(blog: Serving) -> list[str]:
    with sqlite3.connect(blog.environ["BLOG_DATA_DIR"] + "/blog.db") as store:
        return [row[0] for row in store.execute("SELECT ip FROM comment ORDER BY id")]


def test_an_answer_is_taken_and_its_author_known_by_the_address_the_proxy_saw(
    front: str, blog: Serving
) -> None:
    before = len(addresses(blog))
    for claimed in ("203.0.113.7", "203.0.113.7, 198.51.100.1", "::1", "x"):
        with browser(front) as reader:
            reader.headers["X-Forwarded-For"] = claimed
            typed = {"author": "Ada", "email": "ada@example.org", "body": f"Not from {claimed}, by {front}."}
            answer = reader.post(
                f"{PATH}comments", data={**fields(reader.get(PATH), "#comment-form"), **typed}
            )
            assert answer.status_code == 303
            assert reader.get(answer.headers["Location"]).status_code == 200
    assert addresses(blog)[before:] == ["127.0.0.1"] * 4


def test_the_host_arrives_as_it_was_asked_for(front: str) -> None:
    assert get(front, headers={"Host": "elsewhere.example"}).status_code == 400
    page = get(front, headers={"X-Forwarded-Host": "elsewhere.example"})
    assert page.status_code == 200
    assert "elsewhere.example" not in page.text


def test_every_header_of_an_answer_arrives(front: str) -> None:
    for path in ("/", PATH, "/no-such-page", "/healthz"):
        headers = get(front + path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.endurance
def test_a_thousand_slow_clients_are_in_nobodys_way(front: str) -> None:
    fared = Fared()
    attacked(front, ATTACKS["all of them"], 1.5, fared)
    assert fared.failed == []
    assert fared.held == fared.sent == 1000
    assert len(fared.waits) > 50
