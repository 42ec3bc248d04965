"""How much work reading a comment's Markdown may be.

Work is counted, not timed: the same text gets the same answer on every machine, at every load. A step is
about what a microsecond buys; `python -m benchmarks.rendering` shows what each kind of text costs.
"""

from __future__ import annotations

from markdown_it.utils import EnvType

LINE = 1
"""A line break, before any rule is tried."""
ESCAPED = 2
"""This many of <, > and & cost the sanitiser one step."""
LOOK_AHEAD = 1
"""One token skipped while searching a closing bracket."""
BLOCK = 6
"""All rules tried where a block begins; one more for each level of quotes and lists around it."""
CONTINUED = 2
"""Some rules tried where a paragraph may end."""
INLINE = 3
"""All rules tried within a line; and again for each character of emphasis."""
LINK = 8
"""A link made, and checked twice."""


class TooMuchMarkup(Exception):
    """Reading this text would take more steps than its length allows."""


def allowed_steps(length: int) -> int:
    """The steps that a text of this many characters may take.

    Prose takes a tenth of them, and no text of a thousand characters or more costs ten times as much as it.
    What takes too many is lists of single letters, rows of brackets and the like.
    """
    return 300 + 4 * length // 10


def begin(text: str) -> EnvType:
    """What the rules spend from while this text is read, less what its characters cost by themselves.

    Raises TooMuchMarkup when nothing would be left.
    """
    env: EnvType = {"steps": allowed_steps(len(text))}
    spend(env, LINE * text.count("\n"))
    spend(env, (text.count("<") + text.count(">") + text.count("&")) // ESCAPED)
    return env


def spend(env: EnvType, steps: int) -> None:
    """Count work that is about to be done, or raise TooMuchMarkup."""
    env["steps"] -= steps
    if env["steps"] < 0:
        raise TooMuchMarkup
