"""A held comment reaches the moderators by mail: once, in time, whatever the mail server does."""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from blog.config import SettingError, Settings
from blog.db import db
from blog.people import add_moderator
from tests.akismet_standin import HAM, SPAM, AkismetStandIn, status
from tests.conftest import PASSWORD, Make, signed_in
from tests.mailing import as_agreed, later, run, tell
from tests.people import Moderator, Reader
from tests.smtp_standin import MailServer

FIVE = timedelta(minutes=5, seconds=1)
DAY = timedelta(days=1, seconds=1)


@pytest.fixture
def held(make: Make, mailserver: MailServer) -> Flask:
    """A blog where everything waits, and mail is sent."""
    return make(moderation="all", smtp_url=mailserver.address, mail_from="blog@blog.example")


@pytest.fixture(params=["sqlite", "postgres"])
def either_held(request: pytest.FixtureRequest, make: Make, mailserver: MailServer) -> Flask:
    """The same on both stores."""
    settings = {"moderation": "all", "smtp_url": mailserver.address, "mail_from": "blog@blog.example"}
    if request.param == "sqlite":
        return make(**settings)
    app = make(**settings, database_url=request.getfixturevalue("migrated_postgres"))
    with app.app_context():
        add_moderator("ana", PASSWORD)
        db.session.remove()
    return app


def test_a_held_comment_is_told_at_once_and_once(either_held: Flask, mailserver: MailServer) -> None:
    address = tell(either_held)
    Reader(either_held).stored(author="Ada", body="Please *read* me.")
    assert "send 1 mails" in run(either_held)
    (mail,) = mailserver.to(address)
    assert "Please read me." in mail.words
    assert "1 waits at the desk" in mail.words
    later(either_held, FIVE)
    run(either_held)
    run(either_held, "--now")
    assert len(mailserver.mails) == 1


def test_without_a_key_every_comment_is_told_because_nobody_else_will_look(
    make: Make, mailserver: MailServer
) -> None:
    blog = make(akismet_key="", smtp_url=mailserver.address, mail_from="blog@blog.example")
    address = tell(blog)
    Reader(blog).stored(author="Ada", body="Please read me.")
    run(blog)
    assert [("Please read me." in mail.words) for mail in mailserver.to(address)] == [True]
    later(blog, FIVE)
    run(blog)
    assert len(mailserver.mails) == 1


def test_the_letter_is_as_it_was_agreed(held: Flask, mailserver: MailServer) -> None:
    tell(held)
    reader = Reader(held)
    reader.stored(author="Ada", body="First, *with* emphasis.\n\nAnd a second paragraph.")
    reader.stored(
        author="李小龙", body="See https://spam.example/now or www.spam.example today.", slug="second"
    )
    run(held)
    (mail,) = mailserver.mails
    as_agreed(mail, "waiting")


def test_the_links_lead_to_the_comment_after_signing_in(held: Flask, mailserver: MailServer) -> None:
    tell(held)
    Reader(held).stored(body="Where am I?")
    run(held)
    link = re.findall(r"http://127.0.0.1:8000(/moderation/comments/\d+)", mailserver.mails[0].words)[0]
    stranger = Moderator(held)
    page = stranger.get(link)
    assert (page.status, page.headers["Location"]) == (303, f"/login?next={link}")
    assert "Where am I?" in signed_in(held).get(link).words()
    assert Reader(held).get("/posts/open-letter/").text.count("Where am I?") == 0


def test_a_flood_is_one_letter_and_the_next_waits_five_minutes(held: Flask, mailserver: MailServer) -> None:
    tell(held)
    reader = Reader(held)
    for number in range(25):
        reader.stored(body=f"Flood {number}.")
    run(held)
    assert len(mailserver.mails) == 1
    assert mailserver.mails[0].message["Subject"].startswith("25 comments wait")
    assert mailserver.mails[0].words.count("/moderation/comments/") == 10
    assert "And 15 more." in mailserver.mails[0].words
    reader.stored(body="Late.")
    run(held)
    assert len(mailserver.mails) == 1
    later(held, FIVE)
    run(held)
    assert len(mailserver.mails) == 2
    assert "Late." in mailserver.mails[1].words
    assert "Flood" not in mailserver.mails[1].words
    assert "In all, 26 wait" in mailserver.mails[1].words


def test_a_digest_comes_once_a_day_and_only_with_news(held: Flask, mailserver: MailServer) -> None:
    tell(held, mode="digest")
    reader = Reader(held)
    reader.stored(body="Monday.")
    run(held)
    reader.stored(body="Monday evening.")
    run(held)
    run(held, "--now")
    assert len(mailserver.mails) == 1
    later(held, DAY)
    run(held)
    assert [("Monday evening." in mail.words) for mail in mailserver.mails] == [False, True]
    later(held, DAY)
    run(held)
    assert len(mailserver.mails) == 2


