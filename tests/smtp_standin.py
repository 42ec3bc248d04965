"""A mail server on this machine that keeps what it is given; it can refuse, be slow, or be away."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from types import TracebackType
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class Got:
    """One delivered mail: the recipients of the envelope, the message, and its bytes as text."""

    to: list[str]
    message: EmailMessage
    raw: str

    @property
    def words(self) -> str:
        """The text, decoded."""
        return str(self.message.get_content())


class MailServer:
    """Play it as a context; `address` is for BLOG_SMTP_URL."""

    def __init__(self, hostname: str = "127.0.0.1", **options: Any) -> None:
        """`options` are aiosmtpd's own, for encryption and sign-in."""
        self.hostname, self.options = hostname, options
        self.mails: list[Got] = []
        self.encrypted: list[bool] = []  # for each letter, whether it came over TLS
        self.refused: dict[str, str] = {}  # recipient: answer
        self.delay = 0.0  # seconds before each letter is taken
        self._controller: Controller | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    @property
    def address(self) -> str:
        """Where it listens, as the setting has it."""
        return f"smtp://127.0.0.1:{self.port}"

    def __enter__(self) -> MailServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Listen."""
        self._controller = Controller(self, hostname=self.hostname, port=self.port, **self.options)
        self._controller.start()

    def stop(self) -> None:
        """Be away."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def to(self, address: str) -> list[Got]:
        """What this address got."""
        return [mail for mail in self.mails if mail.to == [address]]

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[Any]
    ) -> str:
        """Take the recipient, or say what the test wants."""
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep the message."""
        await asyncio.sleep(self.delay)
        message_bytes = bytes(envelope.content or b"").replace(b"\r\n", b"\n")
        message = message_from_bytes(message_bytes, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.encrypted.append(session.ssl is not None or "ssl_context" in self.options)
        self.mails.append(Got(list(envelope.rcpt_tos), message, message_bytes.decode()))
        return "250 OK"
