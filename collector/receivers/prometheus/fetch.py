"""One HTTP request for an exposition: negotiated, bounded, and never sending credentials to another host."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urljoin, urlsplit

from collector.decompress import ENCODINGS
from collector.receivers.prometheus.access import Client

if TYPE_CHECKING:
    import aiohttp

MAX_REDIRECTS = 5
_TEXT = "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.1"
_OPENMETRICS = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.8,application/openmetrics-text;version=1.0.0;q=0.7,"
    "application/openmetrics-text;version=0.0.1;q=0.6"
)
_PROTOBUF = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
_READ = 64 * 1024


class FetchError(Exception):
    """The target did not give an exposition; the message is for the user."""


class Format(Enum):
    """What an exposition is written in."""

    TEXT = "text/plain"
    OPENMETRICS = "application/openmetrics-text"
    PROTOBUF = "application/vnd.google.protobuf"


class Answer(NamedTuple):
    """An answer as it came: still encoded."""

    body: bytes
    encoding: str
    format: Format


def accepted(openmetrics: bool, protobuf: bool) -> str:
    """The Accept header: protobuf before OpenMetrics before text, as far as they are wanted."""
    return ",".join(kind for kind, wanted in ((_PROTOBUF, protobuf), (_OPENMETRICS, openmetrics), (_TEXT, True)) if wanted)


async def fetch(session: aiohttp.ClientSession, url: str, client: Client, *, accept: str, patience: float, limit: int) -> Answer:
    """Get `url`, which holds no credentials: those are the client's. `patience` tells the target how many seconds the caller
    waits (the caller ends the request itself), `limit` bounds the bytes on the wire.

    Raises `FetchError`, `AccessError`, `aiohttp.ClientError` or OSError.
    """
    headers = {"Accept": accept, "X-Prometheus-Scrape-Timeout-Seconds": f"{patience:g}"}
    response = await get(session, url, client, headers)
    try:
        return await _read(response, limit)
    finally:
        response.release()


async def get(session: aiohttp.ClientSession, url: str, client: Client, headers: dict[str, str]) -> aiohttp.ClientResponse:
    """The first answer that is no redirect, its body not read: the caller releases it. Raises as `fetch`."""
    import aiohttp

    headers = {"Accept-Encoding": ", ".join(ENCODINGS), "User-Agent": "Lightship", **headers, **await client.headers()}
    tls = await client.tls()
    origin, name = _origin(url), client.access.server_name
    for _ in range(MAX_REDIRECTS + 1):
        response = await session.get(
            url,
            headers=headers,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=None),
            ssl=tls,
            server_hostname=name if name and url.startswith("https:") and _origin(url) == origin else None,
        )
        location = response.headers.get("Location")
        if response.status not in (301, 302, 303, 307, 308) or location is None:
            return response
        response.release()
        url = _redirected(url, location)
        if _origin(url) != origin and client.access.is_secret:
            raise FetchError(f"redirects to {urlsplit(url).hostname}; credentials are not sent to another host: set the new url")
    raise FetchError(f"redirects more than {MAX_REDIRECTS} times")


def _redirected(url: str, location: str) -> str:
    try:
        target = urljoin(url, location)
        usable = urlsplit(target).scheme in ("http", "https") and _origin(target)[1] is not None
    except ValueError:
        usable = False
    if not usable:
        raise FetchError("redirects to something that is no HTTP address")
    # Who a redirect says that we are is nobody's business.
    parts = urlsplit(target)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


async def _read(response: aiohttp.ClientResponse, limit: int) -> Answer:
    if response.status != 200:
        raise FetchError(f"answers with status {response.status} {(response.reason or '')[:60]}".rstrip())
    body = bytearray()
    async for chunk in response.content.iter_chunked(_READ):
        body += chunk
        if len(body) > limit:
            raise FetchError(f"answers with more than {limit} bytes")
    return Answer(bytes(body), response.headers.get("Content-Encoding", ""), _format(response.headers.get("Content-Type")))


def _format(content_type: str | None) -> Format:
    """The format of an answer. No type or a vague one is read as text 0.0.4; a page or JSON is a mistake worth saying."""
    kind, _, parameters = (content_type or "").lower().partition(";")
    kind = kind.strip()
    if kind == Format.OPENMETRICS.value:
        return Format.OPENMETRICS
    if kind == Format.PROTOBUF.value:
        given = dict(pair.strip().partition("=")[::2] for pair in parameters.split(";"))
        if given.get("encoding", "delimited").strip('"') != "delimited":
            raise FetchError("answers with protobuf in another encoding than delimited")
        return Format.PROTOBUF
    if kind in ("text/html", "application/xhtml+xml"):
        raise FetchError("answers with a web page; metrics usually stand under /metrics")
    if kind not in ("", "text/plain", "application/octet-stream"):
        raise FetchError(f"answers with {kind[:60]!r}, which is no exposition")
    return Format.TEXT


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
