"""Something goes wrong: the answer says so in the site's dress, with the right status and what was typed."""

from __future__ import annotations

import io
import sqlite3

import pytest
from flask import Flask, abort, request
from lxml import html
from sqlalchemy import exc as store
from werkzeug.test import Client

from blog import errors
from blog.db import db, write

FORM = "application/x-www-form-urlencoded"
COMMENTS = "/posts/open-letter/comments"


def part(*lines: bytes) -> bytes:
    """A multipart body of one part."""
    return b"\r\n".join([b"--x", *lines, b"--x--", b""])


def test_an_unknown_page_is_a_page_of_the_site(client):
    answer = client.get("/nothing-here")
    page = html.document_fromstring(answer.text)
    assert answer.status_code == 404
    assert page.cssselect("link[rel=stylesheet]")
    assert page.cssselect("main h1")[0].text == "Nothing here"
    assert answer.headers["X-Request-Id"] in answer.text


def test_a_wrong_method_names_the_right_ones(client):
    answer = client.delete("/posts/open-letter/")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


UNREADABLE = [
    (b"author=\xff&body=x", FORM),
    (b"author=%FF&body=x", FORM),
    (b"author=a&body=%ED%A0%80", FORM),
    (
        part(b'Content-Disposition: form-data; name="body"', b"", b"\xff"),
        "multipart/form-data; boundary=x",
    ),
    (b"body=x", "multipart/form-data"),
    (b"--x\r\nbody", "multipart/form-data; boundary=x"),
    (b"--x\r\n\r\n\r\n--x--", "multipart/form-data; boundary=x"),
    (b"body=x", "multipart/form-data; boundary=\xe9"),
    (b"body=x", "multipart/form-data; boundary="),
]
STRANGE = [
    (b"", FORM),
    (b"&&&=&=", FORM),
    (b"100%", FORM),
    (b"body=%zz%", FORM),
    (b"body=%00", FORM),
    (b"body=\x00", FORM),
    (b'{"body": "\xff"}', "application/json"),
    (b"\xff", "text/plain"),
    (b"\xff", ""),
    (b"x", "\x00/;;;="),
    (b"body=x", FORM + "; charset=utf-7"),
    (part(b'Content-Disposition: form-data; name="body"', b"", b"x"), "multipart/form-data; boundary=x"),
    (
        part(b'Content-Disposition: form-data; name="body"; filename="x"', b"", b"x"),
        "multipart/form-data; boundary=x",
    ),
]


def test_a_form_that_is_not_readable_is_refused_as_such(client):
    for body, kind in UNREADABLE:
        answer = client.post(COMMENTS, data=body, content_type=kind)
        assert answer.status_code == 400, (body, kind)
        assert "unreadable" in answer.text
        assert "required" not in answer.text.lower()


def test_a_strange_form_is_no_accident(client):
    for body, kind in STRANGE:
        assert client.post(COMMENTS, data=body, content_type=kind).status_code < 500, (body, kind)


def test_a_form_that_is_cut_off_is_not_taken_for_a_whole_one(app):
    length = None

    def served(environ, start_response):
        environ["wsgi.input"], environ["wsgi.input_terminated"] = (
            io.BytesIO(b"author=Jo&body=Half a sen"),
            True,
        )
        environ["CONTENT_TYPE"] = FORM
        if length:
            environ["CONTENT_LENGTH"] = length
        else:
            environ.pop("CONTENT_LENGTH", None)
            environ["HTTP_TRANSFER_ENCODING"] = "chunked"
        return app.wsgi_app(environ, start_response)

    for length, status in [("400", 400), ("3", 400), ("nonsense", 400), (None, 411)]:
        assert Client(served).post(COMMENTS).status_code == status, length


def test_a_form_that_is_too_large_is_refused_as_such(client):
    for body in (b"body=" + b"x" * 300_000, b"&".join([b"a=1"] * 2000)):
        answer = client.post(COMMENTS, data=body, content_type=FORM)
        assert answer.status_code == 413
        assert "256 kB" in answer.text


def test_a_script_that_wants_json_gets_it(client):
    answer = client.get("/nothing-here", headers={"Accept": "application/json"})
    assert answer.json == {
        "code": 404,
        "title": "Nothing here",
        "words": errors.WORDS[404][1],
        "request_id": answer.headers["X-Request-Id"],
    }


