"""Owners look after people, everybody after their own account, and the log keeps what was done."""

from __future__ import annotations

import csv
import json
import re
import time

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from blog import totp
from blog.db import write
from tests.conftest import PASSWORD, signed_in
from tests.people import Moderator, Page, Person, Reader


def press(person: Moderator, name: str, action: str) -> Page:
    page = person.get("/moderation/people")
    form = next(form for form in page.all("form.sheet") if name in form.cssselect("h2")[0].text_content())
    token = form.cssselect("[name=csrf_token]")[0].get("value")
    return person.post(form.get("action"), {"csrf_token": token, "action": action})


def test_an_owner_adds_somebody_who_signs_in_with_the_password_shown(app: Flask) -> None:
    owner = signed_in(app)
    fields = owner.get("/moderation/people").fields("form[action='/moderation/people']")
    page = owner.post("/moderation/people", {**fields, "name": "Cleo"})
    Moderator(app).sign_in("cleo", page.words("#password"))
    assert owner.post("/moderation/people", {**fields, "name": "CLEO"}).status == 422
    assert owner.post("/moderation/people", {**fields, "name": "system"}).status == 422


def test_people_are_managed_by_owners_only(app: Flask) -> None:
    ben = signed_in(app, "ben")
    assert ben.get("/moderation/people").status == 403
    token = ben.get("/moderation/account").fields("form[action$='/password']")["csrf_token"]
    for path in ("/moderation/people", "/moderation/people/1", "/moderation/lists/hold"):
        assert ben.post(path, {"csrf_token": token, "action": "save", "name": "x"}).status == 403
    assert ben.get("/moderation/log.csv").status == 403


def test_whoever_is_removed_is_out_at_once_and_the_last_owner_stays(app: Flask) -> None:
    ana, ben = signed_in(app), signed_in(app, "ben")
    assert press(ana, "ben", "owner").status == 303
    assert press(ana, "ben", "moderator").status == 303
    assert press(ana, "ana", "remove").status == 422
    assert press(ana, "ana", "moderator").status == 422
    assert press(ana, "ben", "remove").status == 303
    assert ben.desk().status == 303
    assert [element.get("action") for element in ana.get("/moderation/people").all("form.sheet")] == [
        "/moderation/people/1"
    ]


def test_a_lost_password_is_replaced_by_an_owner(app: Flask) -> None:
    ana, ben = signed_in(app), signed_in(app, "ben")
    word = press(ana, "ben", "password").words("#password")
    assert ben.desk().status == 303
    Moderator(app).sign_in("ben", word)


def test_sessions_are_listed_and_ended_one_or_all(app: Flask) -> None:
    here, there, elsewhere = (signed_in(app) for _ in range(3))
    page = here.get("/moderation/account")
    forms = page.all("form[action$='/sessions']")
    assert len(forms) == 3
    token = page.fields("form[action$='/password']")["csrf_token"]
    number = forms[0].cssselect("[name=session]")[0].get("value")
    here.post("/moderation/account/sessions", {"csrf_token": token, "session": number})
    assert sorted(person.desk().status for person in (here, there, elsewhere)) == [200, 200, 303]
    here.post("/moderation/account/sessions", {"csrf_token": token})
    assert [person.desk().status for person in (here, there, elsewhere)] == [200, 303, 303]


def test_nobody_ends_the_sessions_of_others(app: Flask) -> None:
    ana, ben = signed_in(app), signed_in(app, "ben")
    token = ben.get("/moderation/account").fields("form[action$='/password']")["csrf_token"]
    for number in ("1", "2", "99", "-1", "x"):
        ben.post("/moderation/account/sessions", {"csrf_token": token, "session": number})
    assert ana.desk().status == 200


def test_a_new_password_needs_the_old_one_and_signs_out_everywhere(app: Flask) -> None:
    ana, other = signed_in(app), signed_in(app)
    fields = ana.get("/moderation/account").fields("form[action$='/password']")
    new = "an even better password"
    assert ana.post("/moderation/account/password", {**fields, "password": "wrong", "new": new}).status == 422
    assert (
        ana.post("/moderation/account/password", {**fields, "password": PASSWORD, "new": "short"}).status
        == 422
    )
    assert (
        ana.post("/moderation/account/password", {**fields, "password": PASSWORD, "new": new}).status == 303
    )
    assert other.desk().status == 303
    Moderator(app).sign_in("ana", new)


