"""What somebody gets who installs the blog: locks for any index, a complete wheel, a README that is true."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from flask_migrate.cli import db as migrations

from tests import forked

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("requirements.txt", "requirements-dev.txt", "requirements-older.txt")
DOCUMENTS = sorted(path.relative_to(ROOT) for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])

BUILD = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]
SAMPLES = [name for name in BUILD["wheel"]["force-include"] if name.startswith("content/")]

README = (ROOT / "README.md").read_text("utf-8")


def pins(lock: str) -> dict[str, str]:
    """Each requirement of a lock file, with its hashes; continuation lines are joined."""
    text = re.sub(r"(?m)^ *#.*\n", "", (ROOT / lock).read_text("utf-8")).replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return {line.partition(" --hash")[0].strip(): line for line in lines}


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_index_and_no_host(lock):
    text = (ROOT / lock).read_text("utf-8")
    assert "://" not in text
    assert not re.search(r"(?m)^\s*-", text.replace("    --hash=", ""))
    assert not re.search(r"\b[a-z0-9-]+\.(org|com|net|io|dev)\b", text)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_is_exact_and_has_its_hashes(lock):
    for requirement, line in pins(lock).items():
        assert re.match(r"[a-z0-9-]+(\[[a-z,]+\])?==[0-9][^ ]*( ; .+)?$", requirement)
        assert "--hash=sha256:" in line


def test_tests_run_with_the_versions_that_the_blog_runs_with():
    assert pins("requirements.txt").keys() <= pins("requirements-dev.txt").keys()


def test_the_locks_were_made_for_these_dependencies():
    checked = run("tools/lock.py", "--check")
    assert (checked.returncode, checked.stdout) == (0, "")


def test_the_readme_lists_every_setting_with_its_default():
    checked = forked.run(("tools/settings.py", "--check"), os.environ)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_a_wheel_is_complete(tmp_path):
    built = run("-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path))
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder, inside in (("templates", "blog/_bundled/"), ("blog", "")):
        files = [path for path in (ROOT / folder).rglob("*") if path.is_file() and path.suffix != ".pyc"]
        assert {inside + path.relative_to(ROOT).as_posix() for path in files} <= names
    samples = {f"blog/_bundled/{name}" for name in SAMPLES}
    assert {name for name in names if name.startswith("blog/_bundled/content/")} == samples
    assert "wsgi.py" in names
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"blog", "wsgi.py"}


def test_the_samples_are_those_that_are_kept_in_the_repository_and_no_others():
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("needs git and a checkout")
    known = subprocess.run([git, "ls-files", "content"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert sorted(SAMPLES) == sorted(known.stdout.split())


@pytest.mark.parametrize("page", DOCUMENTS, ids=str)
def test_a_link_to_another_file_leads_somewhere(page):
    links = re.findall(r"\]\(([^)#\s]+)", (ROOT / page).read_text("utf-8"))
    targets = [link for link in links if "://" not in link and not link.startswith(("mailto:", "#"))]
    assert [link for link in targets if not (ROOT / page).parent.joinpath(link).exists()] == []


def test_the_readme_names_only_commands_that_exist(app):
    known = set()
    for command in (*app.cli.commands.values(), migrations):
        known |= {f"{command.name} {name}" for name in getattr(command, "commands", ())} or {command.name}
    named = re.findall(r"^ +flask --app wsgi ([a-z ]+?)(?: [A-Z]|,|$|  )", README, re.MULTILINE)
    assert named
    assert set(named) <= known
