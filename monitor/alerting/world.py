"""What there is to judge at a tick, and what a condition reads of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from monitor.alerting.judge import Engine
from monitor.alerting.model import Alert, Rule
from monitor.model.batch import Floats, Ids
from monitor.model.series import SeriesInfo, SeriesKey

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Instance:
    """One series of an answer. `decided`: the state is not ours to judge (a rule of a Prometheus file); "" where it is.

    `labels`: those of the alert, whole; empty where the rule's own are added to the series'. Times are seconds.
    """

    series: SeriesKey
    value: float
    decided: Literal["", "pending", "firing"] = ""
    labels: Pairs = ()
    active_at: float | None = None
    summary: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """What a rule's expression gave last. `error`: why it gave nothing, in a sentence."""

    instances: tuple[Instance, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class World:
    """What there is to judge at one tick. `alerts_of`: a rule's present alerts, None when there is no such rule in force."""

    now: float
    engine: Engine
    answers: Mapping[str, Answered] = field(default_factory=dict)
    alerts_of: Callable[[str], Sequence[Alert] | None] = lambda _: None
    failing: Callable[[str], bool] = lambda _: False


class NotYetError(Exception):
    """It cannot be judged yet, which says nothing: the first answer has not come."""


class Source(Protocol):
    """Rows (ascending) with the value judged for each; what a row is, and what is to be said of it."""

    def read(self, rule: Rule, world: World) -> tuple[Ids, Floats]:
        """NaN: no data. Raises `ValueError` with a sentence, or `NotYetError`."""

    def info(self, row: int, world: World) -> SeriesInfo | None:
        """The series of a row; None when there is none any more."""

    def instance(self, row: int) -> Instance | None:
        """What an answer said of a row, for sources that are told and not read."""

    def detail(self, row: int, rule: Rule, world: World) -> str:
        """What the value alone does not say, "" mostly."""