def test_codes_are_set_up_used_and_given_up_at_the_desk(app: Flask) -> None:
    ana = signed_in(app)
    fields = ana.get("/moderation/account").fields("form[action$='/codes']")
    code = totp.code_at(fields["secret"], int(time.time()) // totp.STEP)
    wrong = ana.post("/moderation/account/codes", {**fields, "code": "000000x"})
    assert wrong.status == 422
    assert wrong.fields("form[action$='/codes']")["secret"] == fields["secret"]
    page = ana.post("/moderation/account/codes", {**fields, "code": code})
    recovery = [element.text_content().strip() for element in page.all("#recovery code")]
    assert len(recovery) == 10
    person = Person(app)
    form = person.get("/login").fields("form[method=post]")
    step = person.post("/login", {**form, "name": "ana", "password": PASSWORD})
    assert step.status == 200
    again = person.post("/login/code", {**step.fields("form[method=post]"), "code": recovery[0]})
    assert again.status == 303
    end = ana.get("/moderation/account").fields("form[action$='/end']")
    assert ana.post("/moderation/account/codes/end", {**end, "password": "wrong"}).status == 422
    assert ana.post("/moderation/account/codes/end", {**end, "password": PASSWORD}).status == 303
    Moderator(app).sign_in("ana", PASSWORD)


@pytest.mark.parametrize("secret", ["", "short", "x" * 5000, "A" * 31 + "1"])
def test_a_made_up_secret_is_refused(app: Flask, secret: str) -> None:
    ana = signed_in(app)
    fields = ana.get("/moderation/account").fields("form[action$='/codes']")
    assert ana.post("/moderation/account/codes", {**fields, "secret": secret, "code": "123456"}).status == 422


def test_the_command_line_does_the_same_and_says_so(app: Flask) -> None:
    runner = app.test_cli_runner()
    added = runner.invoke(args=["moderators", "add", "Cleo"])
    word = re.search(r"password: (\S+)", added.output)[1]
    Moderator(app).sign_in("Cleo", word)
    assert (
        runner.invoke(
            args=["moderators", "password", "Cleo", "--password-stdin"], input="a longer word\n"
        ).exit_code
        == 0
    )
    Moderator(app).sign_in("Cleo", "a longer word")
    assert runner.invoke(args=["moderators", "role", "Cleo", "owner"]).exit_code == 0
    listed = runner.invoke(args=["moderators", "list"]).output
    assert [line.split("\t")[:2] for line in listed.splitlines()] == [
        ["ana", "owner"],
        ["ben", "moderator"],
        ["Cleo", "owner"],
    ]
    assert runner.invoke(args=["moderators", "remove", "Cleo"]).exit_code == 0
    assert runner.invoke(args=["moderators", "reset-codes", "ana"]).exit_code == 0
    for arguments in (
        ["remove", "Cleo"],
        ["password", "nobody"],
        ["role", "ana", "moderator"],
        ["remove", "ana"],
    ):
        failed = runner.invoke(args=["moderators", *arguments])
        assert failed.exit_code == 1
        assert failed.output.startswith("Error: ")
        assert len(failed.output.splitlines()) == 1


def test_the_log_can_be_filtered_and_exported(app: Flask) -> None:
    ana, reader = signed_in(app), Reader(app)
    reader.stored()
    reader.stored()
    ana.decide("reject", 1, reason="other", note='=HYPERLINK("x")\nsecond "line"')
    ana.decide("spam", 2)
    press(ana, "ben", "owner")

    def kinds(**query: str) -> list[str]:
        page = Page(ana.client.get("/moderation/log", query_string=query))
        return [
            event.text_content().split(":")[-1].split("(")[0].strip().split("\n")[0]
            for event in page.all("[data-event]")
        ]

    assert kinds(comment="1")[::-1] == ["comment received", "screened", "decided"]
    assert kinds(kind="decided") == ["decided", "decided"]
    assert kinds(actor="ana", kind="role-changed") == ["owner"]
    assert kinds(comment="x' OR 1=1", before="٣") == kinds()
    assert kinds(kind="nothing") == []
    exported = ana.get("/moderation/log.csv?comment=1").text
    rows = list(csv.DictReader(exported.splitlines(keepends=True)))
    assert [row["kind"] for row in rows] == ["decided", "screened", "received"]
    assert rows[0]["note"].startswith("'=HYPERLINK")
    lines = [json.loads(line) for line in ana.get("/moderation/log.jsonl").text.splitlines()]
    assert lines[0]["kind"] == "role-changed"
    assert ana.get("/moderation/log.xml").status == 404


def test_the_log_goes_on_by_pages(app: Flask) -> None:
    ana, reader = signed_in(app), Reader(app)
    for _ in range(30):
        reader.stored()
    first = ana.get("/moderation/log")
    second = ana.get(first.one("a[rel=next]").get("href"))
    numbers = [int(event.get("data-event")) for page in (first, second) for event in page.all("[data-event]")]
    assert numbers == sorted(numbers, reverse=True)
    assert len(set(numbers)) == len(numbers) > 55


@pytest.mark.parametrize("statement", ["UPDATE event SET actor = 'nobody'", "DELETE FROM event"])
def test_the_store_refuses_to_alter_the_log(either: Flask, statement: str) -> None:
    Reader(either).stored()
    with either.app_context(), pytest.raises(DBAPIError, match="append-only"), write() as session:
        session.execute(text(statement))
