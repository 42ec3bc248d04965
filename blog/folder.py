"""The folders of the blog: the articles', and that of the data, which is for one user and nobody else."""

from __future__ import annotations

import errno
import os
import secrets
from pathlib import Path

from blog.config import PREFIX, SettingError


def data_folder(folder: Path) -> None:
    """Make the data folder, readable for this user only. Raises SettingError when it cannot be used."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, "this user may not write there")
    except OSError as error:
        raise SettingError(
            f"{PREFIX}DATA_DIR: {str(folder)!r} cannot be used ({error.strerror}); name a folder to write to."
        ) from None


def content_folder(folder: Path) -> None:
    """Look whether articles can be read there. Raises SettingError when not.

    For the start only: a folder that goes away later leaves the pages as they are.
    """
    try:
        next(folder.iterdir(), None)
        if not os.access(folder, os.X_OK):
            raise PermissionError(errno.EACCES, "this user may not open its files")
    except OSError as error:
        raise SettingError(
            f"{PREFIX}CONTENT_DIR: {str(folder)!r} cannot be read ({error.strerror}); "
            "name the folder of the articles."
        ) from None


def kept_secret(data_dir: Path) -> str:
    """The secret key of the data folder, made at the first call (mode 0600).

    Many processes may start at once: the first to link its file in wins, the others read that one.
    """
    path = data_dir / "secret_key"
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = data_dir / f".secret_key.{os.getpid()}.{secrets.token_hex(4)}"
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(48))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another process was first; its key is the one
        finally:
            draft.unlink()
    return path.read_text().strip()
