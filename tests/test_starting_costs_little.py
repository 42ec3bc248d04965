"""What is not brought into memory before the first reader is answered."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests import forked
from tests.serving import COMMAND, ROOT, environment, finished, launched

# Together more than a fifth of all that would be imported, for work that most starts do not have.
MIGRATING = ("alembic", "flask_migrate", "mako", "pygments.lexers.web")
LATER = (*MIGRATING, "akismet", "httpx", "email_validator")


def test_a_start_needs_little_and_the_migrations_come_when_one_is_due(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    words = f"""
import gc, sys, wsgi
print(gc.isenabled(), gc.get_freeze_count() > 50_000)
from pathlib import Path
from blog import create_app, start
for app in wsgi.app, create_app({{"data_dir": Path({str(tmp_path / "new")!r})}}):
    with app.app_context():
        start.prepare_store()
    print([name for name in {LATER} if name in sys.modules])
"""
    shutil.copy(request.getfixturevalue("_migrated"), tmp_path / "blog.db")
    done = finished(launched, ("-c", words), environment(data_dir=tmp_path))
    swept, nothing_due, all_due = done.stdout.splitlines()
    assert swept == "True True"  # garbage is collected, but not looked for in what was imported
    assert nothing_due == "[]"
    assert all_due == str(list(MIGRATING))


@pytest.mark.parametrize("program", [("wsgi.py",), COMMAND])
def test_both_ways_to_a_command_know_the_migrations(tmp_path: Path, program: tuple[str, ...]) -> None:
    here = environment(data_dir=tmp_path)
    assert forked.run((*program, "db", "upgrade"), here).returncode == 0
    newest = max((ROOT / "blog" / "migrations" / "versions").glob("[0-9]*.py")).name[:4]
    assert newest in forked.run((*program, "db", "current"), here).stdout
    unknown = forked.run((*program, "db", "nonsense"), here)
    assert unknown.returncode == 2
    assert "Traceback" not in unknown.stderr
    for path in tmp_path.glob("blog.db*"):
        path.unlink()
    (tmp_path / "blog.db").write_text("These are not the bytes of a database, whatever they are.")
    broken = forked.run((*program, "db", "upgrade"), here)
    assert broken.returncode == 1
    assert broken.stderr.strip().startswith("Error: the store cannot be used")
    assert "Traceback" not in broken.stderr
