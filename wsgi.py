"""What `flask --app wsgi` and any WSGI server load."""

import os

from flask.cli import ScriptInfo

from blog import create_app
from blog.config import SettingError

# The database, its journal and backups are for this user alone.
os.umask(0o077)
try:
    app = create_app()
except SettingError as error:
    raise SystemExit(f"Error: {error}") from None

if __name__ == "__main__":
    # The same commands as `flask --app wsgi`, without what that looks for first in all that is installed.
    app.cli.main(prog_name="wsgi.py", obj=ScriptInfo(create_app=lambda: app))
