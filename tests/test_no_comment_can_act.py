"""Whatever a stranger writes, nothing in the page moves, loads, runs, breaks or slows down because of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from markupsafe import Markup

from blog.markup import budget
from blog.markup.comment import _SANITISER, render_comment, safe_url
from blog.remembered import Remembered
from tests import harmless
from tests.effort import lines_run
from tests.fuzz.fuzz_comment import HOSTILE, LINES_A_STEP, check_comment
from tests.fuzz.fuzz_front_matter import check_front_matter
from tests.fuzz.guided import findings
from tests.pathological import UNITS, prose, texts

PIECES = st.sampled_from([*UNITS, *HOSTILE]) | st.text(st.characters(codec=None), max_size=4)


@given(st.lists(PIECES, max_size=20).map("".join))
@examples(max_examples=200, deadline=None)
def test_no_text_acts_or_loses_words(text):
    harmless.check(text)


@pytest.mark.parametrize("length", [7, 400])
def test_no_repetition_acts_or_loses_words(length):
    for text in texts(length).values():
        harmless.check(text)


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_hostile_acts_wherever_it_stands(text):
    for around in (
        "{}",
        "> {}",
        "- {}",
        "`{}`",
        "[a]({})",
        "[{}](http://a.b)",
        "<{}>",
        "*{}*",
        "```{}\n{}",
        "http://a.b/{}",
    ):
        harmless.check(around.replace("{}", text))


@pytest.mark.parametrize("text", findings("comment") or [""])
def test_what_fuzzing_found_stays_mended(text):
    check_comment(text)


@pytest.mark.parametrize("text", findings("front_matter") or [""])
def test_what_fuzzing_found_in_front_matter_stays_mended(text):
    check_front_matter(text)


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "/logout"])
def test_the_sanitiser_alone_would_hold(address: str) -> None:
    # The writer never makes such a link; should it ever, the second defence knows nothing of the first.
    hostile = f'<p onclick=x><a href="{address}" style=x>a</a><img src=x><svg/onload=x></p>'
    harmless.cannot_act(_SANITISER.clean(hostile))


@pytest.mark.parametrize(
    "page",
    [
        "<script>1</script>",
        "<p onclick=a()>a</p>",
        "<p style=color:red>a</p>",
        "<img src=x>",
        '<a href="javascript:a()" rel="nofollow ugc noopener">a</a>',
        '<a href="//a.b" rel="nofollow ugc noopener">a</a>',
        '<a href="http://a.b">a</a>',
        "<!-- a -->",
        "a\x01b",
        '<li value="-1">',
    ],
)
def test_the_judge_sees_what_could_act(page):
    with pytest.raises(AssertionError):
        harmless.cannot_act(page)


@pytest.mark.parametrize(
    "page", ["</div><p>a", "<div>", "<a href='http://a.b'>a", "<table>a", "<!--", "<b>a"]
)
def test_the_judge_sees_what_reaches_a_neighbour(page):
    with pytest.raises(AssertionError):
        harmless.stays_in_its_place(page)


@pytest.mark.parametrize("length", [100, 1_500])
def test_the_work_for_a_comment_is_bounded_by_its_length(length):
    most = LINES_A_STEP * budget.allowed_steps(length + 1)
    dear = {
        name: work
        for name, text in texts(length).items()
        if (work := lines_run(render_comment, f"{text} ")) > most
    }
    assert dear == {}


def test_prose_takes_a_small_part_of_what_it_may():
    text = prose(10_000)
    assert lines_run(render_comment, text) < LINES_A_STEP * budget.allowed_steps(len(text)) / 10


def test_comments_are_rendered_by_many_threads_at_once():
    pages = [f"*a {number}* `b` http://a.b/{number}" for number in range(50)] * 4
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(render_comment, pages)) == [render_comment(text) for text in pages]


def test_the_memory_for_rendered_comments_is_bounded():
    cache: Remembered[Markup] = Remembered(most=3, most_characters=100)
    for number in range(9):
        cache.put(str(number), Markup("x"), 2)
    assert [number for number in range(9) if cache.get(str(number))] == [6, 7, 8]
    cache.put("long", Markup("x" * 90), 94)
    assert cache.get("long")
    assert not cache.get("6")
    cache.put("too long", Markup("x" * 200), 208)
    assert not cache.get("too long")
    assert not cache.get("long")


@pytest.mark.parametrize(
    "address",
    [
        "https://example.org",
        "http://example.org:8080/a?b=c&d#e",
        "https://münchen.example/ü",
        "http://[::1]/",
        "http://a.b/(c)'",
    ],
)
def test_an_author_may_give_a_website(address):
    assert safe_url(f" {address} ") == address
    assert safe_url(address.replace("http", "HTTP")) == address


# fmt: off
REFUSED = (
    "", "example.org", "javascript:alert(1)", "https:evil.example", "//evil.example", "/\\evil", "http:///a",
    "http://", "ftp://a.b", "http://a@b.example", "http://a:b@c.example", "http://a.b:99999", "http://a.b:x",
    "http://a b", "http://a\n.b", "http://a.b/\tc", "http://a.b/\\c", "http://a.b/<c>", 'http://a.b/"c', "http://.",
    "http://a.b/\u202ec", "http://a\u200b.b", "data:text/html,x", "http\u017f://a.b",
    "http://a.b/" + "c" * 500, "http://a.b/\x00", "http://a%2eb", "http://a.b:",
)
# fmt: on


@pytest.mark.parametrize("address", REFUSED)
def test_any_other_website_is_refused(address):
    assert safe_url(address) is None
