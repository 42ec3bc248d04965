"""The author of a comment hears of replies by mail: asked for, confirmed, and ended by one click."""

from __future__ import annotations

import json
import re
import threading
from datetime import timedelta

import pytest
from flask import Flask
from itsdangerous import TimestampSigner, URLSafeTimedSerializer

from blog.db import db
from blog.people import add_moderator
from tests.conftest import PASSWORD, Make, signed_in
from tests.mailing import as_agreed, later, run
from tests.people import Page, Reader
from tests.smtp_standin import Got, MailServer

ADA = "ada@example.org"
DAY = timedelta(days=1, seconds=1)
UNDO = timedelta(minutes=10, seconds=1)


@pytest.fixture
def blog(make: Make, mailserver: MailServer) -> Flask:
    """A blog that publishes what Akismet calls ham, and sends mail."""
    return make(smtp_url=mailserver.address, mail_from="The blog <blog@blog.example>")


@pytest.fixture(params=["sqlite", "postgres"])
def either_blog(request: pytest.FixtureRequest, make: Make, mailserver: MailServer) -> Flask:
    """The same on both stores."""
    settings = {"smtp_url": mailserver.address, "mail_from": "The blog <blog@blog.example>"}
    if request.param == "sqlite":
        return make(**settings)
    app = make(**settings, database_url=request.getfixturevalue("migrated_postgres"))
    with app.app_context():
        add_moderator("ana", PASSWORD)
        db.session.remove()
    return app


def link(mail: Got, page: str) -> str:
    """The path of the link to this page in a letter."""
    found: str = re.findall(rf"http://127\.0\.0\.1:8000(/mail/{page}/\S+)", mail.words)[0]
    return found


def ask(app: Flask, **typed: str) -> str:
    """Comment and ask to follow; the receipt."""
    receipt = Reader(app).stored(**{"author": "Ada", "email": ADA, **typed})
    assert Reader(app).post(f"{receipt}/follow").status == 303
    return receipt


def confirm(app: Flask, mailserver: MailServer) -> Page:
    """Press the button of the letter that came last."""
    run(app)
    return Reader(app).post(link(mailserver.mails.pop(), "confirm"))


def test_a_reply_is_told_after_asking_and_confirming(either_blog: Flask, mailserver: MailServer) -> None:
    receipt = ask(either_blog)
    assert "not confirmed yet" in Reader(either_blog).get(receipt).words()
    run(either_blog)
    (mail,) = mailserver.to(ADA)
    page = Reader(either_blog).get(link(mail, "confirm"))
    assert page.all("form[method=post] button")
    Reader(either_blog).stored(parent="1", author="Ben", body="I *agree*.")
    run(either_blog)
    assert len(mailserver.mails) == 1, "looking at the page confirms nothing"
    assert "You will hear" in Reader(either_blog).post(link(mail, "confirm")).words("h1")
    run(either_blog)
    told = mailserver.mails[1]
    assert told.to == [ADA]
    assert "I agree." in told.words
    assert "/comments/2" in told.words
    assert "Replies by mail: on" in Reader(either_blog).get(receipt).words()
    run(either_blog, "--now")
    assert len(mailserver.mails) == 2


def test_the_letters_are_as_they_were_agreed(blog: Flask, mailserver: MailServer) -> None:
    ask(blog)
    run(blog)
    as_agreed(mailserver.mails[0], "confirm")
    Reader(blog).post(link(mailserver.mails[0], "confirm"))
    Reader(blog).stored(parent="1", author="Ben", body="I *agree*: https://other.example/page.")
    Reader(blog).stored(parent="1", author="=?utf-8?q?x?=\r\nBcc: v@example.org", body="\u202eMe too.")
    run(blog)
    as_agreed(mailserver.mails[1], "replies")


def test_a_letter_to_a_strangers_address_has_nothing_that_was_typed(
    blog: Flask, mailserver: MailServer
) -> None:
    receipt = ask(
        blog, author="Cheap watches", body="Buy at https://watches.example", url="https://w.example"
    )
    run(blog)
    raw = mailserver.mails[0].message.as_string() + mailserver.mails[0].words
    assert not re.search("watches|Buy|w.example", raw)
    assert receipt.rpartition("/")[2] not in raw
    page = Reader(blog).get(link(mailserver.mails[0], "confirm"))
    assert "watches" not in page.text


