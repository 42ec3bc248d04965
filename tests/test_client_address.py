"""Whose request it is: the peer's, unless a configured number of proxies says otherwise."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blog.addresses import UNKNOWN, client_address, network_of


def environ(peer: str, forwarded: str | None = None) -> dict[str, str]:
    found = {"REMOTE_ADDR": peer}
    if forwarded is not None:
        found["HTTP_X_FORWARDED_FOR"] = forwarded
    return found


def test_a_forwarded_header_means_nothing_without_proxies() -> None:
    request = environ("198.51.100.7", "203.0.113.9") | {
        "HTTP_X_REAL_IP": "203.0.113.9",
        "HTTP_FORWARDED": "for=203.0.113.9",
        "HTTP_CLIENT_IP": "203.0.113.9",
    }
    assert client_address(request, 0) == "198.51.100.7"
    assert client_address(request, -1) == "198.51.100.7"


@pytest.mark.parametrize(
    ("hops", "forwarded", "client"),
    [
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        (2, "203.0.113.9, 10.0.0.2", "203.0.113.9"),
        (2, "6.6.6.6,203.0.113.9,10.0.0.2", "203.0.113.9"),
        (3, "6.6.6.6, 6.6.6.6, 203.0.113.9, 10.0.0.2, 10.0.0.3", "203.0.113.9"),
    ],
)
def test_the_entry_our_own_proxies_vouch_for_is_the_client(hops: int, forwarded: str, client: str) -> None:
    assert client_address(environ("127.0.0.1", forwarded), hops) == client


@pytest.mark.parametrize(
    ("hops", "forwarded"),
    [
        (1, None),
        (1, ""),
        (1, "unknown"),
        (1, "203.0.113.9,"),
        (1, "203.0.113.9, evil"),
        (1, "_hidden"),
        (1, "0.0.0.0"),
        (1, "::"),
        (1, "203.0.113.09"),
        (1, "203.0.113.9:port"),
        (1, "203.0.113.9:1234567"),
        (1, "[2001:db8::1"),
        (1, "[2001:db8::1]x"),
        (1, "٢٠٣.0.113.9"),
        (1, "203.0.113.9\x00"),
        (1, "2" * 100_000),
        (2, "203.0.113.9"),
    ],
)
def test_garbage_leaves_the_peer(hops: int, forwarded: str | None) -> None:
    assert client_address(environ("198.51.100.7", forwarded), hops) == "198.51.100.7"


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("203.0.113.9:4711", "203.0.113.9"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ('"[2001:db8::1]:443"', "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%25eth0]:80", "fe80::1"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("[::ffff:cb00:7109]:80", "203.0.113.9"),
        (" 203.0.113.9\t", "203.0.113.9"),
    ],
)
def test_an_address_is_read_however_it_is_written(written: str, address: str) -> None:
    assert client_address(environ("127.0.0.1", "6.6.6.6," + written), 1) == address
    assert client_address(environ(written), 0) == address


def test_a_server_that_names_no_peer() -> None:
    assert client_address({}, 0) == UNKNOWN
    assert client_address(environ("", "203.0.113.9"), 0) == UNKNOWN
    assert client_address(environ("", "203.0.113.9"), 1) == "203.0.113.9"


def test_ipv6_is_counted_by_its_64() -> None:
    assert network_of("2001:db8:1:2:3:4:5:6") == network_of("2001:db8:1:2::9") == "2001:db8:1:2::/64"
    assert network_of("2001:db8:1:3::9") == "2001:db8:1:3::/64"
    assert network_of("203.0.113.9") == network_of("::ffff:203.0.113.9") == "203.0.113.9"
    assert network_of(UNKNOWN) == network_of("nonsense") == UNKNOWN


@given(st.text(), st.text(), st.integers(-1, 4))
def test_whatever_is_sent_there_is_always_one_valid_address(peer: str, forwarded: str, hops: int) -> None:
    found = client_address(environ(peer, forwarded), hops)
    assert str(ipaddress.ip_address(found)) == found
    assert ipaddress.ip_network(network_of(found))


@given(st.text(), st.integers(1, 3))
def test_what_a_client_writes_before_our_proxies_never_counts(hearsay: str, hops: int) -> None:
    ours = ["203.0.113.9", "10.0.0.2", "10.0.0.3"][:hops]
    assert client_address(environ("127.0.0.1", ",".join([hearsay, *ours])), hops) == "203.0.113.9"
