"""The body of a push: families of series, without timestamps and each series once."""

from __future__ import annotations

import msgspec

from collector.receivers.prometheus.exposition_parser import ExpositionParser
from collector.receivers.prometheus.limits import ExpositionError, ExpositionLimits
from collector.receivers.prometheus.line import metadata_of
from monitor.model.series import Kind
from monitor.query.history import Labels

PUSHED_AT, FAILED_AT = "push_time_seconds", "push_failure_time_seconds"
_SUFFIXES = {
    "histogram": ("_bucket", "_count", "_sum"),
    "summary": ("_count", "_sum"),
    "gaugehistogram": ("_bucket", "_gcount", "_gsum"),
    "counter": ("_total",),
    "info": ("_info",),
}
_UNTYPED = "untyped"


class InconsistentError(ValueError):
    """Metrics that contradict themselves or what is there; the message says how."""


class Series(msgspec.Struct, frozen=True, array_like=True):
    """A series of a group with its last value; `labels` are sorted and hold those of the group."""

    name: str
    labels: Labels
    kind: Kind
    unit: str
    value: float


class Family(msgspec.Struct, frozen=True, array_like=True):
    """A metric of a group as it was pushed, at a time in seconds since the epoch."""

    name: str
    type: str
    help: str
    time: float
    series: tuple[Series, ...]


def families_in(body: bytes, openmetrics: bool, grouping: Labels, now: float, limits: ExpositionLimits) -> list[Family]:
    """The families of an exposition, their series with the labels of the group, which win over their own.

    Raises `ExpositionError` for what is no exposition, `InconsistentError` for timestamps and series that come twice.
    """
    parser = ExpositionParser(openmetrics, limits)
    samples = parser.parse(body)
    if samples.times is not None:
        raise InconsistentError("pushed metrics must not have timestamps")
    if samples.duplicates:
        raise InconsistentError("a series comes twice in the push")
    types, helps = _metadata(body, openmetrics)
    found: dict[str, list[Series]] = {}
    own = dict(grouping)
    seen: set[tuple[str, Labels]] = set()
    for number, value in zip(samples.ids.tolist(), samples.values.tolist(), strict=True):
        one = parser.series[number]
        if one.kind is None or one.name in (PUSHED_AT, FAILED_AT):
            continue
        labels = tuple(sorted(pair for pair in (dict(one.labels) | own).items() if pair[1]))
        if (one.name, labels) in seen:
            raise InconsistentError(f"the series {one.name[:100]!r} comes twice once the labels of the group are put on it")
        seen.add((one.name, labels))
        found.setdefault(_family_of(one.name, types), []).append(Series(one.name, labels, one.kind, one.unit, value))
    return [
        Family(name, types.get(name, _UNTYPED), helps.get(name, ""), now, tuple(series)) for name, series in sorted(found.items())
    ]


def _family_of(name: str, types: dict[str, str]) -> str:
    if name in types:
        return name
    for declared, suffixes in _SUFFIXES.items():
        for suffix in suffixes:
            base = name.removesuffix(suffix)
            if base != name and types.get(base) == declared:
                return base
    return name


def _metadata(body: bytes, openmetrics: bool) -> tuple[dict[str, str], dict[str, str]]:
    """Types and helps by family. The parser has found the text sound."""
    types: dict[str, str] = {}
    helps: dict[str, str] = {}
    for line in body.split(b"\n"):
        if not line.lstrip(b" \t").startswith(b"#"):
            continue
        text = line.decode() if openmetrics else line.decode().strip(" \t\r")
        try:
            described = metadata_of(text, openmetrics, helps=True)
        except ExpositionError:  # a comment that looks like help
            continue
        if described is not None and described.text:
            held = {"TYPE": types, "HELP": helps}.get(described.keyword)
            if held is not None:
                held[described.name] = described.text
    return types, helps


def own_series(grouping: Labels, pushed: float, failed: float) -> list[Series]:
    """What the Pushgateway says of a group itself."""
    labels = tuple(pair for pair in grouping if pair[1])
    return [Series(name, labels, Kind.GAUGE, "s", value) for name, value in ((PUSHED_AT, pushed), (FAILED_AT, failed))]
