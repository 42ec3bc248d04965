"""What leaves this machine about a comment: what the one table names, and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blog import fields
from blog.articles import Article, Library
from blog.config import Settings
from blog.db import Base
from blog.fields import FIELDS, HONEYPOT, PARAMETERS, payload, privacy_rows, sent_rows
from blog.history import Version
from blog.limits import Limit
from blog.models import Comment
from blog.wire import Wire
from tests.akismet_standin import AkismetStandIn, Asked

KEY = "0123456789ab"
NOW = datetime(2026, 11, 12, 9, 30, 15, 999, tzinfo=UTC)
SETTINGS = Settings(site_url="https://blog.example", akismet_key=KEY, spam_days=44, retention_days=7)
# Columns of Comment that say nothing about a person: its place, its state, the work that is owed.
NOT_PERSONAL = {
    *("id", "token", "slug", "reflection", "audience", "status", "status_at", "shown", "reasons"),
    *("guid", "checked_at", "check_error", "attempts", "next_check_at", "recheck_reason"),
    *("claimed_until", "appealed_at", "purged_at"),
}


@pytest.fixture
def article(tmp_path: Path) -> Article:
    header = "title: A letter\ndate: 2026-01-02\nmodified: 2026-03-04 05:06:07\ntags: [letters, giving]\n"
    (tmp_path / "a-letter.md").write_text(f"---\n{header}---\n\nWords.\n")
    found = Library(tmp_path).get("a-letter")
    assert found is not None
    return found


def comment(**values: Any) -> Comment:
    said = {
        "slug": "a-letter",
        "author": "Ann O'Brien & 李小龙",
        "email": "ann@example.org",
        "url": "https://ann.example/?a=b&c",
        "body": "First line\nsecond <b>line</b> 👩‍👩‍👧",
        "created_at": NOW,
        "ip": "2001:db8::9",
        "network": "2001:db8::/64",
        "user_agent": "Mozilla/5.0 (X11)",
        "referrer": "https://blog.example/",
    }
    return Comment(**{**said, **values})


def ask(akismet: AkismetStandIn, sent: dict[str, str | list[str]]) -> Asked:
    """The request as Akismet sees it."""
    wire = Wire(KEY, SETTINGS.site_url, akismet.url, 5)
    assert wire.check(sent).verdict == "ham"
    return akismet.checks[-1]


def test_a_comment_is_sent_with_all_that_helps_and_nothing_more(
    akismet: AkismetStandIn, article: Article
) -> None:
    asked = ask(akismet, payload(comment(), article, SETTINGS, NOW))
    assert sorted(asked.fields) == sorted(
        [
            ("api_key", KEY),
            ("blog", "https://blog.example"),
            ("blog_charset", "UTF-8"),
            ("blog_lang", "en"),
            ("comment_author", "Ann O'Brien & 李小龙"),
            ("comment_author_email", "ann@example.org"),
            ("comment_author_url", "https://ann.example/?a=b&c"),
            ("comment_content", "First line\nsecond <b>line</b> 👩‍👩‍👧"),
            ("comment_context[]", "letters"),
            ("comment_context[]", "giving"),
            ("comment_date_gmt", "2026-11-12T09:30:15Z"),
            ("comment_post_modified_gmt", "2026-03-04T05:06:07Z"),
            ("comment_type", "comment"),
            ("honeypot_field_name", HONEYPOT),
            (HONEYPOT, ""),
            ("permalink", "https://blog.example/posts/a-letter/"),
            ("referrer", "https://blog.example/"),
            ("user_agent", "Mozilla/5.0 (X11)"),
            ("user_ip", "2001:db8::9"),
        ]
    )


def test_akismet_learns_who_asks_and_gets_no_other_headers(akismet: AkismetStandIn) -> None:
    asked = ask(akismet, payload(comment(), None, SETTINGS, NOW))
    assert set(asked.headers) == {"host", "user-agent", "content-type", "accept-encoding", "content-length"}
    assert asked.headers["user-agent"].startswith("Reciprocal/")
    assert " | akismet.py/" in asked.headers["user-agent"]
    assert asked.headers["content-type"].startswith("application/x-www-form-urlencoded")


def test_nothing_leaves_that_the_table_does_not_name(akismet: AkismetStandIn, article: Article) -> None:
    sent = payload(comment(parent_id=3), article, SETTINGS, NOW, "retry", honeypot="Cheap")
    asked = ask(akismet, sent)
    wire = Wire(KEY, SETTINGS.site_url, akismet.url, 5)
    assert wire.teach("spam", sent, reporter="ana", check_response="false").ok
    assert asked.names | akismet.taught[-1].names == set(PARAMETERS)


def test_a_reply_an_edit_and_a_filled_trap_say_so(article: Article) -> None:
    sent = payload(comment(parent_id=3), article, SETTINGS, NOW, "edit", honeypot="Cheap watches")
    assert (sent["comment_type"], sent["comment_parent"]) == ("reply", "3")
    assert (sent["recheck_reason"], sent[HONEYPOT]) == ("edit", "Cheap watches")
    # Asked again later, the trap holds what it held then.
    assert payload(comment(submitted=sent), article, SETTINGS, NOW, "retry")[HONEYPOT] == "Cheap watches"


def test_what_is_empty_is_not_sent_except_the_trap() -> None:
    bare = comment(url="", user_agent=None, referrer="", parent_id=None)
    sent = payload(bare, None, SETTINGS, NOW)
    assert [name for name, value in sent.items() if not value] == [HONEYPOT]
    left_out = {"comment_author_url", "user_agent", "referrer", "comment_parent", "recheck_reason"}
    assert not left_out & set(sent)


def test_a_comment_on_an_article_that_is_gone() -> None:
    sent = payload(comment(slug="für-dich"), None, SETTINGS, NOW)
    assert sent["permalink"] == "https://blog.example/posts/f%C3%BCr-dich/"
    assert sent["blog_lang"] == "en"
    assert not {"comment_context[]", "comment_post_modified_gmt"} & set(sent)


def test_an_article_in_another_language_that_was_never_changed(article: Article) -> None:
    french = replace(article, language="fr-CA", modified=None)
    sent = payload(comment(created_at=None), french, SETTINGS, NOW)
    assert sent["blog_lang"] == "fr_ca"
    assert sent["comment_post_modified_gmt"] == "2026-01-02T00:00:00Z"
    assert sent["comment_date_gmt"] == "2026-11-12T09:30:15Z"


def test_a_correction_has_the_values_as_they_were_submitted_then(
    akismet: AkismetStandIn, article: Article
) -> None:
    sent = payload(comment(), article, SETTINGS, NOW, "retry")
    asked = ask(akismet, sent)
    wire = Wire(KEY, SETTINGS.site_url, akismet.url, 5)
    stored = json.loads(json.dumps(sent))
    assert wire.teach("ham", stored, reporter="ana", check_response="true").ok
    taught = akismet.taught[-1]
    assert taught.path == "/1.1/submit-ham"
    assert set(taught.fields) - set(asked.fields) == {("reporter", "ana"), ("comment_check_response", "true")}
    assert set(asked.fields) - set(taught.fields) == {("recheck_reason", "retry")}


def test_a_comment_whose_address_was_deleted_is_not_asked_about(akismet: AkismetStandIn) -> None:
    sent = payload(comment(ip=None), None, SETTINGS, NOW)
    wire = Wire(KEY, SETTINGS.site_url, akismet.url, 5)
    assert wire.check(sent).error == "incomplete"
    assert wire.teach("spam", sent).error == "incomplete"
    assert not akismet.requests


def test_the_receipt_lists_the_same_names_and_values(akismet: AkismetStandIn, article: Article) -> None:
    sent = payload(comment(), article, SETTINGS, NOW)
    asked = ask(akismet, sent)
    rows = dict(sent_rows(json.loads(json.dumps(sent))))
    assert rows == {name: ", ".join(asked.all(name)) for name in asked.names - {"api_key"}}
    assert rows["comment_context[]"] == "letters, giving"
    assert sent_rows(None) == []


def test_the_privacy_page_names_all_that_is_sent_with_the_running_numbers() -> None:
    rows = privacy_rows(SETTINGS)
    assert {name for row in rows for name in row.sent.split(", ")} - {""} == set(PARAMETERS)
    words = " ".join(row.kept for row in rows)
    assert "44 days" in words
    assert "7 days" in words
    assert "{" not in words
    assert not any(row.sent for row in privacy_rows(replace(SETTINGS, akismet_key="")))
    assert not any(row.public for row in rows if "e-mail" in row.label or "IP" in row.label)


def test_every_column_about_a_person_is_in_the_table() -> None:
    listed = {name for field in FIELDS for name in field.columns}
    columns = {column.name for column in Comment.__table__.columns}
    assert columns - listed == NOT_PERSONAL
    tables = Base.metadata.tables
    elsewhere = {name for name in listed if "." in name}
    assert listed - elsewhere <= columns
    assert all(name.partition(".")[2] in tables[name.partition(".")[0]].columns for name in elsewhere)
    assert {Limit.__tablename__, Version.__tablename__} <= {name.partition(".")[0] for name in elsewhere}


def test_what_is_deleted_can_be_deleted() -> None:
    columns = Comment.__table__.columns
    assert set(fields.TEMPORARY_COLUMNS) >= {"ip", "network", "user_agent", "referrer", "submitted"}
    assert all(columns[name].nullable for name in fields.TEMPORARY_COLUMNS)
    assert {"author", "email", "email_folded", "url", "body", "ip", "submitted"} <= set(fields.ERASED_COLUMNS)
    for name, left in fields.ERASED_COLUMNS.items():
        assert columns[name].nullable if left is None else isinstance(left, str)


def test_the_trap_has_a_name_of_its_own() -> None:
    taken = {name for name in PARAMETERS if name != HONEYPOT} | {
        "user_role",
        "is_test",
        "callback",
        "classify",
    }
    assert HONEYPOT not in taken
    # A browser that knows a person's data fills in fields with such names.
    known_to_browsers = ("name", "mail", "url", "site", "page", "phone", "tel", "address", "company", "user")
    assert not any(word in HONEYPOT for word in known_to_browsers)


# Half surrogate pairs and NUL included.
TEXT = st.text(st.characters(), max_size=60)


@given(
    author=TEXT,
    body=st.text(st.characters(), max_size=300),
    url=TEXT,
    agent=st.none() | TEXT,
    slug=TEXT,
    trap=TEXT,
    parent=st.none() | st.integers(1, 2**63 - 1),
)
def test_any_text_arrives_as_the_receipt_shows_it(
    author: str, body: str, url: str, agent: str | None, slug: str, trap: str, parent: int | None
) -> None:
    said = comment(author=author, body=body, url=url, user_agent=agent, slug=slug, parent_id=parent)
    sent = payload(said, None, SETTINGS, NOW, honeypot=trap)
    assert set(sent) <= set(PARAMETERS)
    assert all(value or name == HONEYPOT for name, value in sent.items())
    arrived: list[tuple[str, str]] = []

    def ham(request: httpx.Request) -> httpx.Response:
        arrived.extend(parse_qsl(request.content.decode("ascii"), keep_blank_values=True, errors="strict"))
        return httpx.Response(200, content=b"false")

    wire = Wire(KEY, SETTINGS.site_url, "https://akismet.example", 5, httpx.MockTransport(ham))
    assert wire.check(sent).verdict == "ham"
    assert sorted(arrived) == sorted([("api_key", KEY), *sent_rows(sent)])
    json.dumps(sent).encode("utf-8")