def test_what_was_decided_before_the_letter_is_not_in_it(held: Flask, mailserver: MailServer) -> None:
    tell(held)
    Reader(held).stored(body="Quickly done.")
    Reader(held).stored(body="Still here.")
    signed_in(held, "ben").decide("approve", 1)
    run(held)
    assert "Quickly" not in mailserver.mails[0].words
    assert "Still here." in mailserver.mails[0].words


def test_spam_is_never_told(held: Flask, mailserver: MailServer, akismet: AkismetStandIn) -> None:
    tell(held)
    akismet.answer_with(SPAM)
    Reader(held).stored(body="Buy!")
    run(held)
    assert mailserver.mails == []


def test_what_akismet_has_not_answered_is_told_when_it_has(
    held: Flask, mailserver: MailServer, akismet: AkismetStandIn
) -> None:
    tell(held)
    akismet.answer_with(status(500), status(500), SPAM, HAM)
    Reader(held).stored(body="Perhaps spam.")
    Reader(held).stored(body="Perhaps ham.")
    run(held)
    assert mailserver.mails == []
    run(held, "--now")
    (mail,) = mailserver.mails
    assert "Perhaps ham." in mail.words
    assert "Perhaps spam." not in mail.words


def test_an_appeal_is_told(make: Make, mailserver: MailServer, akismet: AkismetStandIn) -> None:
    app = make(smtp_url=mailserver.address, mail_from="blog@blog.example")
    tell(app)
    akismet.answer_with(SPAM)
    receipt = Reader(app).stored(body="Not spam.")
    Reader(app).post(f"{receipt}/appeal", {"words": "Really not."})
    run(app)
    assert "(an appeal)" in mailserver.mails[0].words


def test_nobody_hears_who_chose_not_to_or_has_left(held: Flask, mailserver: MailServer) -> None:
    tell(held, "ana", "off")
    ben = tell(held, "ben")
    Reader(held).stored()
    run(held)
    assert [mail.to for mail in mailserver.mails] == [[ben]]


def test_a_server_that_is_down_costs_nothing_and_the_mail_is_sent_when_it_is_back(
    either_held: Flask, mailserver: MailServer
) -> None:
    tell(either_held)
    mailserver.stop()
    Reader(either_held).stored(body="Patience.")
    output = run(either_held)
    assert "mail could not be sent (ConnectionRefusedError)" in output
    assert "127.0.0.1" not in output
    assert signed_in(either_held).decide("approve", 1).status == 303
    Reader(either_held).stored(body="More patience.")
    mailserver.start()
    run(either_held)
    (mail,) = mailserver.mails
    assert "More patience." in mail.words


def test_a_slow_server_holds_nobody_up(make: Make, mailserver: MailServer) -> None:
    impatient = f"{mailserver.address}?timeout=0.2"
    app = make(moderation="all", smtp_url=impatient, mail_from="blog@blog.example")
    tell(app)
    mailserver.delay = 2.0
    Reader(app).stored(body="Slow.")
    runs = threading.Thread(target=run, args=(app,))
    runs.start()
    assert signed_in(app).decide("approve", 1).status == 303
    Reader(app).stored(body="Meanwhile.")
    runs.join()
    mailserver.delay = 0.0
    later(app, FIVE)
    # The machine of the tests may be slow itself.
    tries = (run(app) for _ in range(50))
    assert any("send 1 mails" in done for done in tries)
    assert "Meanwhile." in mailserver.mails[-1].words


def test_one_refused_address_does_not_keep_the_others_from_theirs(
    held: Flask, mailserver: MailServer
) -> None:
    ana, ben = tell(held, "ana"), tell(held, "ben")
    mailserver.refused[ana] = "550 No such user"
    Reader(held).stored()
    run(held)
    assert [mail.to for mail in mailserver.mails] == [[ben]]
    mailserver.refused.clear()
    run(held)
    assert mailserver.to(ana) == []  # not before its time
    later(held, timedelta(hours=1, seconds=1))
    run(held)
    assert len(mailserver.to(ana)) == 1


def test_two_runs_at_once_send_it_once(either_held: Flask, mailserver: MailServer) -> None:
    tell(either_held)
    Reader(either_held).stored()
    mailserver.delay = 0.1
    runs = [threading.Thread(target=run, args=(either_held, "--now")) for _ in range(4)]
    for one in runs:
        one.start()
    for one in runs:
        one.join()
    assert len(mailserver.mails) == 1


