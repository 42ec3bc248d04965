"""A reader writes with Markdown, or without knowing what that is, and others read what was meant."""

from __future__ import annotations

import html

import pytest

from blog.markup import budget
from blog.markup.comment import excerpt, render_comment
from blog.text import clean_text
from tests.harmless import body
from tests.pathological import prose, texts


def shown(text: str) -> str:
    """What a browser shows of a comment, line by line."""
    page = str(render_comment(text)).replace("<br/>\n", "\n")
    return "".join(body(page)[0].itertext()).strip("\n")


AS_TYPED = (
    *(
        "a<b",
        "a < b > c",
        "List<String>",
        "O'Brien",
        '"quoted"',
        "0",
        "Null",
        "admin",
        "李小龙",
        "50 % & more",
        "<3",
    ),
    *("<script>alert(1)</script>", "<b>bold</b>", "<!-- no -->", "&lt;b&gt;", "&copy; &#1; &nbsp;", "AT&T"),
    *(
        "2*3*4",
        "count(*) or count(*)",
        "*.* and *_*",
        "^_^ hi ^_^",
        ">_<",
        ">:(",
        "/* a */",
        "src/**/*.py a/**/b",
        "x**2 + y**2",
        "snake_case_name",
        "__init__",
        "a * b * c",
        "*****",
        "C:\\Users\\ann",
        "1.",
        "-",
        ">",
        "#1",
    ),
    *(
        "# no heading",
        "2019 was good",
        "![no image](x.png)",
        "|a|b|",
        "[x]: y",
        "[ ] to do",
        "(c) 2026",
        ":-)",
        "¯\\(ツ)/¯",
    ),
    *(
        "👨‍👩‍👧‍👦 👩🏽‍💻 🏳️‍🌈 ☎️ 1️⃣ 🇩🇪",
        "שלום עולם",
        "\u202bעברית\u202c",
        "می‌خواهم",
        "Zx\u0316\u0301go",
        "ﬁ ½ ㎏",
        "x\u00a0y",
    ),
    *(
        "Robert'); DROP TABLE students;--",
        "{{ 7*7 }}",
        "${7}",
        "%s %d",
        "one\ntwo",
        "user@example.org",
        "<user@example.org>",
    ),
)


@pytest.mark.parametrize("text", AS_TYPED)
def test_text_is_read_as_it_was_typed(text):
    assert shown(text) == text


@pytest.mark.parametrize(
    ("text", "page"),
    [
        (
            "some *emphasis* and **more**",
            '<p dir="auto">some <em>emphasis</em> and <strong>more</strong></p>',
        ),
        ('*👍* (*a*) *(b)* _"c"_', '<p dir="auto"><em>👍</em> (<em>a</em>) <em>(b)</em> <em>"c"</em></p>'),
        ("这是**重点**内容", '<p dir="auto">这是<strong>重点</strong>内容</p>'),
        ("use `a < b` here", '<p dir="auto">use <code>a &lt; b</code> here</p>'),
        ("```python\nif a:\n    b()\n```", '<pre dir="auto"><code>if a:\n    b()\n</code></pre>'),
        ("    a\n\tb", '<pre dir="auto"><code>a\nb\n</code></pre>'),
        ("> said\n\nso", '<blockquote>\n<p dir="auto">said</p>\n</blockquote>\n<p dir="auto">so</p>'),
        ("- a\n- b", '<ul>\n<li dir="auto">a</li>\n<li dir="auto">b</li>\n</ul>'),
        ("one\n\ntwo", '<p dir="auto">one</p>\n<p dir="auto">two</p>'),
        ("\\*not\\* this", '<p dir="auto">*not* this</p>'),
        ("a\n---\nb", '<p dir="auto">a</p>\n<p dir="auto">---</p>\n<p dir="auto">b</p>'),
        ("", ""),
    ],
)
def test_markdown_means_what_it_means_elsewhere(text, page):
    assert str(render_comment(text)).strip() == page


def test_a_poem_keeps_its_lines_and_indentation():
    assert (
        render_comment("so much depends\n  upon")
        == '<p dir="auto">so much depends<br/>\n\u00a0\u00a0upon</p>\n'
    )


