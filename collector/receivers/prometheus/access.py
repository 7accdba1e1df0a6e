"""With what a job asks its targets: credentials and TLS, read anew from their files, and never shown."""

from __future__ import annotations

import asyncio
import base64
import ssl
from dataclasses import dataclass, field
from pathlib import Path

_MOST_SECRET = 16 * 1024


class AccessError(Exception):
    """A credential or certificate cannot be used; the message names the setting or file, never what is in it."""


@dataclass(frozen=True, slots=True)
class Access:
    """Basic authentication or a bearer token, each given or read from a file, and what TLS trusts and shows."""

    user: str = ""
    password: str = field(default="", repr=False)
    password_file: str = ""
    bearer_token: str = field(default="", repr=False)
    bearer_token_file: str = ""
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    server_name: str = ""
    insecure_skip_verify: bool = False

    def __post_init__(self) -> None:
        if (self.user or self.password or self.password_file) and (self.bearer_token or self.bearer_token_file):
            raise ValueError("set a user or a bearer token, not both: there is one Authorization header")
        if (self.password and self.password_file) or (self.bearer_token and self.bearer_token_file):
            raise ValueError("set a secret or the file that holds it, not both")
        if self.key_file and not self.cert_file:
            raise ValueError("key_file needs cert_file: the certificate that the key belongs to")

    @property
    def is_secret(self) -> bool:
        """Whether a request carries something that must not go to another host."""
        return bool(
            self.user or self.password or self.password_file or self.bearer_token or self.bearer_token_file or self.cert_file
        )


class Client:
    """Makes headers and TLS contexts of an `Access`; files are read again when they change."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self._tls: ssl.SSLContext | None = None
        self._tls_files: tuple[int, ...] = ()

    async def headers(self) -> dict[str, str]:
        """The Authorization header, or none. Raises `AccessError`."""
        access = self.access
        if access.bearer_token or access.bearer_token_file:
            token = access.bearer_token or await _secret_in(access.bearer_token_file)
            if not token.isascii() or not token.isprintable() or not token.strip():
                raise AccessError(f"{access.bearer_token_file or 'bearer_token'} holds no token of visible ASCII")
            return {"Authorization": f"Bearer {token}"}
        if access.user or access.password or access.password_file:
            password = access.password or (await _secret_in(access.password_file) if access.password_file else "")
            return {"Authorization": "Basic " + base64.b64encode(f"{access.user}:{password}".encode()).decode()}
        return {}

    async def tls(self) -> ssl.SSLContext | bool:
        """The context for https; True is the system's trust. Raises `AccessError`."""
        access = self.access
        files = [name for name in (access.ca_file, access.cert_file, access.key_file) if name]
        if not files and not access.insecure_skip_verify:
            return True
        try:
            changed = await asyncio.to_thread(_changed, files)
            if self._tls is None or changed != self._tls_files:
                self._tls, self._tls_files = await asyncio.to_thread(_context, access), changed
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
            named = [name for name in files if isinstance(error, OSError) and error.filename == name] or files
            raise AccessError(f"the certificates in {' and '.join(named)} cannot be used: {reason}") from None
        return self._tls


def _changed(files: list[str]) -> tuple[int, ...]:
    return tuple(Path(name).stat().st_mtime_ns for name in files)


def _context(access: Access) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=access.ca_file or None)
    if access.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if access.cert_file:
        # No key of ours waits for somebody to type its password.
        context.load_cert_chain(access.cert_file, access.key_file or None, password=lambda: "")
    return context


async def _secret_in(name: str) -> str:
    def read() -> str:
        with Path(name).open("rb") as file:
            return file.read(_MOST_SECRET).decode().strip()

    try:
        return await asyncio.to_thread(read)
    except OSError as error:
        raise AccessError(f"the secret in {name} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise AccessError(f"the secret in {name} is no text") from None
