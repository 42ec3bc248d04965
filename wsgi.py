"""What `flask --app wsgi` and any WSGI server load."""

from blog import create_app

app = create_app()
