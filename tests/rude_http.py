"""Requests as no browser sends them, to the real server: `python -m tests.rude_http --number 2000`.

Each is put together by chance from odd methods, addresses, headers and bodies, and written to a socket as it
is. No answer may be a 5xx (but 505), carry a trace or lead to another host; each has the headers of every
answer, also one to what is no HTTP at all, and afterwards the server is there as before, with no error in its
log. The exit status is 1 when it is not so.
"""

from __future__ import annotations

import argparse
import random
import re
import socket
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import httpx

from tests.serving import Serving
from tests.slow_clients import blog

# fmt: off
METHODS = (
    b'GET', b'POST', b'HEAD', b'PUT', b'DELETE', b'OPTIONS', b'TRACE', b'CONNECT', b'PATCH', b'get',
    b'G\x00T', b'FROB', b'PROPFIND', b'', b'A' * 300, b'POST ', b'\xffGET',
)
ADDRESSES = (
    b'/', b'/posts/open-letter/', b'/posts/open-letter/comments', b'/login', b'/moderation/',
    b'/moderation/decisions', b'/receipts/x', b'/receipts/x/edit', b'/feed.xml', b'/healthz',
    b'/static/style.css', b'*', b'http://127.0.0.1/', b'http://evil.example/', b'//evil.example/', b'/%',
    b'/%00', b'/%ff', b'/\xff', b'/..', b'/../../etc/passwd', b'/static/../../blog/db.py',
    b'/static/%2e%2e/%2e%2e/x', b'/posts/%2e%2e/', b'/posts/\xe2\x80\xae/',
    b'/comments/99999999999999999999999', b'/comments/-1', b'/comments/%D9%A1', b'/comments/1_0',
    b'/?page=1_0', b'/posts/open-letter/?page=%D9%A1',
    b'/posts/open-letter/?page=99999999999999999999999999999', b'/posts/open-letter/?page=-1',
    b'/posts/open-letter/?page=0', b'/moderation/?status=%00&q=%ff', b'/?' + b'a=1&' * 3000,
    b'/' + b'a/' * 2000,
    b'/posts/' + b'a' * 5000 + b'/',
    b'/tags/%0d%0aX: y/', b'/posts/open-letter/replies/1',
    b'/posts/open-letter/replies/99999999999999999999', b'/privacy?x=%ud800', b'/archive/;a=b',
    b'/posts/open-letter', b'/POSTS/OPEN-LETTER/', b'/login?next=https:evil.example',
    b'/login?next=/%5cevil.example', b'/login?next=//evil.example', b'#', b'/#x',
    b'/posts/open-letter/comments.xml', b'/posts/open-letter/comments?preview=1', b'/moderation-report',
    b'/sitemap.xml', b'/.env', b'/.git/config', b'/instance/blog.db',
)
HEADERS = (
    b'Host: evil.example', b'X-Forwarded-For: \xff', b'X-Forwarded-Host: evil.example',
    b'Cookie: ' + b'a=b; ' * 500, b'Cookie: desk=\xff\x00', b'Cookie: desk=.eJx; session="',
    b'Accept: ' + b'text/html;q=x,' * 200,
    b'Accept: \xff', b'Accept-Encoding: zstd;q=\xff,br;q=0,*;q=0', b'Accept-Encoding: identity;q=0',
    b'If-None-Match: "\xff', b'If-None-Match: *', b'If-None-Match: ' + b'"a",' * 500,
    b'If-Modified-Since: 99999999999999999', b'Range: bytes=0-1,5-',
    b'Range: bytes=-99999999999999999999', b'Referer: \x01', b'User-Agent: ' + b'\xf0\x9f\x98\x80' * 300,
    b'Transfer-Encoding: chunked', b'Transfer-Encoding: gzip, chunked', b'Transfer-Encoding: identity',
    b'Content-Length: -1', b'Content-Length: 99999999999999999999999',
    b'Content-Length: 5\r\nContent-Length: 6', b'Content-Length: +5',
    b'Content-Type: multipart/form-data; boundary=', b'Content-Type: multipart/form-data; boundary=\xff',
    b'Content-Type: multipart/form-data',
    b'Content-Type: application/x-www-form-urlencoded; charset=utf-7', b'Content-Type: application/json',
    b'Content-Type: \xff/\xff', b'Expect: 100-continue', b'Expect: 200-maybe',
    b'Upgrade: websocket\r\nConnection: Upgrade',
    b'Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: x',
    b'Connection: close, keep-alive', b'X\x00: y', b' X: y', b'X : y', b'X: a\r\n b',
    b'Content_Length: 9', b'Authorization: Basic \xff', b'Origin: null', b'Origin: http://\xff',
    b'Sec-Fetch-Site: \xff', b'Accept-Language: ' + b'x-' * 1000, b'Forwarded: for="_x"',
    b'Max-Forwards: x', b'Content-Encoding: gzip', b'Date: x', b'X-Request-Id: \r\rfoo',
)
BODIES = (
    b'', b'a', b'author=x&email=x&body=x', b'body=%ff', b'body=\xff', b'&' * 5000, b'=' * 5000,
    b'%' * 5000, b'body=' + b'%00' * 2000, b'body=' + b'a' * 250000, b'body=' + b'a' * 300000,
    b'body=%F0%9F%98%80&parent=%D9%A1', b'parent=99999999999999999999', b'parent=1&parent=2',
    b'author=' + b'%E2%80%AE' * 50, b'csrf_token=x&comment=1&decision=approve',
    b'comment=99999999999999999999&comment=x', b'name=\xff&password=\x00',
    b'--b\r\nContent-Disposition: form-data; name="body"\r\n\r\nx\r\n--b--\r\n',
    b'5\r\nhello\r\n0\r\n\r\n', b'zz\r\n', b'FFFFFFFFFFFFFFFFFF\r\n',
    b'5;ext=\x00\r\nhello\r\n0\r\n\r\n', b'{"body":"x"}', b'author=%ED%A0%80&body=%ED%A0%80',
    b'url=javascript:alert(1)&body=x',
)
# fmt: on


