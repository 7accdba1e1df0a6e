"""What sampling costs: CPU seconds a million spans or samples.

Spans as `tests.benchmarks.traces` makes them, in requests of a hundred, five thousand spans a second of their own clock.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from collector.inflow import Inflow
from collector.sampling import Sampling
from monitor.model.batch import Batch
from monitor.model.series import KeySpace, Kind, series_key
from monitor.model.spans import Spans
from monitor.pipeline.sampling import head_sampled
from monitor.pipeline.tail import TailPolicies, TailSampler
from monitor.pipeline.thinning import thin
from monitor.settings.load import load_settings
from tests.benchmarks.report import Bars, report
from tests.benchmarks.traces import spans_of

BARS: Bars = {"tail_cpu_s_per_million": (10.0, 5.0), "thin_cpu_s_per_million": (0.5, None)}
COUNT, RATE, EACH = 200_000, 5_000, 100


def requests() -> Iterator[tuple[float, Spans]]:
    for number, spans in enumerate(spans_of(COUNT, COUNT // RATE, EACH / RATE)):
        yield number * EACH / RATE, spans


def head() -> float:
    given = list(requests())
    began = time.process_time()
    for _, spans in given:
        head_sampled(spans, 0.25)
    return (time.process_time() - began) / COUNT * 1e6


def tail() -> tuple[float, float]:
    """Seconds a million, and of the longest call."""
    sampler, longest = TailSampler(TailPolicies(slower_than=1.0, rare=3)), 0.0
    given = list(requests())
    began = time.process_time()
    for now, spans in given:
        before = time.process_time()
        sampler.take(spans, now)
        longest = max(longest, time.process_time() - before)
    return (time.process_time() - began) / COUNT * 1e6, longest


def journalled() -> tuple[float, float]:
    """Seconds a million with the journal, without forcing it to disk, and its bytes a span."""
    now, most = 0.0, 0.0
    settings = load_settings("tail = true", "bench.toml", {})
    with tempfile.TemporaryDirectory() as folder:
        sampling = Sampling(settings, Path(folder), lambda spans: True, lambda: now)
        given = list(requests())
        began = time.process_time()
        for now, spans in given:
            sampling.take(spans)
            if sampling.unsettled:
                sampling.commit(lambda: True)
            held = sampling.figures()
            most = max(most, held["tail_held_bytes"] / max(held["tail_held_spans"], 1.0)) if now > 10 else most
        seconds = (time.process_time() - began) / COUNT * 1e6
        sampling.stop()
        sampling.close()
    return seconds, most


def samples(count: int) -> Batch:
    space, chance = KeySpace(), np.random.default_rng(3)
    for number in range(1000):
        space.add(series_key(f"timer-{number}"), (Kind.DISTRIBUTION, Kind.COUNTER)[number % 2])
    return Batch(space, chance.integers(0, 1000, count).astype(np.int32), chance.random(count), np.zeros(count))


def thinned() -> float:
    batch, random = samples(50_000), np.random.default_rng(4)
    began = time.process_time()
    for _ in range(20):
        thin(batch, 0.1, random)
    return time.process_time() - began


def pressed() -> float:
    batch, inflow = samples(50_000), Inflow(most=1_000_000)
    began = time.process_time()
    for _ in range(20):
        inflow.take([batch])
    return time.process_time() - began


def main() -> None:
    """Measure and report."""
    seconds, longest = tail()
    with_journal, size = journalled()
    figures = {
        "head_cpu_s_per_million": head(),
        "tail_cpu_s_per_million": seconds,
        "tail_longest_call_ms": longest * 1000,
        "tail_with_journal_cpu_s_per_million": with_journal,
        "journal_bytes_a_held_span": size,
        "thin_cpu_s_per_million": thinned(),
        "inflow_pressed_cpu_s_per_million": pressed(),
    }
    report("sampling", {name: round(value, 3) for name, value in figures.items()}, BARS)


if __name__ == "__main__":
    main()
