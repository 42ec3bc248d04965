"""An owner replaces templates and styles one by one."""

from __future__ import annotations

from pathlib import Path

import pytest

from blog.config import SettingError
from tests.conftest import Make
from tests.people import Reader

EXAMPLE = Path(__file__).resolve().parent.parent / "docs" / "example-theme"


def test_the_example_in_the_manual_works(make: Make) -> None:
    reader = Reader(make(templates_dir=EXAMPLE))
    receipt = reader.stored(author="Ada", body="A *first* word.")
    reader.stored(author="Bo", body="A reply.", parent="1")
    page = reader.get("/posts/open-letter/")
    assert "No. 1," in page.words("#comment-1")
    assert page.one("#comment-2").getparent().get("id") == "comments"
    assert page.one("#comment-1 em").text == "first"
    for path in ("/", "/posts/open-letter/", "/archive/", "/privacy", "/nowhere", receipt):
        assert "kitchen table" in reader.get(path).words("footer"), path


def test_one_template_changes_one_page(make: Make, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    (folder / "pages").mkdir(parents=True)
    (folder / "pages" / "archive.html").write_text(
        '{% extends "original/pages/archive.html" %}{% block title %}Everything{% endblock %}'
    )
    reader = Reader(make(templates_dir=folder))
    assert reader.get("/archive/").words("title") == "Everything"
    assert reader.get("/archive/").all(".years li")
    assert reader.get("/posts/second/").status == 200


def test_a_stylesheet_of_ones_own_takes_the_place_of_ours(make: Make, tmp_path: Path) -> None:
    (tmp_path / "mine" / "static").mkdir(parents=True)
    style = tmp_path / "mine" / "static" / "style.css"
    style.write_text("body { color: navy; }")
    reader = Reader(make(templates_dir=tmp_path / "mine"))
    address = reader.get("/").one("link[rel=stylesheet]").get("href")
    answer = reader.get(address)
    assert answer.text == "body { color: navy; }"
    assert answer.headers["Content-Type"].startswith("text/css")
    assert "immutable" in answer.headers["Cache-Control"]
    style.write_text("body { color: green; }")
    assert reader.get("/privacy").one("link[rel=stylesheet]").get("href") != address
    for other in ("/theme/style.css", "/theme/..%2fbase.html", "/theme/nothing.0.css"):
        assert reader.get(other).status == 404
    assert reader.get(reader.get("/").one("script[src]").get("src")).status == 200


def test_a_folder_that_is_not_there_stops_the_start(make: Make, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="BLOG_TEMPLATES_DIR"):
        make(templates_dir=tmp_path / "nowhere")
