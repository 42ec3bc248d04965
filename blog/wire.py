"""The wire to Akismet: the only module that knows its client and HTTP.

The `akismet` client speaks the protocol. Everything that it hides or refuses is reached at the seam below
it, in the place of its HTTP client: the endpoint, parameters it does not know, the status and headers of the
answer, and a deadline for the whole call. A Wire is made once in a process, after it was forked.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from importlib import metadata
from typing import Literal, TypeVar, cast
from urllib.parse import urlencode, urlsplit

import akismet
import httpx

from blog import answers
from blog.answers import Answer, KeyState, Taught, Verdict
from blog.deadline import Deadline
from blog.fields import sendable
from blog.lines import Garbage, Lines, Reply, Unfinished
from blog.values import is_loopback

__all__ = ["Answer", "KeyState", "Taught", "Wire"]

log = logging.getLogger(__name__)
# Their lines name addresses and headers of every call and add nothing to ours.
for chatty in ("httpx", "httpcore"):
    logging.getLogger(chatty).setLevel(logging.WARNING)

VERDICTS: dict[akismet.CheckResponse, Verdict] = {
    akismet.CheckResponse.HAM: "ham",
    akismet.CheckResponse.SPAM: "spam",
    akismet.CheckResponse.DISCARD: "discard",
}
KNOWN = akismet.AkismetArguments.__optional_keys__
OURS = frozenset({"api_key", "blog", "user_ip"})  # what the client itself adds

Payload = Mapping[str, str | list[str]]
Said = TypeVar("Said")


def _user_agent() -> str:
    """Application and client with their versions, as Akismet asks for."""
    try:
        ours = metadata.version("reciprocal")
    except metadata.PackageNotFoundError:
        ours = "checkout"
    return f"Reciprocal/{ours} | akismet.py/{metadata.version('akismet')}"


HEADERS = {
    "User-Agent": _user_agent(),
    "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
    "Accept-Encoding": "identity",  # a compressed answer could be of any size
}


class _Call:
    """What one call brings to the seam, and what the seam saw."""

    def __init__(self, extra: list[tuple[str, str]], timeout: float, again: bool) -> None:
        self.extra = extra
        self.again = again  # whether asking twice does no harm
        self.began = time.monotonic()
        self.deadline = Deadline(timeout)
        self.error = ""
        self.cause = ""
        self.status = 0
        self.headers: dict[str, str] = {}
        self.retry_after: int | None = None

    def failed(self, error: Exception) -> None:
        """Give a failure of the network its code."""
        codes: dict[str, tuple[type[Exception], ...]] = {
            "deadline": (Unfinished,),
            "timeout": (TimeoutError, httpx.TimeoutException),
            "garbage": (Garbage, httpx.ProtocolError, httpx.DecodingError),
            "unreachable": (OSError, httpx.TransportError),
            "internal": (Exception,),
        }
        self.error = next(code for code, kinds in codes.items() if isinstance(error, kinds))
        self.cause = type(error).__name__

    def problem(self, said: str) -> str:
        """Why the answer cannot be used, "" when it can. Headers come before the verdict."""
        if answers.ERROR in self.headers:
            return "account"
        if self.status and not 200 <= self.status < 300:
            return f"status-{self.status}"
        return self.error or said

    @property
    def alert(self) -> tuple[int | None, str]:
        """The account alert that came along."""
        return answers.alert(self.headers)

    @property
    def seconds(self) -> float:
        """How long it has taken."""
        return time.monotonic() - self.began


_call: ContextVar[_Call] = ContextVar("call")


class Wire:
    """Akismet for one key and one site, usable by many threads. No method raises, whatever comes back.

    `endpoint` must be https unless it is this machine. `timeout` bounds each call as a whole, in seconds.
    `transport` replaces the network, for tests.
    """

    def __init__(
        self, key: str, blog: str, endpoint: str, timeout: float, transport: httpx.BaseTransport | None = None
    ) -> None:
        url = httpx.URL(endpoint.rstrip("/"))
        if url.scheme != "https" and not (url.scheme == "http" and is_loopback(url.host)):
            raise ValueError("Akismet must be asked over https")
        self._blog, self._endpoint, self._timeout = blog, url, timeout
        self._seam = _Seam(url, key, transport)
        config, http = akismet.Config(key=key, url=blog), cast(httpx.Client, self._seam)
        self._client = akismet.SyncClient(config=config, http_client=http)

    def __repr__(self) -> str:
        return f"Wire(blog={self._blog!r}, endpoint={str(self._endpoint)!r})"

    def check(self, payload: Payload) -> Answer:
        """Ask what a comment is; `payload` as fields.payload() makes it."""
        visitor, known, extra = _sorted_out(payload)
        if not visitor:
            return Answer("unchecked", "incomplete")
        call = _Call(extra, self._timeout, again=True)
        said, error = self._ask(call, "comment-check", lambda: self._client.comment_check(visitor, **known))
        code, message = call.alert
        verdict = "unchecked" if said is None else VERDICTS[said]
        return Answer(
            verdict=verdict,
            error=error,
            guid=answers.guid(call.headers),
            recheck_after=answers.recheck_after(call.headers) if verdict == "ham" else None,
            retry_after=call.retry_after,
            alert_code=code,
            alert_message=message,
            headers=call.headers,
            seconds=call.seconds,
        )

    def teach(
        self, kind: Literal["ham", "spam"], payload: Payload, reporter: str = "", check_response: str = ""
    ) -> Taught:
        """Tell Akismet what a person decided, with the values as they were submitted then.

        `check_response` is what Akismet had said: "true", "false" or "" for unknown.
        """
        decided = {"reporter": reporter, "comment_check_response": check_response}
        submitted = {**payload, **{name: value for name, value in decided.items() if value}}
        submitted.pop("recheck_reason", None)  # why that check was made says nothing about the comment
        visitor, known, extra = _sorted_out(submitted)
        if not visitor:
            return Taught(False, "incomplete")
        call = _Call(extra, self._timeout, again=False)
        submit = self._client.submit_ham if kind == "ham" else self._client.submit_spam
        said, error = self._ask(call, f"submit-{kind}", lambda: submit(visitor, **known))
        code, message = call.alert
        return Taught(said is True, error, call.retry_after, code, message, call.headers, call.seconds)

    def key_state(self) -> KeyState:
        """Ask whether the key is valid for this site. Not before each check: when a key is first seen."""
        call = _Call([], self._timeout, again=True)
        said, error = self._ask(call, "verify-key", self._client.verify_key)
        code, message = call.alert
        state: Literal["valid", "invalid", "unknown"] = "unknown"
        if said is not None:
            state = "valid" if said else "invalid"
        return KeyState(state, error, code, message, call.headers, call.seconds)

    def verify(self) -> Literal["valid", "invalid", "unknown"]:
        """The word of key_state() alone."""
        return self.key_state().state

    def close(self) -> None:
        """Let idle connections go; a later call opens new ones."""
        self._seam.close()

    def _ask(self, call: _Call, operation: str, put: Callable[[], Said]) -> tuple[Said | None, str]:
        """What the client made of the answer, or None and why not."""
        said: Said | None = None
        error = ""
        token = _call.set(call)
        try:
            said = put()
        except akismet.APIKeyError:
            error = "key-invalid"
        except akismet.RequestError as failure:
            error = "internal"
            call.cause = call.cause or type(failure.__cause__).__name__
        except akismet.AkismetError:
            error = "garbage"
        finally:
            _call.reset(token)
        error = call.problem(error)
        if error:
            # The client's exceptions hold the key and whole answers: only class names are logged.
            log.log(
                logging.ERROR if error == "internal" else logging.WARNING,
                "akismet %s failed: %s %s",
                operation,
                error,
                call.cause,
            )
            return None, error
        return said, ""


def _sorted_out(payload: Payload) -> tuple[str, akismet.AkismetArguments, list[tuple[str, str]]]:
    """The visitor's address, what the client knows by name, and what only the seam can add."""
    known: dict[str, str] = {}
    extra: list[tuple[str, str]] = []
    for name, value in payload.items():
        if name in OURS:
            continue
        if name in KNOWN and isinstance(value, str):
            known[name] = sendable(value)
        else:
            extra += [(name, sendable(str(one))) for one in (value if isinstance(value, list) else [value])]
    visitor = payload.get("user_ip", "")
    return (visitor if isinstance(visitor, str) else ""), cast(akismet.AkismetArguments, known), extra


