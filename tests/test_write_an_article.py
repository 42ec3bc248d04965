"""An author saves, changes and removes files, and readers see just that: soon, whole, and nothing else."""

from __future__ import annotations

import os
import re
import shutil
import struct
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from blog.articles import Library, check
from blog.markup.article import RESERVED_IDS, render_article
from blog.markup.images import size_of

ROOT = Path(__file__).resolve().parent.parent


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 6, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def library(tmp_path: Path, clock: Clock) -> Library:
    save(
        tmp_path,
        "first.md",
        "---\ntitle: The first\ndate: 2026-01-02\ntags: [Giving]\n---\n\nSome *words*.\n",
    )
    save(tmp_path, "pages/about.md", "---\ntitle: About\n---\n\nWho writes here.\n")
    return Library(tmp_path, clock=clock, interval=0)


def save(folder: Path, place: str, text: str | bytes) -> Path:
    path = folder / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def titles(library: Library) -> list[str]:
    library.refresh()
    return [article.title for article in library.articles]


def test_a_new_file_is_an_article(library, tmp_path):
    version = library.version
    save(tmp_path, "second.md", "---\ntitle: The second\ndate: 2026-02-02\n---\n\nText.\n")
    assert titles(library) == ["The second", "The first"]
    assert library.version > version


def test_a_title_is_enough_and_the_date_is_asked_for(tmp_path):
    save(tmp_path, "a-walk.md", "---\ntitle: A walk\n---\nText.\n")
    here = Library(tmp_path)
    assert [(article.slug, article.url) for article in here.articles] == [("a-walk", "/posts/a-walk/")]
    assert [(problem.hidden, "date: 20" in problem.fix) for problem in here.problems] == [(False, True)]


def test_a_changed_file_is_seen_by_the_next_reader_without_waiting(tmp_path, clock):
    path = save(tmp_path, "x.md", "---\ntitle: Before\ndate: 2026-01-01\n---\n")
    here = Library(tmp_path, clock=clock, interval=3600)
    stamp = here.stamp("x")
    save(tmp_path, "x.md", "---\ntitle: After\ndate: 2026-01-01\n---\n")
    assert here.stamp("x") != stamp
    assert here.get("x").title == "After"
    path.unlink()
    assert here.stamp("x") == ()
    assert here.get("x") is None


def test_the_folder_is_looked_at_in_intervals(tmp_path):
    here = Library(tmp_path, interval=0.05)
    save(tmp_path, "x.md", "---\ntitle: x\ndate: 2026-01-01\n---\n")
    end = time.monotonic() + 2
    while not here.articles and time.monotonic() < end:
        here.refresh()
        time.sleep(0.01)
    assert titles(here) == ["x"]


def test_a_removed_article_is_gone_and_comes_back(library, tmp_path):
    text = (tmp_path / "first.md").read_bytes()
    (tmp_path / "first.md").unlink()
    assert titles(library) == []
    assert library.gone("/posts/first/")
    assert not library.gone("/posts/never/")
    save(tmp_path, "first.md", text)
    assert titles(library) == ["The first"]
    assert not library.gone("/posts/first/")


def test_an_article_withdrawn_to_a_draft_is_hidden_but_not_gone(library, tmp_path):
    save(tmp_path, "first.md", "---\ntitle: The first\ndraft: true\n---\n")
    assert titles(library) == []
    assert not library.gone("/posts/first/")


def test_an_article_appears_and_expires_by_itself(library, tmp_path, clock):
    save(
        tmp_path,
        "event.md",
        "---\ntitle: Event\ndate: 2026-06-02\nexpires: 2026-06-03\naliases: /party/\n---\n",
    )
    assert titles(library) == ["The first"]
    version = library.version
    clock.now += timedelta(days=1)
    assert titles(library) == ["Event", "The first"]
    assert library.version > version
    assert library.alias("/party") == "/posts/event/"
    clock.now += timedelta(days=1)
    assert titles(library) == ["The first"]
    assert library.gone("/posts/event/")
    assert library.gone("/party/")
    assert library.alias("/party") is None


