"""A moderator signs in and out; somebody else guesses."""

from __future__ import annotations

import hashlib
import sqlite3
import stat
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from blog import people
from blog.db import db, utcnow, write
from blog.history import Event
from blog.passwords import Unfit
from tests.conftest import CHEAP
from tests.people import Moderator, Person

PASSWORD = "correct horse battery"
DESK = "/moderation/"


@pytest.fixture
def app(make):
    return with_ana(make())


def with_ana(app):
    with_nobody(app)
    with app.app_context():
        people.add_moderator("Ana", PASSWORD)
    return app


def with_nobody(app):
    app.config["PASSWORD_HASH"] = CHEAP
    change(app, delete(people.Moderator))
    return app


@pytest.fixture
def ana(app):
    person = Moderator(app)
    person.sign_in("Ana", PASSWORD)
    return person


def attempt(person, name="Ana", password="wrong", at="127.0.0.1", **more):
    """Fill in the form and send it, from the address `at`."""
    if "form" not in vars(person):
        person.form = person.get("/login").fields("form[method=post]")
    fields = {**person.form, "name": name, "password": password, **more}
    return person.post("/login", fields, environ_base={"REMOTE_ADDR": at})


def net(number):
    return f"203.0.113.{number}"


def token_of(person):
    found = person.client.get_cookie("moderator")
    return found.value if found else ""


def with_token(app, token):
    person = Person(app)
    person.client.set_cookie("moderator", token)
    return person


def is_in(person):
    return person.get(DESK).status == 200


def sign_out_form(person):
    return person.get(DESK).fields('form[action="/logout"]')


def change(app, statement):
    """Let time pass, or whatever else cannot be waited for."""
    with app.app_context(), write() as session:
        session.execute(statement)


def look_up(app, statement):
    with app.app_context():
        return db.session.scalar(statement)


def test_the_right_name_and_password_lead_to_the_desk(app):
    page = attempt(Person(app), password=PASSWORD)
    assert (page.status, page.headers["Location"]) == (303, DESK)
    cookie = next(line for line in page.headers.getlist("Set-Cookie") if line.startswith("moderator="))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie
    assert "Secure" not in cookie


def test_with_https_the_cookies_belong_to_this_host_alone(make):
    app = with_ana(make(site_url="https://blog.example"))
    person, https = Person(app), {"base_url": "https://blog.example"}
    form = person.get("/login", **https).fields("form[method=post]")
    page = person.post("/login", {**form, "name": "Ana", "password": PASSWORD}, **https)
    assert page.status == 303
    cookies = page.headers.getlist("Set-Cookie")
    assert any(cookie.startswith("__Host-session=") for cookie in cookies)
    for cookie in cookies:
        assert cookie.startswith("__Host-")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
        assert "Domain" not in cookie


def test_the_name_may_be_written_another_way(app):
    assert attempt(Person(app), name="  ANA ", password=PASSWORD).status == 303


def test_a_name_nobody_has_and_a_wrong_password_get_the_same_answer(app):
    pages = [attempt(Person(app), name=name) for name in ("Ana", "Eve")]
    assert [page.status for page in pages] == [422, 422]
    told = [page.words("main") for page in pages]
    assert told[0] == told[1]
    assert "do not belong together" in told[0]
    assert [page.one("#name").value for page in pages] == ["Ana", "Eve"]
    assert set(pages[0].headers.keys()) == set(pages[1].headers.keys())


def hashes_made(action):
    """How often the expensive function ran."""
    calls = []

    def watch(_frame, event, function):
        if event == "c_call" and function is hashlib.scrypt:
            calls.append(function)

    sys.setprofile(watch)
    try:
        action()
    finally:
        sys.setprofile(None)
    return len(calls)


def test_every_failure_costs_one_hash(app):
    with app.app_context():
        people.deactivate(people.add_moderator("Gone", PASSWORD))
        for name in ("Ana", "Eve", "Gone", "", "x" * 500):
            assert hashes_made(lambda name=name: people.check_password(name, "wrong password")) == 1
        assert people.check_password("Gone", PASSWORD) is None


def test_signing_in_leads_to_where_one_was_going(app):
    for wanted in ("/moderation/?status=spam&q=a+b", "/moderation/comments/7", "/", "/privacy?x=http://y/#z"):
        person = Person(app)
        page = person.get("/login", query_string={"next": wanted})
        assert page.fields("form[method=post]")["next"] == wanted
        assert attempt(person, password=PASSWORD, next=wanted).headers["Location"] == wanted
        assert person.get("/login", query_string={"next": wanted}).headers["Location"] == wanted


