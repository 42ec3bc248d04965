"""What `flask --app wsgi` and any WSGI server load."""

import gc
import os

# What comes into memory here stays to the end. To look through it for garbage would be a tenth of the start.
gc.disable()

from flask.cli import ScriptInfo  # noqa: E402

from blog import create_app  # noqa: E402
from blog.config import SettingError  # noqa: E402

# The database, its journal and backups are for this user alone.
os.umask(0o077)
try:
    app = create_app()
except SettingError as error:
    raise SystemExit(f"Error: {error}") from None
gc.freeze()
gc.enable()

if __name__ == "__main__":
    # The same commands as `flask --app wsgi`, without what that looks for first in all that is installed.
    app.cli.main(prog_name="wsgi.py", obj=ScriptInfo(create_app=lambda: app))
