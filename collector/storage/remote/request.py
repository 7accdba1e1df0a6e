"""One request of remote write and what its answer means.

Sources: prometheus.io, "Prometheus Remote-Write 1.0" (sections Protocol, Retries & Backoff) and "2.0" (Content-Type, Written
headers, Partial Write).
"""

from __future__ import annotations

import contextlib
import email.utils
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple
from urllib.parse import urljoin, urlsplit

from collector.storage.remote.target import RemoteTarget, bare, same_origin

if TYPE_CHECKING:
    import aiohttp

Version = Literal["1.0", "2.0"]
_HEADERS: dict[Version, dict[str, str]] = {
    "1.0": {"Content-Type": "application/x-protobuf", "X-Prometheus-Remote-Write-Version": "0.1.0"},
    "2.0": {
        "Content-Type": "application/x-protobuf;proto=io.prometheus.write.v2.Request",
        "X-Prometheus-Remote-Write-Version": "2.0.0",
    },
}
_WRITTEN = ("X-Prometheus-Remote-Write-Samples-Written", "X-Prometheus-Remote-Write-Histograms-Written")
_MOST_REASON = 4096
"""Bytes of an error's body that are read."""
_MAX_REDIRECTS = 3
_LONGEST_WAIT = 300.0
"""Seconds that a receiver may make us wait at once."""
_OTHER_VERSION = re.compile(
    rb"content.?type|remote.?write.{0,40}version|(unsupported|unknown|not supported).{0,60}proto"
    rb"|proto.{0,60}(unsupported|unknown|not supported)",
    re.IGNORECASE,
)
"""What a status 400 says that means the version of remote write and not the samples."""


class Reply(NamedTuple):
    """`kind`: `done`, `refused` (for good), `again` (later), or `older` (it does not know this version). `written`: samples it
    says it has taken, None where it does not say; `rejected`: how many it says it has not. `wait`: seconds it asks for.
    """

    kind: Literal["done", "refused", "again", "older"]
    written: int | None = None
    reason: str = ""
    wait: float | None = None
    rejected: int = 0


class Answered(NamedTuple):
    """What a server said: `body` is its first few kilobytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes


async def send(
    session: aiohttp.ClientSession, target: RemoteTarget, body: bytes, version: Version, *, patience: float, now: float
) -> Reply:
    """Posts one request and waits `patience` seconds at most. `now`: seconds since the epoch, for a Retry-After that is a date.
    What the network does is in the reply, not raised.
    """
    headers = {**target.all_headers(target.write_url), **_HEADERS[version], "Content-Encoding": "snappy"}
    answered = await post(session, target.write_url, headers, body, patience=patience)
    return answered if isinstance(answered, Reply) else _reply(answered.status, answered.headers, answered.body, version, now)


async def post(
    session: aiohttp.ClientSession,
    address: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    patience: float,
    method: str = "POST",
) -> Answered | Reply:
    """What the server answered, redirects on the same host followed; a reply to try again where it did not answer."""
    import aiohttp

    url = bare(address)
    limit = aiohttp.ClientTimeout(total=patience)
    try:
        for _ in range(_MAX_REDIRECTS + 1):
            async with session.request(method, url, data=body, headers=headers, allow_redirects=False, timeout=limit) as response:
                location = response.headers.get("Location")
                if response.status not in (301, 302, 303, 307, 308) or location is None:
                    return Answered(response.status, response.headers, await _start_of(response))
                following = urljoin(url, location)
                if not same_origin(url, following):
                    host = plain(urlsplit(following).hostname or "another host")
                    return Reply("again", reason=f"it redirects to {host}; nothing is sent to another host: set the new address")
                url = following
        return Reply("again", reason=f"it redirects more than {_MAX_REDIRECTS} times")
    except TimeoutError:
        return Reply("again", reason=f"no answer within {patience:g} s")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return Reply("again", reason=plain(str(error)) or type(error).__name__)


def settled(answered: Answered, now: float) -> Reply:
    """What a status means by itself: 2xx done, 429 and 5xx again after what Retry-After asks for, everything else refused."""
    reason = plain(answered.body.decode("utf-8", "replace"))
    reason = f"status {answered.status}: {reason}" if reason else f"status {answered.status}"
    if 200 <= answered.status < 300:
        return Reply("done")
    if answered.status == 429 or answered.status >= 500:
        return Reply("again", None, reason, retry_after(answered.headers.get("Retry-After"), now))
    return Reply("refused", None, reason)


async def _start_of(response: aiohttp.ClientResponse) -> bytes:
    with contextlib.suppress(Exception):  # the status says enough
        return await response.content.read(_MOST_REASON)
    return b""


def _reply(status: int, headers: Mapping[str, str], body: bytes, version: Version, now: float) -> Reply:
    told = [headers.get(name) for name in _WRITTEN]
    written = None if all(each is None for each in told) else sum(int(e) for e in told if e is not None and e[:18].isdecimal())
    reason = plain(body.decode("utf-8", "replace"))
    reason = f"status {status}: {reason}" if reason else f"status {status}"
    if 200 <= status < 300:
        if version == "2.0" and written is None:
            # A receiver of 1.0 finds nothing it knows in such a request and says that all is well (2.0, "Required Written
            # Response Headers").
            return Reply("older", None, "it does not say how many samples it has written")
        return Reply("done", written)
    if version == "2.0" and (status == 415 or (status == 400 and written is None and _OTHER_VERSION.search(body))):
        return Reply("older", written, reason)
    if status == 429 or status >= 500:
        return Reply("again", written, reason, retry_after(headers.get("Retry-After"), now))
    return Reply("refused", written, reason)


def retry_after(text: str | None, now: float) -> float | None:
    """Seconds that a Retry-After header asks for, a number or a date, at most five minutes; None where it says nothing."""
    if text is None:
        return None
    text = text.strip()
    if text.isdecimal() and len(text) < 10:
        return min(float(text), _LONGEST_WAIT)
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        return min(max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - now), _LONGEST_WAIT)
    return None


def plain(text: str) -> str:
    """One line that is safe to show: what others sent is never markup or a terminal's orders."""
    return " ".join("".join(c if c.isprintable() else " " for c in text[:1000]).split())[:200]
