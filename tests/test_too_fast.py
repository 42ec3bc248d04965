"""Somebody posts faster than a person can think: limits by address and by e-mail, and the switch for all."""

from __future__ import annotations

from flask import Flask

from tests.akismet_standin import AkismetStandIn
from tests.conftest import Make
from tests.people import Page, Reader


def at(app: Flask, address: str) -> Reader:
    return Reader(app, REMOTE_ADDR=address)


def refused(page: Page) -> bool:
    if page.status == 429:
        assert int(page.headers["Retry-After"]) > 0
        assert page.fields("#comment-form")["body"]
    return page.status == 429


def test_one_address_waits_between_two_comments(make: Make, akismet: AkismetStandIn) -> None:
    app = make(flood_seconds=15)
    assert at(app, "203.0.113.1").answer().status == 303
    assert refused(at(app, "203.0.113.1").answer())
    assert at(app, "203.0.113.2").answer().status == 303
    assert len(akismet.checks) == 2


def test_one_e_mail_waits_wherever_it_comes_from(make: Make, akismet: AkismetStandIn) -> None:
    app = make(flood_seconds=15)
    assert at(app, "203.0.113.1").answer(email="zoe@example.org").status == 303
    assert refused(at(app, "198.51.100.1").answer(email="Zoe@Example.org"))
    assert len(akismet.checks) == 1


def test_one_network_is_one_address(make: Make) -> None:
    app = make(flood_seconds=15)
    assert at(app, "2001:db8:1:2::1").answer().status == 303
    assert refused(at(app, "2001:db8:1:2:ffff::9").answer())
    assert at(app, "2001:db8:1:3::1").answer().status == 303


def test_a_person_reads_ten_a_day_from_one_address_first(make: Make, akismet: AkismetStandIn) -> None:
    app = make(flood_seconds=1)
    from blog.db import db, write
    from blog.limits import Limit

    for number in range(11):
        page = at(app, "203.0.113.1").answer(no_akismet="y", email=f"a{number}@example.org")
        assert refused(page) is (number == 10)
        with app.app_context(), write() as session:
            # The second between two comments passes; the day does not.
            for limit in session.query(Limit):
                if "post-" in limit.key:
                    session.delete(limit)
        with app.app_context():
            db.session.remove()
    assert at(app, "203.0.113.2").answer(no_akismet="y").status == 303
    assert at(app, "203.0.113.1").answer().status == 303  # Akismet may still be asked
    assert len(akismet.checks) == 1


def test_zero_switches_every_limit_off(make: Make) -> None:
    app = make(flood_seconds=0)
    for _ in range(12):
        assert at(app, "203.0.113.1").answer(no_akismet="y", email="zoe@example.org").status == 303