def test_the_version_stays_while_nothing_changes(library, tmp_path):
    version = library.version
    library.refresh()
    save(tmp_path, "draft.md", "---\ntitle: x\ndraft: true\n---\n")
    library.refresh()
    assert library.version == version


def test_an_unchanged_article_is_rendered_once(library, tmp_path):
    first = library.get("first")
    assert first.html is first.html
    save(tmp_path, "second.md", "---\ntitle: x\ndate: 2026-01-01\n---\n")
    library.refresh()
    assert library.get("first").html is first.html


BAD = {
    "draft-with-a-slip.md": "---\ntitle: x\ndraft: true\n\nText.\n",
    "latin1.md": b"---\ntitle: caf\xe9\n---\n",
    "utf16.md": "---\ntitle: x\n---\n".encode("utf-16"),
    "nul.md": b"\0\0\0",
    "empty.md": "",
    "plain.md": "No header at all.\n",
    "no-slug-🙂.md": "---\ntitle: x\nslug: 🙂\n---\n",
    "2026-02-30-x.md": "---\ntitle: x\n---\n",
    "large.md": b"---\ntitle: x\n---\n" + b"x" * 2_000_001,
}


@pytest.mark.parametrize("name", BAD)
def test_one_bad_file_hides_only_itself(library, tmp_path, name):
    save(tmp_path, name if not name.startswith("no-slug") else "🙂.md", BAD[name])
    assert titles(library) == ["The first"]
    assert [problem.hidden for problem in library.problems] == [True]
    assert library.problems[0].path in str(library.problems[0])


def test_links_pipes_and_folders_are_named_and_never_read(library, tmp_path):
    outside = Path(tempfile.mkdtemp())
    save(outside, "secret.md", "---\ntitle: Secret\ndate: 2026-01-01\n---\n")
    (tmp_path / "out.md").symlink_to(outside / "secret.md")
    (tmp_path / "folder").symlink_to(outside)
    (tmp_path / "nowhere.md").symlink_to(tmp_path / "missing")
    (tmp_path / "circle.md").symlink_to(tmp_path / "circle.md")
    (tmp_path / "dir.md").mkdir()
    os.mkfifo(tmp_path / "pipe.md")
    (tmp_path / "within.md").symlink_to(
        save(tmp_path, "kept/real.txt", "---\ntitle: In\ndate: 2026-01-01\n---\n")
    )
    assert titles(library) == ["The first", "In"]
    assert [problem.path for problem in library.problems] == [
        "circle.md",
        "dir.md",
        "folder",
        "nowhere.md",
        "out.md",
        "pipe.md",
    ]
    shutil.rmtree(outside)


def test_a_file_without_permission_hides_only_itself(clock):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        save(folder, "open.md", "---\ntitle: Open\ndate: 2026-01-01\n---\n")
        save(folder, "locked.md", "---\ntitle: Locked\ndate: 2026-01-01\n---\n").chmod(0)
        save(folder, "inner/x.md", "---\ntitle: Inner\ndate: 2026-01-01\n---\n")
        here = None
        with as_nobody():
            here = Library(folder, clock=clock, interval=0)
            assert titles(here) == ["Inner", "Open"]
            assert [problem.path for problem in here.problems] == ["locked.md"]
        (folder / "inner").chmod(0)
        with as_nobody():
            assert titles(here) == ["Open"]
            assert not here.gone("/posts/x/")
        (folder / "inner").chmod(0o755)
        (folder / "locked.md").chmod(0o644)
        assert titles(here) == ["Inner", "Open", "Locked"]


