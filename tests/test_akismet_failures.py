"""Every way in which Akismet can fail ends as "unchecked", within the time limit, without the key."""

from __future__ import annotations

import gc
import gzip
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import akismet as client
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blog.alerts import ALERTS, FAILURES, alert, failure
from blog.answers import Answer
from blog.deadline import Deadline, Place, Stream
from blog.lines import Lines
from blog.wire import VERDICTS, Wire
from tests import akismet_standin as says
from tests.akismet_standin import AkismetStandIn, Reply, later, provisional, status

KEY = "0123456789ab"
SITE = "https://blog.example"
TIMEOUT = 0.15  # where time is to run out
PATIENCE = 5.0  # where it is not, however busy the machine
GRACE = 0.5  # seconds that an answer may take beyond the time limit
COMMENT = {"user_ip": "203.0.113.9", "comment_author": "Ann", "comment_content": "Words.", "subject": ""}


@pytest.fixture
def wire(akismet: AkismetStandIn) -> Wire:
    return Wire(KEY, SITE, akismet.url, PATIENCE)


@pytest.fixture
def hasty(akismet: AkismetStandIn) -> Wire:
    return Wire(KEY, SITE, akismet.url, TIMEOUT)


@contextmanager
def listening(speak: bytes = b"", pace: float = 0.0) -> Iterator[int]:
    """The port of a peer that knows no HTTP: it says `speak`, a byte each `pace` seconds, and never reads."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        done = threading.Event()

        def serve() -> None:
            server.settimeout(PATIENCE)
            connection, _ = server.accept()
            with connection, suppress(OSError):
                for byte in speak:
                    connection.send(bytes([byte]))
                    if done.wait(pace):
                        return
                done.wait(5)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        done.set()
        thread.join(5)


def checked(wire: Wire, error: str) -> Answer:
    """The answer to a check that must fail with this error, in time."""
    began = time.monotonic()
    answer = wire.check(COMMENT)
    assert time.monotonic() - began < TIMEOUT + GRACE
    assert (answer.verdict, answer.error) == ("unchecked", error)
    assert KEY not in repr(answer)
    assert failure(error).endswith(".")
    return answer


def raw(text: bytes, close: bool = True) -> Reply:
    return Reply(text, then="raw", close=close)


OK = b"HTTP/1.1 200 OK\r\n"
BAD_ANSWERS = {
    "hangs": (says.HANGS, "timeout"),
    "answers too late": (later(1.0), "timeout"),
    "drips headers": (says.DRIPS_HEADERS, "deadline"),
    "drips the body": (says.DRIPS_BODY, "deadline"),
    "resets after the request": (says.RESETS, "unreachable"),
    "resets in the answer": (says.CUTS, "unreachable"),
    "closes without a word": (raw(b""), "unreachable"),
    "closes in the answer": (raw(OK + b"Content-Length: 5\r\n\r\nfal"), "garbage"),
    "speaks something else": (says.GARBAGE, "garbage"),
    "sends far too much": (says.HUGE, "garbage"),
    "sends endless headers": (raw(OK + b"X-Long: " + b"x" * 200_000), "garbage"),
    "promises for ever": (raw(b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000), "garbage"),
    "contradicts itself": (raw(OK + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nfalse"), "garbage"),
    "counts in letters": (raw(OK + b"Content-Length: five\r\n\r\nfalse"), "garbage"),
    "chunks wrongly": (raw(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nfalse"), "garbage"),
    "has a status of its own": (raw(b"HTTP/1.1 20 OK\r\nContent-Length: 5\r\n\r\nfalse"), "garbage"),
    "switches protocols": (raw(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\nfalse"), "garbage"),
    "says nothing": (says.EMPTY, "garbage"),
    "has no content": (status(204), "garbage"),
    "ends its line": (says.NEWLINE, "garbage"),
    "shouts": (Reply(b"FALSE"), "garbage"),
    "stutters": (Reply(b"falsefalse"), "garbage"),
    "adds a NUL": (Reply(b"false\0"), "garbage"),
    "adds a byte order mark": (Reply(b"\xef\xbb\xbffalse"), "garbage"),
    "speaks UTF-16": (
        Reply("false".encode("utf-16"), headers={"Content-Type": "a; charset=utf-16"}),
        "garbage",
    ),
    "knows a strange charset": (
        Reply(b"\xff", headers={"Content-Type": "text/plain; charset=zlib"}),
        "garbage",
    ),
    "compresses unasked": (Reply(gzip.compress(b"false"), headers={"Content-Encoding": "gzip"}), "garbage"),
    "shows a page": (Reply(b"<!doctype html><title>Sign in to the Wi-Fi</title>"), "garbage"),
    "misses a field": (Reply(b"Missing required field: user_ip."), "garbage"),
    "redirects": (says.REDIRECT, "status-302"),
    "redirects without a place": (status(301, b"false"), "status-301"),
    "is busy": (status(429, b"false", retry_after="30"), "status-429"),
    "refuses": (status(403, b"true"), "status-403"),
    "is broken": (status(500, b"false"), "status-500"),
    "is down": (status(503, b"false", retry_after="Wed, 21 Oct 2015 07:28:00 GMT"), "status-503"),
    "is from the future": (status(999, b"false"), "status-999"),
    "knows no such key": (Reply(b"invalid"), "key-invalid"),
    "knows no such site": (says.INVALID, "key-invalid"),
    "has suspended the key and says ham": (says.SUSPENDED, "account"),
    "has suspended the key and says spam": (Reply(b"true", headers={"X-akismet-error": ""}), "account"),
    "has suspended the key and discards": (
        Reply(b"true", headers={"X-Akismet-Error": "suspended", "X-akismet-pro-tip": "discard"}),
        "account",
    ),
    "hides that among many headers": (
        Reply(
            b"false", headers={f"X-akismet-{n}": "x" for n in range(60)} | {"X-akismet-error": "suspended"}
        ),
        "account",
    ),
    "fails over the account": (status(500, b"", x_akismet_error="suspended"), "account"),
}


@pytest.mark.parametrize(("reply", "error"), BAD_ANSWERS.values(), ids=list(BAD_ANSWERS))
def test_a_bad_answer_leaves_a_comment_unchecked(
    wire: Wire,
    hasty: Wire,
    akismet: AkismetStandIn,
    caplog: pytest.LogCaptureFixture,
    reply: Reply,
    error: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    akismet.answer_with(reply)
    checked(hasty if error in ("timeout", "deadline") else wire, error)
    assert len(akismet.checks) == 1
    assert KEY not in caplog.text
    assert f"akismet comment-check failed: {error}" in caplog.text
    akismet.answer_with("ham")
    assert wire.check(COMMENT).verdict == "ham"


def test_a_server_that_is_away_and_comes_back(wire: Wire, akismet: AkismetStandIn) -> None:
    assert wire.check(COMMENT).verdict == "ham"
    akismet.stop()
    try:
        checked(wire, "unreachable")
    finally:
        akismet.start()
    assert wire.check(COMMENT).verdict == "ham"


def test_a_host_that_swallows_packets() -> None:
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for crowd in (first, second):
            crowd.setblocking(False)
            crowd.connect_ex(full.getsockname())
        checked(Wire(KEY, SITE, f"http://127.0.0.1:{full.getsockname()[1]}", TIMEOUT), "timeout")


def test_a_peer_that_never_reads() -> None:
    with listening() as port:
        stream = Stream(Place("127.0.0.1", port).connect(Deadline(PATIENCE)), Deadline(TIMEOUT), most=1000)
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            stream.write(b"x" * 20_000_000)
        assert time.monotonic() - began < TIMEOUT + GRACE
        stream.close()


@pytest.mark.parametrize(
    ("speak", "pace", "error"),
    [
        (b"", 0.0, "timeout"),
        (b"\x16\x03\x03\x3f\xff" + b"\x02" * 1000, 0.02, "timeout"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", 0.0, "unreachable"),
    ],
    ids=["silent", "dripping", "without TLS"],
)
def test_a_peer_that_cannot_shake_hands(speak: bytes, pace: float, error: str) -> None:
    with listening(speak, pace) as port:
        checked(Wire(KEY, SITE, f"https://127.0.0.1:{port}", TIMEOUT), error)


def test_a_name_that_takes_for_ever_to_look_up() -> None:
    asked = []
    hold = threading.Event()

    def slow(host: str, port: int) -> list[tuple[object, ...]]:
        asked.append(host)
        hold.wait(10)
        return []

    lines = Lines("akismet.example", 443, None, Place("akismet.example", 443, resolve=slow))
    began = time.monotonic()
    for _ in range(3):
        with pytest.raises(TimeoutError):
            lines.post(
                b"/1.1/comment-check", [(b"Host", b"akismet.example")], b"", Deadline(0.05), again=True
            )
    assert time.monotonic() - began < 3 * 0.05 + GRACE
    assert asked == ["akismet.example"]  # one thread waits, however many comments come
    hold.set()


@pytest.mark.parametrize("host", ["no-such-host.invalid", "x" * 70 + ".example", "exa mple"])
def test_a_name_that_does_not_exist(host: str) -> None:
    with pytest.raises(OSError):  # noqa: PT011  (which of them is the resolver's affair)
        Place(host, 443).connect(Deadline(2))


def test_a_loopback_name_that_leads_elsewhere_is_not_followed_in_the_clear() -> None:
    def elsewhere(host: str, port: int) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("192.0.2.1", port))]

    with pytest.raises(ConnectionError, match="no address"):
        Place("localhost", 80, only_loopback=True, resolve=elsewhere).connect(Deadline(0.2))


def test_a_dead_first_address_leaves_time_for_the_second(akismet: AkismetStandIn) -> None:
    port = int(akismet.url.rpartition(":")[2])
    entry = (socket.AF_INET, socket.SOCK_STREAM, 0, "")
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for crowd in (first, second):
            crowd.setblocking(False)
            crowd.connect_ex(full.getsockname())
        both = [(*entry, full.getsockname()), (*entry, ("127.0.0.1", port))]
        Place("localhost", port, resolve=lambda host, port: both).connect(Deadline(0.4)).close()


def test_many_at_once_wait_no_longer_than_one(hasty: Wire, akismet: AkismetStandIn) -> None:
    akismet.answer_with("hang")
    answers: list[Answer] = []
    people = [threading.Thread(target=lambda: answers.append(hasty.check(COMMENT))) for _ in range(40)]
    began = time.monotonic()
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert time.monotonic() - began < TIMEOUT + GRACE
    assert {answer.error for answer in answers} == {"timeout"}


def test_connections_are_kept_and_one_that_was_closed_is_replaced(
    wire: Wire, akismet: AkismetStandIn
) -> None:
    assert [wire.check(COMMENT).verdict for _ in range(5)] == ["ham"] * 5
    assert akismet.connections == 1
    akismet.drop_connections()
    assert wire.check(COMMENT).verdict == "ham"
    assert (akismet.connections, len(akismet.checks)) == (2, 6)


def test_a_connection_that_closes_just_as_it_is_used_costs_one_more_try(
    wire: Wire, akismet: AkismetStandIn
) -> None:
    akismet.answer_with("ham", "reset", "spam")
    assert wire.check(COMMENT).verdict == "ham"
    assert wire.check(COMMENT).verdict == "spam"
    akismet.answer_with("ham", "reset", "reset", "spam")
    assert wire.check(COMMENT).verdict == "ham"
    assert wire.check(COMMENT).error == "unreachable"


def test_a_wire_that_is_forgotten_closes_its_connections(akismet: AkismetStandIn) -> None:
    wire = Wire(KEY, SITE, akismet.url, PATIENCE)
    assert wire.check(COMMENT).verdict == "ham"
    circle: list[object] = [wire]
    circle.append(circle)
    del wire, circle
    gc.collect()  # an open socket would be a ResourceWarning, and so an error


def test_feedback_is_never_sent_twice_by_the_wire(wire: Wire, akismet: AkismetStandIn) -> None:
    akismet.answer_with("ham", "reset", "ham")
    wire.check(COMMENT)
    taught = wire.teach("spam", COMMENT, reporter="ana", check_response="false")
    assert (taught.ok, taught.error, len(akismet.taught)) == (False, "unreachable", 1)


@pytest.mark.parametrize(
    "remainder",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ntrue" + OK + b"Content-Length: 5\r\n\r\nfalse",
        b"HTTP/1.1 200 OK\nContent-Length: 4\n\ntrue" + OK + b"Content-Length: 5\r\n\r\nfalse",
        OK
        + b"Transfer-Encoding: chunked\r\n\r\n4\r\ntrue\r\n0\r\n\r\n"
        + OK
        + b"Content-Length: 5\r\n\r\nfalse",
        OK + b"Content-Length: 4\r\n\r\ntrue" + b"f",
    ],
)
def test_what_comes_after_an_answer_is_not_taken_for_the_next(
    wire: Wire, akismet: AkismetStandIn, remainder: bytes
) -> None:
    akismet.answer_with(raw(remainder, close=False), "spam")
    assert wire.check(COMMENT).verdict == "spam"
    assert wire.check(COMMENT).verdict == "spam"
    assert akismet.connections == 2


def test_an_empty_answer_hides_no_other_behind_it(wire: Wire, akismet: AkismetStandIn) -> None:
    empty = b"HTTP/1.1 200 OK\nContent-Length: 0\n\n"
    akismet.answer_with(raw(empty + b"HTTP/1.1 200 OK\nContent-Length: 5\n\nfalse", close=False), "spam")
    assert wire.check(COMMENT).error == "garbage"
    assert wire.check(COMMENT).verdict == "spam"


def test_an_answer_in_chunks_is_an_answer(wire: Wire, akismet: AkismetStandIn) -> None:
    chunks = OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nfa\r\n3\r\nlse\r\n0\r\n\r\n"
    akismet.answer_with(raw(chunks, close=False), "spam")
    assert wire.check(COMMENT).verdict == "ham"
    assert wire.check(COMMENT).verdict == "spam"
    assert akismet.connections == 1


def test_the_three_verdicts_and_their_headers(wire: Wire, akismet: AkismetStandIn) -> None:
    akismet.answer_with(
        "ham", "spam", "discard", provisional(90), Reply(b"true", headers={"X-akismet-recheck-after": "9"})
    )
    assert [wire.check(COMMENT).verdict for _ in range(3)] == ["ham", "spam", "discard"]
    assert wire.check(COMMENT).recheck_after == 90
    answer = wire.check(COMMENT)
    assert (answer.verdict, answer.recheck_after) == ("spam", None)
    assert answer.headers["x-akismet-guid"] == answer.guid
    assert len(answer.guid) == 32
    assert 0 < answer.seconds < PATIENCE


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ({"comment_author": "akismet-guaranteed-spam"}, "spam"),
        ({"comment_author": "viagra-test-123"}, "spam"),
        ({"comment_author_email": "akismet-guaranteed-spam@example.com"}, "spam"),
        ({"comment_author": "viagra-test-123", "user_role": "administrator"}, "ham"),
        ({}, "ham"),
    ],
)
def test_akismets_documented_test_values(wire: Wire, said: dict[str, str], verdict: str) -> None:
    assert wire.check({**COMMENT, **said}).verdict == verdict


@pytest.mark.akismet_client(comment_check_response=client.CheckResponse.DISCARD)
def test_each_word_of_the_client_has_one_of_ours(akismet_sync_class: type[client.SyncClient]) -> None:
    asked = akismet_sync_class(config=client.Config(key=KEY, url=SITE))
    assert set(VERDICTS) == set(client.CheckResponse)
    assert VERDICTS[asked.comment_check(user_ip="203.0.113.9")] == "discard"


def test_a_discard_tip_with_ham_is_ham(wire: Wire, akismet: AkismetStandIn) -> None:
    akismet.answer_with(Reply(b"false", headers={"X-akismet-pro-tip": "discard"}))
    assert wire.check(COMMENT).verdict == "ham"


@pytest.mark.parametrize(
    ("headers", "code", "message"),
    [
        ({}, None, ""),
        ({"X-akismet-alert-code": "10402", "X-akismet-alert-msg": "Suspended"}, 10402, "Suspended"),
        ({"X-akismet-alert-code": "many words", "X-akismet-alert-msg": "Hm"}, 0, "Hm"),
        ({"X-akismet-alert-code": "9" * 50}, 0, ""),
        ({"X-akismet-alert-code": "-1"}, 0, ""),
        ({"X-akismet-alert-msg": f"Your key {KEY}\x1b[2J is odd"}, 0, "Your key (the key) [2J is odd"),
        ({"X-akismet-alert-msg": "x" * 5000}, 0, "x" * 300),
    ],
)
def test_alerts_are_read_with_care(
    wire: Wire, akismet: AkismetStandIn, headers: dict[str, str], code: int | None, message: str
) -> None:
    akismet.answer_with(Reply(b"false", headers=headers))
    answer = wire.check(COMMENT)
    assert (answer.verdict, answer.alert_code, answer.alert_message) == ("ham", code, message)


def test_an_alert_has_a_meaning_and_a_next_step() -> None:
    assert {code for code, known in ALERTS.items() if known.warns_only} == {10501, 10502, 10504}
    assert "payment" in ALERTS[10402].meaning
    assert alert(77_777, "Something new").meaning == "Something new"
    assert alert(77_777).next_step
    assert {error for _, error in BAD_ANSWERS.values() if not error.startswith("status-")} < set(FAILURES)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("30", 30),
        ("0", 1),
        ("9" * 30, None),
        ("999999999", 86_400),
        ("-5", None),
        ("١٢", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 1),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
        ("Wed, 99 Xyz 2015", None),
        ("soon", None),
        ("", None),
    ],
)
def test_when_to_come_back_is_read_with_care(value: str, seconds: int | None) -> None:
    def busy(request: httpx.Request) -> httpx.Response:
        return httpx.Response(429, headers=[(b"Retry-After", value.encode())])

    assert (
        Wire(KEY, SITE, "https://akismet.example", 1, httpx.MockTransport(busy)).check(COMMENT).retry_after
        == seconds
    )


def test_nothing_is_kept_or_followed_from_an_answer(wire: Wire, akismet: AkismetStandIn) -> None:
    akismet.answer_with(
        Reply(b"true", headers={"Set-Cookie": "a=b", "Location": f"{akismet.url}/elsewhere"}),
        status(307, b"", location=f"{akismet.url}/elsewhere", set_cookie="a=b"),
        "ham",
    )
    verdicts = [wire.check(COMMENT).verdict for _ in range(3)]
    assert verdicts == ["spam", "unchecked", "ham"]
    assert {asked.path for asked in akismet.requests} == {"/1.1/comment-check"}
    assert not any("cookie" in asked.headers for asked in akismet.requests)


def test_proxies_of_the_environment_are_not_used(
    akismet: AkismetStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert Wire(KEY, SITE, akismet.url, PATIENCE).check(COMMENT).verdict == "ham"


def test_the_key_is_looked_at(wire: Wire, hasty: Wire, akismet: AkismetStandIn) -> None:
    assert wire.verify() == "valid"
    assert dict(akismet.requests[-1].fields) == {"key": KEY, "blog": SITE}
    akismet.key = "another"
    assert wire.verify() == "invalid"
    assert wire.check(COMMENT).error == "key-invalid"
    akismet.answer_with("over-limit")
    assert wire.key_state().alert_code == 10501
    for reply in ("hang", "error", "reset", "garbage", "drip-body"):
        akismet.answer_with(reply)
        assert hasty.verify() == "unknown"
    assert hasty.key_state().error == "deadline"


@pytest.mark.parametrize("reply", ["hang", "reset", "garbage", "empty", "error", "suspended", "redirect"])
def test_feedback_that_fails_says_so(hasty: Wire, akismet: AkismetStandIn, reply: str) -> None:
    akismet.answer_with(reply)
    taught = hasty.teach("ham", COMMENT, reporter="ana", check_response="true")
    assert not taught.ok
    assert taught.error


def test_plain_http_to_another_machine_is_refused() -> None:
    for endpoint in (
        "http://rest.akismet.com",
        "http://192.0.2.1",
        "ftp://127.0.0.1",
        "http://localhost.example",
    ):
        with pytest.raises(ValueError, match="https") as caught:
            Wire(KEY, SITE, endpoint, TIMEOUT)
        assert KEY not in str(caught.value)


def test_the_key_is_never_told(akismet: AkismetStandIn, wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for chatty in ("httpx", "httpcore"):
        caplog.set_level(logging.DEBUG, chatty)
    echo = Reply(KEY.encode(), headers={"X-akismet-debug-help": f"bad key {KEY}", "X-akismet-alert-msg": KEY})
    akismet.answer_with(echo)
    answers = [wire.check(COMMENT), wire.teach("ham", COMMENT), wire.key_state()]
    assert KEY not in repr((wire, answers))
    ours = [record for record in caplog.records if record.name.startswith("blog")]
    assert ours
    assert not any(KEY in record.getMessage() for record in ours)
    assert not any(record.exc_info for record in ours)


PIECES = st.lists(
    st.one_of(
        st.sampled_from(
            [OK, b"HTTP/1.1 ", b"200", b"\r\n", b"\r\n\r\n", b"Content-Length: 5", b"false", b"true", b": "]
        ),
        st.sampled_from(
            [
                b"X-akismet-error: ",
                b"X-akismet-guid:",
                b"Transfer-Encoding: chunked",
                b"5\r\nfalse\r\n0\r\n\r\n",
            ]
        ),
        st.binary(max_size=12),
    ),
    max_size=12,
).map(b"".join)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(answered=PIECES)
def test_no_bytes_raise_and_none_but_false_are_ham(
    wire: Wire, akismet: AkismetStandIn, answered: bytes
) -> None:
    akismet.answer_with(raw(answered))
    answer = wire.check(COMMENT)
    assert answer.verdict in ("ham", "spam", "discard", "unchecked")
    assert (answer.verdict == "unchecked") == bool(answer.error)
    if answer.verdict == "ham":
        assert b"false" in answered
        assert b"X-akismet-error" not in answered.partition(b"\r\n\r\n")[0]


@settings(max_examples=60, deadline=None)
@given(
    name=st.text(max_size=20).filter(lambda name: name != "user_ip"),
    value=st.text(max_size=40) | st.lists(st.text(max_size=5), max_size=3),
)
def test_no_text_is_too_odd_to_ask_about(name: str, value: str | list[str]) -> None:
    sent: list[bytes] = []

    def ham(request: httpx.Request) -> httpx.Response:
        sent.append(request.content)
        return httpx.Response(200, content=b"false")

    wire = Wire(KEY, SITE, "https://akismet.example", 1, httpx.MockTransport(ham))
    assert wire.check({**COMMENT, name: value, "comment_author": "\ud800\0"}).verdict == "ham"
    assert sent[0].isascii()
