"""The body of a push: families of series, without timestamps and each series once."""

from __future__ import annotations

import itertools
import math
from typing import Literal

import msgspec

from collector.receivers.prometheus.exposition_parser import ExpositionParser
from collector.receivers.prometheus.limits import ExpositionLimits, LimitError
from collector.receivers.prometheus.protobuf import ProtobufParser
from collector.receivers.pushgateway.native import Native, native_of
from monitor.model.series import Kind
from monitor.query.history import Labels, Metadata

Form = Literal["text", "openmetrics", "protobuf"]
PUSHED_AT, FAILED_AT = "push_time_seconds", "push_failure_time_seconds"
MOST_BUCKETS = 500_000
"""Of the native histograms of one push."""
_SUFFIXES = {
    "histogram": ("_bucket", "_count", "_sum"),
    "summary": ("_count", "_sum"),
    "gaugehistogram": ("_bucket", "_gcount", "_gsum"),
    "counter": ("_total",),
    "info": ("_info",),
}
_UNTYPED = "untyped"
_NOTHING = Metadata()


class InconsistentError(ValueError):
    """Metrics that contradict themselves or what is there; the message says how."""


class Series(msgspec.Struct, frozen=True, array_like=True):
    """A series of a group with its last value, or its last native histogram (the value is its count then); `labels` are sorted
    and hold those of the group.
    """

    name: str
    labels: Labels
    kind: Kind
    unit: str
    value: float
    native: Native | None = None


class Family(msgspec.Struct, frozen=True, array_like=True):
    """A metric of a group as it was pushed, at a time in seconds since the epoch."""

    name: str
    type: str
    help: str
    time: float
    series: tuple[Series, ...]


def families_in(body: bytes, form: Form, grouping: Labels, now: float, limits: ExpositionLimits) -> list[Family]:
    """The families of an exposition, their series with the labels of the group, which win over their own.

    Raises `ExpositionError` for what is no exposition, `InconsistentError` for timestamps and series that come twice.
    """
    parser = ProtobufParser(limits) if form == "protobuf" else ExpositionParser(form == "openmetrics", limits)
    samples = parser.parse(body)
    if samples.times is not None or not all(math.isnan(one.time) for one in samples.native):
        raise InconsistentError("pushed metrics must not have timestamps")
    if samples.duplicates:
        raise InconsistentError("a series comes twice in the push")
    if sum(len(one.histogram.positive.indices) + len(one.histogram.negative.indices) for one in samples.native) > MOST_BUCKETS:
        raise LimitError(f"the native histograms of a push may have {MOST_BUCKETS} buckets; push fewer, or of a coarser schema")
    described = parser.take_described()
    types = {name: said.type for name, said in described.items() if said.type != "unknown"}
    found: dict[str, list[Series]] = {}
    own = dict(grouping)
    seen: set[tuple[str, Labels]] = set()
    plain = zip(samples.ids.tolist(), samples.values.tolist(), itertools.repeat(None))
    drawn = ((one.series, one.histogram.count, native_of(one.histogram)) for one in samples.native)
    for number, value, native in itertools.chain(plain, drawn):
        one = parser.series[number]
        if one.kind is None or one.name in (PUSHED_AT, FAILED_AT):
            continue
        labels = tuple(sorted(pair for pair in (dict(one.labels) | own).items() if pair[1]))
        if (one.name, labels) in seen:
            raise InconsistentError(f"the series {one.name[:100]!r} comes twice once the labels of the group are put on it")
        seen.add((one.name, labels))
        found.setdefault(_family_of(one.name, types), []).append(Series(one.name, labels, one.kind, one.unit, value, native))
    return [
        Family(name, types.get(name, _UNTYPED), described.get(name, _NOTHING).help, now, tuple(series))
        for name, series in sorted(found.items())
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


def own_series(grouping: Labels, pushed: float, failed: float) -> list[Series]:
    """What the Pushgateway says of a group itself."""
    labels = tuple(pair for pair in grouping if pair[1])
    return [Series(name, labels, Kind.GAUGE, "s", value) for name, value in ((PUSHED_AT, pushed), (FAILED_AT, failed))]
