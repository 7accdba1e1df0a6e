"""Lines as dots: against a slow reference, with gaps, and standing still between shifts."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ui.terminal.braille import ascii_points, extent, line_bits, snap

VALUES = st.lists(st.one_of(st.floats(-50, 150), st.just(float("nan"))), min_size=1, max_size=40)


def slow_columns(times: list[float], values: list[float], columns: int, x: tuple[float, float]) -> set[int]:
    """Dot columns that a polyline crosses or has a sample in, one column at a time."""
    found: set[int] = set()
    place = [(t - x[0]) / (x[1] - x[0]) * columns for t in times]
    for i, (at, value) in enumerate(zip(place, values, strict=True)):
        if value != value:
            continue
        if 0 <= at < columns:
            found.add(int(at))
        if i and values[i - 1] == values[i - 1]:
            found |= {c for c in range(columns) if place[i - 1] <= c + 0.5 <= at}
    return found


@given(VALUES, st.integers(1, 30), st.floats(0.3, 5.0))
@settings(max_examples=80, deadline=None)
def test_the_line_is_where_its_samples_and_segments_are(values: list[float], columns: int, step: float) -> None:
    times = np.arange(len(values), dtype=np.float64) * step
    x = (0.0, 20.0)
    top, low = extent(times, np.array(values), x, (0.0, 100.0), columns, 16)
    drawn = set(np.flatnonzero(low >= 0).tolist())
    expected = slow_columns(times.tolist(), values, columns, x)
    assert expected <= drawn
    assert all(0 <= top[c] <= low[c] < 16 for c in drawn)
    assert all(top[c] == -1 for c in range(columns) if c not in drawn)


@given(VALUES)
@settings(max_examples=60, deadline=None)
def test_every_sample_lies_within_its_column(values: list[float]) -> None:
    times = np.arange(len(values), dtype=np.float64) * 0.4
    top, low = extent(times, np.array(values), (0.0, 10.0), (0.0, 100.0), 12, 20)
    for t, value in zip(times, values, strict=True):
        column = int(t / 10.0 * 12)
        if value == value and column < 12:
            row = round((1 - min(100.0, max(0.0, value)) / 100.0) * 19)
            assert top[column] - 1 <= row <= low[column] + 1


def test_a_gap_is_a_gap() -> None:
    times = np.arange(0.0, 60.0)
    values = np.where((times >= 20) & (times < 40), np.nan, 50.0)
    bits = line_bits(times, values, (0.0, 60.0), (0.0, 100.0), 30, 4)
    assert bits[:, :9].any()
    assert not bits[:, 11:19].any()
    assert bits[:, 21:].any()


def test_a_steep_edge_stays_one_line() -> None:
    times = np.arange(0.0, 20.0)
    values = np.where(times < 10, 0.0, 100.0)
    top, low = extent(times, values, (0.0, 20.0), (0.0, 100.0), 20, 40)
    for a, b in zip(range(19), range(1, 20), strict=True):
        assert top[b] <= low[a] + 1
        assert low[b] >= top[a] - 1


def test_values_beyond_the_axis_lie_on_its_edge() -> None:
    bits = line_bits(np.array([0.0, 10.0]), np.array([1e9, 1e9]), (0.0, 10.0), (0.0, 1.0), 5, 3)
    assert bits[0].all()
    assert not bits[1:].any()


def test_nothing_to_draw_is_drawn_as_nothing() -> None:
    empty = np.empty(0)
    assert not line_bits(empty, empty, (0.0, 10.0), (0.0, 1.0), 5, 3).any()
    assert not line_bits(np.array([1.0]), np.array([np.nan]), (0.0, 10.0), (0.0, 1.0), 5, 3).any()
    assert not line_bits(np.array([99.0]), np.array([0.5]), (0.0, 10.0), (0.0, 1.0), 5, 3).any()


def test_ascii_takes_at_most_one_point_a_column() -> None:
    times = np.arange(0.0, 40.0, 0.5)
    points = ascii_points(times, 50 + 50 * np.sin(times), (0.0, 40.0), (0.0, 100.0), 20, 5)
    assert ((points != 0).sum(axis=0) <= 1).all()
    assert set(np.unique(points)) <= {0, *b"'-."}


@given(st.integers(0, 10**6), st.integers(10, 60))
def test_history_stands_still_until_it_moves_by_a_whole_cell(seconds: int, cells: int) -> None:
    now = 1_791_987_696.0 + seconds
    start, end = snap((now - 300, now), cells)
    later, _ = snap((now - 299, now + 1), cells)
    step = 300 / cells
    assert -1e-3 <= end - now <= step + 1e-3
    assert abs(end - start - 300) < 1e-3
    shift = (later - start) / step
    assert abs(shift - round(shift)) < 1e-4
