"""Whatever is killed when: what was answered is there, once and whole. `make crash` does it for long."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.crash import compare, torment


@pytest.mark.endurance
@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_nothing_is_lost_doubled_or_cut(tmp_path: Path, request: Any, store: str) -> None:
    database, settings = f"sqlite:///{tmp_path / 'data' / 'blog.db'}", {}
    if store == "postgres":
        database = request.getfixturevalue("postgres").replace("postgresql://", "postgresql+psycopg://", 1)
        settings = {"database_url": database}
    account = torment(tmp_path, kills=5, **settings)
    assert account.answered
    assert compare(database, account) == []
