"""Renders metrics as Prometheus text 0.0.4 or OpenMetrics 1.0, whichever the reader asked for."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_MAX_ACCEPT = 2048

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


def render(metrics: Iterable[Metric], openmetrics: bool) -> bytes:
    """The exposition of `metrics`, each family once, in the order given. Raises ValueError when a family stands twice."""
    lines: list[str] = []
    seen: set[str] = set()
    for metric in metrics:
        if metric.family in seen:
            raise ValueError(f"the metric {metric.family} stands twice; give its values in one Metric")
        seen.add(metric.family)
        lines += _described(metric, openmetrics)
        lines += [f"{metric.name}{_labels(labels)} {_number(value)}" for labels, value in metric.samples()]
    if openmetrics:
        lines.append("# EOF")
    # A lone surrogate (from an undecodable file name, say) has no UTF-8 form.
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")


def negotiate(accept: str) -> tuple[str, bool]:
    """Content type and whether it is OpenMetrics, for an Accept header (RFC 9110, section 12.5.1).

    OpenMetrics must be asked for by name and at least as much as plain text; whoever asks for nothing gets text.
    """
    wanted = {"application/openmetrics-text": 0.0, "text/plain": 0.0, "*/*": 0.0}
    for part in accept[:_MAX_ACCEPT].split(","):
        kind, *parameters = (piece.strip() for piece in part.lower().split(";"))
        kind = "text/plain" if kind == "text/*" else kind
        if kind in wanted:
            wanted[kind] = max(wanted[kind], _quality(parameters))
    plain = wanted["text/plain"] or wanted["*/*"]
    openmetrics = wanted["application/openmetrics-text"]
    return (OPENMETRICS, True) if openmetrics > 0 and openmetrics >= plain else (TEXT, False)


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                quality = float(value)
            except ValueError:
                return 0.0
            return quality if 0.0 <= quality <= 1.0 else 0.0
    return 1.0


def _described(metric: Metric, openmetrics: bool) -> list[str]:
    escaped = metric.help.replace("\\", r"\\").replace("\n", r"\n")
    if not openmetrics:
        kind = "gauge" if metric.kind == "info" else metric.kind
        return [f"# HELP {metric.name} {escaped}", f"# TYPE {metric.name} {kind}"]
    unit = [f"# UNIT {metric.family} {metric.unit}"] if metric.unit else []
    escaped = escaped.replace('"', r"\"")
    return [f"# TYPE {metric.family} {metric.kind}", *unit, f"# HELP {metric.family} {escaped}"]


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))
