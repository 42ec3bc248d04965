"""Fuzzing led by coverage: a text that reaches a new place in the code is kept and changed further.

With atheris installed, libFuzzer does the searching; without it, a small loop that needs nothing but Python.
A finding is made as short as possible and kept in tests/fuzz/findings/, where the tests find it ever after.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import importlib.util
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import FrameType, FunctionType
from typing import Any, NoReturn

FINDINGS = Path(__file__).parent / "findings"
LONGEST = 10_000

say = print  # the command's output

Check = Callable[[str], None]
Edge = tuple[object, int, int]


def findings(name: str) -> list[str]:
    """What was found before, by the name of the target."""
    return [
        path.read_bytes().decode("utf-8", "surrogatepass") for path in sorted(FINDINGS.glob(f"{name}-*.txt"))
    ]


def main(name: str, check: Check, seeds: Sequence[str], pieces: Sequence[str], traced: Iterable[str]) -> None:
    """Run a target from the command line; the exit status is 1 after a finding."""
    parser = argparse.ArgumentParser(description=f"Fuzz {name} for a bounded time.")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, help="the same number gives the same texts; default: the time")
    parser.add_argument("--plain", action="store_true", help="the small loop, even with atheris installed")
    options = parser.parse_args()
    if importlib.util.find_spec("atheris") and not options.plain:
        _atheris(name, check, seeds, tuple(traced), options.seconds)
    seed = options.seed if options.seed is not None else time.time_ns()
    say(f"{name}: seed {seed}")
    loop = Loop(name, check, [*seeds, *findings(name)], pieces, tuple(traced), random.Random(seed))
    loop.run(options.seconds)


class Loop:
    """A corpus of texts, each of which reached something that none before it did."""

    def __init__(
        self,
        name: str,
        check: Check,
        seeds: list[str],
        pieces: Sequence[str],
        traced: tuple[str, ...],
        rng: random.Random,
    ) -> None:
        self.name, self.check, self.pieces, self.traced, self.rng = name, check, pieces, traced, rng
        self.seen: set[Edge] = set()
        self.corpus: list[str] = []
        for seed in seeds:
            self.seen |= self.edges(seed)
            self.corpus.append(seed)

    def run(self, seconds: float) -> None:
        """Try texts until the time is over."""
        end, tried = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            text = self.changed(self.rng.choice(self.corpus))
            new = self.edges(text) - self.seen
            tried += 1
            if new:
                self.seen |= new
                self.corpus.append(text)
        say(f"{self.name}: {tried:,} texts, {len(self.corpus)} kept, {len(self.seen):,} edges, nothing found")

    def changed(self, text: str) -> str:
        """The text with one to six changes: something put in, repeated or cut out, two texts joined."""
        for _ in range(self.rng.randint(1, 6)):
            start, end = sorted(self.rng.randint(0, len(text)) for _ in range(2))
            end = min(end, start + self.rng.choice((1, 4, 50, LONGEST)))
            middle = self.rng.choice(
                (
                    "",
                    text[start:end] * self.rng.choice((2, 2, 3, 40)),
                    self.rng.choice(self.pieces),
                    text[start:end] + self.rng.choice(self.pieces),
                    self.rng.choice(self.pieces) + text[start:end] + self.rng.choice(self.pieces),
                    self.rng.choice(self.corpus),
                    chr(
                        self.rng.choice(
                            (
                                self.rng.randrange(0x80),
                                self.rng.randrange(0x3000),
                                self.rng.randrange(0x110000),
                            )
                        )
                    ),
                )
            )
            text = (text[:start] + middle + text[end:])[:LONGEST]
        return text

    def edges(self, text: str) -> set[Edge]:
        """The steps from line to line that a text takes; a failing check ends the run."""
        edges: set[Edge] = set()
        last: dict[FrameType, int] = {}

        def trace(frame: FrameType, event: str, argument: Any) -> Any:
            if event == "call" and not frame.f_code.co_filename.startswith(self.traced):
                return None
            edges.add((frame.f_code, last.get(frame, 0), frame.f_lineno))
            last[frame] = frame.f_lineno
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            self.check(text)
        except Exception as error:
            sys.settrace(before)
            report(self.name, self.check, text, error)
        finally:
            sys.settrace(before)
        return edges


def report(name: str, check: Check, text: str, error: Exception) -> NoReturn:
    """Keep the shortest text that still fails in the same way, and stop."""
    text = shortest(check, text, type(error))
    FINDINGS.mkdir(exist_ok=True)
    data = text.encode("utf-8", "surrogatepass")
    path = FINDINGS / f"{name}-{hashlib.sha256(data).hexdigest()[:12]}.txt"
    path.write_bytes(data)
    say(f"{name}: {type(error).__name__}: {error}\n{text!r}\nkept as {path}")
    sys.exit(1)


def shortest(check: Check, text: str, kind: type[Exception]) -> str:
    """Cut pieces out, half the text first and single characters last, while the same kind of error comes."""
    size = len(text) // 2
    while size:
        for start in range(0, len(text), size):
            shorter = text[:start] + text[start + size :]
            try:
                check(shorter)
            except kind:
                text = shorter
                break
            except Exception:  # another bug; this one first
                continue
        else:
            size //= 2
    return text


def _atheris(
    name: str, check: Check, seeds: Sequence[str], traced: tuple[str, ...], seconds: int
) -> NoReturn:
    import atheris

    def try_bytes(data: bytes) -> None:
        text = data.decode("utf-8", "replace")
        try:
            check(text)
        except Exception as error:
            report(name, check, text, error)

    # What reached something new is kept there, and the next run begins with it.
    corpus = Path(tempfile.gettempdir()) / f"reciprocal-fuzz-{name}"
    corpus.mkdir(exist_ok=True)
    for number, seed in enumerate(seeds):
        (corpus / f"seed-{number}").write_bytes(seed.encode("utf-8", "replace"))
    for function in gc.get_objects():
        if isinstance(function, FunctionType) and function.__code__.co_filename.startswith(traced):
            atheris.instrument_func(function)
    atheris.Setup([name, f"-max_total_time={seconds}", f"-max_len={LONGEST}", str(corpus)], try_bytes)
    atheris.Fuzz()
    sys.exit(0)
