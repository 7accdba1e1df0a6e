"""The collector's own metrics, declared, and as families of an exposition."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from collector.exporters.families import Family

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric family: a value, or values by label set (`{(("reason", "late"),): 3.0}`).

    A counter's name ends with `_total`, an info's with `_info` (its values are 1). `unit` is a base unit that the name ends
    with ("seconds", "bytes"; before `_total`) or "". Raises ValueError where that is not so or a name is not legal.
    """

    name: str
    kind: Literal["counter", "gauge", "info"]
    help: str
    values: float | Mapping[Labels, float]
    unit: str = ""

    def __post_init__(self) -> None:
        if _NAME.fullmatch(self.name) is None:
            raise ValueError(f"{self.name!r} is no metric name")
        if self.kind != "gauge" and not self.name.endswith(self._suffix):
            raise ValueError(f"the {self.kind} {self.name} must be named {self.name}{self._suffix}")
        if self.unit and not self.family.endswith(f"_{self.unit}"):
            raise ValueError(f"{self.name} does not end with its unit {self.unit}")
        for labels, _ in self.samples():
            for name, _value in labels:
                if _LABEL_NAME.fullmatch(name) is None:
                    raise ValueError(f"{name!r} is no label name")

    @property
    def _suffix(self) -> str:
        return {"counter": "_total", "info": "_info"}.get(self.kind, "")

    @property
    def family(self) -> str:
        """The name OpenMetrics gives the family: without the suffix of its samples."""
        return self.name.removesuffix(self._suffix)

    def samples(self) -> Iterable[tuple[Labels, float]]:
        """Label sets and values."""
        return self.values.items() if isinstance(self.values, Mapping) else [((), self.values)]


def own_families(metrics: Iterable[Metric]) -> list[Family]:
    """Each metric as a family, in the order given. Raises ValueError when a family stands twice."""
    found: list[Family] = []
    seen: set[str] = set()
    for metric in metrics:
        if metric.family in seen:
            raise ValueError(f"the metric {metric.family} stands twice; give its values in one Metric")
        seen.add(metric.family)
        suffix = metric.name.removeprefix(metric.family)
        samples = [(suffix, labels, float(value)) for labels, value in metric.samples()]
        found.append(Family(metric.family, metric.kind, metric.help, metric.unit, [*samples]))
    return found
