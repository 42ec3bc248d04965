"""What was made before, for as long as there is room for it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Generic, TypeVar

Made = TypeVar("Made")


class Remembered(Generic[Made]):
    """The things that were asked for last, bounded by number and by characters. Any thread may ask."""

    def __init__(self, most: int, most_characters: int) -> None:
        self._most, self._most_characters = most, most_characters
        self._made: OrderedDict[Hashable, tuple[Made, int]] = OrderedDict()
        self._characters = 0
        self._facts: object = None
        self._moment = object()
        self._lock = Lock()

    def get(self, known_by: Hashable) -> Made | None:
        """What was made of this before; None when it has to be made."""
        with self._lock:
            found = self._made.get(known_by)
            if found is None:
                return None
            self._made.move_to_end(known_by)
            return found[0]

    def put(self, known_by: Hashable, made: Made, characters: int) -> None:
        """Keep what was made; `characters`: about how much room it takes, with what it is known by."""
        with self._lock:
            if known_by in self._made:
                return
            self._made[known_by] = made, characters
            self._characters += characters
            while len(self._made) > self._most or self._characters > self._most_characters:
                self._characters -= self._made.popitem(last=False)[1][1]

    def while_same(self, facts: object) -> object:
        """Something to be known by that is another one whenever these facts are others than the last time."""
        with self._lock:
            if self._facts != facts:
                self._facts, self._moment = facts, object()
                self._made.clear()
                self._characters = 0
            return self._moment