class as_nobody:  # noqa: N801
    """Root may read everything, so who runs the tests as root reads as somebody else for a while."""

    def __enter__(self) -> None:
        if os.getuid() == 0:
            os.seteuid(65534)

    def __exit__(self, *_: object) -> None:
        if os.getuid() == 0:
            os.seteuid(0)


def test_a_content_folder_that_goes_away_takes_nothing_with_it(library, tmp_path):
    away = tmp_path.with_name("away")
    tmp_path.rename(away)
    assert titles(library) == ["The first"]
    assert "cannot be read" in library.problems[0].what
    away.rename(tmp_path)
    assert titles(library) == ["The first"]
    assert library.problems == ()
    assert not library.gone("/posts/first/")


def test_a_missing_content_folder_is_an_empty_blog(tmp_path):
    here = Library(tmp_path / "none")
    assert (here.articles, len(here.problems)) == ((), 1)


def test_a_name_that_is_not_utf8_can_be_told(tmp_path):
    (tmp_path / os.fsdecode(b"caf\xe9.md")).write_text("---\ntitle: x\ndate: 2026-01-01\ndraft: maybe\n---\n")
    str(Library(tmp_path).problems[0]).encode()


def test_two_articles_with_one_address(library, tmp_path):
    save(tmp_path, "again.md", "---\ntitle: Again\nslug: first\ndate: 2026-03-03\n---\n")
    assert titles(library) == ["The first"]
    assert [problem.path for problem in library.problems] == ["again.md"]


def test_problems_are_logged_once(library, tmp_path, caplog):
    save(tmp_path, "bad.md", "---\ntitle: x\n")
    library.refresh()
    library.refresh()
    save(tmp_path, "other.md", "---\ntitle: y\ndate: 2026-01-01\n---\n")
    library.refresh()
    assert [record.getMessage().partition(": ")[0] for record in caplog.records] == ["bad.md:1"]


def test_a_title_comes_from_the_first_heading_or_the_name(tmp_path, clock):
    save(tmp_path, "a.md", "---\ndate: 2026-01-01\n---\n\n# The *real* title\n\nText.\n")
    save(tmp_path, "the-name.md", "---\ndate: 2026-01-01\n---\n\nText.\n")
    save(
        tmp_path,
        "twice.md",
        "---\ntitle: Said twice\ndate: 2026-01-01\n---\n\nSaid twice\n==========\n\nText.\n",
    )
    here = Library(tmp_path, clock=clock)
    assert {article.title for article in here.articles} == {"The real title", "The name", "Said twice"}
    assert [article.html for article in here.articles] == ["<p>Text.</p>"] * 3


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Über uns.md", "uber-uns"),
        ("It's 5 o'clock.md", "its-5-oclock"),
        ("Æsop & Łódź.md", "aesop-lodz"),
        ("李小龙.md", "李小龙"),
        ("हिन्दी में.md", "हिन्दी-में"),
        ("snake_case.md", "snake-case"),
        ("x" * 200 + ".md", "x" * 80),
        ("2026-01-02.md", "2026-01-02"),
        ("2026-01-02-dated.md", "dated"),
        ("folder/index.md", "folder"),
    ],
)
def test_addresses_come_from_file_names(tmp_path, clock, name, slug):
    save(tmp_path, name, "---\ntitle: x\ndate: 2026-01-01\n---\n")
    here = Library(tmp_path, clock=clock)
    assert [article.slug for article in here.articles] == [slug]
    assert here.get(slug).url.isascii()


def test_the_summary_is_the_first_paragraph_or_what_stands_before_more(tmp_path, clock):
    header = "---\ntitle: x\ndate: 2026-01-01\n---\n\n"
    save(
        tmp_path,
        "a.md",
        header + "## Head\n\n![pic](a.png)\n\nThe *first* [link](x) with `code`[^1] &amp; more.\n\nNext.\n",
    )
    save(tmp_path, "b.md", header + "One.\n\nTwo.\n\n<!--more-->\n\nThree.\n")
    here = Library(tmp_path, clock=clock)
    assert here.get("a").summary == "The first link with code & more."
    assert here.get("b").summary == "One. Two."