def test_without_confirming_nothing_more_is_sent(blog: Flask, mailserver: MailServer) -> None:
    ask(blog)
    run(blog)
    Reader(blog).stored(parent="1")
    later(blog, DAY)
    run(blog, "--now")
    assert len(mailserver.mails) == 1


def test_a_link_to_confirm_ends_when_the_wish_is_taken_back(blog: Flask, mailserver: MailServer) -> None:
    receipt = ask(blog)
    run(blog)
    path = link(mailserver.mails[0], "confirm")
    assert Reader(blog).post(f"{receipt}/unfollow").status == 303
    assert Reader(blog).get(path).status == Reader(blog).post(path).status == 404
    assert Reader(blog).post("/mail/confirm/nonsense").status == 404
    assert Reader(blog).post(f"{path}x").status == 404


@pytest.mark.parametrize(("days", "status"), [(6, 200), (8, 404)])
def test_a_link_to_confirm_ends_after_a_week(
    blog: Flask, mailserver: MailServer, days: int, status: int
) -> None:
    class Earlier(TimestampSigner):
        def get_timestamp(self) -> int:
            return super().get_timestamp() - days * 86400

    ask(blog)
    run(blog)
    path = link(mailserver.mails[0], "confirm")
    here, _, token = path.rpartition("/")
    secret = blog.extensions["blog.settings"].secret_key
    said = URLSafeTimedSerializer(secret, salt="follow-confirm").loads(token)
    old = URLSafeTimedSerializer(secret, salt="follow-confirm", signer=Earlier).dumps(said)
    assert Reader(blog).get(f"{here}/{old}").status == status
    assert Reader(blog).get(path).status == 200


def test_nothing_is_told_before_it_is_published(make: Make, mailserver: MailServer) -> None:
    app = make(moderation="all", smtp_url=mailserver.address, mail_from="blog@blog.example")
    moderator = signed_in(app)
    ask(app)
    moderator.decide("approve", 1)
    confirm(app, mailserver)
    Reader(app).stored(parent="1", body="Held.")
    run(app, "--now")
    assert mailserver.mails == []
    moderator.decide("approve", 2)
    run(app)
    assert mailserver.mails == [], "a decision can still be undone"
    later(app, UNDO)
    run(app)
    assert "Held." in mailserver.mails[0].words
    # Taken back and published again, it is not told again.
    moderator.decide("reject", 2, reason="unkind")
    moderator.decide("approve", 2)
    later(app, UNDO)
    run(app)
    assert len(mailserver.mails) == 1


def test_replies_that_came_together_are_one_letter(blog: Flask, mailserver: MailServer) -> None:
    ask(blog)
    confirm(blog, mailserver)
    for number in range(12):
        Reader(blog).stored(parent="1", body=f"Reply {number}.")
    run(blog)
    (mail,) = mailserver.mails
    assert mail.message["Subject"] == "12 replies to your comment on An open letter"
    assert "And 2 more." in mail.words
    run(blog)
    assert len(mailserver.mails) == 1


def test_nobody_is_told_about_their_own_reply(blog: Flask, mailserver: MailServer) -> None:
    ask(blog)
    confirm(blog, mailserver)
    Reader(blog).stored(parent="1", author="Ada", email="ADA@example.org", body="One more thing.")
    run(blog)
    assert mailserver.mails == []


