"""Loads a test's series into a history, with the counter reset hints that a time series database gives back."""

from __future__ import annotations

import math

import numpy as np

from monitor.query.histogram import CUSTOM_SCHEMA, Buckets, Hint, Histogram, Stack
from monitor.query.histogram_rate import is_reset
from monitor.query.history import STALE, STALE_BITS, Labels, Millis
from monitor.query.memory import Bounds, MemoryHistory
from tests.promqltest.commands import Load, Loaded
from tests.promqltest.series import Point
from tests.promqltest.text import BadTestError, number

_FOREVER = 1 << 60


def empty_history() -> MemoryHistory:
    """A history that gives nothing up for age, as tests load days and years."""
    return MemoryHistory(Bounds(age=_FOREVER, late=_FOREVER))


def load(history: MemoryHistory, command: Load) -> None:
    """Puts all series of a load in."""
    for series in command.series:
        samples = [(n * command.step, point) for n, point in enumerate(series.points) if not point.omitted]
        _append(history, series.labels, samples, _starts(series, command.step))
    if command.with_nhcb:
        for labels, samples in _custom_histograms(command).items():
            _append(history, labels, samples)


def _starts(series: Loaded, step: int) -> dict[int, int] | None:
    """Start timestamps by the times of the samples that have one."""
    found = {n * step: n * step + since for n, since in enumerate(series.starts) if since is not None}
    return found or None


def _append(
    history: MemoryHistory, labels: Labels, samples: list[tuple[int, Point]], starts: dict[int, int] | None = None
) -> None:
    def since(times: list[int]) -> Millis | None:
        return None if starts is None else np.array([starts.get(time, 0) for time in times], np.int64)

    floats = [(time, point.value) for time, point in samples if point.histogram is None]
    if floats:
        values = np.empty(len(floats))
        bits = values.view(np.uint64)
        for row, (_, value) in enumerate(floats):
            if math.isnan(value) and np.array(value).view(np.uint64) == STALE_BITS:
                bits[row] = STALE_BITS
            else:
                values[row] = value
        times = [time for time, _ in floats]
        history.append(labels, np.array(times, np.int64), values, since(times))
    found = [(time, histogram) for time, histogram in _with_hints(samples) if histogram is not None]
    if found:
        times = [time for time, _ in found]
        history.append_histograms(labels, np.array(times, np.int64), [h for _, h in found], since(times))


def _with_hints(samples: list[tuple[int, Point]]) -> list[tuple[int, Histogram | None]]:
    """A chunk of a database holds no reset but at its beginning, where nobody knows: the hints after the first are sure."""
    found: list[tuple[int, Histogram | None]] = []
    before: Histogram | None = None
    for time, point in samples:
        histogram = point.histogram
        if histogram is None:
            before = None if not math.isnan(point.value) else before
            found.append((time, None))
            continue
        hint = Hint.GAUGE
        if histogram.hint != Hint.GAUGE:
            goes_on = before is not None and before.hint != Hint.GAUGE and not _begins_anew(before, histogram)
            hint = Hint.NO_RESET if goes_on else Hint.UNKNOWN
        before = histogram
        stack = histogram.alone()
        found.append((time, Histogram(Stack(stack.layout, stack.counts, stack.count, stack.sum, np.array([hint], np.int8)))))
    return found


def _begins_anew(before: Histogram, after: Histogram) -> bool:
    same_buckets = before.layout.comparable(after.layout)
    return not same_buckets or after.hint == Hint.RESET or is_reset(before, _unhinted(after))


def _unhinted(histogram: Histogram) -> Histogram:
    stack = histogram.alone()
    return Histogram(Stack(stack.layout, stack.counts, stack.count, stack.sum, np.array([Hint.UNKNOWN], np.int8)))


def _custom_histograms(command: Load) -> dict[Labels, list[tuple[int, Point]]]:
    """Classic histograms as native ones with custom bounds (util/convertnhcb)."""
    parts: dict[Labels, dict[int, dict[str, float]]] = {}
    for series in command.series:
        base, kind = _part_of(series)
        if base is None:
            continue
        for n, point in enumerate(series.points):
            if not point.omitted and point.histogram is None:
                parts.setdefault(base, {}).setdefault(n * command.step, {})[kind] = point.value
    return {labels: [(time, _custom(part)) for time, part in sorted(times.items())] for labels, times in parts.items()}


def _part_of(series: Loaded) -> tuple[Labels | None, str]:
    labels = dict(series.labels)
    name = labels.get("__name__", "")
    for suffix in ("_bucket", "_count", "_sum"):
        if name.endswith(suffix):
            labels["__name__"] = name.removesuffix(suffix)
            bound = labels.pop("le", "")
            if suffix == "_bucket":
                try:
                    if math.isnan(number(bound)):
                        return None, ""
                except BadTestError:
                    return None, ""
                suffix = f"le {number(bound)}"
            return tuple(sorted(labels.items())), suffix
    return None, ""


def _custom(part: dict[str, float]) -> Point:
    if any(math.isnan(value) and np.array(value).view(np.uint64) == STALE_BITS for value in part.values()):
        return Point(value=STALE)
    bounds = sorted((float(kind[3:]), value) for kind, value in part.items() if kind.startswith("le "))
    if not bounds or not math.isinf(bounds[-1][0]):
        bounds.append((math.inf, part.get("_count", bounds[-1][1] if bounds else 0.0)))
    counts = np.diff([0.0, *(value for _, value in bounds)])
    histogram = Histogram.of(
        CUSTOM_SCHEMA,
        part.get("_count", bounds[-1][1]),
        part.get("_sum", 0.0),
        positive=Buckets(np.arange(len(bounds), dtype=np.int32), counts),
        custom_values=np.array([bound for bound, _ in bounds[:-1]]),
    )
    return Point(histogram=histogram)
