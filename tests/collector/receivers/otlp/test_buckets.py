"""Where observations of other histograms are put: totals are exact, and every place lies in its bucket."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from collector.receivers.otlp.buckets import (
    Buckets,
    binned,
    buckets_of,
    coarser,
    difference,
    zero_widened,
)
from monitor.windows.bins import bins_of, middles_of
from monitor.windows.spread import explicit_bins

counts = st.lists(st.integers(0, 1000), max_size=40).map(lambda found: np.array(found, np.float64))
exponential = st.builds(
    lambda scale, zero, offset, above, below: buckets_of(scale, zero, (offset, above), (offset, below)),
    st.integers(-4, 12),
    st.integers(0, 5),
    st.integers(-60, 60),
    counts,
    counts,
)


@given(
    st.lists(
        st.floats(-1e6, 1e6).filter(lambda bound: bound == 0 or abs(bound) > 1e-6), min_size=1, max_size=10, unique=True
    ).map(sorted)
)
def test_places_lie_between_the_bounds(bounds: list[float]) -> None:
    bins = explicit_bins(np.array(bounds))
    for bucket in range(1, len(bounds)):
        low, high = bins_of(np.array(bounds[bucket - 1 : bucket + 1]))
        assert ((bins[bucket] >= low) & (bins[bucket] <= high)).all()
    assert (bins[-1] == bins_of(np.array(bounds[-1:]))).all()
    assert (bins[0] <= bins_of(np.array(bounds[:1]))).all()


def test_the_least_and_greatest_observation_bound_the_outer_buckets() -> None:
    bins = explicit_bins(np.array([1.0, 10.0]), 0.9, 12.0)
    assert bins[0].min() >= bins_of(np.array([0.9]))[0]
    assert bins[2].max() <= bins_of(np.array([12.0]))[0]
    assert bins[2].min() >= bins_of(np.array([10.0]))[0]


@given(exponential, st.integers(0, 10))
def test_a_coarser_scale_has_the_same_observations(buckets: Buckets, steps: int) -> None:
    found = coarser(buckets, buckets.scale - steps)
    assert found.counts.sum() == buckets.counts.sum()
    slow: dict[int, float] = {}
    offset = 1 << 33
    for key, count in zip(buckets.keys.tolist(), buckets.counts.tolist(), strict=True):
        index = (abs(key) - offset) >> steps
        coarse = 0 if key == 0 else int(math.copysign(index + offset, key))
        slow[coarse] = slow.get(coarse, 0.0) + count
    assert dict(zip(found.keys.tolist(), found.counts.tolist(), strict=True)) == slow


@given(exponential)
def test_every_observation_is_put_within_its_bucket(buckets: Buckets) -> None:
    assert binned(buckets)[1].sum() == buckets.counts.sum()
    for place in range(len(buckets.keys)):
        one = Buckets(buckets.scale, buckets.keys[place : place + 1], buckets.counts[place : place + 1])
        key, middles = int(one.keys[0]), np.abs(middles_of(binned(one)[0]))
        if key:
            index = abs(key) - (1 << 33)
            base = 2.0 ** (2.0**-buckets.scale)
            widest = 2.0 ** (1 / 64)
            low, high = _power(base, index), _power(base, index + 1)
            assert ((middles >= low / widest) & (middles <= high * widest)).all() or high > 1e300 or low < 1e-300


def _power(base: float, exponent: int) -> float:
    try:
        return base**exponent
    except OverflowError:
        return math.inf


@given(exponential, exponential)
def test_what_was_added_is_the_difference_whatever_the_scales(before: Buckets, more: Buckets) -> None:
    scale = min(before.scale, more.scale)
    first, second = coarser(before, scale), coarser(more, scale)
    keys = np.union1d(first.keys, second.keys)
    both = np.zeros(len(keys))
    both[np.searchsorted(keys, first.keys)] += first.counts
    both[np.searchsorted(keys, second.keys)] += second.counts
    found = difference(Buckets(scale, keys, both), before)
    assert found is not None
    assert dict(zip(found.keys.tolist(), found.counts.tolist(), strict=True)) == dict(
        zip(second.keys.tolist(), second.counts.tolist(), strict=True)
    )


def test_a_bucket_that_fell_is_a_reset() -> None:
    before = buckets_of(0, 0, (0, np.array([1.0, 5.0])), (0, np.empty(0)))
    assert difference(buckets_of(0, 0, (0, np.array([9.0, 4.0])), (0, np.empty(0))), before) is None


def test_a_wider_zero_bucket_takes_in_what_lies_below_it() -> None:
    before = buckets_of(0, 1, (-4, np.array([2.0, 3.0, 4.0])), (-4, np.array([5.0])))
    found = zero_widened(before, 0.125)  # buckets end at 0.125, 0.25, 0.5
    assert dict(zip(found.keys.tolist(), found.counts.tolist(), strict=True)) == {
        0: 8.0,
        (1 << 33) - 3: 3.0,
        (1 << 33) - 2: 4.0,
    }


def test_indices_beyond_all_doubles_stay_within_the_bins() -> None:
    for scale in (-10, -4, 0, 6, 20):
        for offset in (-(2**31), 2**31 - 2):
            bins, _ = binned(buckets_of(scale, 0, (offset, np.array([3.0])), (offset, np.array([3.0]))))
            assert np.isfinite(bins).all()
            assert (np.abs(bins) < 1 << 18).all()
