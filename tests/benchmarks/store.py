"""What the embedded history costs: bytes and CPU seconds a sample, milliseconds a query, for 1,000 host-like series of 24 hours.

The clock is the data's, so that the last hours lie in memory and small chunks as they do in a running collector, and the hours
before in merged ones.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from collector.storage.history.settings import HistorySettings
from collector.storage.history.store import HistoryStore
from monitor.model.matchers import Matcher
from monitor.model.series import Kind
from monitor.query.evaluator import Evaluator
from monitor.query.history import Hints, Labels
from tests.benchmarks.report import Bars, report

STEP = 15_000
HOUR = 3_600_000
BARS: Bars = {
    "bytes_per_sample": (0.85, 0.70),
    "ingest_cpu_s_per_million": (None, 1.0),
    "sum_1000_1h_ms": (40, 15),
    "sum_1000_24h_ms": (150, 60),
}
Values = npt.NDArray[np.float64]


def host_series(count: int, size: int) -> tuple[Values, list[str]]:
    """Values float64[count, size] as a host's metrics move, and what each series is."""
    chance = np.random.default_rng(11)
    values, kinds = np.empty((count, size)), []
    for row in range(count):
        kind = row % 10
        if kind < 4:
            kinds.append("counter")
            values[row] = np.cumsum(chance.poisson(chance.lognormal(2, 1.5), size)) + chance.integers(0, 1_000_000)
        elif kind < 6:
            kinds.append("gauge2")
            walk = 50 + np.cumsum(chance.normal(0, 0.6, size)) * 0.5 + 8 * np.sin(np.arange(size) / 900)
            values[row] = np.round(np.clip(walk, 0, 1e3), 2)
        elif kind == 6:
            kinds.append("cpusec")
            values[row] = np.cumsum(np.round(chance.gamma(2, 0.05 * STEP / 1000, size), 2))
        elif kind == 7:
            kinds.append("bytes")
            values[row] = (chance.integers(100_000, 4_000_000) + np.cumsum(chance.integers(-300, 300, size))) * 4096.0
        elif kind == 8:
            kinds.append("slow")
            values[row] = np.repeat(chance.integers(0, 40, size // 20 + 1), 20)[:size]
        else:
            kinds.append("const")
            values[row] = float(chance.integers(0, 1_000_000_000))
    return values, kinds


def labels_of(row: int, kind: str) -> Labels:
    return (("__name__", "host_metric"), ("host", f"web{row // 100:02d}"), ("id", str(row)), ("kind", kind))


def ingest(store: HistoryStore, clock: list[float], times: npt.NDArray[np.int64], columns: Values, kinds: list[str]) -> float:
    """CPU seconds a million samples: scrape by scrape (float64[T, S]), each committed, and the background work that falls due."""
    labels = [labels_of(row, kind) for row, kind in enumerate(kinds)]
    refs = store.intern(labels, [Kind.COUNTER if kind in ("counter", "cpusec") else Kind.GAUGE for kind in kinds])
    began = time.process_time()
    for at, moment in enumerate(times.tolist()):
        clock[0] = moment / 1000
        store.append(refs, np.full(len(refs), moment), columns[at])
        store.commit()
        if at % 240 == 239:  # an hour
            store.fold()
            store.step()
    return (time.process_time() - began) / columns.size * 1e6


def latency(ask: Callable[[], object], rounds: int) -> float:
    """Median milliseconds."""
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        ask()
        taken.append((time.perf_counter() - began) * 1000)
    return round(sorted(taken)[len(taken) // 2], 2)


def queries(store: HistoryStore, end: int, rounds: int) -> dict[str, float]:
    """Range queries through the evaluator, and what of them the history alone takes."""
    evaluator = Evaluator(store)
    everything = [Matcher("__name__", "=", "host_metric")]
    hour = Hints(step=STEP, first=end - HOUR, range=0)
    day = Hints(step=60_000, first=end - 24 * HOUR + 60_000)
    asked: dict[str, Callable[[], object]] = {
        "select_1000_1h_ms": partial(store.select, everything, end - HOUR, end, hour),
        "select_1000_24h_ms": partial(store.select, everything, end - 24 * HOUR, end, day),
        "one_1h_ms": partial(evaluator.range, 'host_metric{id="123"}', end - HOUR, end, STEP),
        "one_24h_ms": partial(evaluator.range, 'host_metric{id="123"}', end - 24 * HOUR + 60_000, end, 60_000),
        "sum_1000_1h_ms": partial(evaluator.range, "sum by (kind) (host_metric)", end - HOUR, end, STEP),
        "sum_1000_24h_ms": partial(evaluator.range, "sum by (kind) (host_metric)", end - 24 * HOUR + 60_000, end, 60_000),
        "rate_1000_1h_ms": partial(evaluator.range, "sum by (kind) (rate(host_metric[5m]))", end - HOUR, end, STEP),
    }
    return {name: latency(ask, rounds) for name, ask in asked.items()}


def main() -> None:
    """Print one JSON line. The history caches no decoded samples: queries are cold but for the files, which the system caches."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=1000)
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=11)
    arguments = parser.parse_args()
    start = 1_764_000_000_000 // HOUR * HOUR
    values, kinds = host_series(arguments.series, arguments.hours * HOUR // STEP)
    columns = np.ascontiguousarray(values.T)
    times = start + np.arange(values.shape[1], dtype=np.int64) * STEP
    end = int(times[-1])
    folder = Path(tempfile.mkdtemp(prefix="history"))
    clock = [start / 1000]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        store = HistoryStore(folder, HistorySettings(quiet=0.0), clock=lambda: clock[0])
        cpu = ingest(store, clock, times, columns, kinds)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        live = queries(store, end, arguments.rounds)
        clock[0] += 48 * 3600
        began = time.process_time()
        for _ in range(3):
            store.fold()
            store.step()
        compaction = (time.process_time() - began) / values.size * 1e6
        store._opened.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        stats = store.stats()
        merged = queries(store, end, arguments.rounds)
        store.close()
    finally:
        shutil.rmtree(folder)
    report(
        "store",
        {
            "samples": values.size,
            "bytes_per_sample": round(size / values.size, 3),
            "raw_bytes_per_sample": round(stats["raw_bytes"] / values.size, 3),
            "ingest_cpu_s_per_million": round(cpu, 3),
            "compaction_cpu_s_per_million": round(compaction, 3),
            "memory_mib": round(memory / 1024, 1),
            **live,
            **{f"merged_{name}": taken for name, taken in merged.items()},
        },
        BARS,
    )


if __name__ == "__main__":
    main()