def test_signing_in_never_leads_elsewhere(app):
    for wanted in (
        *(
            "https://evil.example/",
            "https:evil.example",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
        ),
        *("\\\\evil.example", "/\t/evil.example", "\n//evil.example", " //evil.example", "/ /evil.example"),
        *(
            "/\r\nSet-Cookie: a=b",
            "javascript:alert(1)",
            "evil.example",
            "?next=x",
            "/\x00",
            "/" + "x" * 3000,
        ),
    ):
        person = Person(app)
        assert attempt(person, password=PASSWORD, next=wanted).headers["Location"] == DESK
        assert person.get("/login", query_string={"next": wanted}).headers["Location"] == DESK


def test_after_ten_failures_an_address_has_to_wait(app):
    person = Person(app)
    assert [attempt(person, name=f"name {number}").status for number in range(10)] == [422] * 10
    page = attempt(person, password=PASSWORD)
    assert page.status == 429
    assert 800 < int(page.headers["Retry-After"]) <= 900
    assert "wait 15 minutes" in page.words("main")
    assert attempt(person, password=PASSWORD, at=net(9)).status == 303


def test_a_forwarded_header_is_no_way_around_it(app):
    person, tries = Person(app), []
    for number in range(11):
        person.client.environ_base["HTTP_X_FORWARDED_FOR"] = net(number)
        tries.append(attempt(person, name=f"name {number}").status)
    assert tries == [422] * 10 + [429]


def test_only_failures_count(app):
    for _ in range(11):
        assert attempt(Person(app), password=PASSWORD).status == 303


@pytest.mark.parametrize("name", ["Ana", "Eve"])
def test_after_ten_failures_a_name_has_to_wait_wherever_they_came_from(app, name):
    person = Person(app)
    assert [attempt(person, name=name, at=net(number)).status for number in range(10)] == [422] * 10
    assert attempt(person, name=name, at=net(99), password=PASSWORD).status == 429


def test_who_signed_in_from_home_before_is_not_locked_out_there(app):
    assert attempt(Person(app), password=PASSWORD, at="2001:db8:1:2::9").status == 303
    somebody = Person(app)
    for number in range(11):
        attempt(somebody, at=net(number))
    assert attempt(somebody, password=PASSWORD, at="2001:db8:1:3::9").status == 429
    assert attempt(somebody, password=PASSWORD, at="2001:db8:1:2::77").status == 303


def test_of_many_guesses_at_once_about_ten_are_looked_at(app):
    crowd, first = [Person(app) for _ in range(16)], Person(app)
    assert attempt(first).status == 422
    for person in crowd:
        person.form = first.form
        person.client.set_cookie("desk", first.client.get_cookie("desk").value)
    with ThreadPoolExecutor(16) as pool:
        tries = [422, *pool.map(lambda person: attempt(person).status, crowd)]
    assert 10 <= tries.count(422) <= 11
    assert set(tries) == {422, 429}


def test_signing_out_ends_the_session_and_not_only_the_cookie(app, ana):
    token = token_of(ana)
    assert is_in(with_token(app, token))
    assert ana.post("/logout", sign_out_form(ana)).status == 303
    assert token_of(ana) == ""
    assert not is_in(with_token(app, token))


def test_signing_out_twice_is_no_error(app):
    assert Person(app).post("/logout").status == 303


def test_another_site_cannot_sign_anybody_out(ana):
    assert ana.post("/logout").status == 400
    assert is_in(ana)


def test_signing_in_begins_a_new_session_and_ends_the_old_one(app, ana):
    old = token_of(ana)
    form = {**sign_out_form(ana), "name": "Ana", "password": PASSWORD}
    assert ana.post("/login", form).status == 303
    assert token_of(ana) != old
    assert not is_in(with_token(app, old))
    # The token of the forms is new as well.
    assert ana.post("/logout", form).status == 400


def test_a_token_that_somebody_else_chose_is_not_taken_over(app):
    person = with_token(app, "chosen")
    assert attempt(person, password=PASSWORD).status == 303
    assert token_of(person) != "chosen"


def test_the_desk_sends_strangers_to_the_sign_in_page(app):
    page = Person(app).get("/moderation/?status=spam&q=a%20b")
    assert page.status == 303
    assert page.headers["Cache-Control"] == "no-store"
    page = Person(app).get(page.headers["Location"])
    assert page.one("[name=next]").value == "/moderation/?status=spam&q=a%20b"


def test_a_strangers_address_may_hold_any_bytes(app):
    page = Person(app).get("/moderation/", environ_overrides={"QUERY_STRING": "status=spam&q=\xff"})
    assert page.headers["Location"] == "/login?next=/moderation/?status%3Dspam%26q%3D"


