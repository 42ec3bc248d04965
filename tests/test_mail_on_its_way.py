"""Mail goes to a server elsewhere encrypted and signed in, or it does not go and stays owed."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword
from flask import Flask

from tests.conftest import Make
from tests.needs import needs_openssl
from tests.smtp_standin import MailServer

# What aiosmtpd thinks of the servers that are played here.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
# This machine, under an address that is no loopback's: only there are letters and passwords in danger.
ELSEWHERE = "0.0.0.0"
USER, PASSWORD = "blog", "p@ss:word"


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A key and a certificate for that address, which nobody vouches for."""
    folder = tmp_path_factory.mktemp("certificate")
    key, cert = folder / "key.pem", folder / "cert.pem"
    words = [needs_openssl(), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    words += ["-subj", "/CN=mail.example", "-addext", f"subjectAltName=IP:{ELSEWHERE}"]
    subprocess.run([*words, "-keyout", key, "-out", cert], check=True, capture_output=True)
    return key, cert


@pytest.fixture
def context(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    """What the server encrypts with."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(certificate[1], certificate[0])
    return made


@pytest.fixture
def trusted(certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """On this machine somebody vouches for that certificate."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[1]))


class Door:
    """Who may send: the user, with the password; it keeps what was tried."""

    def __init__(self) -> None:
        self.tried: list[str] = []

    def __call__(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        """aiosmtpd asks here."""
        assert isinstance(data, LoginPassword)
        self.tried.append(data.password.decode())
        right = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=right, handled=False)


@pytest.fixture
def door() -> Door:
    """Lets the blog in."""
    return Door()


@pytest.fixture
def submission(context: ssl.SSLContext, door: Door) -> Iterator[MailServer]:
    """A server as providers run it on port 587: STARTTLS, then a sign-in, then letters."""
    options = {"tls_context": context, "require_starttls": True, "auth_required": True, "authenticator": door}
    with MailServer(ELSEWHERE, **options) as server:
        yield server


def sent(app: Flask) -> str:
    """What the command for a trial says."""
    return str(app.test_cli_runner().invoke(args=["mail", "test", "me@here.example"]).output)


def blog_of(make: Make, server: MailServer, scheme: str = "smtp", password: str = PASSWORD) -> Flask:
    quoted = password.replace("@", "%40").replace(":", "%3A")
    url = f"{scheme}://{USER}:{quoted}@{ELSEWHERE}:{server.port}?timeout=5"
    return make(smtp_url=url, mail_from="blog@blog.example")


@pytest.mark.usefixtures("trusted")
def test_a_letter_goes_encrypted_and_signed_in(make: Make, submission: MailServer, door: Door) -> None:
    assert "has taken it" in sent(blog_of(make, submission))
    assert [mail.to for mail in submission.mails] == [["me@here.example"]]
    assert (submission.encrypted, door.tried) == ([True], [PASSWORD])


@pytest.mark.usefixtures("trusted")
def test_a_server_that_speaks_nothing_but_tls_is_spoken_to_like_that(
    make: Make, context: ssl.SSLContext, door: Door
) -> None:
    options = {"ssl_context": context, "auth_required": True, "auth_require_tls": False}
    with MailServer(ELSEWHERE, **options, authenticator=door) as server:
        assert "has taken it" in sent(blog_of(make, server, "smtps"))
    assert (server.encrypted, door.tried) == ([True], [PASSWORD])


@pytest.mark.usefixtures("trusted")
def test_a_wrong_password_sends_nothing_and_is_not_shown(
    make: Make, submission: MailServer, door: Door
) -> None:
    said = sent(blog_of(make, submission, password="another word"))
    assert "cannot be used: SMTPAuthenticationError" in said
    assert "another word" not in said
    assert submission.mails == []


def test_a_server_that_nobody_vouches_for_gets_neither_the_password_nor_the_letter(
    make: Make, submission: MailServer, door: Door
) -> None:
    assert "cannot be used: SSLCertVerificationError" in sent(blog_of(make, submission))
    assert (submission.mails, door.tried) == ([], [])


def test_a_server_that_cannot_encrypt_gets_no_password(make: Make, door: Door) -> None:
    with MailServer(ELSEWHERE, auth_required=True, auth_require_tls=False, authenticator=door) as server:
        assert "cannot be used: SMTPNotSupportedError" in sent(blog_of(make, server))
    assert (server.mails, door.tried) == ([], [])
