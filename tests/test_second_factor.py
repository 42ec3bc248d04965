"""A moderator proves with a code of their device who they are."""

from __future__ import annotations

import re
import time

import pytest
import segno
from sqlalchemy import update

from blog import people, totp
from blog.db import write
from blog.passwords import Unfit
from tests.conftest import signed_in
from tests.people import Person

PASSWORD = "correct horse battery"


@pytest.fixture
def device(app):
    return Device(app)


class Device:
    """Cleo's authenticator app, and her list of recovery codes."""

    def __init__(self, app):
        self.secret = totp.new_secret()
        with app.app_context():
            cleo = people.add_moderator("Cleo", PASSWORD)
            self.recovery_codes = totp.enrol(cleo, self.secret, self.code())
            with write() as session:  # as if the code that she enrolled with was of yesterday
                session.execute(update(people.Moderator).values(totp_last_step=0))

    def code(self, later=0):
        return totp.code_at(self.secret, int(time.time()) // totp.STEP + later)


def password_step(person, **more):
    fields = person.get("/login").fields("form[method=post]")
    return person.post("/login", {**fields, "name": "Cleo", "password": PASSWORD, **more})


def code_step(person, code, page=None):
    page = page or password_step(person)
    return person.post("/login/code", {**page.fields("form[method=post]"), "code": code})


def test_the_password_alone_opens_nothing(app, device):
    person = Person(app)
    page = password_step(person, next="/privacy")
    assert page.status == 200
    assert person.get("/moderation/").status == 303
    page = code_step(person, f" {device.code()[:3]} {device.code()[3:]} ", page)
    assert (page.status, page.headers["Location"]) == (303, "/privacy")
    assert person.get("/moderation/").status == 200


def test_a_code_is_good_once(app, device):
    code = device.code()
    assert code_step(Person(app), code).status == 303
    page = code_step(Person(app), code)
    assert page.status == 422
    assert "used already" in page.words("main")


def test_a_clock_may_be_half_a_minute_off(app, device):
    for off, status in ((-3, 422), (3, 422), (-1, 303), (1, 303)):
        assert code_step(Person(app), device.code(off)).status == status


def test_a_recovery_code_is_good_once(app, device):
    code = device.recovery_codes[3]
    assert code_step(Person(app), code.upper()).status == 303
    assert code_step(Person(app), code).status == 422
    assert code_step(Person(app), device.recovery_codes[4]).status == 303


def test_codes_cannot_be_guessed_for_long(app, device):
    person = Person(app)
    page = password_step(person)
    assert [code_step(person, "no code", page).status for _ in range(6)] == [422] * 5 + [429]
    late = code_step(Person(app, REMOTE_ADDR="203.0.113.9"), device.code())
    assert late.status == 429
    assert int(late.headers["Retry-After"]) > 800


def test_whatever_is_typed_is_answered(app, device):
    for code in ("", "\x00", "١٢٣٤٥٦", "🧑‍🚀" * 5000, "-1"):
        assert code_step(Person(app), code).status == 422


def test_a_step_that_was_begun_before_the_password_changed_leads_nowhere(app, device):
    person = Person(app)
    page = password_step(person)
    with app.app_context():
        people.add_moderator("Cleo", "another good password")
    assert code_step(person, device.code(), page).status == 422
    assert person.post("/login/code", {"step": "forged", "code": device.code()}).status == 422


def test_a_lost_factor_can_be_reset(app, device):
    with app.app_context():
        totp.reset(people.find_moderator("Cleo"))
    assert password_step(Person(app)).status == 303


def test_enrolling_needs_a_code_of_the_new_secret(app, device):
    with app.app_context(), pytest.raises(Unfit):
        totp.enrol(people.find_moderator("Cleo"), totp.new_secret(), "000000x")


# The vectors of RFC 6238, appendix B, in their last six digits.
@pytest.mark.parametrize(
    ("moment", "code"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_codes_are_those_of_every_authenticator_app(moment, code):
    assert totp.code_at("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", moment // totp.STEP) == code


def test_the_authenticator_app_is_told_all_it_needs():
    uri = totp.enrolment_uri("GEZDGNBVGY3TQOJQ", "Zoë", "A blog: mine")
    assert uri.startswith("otpauth://totp/A%20blog%3A%20mine%3AZo%C3%AB?")
    assert uri.endswith("?secret=GEZDGNBVGY3TQOJQ&issuer=A%20blog%3A%20mine")


def test_the_key_is_shown_as_a_code_that_an_app_can_read(app):
    page = signed_in(app).get("/moderation/account")
    drawing = page.one(".qr svg")
    size = int(drawing.get("viewbox").split()[2])
    dark = set()
    for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", drawing.cssselect("path")[0].get("d")):
        dark |= {(int(y) - 4, int(x) - 4 + step) for step in range(int(width))}
    uri = page.one('a[href^="otpauth:"]').get("href")
    wanted = segno.make(uri, error="m", micro=False).matrix
    assert size == len(wanted) + 8
    assert dark == {(y, x) for y, row in enumerate(wanted) for x, one in enumerate(row) if one}
    assert page.words("#secret") in uri
