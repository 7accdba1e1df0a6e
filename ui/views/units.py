"""The unit of a series: from what its sender said, from its name, and from the field that is looked at."""

from __future__ import annotations

import enum
import functools
import math
from dataclasses import dataclass, replace

from monitor.model.series import Kind, SeriesInfo
from monitor.windows.frame import PRIMARY


class Family(enum.Enum):
    """How the prefixes of a unit go: 1,000 steps, 1,024 steps, none at all, or seconds to days."""

    NUMBER = "number"
    BYTES = "bytes"
    BITS = "bits"
    PERCENT = "percent"
    DURATION = "duration"


@dataclass(frozen=True, slots=True)
class Unit:
    """`factor` turns a raw value into the family's base (1, bytes, bits, percent, seconds); `per` is "", "/s" or "/min".

    `word` is a unit outside these families, shown as it was sent ("threads", "°C").
    """

    family: Family = Family.NUMBER
    factor: float = 1.0
    per: str = ""
    word: str = ""

    def each(self, per: str) -> Unit:
        """This unit over time: bytes become bytes/s."""
        return replace(self, per=per)


@dataclass(frozen=True, slots=True)
class Step:
    """One prefix: values divided by `size` carry `label`."""

    size: float
    label: str


PLAIN = Unit()
PERCENT = Unit(Family.PERCENT)
RATIO = Unit(Family.PERCENT, 100.0)
BYTES = Unit(Family.BYTES)
BITS = Unit(Family.BITS, 8.0)
SECONDS = Unit(Family.DURATION)
MILLISECONDS = Unit(Family.DURATION, 1e-3)
PER_SECOND = Unit(per="/s")

LADDERS: dict[Family, tuple[Step, ...]] = {
    Family.NUMBER: (Step(1.0, ""), Step(1e3, "k"), Step(1e6, "M"), Step(1e9, "G"), Step(1e12, "T"), Step(1e15, "P")),
    Family.BYTES: tuple(Step(1024.0**i, f"{p}B") for i, p in enumerate(("", "Ki", "Mi", "Gi", "Ti", "Pi"))),
    Family.BITS: tuple(Step(1000.0**i, f"{p}bit") for i, p in enumerate(("", "k", "M", "G", "T", "P"))),
    Family.PERCENT: (Step(1.0, "%"),),
    Family.DURATION: (Step(1e-9, "ns"), Step(1e-6, "µs"), Step(1e-3, "ms"), Step(1.0, "s")),
}
LONG: tuple[Step, ...] = (Step(1.0, "s"), Step(60.0, "min"), Step(3600.0, "h"), Step(86400.0, "d"))
"""Steps of a duration axis that reaches beyond two minutes."""

EXACT = 9_999.0
"""Whole numbers are written out up to here; then thousands become k."""

_NAMED: dict[str, Unit] = {
    "percent": PERCENT,
    "%": PERCENT,
    "ratio": RATIO,
    "fraction": RATIO,
    "bytes": BYTES,
    "byte": BYTES,
    "b": BYTES,
    "by": BYTES,
    "kb": Unit(Family.BYTES, 1000.0),
    "kib": Unit(Family.BYTES, 1024.0),
    "kibytes": Unit(Family.BYTES, 1024.0),
    "mib": Unit(Family.BYTES, 1024.0**2),
    "bits": Unit(Family.BITS),
    "bit": Unit(Family.BITS),
    "s": SECONDS,
    "sec": SECONDS,
    "seconds": SECONDS,
    "second": SECONDS,
    "ms": MILLISECONDS,
    "milliseconds": MILLISECONDS,
    "us": Unit(Family.DURATION, 1e-6),
    "µs": Unit(Family.DURATION, 1e-6),
    "microseconds": Unit(Family.DURATION, 1e-6),
    "ns": Unit(Family.DURATION, 1e-9),
    "nanoseconds": Unit(Family.DURATION, 1e-9),
    "minutes": Unit(Family.DURATION, 60.0),
    "hours": Unit(Family.DURATION, 3600.0),
    "days": Unit(Family.DURATION, 86400.0),
    "1": PLAIN,
    "count": PLAIN,
    "events": PLAIN,
}
_SUFFIXES = ("seconds", "milliseconds", "microseconds", "nanoseconds", "ms", "bytes", "bits", "ratio", "percent")
_DIMENSIONLESS = frozenset(("count", "unique", "rate", "per_minute"))
_NETWORK = ("net", "network", "interface", "socket", "tcp", "udp")


