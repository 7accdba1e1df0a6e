"""What one tick costs: 10,000 series (2,000 distributions) at 1 Hz, all four windows and four quantiles asked at each."""

from __future__ import annotations

import resource
import time

import numpy as np

from monitor.engine import Engine
from monitor.model.batch import Batch
from monitor.model.series import KeySpace, Kind, series_key
from monitor.windows.frame import Frame
from tests.benchmarks.report import report

SERIES, DISTRIBUTIONS, COUNTERS = 10_000, 2_000, 4_000
WINDOWS = (60.0, 300.0, 900.0, 3600.0)
FIELDS = ("value", "last", "count", "sum", "min", "max", "mean", "rate", "per_minute", "p50", "p90", "p95", "p99", "age")
FILL, MEASURED = 3600, 120
BEGIN = 1_700_000_000


def space_of(series: int, distributions: int, counters: int) -> KeySpace:
    """A key space of distributions, counters and, for the rest, gauges."""
    space = KeySpace()
    for number in range(series):
        kind = Kind.DISTRIBUTION if number < distributions else Kind.COUNTER
        if number >= distributions + counters:
            kind = Kind.GAUGE
        space.add(series_key(f"bench.metric.{number % 100}", [("instance", str(number))]), kind)
    return space


def run() -> dict[str, object]:
    """CPU milliseconds of a tick with an hour of data behind it."""
    random = np.random.default_rng(7)
    space, engine = space_of(SERIES, DISTRIBUTIONS, COUNTERS), Engine()
    ids = np.arange(SERIES, dtype=np.int32)
    ticks, asks, ingest = [], [], []
    for second in range(FILL + MEASURED):
        values = np.exp(random.normal(3, 1, SERIES))
        times = np.full(SERIES, BEGIN + second + 0.5)
        ids = random.permutation(ids)
        batch = Batch(space, ids, values, times)
        began = time.process_time()
        engine.ingest(batch)
        ready = time.process_time()
        frame = engine.tick(BEGIN + second + 1)
        ticked = time.process_time()
        if second >= FILL:
            ask(engine, frame)
            ingest.append(ready - began)
            ticks.append(ticked - ready)
            asks.append(time.process_time() - ticked)
    return summary(ticks[10:], asks[10:])


def ask(engine: Engine, frame: Frame) -> None:
    """Every field over every window."""
    for window in WINDOWS:
        for field in FIELDS:
            engine.column(field, window, frame.rows)


def summary(ticks: list[float], asks: list[float]) -> dict[str, object]:
    whole = np.array(ticks) + np.array(asks)
    return {
        "series": SERIES,
        "distributions": DISTRIBUTIONS,
        "ms_median": round(float(np.median(whole)) * 1e3, 2),
        "ms_p95": round(float(np.quantile(whole, 0.95)) * 1e3, 2),
        "ms_max": round(float(whole.max()) * 1e3, 2),
        "tick_ms_median": round(float(np.median(ticks)) * 1e3, 2),
        "columns_ms_median": round(float(np.median(asks)) * 1e3, 2),
        "rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "ingest_cpu_s_per_million": round(ingest_cost(), 3),
    }


def ingest_cost() -> float:
    """CPU seconds that a million points of 10,000 series cost in ingest and tick, in one second of data by the 100,000."""
    random = np.random.default_rng(11)
    space, engine = space_of(SERIES, DISTRIBUTIONS, COUNTERS), Engine()
    batches = []
    for second in range(11):
        for _ in range(10):
            ids = random.integers(0, SERIES, 10_000).astype(np.int32)
            times = BEGIN + second + np.sort(random.random(10_000))
            batches.append(Batch(space, ids, np.exp(random.normal(3, 1, 10_000)), times))
    spent = 0.0
    for second in range(11):
        began = time.process_time()
        for batch in batches[second * 10 : second * 10 + 10]:
            engine.ingest(batch)
        engine.tick(BEGIN + second + 1)
        # The first second gives all series their rows, which is not the cost of a point.
        spent += time.process_time() - began if second else 0.0
    return spent


if __name__ == "__main__":
    report("tick", run(), {"ms_median": (60, 25)})
