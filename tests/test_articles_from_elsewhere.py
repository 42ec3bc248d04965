"""Posts of Jekyll, Hugo, Eleventy and Pelican work unchanged: the hidden stay so, old addresses lead on."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from blog.articles import Article, Library

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def library(folder: Path, files: dict[str, str]) -> Library:
    for place, text in files.items():
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return Library(folder, clock=lambda: NOW, interval=0)


def only(folder: Path, place: str, text: str) -> Article:
    here = library(folder, {place: text})
    assert [problem for problem in here.problems if problem.hidden] == []
    assert len(here.articles) == 1
    return here.articles[0]


JEKYLL = """---
layout: post
title:  "Welcome to Jekyll!"
date:   2026-01-03 23:30:00 +0100
categories: jekyll update
tags: [static sites, Ruby]
excerpt: A first post.
permalink: /:year/:month/:title.html
redirect_from:
  - /welcome/
  - /blog/old welcome
comments: true
last_modified_at: 2026-02-01
author: Ana
---
You'll find this post in your `_posts` directory.
"""


def test_a_post_from_jekyll(tmp_path):
    found = only(tmp_path, "_posts/2026-01-02-welcome-to-jekyll.markdown", JEKYLL)
    assert (found.slug, found.title, found.author) == ("welcome-to-jekyll", "Welcome to Jekyll!", "Ana")
    assert found.date == datetime(2026, 1, 3, 22, 30, tzinfo=UTC)
    assert found.modified == datetime(2026, 2, 1, tzinfo=UTC)
    assert found.tags == ("static sites", "Ruby", "jekyll", "update")
    assert found.summary == "A first post."
    assert found.aliases == ("/2026/01/welcome-to-jekyll.html", "/welcome/", "/blog/old welcome")
    assert found.comments_open


def test_the_date_in_a_file_name_is_a_fallback(tmp_path):
    found = only(tmp_path, "_posts/travel/2026-01-02-a-walk.md", "---\nlayout: post\n---\nText.\n")
    assert (found.slug, found.title, found.date) == ("a-walk", "A walk", datetime(2026, 1, 2, tzinfo=UTC))


HUGO = """+++
title = 'My first post'
date = 2026-01-14T07:07:07+01:00
publishDate = 2026-01-20
lastmod = 2026-02-02
draft = false
tags = ['red', 'blue']
categories = ['colours']
aliases = ['/posts/my-original-url/', 'elsewhere', 'https://old.example/deep/url.html#part']
url = '/2026/first/'
description = 'How it began'
authors = ['Ana', 'Ben']
[params]
  color = 'red'
  draft = 'no matter'
[[resources]]
  src = 'x.jpg'
+++

The text.

<!--more-->

More of it.
"""


def test_a_bundle_from_hugo(tmp_path):
    found = only(tmp_path, "posts/my-first-post/index.md", HUGO)
    assert (found.slug, found.title, found.author) == ("my-first-post", "My first post", "Ana, Ben")
    assert found.date == datetime(2026, 1, 14, 6, 7, 7, tzinfo=UTC)
    assert found.visible_from == datetime(2026, 1, 20, tzinfo=UTC)
    assert found.tags == ("red", "blue", "colours")
    assert found.aliases == ("/2026/first/", "/posts/my-original-url/", "/elsewhere", "/deep/url.html")
    assert found.folder.name == "my-first-post"


def test_json_from_hugo(tmp_path):
    text = (
        '{\n  "Title": "In JSON",\n  "publishDate": "2026-01-20T00:00:00Z",\n  "draft": false\n}\n\nText.\n'
    )
    assert only(tmp_path, "in-json.md", text).date == datetime(2026, 1, 20, tzinfo=UTC)


def test_hugos_section_files_are_no_articles(tmp_path):
    here = library(tmp_path, {"_index.md": "---\ntitle: Home\n---\n", "posts/_index.md": "no header"})
    assert (here.articles, here.problems) == ((), ())


ELEVENTY = """---
title: This is my first post
description: This is a post on My Blog about agile frameworks.
date: 2026-05-01
permalink: "/blog/first/index.html"
tags:
  - another tag
author:
  name: Ana
---
Leverage nothing.
"""


def test_a_post_from_eleventy(tmp_path):
    here = library(tmp_path, {"blog/firstpost/firstpost.md": ELEVENTY})
    found = here.articles[0]
    assert (found.slug, found.tags, found.author) == ("firstpost", ("another tag",), "Ana")
    assert here.alias("/blog/first/") == "/posts/firstpost/"


def test_a_single_tag_of_eleventy_may_have_spaces(tmp_path):
    text = "---\ntitle: x\ndate: 2026-01-01\ntags: cats and dogs\n---\n"
    assert only(tmp_path, "x.md", text).tags == ("cats and dogs",)


def test_an_address_that_eleventy_would_compute_is_named(tmp_path):
    text = '---\ntitle: x\ndate: 2026-01-01\npermalink: "/{{ title | slugify }}/"\n---\n'
    here = library(tmp_path, {"x.md": text})
    assert here.articles[0].aliases == ()
    assert [(problem.line, problem.hidden) for problem in here.problems] == [(4, False)]


def test_the_date_of_the_file_as_eleventy_asks_for_it(tmp_path):
    here = library(tmp_path, {"x.md": "---\ntitle: x\ndate: Last Modified\n---\n"})
    assert here.articles[0].date.timestamp() == pytest.approx((tmp_path / "x.md").stat().st_mtime, abs=1)


PELICAN = """Title: My super title
Date: 2026-01-03 10:20
Modified: 2026-02-05 19:30
Category: Python
Tags: pelican, publishing
Slug: my-super-post
Authors: Alexis Metaireau, Conan Doyle
Summary: Short version for index and feeds
Lang: fr
Status: published
Save_as: old/place.html

