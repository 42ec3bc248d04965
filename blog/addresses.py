"""Whose request is this: the one place that decides the client's address.

A forwarded header is written by whoever sends the request, so only the entries that our own proxies appended
count. `TRUSTED_PROXIES` says how many proxies there are; without any, the header is not even read.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

UNKNOWN = "0.0.0.0"  # noqa: S104 - not an address to bind: the word for "the server named no peer"
_LONGEST = 64  # characters; an IPv6 address with brackets, zone and port is shorter

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def client_address(environ: Mapping[str, Any], hops: int) -> str:
    """The address of the client, always a valid one in its shortest form, without port or zone.

    `hops` is the number of our own proxies. Each appends the address it was called from to the one line
    X-Forwarded-For, so the client is the hops-th entry from the right, and what stands left of it is hearsay.
    An entry that is missing or is no address (the request did not come through our proxies) leaves the peer.
    `UNKNOWN` when the server itself names no peer, as behind a Unix socket.
    """
    if hops > 0:
        entries = str(environ.get("HTTP_X_FORWARDED_FOR", "")).rsplit(",", hops)
        if len(entries) >= hops and (forwarded := _parse(entries[-hops])):
            return str(forwarded)
    return str(_parse(str(environ.get("REMOTE_ADDR", ""))) or UNKNOWN)


def network_of(address: str) -> str:
    """What limits count by: an IPv4 address itself, an IPv6 address by its /64 (one household's share)."""
    parsed = _parse(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((int(parsed) >> 64 << 64, 64)))
    return str(parsed or UNKNOWN)


def _parse(text: str) -> Address | None:
    """Reads `1.2.3.4`, `1.2.3.4:80`, `2001:db8::1`, `[2001:db8::1]:80` and `fe80::1%eth0`, else None."""
    text = text.strip(" \t")
    return None if len(text) > _LONGEST else _read(text)


@lru_cache(maxsize=1024)  # each request asks for its own several times
def _read(text: str) -> Address | None:
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1]
    if text.startswith("["):
        text, closed, port = text[1:].partition("]")
        if not closed or not _is_port(port):
            return None
    elif text.count(":") == 1:
        text, _, digits = text.partition(":")
        if not _is_port(":" + digits):
            return None
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return None if address.is_unspecified else address


def _is_port(text: str) -> bool:
    return not text or (text[0] == ":" and text[1:].isascii() and text[1:].isdigit() and len(text) <= 6)
