"""What is scraped and how it fares."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class ScrapeTarget:
    """One target. `interval` and `timeout` in seconds; `labels` are further tags of all its series.

    User and password in `url` are sent as basic authentication and never shown. Without `job` the host is the job.
    With `honor_labels` the target's own labels win over `job`, `instance` and `labels`; else they become `exported_…`.
    """

    url: str
    job: str = ""
    interval: float = 15.0
    timeout: float = 10.0
    labels: Mapping[str, str] = field(default_factory=dict)
    honor_labels: bool = False

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
            raise ValueError(f"{self.shown_url!r} is no address to scrape; write it as http://host:port/metrics")
        if self.interval <= 0 or self.timeout <= 0:
            raise ValueError(f"interval and timeout of {self.shown_url} must be above zero")

    @property
    def shown_url(self) -> str:
        """The address without user and password."""
        parts = urlsplit(self.url)
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))

    @property
    def instance(self) -> str:
        """`host:port`."""
        parts = urlsplit(self.url)
        netloc = parts.netloc.rpartition("@")[2]
        return netloc if parts.port else f"{netloc.rstrip(':')}:{_DEFAULT_PORTS[parts.scheme]}"

    @property
    def tags(self) -> dict[str, str]:
        """Tags added to all its series."""
        job = self.job or urlsplit(self.url).hostname or ""
        return {"job": job, "instance": self.instance} | dict(self.labels)

    @property
    def offset(self) -> float:
        """Seconds into its interval at which it is scraped: always the same, spread over targets."""
        return zlib.crc32(f"{self.job}\0{self.shown_url}".encode()) / 2**32 * self.interval


@dataclass(frozen=True, slots=True)
class TargetHealth:
    """How the last scrape of a target went. `last_scrape` seconds since the epoch, None before the first one ended;
    `duration` seconds; `error` is "" when it went well; `series` counts those that live."""

    url: str
    job: str
    instance: str
    up: bool
    error: str
    last_scrape: float | None
    duration: float
    samples: int
    series: int
