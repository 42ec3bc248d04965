"""The same answer sent many times at once, by a nervous finger or a script: one is screened, the others wait.

For this process only, so with two of them Akismet may still be asked twice; the store decides in the end.
"""

from __future__ import annotations

import threading

from blog.db import db

_lock = threading.Lock()
_under_way: dict[str, threading.Event] = {}


class AfterTheFirst:
    """Go on at once as the first with this digest; else when that has ended, or after `patience` seconds.

    However the first ends, nobody is refused here: those who waited look for themselves what became of it.
    """

    __slots__ = ("_digest", "_mine", "_patience")

    def __init__(self, digest: str, patience: float) -> None:
        self._digest, self._patience = digest, patience
        self._mine = threading.Event()

    def __enter__(self) -> None:
        with _lock:
            first = _under_way.setdefault(self._digest, self._mine)
        if first is not self._mine:
            db.session.rollback()  # no connection is held meanwhile
            first.wait(self._patience)

    def __exit__(self, *_: object) -> None:
        with _lock:
            if _under_way.get(self._digest) is self._mine:
                del _under_way[self._digest]
        self._mine.set()
