"""One POST of a notice, and what its answer means: told, again later, or never."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import email.utils
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

import aiohttp
from yarl import URL

from collector.actions.guard import ForbiddenAddressError, GuardedResolver, LookUp, guarded_socket, look_up
from collector.actions.receiver import NotToldError
from collector.actions.words import plain

_MOST_REASON = 2048
"""Bytes of an answer's body that are read, of one that is no success."""
LONGEST_AFTER = 3600.0
"""Seconds that a server may make us wait at once."""
_AGAIN = frozenset((408, 425, 429))
"""Refusals of the moment and not of the notice."""
_LEAST_SECRET = 4
"""Characters: what is shorter is no secret, and would black out every second word."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What is posted."""

    url: str
    body: bytes
    headers: Mapping[str, str]


class Post:
    """Posts letters, each over a connection of its own to an address that was looked at. Follows no redirect, keeps no cookie."""

    def __init__(
        self,
        timeout: float,
        private: bool,
        secrets: Sequence[str] = (),
        look: LookUp = look_up,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        """`secrets` show in no error, nor does more of an address than its host. `trust`: certificates, if not the system's."""
        self._timeout = timeout
        self._private = private
        self._secrets = sorted({each for each in secrets if len(each) >= _LEAST_SECRET}, key=len, reverse=True)
        self._look, self._trust = look, trust
        self._session: aiohttp.ClientSession | None = None

    async def send(self, letter: Letter) -> None:
        """Raises `NotToldError` unless the answer is a success."""
        host = urlsplit(letter.url).hostname or "it"
        try:
            async with asyncio.timeout(self._timeout):
                await self._send(letter, host)
        except TimeoutError:
            raise NotToldError(f"{host} has not answered within {self._timeout:g} s") from None
        except aiohttp.ClientConnectorError as error:
            raise NotToldError(self._without_secrets(_unreachable(host, error), letter)) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            why = plain(getattr(error, "strerror", None) or str(error), 200) or type(error).__name__
            raise NotToldError(self._without_secrets(f"the connection to {host} broke: {why}", letter)) from None

    async def _send(self, letter: Letter, host: str) -> None:
        url = URL(letter.url)
        headers = dict(letter.headers)
        auth = _basic(letter.url)
        if auth is not None and "Authorization" not in headers:
            headers["Authorization"] = auth
        async with self._opened().post(
            url.with_user(None), data=letter.body, headers=headers, allow_redirects=False, ssl=self._trust or True
        ) as response:
            if 200 <= response.status < 300:
                return
            said = plain((await _start_of(response)).decode("utf-8", "replace"), 200)
            why = f"{host} answers {response.status}{': ' if said else ''}{said}"
            if 300 <= response.status < 400:
                raise NotToldError(f"{host} sends us elsewhere ({response.status}), and nothing is told to another address", True)
            if response.status in _AGAIN or response.status >= 500:
                after = retry_after(response.headers.get("Retry-After"), time.time())
                raise NotToldError(self._without_secrets(why, letter), False, after)
            raise NotToldError(self._without_secrets(why, letter), True)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                resolver=GuardedResolver(self._private, self._look),
                use_dns_cache=False,
                force_close=True,
                socket_factory=guarded_socket(self._private),
            )
            # The patience is that of `send`; nothing is read from the environment.
            timeout = aiohttp.ClientTimeout(total=None)
            self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), timeout=timeout)
        return self._session

    def _without_secrets(self, text: str, letter: Letter) -> str:
        parts = urlsplit(letter.url)
        shown = [
            *self._secrets,
            letter.url,
            parts.query,
            parts.path if len(parts.path) > 1 else "",
            unquote(parts.password or ""),
        ]
        for secret in shown:
            if len(secret) >= _LEAST_SECRET:
                for form in (secret, quote(secret, safe=""), unquote(secret)):
                    text = text.replace(form, "***")
        return text

    async def close(self) -> None:
        """Let go of connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None


def retry_after(value: str | None, now: float) -> float | None:
    """Seconds from `now`, of a Retry-After in seconds or as a date, an hour at most; None where it says nothing usable."""
    if value is None:
        return None
    value = value.strip()[:64]
    with contextlib.suppress(ValueError):
        return _bounded(float(value))
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        return _bounded(email.utils.parsedate_to_datetime(value).timestamp() - now)
    return None


def _bounded(seconds: float) -> float | None:
    return min(LONGEST_AFTER, max(0.0, seconds)) if seconds == seconds else None


def _basic(url: str) -> str | None:
    """Who the address says that we are, as a header."""
    parts = urlsplit(url)
    if parts.username is None and parts.password is None:
        return None
    said = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    return "Basic " + base64.b64encode(said.encode()).decode()


def _unreachable(host: str, error: aiohttp.ClientConnectorError) -> str:
    cause = error.os_error
    if isinstance(cause, ForbiddenAddressError):
        return f"{host} is not to be told: {cause}"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"{host} cannot be found: {cause.strerror or cause}"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"the certificate of {host} cannot be trusted: {plain(str(error.certificate_error), 200)}"
    return f"{host} cannot be reached: {plain(cause.strerror or str(cause), 200)}"


async def _start_of(response: aiohttp.ClientResponse) -> bytes:
    with contextlib.suppress(aiohttp.ClientError, OSError):  # the status says enough
        async with asyncio.timeout(1.0):
            return await response.content.read(_MOST_REASON)
    return b""
