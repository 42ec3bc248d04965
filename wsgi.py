"""What `flask --app wsgi` and any WSGI server load."""

import os

from blog import create_app
from blog.config import SettingError

# The database, its journal and backups are for this user alone.
os.umask(0o077)
try:
    app = create_app()
except SettingError as error:
    raise SystemExit(f"Error: {error}") from None
