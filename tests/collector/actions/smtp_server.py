"""A mail server for tests: STARTTLS or TLS from the start, AUTH PLAIN and LOGIN, and answers as a test scripts them."""

from __future__ import annotations

import asyncio
import base64
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from tests.collector.actions.listening import listening
from tests.peers import need


@dataclass
class Delivered:
    """One mail that was taken."""

    sender: str
    to: list[str]
    raw: bytes
    encrypted: bool
    user: str

    @property
    def mail(self) -> EmailMessage:
        found = message_from_bytes(self.raw, policy=policy.default)
        assert isinstance(found, EmailMessage)
        return found


@dataclass
class MailHost:
    """`refused`: answers to recipients by their address, to "DATA", "." and "MAIL", each taken once where it ends with a "!"."""

    trust: ssl.SSLContext | None = None
    starttls: bool = True
    password: str = ""
    refused: dict[str, str] = field(default_factory=dict)
    silent: bool = False
    port: int = 0
    delivered: list[Delivered] = field(default_factory=list)
    attempts: int = 0

    def _said(self, what: str) -> str:
        said = self.refused.get(what, "")
        if said.endswith("!"):
            del self.refused[what]
        return said.rstrip("!")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.attempts += 1
        sender, to, user = "", list[str](), ""
        encrypted = writer.get_extra_info("ssl_object") is not None

        async def say(*lines: str) -> None:
            writer.write("".join(f"{line}\r\n" for line in lines).encode())
            await writer.drain()

        if self.silent:
            for _ in range(1000):
                await say("220-wait")
                await asyncio.sleep(0.02)
        await say("220 test")
        while line := (await reader.readline()).decode().strip():
            verb, _, rest = line.partition(" ")
            verb = verb.upper()
            if verb == "EHLO":
                offers = ["STARTTLS"] if self.starttls and not encrypted else []
                offers += ["AUTH PLAIN LOGIN"] if self.password else []
                offers += ["8BITMIME"]
                await say(*(f"250-{each}" for each in ["test", *offers]), "250 SIZE 10000000")
            elif verb == "STARTTLS":
                assert self.trust is not None
                await say("220 go")
                await writer.start_tls(self.trust)
                encrypted = True
            elif verb == "AUTH":
                _, name, secret = base64.b64decode(rest.split()[-1]).decode().split("\0")
                user = name if secret == self.password else ""
                await say("235 in" if user else f"535 not {secret}")
            elif verb == "MAIL":
                sender = rest.partition("<")[2].partition(">")[0]
                await say(self._said("MAIL") or "250 ok")
            elif verb == "RCPT":
                who = rest.partition("<")[2].partition(">")[0]
                said = self._said(who) or "250 ok"
                to += [who] if said.startswith("250") else []
                await say(said)
            elif verb == "DATA":
                await say("354 go")
                raw = b"".join([piece async for piece in _until_dot(reader)])
                said = self._said(".") or "250 taken"
                if said.startswith("250"):
                    self.delivered.append(Delivered(sender, to, raw, encrypted, user))
                await say(said)
            elif verb == "QUIT":
                await say("421 not you")  # a mail that was taken stays taken
                await reader.read()
                return
            else:
                to = []
                await say("250 ok")


async def _until_dot(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while (line := await reader.readline()) not in (b".\r\n", b""):
        yield line[1:] if line.startswith(b".") else line


@asynccontextmanager
async def mail_host(certificate: Path | None = None, implicit: bool = False, **more: object) -> AsyncIterator[MailHost]:
    """It runs until the end. `certificate`: folder of `make_certificate`."""
    host = MailHost(starttls=certificate is not None and not implicit)
    for name, value in more.items():
        setattr(host, name, value)
    if certificate is not None:
        host.trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        host.trust.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    async with listening(host.serve, host.trust if implicit else None) as port:
        host.port = port
        yield host


def make_certificate(folder: Path) -> Path:
    """A certificate of 127.0.0.1 that only `cert.pem` vouches for."""
    command = [need("openssl", "openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem"), "-days", "2", "-subj", "/CN=test"]
    subprocess.run([*command, "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True, timeout=20)
    return folder


def trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate / "cert.pem"))
