"""What it costs to show comments: typical ones, and the dearest that the tests know.

    python -m benchmarks.rendering

Times are processor time of one thread, the best of several runs, without the cache that spares most of it.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from itertools import count

from blog.markup import budget
from blog.markup.comment import render_comment
from blog.text import clean_text, fold
from tests.pathological import prose, texts

LENGTHS = (100, 300, 1_000, 3_000, 10_000)

# About 300 characters each, as people write them.
TYPICAL = {
    "plain prose": prose(300),
    "prose with emphasis and a link": (
        "I *loved* the part about the kitchen: my grandmother's smelled of salt, too - and of "
        "**coffee**, always. There is more about this in "
        "https://example.org/kitchens/of/the-sea, which you may know. What I would answer is "
        "this: we remember the smell first, and the faces after, if at all."
    ),
    "a quote and an answer": (
        "> There was never a day without visitors, and never a day when she complained.\n\nThis "
        "is where I disagree. She did complain, but not to guests.\n\nMy own answer to your "
        "question: **yes**, I would go back, although the house is gone and somebody has built a "
        "garage where the fig tree was."
    ),
    "a list": (
        "Three things came to mind:\n\n- the smell of salt in the curtains\n- the sound of the "
        "*old* radio\n- my uncle, who never said a word\n\nAnd one question: did you write this "
        "for her, or for us? I read it twice and am not sure. Either way, thank you for it; I "
        "have sent it to my sister."
    ),
    "code": (
        "This is how I would do it:\n\n```python\ndef kept(text: str) -> bool:\n    return "
        "len(text) < 10 and '<' not in text\n```\n\nUse `kept(x)` before `List<String>` is read, "
        "otherwise a<b is lost. I hope this helps; it took me a day to find out, and I have not "
        "seen it anywhere else."
    ),
    "another script": "我在海边长大，祖母的厨房里总有盐的味道。读到你的文章，我一下子就回到了那里。" * 7,
}


def best(function: Callable[[str], object], text: str, runs: int = 7) -> float:
    """Microseconds for one call; each text is a new one, so that no cache answers."""
    fresh = count()
    results = []
    for _ in range(runs):
        calls, start = 0, time.thread_time()
        while (spent := time.thread_time() - start) < 0.002 or not calls:
            function(f"{text}{next(fresh) % 10_000:04d}")
            calls += 1
        results.append(spent / calls * 1e6)
    return min(results)


def main() -> None:
    """Print the tables."""
    print("A typical comment of about 300 characters, microseconds, first time and from memory:\n")
    typical()
    for what, function in (("To show", render_comment), ("To clean", clean_text), ("To compare", fold)):
        print(f"\n{what} a comment, microseconds: plain prose, and the dearest of the pathological texts:\n")
        dearest(function)


def typical() -> None:
    """What most comments cost."""
    first = []
    for name, text in TYPICAL.items():
        first.append(best(render_comment, text))
        render_comment(text)
        again = time.thread_time()
        for _ in range(1000):
            render_comment(text)
        again = (time.thread_time() - again) * 1000
        print(f"  {name:32}{len(text):5} characters {first[-1]:8.0f} {again:8.2f}")
    print(f"  {'median':32}{'':16} {statistics.median(first):8.0f}")


def dearest(function: Callable[[str], object]) -> None:
    """Prose against the worst text of each length."""
    for length in LENGTHS:
        plain = best(function, prose(length - 4))
        dear = {name: best(function, text, 3) for name, text in texts(length - 4).items()}
        name = max(dear, key=dear.__getitem__)
        steps = f"{budget.allowed_steps(length):6} steps" if function is render_comment else ""
        ratio = dear[name] / plain
        print(
            f"  {length:6} characters {steps} {plain:8.0f} {dear[name]:8.0f}  = {ratio:5.1f} x  {name[:30]!r}"
        )


if __name__ == "__main__":
    main()
