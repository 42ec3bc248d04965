"""Somebody reads the log: one line an event, and nothing in it about a person."""

from __future__ import annotations

import json
import logging
import sys
import threading

import pytest
from flask import Flask

from blog import logs
from blog.config import Settings
from blog.logs import LONGEST, Cleaner, JsonLine, TextLine

TOKEN = "q3Zt9_Vb-2LkXw81mNcYdR0aUeH7sGfJ"
KEY = "0123456789ab"


@pytest.fixture
def line():
    """Writes an event as a line of text."""
    form = TextLine(Cleaner([KEY]))

    def write(message, *values, **more):
        record = logging.LogRecord("blog.x", logging.INFO, __file__, 1, message, values, more.get("exc_info"))
        return form.format(record)

    return write


@pytest.mark.parametrize(
    "nasty", ["a\nb", "a\rb", "a\x1b[31mb", "a\x00b", "a\x85b", "a\u2028b", "a\u202eb", "a\x7fb", "a\ud800b"]
)
def test_an_event_is_one_line_of_plain_characters(line, nasty):
    written = line("got %s", nasty)
    assert written.isprintable()
    assert "a\\" in written
    record = logging.LogRecord("blog.x", logging.INFO, __file__, 1, nasty, (), None)
    as_json = JsonLine(Cleaner()).format(record)
    assert as_json.isprintable()
    assert json.loads(as_json)["message"].startswith("a\\")


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("mail to jo@example.org failed", "mail to [mail] failed"),
        ("from 203.0.113.9 and 2001:db8::1:2", "from [address] and [address]"),
        ("peer [2001:db8:0:0:0:0:0:1]:443", "peer [[address]]:443"),
        (
            "listening on http://127.0.0.1:8000 and http://[::1]:8000",
            "listening on http://127.0.0.1:8000 and http://[::1]:8000",
        ),
        (f"GET /receipts/{TOKEN}/edit", "GET /receipts/[token]/edit"),
        ("GET /Receipts/short", "GET /Receipts/[token]"),
        (f"token {TOKEN} is unknown", "token [token] is unknown"),
        (f"asked {KEY}.rest.example", "asked [secret].rest.example"),
        ("at 22:11:16 of version 25.10.1", "at 22:11:16 of version 25.10.1"),
        ("李小龙 wrote O'Brien's article", "李小龙 wrote O'Brien's article"),
    ],
)
def test_nothing_about_a_person_and_no_secret_is_written(line, said, written):
    assert line("%s", said).endswith(written)
    assert line(said).endswith(written)


def test_an_exception_is_told_by_its_class_and_place_but_not_by_its_text(line):
    try:
        try:
            raise OSError(28, "no space", "/data/jo@example.org")
        except OSError as error:
            raise ValueError("my secret comment") from error
    except ValueError:
        written = line("broke", exc_info=sys.exc_info())
    assert "error=ValueError from OSError (28)" in written
    assert "test_logs.py" in written
    assert "secret comment" not in written
    assert "example" not in written


def test_a_very_long_event_is_cut(line):
    assert len(line("x" * 1_000_000)) < LONGEST + 100


@pytest.mark.parametrize(
    "text",
    [
        "a" * 2000,
        "@" * 2000,
        "a@" * 1000,
        "1." * 1000,
        "::" * 1000,
        "f:" * 1000,
        "-" * 2000,
        "a." * 1000 + "@",
    ],
)
def test_no_text_takes_long_to_clean(line, text):
    for _ in range(20):
        line(text)


def test_each_request_is_a_line_with_an_id_and_without_its_address(client, capsys):
    client.get(
        f"/receipts/{TOKEN}?q=jo@example.org", headers={"User-Agent": "Netscape", "X-Request-Id": "mine"}
    )
    lines = [json.loads(text) for text in capsys.readouterr().err.splitlines()]
    answered = [entry for entry in lines if entry["message"] == "answered"]
    assert len(answered) == 1
    assert (answered[0]["method"], answered[0]["route"], answered[0]["status"]) == (
        "GET",
        "/receipts/<token>",
        404,
    )
    assert len(answered[0]["request"]) == 12
    assert answered[0]["ms"] > 0
    for secret in (TOKEN, "example", "Netscape", "127.0.0.1", "mine"):
        assert secret not in str(lines)


def test_the_request_id_of_an_error_page_finds_its_lines(app: Flask, capsys):
    @app.get("/broken")
    def broken():
        raise RuntimeError("something typed by a reader")

    page = app.test_client().get("/broken")
    number = page.headers["X-Request-Id"]
    lines = [json.loads(text) for text in capsys.readouterr().err.splitlines()]
    assert number in page.text
    assert [entry["message"] for entry in lines if entry["request"] == number] == ["unexpected", "answered"]
    assert "something typed" not in str(lines) + page.text


def test_a_posted_comment_leaves_nothing_personal_in_the_log(reader, capsys):
    receipt = reader.stored(
        author="Zebulon", email="zebulon@example.org", url="https://zebulon.example", body="Dear diary."
    )
    reader.get(receipt)
    err = capsys.readouterr().err
    assert "answered" in err
    for secret in ("Zebulon", "zebulon", "diary", receipt.rsplit("/", 1)[1], "127.0.0.1", "123456789abc"):
        assert secret not in err


def test_libraries_that_quote_addresses_are_quiet(app):
    for name in ("httpx", "httpcore", "werkzeug"):
        assert not logging.getLogger(name).isEnabledFor(logging.INFO)


def test_what_fails_in_a_thread_is_one_line_too(capsys, monkeypatch):
    for owner, name in ((threading, "excepthook"), (sys, "excepthook"), (sys, "unraisablehook")):
        monkeypatch.setattr(owner, name, getattr(owner, name))
    handler = logs.Lines()
    handler.setFormatter(TextLine(Cleaner()))
    logging.getLogger("blog").addHandler(handler)
    try:
        logs.take_over()
        thread = threading.Thread(target=lambda: int("words of a reader"))
        thread.start()
        thread.join()
    finally:
        logging.captureWarnings(False)
        logging.getLogger("blog").removeHandler(handler)
    lines = [text for text in capsys.readouterr().err.splitlines() if not text.startswith("{")]
    assert len(lines) == 1
    assert "a thread failed error=ValueError where=" in lines[0]
    assert "words of a reader" not in lines[0]


def test_the_form_of_the_lines_can_be_chosen(make, capsys):
    app = make()
    logs.configure(app, Settings(), "text")
    logging.getLogger("blog.x").warning("plain %s", "words")
    assert capsys.readouterr().err.endswith("WARNING blog.x - plain words\n")
