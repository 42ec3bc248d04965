"""People write in every script and with every emoji; all is stored as they wrote it."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from blog.text import clean_line, clean_text, fold, fold_email, is_invisible, plain_line

ANYTHING = st.text(
    st.characters(codec=None)
    | st.sampled_from("\u0301\u0316\u0344\u0958\u200d\ufe0f\u1100\u1161\u11a8ıİßΐ\r\n\x85\u3000")
)
NAMES = (
    *(
        "O'Brien",
        "李小龙",
        "Null",
        "admin",
        "0",
        "Ångström",
        "محمد",
        "שָׁלוֹם",
        "Nguyễn Thị Minh Khai",
        "Þórr",
        "𠮷野家",
    ),
    *(
        "a<b",
        "List<String>",
        "Robert'); DROP TABLE students;--",
        "{{7*7}}",
        "%s",
        "José & María",
        "ﬁn",
        "½",
        "ⅷ",
        "㎏",
    ),
    *(
        "👨‍👩‍👧‍👦",
        "👩🏽‍💻",
        "🏳️‍🌈",
        "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
        "☎️",
        "☎︎",
        "1️⃣",
        "🇩🇪",
    ),
    *(
        "می‌خواهم",
        "क्‍ष",
        "हिन्दी",
        "ไทย",
        "ᠮᠣᠩᠭᠣᠯ",
        "\u202bעברית\u202c",
        "a\u200eb",
        "x\u00a0y",
        "café\u3000店",
        "𝓿",
    ),
)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_stored_as_it_was_typed(name):
    assert clean_line(f"  {name} \n") == name
    assert clean_text(f"\n{name}\n\n") == name
    assert not is_invisible(name)


def test_poems_and_code_keep_their_shape():
    assert clean_text("one\r\n\ttwo\r    three  x\u2028four") == "one\n\ttwo\n    three  x\nfour"
    assert clean_text(" \n\n    return 1\n \n") == "    return 1"


def test_an_accent_typed_in_two_ways_is_stored_in_one():
    assert clean_text("e\u0301") == "é"


@pytest.mark.parametrize(
    "unusable",
    ["\x00", "\x01", "\x1b", "\x7f", "\x80", "\x9f", "\ud800", "\ufdd0", "\ufffe", "\uffff"],
)
def test_what_no_text_needs_is_left_out(unusable):
    assert clean_text(f"a{unusable}b") == clean_line(f"a{unusable}b") == "ab"


def test_a_line_stays_one_line():
    assert clean_line("a\r\n b\tc\u2028d\x85e\x0bf") == "a b c d e f"


def test_a_tower_of_accents_is_neither_changed_nor_sorted():
    # Sorting it into NFC would take quadratic time.
    tower = "a" + "\u0301\u0316" * 5_000
    assert clean_text(tower) == tower
    assert fold(tower) == "a"


@given(ANYTHING)
@examples(max_examples=100, deadline=None)
def test_text_that_was_cleaned_is_clean(text):
    for clean in (clean_text, clean_line, fold, fold_email):
        once = clean(text)
        assert clean(once) == once
        once.encode()  # can be stored
    assert unicodedata.is_normalized("NFC", clean_text(text))


@given(ANYTHING)
@examples(max_examples=100, deadline=None)
def test_nothing_visible_is_lost(text):
    kept = [
        char
        for char in unicodedata.normalize("NFC", text)
        if unicodedata.category(char) not in ("Cc", "Cs", "Cn")
    ]
    cleaned = clean_text(text)
    assert [char for char in kept if not char.isspace()] == [
        char for char in cleaned if not char.isspace() and unicodedata.category(char) != "Cn"
    ]


BLANKS = (
    "",
    " ",
    "\u00a0\u3000",
    "\u200b\u200d",
    "\u2060\ufeff",
    "\u115f\u1160",
    "\u3164",
    "\uffa0",
    "\u2800",
    "\u00ad",
)


@pytest.mark.parametrize(
    "blank", [*BLANKS, "\u202e", "\u0301\u0301", "\ufe0f", "\U000e0041", "\U0001d159", "\u180e", "\ufffc"]
)
def test_a_name_that_nobody_can_see_is_known_as_such(blank):
    assert is_invisible(blank)
    assert not is_invisible(f"{blank}x")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("VIAGRA", "Ｖｉａｇｒａ"),
        ("viagra", "𝓿𝓲𝓪𝓰𝓻𝓪"),
        ("viagra", "vi\u200ba\u00adgra"),
        ("Jose Nunez", "José  Núñez"),
        ("Lodz", "Łódź"),
        ("Strasse", "Straße"),
        ("istanbul", "İSTANBUL"),
        ("ガ", "ｶﾞ"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("👍", "👍️"),
    ],
)
def test_what_looks_alike_is_compared_alike(one, other):
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"), [("か", "が"), ("कि", "क"), ("李", "季"), ("a b", "ab"), ("и", "i")]
)
def test_different_words_stay_different(one, other):
    assert fold(one) != fold(other)


def test_two_peoples_addresses_are_not_taken_for_one():
    assert fold_email(" Ann@Example.ORG\n") == "ann@example.org"
    assert fold_email("josé@example.org") != fold_email("jose@example.org")
    assert fold_email("strasse@example.org") != fold_email("straße@example.org")


def test_a_subject_is_one_line_without_tricks():
    assert plain_line("Hello\r\nBcc: all@example.org", 80) == "Hello Bcc: all@example.org"
    assert plain_line("a\u202egnp.exe\u2066\u200f", 80) == "agnp.exe"
    assert plain_line("one two three", 8) == "one two…"


@pytest.mark.parametrize("whole", ["👨‍👩‍👧", "x\u0328\u0301", "👍🏽"])
def test_a_cut_does_not_split_what_belongs_together(whole):
    for limit in range(4, 4 + len(whole)):
        assert plain_line(f"abc{whole}xyzxyz", limit) == "abc…"


@given(ANYTHING, st.integers(0, 40))
@examples(max_examples=100, deadline=None)
def test_a_subject_fits(text, limit):
    assert len(plain_line(text, limit)) <= limit
