"""What metadata says about samples: which kind each component of a family is, and its unit."""

from __future__ import annotations

from monitor.model.series import Kind

TYPES = frozenset(("counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset", "unknown"))
TEXT_TYPES = TYPES | {"untyped"}

_COMPONENTS: dict[str, dict[str, Kind]] = {
    "counter": {"_total": Kind.COUNTER},
    "histogram": {"_bucket": Kind.COUNTER, "_count": Kind.COUNTER, "_sum": Kind.COUNTER},
    "summary": {"_count": Kind.COUNTER, "_sum": Kind.COUNTER},
}
_SUFFIXES = ("_total", "_bucket", "_count", "_sum")
_UNITS = {
    "seconds": "s",
    "milliseconds": "ms",
    "microseconds": "us",
    "nanoseconds": "ns",
    "bytes": "bytes",
    "ratio": "ratio",
    "percent": "percent",
    "celsius": "celsius",
    "volts": "volts",
    "amperes": "amperes",
    "joules": "joules",
    "watts": "watts",
    "meters": "meters",
    "grams": "grams",
    "hertz": "hertz",
}


def kind_of(name: str, types: dict[str, str]) -> Kind | None:
    """The kind of a sample by the types declared so far (family → type); None for `_created`, which is no series.

    Gauges, info, state sets, gauge histograms, quantiles of summaries and whatever has no type are gauges.
    """
    if name.endswith("_created"):
        base = name.removesuffix("_created")
        if types.get(base) in _COMPONENTS or types.get(f"{base}_total") == "counter":
            return None
    declared = types.get(name)
    if declared is not None:
        return Kind.COUNTER if declared == "counter" else Kind.GAUGE
    for suffix in _SUFFIXES:
        if name.endswith(suffix):
            return _COMPONENTS.get(types.get(name.removesuffix(suffix), ""), {}).get(suffix, Kind.GAUGE)
    return Kind.GAUGE


def unit_of(name: str, units: dict[str, str]) -> str:
    """The unit of a sample, from UNIT metadata (family → unit) or the base unit its name ends with; "" when neither says."""
    if name.endswith(("_bucket", "_count")):
        return ""
    base = name.removesuffix("_total").removesuffix("_sum")
    unit = units.get(base) or base.rpartition("_")[2]
    return _UNITS.get(unit, units.get(base, ""))
