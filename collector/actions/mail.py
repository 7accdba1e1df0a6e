"""Receivers by e-mail: SMTP (RFC 5321) with TLS from the start or by STARTTLS (RFC 3207), in a thread that can be cut short."""

from __future__ import annotations

import asyncio
import contextlib
import smtplib
import socket
import ssl
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.headerregistry import Address as Mailbox
from email.message import EmailMessage
from pathlib import Path
from typing import Literal

from collector.actions.letter import compose
from collector.actions.receiver import NotToldError
from collector.actions.words import plain
from monitor.alerting.notice import Notice
from monitor.settings.address import Address

TLS = Literal["required", "offered", "off"]
IMPLICIT_TLS_PORT = 465
_MOST_REMEMBERED = 1_000


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed in. `password_file` is read at each attempt, so that a new password needs no restart."""

    address: Address
    tls: TLS = "required"
    user: str = ""
    password: str = field(default="", repr=False)
    password_file: str = ""

    def secret(self) -> str:
        """The password. Raises `NotToldError`."""
        if not self.password_file:
            return self.password
        try:
            return Path(self.password_file).expanduser().read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError):
            raise NotToldError(f"the password in {self.password_file} cannot be read") from None


class Mail:
    """Implements `Receiver`: one mail a notice, to all at once."""

    def __init__(
        self,
        server: MailServer,
        sender: Mailbox,
        to: Sequence[Mailbox],
        timeout: float,
        template: str = "",
        trust: ssl.SSLContext | None = None,
    ) -> None:
        """`trust`: other certificates than the system's."""
        self._server, self._sender, self._to = server, sender, tuple(to)
        self._timeout, self._template, self._trust = timeout, template, trust
        self._had: dict[str, set[str]] = {}
        """By a notice's key, who has it already while the server puts others off."""

    async def tell(self, notice: Notice) -> str | None:
        """See `Receiver`; what it returns names those whom the server refused for good."""
        had = self._had.get(notice.key, set())
        left = [each.addr_spec for each in self._to if each.addr_spec not in had]
        mail = compose(notice, self._sender, self._to, self._template)
        handing = _HandingIn(self._server, self._trust, self._timeout)
        try:
            async with asyncio.timeout(self._timeout):
                refused = await asyncio.to_thread(handing.hand_in, mail, self._sender.addr_spec, left)
        except TimeoutError:
            raise NotToldError(f"{self._server.address} has not taken the mail within {self._timeout:g} s") from None
        finally:
            handing.cut_short()
        put_off = {who: why for who, (code, why) in refused.items() if code < 500}
        for_good = {who: why for who, (code, why) in refused.items() if code >= 500}
        if put_off:
            self._remember(notice.key, had | (set(left) - set(put_off)))
            raise NotToldError(f"{self._server.address} puts off {_names(put_off)}")
        self._had.pop(notice.key, None)
        if len(for_good) == len(self._to):
            raise NotToldError(f"{self._server.address} refuses {_names(for_good)}", True)
        return f"{self._server.address} refuses {_names(for_good)}; the others have the mail" if for_good else None

    def _remember(self, key: str, had: set[str]) -> None:
        self._had[key] = had
        while len(self._had) > _MOST_REMEMBERED:
            self._had.pop(next(iter(self._had)))

    async def close(self) -> None:
        """See `Receiver`; a connection lasts one mail."""