def request(chance: random.Random, port: int) -> bytes:
    """One request, which may be no HTTP at all."""
    method = chance.choice(METHODS if chance.random() < 0.4 else METHODS[:2])
    headers = chance.sample(HEADERS, chance.randrange(4))
    body = chance.choice(BODIES) if method != b"GET" or chance.random() < 0.1 else b""
    names = b"\n".join(headers).lower()
    if b"host:" not in names:
        headers.insert(0, b"Host: 127.0.0.1:%d" % port)
    if body and b"content-length" not in names and b"transfer-encoding" not in names:
        headers.append(b"Content-Length: %d" % len(body))
    if body and b"content-type" not in names:
        kind = (
            b"multipart/form-data; boundary=b"
            if body.startswith(b"--b")
            else b"application/x-www-form-urlencoded"
        )
        headers.append(b"Content-Type: " + kind)
    first = b"%s %s HTTP/1.%d" % (method, chance.choice(ADDRESSES), chance.choice((1, 1, 1, 0)))
    return b"\r\n".join([first, *headers, b"Connection: close"]) + b"\r\n\r\n" + body


def answer(port: int, said: bytes) -> bytes:
    """All that comes back, within a second; empty when the connection is closed without a word."""
    heard, until = b"", time.monotonic() + 1
    try:
        with socket.create_connection(("127.0.0.1", port), 3) as connection:
            connection.sendall(said)
            while (left := until - time.monotonic()) > 0:
                connection.settimeout(left)
                part = connection.recv(65536)
                heard += part
                head, _, body = heard.partition(b"\r\n\r\n")
                length = re.search(rb"content-length: (\d+)", head)
                if not part or (length and len(body) >= int(length[1])):
                    break
    except OSError:
        pass  # it waits for the rest of what was announced, or hung up: both are answers here
    return heard


def wrong(heard: bytes) -> str:
    """What must not be in an answer, in words; empty when nothing is."""
    head = heard.partition(b"\r\n\r\n")[0]
    if not head.startswith(b"HTTP/1.1 ") or head.startswith(b"HTTP/1.1 100"):
        return ""
    if head.startswith(b"HTTP/1.1 5") and not head.startswith(b"HTTP/1.1 505"):
        return "a 5xx"
    if b"Traceback" in heard:
        return "a trace"
    if re.search(rb"location: (?!/)", head) or b"evil.example" in head:
        return "a way to another host"
    if b"content-security-policy: default-src 'none'" not in head:
        return "an answer without the headers"
    return ""


def torment(serving: Serving, number: int, seed: int) -> tuple[Counter[str], list[str]]:
    """Send so many; how often which status came, and what was wrong."""
    chance, met, found = random.Random(seed), Counter[str](), []
    for _ in range(number):
        said = request(chance, serving.port)
        heard = answer(serving.port, said)
        met[heard[9:12].decode("latin-1") or "no answer"] += 1
        if what := wrong(heard):
            found.append(f"{what}: {said[:300]!r}")
    if httpx.get(f"{serving.url}/healthz").status_code != 200:
        found.append("the server is not well")
    log = serving.log.read_text()
    found += [
        line for line in log.splitlines() if '"ERROR"' in line or "Traceback" in line or "panicked" in line
    ]
    return met, found


def main() -> None:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--number", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="reciprocal-rude-") as place, blog(Path(place), 0) as serving:
        met, found = torment(serving, options.number, options.seed)
    print(", ".join(f"{status}: {times}" for status, times in met.most_common()))
    print(f"{options.number} requests, {len(found)} of them answered wrongly")
    for line in found[:20]:
        print(" ", line)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