def test_pages_stand_apart_and_cannot_take_the_blogs_own_addresses(library, tmp_path):
    save(tmp_path, "pages/login.md", "---\ntitle: Sign in here\n---\n")
    library.refresh()
    assert [(page.url, page.comments_open) for page in library.pages] == [("/about/", False)]
    assert library.page("about").title == "About"
    assert library.get("about") is None
    assert [problem.path for problem in library.problems] == ["pages/login.md"]


def test_tags_neighbours_and_related_articles(library, tmp_path):
    for day in (1, 3, 4):
        tags = "[giving, rare]" if day != 3 else "[giving]"
        save(tmp_path, f"a{day}.md", f"---\ntitle: a{day}\ndate: 2026-01-0{day}\ntags: {tags}\n---\n")
    library.refresh()
    assert [(tag.slug, tag.name, len(tag.articles)) for tag in library.tags.values()] == [
        ("giving", "giving", 4),
        ("rare", "rare", 2),
    ]
    assert library.tag("GIVING") is library.tags["giving"]
    older, newer = library.neighbours(library.get("first"))
    assert (older.slug, newer.slug) == ("a1", "a3")
    assert [article.slug for article in library.related(library.get("a4"))] == ["a1", "a3", "first"]


def test_comments_close_when_the_author_or_the_days_say_so(library, tmp_path, clock):
    first = library.get("first")
    assert first.closes_at(0) is None
    assert first.is_open(0, clock.now)
    assert first.closes_at(30) == datetime(2026, 2, 1, tzinfo=UTC)
    assert not first.is_open(30, clock.now)
    assert first.is_open(10**9, clock.now)
    save(tmp_path, "shut.md", "---\ntitle: x\ndate: 2026-01-01\ncomments: closed\n---\n")
    library.refresh()
    assert not library.get("shut").is_open(0, clock.now)


PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 640, 480) + b"\x08\x02\0\0\0"


@pytest.fixture
def beside(library: Library, tmp_path: Path) -> Library:
    save(tmp_path, "photo.png", PNG)
    save(tmp_path, "files/notes.PDF", "%PDF")
    save(tmp_path, ".env.txt", "SECRET=1")
    save(tmp_path, "page.html", "<script>")
    save(tmp_path, "script.js", "alert()")
    save(tmp_path, "pages/private.png", PNG)
    save(tmp_path, "secret-draft/index.md", "---\ntitle: x\ndraft: true\n---\n")
    save(tmp_path, "secret-draft/plan.pdf", "%PDF")
    save(tmp_path, ".git/config.txt", "x")
    outside = save(tmp_path.with_name(tmp_path.name + "-outside"), "key.txt", "x")
    (tmp_path / "key.txt").symlink_to(outside)
    (tmp_path / "dot.txt").symlink_to(tmp_path / ".env.txt")
    (tmp_path / "other").symlink_to(outside.parent)
    (tmp_path / "same.png").symlink_to(tmp_path / "photo.png")
    library.refresh()
    return library


def test_images_and_files_beside_an_article_are_served(beside, tmp_path):
    assert beside.asset("first", "photo.png") == (tmp_path / "photo.png").resolve()
    assert beside.asset("first", "files/notes.PDF") is not None
    assert beside.asset("first", "same.png") is not None
    assert beside.asset("about", "private.png", of_page=True) is not None


NOT_SERVED = """
    first.md .env.txt dot.txt page.html script.js key.txt other/key.txt pages/private.png pages/about.md
    secret-draft/plan.pdf secret-draft/index.md .git/config.txt ../photo.png files/../photo.png ./photo.png
    /etc/passwd //photo.png files//notes.PDF files files/ . .. photo.png/ ..\\photo.png missing.png
"""


