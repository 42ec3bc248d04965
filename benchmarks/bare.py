"""What the server could do at most: granian as `serve` runs it, and Python that hands over bytes and no more.

    python -m benchmarks.bare PORT FOLDER

FOLDER holds `body` and `headers.json`; every request gets them, whatever it asks for.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from blog import serve
from blog.door import Door, Request


class Bare:
    """A door without a house."""

    def __init__(self, headers: list[tuple[str, str]], body: bytes) -> None:
        self._headers, self._body = headers, body
        self.loop = asyncio.new_event_loop()

    def admit(self, request: Request) -> None:
        """The same answer for everybody."""
        request.proto.response_bytes(200, self._headers, self._body)

    async def close(self, quiet: float, most: float) -> None:
        """Nobody waits for anything here."""


def main() -> None:
    """Serve until told to stop."""
    port, folder = int(sys.argv[1]), Path(sys.argv[2])
    headers = [(name, value) for name, value in json.loads((folder / "headers.json").read_text())]
    body = (folder / "body").read_bytes()
    here = cast(Any, SimpleNamespace(host="127.0.0.1", port=port, workers=2))
    end, alive = os.pipe()  # closed when this process ends, which the workers see
    for number, listener in enumerate(serve._listen(here)):
        if os.fork() == 0:
            os.close(alive)
            sys.setswitchinterval(serve.TURN)
            serve._answer(listener, number, cast(Door, Bare(headers, body)), end)
            os._exit(0)
    signal.pause()


if __name__ == "__main__":
    main()
