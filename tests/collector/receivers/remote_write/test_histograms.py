"""Native histograms become what was observed since the one before, in the product's bins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.receivers.remote_write.found import Refused
from collector.receivers.remote_write.histograms import HistogramCounters, HistogramReadings, in_bins
from monitor.model.batch import HistogramBatch
from monitor.model.series import KeySpace, Kind, SeriesKey
from monitor.query.histogram import CUSTOM_SCHEMA, Buckets, Hint, Histogram
from monitor.query.history import STALE
from monitor.windows.bins import bins_of
from tests.collector.protobuf.messages import histograms

VALUES = st.lists(st.one_of(st.floats(1e-300, 1e300), st.floats(-1e300, -1e-300), st.just(0.0)), max_size=30)


def of_values(values: list[float], schema: int, hint: Hint = Hint.UNKNOWN) -> Histogram:
    """As an instrumented program counts, value by value; a bucket's index is that of the first upper bound not below."""

    def buckets(found: list[float]) -> Buckets:
        exponents = np.ceil(np.log2(np.array(found)) * 2.0**schema).astype(np.int32) if found else np.empty(0, np.int32)
        indices, counts = np.unique(exponents, return_counts=True)
        return Buckets(indices, counts.astype(np.float64))

    return Histogram.of(
        schema,
        len(values),
        sum(values),
        zero_count=values.count(0.0),
        positive=buckets([value for value in values if value > 0]),
        negative=buckets([-value for value in values if value < 0]),
        hint=hint,
    )


class Series:
    """One series of histograms."""

    def __init__(self) -> None:
        self.counters, self.refused = HistogramCounters(), Refused()
        space = KeySpace(raw=True)
        space.add(SeriesKey("seconds", ()), Kind.DISTRIBUTION)
        self.readings = HistogramReadings(space, self.counters)

    def says(self, time: int, histogram: Histogram) -> dict[int, float] | None:
        """Counts by bin of what was observed since; None where nothing can be said."""
        batches, _, self.undo = self.readings.take([(0, time, histogram)], self.refused)
        return counts(batches[0]) if batches else None


def counts(batch: HistogramBatch) -> dict[int, float]:
    assert batch.offsets.tolist() == [0, len(batch.bins)]
    assert (np.diff(batch.bins) > 0).all()
    return dict(zip(batch.bins.tolist(), batch.counts.tolist(), strict=True))


@given(VALUES, VALUES, st.sampled_from([6, 7, 8]))
def test_from_schema_6_up_the_bins_are_those_of_the_values_themselves(
    before: list[float], since: list[float], schema: int
) -> None:
    series = Series()
    assert series.says(1, of_values(before, schema)) is None
    found = series.says(2, of_values(before + since, schema))
    bins, numbers = np.unique(bins_of(np.array(since)), return_counts=True)
    told = dict(zip(bins.tolist(), numbers.astype(float).tolist(), strict=True))
    # Rounding of a logarithm may put a value that is a bound into the next bin.
    assert found is not None
    assert sum(found.values()) == len(since)
    assert sum(abs(found.get(n, 0) - told.get(n, 0)) for n in found.keys() | told.keys()) <= 2 * sum(
        abs(np.log2(abs(v)) * 256 - round(np.log2(abs(v)) * 256)) < 1e-9 for v in since if v
    )


@given(st.floats(1e-200, 1e200), st.integers(-4, 5))
def test_an_observation_of_a_coarser_bucket_is_in_its_middle(value: float, schema: int) -> None:
    bins, numbers = in_bins(of_values([value], schema).stack)
    assert (len(bins), numbers.tolist()) == (1, [1.0])
    assert abs(int(bins[0]) - int(bins_of(np.array([value]))[0])) <= 2 ** (6 - schema) // 2 + 2 ** (6 - schema) // 16 + 1


@given(histograms())
def test_any_histogram_has_bins_and_loses_no_observation(histogram: Histogram) -> None:
    bins, numbers = in_bins(histogram.stack)
    assert (np.diff(bins) > 0).all()
    assert numbers.sum() == pytest.approx(histogram.counts.sum())


@given(VALUES, VALUES, st.integers(0, 8), st.integers(0, 8))
def test_a_change_of_schema_loses_nothing(before: list[float], since: list[float], first: int, second: int) -> None:
    series = Series()
    series.says(1, of_values(before, first))
    found = series.says(2, of_values(before + since, second))
    assert found is not None
    assert sum(found.values()) in (pytest.approx(len(since)), pytest.approx(len(before) + len(since)))
    if second <= first:
        assert sum(found.values()) == pytest.approx(len(since))


def test_after_a_reset_everything_was_observed_since() -> None:
    series = Series()
    series.says(1, of_values([1.0, 2.0, 4.0], 6))
    assert sum((series.says(2, of_values([2.0], 6)) or {}).values()) == 1
    assert sum((series.says(3, of_values([2.0, 3.0], 6, Hint.RESET)) or {}).values()) == 2


def test_a_staleness_marker_ends_the_counting() -> None:
    series = Series()
    series.says(1, of_values([1.0], 6))
    assert series.says(2, Histogram.of(6, sum=STALE)) is None
    assert series.says(3, of_values([1.0, 2.0], 6)) is None
    assert sum((series.says(4, of_values([1.0, 2.0, 3.0], 6)) or {}).values()) == 1


def test_what_is_not_newer_is_counted_and_left_out() -> None:
    series = Series()
    series.says(2, of_values([1.0], 6))
    assert series.says(2, of_values([1.0, 2.0], 6)) is None
    assert series.counters.unordered == 1


def test_gauge_histograms_are_refused_with_their_name() -> None:
    series = Series()
    assert series.says(1, of_values([1.0], 6, Hint.GAUGE)) is None
    assert "seconds: gauge histograms" in series.refused.first


def test_what_nobody_took_may_come_again() -> None:
    series = Series()
    series.says(1, of_values([1.0], 6))
    for _ in range(2):
        assert sum((series.says(2, of_values([1.0, 2.0], 6)) or {}).values()) == 1
        series.undo()


def test_custom_bounds_count_between_them_by_value() -> None:
    buckets = Buckets(np.array([0, 1, 2], np.int32), np.array([1.0, 2.0, 4.0]))
    bins, numbers = in_bins(Histogram.of(CUSTOM_SCHEMA, 7, positive=buckets, custom_values=np.array([2.0, 4.0])).stack)
    places = [15 / 16, 2 + 2 * 3.5 / 16, 2 + 2 * 11.5 / 16, 4.0]
    assert dict(zip(bins.tolist(), numbers.tolist(), strict=True)) == dict(
        zip(bins_of(np.array(places)).tolist(), [1.0, 1.0, 1.0, 4.0], strict=True)
    )


def test_no_request_fills_memory_with_bins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.receivers.remote_write.histograms.MOST_BINS", 20_000)
    series = Series()
    wide = Buckets(np.arange(-60, 60, dtype=np.int32), np.ones(120))
    found = [(0, time, Histogram.of(-4, 120 * time, positive=Buckets(wide.indices, wide.counts * time))) for time in range(1, 60)]
    batches, _, _ = series.readings.take(found, series.refused)
    assert len(batches[0].bins) <= 20_000
    assert "bins; send it in parts" in series.refused.first