def test_the_desk_refuses_forms_of_strangers(app):
    page = Person(app).post("/moderation/decisions", {"comment": "1", "decision": "approve"})
    assert page.status == 403
    assert "not signed in" in page.words("main")


def test_the_desk_refuses_forms_that_it_did_not_draw(ana):
    decision = {"comment": "1", "decision": "approve"}
    assert ana.post("/moderation/decisions", decision).status == 400
    assert ana.post("/moderation/decisions", {**decision, "csrf_token": "forged"}).status == 400


def test_a_store_that_is_locked_gives_the_form_back_without_the_password(app):
    person, path = Person(app), app.extensions["blog.settings"].data_dir / "blog.db"
    person.form = person.get("/login").fields("form[method=post]")
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    page = attempt(person, password=PASSWORD, next="/moderation/?status=spam")
    holder.execute("ROLLBACK")
    holder.close()
    assert (page.status, page.headers["Retry-After"]) == (503, "5")
    assert "cannot reach its store" in page.words("[role=alert]")
    assert page.one("#name").value == "Ana"
    assert PASSWORD not in page.text
    again = person.post("/login", page.fields("form[method=post]") | {"password": PASSWORD})
    assert again.headers["Location"] == "/moderation/?status=spam"


def test_no_cache_may_keep_these_pages(app, ana):
    stranger = Person(app)
    pages = [stranger.get("/login"), attempt(stranger), ana.get("/login"), ana.get(DESK), ana.post("/logout")]
    assert [page.status for page in pages] == [200, 422, 303, 200, 400]
    assert {page.headers["Cache-Control"] for page in pages} == {"no-store"}


def test_a_form_that_lay_open_too_long_comes_back_with_the_name_in_it(app):
    page = Person(app).post("/login", {"name": "Ana", "password": PASSWORD, "next": "/privacy"})
    assert page.status == 422
    assert page.one("#name").value == "Ana"
    assert page.one("[name=next]").value == "/privacy"
    assert PASSWORD not in page.text


@pytest.mark.parametrize("field", ["name", "password", "next", "csrf_token"])
def test_whatever_is_typed_is_answered(app, field):
    odd = (
        "",
        "\x00",
        "\u202e",
        "🧑‍🚀" * 5000,
        "<script>",
        "' OR 1=1 --",
        "ﷺ" * 200,
        "a\ud800".encode("utf-8", "replace"),
    )
    person = Person(app)
    for number, value in enumerate(odd):
        page = attempt(person, at=net(number), **{"name": f"Ana {number}", field: value})
        assert page.status == 422
        assert "<script>" not in page.text


def test_a_session_ends_after_two_idle_weeks(app, ana):
    for ago, still_in in ((timedelta(days=13), True), (timedelta(days=14, seconds=1), False)):
        seen = utcnow() - ago
        change(app, update(people.Session).values(seen_at=seen, expires_at=seen + people.IDLE))
        assert is_in(ana) is still_in
        left = look_up(app, select(people.Session.expires_at)) - utcnow()
        assert (left > timedelta(days=13, hours=23)) is still_in


def test_a_session_ends_after_ninety_days_however_busy(app, ana):
    began, seen = utcnow() - timedelta(days=89), utcnow() - timedelta(hours=1)
    change(app, update(people.Session).values(created_at=began, seen_at=seen))
    assert is_in(ana)
    left = look_up(app, select(people.Session.expires_at)) - utcnow()
    assert timedelta(hours=23) < left < timedelta(hours=25)


def test_reading_the_desk_does_not_write_each_time(app, ana):
    before = look_up(app, select(people.Session.seen_at))
    assert is_in(ana)
    assert look_up(app, select(people.Session.seen_at)) == before


def test_what_is_over_is_deleted(app, ana):
    change(app, update(people.Session).values(expires_at=utcnow()))
    with app.app_context():
        people.purge_sessions()
    assert look_up(app, select(people.Session)) is None


def test_sessions_can_be_listed_and_ended(app, ana):
    phone = Moderator(app, REMOTE_ADDR="2001:db8:1:2::9", HTTP_USER_AGENT="Phone\x00 " + "x" * 500)
    phone.sign_in("Ana", PASSWORD)

    def listed():
        with app.app_context():
            return people.sessions_of(people.find_moderator("ana"))

    def end(**which):
        with app.app_context(), write():
            people.end_sessions(people.find_moderator("ana"), **which)

    entries = listed()
    assert [entry.address_network for entry in entries] == ["2001:db8:1:2::/64", "127.0.0.1"]
    assert entries[0].user_agent.startswith("Phone")
    assert len(entries[0].user_agent) <= 200
    end(only=entries[0].id)
    assert (is_in(ana), is_in(phone)) == (True, False)
    phone.sign_in("Ana", PASSWORD)
    end(but=listed()[0].id)
    assert (is_in(ana), is_in(phone)) == (False, True)
    end()
    assert not is_in(phone)