@pytest.mark.parametrize(
    "name", [*NOT_SERVED.split(), "", "photo.png\0", "x" * 5000 + ".png", "\ud800.png"], ids=ascii
)
def test_nothing_else_is_served(beside, name):
    assert beside.asset("first", name) is None


def test_files_beside_what_is_hidden_are_hidden(beside):
    assert beside.asset("secret-draft", "plan.pdf") is None
    assert beside.asset("nothing", "photo.png") is None


def exif(orientation: int) -> bytes:
    body = (
        b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01"
        + struct.pack(">H", orientation)
        + b"\0\0\0\0\0\0"
    )
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body


def jpeg(*parts: bytes) -> bytes:
    frame = b"\xff\xc2\0\x11\x08" + struct.pack(">HH", 300, 400) + b"\x03" + b"\0" * 9
    return b"\xff\xd8\xff\xe0\0\x04\0\0" + b"".join(parts) + frame + b"\xff\xd9"


IMAGES = {
    "a.png": (PNG, (640, 480)),
    "a.gif": (b"GIF89a" + struct.pack("<HH", 12, 34) + b"\0\0\0", (12, 34)),
    "a.jpg": (jpeg(), (400, 300)),
    "upright.jpg": (jpeg(exif(1)), (400, 300)),
    "turned.jpg": (jpeg(exif(6)), (300, 400)),
    "lossy.webp": (
        b"RIFF\0\0\0\0WEBPVP8 \0\0\0\0\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 50, 60) + b"\0",
        (50, 60),
    ),
    "lossless.webp": (
        b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f" + struct.pack("<I", 49 | 59 << 14) + b"\0",
        (50, 60),
    ),
    "large.webp": (b"RIFF\0\0\0\0WEBPVP8X\0\0\0\0\0\0\0\0\x31\0\0\x3b\0\0", (50, 60)),
    "a.avif": (
        b"\0\0\0\x1cftypavif" + b"\0" * 20 + b"\0\0\0\x14ispe\0\0\0\0" + struct.pack(">II", 7, 8),
        (7, 8),
    ),
    "sized.svg": (b'<?xml version="1.0"?><svg xmlns="x" width="20px" height="30">', (20, 30)),
    "box.svg": (b'<svg viewBox="0 0 720.4 300">', (720, 300)),
    "percent.svg": (b'<svg width="100%" height="100%">', None),
    "cut.png": (PNG[:14], None),
    "zero.png": (PNG[:16] + b"\0" * 10, None),
    "cut.jpg": (jpeg()[:8], None),
    "empty.gif": (b"", None),
}


@pytest.mark.parametrize("name", IMAGES)
def test_images_say_how_large_they_are(tmp_path, name):
    data, size = IMAGES[name]
    assert size_of(save(tmp_path, name, data)) == size


def test_an_image_with_a_caption_a_size_and_a_place(library, tmp_path):
    save(tmp_path, "photo.png", PNG)
    text = "![A cup](photo.png \"It's a 'cup'\")\n\nAnd ![one](photo.png) more.\n"
    save(tmp_path, "cup.md", f"---\ntitle: x\ndate: 2026-01-01\n---\n\n{text}")
    library.refresh()
    html = library.get("cup").html
    assert '<figure><img alt="A cup" height="480" src="/posts/cup/photo.png" width="640">' in html
    assert "<figcaption>It’s a ‘cup’</figcaption></figure>" in html
    assert html.count('loading="lazy"') == 1


def test_an_image_that_comes_later_gets_its_size(library, tmp_path):
    save(tmp_path, "late.md", "---\ntitle: x\ndate: 2026-01-01\n---\n\n![a](late.png)\n")
    library.refresh()
    assert "width" not in library.get("late").html
    assert [problem.path for problem in check(library)] == ["late.md"]
    version = library.version
    save(tmp_path, "late.png", PNG)
    library.refresh()
    assert 'width="640"' in library.get("late").html
    assert library.version > version
    assert check(library) == []


