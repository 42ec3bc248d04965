"""A reader finds articles by year, by subject, by their neighbours, and under the addresses they once had."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Make
from tests.people import Reader

PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" width="2" height="2"/>'


@pytest.fixture
def reader(make: Make, content: Path) -> Reader:
    """A reader of a blog with old addresses, pages and subjects."""
    (content / "old-hand.md").write_text(
        "---\ntitle: Old hand\ndate: 2025-05-05\nmodified: 2026-06-06\ntags: [letters, Café & Co]\n"
        "aliases: [/2025/05/hand.html, /?p=12, /posts/young-hand/]\nlang: de\nauthor: Ada\n"
        "reflection: Was bleibt?\n---\n\n" + "Viele Wörter. " * 500
    )
    (content / "pages" / "about").mkdir(parents=True)
    (content / "pages" / "about" / "index.md").write_text("---\ntitle: About me\n---\n\n![Me](me.svg)\n")
    (content / "pages" / "about" / "me.svg").write_text(PICTURE)
    return Reader(make())


def test_the_archive_has_every_article_by_year_and_the_subjects(reader: Reader) -> None:
    page = reader.get("/archive/")
    assert [year.text_content() for year in page.all(".years h2")] == ["2026", "2025"]
    assert page.words(".years").index("The second") < page.words(".years").index("An open letter")
    assert "Hidden" not in page.text
    assert [link.get("href") for link in page.all('a[rel="tag"]')] == ["/tags/letters/", "/tags/cafe-co/"]
    assert page.headers["ETag"]


def test_a_subject_has_a_page_and_a_feed(reader: Reader) -> None:
    page = reader.get("/tags/letters/")
    assert "An open letter" in page.words("main")
    assert "Old hand" in page.words("main")
    assert "The second" not in page.words("main")
    assert reader.get(page.one('link[href$="tags/letters/feed.xml"]').get("href")).status == 200
    assert reader.get("/tags/nothing/").status == 404
    other = reader.get("/tags/Café & Co/")
    assert (other.status, other.headers["Location"]) == (301, "/tags/cafe-co/")


def test_an_article_links_its_subjects(reader: Reader) -> None:
    links = reader.get("/posts/old-hand/").all('.post header a[rel="tag"]')
    assert [link.get("href") for link in links] == ["/tags/letters/", "/tags/cafe-co/"]


def test_a_page_stands_in_the_menu_with_its_picture(reader: Reader) -> None:
    page = reader.get("/about/")
    assert page.words("h1") == "About me"
    assert page.one('nav a[aria-current="page"]').get("href") == "/about/"
    assert reader.get(page.one("main img").get("src")).text == PICTURE
    assert "/about/" in reader.get("/sitemap.xml").text
    assert reader.get("/").all('nav a[href="/about/"]')
    for hidden in ("/about/index.md", "/about/../open-letter.md", "/nowhere/", "/posts/about/"):
        assert reader.get(hidden).status == 404


@pytest.mark.parametrize("old", ["/2025/05/hand.html", "/?p=12", "/posts/young-hand/", "/posts/young-hand"])
def test_an_old_address_leads_to_the_new_one(reader: Reader, old: str) -> None:
    for _ in range(2):
        page = reader.get(old)
        assert (page.status, page.headers["Location"]) == (301, "/posts/old-hand/")
        assert reader.get("/").status == 200
        assert reader.get("/?p=999").status == 200


def test_what_was_taken_down_is_gone_and_what_never_was_is_unknown(reader: Reader, content: Path) -> None:
    assert reader.get("/posts/second/").status == 200
    (content / "second.md").unlink()
    library = reader.app.extensions["blog.library"]
    library._look_again = 0
    assert reader.get("/posts/second/").status == 410
    assert reader.get("/posts/third/").status == 404


def test_neighbours_and_relatives_are_one_click_away(reader: Reader) -> None:
    page = reader.get("/posts/open-letter/")
    assert page.one('.pair a[rel="next"]').get("href") == "/posts/second/"
    assert page.one('.pair a[rel="prev"]').get("href") == "/posts/closed/"
    related = page.one('section[aria-labelledby="form-related"] a')
    assert (related.get("href"), related.getparent().get("lang")) == ("/posts/old-hand/", "de")


def test_the_language_of_an_article_is_that_of_its_page(reader: Reader) -> None:
    page = reader.get("/posts/old-hand/")
    assert page.one("html").get("lang") == "de"
    for ours in ("#comments", ".top", ".foot", ".skip", ".post .meta"):
        assert page.one(ours).get("lang") == "en"
    assert "lang" not in reader.get("/posts/open-letter/").one(".top").attrib
    assert "5 minutes" in page.words(".post header")
    assert "revised 6 June 2026" in page.words(".post header")


def test_machines_read_what_people_read(reader: Reader) -> None:
    reader.stored(slug="old-hand")
    page = reader.get("/posts/old-hand/")
    feeds = {link.get("href") for link in page.all('link[rel="alternate"]')}
    assert {f"/posts/old-hand/comments.{form}" for form in ("xml", "json")} <= feeds
    assert {"/feed.xml", "/feed.json"} <= feeds
    here = "http://127.0.0.1:8000/posts/old-hand/"
    assert page.one('link[rel="canonical"]').get("href") == here
    facts = json.loads(page.one('script[type="application/ld+json"]').text)
    assert facts["@type"] == "BlogPosting"
    assert facts["commentCount"] == 1
    assert (facts["headline"], facts["inLanguage"], facts["url"]) == ("Old hand", "de", here)
    assert facts["datePublished"] == "2025-05-05T00:00:00Z"
    assert facts["dateModified"] == "2026-06-06T00:00:00Z"
    told = {tag.get("property"): tag.get("content") for tag in page.all("meta[property]")}
    assert told["og:title"] == "Old hand"
    assert told["og:url"] == here
    assert told["og:type"] == "article"
    assert told["article:modified_time"] == "2026-06-06T00:00:00Z"


def test_no_title_closes_the_block_for_machines(make: Make, content: Path) -> None:
    title = '</script><script>alert(1)</script><!-- & \u2028 "quoted"'
    (content / "hostile.md").write_text(f"---\ntitle: {json.dumps(title)}\ndate: 2026-01-01\n---\n\nx\n")
    page = Reader(make()).get("/posts/hostile/")
    assert page.text.count("</script>") == 2
    facts = json.loads(page.one('script[type="application/ld+json"]').text)
    assert facts["headline"].startswith("</script>")


def test_a_title_and_a_question_have_real_quotes_and_dashes_where_they_are_read(make, content):
    (content / "told.md").write_text(
        "---\ntitle: It's \"done\"\ndate: 2026-03-01\nreflection: What's yours -- or theirs?\n---\n\nWords.\n"
    )
    reader = Reader(make())
    page = reader.get("/posts/told/")
    assert page.words("h1") == "It’s “done”"
    assert page.words("#reflection label") == "What’s yours – or theirs?"
    for place in ("/", "/archive/"):
        assert "It’s “done”" in reader.get(place).words("main")