def test_the_store_does_not_know_the_token(app, ana):
    with app.app_context():
        row = db.session.execute(select(people.Session.__table__)).mappings().one()
    assert token_of(ana) not in str(row)


def test_a_new_password_ends_every_session(app, ana):
    with app.app_context():
        people.add_moderator("ANA", "another good password")
    assert not is_in(ana)
    assert attempt(Person(app), password=PASSWORD).status == 422
    assert attempt(Person(app), password="another good password").status == 303


def test_somebody_removed_is_out_at_once_and_may_be_added_again(app):
    with app.app_context():
        people.add_moderator("Bob", PASSWORD)
    bob = Moderator(app)
    bob.sign_in("Bob", PASSWORD)
    with app.app_context():
        people.deactivate(people.find_moderator("Bob"))
    assert not is_in(bob)
    assert attempt(Person(app), name="Bob", password=PASSWORD).status == 422
    with app.app_context():
        people.add_moderator("Bob", PASSWORD)
    assert attempt(Person(app), name="Bob", password=PASSWORD).status == 303


def test_the_last_owner_cannot_be_removed(app):
    with app.app_context():
        ana = people.find_moderator("Ana")
        assert ana.role == "owner"
        with pytest.raises(Unfit, match="only owner"):
            people.deactivate(ana)
        assert people.add_moderator("Bob", PASSWORD).role == "moderator"
        assert people.add_moderator("Bob", PASSWORD, "owner").role == "owner"
        people.deactivate(ana)
        assert not people.find_moderator("Ana").active


def test_names_and_passwords_that_cannot_be(app):
    with app.app_context():
        for name in ("", " \t", "\u200d", "\u2800", "x" * 101, "Akismet", "SYSTEM"):
            with pytest.raises(Unfit):
                people.add_moderator(name, PASSWORD)
        for password in ("", "seven c", "x" * 1001, "\ud800 is no text"):
            with pytest.raises(Unfit):
                people.add_moderator("Bob", password)


def test_the_same_letters_are_the_same_password_whatever_typed_them(app):
    with app.app_context():
        people.add_moderator("Zoë", "cafe\u0301 au lait")
    assert attempt(Person(app), name="zoe\u0308", password="caf\u00e9 au lait").status == 303


def test_signing_in_brings_an_old_hash_up_to_date(app):
    query = select(people.Moderator.password_hash)
    old = look_up(app, query)
    app.config["PASSWORD_HASH"] = "scrypt:2048:8:1"
    attempt(Person(app))
    assert look_up(app, query) == old
    for _ in range(2):
        assert attempt(Person(app), password=PASSWORD).status == 303
        assert look_up(app, query).startswith("scrypt:2048:8:1$")


def test_by_default_a_guess_is_expensive(app):
    del app.config["PASSWORD_HASH"]
    with app.app_context():
        assert people.add_moderator("Ana", PASSWORD).password_hash.startswith("scrypt:32768:8:3$")


def test_many_workers_make_one_first_moderator(either):
    with_nobody(either)
    barrier = threading.Barrier(6)

    def start(_):
        with either.app_context():
            barrier.wait()
            return people.ensure_first_moderator()

    with ThreadPoolExecutor(6) as pool:
        made = [pair for pair in pool.map(start, range(6)) if pair]
    assert len(made) == 1
    kept = either.extensions["blog.settings"].data_dir / "first-moderator.txt"
    assert kept.read_text() == "name: {}\npassword: {}\n".format(*made[0])
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert attempt(Person(either), *made[0]).status == 303
    assert start_again(either) is None
    assert look_up(either, select(people.Moderator.role)) == "owner"


def start_again(app):
    with app.app_context():
        return people.ensure_first_moderator()


def test_two_who_add_the_same_person_at_once(either):
    either.config["PASSWORD_HASH"] = CHEAP

    def add(number):
        with either.app_context():
            return people.add_moderator("Eva", f"password {number}").id

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(add, range(4)))) == 1


def test_readers_get_no_cookie(app):
    for path in ("/", "/privacy", "/posts/open-letter/"):
        assert "Set-Cookie" not in Person(app).get(path).headers


def test_signing_in_and_out_is_in_the_log(app, ana):
    ana.post("/logout", sign_out_form(ana))
    with app.app_context():
        kinds = db.session.scalars(select(Event.kind).where(Event.actor == "Ana").order_by(Event.id)).all()
    assert kinds == ["signed-in", "signed-out"]
