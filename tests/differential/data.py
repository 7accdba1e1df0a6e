"""Two hours of a small shop: gauges, counters that reset, series that go and come back, gaps, classic histograms.

No sample is on a whole second, and every query's times and ranges are: so no sample is ever at the very edge of a range, where
Prometheus 2 and 3 differ (left-closed then, left-open now).
"""

from __future__ import annotations

import random

import numpy as np
import numpy.typing as npt

from collector.protobuf.columns import SeriesColumns
from monitor.query.history import STALE, Labels, Millis, Values
from monitor.query.memory import Bounds, MemoryHistory

START = 1_700_000_000
"""Seconds; a multiple of neither the scrape interval nor a minute."""
LENGTH = 7200
INTERVAL = 15
BOUNDS = ("0.05", "0.1", "0.25", "0.5", "1", "2.5", "+Inf")
_FOREVER = 1 << 60
Series = dict[Labels, tuple[Millis, Values]]


def labels(name: str, **tags: str) -> Labels:
    return tuple(sorted((("__name__", name), *tags.items())))


def make(seed: int = 42) -> Series:
    """About 150 series by their labels."""
    rng = np.random.default_rng(seed)
    found: Series = {}
    for number in range(4):
        instance = f"host{number}:9100"
        # Each target has its own offset within the interval and a little jitter, as scrapes have.
        grid = np.arange(START, START + LENGTH, INTERVAL, dtype=np.int64) * 1000 + 1237 * (number + 1)
        times = grid + rng.integers(1, 40, len(grid)) * 3
        times += (times % 1000 == 0).astype(np.int64)
        common = {"instance": instance, "job": "node" if number < 3 else "edge", "zone": "ab"[number % 2]}
        _gauges(found, rng, times, common)
        _counters(found, rng, times, common)
        _histogram(found, rng, times, common)
    _pick_holes(found, random.Random(seed))
    return found


def _gauges(found: Series, rng: np.random.Generator, times: Millis, common: dict[str, str]) -> None:
    count = len(times)
    phase = rng.uniform(0, 6)
    found[labels("node_load1", **common)] = times, 2 + np.sin(np.arange(count) / 40 + phase) + rng.normal(0, 0.2, count)
    for device in ("sda", "sdb"):
        used = np.cumsum(rng.normal(1e6, 4e6, count)) + 5e10
        found[labels("disk_used_bytes", device=device, **common)] = times, np.floor(np.abs(used))
    for sensor in ("cpu", "case", "psu"):
        found[labels("temperature_celsius", sensor=sensor, **common)] = times, np.round(rng.normal(40, 15, count), 1)
    found[labels("up", **common)] = times, (rng.random(count) > 0.05).astype(np.float64)
    found[labels("build_info", version=f"1.{rng.integers(0, 3)}", **common)] = times, np.ones(count)


def _counters(found: Series, rng: np.random.Generator, times: Millis, common: dict[str, str]) -> None:
    for code in ("200", "404", "500"):
        for method in ("get", "post"):
            growth = rng.poisson({"200": 40, "404": 3, "500": 0.3}[code], len(times)).astype(np.float64)
            found[labels("http_requests_total", code=code, method=method, **common)] = times, _with_resets(growth, rng)
    for mode in ("idle", "user", "system"):
        growth = np.clip(rng.normal(5, 2, len(times)), 0, 15)
        found[labels("cpu_seconds_total", mode=mode, **common)] = times, _with_resets(growth, rng)

    begun = times[len(times) // 3 :]
    found[labels("jobs_started_total", **common)] = begun, np.cumsum(rng.poisson(2, len(begun))).astype(np.float64)


def _with_resets(growth: Values, rng: np.random.Generator) -> Values:
    # They have counted for a while: near zero Prometheus 2 extrapolates otherwise, see `explained`.
    total = 1e5 + np.cumsum(growth)
    for at in np.sort(rng.integers(10, len(growth), int(rng.integers(0, 4)))).tolist():
        total[at:] -= total[at - 1]
    return np.maximum(total, 0.0)


def _histogram(found: Series, rng: np.random.Generator, times: Millis, common: dict[str, str]) -> None:
    for path in ("/", "/buy"):
        per_scrape = rng.poisson(20, len(times))
        drawn: npt.NDArray[np.float64] = rng.lognormal(-1.5, 1.0, int(per_scrape.sum()))
        ends = np.cumsum(per_scrape)
        seen = np.concatenate(([0.0], np.cumsum(drawn)))
        for bound in BOUNDS:
            before = np.floor(1e5 * np.tanh(float(bound) * 3))
            below: Values = before + np.concatenate(([0], np.cumsum(drawn <= float(bound))))[ends].astype(np.float64)
            found[labels("request_duration_seconds_bucket", le=bound, path=path, **common)] = times, below
        found[labels("request_duration_seconds_sum", path=path, **common)] = times, 5e4 + seen[ends]
        found[labels("request_duration_seconds_count", path=path, **common)] = times, 1e5 + ends.astype(np.float64)


def _pick_holes(found: Series, rng: random.Random) -> None:
    """Every fifth series lacks some minutes; every seventh ends with a staleness marker, and half of those come back."""
    for number, (series, (times, values)) in enumerate(list(found.items())):
        kept = np.ones(len(times), np.bool_)
        values = values.copy()
        if number % 5 == 0:
            begin = rng.randrange(40, 300)
            kept[begin : begin + rng.randrange(3, 80)] = False
        if number % 7 == 0 and not series[0][1].startswith("request_"):
            begin = rng.randrange(100, 400)
            values.view(np.uint64)[begin] = np.array([STALE]).view(np.uint64)[0]
            kept[begin] = True
            kept[begin + 1 : begin + 60 if number % 2 else len(times)] = False
        found[series] = times[kept], values[kept]


def history_of(series: Series) -> MemoryHistory:
    """A history in memory that holds it all."""
    history = MemoryHistory(Bounds(age=_FOREVER, late=_FOREVER))
    for name, (times, values) in series.items():
        history.append(name, times, values)
    return history


def slices(series: Series, seconds: int = 900) -> list[SeriesColumns]:
    """The samples in requests of a quarter of an hour: a Prometheus takes only what is near its newest sample."""
    made = []
    for begin in range(START, START + LENGTH + 60, seconds):
        parts = []
        for name, (times, values) in series.items():
            inside = (times >= begin * 1000) & (times < (begin + seconds) * 1000)
            if inside.any():
                parts.append((name, times[inside], values[inside]))
        if parts:
            offsets = np.concatenate(([0], np.cumsum([len(times) for _, times, _ in parts]))).astype(np.int64)
            times, values = np.concatenate([part[1] for part in parts]), np.concatenate([part[2] for part in parts])
            made.append(SeriesColumns(tuple(part[0] for part in parts), offsets, times, values))
    return made
