"""Queries of native histograms: a range query is its instant queries, and quantiles of rates are those of what was observed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.query.evaluator import Evaluator
from monitor.query.histogram import Buckets, Hint, Histogram, Stack, from_bins
from monitor.query.history import STALE, Answer, Labels
from monitor.query.memory import MemoryHistory
from monitor.windows.bins import bins_of
from tests.promqltest.compare import almost_equal, rows_of, same_histogram

MINUTE = 60_000
QUERIES = (
    "h",
    "rate(h[3m])",
    "increase(h[5m])",
    "irate(h[3m])",
    "delta(h[4m])",
    "idelta(h[4m])",
    "sum(h)",
    "avg(h)",
    "sum by (n) (rate(h[4m]))",
    "sum_over_time(h[3m])",
    "avg_over_time(h[3m])",
    "last_over_time(h[3m])",
    "resets(h[5m])",
    "changes(h[5m])",
    "count_over_time(h[3m])",
    "histogram_quantile(0.7, h)",
    "histogram_quantile(0.7, sum(rate(h[5m])))",
    "histogram_fraction(-1, 2, rate(h[5m]))",
    "histogram_count(h) + histogram_sum(h)",
    "histogram_stddev(h)",
    "histogram_avg(increase(h[3m]))",
    "h + h",
    "h - rate(h[3m])",
    "h * 2 / 3",
    "h >/ 1",
    "h </ 1.5",
    "h == h",
    "h unless histogram_count(h) > 5",
    "rate(h[5m:1m])",
    "max_over_time(histogram_quantile(0.5, h)[5m:2m])",
    'count_values("v", h)',
)


@st.composite
def histograms(draw: st.DrawFn) -> Histogram:
    counts = np.array(draw(st.lists(st.integers(0, 4), min_size=1, max_size=4)), np.float64)
    indices = (np.arange(len(counts)) + draw(st.integers(-1, 1))).astype(np.int32)
    if draw(st.integers(0, 5)) == 0:
        bounds = np.array(draw(st.sampled_from(([1.0, 2.0], [1.0, 2.0, 4.0], [2.0]))))
        counts = counts[: len(bounds) + 1]
        buckets = Buckets(np.arange(len(counts), dtype=np.int32), counts)
        return Histogram.of(-53, float(counts.sum()), 3.0, positive=buckets, custom_values=bounds)
    return Histogram.of(
        draw(st.sampled_from((0, 0, 0, 1))),
        float(counts.sum()) + 1,
        draw(st.sampled_from((3.0, -1.0))),
        zero_threshold=draw(st.sampled_from((0.0, 0.0, 0.3))),
        zero_count=1.0,
        positive=Buckets(indices, counts),
        hint=draw(st.sampled_from((Hint.UNKNOWN, Hint.UNKNOWN, Hint.NO_RESET, Hint.RESET, Hint.GAUGE))),
    )


@st.composite
def histories(draw: st.DrawFn) -> MemoryHistory:
    """Up to three series of histograms, floats, gaps and staleness markers."""
    history = MemoryHistory()
    for number in range(draw(st.integers(1, 3))):
        labels: Labels = (("__name__", "h"), ("n", str(number % 2)), ("s", str(number)))
        few = draw(st.lists(histograms(), min_size=1, max_size=3))
        for minute in range(10):
            what = draw(st.integers(0, 11))
            time = np.array([minute * MINUTE + 10_000])
            if what < 8:
                history.append_histograms(labels, time, [few[what % len(few)]])
            elif what < 10:
                history.append(labels, time, np.array([float(what) if what == 8 else STALE]))
    return history


def cells_at(answer: Answer, time: int) -> dict[Labels, object]:
    assert answer.matrix is not None
    return {labels: row[time] for labels, row in rows_of(answer.matrix) if time in row}


@settings(max_examples=60, deadline=None)
@given(histories(), st.sampled_from(QUERIES))
def test_a_range_query_is_its_instant_queries(history: MemoryHistory, query: str) -> None:
    evaluator = Evaluator(history)
    ranged = evaluator.range(query, 0, 12 * MINUTE, MINUTE)
    for time in range(0, 12 * MINUTE + 1, MINUTE):
        one, many = cells_at(evaluator.instant(query, time), time), cells_at(ranged, time)
        assert one.keys() == many.keys(), f"at {time}"
        for labels, wanted in one.items():
            got = many[labels]
            if isinstance(wanted, Histogram):
                assert isinstance(got, Histogram)
                assert same_histogram(wanted, got, with_hint=query != "h"), f"at {time}: {wanted} {got}"
            else:
                assert almost_equal(float(wanted), float(got)), f"at {time}"  # type: ignore[arg-type]  # floats, then


def test_a_quantile_of_a_rate_is_that_of_what_was_observed() -> None:
    random = np.random.default_rng(7)
    history, seen = MemoryHistory(), np.exp(random.normal(0, 1, (30, 500)))
    bins, places = np.unique(bins_of(seen.reshape(-1)), return_inverse=True)
    counts = np.zeros((30, len(bins)))
    np.add.at(counts, (np.repeat(np.arange(30), 500), places.reshape(-1)), 1.0)
    running = counts.cumsum(axis=0)
    cells = [from_bins(bins, row, row.sum(), 0.0) for row in running]
    history.append_histograms((("__name__", "latency"),), np.arange(30) * 10_000, cells)
    answer = Evaluator(history).instant("histogram_quantile(0.99, rate(latency[4m]))", 290_000)
    assert answer.matrix is not None
    exact = np.quantile(seen[7:], 0.99, method="inverted_cdf")
    assert answer.matrix.values[0, 0] == pytest.approx(exact, rel=0.011)


def test_a_series_that_is_one_matrix_is_answered_without_a_copy_a_histogram() -> None:
    layout = Histogram.of(0, positive=Buckets(np.arange(4, dtype=np.int32), np.zeros(4))).layout
    counts = np.arange(300.0).reshape(50, 6)[:, : layout.width].cumsum(axis=0)
    stack = Stack(layout, counts, counts.sum(axis=1), counts.sum(axis=1), np.zeros(50, np.int8))
    history = MemoryHistory()
    history.append_histograms((("__name__", "h"),), np.arange(50) * MINUTE, list(stack.cells()))
    matrix = Evaluator(history).range("rate(h[2m])", 0, 49 * MINUTE, MINUTE).matrix
    assert matrix is not None
    assert matrix.histograms is not None
    cells = [cell for cell in matrix.histograms[0] if cell is not None]
    assert len(cells) == 49
    assert len({id(cell.stack) for cell in cells}) == 1
