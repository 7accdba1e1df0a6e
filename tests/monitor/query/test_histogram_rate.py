"""Growth over windows is the same as adding up step by step, resets and changing buckets included."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.query.histogram import Buckets, Hint, Histogram
from monitor.query.histogram_math import add, cell, empty_cells, equal, subtract
from monitor.query.histogram_over_time import with_found_resets
from monitor.query.histogram_rate import changes, increase, is_reset, resets
from monitor.query.history import Cells


def series(draw: st.DrawFn) -> Cells:
    """A counter that now and then begins anew or gets other buckets."""
    schema, held = 1, {0: 0.0}
    found = []
    for _ in range(draw(st.integers(2, 12))):
        what = draw(st.sampled_from(("grow", "grow", "grow", "reset", "coarser")))
        if what == "reset":
            held = {}
        elif what == "coarser":
            schema, held = 0, held if schema == 0 else {-(-index // 2): 0.0 for index in held}
        for index in draw(st.lists(st.integers(-2, 4), max_size=3)):
            held = {**held, index: held.get(index, 0.0) + 1.0}
        indices = sorted(held)
        buckets = Buckets(np.array(indices, np.int32), np.array([held[i] for i in indices]))
        found.append(Histogram.of(schema, sum(held.values()), sum(held.values()) * 2, positive=buckets))
    cells = empty_cells(len(found))
    cells[:] = found
    return cells


def slow_increase(window: list[Histogram]) -> Histogram:
    """Prometheus' histogramRate, step by step."""
    first: Histogram | None = window[0]
    if is_reset(window[0], window[1]):
        first = None
    grown = cell(window[-1])
    for histogram in window[1:] if first is None else window:
        grown = subtract(add(grown, cell(histogram)).cells, cell(histogram)).cells  # brings it to the coarsest schema
    if first is not None:
        grown = subtract(grown, cell(first)).cells
    before = first
    for after in window[1:]:
        if before is not None and is_reset(before, after):
            grown = add(grown, cell(before)).cells
        before = after
    found: Histogram = grown[0]
    return found


@given(st.data())
def test_growth_over_windows_is_that_of_single_steps(data: st.DataObject) -> None:
    cells = data.draw(st.composite(series)())
    windows = data.draw(st.lists(st.tuples(st.integers(0, len(cells)), st.integers(0, len(cells))), min_size=1, max_size=6))
    starts, ends = (np.array([w[n] for w in windows], np.int64) for n in (0, 1))
    found = increase(cells, starts, ends)
    for n, (start, end) in enumerate(windows):
        if end - start < 2:
            assert found.cells[n] is None
            continue
        wanted = slow_increase(list(cells[start:end]))
        assert equal(cell(wanted), found.cells[n : n + 1]).all(), f"{wanted} != {found.cells[n]}"
        assert found.cells[n].hint == Hint.GAUGE
        assert found.first[n] == cells[start].count


@given(st.data())
def test_resets_of_a_series_are_those_of_neighbours(data: st.DataObject) -> None:
    cells = data.draw(st.composite(series)())
    wanted = [False, *(is_reset(a, b) for a, b in itertools.pairwise(cells))]
    assert resets(cells).tolist() == wanted
    hints = [h.hint for h in with_found_resets(cells)]
    assert hints == [Hint.UNKNOWN, *(Hint.RESET if reset else Hint.NO_RESET for reset in wanted[1:])]
    assert changes(cells)[1:].tolist() == [not equal(cell(a), cell(b))[0] for a, b in itertools.pairwise(cells)]


def counter(*held: float, hint: Hint = Hint.UNKNOWN, schema: int = 0, threshold: float = 0.0) -> Histogram:
    buckets = Buckets(np.arange(len(held), dtype=np.int32), np.array(held))
    return Histogram.of(schema, sum(held), zero_threshold=threshold, positive=buckets, hint=hint)


@pytest.mark.parametrize(
    ("before", "after", "reset"),
    [
        (counter(1, 2), counter(1, 3), False),
        (counter(1, 2), counter(2, 1), True),
        (counter(1, 2), counter(5), True),
        (counter(1, 2), counter(0, 9, hint=Hint.NO_RESET), False),
        (counter(1, 2), counter(9, 9, hint=Hint.RESET), True),
        (counter(1, 2), counter(1, 2, schema=1), True),
        (counter(1, 2, schema=1), counter(1, 2, schema=0), False),
        (counter(1, 2, threshold=0.1), counter(1, 2), True),
        (counter(1, 2), counter(1, 2, threshold=0.75), True),
    ],
)
def test_what_tells_that_a_counter_began_anew(before: Histogram, after: Histogram, reset: bool) -> None:
    assert is_reset(before, after) is reset


def test_gauges_among_counters_and_counters_among_gauges_are_told() -> None:
    cells = empty_cells(3)
    cells[:] = [counter(1), counter(2, hint=Hint.GAUGE), counter(3)]
    starts, ends = np.array([0]), np.array([3])
    assert increase(cells, starts, ends).gauges.tolist() == [True]
    assert increase(cells, starts, ends, counter=False).counters.tolist() == [True]


def test_a_window_of_exponential_and_custom_buckets_gives_nothing_but_says_so() -> None:
    custom = Histogram.of(-53, 1.0, positive=Buckets(np.array([0], np.int32), np.array([1.0])), custom_values=np.array([5.0]))
    cells = empty_cells(3)
    cells[:] = [counter(1), custom, counter(4)]
    found = increase(cells, np.array([0]), np.array([3]))
    assert found.cells[0] is None
    assert found.mixed[0]