class _HandingIn:
    """One attempt, in a thread of its own; `cut_short` from outside ends whatever it waits for."""

    def __init__(self, server: MailServer, trust: ssl.SSLContext | None, timeout: float) -> None:
        self._server, self._trust, self._timeout = server, trust, timeout
        self._lock = threading.Lock()
        self._smtp: smtplib.SMTP | None = None
        self._over = False

    def hand_in(self, mail: EmailMessage, sender: str, to: Sequence[str]) -> dict[str, tuple[int, str]]:
        """Code and words of each recipient the server did not take. Raises `NotToldError`."""
        where = self._server.address
        secret = self._server.secret() if self._server.user else ""
        try:
            with contextlib.closing(self._connected()) as smtp:
                self._log_in(smtp, secret)
                refused = smtp.send_message(mail, sender, list(to))
                with contextlib.suppress(smtplib.SMTPException, OSError):  # it has the mail, however it says goodbye
                    smtp.quit()
                return {who: (code, _words(why)) for who, (code, why) in refused.items()}
        except smtplib.SMTPRecipientsRefused as error:
            return {who: (code, _words(why)) for who, (code, why) in error.recipients.items()}
        except smtplib.SMTPAuthenticationError as error:
            # The notice is not at fault: it waits for a better password.
            raise NotToldError(f"{where} refuses the name and password ({error.smtp_code})") from None
        except smtplib.SMTPNotSupportedError as error:
            raise NotToldError(f"{where} cannot take the mail: {plain(str(error), 200)}") from None
        except smtplib.SMTPResponseException as error:
            why = f"{where} answers {error.smtp_code}: {_words(error.smtp_error)}"
            raise NotToldError(_without(secret, why), error.smtp_code >= 500) from None
        except ssl.SSLCertVerificationError as error:
            raise NotToldError(f"the certificate of {where} cannot be trusted: {plain(error.verify_message, 200)}") from None
        except smtplib.SMTPServerDisconnected:
            raise NotToldError(f"{where} hung up") from None
        except (smtplib.SMTPException, OSError, ValueError) as error:
            why = plain(getattr(error, "strerror", None) or str(error), 200) or type(error).__name__
            raise NotToldError(_without(secret, f"{where} cannot be told: {why}")) from None

    def _connected(self) -> smtplib.SMTP:
        server, context = self._server, self._trust or ssl.create_default_context()
        implicit = server.address.port == IMPLICIT_TLS_PORT and server.tls != "off"
        smtp = smtplib.SMTP_SSL(timeout=self._timeout, context=context) if implicit else smtplib.SMTP(timeout=self._timeout)
        smtp._host = server.address.host  # type: ignore[attr-defined]  # whom a certificate must name; only the constructor sets it
        with self._lock:
            if self._over:
                raise NotToldError("the time for it was over")
            self._smtp = smtp
        try:
            code, said = smtp.connect(server.address.host, server.address.port)
            if code != 220:
                raise smtplib.SMTPConnectError(code, said)
            smtp.ehlo_or_helo_if_needed()
            if not implicit and server.tls != "off":
                self._begin_tls(smtp, context)
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _begin_tls(self, smtp: smtplib.SMTP, context: ssl.SSLContext) -> None:
        if smtp.has_extn("starttls"):
            code, said = smtp.starttls(context=context)
            if code != 220:
                raise smtplib.SMTPResponseException(code, said)
            smtp.ehlo()
        elif self._server.tls == "required":
            raise NotToldError(f'{self._server.address} offers no TLS; write tls = "off" if the way there is safe')

    def _log_in(self, smtp: smtplib.SMTP, secret: str) -> None:
        if not self._server.user:
            return
        if self._server.tls != "off" and not isinstance(smtp.sock, ssl.SSLSocket):
            raise NotToldError(f"{self._server.address} offers no TLS, and the password is not sent for everybody to read")
        smtp.login(self._server.user, secret)

    def cut_short(self) -> None:
        """Whatever the thread waits for ends now."""
        with self._lock:
            self._over = True
            sock = self._smtp.sock if self._smtp is not None else None
        if isinstance(sock, socket.socket):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


def _words(said: bytes | str) -> str:
    return plain(said.decode("utf-8", "replace") if isinstance(said, bytes) else said, 200)


def _without(secret: str, text: str) -> str:
    return text.replace(secret, "***") if len(secret) >= 4 else text


def _names(refused: dict[str, str]) -> str:
    return plain(", ".join(f"{who} ({why})" for who, why in refused.items()), 400)
