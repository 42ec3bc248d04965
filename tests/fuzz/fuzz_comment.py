"""Whatever a reader writes: `python -m tests.fuzz.fuzz_comment --seconds 60`."""

from __future__ import annotations

from pathlib import Path

import markdown_it

import blog
from blog.markup import budget
from blog.markup.comment import excerpt, render_comment
from tests.effort import lines_run
from tests.fuzz.guided import main
from tests.harmless import check
from tests.pathological import UNITS, prose, texts

LINES_A_STEP = 60
# fmt: off
HOSTILE = (
    "javascript:alert(1)", "[a](javascript:alert(1))", "[a](java\nscript:alert(1))",
    "<javascript:alert(1)>", "<img src=x onerror=alert(1)>", "<svg/onload=alert(1)>", "</div></article>",
    "<!--", "]]>", "<![CDATA[", "data:text/html,<script>", "//evil.example", "http:evil.example",
    "http://a@b", "http://a/\"onmouseover='", "\u2028", "\x00", "\x85", "\ufffe", "\ud800", "&colon;",
    "\\<", "\\\\", "\n\n", "\n    ", "\n> ", "\n- ", "\n1. ",
)
# fmt: on


def check_comment(text: str) -> None:
    """Cannot act, keeps its words and its place, and costs no more than its length allows."""
    check(text)
    assert len(excerpt(text, 80)) <= 80
    changed = f"{text} "  # not in the cache
    assert lines_run(render_comment, changed) <= LINES_A_STEP * budget.allowed_steps(len(changed))


if __name__ == "__main__":
    folders = [str(Path(str(module.__file__)).parent) for module in (blog, markdown_it)]
    main("comment", check_comment, [prose(300), *texts(60).values(), *HOSTILE], [*UNITS, *HOSTILE], folders)
