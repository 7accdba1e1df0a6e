"""One HTTP request for an exposition: negotiated, bounded, and never sending credentials to another host."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urljoin, urlsplit

from collector.decompress import ENCODINGS

if TYPE_CHECKING:
    import aiohttp

MAX_REDIRECTS = 5
_TEXT = "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
_OPENMETRICS = f"application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,{_TEXT}"
_READ = 64 * 1024


class FetchError(Exception):
    """The target did not give an exposition; the message is for the user."""


class Answer(NamedTuple):
    """An answer as it came: still encoded."""

    body: bytes
    encoding: str
    openmetrics: bool


async def fetch(session: aiohttp.ClientSession, url: str, *, patience: float, limit: int, openmetrics: bool) -> Answer:
    """Get `url`. `patience` tells the target how many seconds the caller waits (the caller ends the request itself), `limit`
    bounds the bytes on the wire; `openmetrics` says whether to ask for it.

    Raises `FetchError`, `aiohttp.ClientError` or OSError.
    """
    import aiohttp

    headers = {
        "Accept": _OPENMETRICS if openmetrics else _TEXT,
        "Accept-Encoding": ", ".join(ENCODINGS),
        "User-Agent": "Lightship",
        "X-Prometheus-Scrape-Timeout-Seconds": f"{patience:g}",
    }
    has_credentials = "@" in urlsplit(url).netloc
    origin = _origin(url)
    for _ in range(MAX_REDIRECTS + 1):
        async with session.get(
            url, headers=headers, allow_redirects=False, timeout=aiohttp.ClientTimeout(total=None)
        ) as response:
            location = response.headers.get("Location")
            if response.status not in (301, 302, 303, 307, 308) or location is None:
                return await _read(response, limit)
            target = _redirected(url, location)
        if _origin(target) != origin and has_credentials:
            raise FetchError(
                f"redirects to {urlsplit(target).hostname}; credentials are not sent to another host: set the new url"
            )
        url = _with_credentials(target, url) if has_credentials else target
    raise FetchError(f"redirects more than {MAX_REDIRECTS} times")


def _redirected(url: str, location: str) -> str:
    try:
        target = urljoin(url, location)
        usable = urlsplit(target).scheme in ("http", "https") and _origin(target)[1] is not None
    except ValueError:
        usable = False
    if not usable:
        raise FetchError("redirects to something that is no HTTP address")
    return target


async def _read(response: aiohttp.ClientResponse, limit: int) -> Answer:
    if response.status != 200:
        raise FetchError(f"answers with status {response.status} {(response.reason or '')[:60]}".rstrip())
    body = bytearray()
    async for chunk in response.content.iter_chunked(_READ):
        body += chunk
        if len(body) > limit:
            raise FetchError(f"answers with more than {limit} bytes")
    return Answer(
        bytes(body), response.headers.get("Content-Encoding", ""), _is_openmetrics(response.headers.get("Content-Type"))
    )


def _is_openmetrics(content_type: str | None) -> bool:
    """The format of an answer. No type or a vague one is read as text 0.0.4; a page or JSON is a mistake worth saying."""
    kind = (content_type or "").partition(";")[0].strip().lower()
    if kind == "application/openmetrics-text":
        return True
    if kind in ("text/html", "application/xhtml+xml"):
        raise FetchError("answers with a web page; metrics usually stand under /metrics")
    if kind not in ("", "text/plain", "application/octet-stream"):
        raise FetchError(f"answers with {kind[:60]!r}, which is no exposition")
    return False


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _with_credentials(target: str, url: str) -> str:
    # Only called within one origin: a relative redirect keeps who asks.
    parts = urlsplit(target)
    user = urlsplit(url).netloc.rpartition("@")[0]
    return parts._replace(netloc=f"{user}@{parts.netloc.rpartition('@')[2]}").geturl()
