"""What PromQL sees in samples, sample by sample: the slow way to say what a tier must come out as."""

from __future__ import annotations

import itertools
import math

import numpy as np

from monitor.query.history import STALE_BITS, Selected

Samples = dict[int, float]
"""Value by time."""


def is_stale(value: float) -> bool:
    return int(np.array([value]).view(np.uint64)[0]) == STALE_BITS


def samples_of(selected: Selected) -> dict[str, Samples]:
    """By the label `n`."""
    found: dict[str, Samples] = {}
    for block in selected.blocks:
        for row, labels in enumerate(block.labels):
            present = block.present[row] if block.present is not None else np.ones(len(block.times), bool)
            samples = {int(t): v for t, v, p in zip(block.times, block.values[row], present, strict=True) if p}
            found[dict(labels)["n"]] = samples
    return {number: samples for number, samples in found.items() if samples}


def instant(samples: Samples, time: int, lookback: int) -> float | None:
    """The last sample in (time - lookback, time], None when there is none or it is a staleness marker."""
    seen = [t for t in samples if time - lookback < t <= time]
    value = samples[max(seen)] if seen else math.nan
    return None if not seen or is_stale(value) else value


def over_time(samples: Samples, time: int, length: int, func: str) -> float | None:
    """A function over the samples in (time - length, time], markers left out."""
    inside = [v for t, v in sorted(samples.items()) if time - length < t <= time and not is_stale(v)]
    if not inside:
        return None
    numbers = [v for v in inside if not math.isnan(v)]
    if func == "min_over_time":
        return min(numbers, default=math.nan)
    if func == "max_over_time":
        return max(numbers, default=math.nan)
    if func == "sum_over_time":
        return sum(inside)
    if func == "last_over_time":
        return inside[-1]
    return 1.0


def growth(samples: Samples, start: int, end: int) -> float:
    """What a counter grew by between its samples in [start, end], resets counted as Prometheus does."""
    inside = [v for t, v in sorted(samples.items()) if start <= t <= end and not is_stale(v)]
    return sum(after - before if after >= before else after for before, after in itertools.pairwise(inside))
