"""The load: wrk for many requests, a plain client for single ones; and nginx to be compared with."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from tests.serving import free_port

HERE = Path(__file__).resolve().parent
UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}
NGINX = """
{user} worker_processes 2; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; open_file_cache max=100;
  types {{ text/html html; }} gzip_static on;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port}; root {folder}/www; }}
}}
"""


class Load:
    """What one run of wrk saw."""

    def __init__(self, output: str, errors: str) -> None:
        rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
        count = re.search(r"(\d+) requests in", output)
        if rate is None or count is None:
            raise RuntimeError(f"wrk said nothing: {output[-300:]}{errors[-300:]}")
        self.rate, self.count = float(rate[1]), int(count[1])
        self.refused = errors.split()
        bad = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
        self.bad = int(bad[1]) if bad else 0
        tail = re.search(r"99%\s+([\d.]+)(us|ms|s)", output)
        self.p99 = float(tail[1]) * UNITS[tail[2]] if tail else 0.0


def wrk(url: str, seconds: float, connections: int = 64, *more: str, script: tuple[str, ...] = ()) -> Load:
    """Ask as fast as answers come."""
    words = ["wrk", "-t2", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s", "--latency", *more]
    if script:
        words += ["-s", str(HERE / "post.lua")]
    done = subprocess.run([*words, url, *script], capture_output=True, text=True, check=False)
    seen = Load(done.stdout, done.stderr)
    if seen.bad and not script:
        raise RuntimeError(f"{seen.bad} of {seen.count} answers of {url} were errors, which cost nobody much")
    return seen


@contextmanager
def nginx(folder: Path, page: bytes, packed: bytes) -> Iterator[tuple[str, int]]:
    """The same page as a precompressed file of nginx; its address and process."""
    www = folder / "www"
    www.mkdir(parents=True)
    (www / "index.html").write_bytes(page)
    (www / "index.html.gz").write_bytes(packed)
    port = free_port()
    # Started by root it would serve as nobody, who cannot read this folder: 403 is quicker than any page.
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(NGINX.format(user=user, folder=folder, port=port))
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    process = subprocess.Popen([program, "-c", folder / "nginx.conf", "-g", "daemon off;"])
    url = f"http://127.0.0.1:{port}/index.html"
    try:
        wait_for(url)
        yield url, process.pid
    finally:
        process.terminate()
        process.wait(10)


def wait_for(url: str, seconds: float = 20) -> float:
    """Ask until somebody answers; the seconds that took. Asking costs next to nothing itself."""
    begun, parts = time.monotonic(), urlsplit(url)
    while time.monotonic() - begun < seconds:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
        try:
            connection.request("GET", parts.path)
            connection.getresponse().read()
        except TimeoutError:
            return time.monotonic() - begun  # it listens, and was told to hang
        except (OSError, http.client.HTTPException):
            time.sleep(0.005)
        else:
            return time.monotonic() - begun
        finally:
            connection.close()
    raise RuntimeError(f"nothing answers at {url}")


def milliseconds(ask: Callable[[], httpx.Response], times: int = 20) -> float:
    """The median time of an answer."""
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        ask().raise_for_status()
        taken.append((time.perf_counter() - begun) * 1000)
    return sorted(taken)[times // 2]


def raw(url: str, encoding: str) -> bytes:
    """The body as it is sent."""
    with httpx.stream("GET", url, headers={"Accept-Encoding": encoding}) as answer:
        return b"".join(answer.iter_raw())