def test_one_click_in_the_mail_program_ends_it(blog: Flask, mailserver: MailServer) -> None:
    receipt = ask(blog)
    confirm(blog, mailserver)
    Reader(blog).stored(parent="1")
    run(blog)
    message = mailserver.mails[0].message
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    path = re.fullmatch(r"<http://127\.0\.0\.1:8000(/mail/unsubscribe/\S+)>", message["List-Unsubscribe"])[1]
    assert "List-Unsubscribe: <http" in mailserver.mails[0].raw, "not encoded, not folded"
    assert "Should the mails end?" in Reader(blog).get(path).words()
    assert "Replies by mail: on" in Reader(blog).get(receipt).words()
    program = Reader(blog)
    sent = program.post(path, {"List-Unsubscribe": "One-Click"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert sent.status == 200
    assert "Set-Cookie" not in sent.headers
    assert program.post(path).status == 200
    Reader(blog).stored(parent="1")
    run(blog)
    assert len(mailserver.mails) == 1
    assert Reader(blog).post("/mail/unsubscribe/2.nonsense").status == 404


def test_withdrawing_and_erasing_end_it(blog: Flask, mailserver: MailServer) -> None:
    receipt = ask(blog)
    confirm(blog, mailserver)
    Reader(blog).stored(parent="1", body="For Ada.")
    Reader(blog).post(f"{receipt}/withdrawal")
    ask(blog, email="zoe@example.org", author="Zoe")
    confirm(blog, mailserver)
    Reader(blog).stored(parent="3", body="For Zoe.")
    invoke = blog.test_cli_runner().invoke
    kept = json.loads(invoke(args=["privacy", "export", "zoe@example.org"]).output)["comments"][0]
    assert set(kept["follows_replies"]) == {"asked", "mailed", "confirmed"}
    assert kept["follows_replies"]["confirmed"]
    invoke(args=["privacy", "erase", "zoe@example.org"])
    run(blog)
    assert mailserver.mails == []
    with blog.app_context():
        assert db.session.execute(db.text("SELECT count(*) FROM follow")).scalar() == 0
        db.session.remove()


def test_an_address_is_asked_once_a_day_whoever_types_it(either_blog: Flask, mailserver: MailServer) -> None:
    for _ in range(3):
        ask(either_blog)
    run(either_blog)
    run(either_blog, "--now")
    assert len(mailserver.to(ADA)) == 1
    later(either_blog, DAY)
    run(either_blog)
    assert len(mailserver.to(ADA)) == 2


def test_one_network_can_ask_three_times_a_day(blog: Flask, mailserver: MailServer) -> None:
    for number in range(3):
        ask(blog, email=f"victim{number}@example.org")
    receipt = Reader(blog).stored(email="victim4@example.org")
    refused = Reader(blog).post(f"{receipt}/follow")
    assert refused.status == 429
    assert int(refused.headers["Retry-After"]) > 3600
    elsewhere = Reader(blog, REMOTE_ADDR="198.51.100.7")
    assert elsewhere.post(f"{receipt}/follow").status == 303


def test_two_runs_at_once_send_each_letter_once(either_blog: Flask, mailserver: MailServer) -> None:
    ask(either_blog)
    ask(either_blog, body="Another, from the same address.")
    mailserver.delay = 0.1
    at_once(either_blog)
    assert len(mailserver.mails) == 1
    Reader(either_blog).post(link(mailserver.mails[0], "confirm"))
    Reader(either_blog).stored(parent="1")
    at_once(either_blog)
    assert len(mailserver.mails) == 2


def at_once(app: Flask) -> None:
    """Four runs at the same moment."""
    runs = [threading.Thread(target=run, args=(app, "--now")) for _ in range(4)]
    for one in runs:
        one.start()
    for one in runs:
        one.join()


def test_a_refused_address_is_not_written_to_again_and_the_others_are(
    blog: Flask, mailserver: MailServer
) -> None:
    receipt = ask(blog)
    ask(blog, email="ben@example.org")
    mailserver.refused[ADA] = "550 No such user"
    run(blog)
    assert [mail.to for mail in mailserver.mails] == [["ben@example.org"]]
    mailserver.refused.clear()
    later(blog, DAY)
    run(blog)
    assert mailserver.to(ADA) == []
    assert Reader(blog).get(receipt).one(f'form[action="{receipt}/follow"]') is not None


def test_not_now_is_asked_again_later(blog: Flask, mailserver: MailServer) -> None:
    ask(blog)
    mailserver.refused[ADA] = "451 Come back later"
    run(blog)
    mailserver.refused.clear()
    run(blog)
    assert mailserver.mails == []
    later(blog, timedelta(minutes=16))
    run(blog)
    assert len(mailserver.to(ADA)) == 1


def test_letters_wait_for_a_server_that_is_down(blog: Flask, mailserver: MailServer) -> None:
    mailserver.stop()
    ask(blog)
    run(blog)
    mailserver.start()
    run(blog)
    assert len(mailserver.to(ADA)) == 1


def test_a_blog_without_mail_offers_none(app: Flask) -> None:
    receipt = Reader(app).stored()
    assert "by mail" not in Reader(app).get(receipt).words("details")
    assert Reader(app).post(f"{receipt}/follow").status == 409
