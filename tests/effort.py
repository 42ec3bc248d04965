"""How much work a call does, counted instead of timed, so that the answer is the same on every machine."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def lines_run(function: Callable[[str], object], text: str) -> int:
    """The lines of Python that run in this call, in the standard library and in packages too."""
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before, collects = sys.gettrace(), gc.isenabled()
    gc.disable()  # what other tests left behind would be cleared away in this call, and counted
    sys.settrace(trace)
    try:
        function(text)
    finally:
        sys.settrace(before)
        if collects:
            gc.enable()
    return count