class _Seam:
    """Stands in the place of the client's HTTP client, of which it uses `post` alone: adds what the client
    refuses, keeps what it hides. There are no cookies, redirects or passwords here to be looked after.
    """

    def __init__(self, endpoint: httpx.URL, key: str, network: httpx.BaseTransport | None) -> None:
        self._endpoint, self._key, self._network = endpoint, key, network
        self._asked = httpx.Request("POST", endpoint)  # what the client's errors would name
        secure = endpoint.scheme == "https"
        port = endpoint.port or (443 if secure else 80)
        tls = httpx.create_ssl_context() if secure and network is None else None
        self._lines = Lines(endpoint.raw_host.decode("ascii"), port, tls)
        headers = {"Host": endpoint.netloc.decode("ascii"), **HEADERS}
        self._headers = [(name.encode(), value.encode()) for name, value in headers.items()]

    def post(self, url: str, data: Mapping[str, str]) -> httpx.Response:
        """The client's request, sent to the endpoint with everything that belongs to it."""
        call = _call.get()
        body = urlencode([*data.items(), *call.extra]).encode("ascii")
        try:
            reply = self._send(self._endpoint.path.rstrip("/") + urlsplit(url).path, body, call)
        except Exception as error:
            call.failed(error)
            raise
        call.status = reply.status
        call.headers = answers.akismet_headers(reply.headers, self._key)
        call.retry_after = answers.retry_after(reply.headers)
        # The client needs one header; with the others come cookies, redirects, charsets and compression.
        tip = {"x-akismet-pro-tip": call.headers.get("x-akismet-pro-tip", "")}
        return httpx.Response(reply.status, headers=tip, content=reply.body, request=self._asked)

    def _send(self, path: str, body: bytes, call: _Call) -> Reply:
        if self._network is None:
            headers = [*self._headers, (b"Content-Length", str(len(body)).encode())]
            return self._lines.post(path.encode("ascii"), headers, body, call.deadline, call.again)
        asked = httpx.Request("POST", self._endpoint.copy_with(path=path), headers=HEADERS, content=body)
        answer = self._network.handle_request(asked)
        return Reply(answer.status_code, answer.headers.raw, answer.read())

    def close(self) -> None:
        """Close idle connections."""
        self._lines.close()
        if self._network is not None:
            self._network.close()
