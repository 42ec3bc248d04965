"""Bring .venv to the state of a lock file; run by the Makefile when it is not there yet.

    python tools/install.py requirements.txt

A copy of the lock lies in .venv once it is installed, so "is it the same file?" is the whole question of
whether anything needs doing. Two runs at once wait for each other.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"


def installed(lock: str) -> bool:
    """Whether .venv already holds exactly what the lock file says."""
    done = VENV / lock
    return done.is_file() and done.read_bytes() == (ROOT / lock).read_bytes() and works()


def works() -> bool:
    """Whether .venv has an interpreter that starts and finds pip; an upgrade of Python can break both."""
    if not PYTHON.exists():
        return False
    return (
        subprocess.run([PYTHON, "-c", "import pip"], check=False, stderr=subprocess.DEVNULL).returncode == 0
    )


def install(lock: str) -> None:
    """Install a lock file, making .venv first when there is none that works."""
    print(f"Setting up .venv from {lock}; this is needed once.", flush=True)
    if not works():
        venv.create(VENV, clear=True, symlinks=True, with_pip=True)
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    subprocess.run([*pip, "--require-hashes", "-r", lock], cwd=ROOT, check=True)
    # The lock for development holds the other one at the same versions, so both are installed now.
    for done in {lock, "requirements.txt"}:
        shutil.copyfile(ROOT / done, VENV / done)


def main() -> int:
    """Run the command; the exit status is that of pip when it fails."""
    lock = sys.argv[1]
    with Path(__file__).open(encoding="utf-8") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        try:
            if not installed(lock):
                install(lock)
        except subprocess.CalledProcessError as error:
            print(f"{lock} could not be installed; the lines above say why.", file=sys.stderr)
            return error.returncode or 1
        except KeyboardInterrupt:
            return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
