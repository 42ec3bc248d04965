"""A letter and its way to the mail server: plain text, one recipient, no reader's words in a header.

The only module that speaks SMTP. It must not be called inside a transaction.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
import threading
from contextlib import suppress
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from types import TracebackType
from typing import Any

from blog.config import Settings, settings
from blog.db import utcnow
from blog.text import plain_line
from blog.values import is_loopback, mail_server, mailbox, sender

SUBJECT = 120  # characters
STEPS = 6  # how many times its timeout a letter may take as a whole

# A folded address in List-Unsubscribe would be encoded, and then no mail program finds it.
POLICY = SMTP.clone(max_line_length=900)

# Mail programs make links of these by themselves; what a stranger typed must not become one.
_LINK = re.compile(
    r"(?:[a-z][a-z0-9+.-]{0,20}:/|www\.|[\w-]+(?:[.@][\w-]+)*[.@][^\W\d_]{2})\S*", re.IGNORECASE
)


class Refused(Exception):
    """This one letter was not taken; `final`: asking again would not help. Its text has no address in it."""

    def __init__(self, why: str, final: bool) -> None:
        super().__init__(why)
        self.final = final


class Away(Exception):
    """The mail server cannot be used at the moment, for any letter."""


def sends() -> bool:
    """Whether this blog sends mail at all."""
    return bool(settings().smtp_url)


def letter(to: str, subject: str, body: str, unsubscribe: str = "") -> EmailMessage:
    """A letter to one address. Raises Refused when nothing can be sent there.

    `unsubscribe` is the address to which a mail program may POST to end such letters (RFC 8058).
    """
    here = settings()
    author = sender(here.mail_from, one_line(here.site_name, 60))
    made = EmailMessage(policy=POLICY)
    try:
        made["To"] = mailbox(to)
    except ValueError:
        raise Refused("no mail address", final=True) from None
    made["From"] = author
    made["Subject"] = one_line(subject, SUBJECT)
    made["Date"] = format_datetime(utcnow())
    made["Message-ID"] = make_msgid(domain=author.domain)
    # RFC 3834: no holiday notice answers, and no list takes it for a person's letter.
    made["Auto-Submitted"] = "auto-generated"
    if unsubscribe:
        made["List-Unsubscribe"] = f"<{unsubscribe}>"
        made["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    made.set_content(body, cte="quoted-printable")
    return made


def one_line(text: str, limit: int) -> str:
    """Text for a header: one line, and nothing that a mail program would decode into something else."""
    return plain_line(text, limit).replace("=?", "= ?")


def quoted(text: str, limit: int) -> str:
    """Words of a reader for a letter's body: one line, without anything that becomes a link."""
    return _LINK.sub("[link]", plain_line(text, limit))


class Postman:
    """One conversation with the mail server, begun with the first letter."""

    def __init__(self, here: Settings) -> None:
        self._server = mail_server(here.smtp_url)
        self._author = sender(here.mail_from, "")
        self._client: smtplib.SMTP | None = None

    def __enter__(self) -> Postman:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client is not None:
            # The letters are delivered, and whatever the server says to a goodbye changes nothing.
            with suppress(OSError, smtplib.SMTPException):
                self._client.quit()
            self._client.close()

    def send(self, message: EmailMessage) -> None:
        """Hand one letter over. Raises Refused or Away; otherwise the server has taken it."""
        client = self._client or self._prepared()
        watch = self._watch(client)
        try:
            # Who gets it is never read from a header.
            client.send_message(message, self._author.addr_spec, [message["To"].addresses[0].addr_spec])
        except smtplib.SMTPRecipientsRefused as error:
            code = next(iter(error.recipients.values()))[0]
            raise _judged("the recipient", code) from None
        except smtplib.SMTPDataError as error:
            raise _judged("the letter", error.smtp_code) from None
        except smtplib.SMTPNotSupportedError:
            raise Refused("the server takes no international addresses", final=True) from None
        except (OSError, smtplib.SMTPException) as error:
            # The class only: a server's words may quote addresses.
            raise Away(type(error).__name__) from None
        finally:
            watch.cancel()

    def _prepared(self) -> smtplib.SMTP:
        server = self._server
        options: dict[str, Any] = {"timeout": server.timeout, "local_hostname": self._author.domain}
        context = ssl.create_default_context() if server.tls else None
        client = smtplib.SMTP_SSL(context=context, **options) if context else smtplib.SMTP(**options)
        # The name in the certificate is checked against this; connect() alone would not set it.
        client._host = server.host  # type: ignore[attr-defined]
        watch = self._watch(client)
        try:
            client.connect(server.host, server.port)
            client.ehlo_or_helo_if_needed()
            self._secure_and_sign_in(client)
        except (OSError, smtplib.SMTPException) as error:
            client.close()
            raise Away(type(error).__name__) from None
        finally:
            watch.cancel()
        self._client = client
        return client

    def _secure_and_sign_in(self, client: smtplib.SMTP) -> None:
        server = self._server
        private = server.tls or is_loopback(server.host)
        if not private and client.has_extn("starttls"):
            client.starttls(context=ssl.create_default_context())
            client.ehlo()
            private = True
        if server.user:
            if not private:
                raise smtplib.SMTPNotSupportedError("the password would travel unencrypted")
            client.login(server.user, server.password)

    def _watch(self, client: smtplib.SMTP) -> threading.Timer:
        """Hang up after a while: a socket's timeout begins anew with every byte that trickles in."""

        def hang_up() -> None:
            if client.sock is not None:
                with suppress(OSError):
                    client.sock.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(STEPS * self._server.timeout, hang_up)
        timer.daemon = True
        timer.start()
        return timer


def _judged(what: str, code: int) -> Refused | Away:
    """A refusal by its code; 421 is the server saying goodbye altogether."""
    if code == 421:
        return Away("421")
    return Refused(f"the server refused {what} ({code})", final=code >= 500)
