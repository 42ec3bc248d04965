"""A header in any of four forms is read exactly; one that leaves a doubt is not, and says what to mend."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from blog.article import Article, compose
from blog.dates import moment
from blog.frontmatter import MAX_HEADER, FrontMatterError, read

FORMS = {
    "yaml": "---\ntitle: On giving\ndate: 2026-01-02\ntags: [a, b]\n---\n\nThe text.\n",
    "yaml closed by dots": "---\ntitle: On giving\ndate: 2026-01-02\ntags:\n- a\n- b\n...\n\nThe text.\n",
    "toml": '+++\ntitle = "On giving"\ndate = 2026-01-02\ntags = ["a", "b"]\n+++\n\nThe text.\n',
    "json": '{\n"title": "On giving", "date": "2026-01-02",\n"tags": ["a", "b"]}\n\nThe text.\n',
    "fenced json": '---json\n{"title": "On giving", "date": "2026-01-02", "tags": "a, b"}\n---\nThe text.\n',
    "fenced toml": '---toml\ntitle = "On giving"\ndate = "2026-01-02"\ntags = "a, b"\n---\nThe text.\n',
    "pelican": "Title: On giving\nDate: 2026-01-02\nTags: a, b\n\nThe text.\n",
    "capitals": "---\nTITLE: On giving\nDate: 2026-01-02\nTags: [a, b]\n---\nThe text.\n",
    "spaces after the fences": "---  \ntitle: On giving\ndate: 2026-01-02\ntags: [a, b]\n--- \t\nThe text.\n",
    "empty lines before": "\n\n---\ntitle: On giving\ndate: 2026-01-02\ntags: [a, b]\n---\nThe text.\n",
}


def article(text: str, place: str = "a-name.md") -> Article:
    return compose(text, Path("/nowhere") / place, place, Path("/nowhere"), "en")


def refusal(text: str) -> FrontMatterError:
    with pytest.raises(FrontMatterError) as caught:
        article(text)
    return caught.value


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"], ids=["unix", "windows", "old mac"])
@pytest.mark.parametrize("mark", ["", "\ufeff", "\ufeff\ufeff"], ids=["bare", "BOM", "two BOMs"])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_says_the_same(form, mark, ending):
    found = article(mark + FORMS[form].replace("\n", ending))
    assert (found.title, found.date, found.tags) == (
        "On giving",
        datetime(2026, 1, 2, tzinfo=UTC),
        ("a", "b"),
    )
    assert found.body.text == "The text."
    assert found.hidden == ""


def test_words_that_yaml_would_change_stay_as_typed():
    found = article(
        "---\ntitle: 010\nslug: NO\nlang: no\nauthor: 12:30:00\nsummary: 1_000\n"
        "tags: [NO, 010, 1.10, y]\n---\n"
    )
    assert (found.title, found.slug, found.language, found.author) == ("010", "no", "no", "12:30:00")
    assert (found.summary, found.tags) == ("1_000", ("NO", "010", "1.10", "y"))


@pytest.mark.parametrize(
    "title", ["on", "null and void", "2026-01-02", "0x1F", "1e3", "='s", "It's", "*so*", "a: b", "- x"]
)
def test_a_title_in_quotes_is_that_title(title):
    assert article(f'---\ntitle: "{title}"\n---\n').title == title


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("---\ntitle: x\ndraft: true\n\nText without an end.\n", 1, "never closed"),
        ('+++\ntitle = "x"\ndraft = true\n\nText.\n', 1, "never closed"),
        ("---\ntitle: x\n----\nText.\n", 1, "never closed"),
        ('{"title": "x", "draft": true\n\nText.\n', 3, "not JSON"),
        ('{"title": "x"} text\n', 1, "closing brace"),
        ('{"title": "x", "title": "y"}\n', 1, "there twice"),
        ('{"title": NaN}\n', 1, "not JSON"),
        ("Just some prose: it has no header.\n", 1, "does not begin with front matter"),
        ("# A heading\n\nText.\n", 1, "does not begin with front matter"),
        ("", 1, "does not begin with front matter"),
        ("Note: this is prose.\n\nText.\n", 1, "does not begin with front matter"),
        (" ---\ntitle: x\n---\n", 1, "does not begin with front matter"),
        ("\u200b---\ntitle: x\n---\n", 1, "does not begin with front matter"),
        ("Title: x\nStatus: draft", 1, "no empty line"),
        ("Title: x\nno field at all\n\nText.\n", 2, "no field"),
        ("Title: x\nTITLE: y\n\nText.\n", 1, "there twice"),
        ("---\ntitle: x\ndraft: true\ndraft: false\n---\n", 4, "there twice"),
        ("---\ntitle: x\nDraft: true\ndraft: false\n---\n", 1, "there twice"),
        ('+++\ntitle = "x"\ntitle = "y"\n+++\n', 3, "not TOML"),
        ("+++\ntitle = unquoted\n+++\n", 2, "not TOML"),
        ("---\ntitle: on: off\n---\n", 2, "not YAML"),
        ("---\n\ttitle: x\n---\n", 2, "not YAML"),
        ("---\ntitle: 'x\n---\n", 3, "not YAML"),
        ("---\ntitle: [x\n---\n", 3, "not YAML"),
        ("---\n- a\n- b\n---\n", 1, "holds no fields"),
        ("---\njust words\n---\n", 1, "holds no fields"),
        ("---\n? [a, b]\n: c\n---\n", 2, "no name"),
        ("---\ntitle: !!python/object/apply:os.system [ls]\n---\n", 2, "tags"),
        ("---\ntitle: !secret x\n---\n", 2, "tags"),
        ("---\ntitle: !!binary aGk=\n---\n", 2, "tags"),
        ("---\ntitle: &a x\nslug: *a\n---\n", 3, "refers to another"),
        ("---\na: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n---\n", 3, "refers to another"),
        ("---\nmeta: {<<: {draft: true}}\n---\n", 2, "<<"),
        ("---\na: [[[[[[[[[[x]]]]]]]]]]\n---\n", 2, "too deep"),
        ("---js\n{title: 'x'}\n---\n", 1, "js is not read"),
        ("---\ntitle: [x]\n---\n", 2, "not text"),
        ("---\nslug: {a: b}\ntitle: x\n---\n", 2, "not text"),
        ("---\ntitle: x\ndraft: maybe\n---\n", 3, "neither true nor false"),
        ("---\ntitle: x\ndraft: [true]\n---\n", 3, "neither true nor false"),
        ("---\ntitle: x\npublished: soon\n---\n", 3, "not a date"),
        ("---\ntitle: x\ndate: 2026-02-30\n---\n", 3, "not a date"),
        ("---\ntitle: x\ndate: 2026-13-01 10:00\n---\n", 3, "not a date"),
        ("---\ntitle: x\ndate: 12:30:00\n---\n", 3, "not a date"),
        ("---\ntitle: x\ndate: 2026-01-01 25:00\n---\n", 3, "not a date"),
        ("---\ntitle: x\nexpires: 9999-12-31 23:00 -0200\n---\n", 3, "not a date"),
        ("+++\ntitle = 'x'\ndate = 12:30:00\n+++\n", 3, "not a date"),
        ('{"title": "x",\n"date": 20260101}\n', 2, "not a date"),
        (f"---\nreflection: {'x' * 1001}\n---\n", 2, "longer than"),
    ],
)  # fmt: skip
def test_a_header_with_a_doubt_names_line_and_fix(text, line, words):
    error = refusal(text)
    assert words in error.what
    assert (error.line, bool(error.fix)) == (line, True)


@pytest.mark.parametrize(
    "text",
    [
        "---\n" + "[" * 60_000 + "\n---\n",
        "---\n" + "{" * 60_000 + "\n---\n",
        "---\n" + "? " * 30_000 + "\n---\n",
        "---\na: &a x\nb: [" + "*a," * 15_000 + "]\n---\n",
        "+++\na = " + "[" * 60_000 + "\n+++\n",
        "+++\n" + "a." * 20_000 + "b = 1\n+++\n",
        "+++\na = " + "9" * 20_000 + "\n+++\n",
        "+++\ntitle = 0x" + "F" * 20_000 + "\n+++\n",
        '{"a":' + "[" * 60_000,
        '{"title": ' + "9" * 20_000 + "}\n",
        "---\n" + "key: value\n" * 10_000 + "---\n",
        "---\n" + "# comment\n" * (MAX_HEADER // 10 + 1) + "---\n",
    ],
    ids=range(12),
)
def test_a_header_that_is_a_trap_costs_little_and_ends_nothing(text):
    started = datetime.now(UTC)
    refusal(text)
    assert (datetime.now(UTC) - started).total_seconds() < 1


def test_a_file_that_lost_its_first_fence_is_not_an_article():
    refusal("layout: post\ntitle: x\ndraft: true\n---\nText.\n")


def test_line_numbers_count_from_the_top_of_the_file():
    assert refusal("\ufeff\r\n\r\n---\r\ntitle: x\r\ndate: never\r\n---\r\n").line == 5


def test_the_body_keeps_every_line():
    body = "\n    indented code\n\nline  \nbreak\n\n---\n\n+++\n"
    assert read(f"---\ntitle: x\n---\n{body}").body == body
    assert read(f"Title: x\n\n{body}").body == body


def test_a_long_pelican_field_goes_on_below():
    found = article("Title: x\nSummary: one line\n    and another\nTags: a,\n\tb\n\nText.\n")
    assert (found.summary, found.tags) == ("one line and another", ("a", "b"))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-01-02", (2, 0, 0)),
        ("2026/1/2", (2, 0, 0)),
        ("2026-01-02 10:20", (2, 10, 20)),
        ("2026-01-02 10:20:30", (2, 10, 20)),
        ("2026-01-02 10:20:30 +0100", (2, 9, 20)),
        ("2026-01-02 10:20 +01:00", (2, 9, 20)),
        ("2026-01-02T10:20:30+01", (2, 9, 20)),
        ("2026-01-02T10:20:30Z", (2, 10, 20)),
        ("2026-01-02t10:20:30.123456z", (2, 10, 20)),
        ("2026-01-02 23:20 -0200", (3, 1, 20)),
        ("2 January 2026", (2, 0, 0)),
        ("Fri, 02 Jan 2026 10:20:00 GMT", (2, 10, 20)),
        ("January 2, 2026", (2, 0, 0)),
        ("Jan 2 2026 10:20", (2, 10, 20)),
        (date(2026, 1, 2), (2, 0, 0)),
        (datetime(2026, 1, 2, 10, 20), (2, 10, 20)),  # noqa: DTZ001
    ],
)
def test_dates_in_the_usual_forms(written, meant):
    day, hour, minute = meant
    found = moment(written)
    assert (found.year, found.month, found.day, found.hour, found.minute) == (2026, 1, day, hour, minute)
    assert found.tzinfo is UTC


@pytest.mark.parametrize(
    "written", ["", "٢٠٢٦-٠١-٠٢", "2026-1_0-02", "yesterday", "2 Foo 2026", "2026-01-02 +25:00", 5, None, []]
)
def test_what_is_no_date_is_not_guessed_at(written):
    with pytest.raises(ValueError, match=r"date|month|offset"):
        moment(written)
