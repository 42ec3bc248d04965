"""nginx and Caddy in front of a blog, set up with the very lines of docs/operations.md."""

from __future__ import annotations

import re
import socket
import subprocess
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.needs import needs_caddy, needs_nginx
from tests.serving import ROOT, free_port

NGINX = """
daemon off;
{user}
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
{events}
http {{
    access_log off;
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/proxied;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        {location}
    }}
}}
"""
CADDY = """
{{
    admin off
    auto_https off
    storage file_system {folder}/caddy
}}
http://:{port} {{
    bind 127.0.0.1
    {inside}
}}
"""


def documented(first: str) -> str:
    """The example in docs/operations.md that begins with this line, up to its closing brace."""
    text = (ROOT / "docs" / "operations.md").read_text("utf-8")
    found = re.search(rf"^    {re.escape(first)}\n(?:.*\n)*?    \}}\n", text, re.MULTILINE)
    assert found is not None, f"docs/operations.md has no example that begins with {first}"
    return textwrap.dedent(found[0])


@contextmanager
def nginx(folder: Path, port: int) -> Iterator[str]:
    """nginx in front of the blog at that port of this machine; the address that readers use."""
    program, mine = needs_nginx(), free_port()
    location = documented("location / {").replace("127.0.0.1:8000", f"127.0.0.1:{port}")
    settings = folder / "nginx.conf"
    # Started by root it would give its processes to another user, who cannot write here.
    user = "user root;" if Path("/proc/self").stat().st_uid == 0 else ""
    settings.write_text(
        NGINX.format(
            folder=folder,
            port=mine,
            location=location,
            events=documented("worker_rlimit_nofile 16384;"),
            user=user,
        ),
        "utf-8",
    )
    with running([program, "-p", str(folder), "-c", str(settings)], folder, mine):
        yield f"http://127.0.0.1:{mine}"


@contextmanager
def caddy(folder: Path, port: int) -> Iterator[str]:
    """Caddy in front of the blog at that port of this machine; the address that readers use."""
    program, mine = needs_caddy(), free_port()
    inside = documented("blog.example {").partition("\n")[2].rpartition("}")[0]
    settings = folder / "Caddyfile"
    settings.write_text(
        CADDY.format(
            folder=folder, port=mine, inside=inside.replace("127.0.0.1:8000", f"127.0.0.1:{port}").strip()
        ),
        "utf-8",
    )
    with running([program, "run", "--adapter", "caddyfile", "--config", str(settings)], folder, mine):
        yield f"http://127.0.0.1:{mine}"


@contextmanager
def running(command: list[str], folder: Path, port: int) -> Iterator[None]:
    """The program until the end of the block, from the moment on that it listens."""
    said = folder / "proxy.log"
    with said.open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        until = time.monotonic() + 20
        while time.monotonic() < until and process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                time.sleep(0.02)
            else:
                break
        else:
            raise AssertionError(f"{command[0]} does not listen: {said.read_text('utf-8')[-2000:]}")
        yield
    finally:
        process.terminate()
        process.wait(20)