@pytest.mark.parametrize(
    "name",
    [
        "Eve\r\nBcc: victim@example.org",
        "=?utf-8?q?Eve=0d=0aBcc:_victim@example.org?=",
        "Eve <victim@example.org>, more@example.org",
        "\u202eeve\u2066",
    ],
)
def test_no_name_adds_a_header_or_a_recipient(held: Flask, mailserver: MailServer, name: str) -> None:
    address = tell(held)
    Reader(held).stored(author=name, body=f"{name}\n\n.\n\nTo: victim@example.org")
    run(held)
    (mail,) = mailserver.mails
    assert mail.to == [address]
    assert set(mail.message.keys()) == {
        "To",
        "From",
        "Subject",
        "Date",
        "Message-ID",
        "Auto-Submitted",
        "Content-Type",
        "Content-Transfer-Encoding",
        "MIME-Version",
    }
    assert "victim@example.org" not in str(mail.message["To"]) + str(mail.message["Subject"])
    assert "\u202e" not in mail.words
    assert "victim@example.org" not in mail.words


def test_no_title_and_no_site_name_adds_a_header(make: Make, mailserver: MailServer, content: Path) -> None:
    (content / "open-letter.md").write_text(
        '---\ntitle: "Two\\r\\nBcc: victim@example.org =?utf-8?q?=0d=0aBcc:_x@example.org?="\n'
        "date: 2026-01-02\n---\n\nWords.\n"
    )
    app = make(
        moderation="all",
        site_name="=?utf-8?q?Blog=0d=0aBcc:_victim@example.org?=",
        smtp_url=mailserver.address,
        mail_from="blog@blog.example",
    )
    address = tell(app)
    Reader(app).stored()
    run(app)
    (mail,) = mailserver.mails
    assert mail.to == [address]
    assert mail.message["Bcc"] is None


def test_a_dry_run_sends_nothing(held: Flask, mailserver: MailServer) -> None:
    tell(held)
    Reader(held).stored()
    assert "would send 1 mails" in run(held, "--dry-run")
    assert mailserver.mails == []


def test_without_a_mail_server_nothing_is_tried(app: Flask) -> None:
    tell(app)
    Reader(app).stored()
    assert "mail" not in run(app)


def test_a_moderator_chooses_at_the_desk(held: Flask, mailserver: MailServer) -> None:
    moderator = signed_in(held)
    form = moderator.get("/moderation/mail").fields('form[action="/moderation/mail"]')
    assert moderator.post("/moderation/mail", {**form, "mail": "nonsense", "mode": "each"}).status == 422
    assert (
        moderator.post("/moderation/mail", {**form, "mail": "ana@new.example", "mode": "each"}).status == 303
    )
    assert Reader(held).get("/moderation/mail").status == 303
    Reader(held).stored()
    run(held)
    assert mailserver.to("ana@new.example")


def test_an_owner_chooses_on_the_command_line(held: Flask, mailserver: MailServer) -> None:
    invoke = held.test_cli_runner().invoke
    done = invoke(args=["moderators", "mail", "ana", "ana@cli.example", "--mode", "each"])
    assert (done.exit_code, done.output) == (0, "ana: each, to ana@cli.example\n")
    assert invoke(args=["moderators", "mail", "ana", "x\r\nBcc: y@example.org"]).exit_code == 1
    assert invoke(args=["moderators", "mail", "nobody", "a@b.example"]).exit_code == 1
    tried = invoke(args=["mail", "test", "me@here.example"])
    assert (tried.exit_code, tried.output) == (0, "The mail server has taken it.\n")
    assert mailserver.to("me@here.example")
    mailserver.refused["no@here.example"] = "550 no"
    refused = invoke(args=["mail", "test", "no@here.example"])
    assert refused.exit_code == 1
    assert "the server refused the recipient (550)" in refused.output
    mailserver.stop()
    away = invoke(args=["mail", "test", "me@here.example"])
    assert (away.exit_code, "Traceback" in away.output) == (1, False)


@pytest.mark.parametrize(
    ("url", "sender"),
    [
        ("localhost:25", "a@b.example"),
        ("http://mail.example", "a@b.example"),
        ("smtp://", "a@b.example"),
        ("smtp://host:99999", "a@b.example"),
        ("smtp://user@host", "a@b.example"),
        ("smtp://host/path", "a@b.example"),
        ("smtp://host?timeout=never", "a@b.example"),
        ("smtp://host?tls=1", "a@b.example"),
        ("smtp://host", ""),
        ("smtp://host", "no address"),
        ("smtp://host", "a@b.example, c@d.example"),
    ],
)
def test_a_setting_that_cannot_work_stops_the_start(url: str, sender: str) -> None:
    with pytest.raises(SettingError) as error:
        Settings.load({"BLOG_SMTP_URL": url, "BLOG_MAIL_FROM": sender})
    assert "\n" not in str(error.value)
    assert str(error.value).startswith(("BLOG_SMTP_URL", "BLOG_MAIL_FROM"))
