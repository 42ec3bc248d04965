"""What every page keeps to: nothing inline, nothing from elsewhere, small files, readable colours."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from blog.markup.typography import set_line

ROOT = Path(__file__).resolve().parent.parent
STATIC = ROOT / "blog" / "static"
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
NAMES = [path.relative_to(ROOT / "templates").as_posix() for path in TEMPLATES]
each_template = pytest.mark.parametrize("path", TEMPLATES, ids=NAMES)

# Raw sizes: an article with twenty comments, its stylesheet and script stay below 30 kB on the wire.
BUDGET = {
    "style.css": 14_600,
    "desk.css": 5_000,
    "reciprocal.js": 8_000,
    "desk.js": 11_000,
    "favicon.svg": 500,
}
READ = {"ink": 4.5, "soft": 4.5, "accent": 4.5, "alarm": 4.5}
CODE = dict.fromkeys(("keyword", "string", "number", "name", "soft", "alarm", "ink"), 4.5)
CONTRASTS = {"paper": READ | {"edge": 3.0}, "field": READ | {"edge": 3.0}, "tint": READ | CODE}


@pytest.fixture(scope="module")
def pages() -> Environment:
    env = Environment(
        loader=FileSystemLoader(ROOT / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters.update(day=str, moment=str, iso=datetime.isoformat, typeset=set_line)
    return env


def test_the_linter_and_the_formatter_find_nothing() -> None:
    command = [sys.executable, "-m", "djlint", "templates", "--check", "--lint"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize("name", NAMES)
def test_a_template_compiles(pages: Environment, name: str) -> None:
    pages.get_template(name)


@each_template
def test_nothing_escapes_escaping(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"\|\s*safe\b|\bautoescape\b|\bMarkup\b", text)
    assert not re.search(r"\s[\w-]+=\{", text), "an attribute without quotes"


@each_template
def test_nothing_is_inline(path: Path) -> None:
    tags = re.findall(r"<[a-z][^>]*>", path.read_text())
    for tag in tags:
        assert not re.search(r"\s(style|on[a-z]+)\s*=", tag), tag
        assert not re.search(r"javascript:", tag, re.IGNORECASE), tag
        assert not tag.startswith("<style"), tag
        if tag.startswith("<script"):
            assert "src=" in tag or 'type="application/ld+json"' in tag, tag


@each_template
def test_nothing_is_loaded_from_elsewhere(path: Path) -> None:
    assert not re.search(r"""(?:src|href|action)=["'](?:https?:)?//""", path.read_text())


def test_every_file_that_a_page_names_exists() -> None:
    named = {name for path in TEMPLATES for name in re.findall(r"asset\(['\"]([^'\"]+)", path.read_text())}
    assert named == {path.name for path in STATIC.iterdir() if not path.name.startswith(".")}


@pytest.mark.parametrize(("name", "most"), BUDGET.items())
def test_files_stay_small(name: str, most: int) -> None:
    assert (STATIC / name).stat().st_size <= most


@pytest.mark.parametrize("name", ["reciprocal.js", "desk.js"])
def test_no_script_makes_html_of_words(name: str) -> None:
    text = (STATIC / name).read_text()
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", text
    )
    assert "http" not in text


@pytest.mark.parametrize("name", ["style.css", "desk.css"])
def test_no_stylesheet_loads_anything(name: str) -> None:
    assert not re.search(r"url\(|@import|@font-face", (STATIC / name).read_text())


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("ground", CONTRASTS)
def test_colours_can_be_told_apart(scheme: str, ground: str) -> None:
    colours = palette(scheme)
    for name, least in CONTRASTS[ground].items():
        assert contrast(colours[name], colours[ground]) >= least, f"{name} on {ground}"
    assert contrast(colours["paper"], colours["accent"]) >= 4.5


def test_a_name_is_only_a_name(pages: Environment) -> None:
    hostile = "<b>Ada</b></bdi></h3><span class=badge>Author of this blog</span>"
    html = draw_thread(pages, node(hostile))
    assert "<b>" not in html
    assert "<bdi>&lt;b&gt;Ada" in html
    assert '<span class="badge">' not in html
    assert '<span class="badge">' in draw_thread(pages, node("Ada", written_by="ada"))


def test_threads_stand_in_one_another(pages: Environment) -> None:
    deep = node("five", ident=5)
    for ident in (4, 3, 2, 1):
        deep = node("someone", ident=ident, children=[deep])
    html = draw_thread(pages, deep)
    assert re.findall(r'<article class="comment"\s+id="comment-(\d)"', html) == list("12345")
    assert html.count("</article>") == 5
    assert html.rstrip().endswith("</article>")


def test_a_withdrawn_comment_keeps_its_place_and_says_so(pages: Environment) -> None:
    html = draw_thread(pages, node("", placeholder="withdrawn", children=[node("Jo", ident=2)]))
    assert 'id="comment-1"' in html
    assert "Withdrawn by its author." in html
    assert "Jo" in html


def test_a_closed_discussion_offers_no_reply(pages: Environment) -> None:
    assert "data-reply" in draw_thread(pages, node("Ada"))
    assert "data-reply" not in draw_thread(pages, node("Ada"), is_open=False)


def node(author: str, ident: int = 1, **extra: Any) -> SimpleNamespace:
    comment = SimpleNamespace(
        id=ident,
        author=author,
        written_by=extra.pop("written_by", None),
        created_at=datetime(2026, 11, 12, tzinfo=UTC),
        edited_at=None,
    )
    drawn = {"html": Markup("<p>words</p>"), "website": "", "placeholder": "", "children": []}
    links = {"url": f"/comments/{ident}", "reply_url": f"/posts/x/replies/{ident}"}
    return SimpleNamespace(comment=comment, **drawn | links | extra)


def draw_thread(pages: Environment, top: SimpleNamespace, *, is_open: bool = True) -> str:
    template = pages.from_string(
        '{% from "pages/_comment.html" import thread with context %}{{ thread(node) }}'
    )
    return template.render(node=top, open=is_open)


def palette(scheme: str) -> dict[str, str]:
    pairs = re.findall(r"--(\w+): light-dark\((#\w+), (#\w+)\)", (STATIC / "style.css").read_text())
    return {name: light if scheme == "light" else dark for name, light, dark in pairs}


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.2."""
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
