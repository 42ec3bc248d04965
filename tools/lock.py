"""Write the lock files, or check that they were made for today's pyproject.toml.

    python tools/lock.py             keep every pin that still fits
    python tools/lock.py --upgrade   take newer releases
    python tools/lock.py --check     no network: exit 1 and one line for each stale file

requirements.txt is what the blog runs with; requirements-dev.txt adds what tests and lint need, at the
same versions. requirements-older.txt is the older line of SQLAlchemy, with which the store has to work too.
All hold a hash for every file, serve every Python from 3.11 on, and name no index, so plain pip installs
them from whatever index the machine is set up for.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
# A release that was taken over is usually noticed within days; CONTRIBUTING.md explains the wait.
SETTLED = timedelta(days=7)
LOCKS = {
    "requirements.txt": ["pyproject.toml"],
    "requirements-dev.txt": ["pyproject.toml", "--all-extras", "--group", "dev", "-c", "requirements.txt"],
    "requirements-older.txt": ["-", "--no-deps"],
}
OLDER = "sqlalchemy>=2.0.47,<2.1"  # from the lower bound in pyproject.toml on


def wanted(lock: str) -> str:
    """The digest of what a lock file is asked to hold."""
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    project = table["project"]
    if lock == "requirements-older.txt":
        return hashlib.sha256(OLDER.encode()).hexdigest()
    asked = [project["requires-python"], sorted(project["dependencies"])]
    if lock == "requirements-dev.txt":
        asked += [project["optional-dependencies"], table["dependency-groups"]]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def locked(lock: str) -> str:
    """The digest that a lock file was made for, or nothing when it is not ours."""
    path = ROOT / lock
    text = path.read_text("utf-8") if path.is_file() else ""
    found = re.match(r"# Written by `make lock` for dependencies ([0-9a-f]{64})\n", text)
    return found[1] if found else ""


def write(lock: str, *, upgrade: bool) -> None:
    """Resolve one lock file with uv, and put the digest on its first line."""
    newest = (datetime.now(UTC) - SETTLED).strftime("%Y-%m-%dT00:00:00Z")
    command = [sys.executable, "-m", "uv", "pip", "compile", *LOCKS[lock], "--output-file", lock, "--quiet"]
    command += ["--universal", "--python-version", "3.11", "--generate-hashes", "--exclude-newer", newest]
    command += ["--no-emit-index-url", "--no-emit-find-links", "--no-header", *["--upgrade"] * upgrade]
    subprocess.run(command, cwd=ROOT, check=True, input=OLDER, text=True)
    path = ROOT / lock
    pins = "".join(line for line in path.open(encoding="utf-8") if not line.startswith("# "))
    path.write_text(f"# Written by `make lock` for dependencies {wanted(lock)}\n{pins}", "utf-8")


def main() -> int:
    """Run the command; the exit status is 1 when a lock file is stale or cannot be resolved."""
    parser = argparse.ArgumentParser(description="Write or check the lock files.")
    parser.add_argument("--check", action="store_true", help="only say which lock file is stale")
    parser.add_argument("--upgrade", action="store_true", help="take newer releases")
    asked = parser.parse_args()
    if asked.check:
        stale = [lock for lock in LOCKS if locked(lock) != wanted(lock)]
        for lock in stale:
            print(f"{lock} was made for other dependencies than pyproject.toml's: run `make lock`.")
        return int(bool(stale))
    for lock in LOCKS:
        try:
            write(lock, upgrade=asked.upgrade)
        except subprocess.CalledProcessError as error:
            print(f"{lock} cannot be resolved; uv says why above.", file=sys.stderr)
            return error.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
