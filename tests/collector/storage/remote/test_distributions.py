"""Distributions: what was observed second by second arrives as running totals, native or in classic buckets, nothing lost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.storage.remote.distributions import MOST_BOUNDS, MOST_BUCKETS, Distributions, Grown, classic_labels
from collector.storage.remote.packing import Columns
from monitor.model.matchers import Matcher
from monitor.query.evaluator import Evaluator
from monitor.query.histogram import Histogram
from monitor.query.history import Labels, stale_at
from monitor.query.memory import MemoryHistory
from monitor.windows.bins import bins_of
from tests.collector.storage.remote.receiver import (
    Receiver,
    Waits,
    knows_1_0_only,
    named,
    observe,
    receiving,
    sending,
    sent,
    until,
    writer_to,
)

LATENCY = named("latency", job="api")
OBSERVED = st.lists(st.one_of(st.floats(-1e9, 1e9, allow_subnormal=False), st.just(0.0), st.floats(0.001, 1000.0)), max_size=30)


def seconds_of(observed: list[list[float]], first: int = 1000, ref: int = 0) -> Columns:
    """Each list is one second's observations."""
    bins, counts, offsets = [], [], [0]
    for values in observed:
        found, times = np.unique(bins_of(np.array(values)), return_counts=True) if values else (np.empty(0, np.int32), [])
        bins.append(found)
        counts.append(np.array(times, np.float64))
        offsets.append(offsets[-1] + len(found))
    empty = Columns()
    return Columns(
        empty.refs,
        empty.times,
        empty.values,
        np.full(len(observed), ref, np.int64),
        first + 1000 * np.arange(len(observed)),
        np.array(offsets, np.int64),
        np.concatenate(bins).astype(np.int32) if bins else empty.bins,
        np.concatenate(counts) if counts else empty.counts,
        np.array([sum(values) for values in observed], np.float64),
    )


@settings(deadline=None)
@given(st.lists(st.lists(OBSERVED, min_size=1, max_size=4), min_size=1, max_size=4))
def test_native_histograms_hold_all_that_was_observed_until_then(batches: list[list[list[float]]]) -> None:
    distributions, until_now, first = Distributions(), 0, 1000
    total = 0.0
    for batch in batches:
        (grown,) = distributions.grown(seconds_of(batch, first))
        cells = distributions.native(grown)
        assert grown.times.tolist() == [first + 1000 * n for n in range(len(batch))]
        for values, cell in zip(batch, cells, strict=True):
            until_now += len(values)
            total += sum(values)
            assert cell.count == until_now == cell.counts.sum()
            assert cell.sum == pytest.approx(total, abs=1e-3)
            assert len(cell.positive.indices) + len(cell.negative.indices) <= MOST_BUCKETS
        first += 1000 * len(batch)


def test_what_comes_late_is_in_the_next_that_is_sent() -> None:
    distributions = Distributions()
    list(distributions.grown(seconds_of([[1.0], [1.0]], 5000)))
    (late,) = distributions.grown(seconds_of([[2.0, 2.0]], 3000))
    assert len(late.times) == 0
    (later,) = distributions.grown(seconds_of([[3.0]], 7000))
    assert [cell.count for cell in distributions.native(later)] == [5.0]


def test_a_wide_distribution_becomes_coarser_and_stays_so() -> None:
    distributions = Distributions()
    (wide,) = distributions.grown(seconds_of([np.geomspace(1e-6, 1e6, 2000).tolist()]))
    (cell,) = distributions.native(wide)
    assert 0 < len(cell.positive.indices) <= MOST_BUCKETS
    (more,) = distributions.grown(seconds_of([[1.0]], 9000))
    (after,) = distributions.native(more)
    assert after.schema == cell.schema < 6
    assert after.count == 2001


def classic_history(distributions: Distributions, batches: list[Columns]) -> MemoryHistory:
    history = MemoryHistory()
    for columns in batches:
        for grown in distributions.grown(columns):
            append_classic(history, distributions, grown)
    return history


def append_classic(history: MemoryHistory, distributions: Distributions, grown: Grown) -> None:
    for suffix, le, times, values in distributions.classic(grown):
        history.append(classic_labels(LATENCY, suffix, le), times, values)