This is the content of my super blog post.
"""


def test_a_post_from_pelican(tmp_path):
    found = only(tmp_path, "python/whatever.md", PELICAN)
    assert (found.slug, found.language) == ("my-super-post", "fr")
    assert found.date == datetime(2026, 1, 3, 10, 20, tzinfo=UTC)
    assert found.modified == datetime(2026, 2, 5, 19, 30, tzinfo=UTC)
    assert found.tags == ("pelican", "publishing", "Python")
    assert found.author == "Alexis Metaireau, Conan Doyle"
    assert found.summary == "Short version for index and feeds"


HIDDEN = {
    "a draft": "draft: true",
    "a draft in capitals": "DRAFT: True",
    "a draft in other words": "draft: yes",
    "a draft in quotes": 'draft: "true"',
    "Jekyll's unpublished": "published: false",
    "Hugo's later": "publishDate: 2026-06-02",
    "Hugo's later by another name": "published: 2026-06-02T00:00:00Z",
    "Hugo's headless": "headless: true",
    "Hugo's expired": "expiryDate: 2026-05-31",
    "expired today": "expires: 2026-06-01 12:00",
    "a date to come": "date: 2026-06-01 12:00:01",
    "Pelican's draft": "Status: draft",
    "Pelican's hidden": "status: hidden",
    "WordPress's private": "status: private",
    "Eleventy's without an address": "permalink: false",
    "Eleventy's out of collections": "eleventyExcludeFromCollections: true",
    "private": "private: 1",
}


@pytest.mark.parametrize("line", HIDDEN.values(), ids=HIDDEN)
@pytest.mark.parametrize("form", ["yaml", "pelican"])
def test_what_was_hidden_stays_hidden(tmp_path, line, form):
    date = "" if line.startswith("date") else "date: 2026-01-01\n"
    text = (
        f"---\ntitle: x\n{date}{line}\n---\nText.\n"
        if form == "yaml"
        else f"Title: x\n{date}{line}\n\nText.\n".replace('"', "")
    )
    here = library(tmp_path, {"x.md": text})
    assert (here.articles, here.get("x"), here.problems) == ((), None, ())
    assert [article.slug for article in here.drafts] == ["x"]


def test_jekylls_drafts_folder_stays_hidden(tmp_path):
    assert library(tmp_path, {"_drafts/x.md": "---\ntitle: x\ndate: 2026-01-01\n---\n"}).articles == ()


def test_typed_values_of_toml_and_json_hide_as_well(tmp_path):
    here = library(
        tmp_path,
        {
            "a.md": '+++\ntitle = "a"\ndate = 2026-01-01\ndraft = true\n+++\n',
            "b.md": '+++\ntitle = "b"\ndate = 2026-01-01\nexpiryDate = 2026-02-01T00:00:00Z\n+++\n',
            "c.md": '{"title": "c", "date": "2026-01-01", "draft": 1}\n',
            "d.md": '{"title": "d", "date": "2026-01-01", "published": false}\n',
            "e.md": '{"title": "e", "date": "2026-01-01", "permalink": false}\n',
            "f.md": '{"title": "f", "date": "2026-01-01", "status": {"x": 1}}\n',
            "g.md": '+++\ntitle = "g"\npublished = 2026-07-01\n+++\n',
        },
    )
    assert here.articles == ()


def test_an_unknown_status_is_hidden_and_named(tmp_path):
    here = library(tmp_path, {"x.md": "---\ntitle: x\ndate: 2026-01-01\nstatus: embargoed\n---\n"})
    assert here.articles == ()
    assert [problem.line for problem in here.problems] == [4]


@pytest.mark.parametrize(
    "line", ["status: published", "Status: publish", "published: true", "published: 2026-01-01", "draft:"]
)
def test_what_was_published_is(tmp_path, line):
    assert only(tmp_path, "x.md", f"---\ntitle: x\ndate: 2026-01-01\n{line}\n---\nText.\n")


def test_old_addresses_are_found_in_every_spelling(tmp_path):
    text = "---\ntitle: x\ndate: 2026-01-01\naliases: [/old/one/, '/?p=123', /é t, /a//b/index.html]\n---\n"
    here = library(tmp_path, {"x.md": text})
    for path in ("/old/one", "/old/one/", "/old/one/index.html", "/?p=123", "/%C3%A9%20t", "/é t", "/a/b"):
        assert here.alias(path) == "/posts/x/"
    for path in (
        "/",
        "/old",
        "/old/one/two",
        "/?p=124",
        "",
        "//evil.example/",
        "/old/../old/one",
        "\ud800",
        "/[" * 400,
    ):
        assert here.alias(path) is None


@pytest.mark.parametrize(
    "alias", ["/", "..", "/a/../b", "https://old.example/", "http://[broken", "/a\\x00", ""]
)
def test_an_alias_that_leads_nowhere_is_left_out(tmp_path, alias):
    here = library(tmp_path, {"x.md": f'---\ntitle: x\ndate: 2026-01-01\naliases: ["{alias}"]\n---\n'})
    assert here.articles[0].aliases == ()


def test_an_old_address_of_two_articles_leads_to_the_older_one(tmp_path):
    text = "---\ntitle: x\ndate: 2026-01-0{}\naliases: /old/\n---\n"
    here = library(tmp_path, {"a.md": text.format(2), "b.md": text.format(1)})
    assert here.alias("/old/") == "/posts/b/"
    assert [(problem.path, problem.hidden) for problem in here.problems] == [("a.md", False)]
