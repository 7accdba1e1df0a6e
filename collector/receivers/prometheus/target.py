"""What is scraped and how it fares."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit, urlunsplit

from collector.receivers.prometheus.access import Access
from collector.receivers.prometheus.limits import SeriesLimits
from collector.receivers.prometheus.relabel import Rule

Identity = tuple[str, tuple[tuple[str, str], ...]]
DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Policy:
    """How all targets of a job are scraped, beyond address and time.

    With `honor_timestamps` false every sample gets the time of its scrape. `histograms`: classic histograms also become
    distributions. `native_histograms`: protobuf is asked for first. `body_bytes` 0: the collector's own limit.
    """

    honor_timestamps: bool = True
    histograms: bool = False
    native_histograms: bool = False
    metric_relabel: tuple[Rule, ...] = ()
    limits: SeriesLimits = field(default_factory=SeriesLimits)
    body_bytes: int = 0
    access: Access = field(default_factory=Access)


@dataclass(frozen=True, slots=True)
class ScrapeTarget:
    """One target. `interval` and `timeout` in seconds; `labels` are further tags of all its series.

    User and password in `url` are sent as basic authentication and never shown. Without `job` the host is the job.
    With `honor_labels` the target's own labels win over `job`, `instance` and `labels`; else they become `exported_…`.
    `discovered` are the labels before relabelling.
    """

    url: str
    job: str = ""
    interval: float = 15.0
    timeout: float = 10.0
    labels: Mapping[str, str] = field(default_factory=dict)
    honor_labels: bool = False
    policy: Policy = field(default_factory=Policy)
    discovered: Mapping[str, str] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        if not _is_address(self.url):
            raise ValueError(f"{self.url.rpartition('@')[2]!r} is no address to scrape; write it as http://host:port/metrics")
        if self.interval <= 0 or self.timeout <= 0:
            raise ValueError(f"interval and timeout of {self.shown_url} must be above zero")

    @property
    def shown_url(self) -> str:
        """The address without user and password."""
        parts = urlsplit(self.url)
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))

    @property
    def access(self) -> Access:
        """With what it is asked: what the address holds goes before what the job says."""
        who, at, _ = urlsplit(self.url).netloc.rpartition("@")
        if not at:
            return self.policy.access
        user, _, password = who.partition(":")
        given = self.policy.access
        return Access(
            unquote(user),
            unquote(password),
            ca_file=given.ca_file,
            cert_file=given.cert_file,
            key_file=given.key_file,
            server_name=given.server_name,
            insecure_skip_verify=given.insecure_skip_verify,
        )

    @property
    def instance(self) -> str:
        """`host:port`."""
        parts = urlsplit(self.url)
        netloc = parts.netloc.rpartition("@")[2]
        return netloc if parts.port else f"{netloc.rstrip(':')}:{DEFAULT_PORTS[parts.scheme]}"

    @property
    def tags(self) -> dict[str, str]:
        """Tags added to all its series."""
        job = self.job or urlsplit(self.url).hostname or ""
        return {"job": job, "instance": self.instance} | dict(self.labels)

    @property
    def offset(self) -> float:
        """Seconds into its interval at which it is scraped: always the same, spread over targets."""
        return zlib.crc32(f"{self.job}\0{self.shown_url}".encode()) / 2**32 * self.interval

    @property
    def identity(self) -> Identity:
        """What makes it another target: where it is and what its series are called."""
        return self.url, tuple(sorted(self.tags.items()))


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in DEFAULT_PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:  # of a port or an IPv6 address
        return False


@dataclass(frozen=True, slots=True)
class TargetHealth:
    """How the last scrape of a target went. `last_scrape` seconds since the epoch, None before the first one ended;
    `duration` seconds; `error` is "" when it went well; `series` counts those that live. `labels` are the tags of its series,
    `discovered` its labels before relabelling."""

    url: str
    job: str
    instance: str
    up: bool
    error: str
    last_scrape: float | None
    duration: float
    samples: int
    series: int
    labels: Mapping[str, str] = field(default_factory=dict)
    discovered: Mapping[str, str] = field(default_factory=dict)
    interval: float = 0.0
    timeout: float = 0.0
    answered: bool = False
    """Whether the last scrape that failed had an answer, which was not taken."""


@dataclass(frozen=True, slots=True)
class DroppedTarget:
    """A target that relabelling dropped or that cannot be scraped (`reason`, "" for the former), with its discovered labels."""

    job: str
    discovered: Mapping[str, str]
    reason: str = ""
