"""Somebody follows the blog with a feed reader, and search engines find its pages."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import feedparser
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from blog.db import write
from blog.feeds import NEVER, Entry, Feed, _atom, absolute_links
from blog.markup.comment import render_comment
from blog.models import Comment
from tests.people import Reader

ATOM = "{http://www.w3.org/2005/Atom}"
FORM = "application/x-www-form-urlencoded"
SITE = "http://127.0.0.1:8000"
NASTY = [
    "\x00",
    "\x01",
    "\x0b",
    "\x1f",
    "\x7f",
    "\x85",
    "\ufffe",
    "\uffff",
    "&#1;",
    "&#xFFFE;",
    "]]>",
    "<!--",
    "&",
    "<b>",
    "\u202e",
    "\ud800",
]


def feed(client, path):
    """A feed as a feed reader sees it."""
    answer = client.get(path)
    assert answer.status_code == 200
    parsed = feedparser.parse(answer.data, response_headers={"content-type": answer.content_type})
    assert not parsed.bozo, parsed.get("bozo_exception")
    assert parsed.version == "atom10"
    return parsed


def tree(client, path):
    return ET.fromstring(client.get(path).data)


def publish(**values):
    """Store a comment as it is, whatever the form would have said; published unless a status is named."""
    mine = {
        "slug": "open-letter",
        "author": "Jo",
        "email": "jo@example.org",
        "email_folded": "jo@example.org",
    }
    status = values.pop("status", "approved")
    comment = Comment(**{**mine, **values})
    comment.receive(None)
    if status != "pending":
        comment.decide({"approved": "approve", "spam": "spam", "rejected": "reject"}[status], "ana")
    return comment


def put(app, **values):
    """The number of a comment that is stored like that."""
    with app.app_context(), write():
        return publish(**values).id


def test_the_feed_has_the_articles_in_full_with_the_newest_first(client):
    parsed = feed(client, "/feed.xml")
    assert [entry.title for entry in parsed.entries] == ["The second", "An open letter", "Closed"]
    letter = parsed.entries[1]
    assert "<em>words</em>" in letter.content[0].value
    assert letter.link == letter.id == f"{SITE}/posts/open-letter/"
    assert letter.published == "2026-01-02T00:00:00Z"
    assert letter.tags[0].term == "letters"
    assert parsed.feed.updated == "2026-02-03T00:00:00Z"
    assert parsed.feed.language == "en"
    assert parsed.feed.title == "Reciprocal"


def test_every_part_that_atom_demands_is_there(client):
    for path in (
        "/feed.xml",
        "/tags/letters/feed.xml",
        "/posts/open-letter/comments.xml",
        "/posts/second/comments.xml",
    ):
        root = tree(client, path)
        for part in ("id", "title", "updated", "author"):
            assert len(root.findall(ATOM + part)) == 1, (path, part)
        own = [link.get("href") for link in root.findall(ATOM + "link") if link.get("rel") == "self"]
        assert own == [SITE + path]
        for moment in root.iter(ATOM + "updated"):
            assert datetime.fromisoformat(moment.text).tzinfo
        for entry in root.findall(ATOM + "entry"):
            for part in ("id", "title", "updated", "published", "author", "content"):
                assert len(entry.findall(ATOM + part)) == 1, (path, part)


def test_drafts_stay_out_of_every_feed(client):
    for path in ("/feed.xml", "/feed.json", "/sitemap.xml"):
        assert "hidden" not in client.get(path).text.lower()
    assert client.get("/posts/hidden/comments.xml").status_code == 404


def test_a_blog_without_articles_has_a_feed_too(make, tmp_path):
    (tmp_path / "none").mkdir()
    client = make(content_dir=tmp_path / "none").test_client()
    assert feed(client, "/feed.xml").entries == []
    assert client.get("/feed.json").json["items"] == []
    assert client.get("/sitemap.xml").status_code == 200


def test_only_the_newest_twenty_articles_are_in_the_feed(make, content):
    for number in range(30):
        (content / f"more-{number:02}.md").write_text(
            f"---\ntitle: More {number}\ndate: 2026-03-{number + 1:02}\n---\nx\n"
        )
    client = make().test_client()
    parsed = feed(client, "/feed.xml")
    assert [len(parsed.entries), parsed.entries[0].title] == [20, "More 29"]
    assert len(tree(client, "/sitemap.xml")) > 30


def test_an_article_brings_its_language_and_author(make, content):
    (content / "deutsch.md").write_text(
        "---\ntitle: Auf Deutsch\ndate: 2026-05-01\nlanguage: de\nauthor: Ada\n---\n\nGuten Tag.\n"
    )
    client = make().test_client()
    entry = tree(client, "/feed.xml").find(ATOM + "entry")
    assert entry.get("{http://www.w3.org/XML/1998/namespace}lang") == "de"
    assert entry.find(f"{ATOM}author/{ATOM}name").text == "Ada"
    assert client.get("/feed.json").json["items"][0]["language"] == "de"


def test_a_tag_has_a_feed(client):
    parsed = feed(client, "/tags/letters/feed.xml")
    assert [entry.title for entry in parsed.entries] == ["An open letter"]
    assert parsed.feed.link == f"{SITE}/tags/letters/"
    assert client.get("/tags/unknown/feed.xml").status_code == 404


def test_the_json_feed_says_the_same(client):
    answer = client.get("/feed.json")
    found = answer.json
    assert answer.mimetype == "application/feed+json"
    assert found["version"] == "https://jsonfeed.org/version/1.1"
    assert [found["home_page_url"], found["feed_url"]] == [f"{SITE}/", f"{SITE}/feed.json"]
    assert [item["title"] for item in found["items"]] == ["The second", "An open letter", "Closed"]
    assert "<em>words</em>" in found["items"][1]["content_html"]
    assert found["items"][1]["tags"] == ["letters"]
    assert found["items"][1]["url"] == found["items"][1]["id"] == f"{SITE}/posts/open-letter/"


LINKS = [
    ('<a href="/privacy">x</a>', f'<a href="{SITE}/privacy">x</a>'),
    ('<img alt="" src="photo.jpg">', f'<img alt="" src="{SITE}/posts/x/photo.jpg">'),
    ('<a class="y" href="#fn:1">1</a>', f'<a class="y" href="{SITE}/posts/x/#fn:1">1</a>'),
    (
        '<a href="https://example.org/?a=1&amp;b=2">x</a>',
        '<a href="https://example.org/?a=1&amp;b=2">x</a>',
    ),
    ('<a href="mailto:jo@example.org">x</a>', '<a href="mailto:jo@example.org">x</a>'),
    ('<a href="http://[">x</a>', '<a href="http://[">x</a>'),
    ('<code>&lt;a href="/x"&gt;</code>', '<code>&lt;a href="/x"&gt;</code>'),
]


def test_links_and_pictures_work_outside_of_the_site(app):
    with app.app_context():
        for html, whole in LINKS:
            assert absolute_links(html, f"{SITE}/posts/x/") == whole


def test_addresses_come_from_the_setting_and_not_from_the_request(make):
    client = make(site_url="https://blog.example").test_client()
    for path in ("/feed.xml", "/feed.json", "/sitemap.xml", "/robots.txt", "/posts/open-letter/comments.xml"):
        text = client.get(
            path, base_url="http://blog.example:4321", headers={"X-Forwarded-Host": "evil.example"}
        ).text
        assert "https://blog.example/" in text
        assert "4321" not in text
        assert "evil" not in text


def test_a_published_comment_is_in_the_feed_of_its_article(app, reader, client):
    reader.stored(author="李小龙", body="I *agree*, and `a<b`.")
    parsed = feed(client, "/posts/open-letter/comments.xml")
    entry = parsed.entries[0]
    assert entry.author == "李小龙"
    assert entry.title == "李小龙 on An open letter"
    assert "<em>agree</em>" in entry.content[0].value
    assert "a&lt;b" in entry.content[0].value
    assert entry.id.startswith(f"{SITE}/posts/open-letter/#comment-")
    assert client.get(entry.link.removeprefix(SITE)).status_code == 302
    assert feed(client, "/posts/second/comments.xml").entries == []


def test_the_newest_comments_come_first_and_not_too_many(app, client):
    with app.app_context(), write():
        for number in range(55):
            publish(body=f"Number {number}.")
    entries = feed(client, "/posts/open-letter/comments.xml").entries
    assert len(entries) == 50
    assert "Number 54." in entries[0].content[0].value


def test_nothing_of_an_unpublished_or_private_comment_is_in_any_feed(app, client):
    for status in ("pending", "spam", "rejected"):
        put(app, status=status, author="Hidden Author", body="Hidden words.")
    put(app, status="pending", audience="private", author="Hidden Author", body="Hidden words.")
    gone = put(app, author="Hidden Author", body="Hidden words.")
    with app.app_context(), write() as session:
        session.get(Comment, gone).withdraw()
    for path in ("/posts/open-letter/comments.xml", "/feed.xml", "/feed.json", "/sitemap.xml"):
        assert "Hidden" not in client.get(path).text


def test_a_feed_names_nothing_but_the_author(app, client):
    put(
        app,
        author="Jo",
        url="https://jo.example",
        body="Words.",
        ip="203.0.113.9",
        network="203.0.113.9",
        user_agent="Netscape",
    )
    text = client.get("/posts/open-letter/comments.xml").text
    for secret in ("jo@example", "jo.example", "203.0.113", "Netscape"):
        assert secret not in text


def test_no_stored_comment_breaks_the_feed(app, client):
    stored = [nasty for nasty in NASTY if nasty != "\ud800"]
    for nasty in stored:
        put(app, author=f"a{nasty}b", body=f"c{nasty}d `{nasty}` [x]({nasty})")
    assert len(feed(client, "/posts/open-letter/comments.xml").entries) == len(stored)
    assert len(tree(client, "/posts/open-letter/comments.xml").findall(ATOM + "entry")) == len(stored)


def test_no_article_breaks_the_feeds(make, content):
    for number, nasty in enumerate(NASTY[:-1]):
        head = f"title: 'x{nasty}y'\ndate: 2026-06-01\nsummary: 'x{nasty}y'\ntags: ['t{nasty}']"
        (content / f"nasty-{number}.md").write_text(f"---\n{head}\n---\n\nx{nasty}y\n", "utf-8")
    client = make().test_client()
    assert len(feed(client, "/feed.xml").entries) > 8
    tree(client, "/sitemap.xml")
    assert client.get("/feed.json").json["items"]


@given(st.text(max_size=80), st.text(max_size=40))
@examples(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_gives_a_well_formed_feed(app, body, author):
    entry = Entry(
        id="x",
        url="x",
        title=author,
        author=author,
        language="en",
        published=NEVER,
        updated=NEVER,
        html=render_comment(body),
        tags=[author],
    )
    with app.test_request_context():
        root = ET.fromstring(
            _atom(Feed(url="x", page="x", title=author, language="en", entries=[entry])).get_data()
        )
    assert root.find(f"{ATOM}entry/{ATOM}content") is not None


def test_whatever_is_accepted_leaves_every_feed_well_formed(make):
    # On a busy machine the stand-in must not be called late: what was not screened is not shown.
    app = make(akismet_timeout=10)
    client, reader = app.test_client(), Reader(app)
    anything = st.text(max_size=30) | st.sampled_from(NASTY)
    blank = reader.get("/posts/open-letter/").fields("#comment-form")
    taken = []

    @given(body=anything, author=anything, path=anything)
    @examples(max_examples=40, deadline=None)
    def send(body, author, path):
        typed = {
            "author": f"A{author}",
            "body": f"B{len(taken)} {body}",
            "url": f"https://ada.example/{path}",
        }
        raw = {**blank, "email": "ada@example.org", **typed}
        raw = {name: value.encode("utf-8", "surrogatepass") for name, value in raw.items()}
        answer = client.post("/posts/open-letter/comments", data=urlencode(raw), content_type=FORM)
        assert answer.status_code in (303, 400, 422), answer.text
        taken.append(answer.status_code == 303)
        for address in ("/posts/open-letter/comments.xml", "/feed.xml"):
            assert tree(client, address).tag == f"{ATOM}feed"

    send()
    assert sum(taken) > 10
    assert len(tree(client, "/posts/open-letter/comments.xml").findall(f"{ATOM}entry")) == sum(taken)


def test_the_sitemap_lists_every_public_page_with_its_last_change(client):
    space = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
    root = tree(client, "/sitemap.xml")
    places = {url.find(space + "loc").text: url.findtext(space + "lastmod") for url in root}
    assert places[f"{SITE}/posts/open-letter/"] == "2026-01-02T00:00:00Z"
    assert places[f"{SITE}/"] == "2026-02-03T00:00:00Z"
    assert f"{SITE}/privacy" in places
    for address in places:
        assert client.get(address.removeprefix(SITE)).status_code == 200, address
    assert not [
        address
        for address in places
        if "receipts" in address or "moderation" in address or "login" in address
    ]


def test_robots_leave_private_pages_alone(client):
    answer = client.get("/robots.txt")
    lines = answer.text.splitlines()
    assert answer.mimetype == "text/plain"
    assert lines[0] == "User-agent: *"
    assert {"Disallow: /receipts/", "Disallow: /moderation/", "Disallow: /login"} <= set(lines)
    assert f"Sitemap: {SITE}/sitemap.xml" in lines


def test_an_unchanged_feed_is_not_sent_again(client):
    tag = client.get("/feed.xml").headers["ETag"]
    assert client.get("/feed.xml", headers={"If-None-Match": tag}).status_code == 304


def test_a_feed_follows_what_is_decided(app, client):
    assert feed(client, "/posts/open-letter/comments.xml").entries == []
    number = put(app, status="pending", body="Soon.")
    assert feed(client, "/posts/open-letter/comments.xml").entries == []
    with app.app_context(), write() as session:
        session.get(Comment, number).decide("approve", "ana")
    assert len(feed(client, "/posts/open-letter/comments.xml").entries) == 1


def test_every_feed_is_there_as_json_too(app):
    Reader(app).stored(author="Ada", body="Some *words* of mine.")
    client = app.test_client()
    for path, title in (
        ("/feed.json", None),
        ("/tags/letters/feed.json", None),
        ("/posts/open-letter/comments.json", "Ada"),
    ):
        found = client.get(path).json
        assert found["version"] == "https://jsonfeed.org/version/1.1"
        assert found["feed_url"].endswith(path)
        assert len(found["items"]) >= 1
        if title:
            assert found["items"][0]["authors"] == [{"name": title}]
            assert "<em>words</em>" in found["items"][0]["content_html"]
    assert "example.org" not in client.get("/posts/open-letter/comments.json").text
