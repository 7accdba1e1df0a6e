"""A remote store: where it is written and asked, who asks, and what must never be shown of that."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

_RESERVED = frozenset(
    (
        "authorization",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "host",
        "transfer-encoding",
        "user-agent",
        "x-prometheus-remote-write-version",
    )
)


@dataclass(frozen=True, slots=True)
class RemoteTarget:
    """`write_url`: the whole address of remote write. `query_url`: what stands before `/api/v1/query`. `headers`: further ones,
    such as a tenant's. `bearer`, or `user` and `password`: who asks; they may stand in the address instead. What is secret shows
    in no representation. Raises `ValueError` with a sentence.
    """

    write_url: str
    query_url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    bearer: str = field(default="", repr=False)
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        for url in (self.write_url, self.query_url):
            if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
                raise ValueError(f"{shown(url)!r} is no address of a remote store; write http://host:port/path")
        for name, value in self.headers.items():
            if name.lower() in _RESERVED:
                raise ValueError(f"the header {name[:60]} is set by remote write itself; leave it out")
            if not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
                raise ValueError(f"{name[:60]!r} is no name of a header")
            _checked(value, f"the header {name[:60]}")
        if self.bearer and self.user:
            raise ValueError("a remote store is asked with a bearer token or with a user and password, not with both")
        _checked(self.bearer, "the bearer token")

    def all_headers(self, url: str) -> dict[str, str]:
        """The headers that go with every request to that address of the store."""
        parts = urlsplit(url)
        user, password = (
            (self.user, self.password) if self.user else (unquote(parts.username or ""), unquote(parts.password or ""))
        )
        sent = {"User-Agent": "Lightship", **self.headers}
        if self.bearer:
            sent["Authorization"] = f"Bearer {self.bearer}"
        elif user:
            sent["Authorization"] = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        return sent


def _checked(value: str, what: str) -> None:
    """Raises `ValueError`, which does not show the value."""
    if not (value.isascii() and value.isprintable()) and value:
        raise ValueError(f"{what} has characters that no header may have")


def shown(url: str) -> str:
    """An address without who asks and without what is behind a question mark."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "an address that cannot be read"
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}{parts.path}"[:200]


def bare(url: str) -> str:
    """The address a request goes to: without user and password, which go as a header."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def same_origin(first: str, second: str) -> bool:
    """Whether two addresses are of one scheme, host and port."""
    return _origin(first) == _origin(second)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