MARKDOWN = """
Smart "quotes", it's -- and... <abbr>HTML</abbr>[^note] and ~~gone~~.

| left | right | mid |
|:-----|------:|:---:|
| a    |     b |  c  |

- [ ] to do
- [x] done *well*

```python
def give(): return "<b>"
```

Term
:   Meaning

[^note]: The note.
"""


def test_what_an_author_can_do(library):
    html = render_article(MARKDOWN).html
    assert "“quotes”, it’s &ndash; and&hellip;" in html
    assert '<sup id="fnref:note"><a class="footnote-ref" href="#fn:note">' in html
    assert '<td class="left">a</td>' in html
    assert '<td class="right">b</td>' in html
    assert '<label><input checked disabled type="checkbox"> done <em>well</em></label>' in html
    assert '<div class="highlight">' in html
    assert '<span class="s2">"&lt;b&gt;"</span>' in html
    assert "<del>gone</del>" in html
    assert "<dd>Meaning</dd>" in html


def test_nothing_needs_an_inline_style_or_a_script():
    html = render_article(MARKDOWN + "\n# A\n\n### B\n\n[TOC]\n").html
    assert not re.search(r"\sstyle=|<script|<style|\son\w+=|javascript:", html)


def test_headings_begin_below_the_title_and_skip_no_level():
    found = re.findall(r"<(h\d)", render_article("# A\n\n#### B\n\n## C\n\n###### D\n\n# E\n").html)
    assert found == ["h2", "h3", "h3", "h4", "h2"]
    assert re.findall(r"<(h\d)", render_article("### A\n\n#### B\n").html) == ["h2", "h3"]


def test_headings_are_links_to_themselves_and_never_take_an_id_of_the_page():
    html = render_article("## Comments\n\n## Two\n\n## Two\n\n## [Linked](/x)\n\n## Reply line\n").html
    assert re.findall(r'id="([^"]+)"', html) == [
        "comments-section",
        "two",
        "two_1",
        "linked",
        "reply-line-section",
    ]
    assert '<a class="anchor" href="#two">Two</a>' in html
    assert '<h2 id="linked"><a href="/x">Linked</a></h2>' in html


def test_the_ids_of_the_templates_are_reserved():
    parts = [path.read_text("utf-8") for path in (ROOT / "templates").glob("pages/*.html")]
    parts += [(ROOT / "templates" / name).read_text("utf-8") for name in ("base.html", "_macros.html")]
    used = {name for text in parts for name in re.findall(r'\bid="([^"{}]+)"', text)}
    assert {name for name in used if f'id="{name}"' in render_article(f"## {name}").html} == set()
    assert "reflection" in RESERVED_IDS


def test_long_articles_have_a_table_of_contents():
    text = "\n\n".join(f"## Part {number} & *more*\n\n### Inner\n\n{'word ' * 100}" for number in range(8))
    toc = render_article(text).toc
    assert toc.startswith(
        '<ul><li><a href="#part-0-more">Part 0 &amp; more</a><ul><li><a href="#inner">Inner</a>'
    )
    assert render_article("## A\n\n## B\n\n## C\n").toc == ""
    assert render_article(f"[TOC]\n\n{text}").toc == ""


@pytest.mark.parametrize(
    ("language", "quoted"),
    [("de", "„ja“"), ("de-AT", "„ja“"), ("pl", "„ja”"), ("en", "“ja”"), ("xx", "“ja”")],
)
def test_quotes_follow_the_language(language, quoted):
    assert quoted in render_article('Er sagt "ja" dazu.', language=language).html