def test_an_answer_to_questions_one_and_three_keeps_their_numbers():
    assert '<li value="3" dir="auto">no</li>' in render_comment("1. yes\n3. no")
    assert '<ol start="2019">' in render_comment("2019. A good year.")
    assert "value" not in render_comment("1. a\n1. b\n1. c")


def test_what_stands_beside_a_fence_is_not_lost():
    assert shown("```SELECT 1\n```") == "SELECT 1"
    assert shown("```hello") == "hello"


def link(address: str, text: str = "") -> str:
    return f'<a href="{html.escape(address)}" rel="nofollow ugc noopener">{html.escape(text or address)}</a>'


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("[here](https://example.org/a_(b))", link("https://example.org/a_(b)", "here")),
        ("[here](<https://example.org/>)", link("https://example.org/", "here")),
        ("<https://example.org/?a=1&b=2>", link("https://example.org/?a=1&b=2")),
        ("(see https://example.org/a_b_c).", f"(see {link('https://example.org/a_b_c')})."),
        ("**https://example.org**", f"<strong>{link('https://example.org')}</strong>"),
        ("看https://example.org/路。好", f"看{link('https://example.org/路')}。好"),
        ("[https://example.org](https://example.org)", link("https://example.org")),
        ("HTTPS://Example.org", link("https://Example.org", "HTTPS://Example.org")),
    ],
)
def test_an_address_becomes_a_link(text, made):
    assert made in render_comment(text)


@pytest.mark.parametrize(
    "text",
    [
        "[a](javascript:alert(1))",
        "[a](JaVaScRiPt:alert(1))",
        "[a](&#106;avascript:alert(1))",
        "[a](java\tscript:alert(1))",
        "<javascript:alert(1)>",
        "[a](vbscript:x)",
        "[a](data:text/html,x)",
        "[a](//example.org)",
        "[a](/login)",
        "[a](https:example.org)",
        "[a](mailto:a@example.org)",
        "[a](http\u017f://example.org)",
        "[a](http://)",
        "[](https:/example.org)",
        "http://user:pass@example.org/",
        "http://example.org:99999/",
        "http://exa\u00admple.org/",
    ],
)
def test_any_other_address_stays_text(text):
    assert "<a" not in render_comment(text)
    assert shown(text) == text


def test_a_link_that_shows_another_address_is_none():
    page = render_comment("[https://bank.example](https://evil.example)")
    assert (
        shown("[https://bank.example](https://evil.example)")
        == "[https://bank.example](https://evil.example)"
    )
    assert link("https://bank.example") in page


def test_more_nesting_than_anybody_needs_is_shown_as_typed():
    assert shown("> " * 12 + "deep") == "> > > > > deep"
    assert shown("- " * 8 + "deep") == "- - - - deep"
    assert shown("- a\n  - b\n    - c\n      - d\n        - e\n          - f").split() == list("abcd-e-f")
    assert shown("*a _b " * 4 + "c" + "_*" * 4) == "a b a b a b *a _b c_*"


@pytest.mark.parametrize("length", [300, 10_000])
def test_prose_is_far_from_the_bound(length):
    text = prose(length)
    env = budget.begin(text)
    budget.spend(env, 0.8 * budget.allowed_steps(length))
    assert "<pre" not in render_comment(text)


def test_a_text_that_is_nothing_but_markup_is_shown_as_typed():
    for text in ("*a" * 3_000, "- a\n" * 2_000, "&" * 10_000, "[" * 5_000 + "]" * 5_000):
        assert shown(text) == text.strip()
        assert render_comment(text).startswith('<pre dir="auto">')


def test_every_dear_text_is_still_readable():
    for text in texts(500).values():
        assert shown(text) or not clean_text(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("**Hello** [there](https://example.org),\n\nyou", "Hello there, you"),
        ("a<b & `c`", "a<b & c"),
        ("- one\n- two", "one two"),
        ("x" * 100, "x" * 19 + "…"),
        ("\u202eabc", "abc"),
    ],
)
def test_the_desk_shows_the_words_in_one_line(text, words):
    assert excerpt(text, 20) == words
