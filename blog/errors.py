"""What bad input and bad luck get: the right status, a page in the site's dress, a request id, no trace."""

from __future__ import annotations

import errno
import json
import logging
import sqlite3
from collections.abc import Iterable
from io import BytesIO
from typing import IO
from urllib.parse import unquote_to_bytes
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import flask
from flask import Flask, Response, current_app, render_template, request
from flask_wtf.csrf import CSRFError
from markupsafe import Markup
from sqlalchemy import exc as store
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.exceptions import BadRequest, HTTPException, LengthRequired, RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from blog import logs, unsent
from blog.config import Settings
from blog.headers import base_headers, private

log = logging.getLogger(__name__)

RETRY_SECONDS = 5
WORDS = {
    400: (
        "This request cannot be read",
        "Something in it is not what a browser sends. Go back and try again.",
    ),
    403: ("Not allowed", "This page is not open to you, or the form was sent from somewhere else."),
    404: ("Nothing here", "There is no page at this address. It may have been moved, or mistyped."),
    405: ("Not that way", "This address does not take this kind of request."),
    410: ("Gone", "This page was taken down by its author."),
    411: (
        "How long is it?",
        "A form has to come with its length, so that nothing of it gets lost unnoticed.",
    ),
    413: ("Too large", "What was sent is larger than this blog accepts (256 kB). Go back and shorten it."),
    415: ("Unknown format", "This address does not take this kind of content."),
    429: ("Too fast", "There were too many requests in a short time. Wait a little and try again."),
    500: ("Something broke here", "It is not your fault. The line in our log carries the number below."),
    503: ("Back in a moment", "The blog cannot reach its store right now. Try again in a few seconds."),
}
CUT = "The form did not arrive whole. Go back and send it again."
STALE = "This form is too old, or came from somewhere else. Open its page again and send it once more."
UNREADABLE = "The form is unreadable: its text is not UTF-8, or its parts are broken."

PAGE = Markup(
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title></head>'
    "<body><main><h1>{title}</h1><p>{words}</p>{more}{number}</main></body></html>\n"
)
NUMBER = Markup("<p>{}</p>")


def init(app: Flask) -> None:
    """Answer every error of the application, and refuse forms that cannot be read."""
    app.request_class = Request
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(Exception, crash)
    backstop = Backstop(app.wsgi_app, app.extensions["blog.settings"])
    app.wsgi_app = logs.Requests(backstop)  # type: ignore[method-assign]


def http_error(error: HTTPException) -> HTTPException | Response:
    """The page for an error that a view or the router answered with."""
    if error.code is None or error.code < 400 or error.response is not None:
        return error
    title, words = WORDS.get(error.code, (error.name, "The request could not be answered."))
    if isinstance(error, CSRFError):
        words = STALE
    elif error.description != type(error).description and error.description:
        words = error.description
    response = page(error.code, title, words)
    for name, value in error.get_headers(request.environ):
        if name not in ("Content-Type", "Content-Length"):
            response.headers[name] = value
    return response


def crash(error: Exception) -> Response:
    """The page for an exception that nobody expected; the log has the line that says where."""
    if isinstance(error, store.DataError | OverflowError | UnicodeEncodeError):
        # The store cannot hold such a value, so it came from outside and a form or route let it pass.
        log.error("a value from outside reached the store unchecked", exc_info=error)
        return page(400, *WORDS[400])
    if is_store_away(error):
        log.error("the store is away", exc_info=error)
        response = page(503, *WORDS[503])
        response.headers["Retry-After"] = str(RETRY_SECONDS)
        return response
    log.error("unexpected", exc_info=error)
    if current_app.debug:
        raise error
    return page(500, *WORDS[500])


def is_store_away(error: BaseException) -> bool:
    """Whether the store cannot be reached, read or written: locked, stopped, read-only, full, broken."""
    if isinstance(
        error, store.IntegrityError | store.DataError | store.ProgrammingError | store.NotSupportedError
    ):
        return False
    if isinstance(
        error, store.DBAPIError | store.TimeoutError | store.PendingRollbackError | sqlite3.OperationalError
    ):
        return True
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)


def page(code: int, title: str, words: str) -> Response:
    """An error's answer: JSON for a script that asked for it, otherwise a page that needs no store."""
    number = logs.request_id()
    response: Response
    best = request.accept_mimetypes.best_match(("text/html", "application/json"))
    if best == "application/json":
        content = {"code": code, "title": title, "words": words, "request_id": number}
        response = Response(json.dumps(content), code, mimetype="application/json")
    else:
        response = Response(_html(code, title, words, number), code, mimetype="text/html")
    response.headers["X-Request-Id"] = number
    return private(response)


def _html(code: int, title: str, words: str, number: str) -> str:
    again = unsent.form(unsent.address(), unsent.typed(), button=code >= 500)
    try:
        return render_template(
            "errors/error.html", code=code, title=title, words=words, request_id=number, again=again
        )
    except Exception:
        log.exception("the error page cannot be drawn")
        return bare_page(title, words, number, again)


def bare_page(title: str, words: str, number: str = "", more: str = "") -> str:
    """A complete page that needs no template, no store and no Flask."""
    shown = NUMBER.format(number) if number else ""
    return PAGE.format(title=title, words=words, more=more, number=shown)


class StrictForm(FormDataParser):
    """Refuses a form that is cut off, not UTF-8, not well-formed, or has too many fields.

    Werkzeug would take what has arrived for the whole, a broken form for an empty one, put other characters
    in place of the bytes, and count fields only where they come as parts. A form without a length is
    refused too, because nothing would tell that its end is missing; browsers always send one.
    """

    def parse(
        self,
        stream: IO[bytes],
        mimetype: str,
        content_length: int | None,
        options: dict[str, str] | None = None,
    ) -> tuple[IO[bytes], MultiDict[str, str], MultiDict[str, FileStorage]]:
        """Read the whole form, which MAX_CONTENT_LENGTH bounds, and look at its bytes first."""
        if mimetype not in ("application/x-www-form-urlencoded", "multipart/form-data"):
            return super().parse(stream, mimetype, content_length, options)
        if content_length is None:
            raise LengthRequired
        raw = stream.read()
        if len(raw) != content_length:
            raise BadRequest(CUT)
        if mimetype != "multipart/form-data" and raw.count(b"&") >= (self.max_form_parts or 1000):
            raise RequestEntityTooLarge
        self.silent = False
        try:
            (raw if mimetype == "multipart/form-data" else unquote_to_bytes(raw)).decode()
            return super().parse(BytesIO(raw), mimetype, content_length, options)
        except ValueError:
            raise BadRequest(UNREADABLE) from None


class Request(flask.Request):
    """A request whose form is read strictly, whoever reads it first."""

    form_data_parser_class = StrictForm


class Backstop:
    """WSGI: an answer even to what fails outside of Flask's own error handling."""

    def __init__(self, app: WSGIApplication, settings: Settings) -> None:
        self._app = app
        self._headers = [("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "no-store")]
        self._headers += base_headers(settings)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            return self._app(environ, start_response)
        except Exception as error:
            number = logs.request_id() or logs.begin_request()
            log.exception("outside of the application")
            # Only what the client sent is decoded out there: path, query and headers.
            code, status = (
                (400, "400 Bad Request")
                if isinstance(error, UnicodeError)
                else (500, "500 Internal Server Error")
            )
            body = bare_page(*WORDS[code], number).encode()
            length = str(len(body))
            start_response(status, [*self._headers, ("X-Request-Id", number), ("Content-Length", length)])
            return [body]
