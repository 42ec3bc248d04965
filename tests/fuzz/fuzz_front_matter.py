"""Whatever stands at the top of an article's file: `python -m tests.fuzz.fuzz_front_matter --seconds 60`."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

import blog
from blog import dialects, frontmatter
from tests.fuzz.guided import main

PLACE = PurePosixPath("2026-01-02-a-post.md")
SEEDS = (
    "---\ntitle: A post\ndate: 2026-01-02\ntags: [a, b]\ndraft: true\n---\n\nText.\n",
    "---\ntitle: 'A post'\ndate: 2026-01-02 12:30 +0100\npublished: false\naliases:\n  - /old/\n---\nText.\n",
    '+++\ntitle = "A post"\ndate = 2026-01-02T12:30:00Z\ndraft = true\n[params]\na = 1\n+++\nText.\n',
    '{"title": "A post", "date": "2026-01-02", "draft": true, "tags": ["a"]}\n\nText.\n',
    "Title: A post\nDate: 2026-01-02 12:30\nStatus: draft\nTags: a, b\nSlug: a-post\n\nText.\n",
    '---json\n{"title": "A post"}\n---\nText.\n',
    "\ufeff---\r\ntitle: A post\r\nexpiryDate: 2026-01-02\r\ncare: >-\r\n  a\r\n  b\r\n---\r\nText.\r\n",
)
# fmt: off
PIECES = (
    "---\n", "...\n", "+++\n", "---yaml\n", "\n", "\r\n", ": ", "- ", "#", "'", '"', '"""', "|\n", ">\n",
    "[", "]", "{", "}", "&a", "*a", "<<: *a\n", "!!python/object:os.system", "!!set", "? ", "~", "null",
    "NO", "010", "0x1F", "1_000", ".inf", "12:30:00", "2026-02-30", "9999-12-31", "0000-00-00",
    "2026-01-02T25:00:00Z", "+14:00", "1e400", "-0", "١", "draft: true\n", "draft: 'yes'\n",
    "published: no\n", "status: hidden\n", "date: ", "slug: ../../etc\n", "aliases: [/a, //b]\n",
    "a: {b: {c: {d: {}}}}\n", "[[", "]]", "\\u0000", "\\ud800", "\x00", "\x85", "\u2028", "\ufeff", "\t",
    "  ", "é", "👍",
)
# fmt: on
HIDDEN = re.compile(r"^draft: true$", re.MULTILINE)


def check_front_matter(text: str) -> None:
    """Read, or refused with one kind of error that names a line; `draft: true` is never overlooked."""
    try:
        header = frontmatter.read(text)
        fields = dialects.understand(header, PLACE)
    except frontmatter.FrontMatterError as error:
        if error.line < 1 or not error.what:
            raise AssertionError("the author is not told where to look") from error
        return
    assert header.body in text.replace("\r\n", "\n").replace("\r", "\n")
    plain = text.startswith("---\n") and not re.search(r"[\"'\[{|>&*!?%@`#]", header.source)
    if plain and HIDDEN.search(header.source):
        assert fields.hidden


if __name__ == "__main__":
    main("front_matter", check_front_matter, SEEDS, PIECES, [str(Path(str(blog.__file__)).parent)])
