"""Discovery over HTTP: an address that answers with groups of targets as JSON."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from collector.decompress import DecompressionError, decompress
from collector.receivers.prometheus.access import Access, AccessError, Client
from collector.receivers.prometheus.discovery import DiscoveryError, Group, groups_of
from collector.receivers.prometheus.fetch import FetchError, get
from collector.receivers.prometheus.target import Policy, ScrapeTarget

if TYPE_CHECKING:
    import aiohttp

MOST_BYTES = 16 << 20
_PATIENCE = 30.0


class HttpDiscovery:
    """The targets that one address tells. When it fails, those it told last stay.

    `access` are its credentials and what it is trusted by; those in its own address go before them.
    """

    def __init__(self, url: str, access: Access, refresh: float) -> None:
        whole = ScrapeTarget(url, policy=Policy(access=access))
        self.shown = whole.shown_url
        self._client = Client(whole.access)
        self._refresh = refresh
        self._found: list[Group] = []
        self._problem = ""

    def problems(self) -> list[str]:
        """A sentence about what is wrong, if anything is."""
        return [f"targets from {self.shown}: {self._problem}"] if self._problem else []

    def groups(self) -> list[Group]:
        """What it told last."""
        return self._found

    async def look(self, session: aiohttp.ClientSession) -> bool:
        """Ask it; whether there is anything new."""
        import aiohttp

        try:
            async with asyncio.timeout(_PATIENCE):
                found = await self._ask(session)
        except TimeoutError:
            self._problem = f"no complete answer within {_PATIENCE:g} s"
            return False
        except (AccessError, FetchError, DiscoveryError, DecompressionError, aiohttp.ClientError, OSError, ValueError) as error:
            self._problem = (str(error) or type(error).__name__)[:300]
            return False
        self._problem = ""
        changed = found != self._found
        self._found = found
        return changed

    async def _ask(self, session: aiohttp.ClientSession) -> list[Group]:
        headers = {"Accept": "application/json", "X-Prometheus-Refresh-Interval-Seconds": f"{self._refresh:g}"}
        response = await get(session, self.shown, self._client, headers)
        try:
            if response.status != 200:
                raise FetchError(f"answers with status {response.status}")
            kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
            if kind != "application/json":
                raise FetchError(f"answers with {kind[:60]!r}; application/json is expected")
            body = bytearray()
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise FetchError(f"answers with more than {MOST_BYTES} bytes")
            encoding = response.headers.get("Content-Encoding", "")
        finally:
            response.release()
        return await asyncio.to_thread(self._read, bytes(body), encoding)

    def _read(self, body: bytes, encoding: str) -> list[Group]:
        try:
            found = json.loads(decompress(body, encoding, MOST_BYTES))
        except (ValueError, RecursionError) as error:
            raise DiscoveryError(f"its answer is no JSON: {str(error)[:200] or type(error).__name__}") from None
        return groups_of(found, {"__meta_url": urlsplit(self.shown)._replace(query="").geturl()})
