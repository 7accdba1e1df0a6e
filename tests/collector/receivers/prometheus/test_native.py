"""What native histograms observed since the last one: against single values put into bins."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.receivers.prometheus.native import NativeDeltas, NativeHistogram, NativeSample, Side, binned, increase
from monitor.model.batch import Floats, Ids
from monitor.model.series import KeySpace
from monitor.windows.bins import bins_of, middles_of

VALUES = st.lists(st.floats(-1e6, 1e6).filter(lambda value: value == 0 or abs(value) > 1e-3), max_size=30)


def grown(before: NativeHistogram, now: NativeHistogram) -> tuple[Ids, Floats, float]:
    """Bins, counts and sum of what one has more than the other."""
    offsets, bins, counts, sums = binned([increase(before, now)])
    assert offsets.tolist() == [0, len(bins)]
    return bins, counts, float(sums[0])


def side(counted: Counter[int]) -> Side:
    indices = sorted(counted)
    return Side(np.array(indices, np.int64), np.array([counted[index] for index in indices], np.float64))


def observed(values: list[float], schema: int) -> NativeHistogram:
    """The histogram of some values: the bucket of index i ends at 2^(i / 2^schema), inclusive."""
    signs: dict[int, Counter[int]] = {1: Counter(), -1: Counter()}
    for value in values:
        if value:
            index = math.ceil(math.log2(abs(value)) * 2.0**schema)
            signs[1 if value > 0 else -1][index] += 1
    return NativeHistogram(
        schema, len(values), sum(values), 0.0, sum(not value for value in values), side(signs[1]), side(signs[-1])
    )


@given(VALUES, VALUES, st.sampled_from([6, 7, 8]))
def test_fine_schemas_give_exactly_the_bins_of_the_new_values(before: list[float], further: list[float], schema: int) -> None:
    bins, counts, total = grown(observed(before, schema), observed(before + further, schema))
    expected = Counter(bins_of(np.array(further)).tolist())
    assert {int(held): count for held, count in zip(bins, counts, strict=True)} == pytest.approx(dict(expected))
    assert bool((np.diff(bins) > 0).all())
    assert total == pytest.approx(sum(before + further) - sum(before), abs=1e-6)


@given(VALUES, VALUES, st.integers(-4, 5))
def test_coarse_schemas_keep_every_count_within_its_bucket(before: list[float], further: list[float], schema: int) -> None:
    bins, counts, _ = grown(observed(before, schema), observed(before + further, schema))
    middles = middles_of(bins)
    assert bool((np.diff(bins) > 0).all())
    found: Counter[int] = Counter()
    for middle, count in zip(middles.tolist(), counts.tolist(), strict=True):
        assert count > 0
        place = 0 if middle == 0 else int(math.copysign(10_000 + math.ceil(math.log2(abs(middle)) * 2.0**schema), middle))
        found[place] += count
    expected: Counter[int] = Counter(
        0 if value == 0 else int(math.copysign(10_000 + math.ceil(math.log2(abs(value)) * 2.0**schema), value))
        for value in further
    )
    assert dict(found) == pytest.approx(dict(expected))


def test_a_count_that_fell_began_anew() -> None:
    bins, counts, total = grown(observed([1.5, 2.5, 2.5], 6), observed([9.0], 6))
    assert (bins.tolist(), counts.tolist(), total) == (bins_of(np.array([9.0])).tolist(), [1.0], 9.0)


def test_a_schema_that_became_coarser_merges_and_one_that_became_finer_began_anew() -> None:
    values = [1.1, 1.2, 3.0]
    _, counts, _ = grown(observed(values, 6), observed([*values, 5.0], 4))
    assert counts.sum() == pytest.approx(1.0)
    _, counts, _ = grown(observed(values, 4), observed([*values, 5.0], 6))
    assert counts.sum() == pytest.approx(4.0)


def test_a_zero_bucket_that_grew_takes_what_lies_in_it() -> None:
    before = observed([0.25, 3.0], 6)
    now = NativeHistogram(6, 3, 6.25, 0.5, 1.0, observed([3.0, 3.0], 6).positive, before.negative)
    bins, counts, total = grown(before, now)
    assert (bins.tolist(), counts.tolist(), total) == (bins_of(np.array([3.0])).tolist(), [1.0], 3.0)


def test_a_sum_that_is_no_number_is_made_of_the_bins() -> None:
    held = observed([4.0, 4.0], 6)
    broken = NativeHistogram(6, 2, math.nan, 0.0, 0.0, held.positive, held.negative)
    _, _, total = grown(observed([], 6), broken)
    assert total == pytest.approx(8.0, rel=0.01)


def test_the_first_histogram_of_a_series_and_the_first_after_a_gap_tell_nothing() -> None:
    deltas, space, ids, times = NativeDeltas(), KeySpace(raw=True), np.array([3], np.int32), np.array([1000.0])
    one, two = (NativeSample(0, math.nan, observed([1.0] * count, 6)) for count in (1, 3))
    assert deltas.batch(space, ids, times, [one]) is None
    found = deltas.batch(space, ids, times, [two])
    assert found is not None
    assert (found.ids.tolist(), found.counts.tolist(), found.sums.tolist(), found.offsets.tolist()) == ([3], [2.0], [2.0], [0, 1])
    assert deltas.batch(space, ids, times, [two]) is None, "nothing was observed"
    deltas.batch(space, ids[:0], times[:0], [])
    assert deltas.batch(space, ids, times, [one]) is None, "it was gone"


@given(st.lists(st.tuples(VALUES, VALUES, st.integers(-4, 8)), max_size=5))
def test_many_together_are_as_each_alone(rows: list[tuple[list[float], list[float], int]]) -> None:
    deltas, space, ids, times = (
        NativeDeltas(),
        KeySpace(raw=True),
        np.arange(len(rows), dtype=np.int32),
        np.arange(len(rows), dtype=np.float64),
    )
    deltas.batch(space, ids, times, [NativeSample(place, math.nan, observed(row[0], row[2])) for place, row in enumerate(rows)])
    samples = [NativeSample(place, math.nan, observed(row[0] + row[1], row[2])) for place, row in enumerate(rows)]
    batch = deltas.batch(space, ids, times, samples)
    found = {}
    if batch is not None:
        assert batch.times.tolist() == batch.ids.tolist()
        for series, first, end in zip(batch.ids.tolist(), batch.offsets, batch.offsets[1:], strict=False):
            found[series] = batch.bins[first:end].tolist(), batch.counts[first:end].tolist()
    alone = {}
    for place, (before, further, schema) in enumerate(rows):
        bins, counts, _ = grown(observed(before, schema), observed(before + further, schema))
        if len(bins):
            alone[place] = bins.tolist(), counts.tolist()
    assert found == alone
