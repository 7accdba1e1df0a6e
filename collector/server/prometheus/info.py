"""What the API tells of the collector beyond its samples: rules, alerts, targets, settings. The service answers it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

import msgspec

State = Literal["inactive", "pending", "firing", "unknown"]
Health = Literal["ok", "err", "unknown"]


class ActiveAlert(msgspec.Struct, frozen=True, kw_only=True):
    """One pending or firing alert. Times are seconds since the epoch, 0 for none."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    state: State
    active_at: float
    value: float
    keep_firing_since: float = 0.0


class RuleView(msgspec.Struct, frozen=True, kw_only=True):
    """An alerting rule, or with `record` set a recording rule named `name`. `duration`, `keep_firing_for` and
    `evaluation_time` in seconds; `last_evaluation` seconds since the epoch, 0 for never.
    """

    name: str
    query: str
    record: bool = False
    labels: Mapping[str, str] = msgspec.field(default_factory=dict)
    annotations: Mapping[str, str] = msgspec.field(default_factory=dict)
    state: State = "inactive"
    duration: float = 0.0
    keep_firing_for: float = 0.0
    alerts: Sequence[ActiveAlert] = ()
    health: Health = "ok"
    last_error: str = ""
    evaluation_time: float = 0.0
    last_evaluation: float = 0.0


class RuleGroupView(msgspec.Struct, frozen=True, kw_only=True):
    """Rules judged together. `interval` and `evaluation_time` in seconds, `last_evaluation` since the epoch."""

    name: str
    file: str
    rules: Sequence[RuleView]
    interval: float = 60.0
    limit: int = 0
    evaluation_time: float = 0.0
    last_evaluation: float = 0.0


class TargetView(msgspec.Struct, frozen=True, kw_only=True):
    """One scraped address. `interval`, `timeout` and `last_duration` in seconds, `last_scrape` since the epoch, 0 for never."""

    pool: str
    url: str
    labels: Mapping[str, str]
    discovered: Mapping[str, str] = msgspec.field(default_factory=dict)
    health: Literal["up", "down", "unknown"] = "unknown"
    last_error: str = ""
    last_scrape: float = 0.0
    last_duration: float = 0.0
    interval: float = 15.0
    timeout: float = 10.0


class DroppedTarget(msgspec.Struct, frozen=True):
    """A target found and not scraped, by the labels it was found with."""

    discovered: Mapping[str, str]


class Runtime(msgspec.Struct, frozen=True, kw_only=True):
    """`started` and `config_loaded`: seconds since the epoch. `retention` as text: `15d or 10GB`."""

    started: float
    host: str = ""
    config_loaded: float = 0.0
    corruptions: int = 0
    threads: int = 0
    cpus: int = 0
    retention: str = ""


class TsdbFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of the history. Times in milliseconds since the epoch. The lists are (name, number), largest first."""

    series: int = 0
    label_pairs: int = 0
    chunks: int = 0
    first: int = 0
    last: int = 0
    series_by_metric: Sequence[tuple[str, int]] = ()
    values_by_label: Sequence[tuple[str, int]] = ()
    bytes_by_label: Sequence[tuple[str, int]] = ()
    series_by_pair: Sequence[tuple[str, int]] = ()


class ApiInfo(Protocol):
    """All are cheap and called on the event loop. What they give is shown as it is: no secrets."""

    @property
    def version(self) -> str:
        """Of the product."""

    def runtime(self) -> Runtime: ...

    def flags(self) -> Mapping[str, str]:
        """Settings as text, secrets left out."""

    def config(self) -> str:
        """The configuration as YAML, secrets left out."""

    def tsdb(self) -> TsdbFigures: ...

    def rule_groups(self) -> Sequence[RuleGroupView]: ...

    def alerts(self) -> Sequence[ActiveAlert]:
        """All that are pending or firing, of rules of every kind."""

    def targets(self) -> Sequence[TargetView]: ...

    def dropped_targets(self) -> Sequence[DroppedTarget]: ...

    def alertmanagers(self) -> Sequence[str]:
        """URLs of the Alertmanagers that are told."""
