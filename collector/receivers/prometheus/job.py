"""One [[scrape]] of the settings: where its targets come from, and what they are after relabelling."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from collector.receivers.prometheus.access import Access
from collector.receivers.prometheus.discovery import Group
from collector.receivers.prometheus.limits import SeriesLimits
from collector.receivers.prometheus.relabel import Rule, read_rules, relabelled
from collector.receivers.prometheus.target import DEFAULT_PORTS, DroppedTarget, Policy, ScrapeTarget
from monitor.alerting.durations import parse_duration

MOST_TARGETS = 10_000
"""Of one job."""
MOST_DROPPED = 1000
"""That are remembered to be shown."""


@dataclass(frozen=True, slots=True)
class ScrapeJob:
    """One job, its fields named as the keys of [[scrape]]. `interval`, `timeout`, `sd_refresh` in seconds, `body_size_limit` in
    bytes; limits of 0 are none. Targets are `url`, those of `targets` (host:port), and what file and HTTP discovery find.

    Raises `ValueError` saying what is wrong with a key.
    """

    url: str = ""
    targets: tuple[str, ...] = ()
    file_sd: tuple[str, ...] = ()
    http_sd: tuple[str, ...] = ()
    sd_refresh: float = 60.0
    job: str = ""
    interval: float = 15.0
    timeout: float = 10.0
    scheme: str = "http"
    metrics_path: str = "/metrics"
    params: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    honor_labels: bool = False
    honor_timestamps: bool = True
    histograms: bool = False
    native_histograms: bool = False
    relabel: Any = ()
    metric_relabel: Any = ()
    user: str = ""
    password: str = field(default="", repr=False)
    password_file: str = ""
    bearer_token: str = field(default="", repr=False)
    bearer_token_file: str = ""
    sd_user: str = ""
    sd_password: str = field(default="", repr=False)
    sd_password_file: str = ""
    sd_bearer_token: str = field(default="", repr=False)
    sd_bearer_token_file: str = ""
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    server_name: str = ""
    insecure_skip_verify: bool = False
    target_limit: int = 0
    body_size_limit: int = 0
    sample_limit: int = 0
    label_limit: int = 0
    label_name_length_limit: int = 0
    label_value_length_limit: int = 0
    rules: tuple[Rule, ...] = field(init=False, repr=False)
    policy: Policy = field(init=False, repr=False)
    discovery: Access = field(init=False, repr=False)
    """With what `http_sd` is asked: it is another host than the targets, and gets none of their credentials."""

    def __post_init__(self) -> None:
        if not (self.url or self.targets or self.file_sd or self.http_sd):
            raise ValueError("a scrape needs a url, targets, file_sd or http_sd")
        if self.scheme not in DEFAULT_PORTS:
            raise ValueError(f"the scheme is http or https, not {self.scheme[:40]!r}")
        policy = Policy(
            honor_timestamps=self.honor_timestamps,
            histograms=self.histograms,
            native_histograms=self.native_histograms,
            metric_relabel=_named("metric_relabel", self.metric_relabel),
            limits=SeriesLimits(self.sample_limit, self.label_limit, self.label_name_length_limit, self.label_value_length_limit),
            body_bytes=self.body_size_limit,
            access=Access(
                self.user,
                self.password,
                self.password_file,
                self.bearer_token,
                self.bearer_token_file,
                self.ca_file,
                self.cert_file,
                self.key_file,
                self.server_name,
                self.insecure_skip_verify,
            ),
        )
        object.__setattr__(self, "rules", _named("relabel", self.relabel))
        object.__setattr__(self, "policy", policy)
        object.__setattr__(self, "discovery", self._discovery())
        if self.url:
            self._at(self.url, {}, {}, self.interval, self.timeout)

    def _discovery(self) -> Access:
        try:
            return Access(
                self.sd_user,
                self.sd_password,
                self.sd_password_file,
                self.sd_bearer_token,
                self.sd_bearer_token_file,
                self.ca_file,
                insecure_skip_verify=self.insecure_skip_verify,
            )
        except ValueError as error:
            raise ValueError(f"http_sd: {error}") from None

    def too_many(self, targets: int) -> str:
        """Why none of so many targets is scraped, "" where they are: as in Prometheus, a job is over its limit as a whole."""
        if not self.target_limit or targets <= self.target_limit:
            return ""
        return f"{self.name} has {targets} targets after relabelling; target_limit is {self.target_limit}, so none is scraped"

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return self.job or urlsplit(self.url).hostname or next(iter((*self.targets, *self.file_sd)), "discovered over HTTP")

    def static(self) -> list[Group]:
        """The targets that stand in the settings."""
        return [Group(self.targets, {})] if self.targets else []

    def scraped(self, groups: Iterable[Group]) -> tuple[list[ScrapeTarget], list[DroppedTarget]]:
        """The targets of its url and of `groups`, each once, and those that are left out."""
        found: dict[object, ScrapeTarget] = {}
        dropped: list[DroppedTarget] = []

        def take(outcome: ScrapeTarget | DroppedTarget) -> None:
            if isinstance(outcome, DroppedTarget):
                dropped.append(outcome)
            elif len(found) < MOST_TARGETS:
                found.setdefault(outcome.identity, outcome)
            else:
                dropped.append(DroppedTarget(self.name, outcome.discovered, f"a job has at most {MOST_TARGETS} targets"))

        if self.url:
            take(self._of_url())
        for group in groups:
            for address in group.targets:
                if len(dropped) >= MOST_DROPPED and len(found) >= MOST_TARGETS:
                    return list(found.values()), dropped[:MOST_DROPPED]
                take(self._target(self._labels(self.scheme, address, self.metrics_path, self.params) | group.labels, self.params))
        return list(found.values()), dropped[:MOST_DROPPED]

    def _of_url(self) -> ScrapeTarget | DroppedTarget:
        parts = urlsplit(self.url)
        params = dict(self.params) | dict(parse_qsl(parts.query, keep_blank_values=True))
        labels = self._labels(parts.scheme, parts.netloc.rpartition("@")[2], parts.path or "/", params)
        if not self.rules and not self.params:
            return self._at(self.url, dict(self.labels), labels, self.interval, self.timeout)
        return self._target(labels, params, parts.netloc.rpartition("@")[0])

    def _labels(self, scheme: str, address: str, path: str, params: Mapping[str, str]) -> dict[str, str]:
        return {
            **self.labels,
            "job": self.job or _host(address),
            "__address__": address,
            "__scheme__": scheme,
            "__metrics_path__": path,
            "__scrape_interval__": f"{round(self.interval * 1000)}ms",
            "__scrape_timeout__": f"{round(self.timeout * 1000)}ms",
            **{f"__param_{name}": value for name, value in params.items()},
        }

    def _target(self, discovered: dict[str, str], params: Mapping[str, str], who: str = "") -> ScrapeTarget | DroppedTarget:
        labels = relabelled(discovered, self.rules)
        if labels is None:
            return DroppedTarget(self.name, discovered)
        address, scheme = labels.get("__address__", ""), labels.get("__scheme__", "")
        path = labels.get("__metrics_path__", "")
        if not address or any(sign in address for sign in "/@?#\\ \t\r\n"):
            return DroppedTarget(
                self.name, discovered, f"{address[:80]!r} is no address: write host:port, nothing before or after it"
            )
        query = {name: labels.get(f"__param_{name}", "") for name in params}
        query |= {name.removeprefix("__param_"): value for name, value in labels.items() if name.startswith("__param_")}
        written = urlencode({name: value for name, value in query.items() if value or params.get(name) == ""})
        host = f"{who}@{address}" if who else address
        url = f"{scheme}://{host}{'' if path.startswith('/') else '/'}{path}{'?' if written else ''}{written}"
        try:
            interval = parse_duration(labels.get("__scrape_interval__", ""))
            timeout = parse_duration(labels.get("__scrape_timeout__", ""))
            tags = {name: value for name, value in labels.items() if not name.startswith("__")}
            return self._at(url, tags, discovered, interval, timeout)
        except ValueError as error:
            return DroppedTarget(self.name, discovered, str(error)[:200])

    def _at(self, url: str, tags: dict[str, str], discovered: dict[str, str], interval: float, timeout: float) -> ScrapeTarget:
        job = tags.get("job", self.job)
        return ScrapeTarget(url, job, interval, timeout, tags, self.honor_labels, self.policy, discovered)


def _named(key: str, written: Any) -> tuple[Rule, ...]:
    try:
        return read_rules(written)
    except ValueError as error:
        raise ValueError(f"{key}, {error}") from None


def _host(address: str) -> str:
    try:
        return urlsplit(f"//{address}").hostname or ""
    except ValueError:
        return ""