def unit_named(name: str) -> Unit | None:
    """The unit of a spelling senders use ("ms", "By", "bytes/s"); None for one that is not known."""
    text = name.strip()
    per = ""
    for ending, form in (("/s", "/s"), ("_per_second", "/s"), ("/min", "/min")):
        if text.lower().endswith(ending):
            text, per = text[: -len(ending)], form
    found = PLAIN if not text and per else _NAMED.get(text.lower())
    return replace(found, per=per) if found is not None and per else found


@functools.lru_cache(maxsize=16_384)
def _raw_unit(name: str, unit: str) -> Unit:
    parts = name.lower().replace(".", "_").replace("-", "_").split("_")
    found = unit_named(unit) if unit else None
    if found is None and unit:
        return Unit(word=unit[:16])
    if found is None:
        tail = parts[-2] if parts[-1] in ("total", "sum", "max", "min") and len(parts) > 1 else parts[-1]
        found = _NAMED[tail] if tail in _SUFFIXES else PLAIN
    if found.family is Family.BYTES and any(word in parts for word in _NETWORK):
        return Unit(Family.BITS, found.factor * 8.0, found.per)
    return found


def field_of(kind: Kind, field: str) -> str:
    """The field meant by `value`: the kind's own."""
    return PRIMARY[kind] if field == "value" else field


@functools.lru_cache(maxsize=16_384)
def _unit_of(name: str, unit: str, kind: Kind, field: str) -> Unit:
    field = field_of(kind, field)
    if field == "age":
        return SECONDS
    if field in ("rate", "per_minute"):
        per = "/s" if field == "rate" else "/min"
        base = _raw_unit(name, unit) if kind is Kind.COUNTER else PLAIN
        if base.family is Family.DURATION:  # seconds spent a second: how many at once
            return Unit(word=f"s{per}", factor=base.factor)
        return replace(base, per=per)
    if field in _DIMENSIONLESS:
        return PLAIN
    return _raw_unit(name, unit)


def unit_of(series: SeriesInfo, field: str) -> Unit:
    """The unit of a field of a series. A rate of bytes is bytes/s (bits/s where the name speaks of a network)."""
    return _unit_of(series.key.name, series.unit, series.kind, field)


def step_for(unit: Unit, magnitude: float) -> Step:
    """The prefix under which a base value of this magnitude reads best (three digits before the point at most)."""
    size = abs(magnitude)
    steps = LADDERS[unit.family]
    if not math.isfinite(size):
        return steps[0] if unit.family is not Family.DURATION else steps[-1]
    if unit.family is Family.NUMBER and (size <= EXACT + 0.5 or unit.word):
        return steps[0]
    if unit.family is Family.DURATION and size == 0.0:
        return steps[-1]
    chosen = steps[0]
    for step in steps[1:]:
        # 999.6 ms would be written 1,000 ms: it is 1.00 s.
        if size >= step.size * 0.9995:
            chosen = step
    return chosen


def axis_step(unit: Unit, magnitude: float) -> Step:
    """The one prefix of a whole axis whose largest value is `magnitude` (in the base)."""
    if unit.family is Family.DURATION and magnitude >= 120.0:
        return max((s for s in LONG if magnitude >= 2.0 * s.size), key=lambda s: s.size)
    return step_for(unit, magnitude)