@pytest.mark.parametrize(
    ("typed", "language", "shown"),
    [
        (
            'She said "no" -- twice, and didn\'t mean it...',
            "en",
            "She said “no” – twice, and didn’t mean it…",
        ),
        ('("lange" gewartet)', "de", "(„lange“ gewartet)"),
        ("It 'isn't so' --- the '90s", "en", "It ‘isn’t so’ — the ’90s"),
        ("Say git push --force", "en", "Say git push --force"),
    ],
)
def test_what_is_taken_out_of_the_text_is_set_like_the_text(tmp_path, typed, language, shown):
    save(tmp_path, "a.md", f"---\ndate: 2026-01-01\nlanguage: {language}\n---\n# {typed}\n\n{typed}\n")
    save(tmp_path, "b.md", '---\ndate: 2026-01-01\ntitle: A "title"\nsummary: As -- typed\n---\nWords.\n')
    here = Library(tmp_path)
    assert (here.get("a").title, here.get("a").summary) == (shown, shown)
    assert (here.get("b").title, here.get("b").summary) == ('A "title"', "As -- typed")


def test_text_that_breaks_the_markdown_parser_is_shown_as_typed(library, tmp_path):
    save(tmp_path, "deep.md", "---\ntitle: x\ndate: 2026-01-01\n---\n\n" + "1. " * 600 + "<b>\n")
    library.refresh()
    deep = library.get("deep")
    assert deep.html.startswith("<pre>1. 1. ")
    assert "&lt;b&gt;" in deep.html
    assert ["rendered" in problem.what for problem in check(library)] == [True]


def test_check_names_what_only_shows_on_the_page(library, tmp_path):
    save(
        tmp_path,
        "x.md",
        "---\ntitle: x\ndate: 2026-01-01\n---\n\n{{< figure src=a >}}\n\n`{% raw %}`\n\n<p style='x'>y</p>\n",
    )
    library.refresh()
    assert [(problem.path, problem.line, problem.hidden) for problem in check(library)] == [
        ("x.md", 6, False),
        ("x.md", 10, False),
    ]


def test_a_slip_in_a_fields_name_is_noticed(library, tmp_path):
    save(tmp_path, "x.md", "---\ntitle: x\ndate: 2026-01-01\nreflektion: Why?\n---\n")
    library.refresh()
    assert ["reflection" in problem.fix for problem in library.problems] == [True]


def test_many_readers_while_the_author_saves(library, tmp_path):
    failures: list[object] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            library.refresh()
            found = library.get("first")
            if found is None or not found.html or len(library.articles) != 1:
                failures.append(found)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for number in range(20):
        new = save(tmp_path, "new.tmp", f"---\ntitle: x{number}\ndate: 2026-01-01\n---\n\nText {number}.\n")
        new.replace(tmp_path / "first.md")
        time.sleep(0.002)
    done.set()
    for reader in readers:
        reader.join()
    assert failures == []
    assert titles(library) == ["x19"]


@pytest.fixture(scope="module")
def thousand() -> Iterator[Library]:
    with tempfile.TemporaryDirectory() as name:
        for number in range(1000):
            save(Path(name), f"a{number}.md", f"---\ntitle: a{number}\ndate: 2026-01-01\n---\n\nText.\n")
        yield Library(Path(name), interval=0)


def test_a_thousand_unchanged_articles_are_not_read_again(thousand):
    before = thousand.articles
    thousand.refresh()
    assert len(before) == 1000
    assert all(now is then for now, then in zip(thousand.articles, before, strict=True))


def test_the_sample_content_has_nothing_to_mend():
    here = Library(ROOT / "content")
    assert check(here) == []
    assert len([article for article in here.articles if article.comments_open and article.reflection]) >= 2
    assert [article.slug for article in here.drafts if article.draft] != []
    assert here.page("about") is not None
    reciprocal = here.get("reciprocal-relationships")
    assert 600 <= reciprocal.words <= 900
    assert reciprocal.reflection.endswith("?")
    assert len(re.findall(r"<li>\s*(?:<p>)?<strong>", reciprocal.html)) == 5
