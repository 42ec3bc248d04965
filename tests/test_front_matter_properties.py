"""Whatever stands in a file: it is an article or a FrontMatterError, and a draft is never seen."""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from blog.article import compose
from blog.articles import Library
from blog.content import ContentError
from blog.dates import moment
from blog.frontmatter import FrontMatterError, read
from blog.markup.article import render_article
from blog.slugs import MAX_PATH, MAX_SLUG, path_key, site_path, slugify

NOW = datetime(2026, 6, 1, tzinfo=UTC)
PLACES = ["a.md", "_posts/2026-01-02-x.md", "pages/p.md", "2026-02-31-x.md", "posts/b/index.md"]

# Text made of what headers are made of goes deeper than letters at random.
PIECES = """
    --- +++ ... { } [ ] : - ? & * | > ! !! % @ ` " ' \\ # , = &a *a << !!binary !x title draft date slug tags
    status aliases permalink published expires true false null 2026-01-02 2026-02-30 12:30 0x10 1e9 nan inf ~
    é 🙂 {{ {% //
"""
SOUP = st.lists(
    st.sampled_from([*PIECES.split(), " ", "  ", "\n", "\t", "\r\n", "\ufeff", "\x00", "\x85", "\u2028"]),
    max_size=40,
)
ANY = st.one_of(SOUP.map("".join), st.text(max_size=80))
OPENERS = st.sampled_from(
    ["---\n", "+++\n", "---json\n", "---toml\n", "{", "Title: x\n", "---\ntitle: x\n", ""]
)
CLOSERS = st.sampled_from(["\n---\nText.", "\n+++\nText.", "}\nText.", "\n\nText.", "\n...\n", ""])

quickly = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@quickly
@given(OPENERS, ANY, CLOSERS, st.sampled_from(PLACES))
@example("---\n", "a: " + "[" * 400, "\n---\nText.", "a.md")
@example("+++\n", "title = 0x" + "F" * 8000, "\n+++\nText.", "a.md")
@example("---\n", "aliases: ['http://[x']", "\n---\nText.", "a.md")
@example("---\ntitle: x\n", "+++\x85\u2028\u2029", "\n---\nText.", "a.md")
@example("---\n", 'title: "\\uD800\\U00110000"', "\n---\nText.", "a.md")
def test_any_text_is_an_article_or_an_error_with_a_line(opener, middle, closer, place):
    text = opener + middle + closer
    try:
        article = compose(text, Path("/nowhere") / place, place, Path("/nowhere"), "en")
    except ContentError as error:
        found = error
    else:
        assert article.url.isascii()
        f"{article.title}{article.summary}{article.tags}".encode()
        return
    assert 1 <= found.line <= text.count("\n") + text.count("\r") + 2
    assert found.what
    assert found.fix


@quickly
@given(st.binary(max_size=80), st.sampled_from([b"---\n", b"+++\n", b"{", b"Title: x\n"]))
def test_any_bytes_leave_the_other_articles_alone(data, opener):
    with tempfile.TemporaryDirectory() as name:
        Path(name, "good.md").write_text("---\ntitle: Good\ndate: 2026-01-01\n---\n")
        Path(name, "any.md").write_bytes(opener + data)
        here = Library(Path(name), clock=lambda: NOW)
        assert "good" in [article.slug for article in here.articles]
        assert all(article.html is not None for article in here.articles)


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20)
NAMES = st.from_regex(r"[a-ce-z][a-z_]{0,9}", fullmatch=True).filter(lambda name: name != "draft")
FIELDS = st.dictionaries(NAMES, WORDS, max_size=5)
DRAFT = st.sampled_from(["draft", "Draft", "DRAFT", "dRaFt"])
YES = st.sampled_from(["true", "True", "TRUE", "yes", "on", "1"])


def in_yaml(fields: dict[str, str], draft: str, yes: str, place: int) -> str:
    rows = [f"{name}: {json.dumps(words, ensure_ascii=False)}" for name, words in fields.items()]
    rows.insert(place, f"{draft}: {yes}")
    return "---\n" + "\n".join(rows) + "\n---\nText.\n"


def in_toml(fields: dict[str, str], draft: str, yes: str, place: int) -> str:
    rows = [f"{name} = {json.dumps(words)}" for name, words in fields.items()]
    rows.insert(place, f"{draft} = {'true' if yes != '1' else '1'}")
    return "+++\n" + "\n".join(rows) + "\n+++\nText.\n"


def in_json(fields: dict[str, str], draft: str, yes: str, place: int) -> str:
    pairs = list(fields.items())
    pairs.insert(place, (draft, yes))
    return json.dumps(dict(pairs)) + "\nText.\n"


def in_pelican(fields: dict[str, str], draft: str, yes: str, place: int) -> str:
    rows = [f"{name}: {' '.join(words.split())}" for name, words in fields.items()]
    rows.insert(place, f"{draft}: {yes}")
    return "Title: x\n" + "\n".join(rows) + "\n\nText.\n"


FORMS = st.sampled_from([in_yaml, in_toml, in_json, in_pelican])
MARKS = st.sampled_from(["", "\ufeff", "\n", "\ufeff\n\n"])
ENDINGS = st.sampled_from(["\n", "\r\n", "\r"])


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FORMS, FIELDS, DRAFT, YES, st.integers(0, 5), MARKS, ENDINGS, st.sampled_from(PLACES))
def test_a_draft_is_never_seen(form, fields, draft, yes, place, mark, ending, file):
    text = mark + form(fields, draft, yes, place).replace("\n", ending)
    try:
        article = compose(text, Path("/nowhere") / file, file, Path("/nowhere"), "en")
    except FrontMatterError:
        return
    assert not article.is_visible(NOW)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FORMS, FIELDS, DRAFT, YES, st.integers(0, 5), st.data())
def test_a_draft_cut_or_damaged_anywhere_is_never_seen(form, fields, draft, yes, place, data):
    """A file that is being written, or lost a piece of its header but not the line that says draft."""
    text = form(fields, draft, yes, place)
    line = text.index(draft)
    end = text.find("\n", line) + 1 or len(text)
    start = data.draw(st.integers(0, line))
    stop = data.draw(st.integers(end, len(text)))
    for damaged in (text[start:], text[:stop], text[start:stop]):
        try:
            article = compose(damaged, Path("/nowhere/a.md"), "a.md", Path("/nowhere"), "en")
        except FrontMatterError:
            continue
        assert not article.is_visible(NOW)


@quickly
@given(ANY)
def test_any_text_renders_or_is_shown_as_typed(text):
    try:
        render_article(text)
    except RecursionError:
        return


@quickly
@given(st.text(max_size=300))
def test_slugs_and_old_addresses_stay_on_the_site(text):
    slug = slugify(text)
    assert len(slug) <= MAX_SLUG
    assert slugify(slug) == slug
    assert not set(slug) & set("/?#%\\. \n")
    path = site_path(text)
    if path is not None:
        assert path[0] == "/" != path[1]
        assert len(path) <= MAX_PATH
        assert "\\" not in path.partition("?")[0]
        path_key(path).encode()


@quickly
@given(
    st.one_of(st.text(max_size=40), st.datetimes().map(str), st.dates().map(str), st.integers(), st.none())
)
def test_any_value_is_a_moment_or_a_value_error(value):
    try:
        assert moment(value).tzinfo is UTC
    except ValueError:
        return


def test_reading_says_no_with_a_front_matter_error_only():
    for text in ("", "x", "---", "+++\n", "{", "Title:", "---\n[\n---\n"):
        try:
            read(text)
        except FrontMatterError:
            continue
        raise AssertionError(text)
