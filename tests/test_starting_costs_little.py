"""What is not brought into memory before the first reader is answered."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.serving import ROOT

# Together a fifth of all that would be imported, for work that most starts do not have.
LATER = ("alembic", "flask_migrate", "mako", "pygments.lexers.web")


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A program of this Python, with a blog of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BLOG_")}
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env={**kept, "BLOG_DATA_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_migrations_come_into_memory_when_one_is_due(tmp_path: Path) -> None:
    words = f"""
import sys, wsgi
from blog import start
wsgi.app.app_context().push()
start.prepare_store()
print([name for name in {LATER} if name in sys.modules])
"""
    assert "alembic" in run(tmp_path, "-c", words).stdout
    assert run(tmp_path, "-c", words).stdout.strip() == "[]"


@pytest.mark.parametrize("program", [("wsgi.py",), ("-m", "flask", "--app", "wsgi")])
def test_both_ways_to_a_command_know_the_migrations(tmp_path: Path, program: tuple[str, ...]) -> None:
    assert run(tmp_path, *program, "db", "upgrade").returncode == 0
    newest = max((ROOT / "blog" / "migrations" / "versions").glob("[0-9]*.py")).name[:4]
    assert newest in run(tmp_path, *program, "db", "current").stdout
    unknown = run(tmp_path, *program, "db", "nonsense")
    assert unknown.returncode == 2
    assert "Traceback" not in unknown.stderr
    (tmp_path / "blog.db").write_text("These are not the bytes of a database, whatever they are.")
    broken = run(tmp_path, *program, "db", "upgrade")
    assert broken.returncode == 1
    assert broken.stderr.strip().startswith("Error: the store cannot be used")
    assert "Traceback" not in broken.stderr