@pytest.fixture
def trouble(app: Flask) -> Flask:
    """A blog with a page where things go wrong."""
    causes = {
        "bug": RuntimeError("words of a reader"),
        "locked": store.OperationalError(
            "UPDATE", {"body": "words of a reader"}, sqlite3.OperationalError("locked")
        ),
        "busy": store.TimeoutError("QueuePool limit"),
        "full": OSError(28, "No space left on device"),
        "number": OverflowError("Python int too large to convert to SQLite INTEGER"),
        "surrogate": UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"),
        "deep": RecursionError("maximum recursion depth exceeded"),
    }

    @app.post("/trouble/<name>")
    def answer(name: str) -> str:
        assert request.form is not None
        raise causes[name]

    @app.get("/words")
    def words() -> str:
        abort(403, "Your <b>own</b> words.")

    app.config["WTF_CSRF_CHECK_DEFAULT"] = False
    return app


def test_a_failure_has_its_status_and_gives_back_what_was_typed(trouble):
    text = "\nA long <textarea> answer.\n"
    statuses = {
        "bug": 500,
        "deep": 500,
        "locked": 503,
        "busy": 503,
        "full": 503,
        "number": 400,
        "surrogate": 400,
    }
    for name, status in statuses.items():
        answer = trouble.test_client().post(
            f"/trouble/{name}", data={"author": "Jo", "body": text, "token": "t"}
        )
        page = html.document_fromstring(answer.text)
        assert answer.status_code == status, name
        assert ("Retry-After" in answer.headers) == (status == 503)
        assert "words of a reader" not in answer.text
        assert "Traceback" not in answer.text
        form = page.cssselect(f'form[action="/trouble/{name}"]')[0]
        assert form.cssselect("textarea[name=body]")[0].text.replace("\r\n", "\n") == "\n" + text
        assert form.cssselect("input[name=author]")[0].value == "Jo"
        assert bool(form.cssselect("button[type=submit]")) == (status >= 500)


def test_the_words_of_a_refusal_are_shown_and_escaped(trouble):
    answer = trouble.test_client().get("/words")
    assert answer.status_code == 403
    assert "Your &lt;b&gt;own&lt;/b&gt; words." in answer.text


def test_an_error_page_that_fails_itself_still_says_what_happened(make, tmp_path):
    folder = tmp_path / "theme"
    (folder / "errors").mkdir(parents=True)
    (folder / "errors" / "error.html").write_text("{{ nothing.like.this }}")
    answer = make(templates_dir=folder).test_client().get("/nothing-here")
    page = html.document_fromstring(answer.text)
    assert answer.status_code == 404
    assert page.cssselect("h1")[0].text == "Nothing here"
    assert answer.headers["X-Request-Id"] in answer.text


def test_what_fails_outside_of_the_application_is_answered_too(app):
    def broken(environ, start_response):
        raise (
            UnicodeEncodeError("latin-1", "\u0100", 0, 1, "x")
            if environ["PATH_INFO"] == "/bytes"
            else RuntimeError("x")
        )

    app.wsgi_app = errors.Backstop(broken, app.extensions["blog.settings"])
    client = app.test_client()
    for path, status in {"/bytes": 400, "/": 500}.items():
        answer = client.get(path)
        assert answer.status_code == status
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "<h1>" in answer.text


def test_a_store_that_is_locked_for_long_loses_no_words(make, tmp_path):
    app = make(data_dir=tmp_path / "data")
    reader = app.test_client()
    fields = (
        html.document_fromstring(reader.get("/posts/open-letter/").text).cssselect("#comment-form")[0].fields
    )
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    (tmp_path / "data" / "blog.db").rename(tmp_path / "data" / "away.db")
    (tmp_path / "data" / "blog.db").mkdir()
    data = {name: value or "" for name, value in fields.items()} | {
        "author": "Jo",
        "email": "jo@example.org",
        "body": "My words.",
    }
    answer = reader.post(COMMENTS, data=data)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "My words." in answer.text
    (tmp_path / "data" / "blog.db").rmdir()
    (tmp_path / "data" / "away.db").rename(tmp_path / "data" / "blog.db")
    assert reader.post(COMMENTS, data=data).status_code == 303


def test_a_number_that_no_store_can_hold_is_no_accident(app):
    @app.get("/number/<int:number>")
    def number(number: int) -> str:
        with write() as session:
            session.connection().exec_driver_sql("SELECT ?", (number,))
        return "held"

    client = app.test_client()
    assert client.get("/number/1").status_code == 200
    assert client.get("/number/" + "9" * 30).status_code == 400