@settings(deadline=None)
@given(st.lists(OBSERVED, min_size=1, max_size=6))
def test_classic_buckets_count_what_lies_below_their_bound(seconds: list[list[float]]) -> None:
    history = classic_history(Distributions(), [seconds_of(seconds)])
    observed = [value for values in seconds for value in values]
    at = 1000 * len(seconds)
    answer = Evaluator(history).instant("latency_bucket", at)
    assert answer.matrix is not None
    for labels, count in zip(answer.matrix.labels, answer.matrix.values[:, 0].tolist(), strict=True):
        bound = float(dict(labels)["le"].replace("Inf", "inf"))
        assert sum(value < bound * (1 - 1e-9) for value in observed) <= count or bound <= 0
        assert count <= sum(value <= bound + abs(bound) * 1e-9 for value in observed)
    assert len(answer.matrix.labels) <= 2 * MOST_BOUNDS


def test_quantiles_of_a_rate_are_right_though_buckets_begin_one_by_one() -> None:
    values = np.random.default_rng(7).lognormal(0, 1, (600, 20))
    batches = [seconds_of([second.tolist()], 1000 + 1000 * place) for place, second in enumerate(values)]
    history = classic_history(Distributions(), batches)
    evaluator = Evaluator(history)
    for quantile in (0.5, 0.9, 0.99):
        answer = evaluator.instant(f"histogram_quantile({quantile}, rate(latency_bucket[5m]))", 600_000)
        assert answer.matrix is not None
        expected = float(np.quantile(values[300:], quantile))
        assert answer.matrix.values[0, 0] == pytest.approx(expected, rel=0.1)
    counted = evaluator.instant("increase(latency_count[5m])", 600_000)
    assert counted.matrix is not None
    assert counted.matrix.values[0, 0] == pytest.approx(6000, rel=0.01)


def test_bounds_that_became_too_fine_end() -> None:
    distributions = Distributions()
    narrow = seconds_of([[1.0, 1.3, 1.7]])
    wide = seconds_of([np.geomspace(1e-3, 1e3, 500).tolist()], 2000)
    history = classic_history(distributions, [narrow, wide])
    name = Matcher("__name__", "=", "latency_bucket")
    from monitor.query.history import Hints

    ended = [
        labels
        for block in history.select([name], 0, 10_000, Hints()).blocks
        for labels, values in zip(block.labels, block.values, strict=True)
        if stale_at(values).any()
    ]
    assert ended
    last = Evaluator(history).instant("count(latency_bucket)", 2000)
    assert last.matrix is not None
    assert last.matrix.values[0, 0] <= MOST_BOUNDS + 2


async def test_a_receiver_of_2_0_gets_native_histograms(tmp_path: Path) -> None:
    async with receiving(Receiver()) as receiver:
        writer = writer_to(tmp_path, receiver.url, Waits())
        values = np.array([0.5, 0.5, 2.0])
        bins, counts = np.unique(bins_of(values), return_counts=True)
        observe(writer, LATENCY, 1000, {}, 0.0)
        observe(writer, LATENCY, 2000, dict(zip(bins.tolist(), counts.tolist(), strict=True)), 3.0)
        observe(writer, LATENCY, 3000, {int(bins[0]): 1.0}, 0.5)
        await sent(writer)
        cells = native(receiver, LATENCY)
        assert [(time, cell.count, cell.sum) for time, cell in cells] == [(1000, 0.0, 0.0), (2000, 3.0, 3.0), (3000, 4.0, 3.5)]
        assert writer.figures()["remote_written_total"] == 3


def native(receiver: Receiver, labels: Labels) -> list[tuple[int, Histogram]]:
    found = []
    for _, columns in receiver.requests:
        for place, each in enumerate(columns.labels):
            rows = range(int(columns.offsets[place]), int(columns.offsets[place + 1]))
            if each == labels and columns.histograms is not None:
                found += [(int(columns.times[row]), columns.histograms[row]) for row in rows]
    return found


async def test_a_receiver_of_1_0_gets_classic_buckets_count_and_sum(tmp_path: Path) -> None:
    async with receiving(Receiver(always=knows_1_0_only)) as receiver:
        writer = writer_to(tmp_path, receiver.url, Waits())
        one = int(bins_of(np.array([1.0]))[0])
        async with sending(writer):
            observe(writer, LATENCY, 1000, {}, 0.0)
            await until(lambda: writer.idle)
            observe(writer, LATENCY, 2000, {one: 3.0}, 3.0)
            await until(lambda: writer.idle)
        found = receiver.samples()
        assert found[named("latency_count", job="api")] == [(1000, 0.0), (2000, 3.0)]
        assert found[named("latency_sum", job="api")] == [(1000, 0.0), (2000, 3.0)]
        assert found[named("latency_bucket", job="api", le="+Inf")] == [(1000, 0.0), (2000, 3.0)]
        assert found[named("latency_bucket", job="api", le="1")] == [(1000, 0.0), (2000, 3.0)], "begun with what lay below"
