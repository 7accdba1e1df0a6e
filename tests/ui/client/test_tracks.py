"""The recent past in columns: what was told is kept once, in order, and a gap stays a gap."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.model.batch import Floats, Ids
from ui.client import tracks as tracks_module
from ui.client.tracks import Tracks


def _rows(*rows: int) -> Ids:
    return np.array(rows, np.int32)


def _tracks(keep: float = 3600.0) -> Tracks:
    return Tracks(("value",), keep)


def _append(tracks: Tracks, time: float, **values: float) -> None:
    rows = _rows(*(int(name[1:]) for name in values))
    tracks.append(time, rows, (np.array(list(values.values())),))


def _merge(tracks: Tracks, times: list[float], values: list[list[float]], rows: Ids, step: float = 1.0) -> None:
    tracks.merge(np.array(times), rows, (np.array(values, np.float64).reshape(len(rows), len(times)),), step)


def _points(tracks: Tracks, row: int) -> list[tuple[float, float]]:
    times, values = tracks.track(row, "value")
    return [(t, v) for t, v in zip(times.tolist(), values.tolist(), strict=True) if not math.isnan(v)]


def test_points_are_kept_in_order_and_an_old_one_is_left_out() -> None:
    tracks = _tracks()
    for time in (1.0, 2.0, 2.0, 1.5, 3.0):
        _append(tracks, time, r4=time * 10)
    assert _points(tracks, 4) == [(1.0, 10.0), (2.0, 20.0), (3.0, 30.0)]


def test_a_silence_of_more_than_three_intervals_breaks_the_line_with_one_nan() -> None:
    tracks = _tracks()
    for time in (1.0, 2.0, 5.0, 10.0, 11.0):
        _append(tracks, time, r0=time)
    times, values = tracks.track(0, "value")
    assert times.tolist() == [1.0, 2.0, 5.0, 6.0, 10.0, 11.0]
    assert np.flatnonzero(np.isnan(values)).tolist() == [3]
    assert tracks.gaps() == [(5.0, 10.0)]


def test_backfill_into_a_gap_closes_it_and_takes_no_point_twice() -> None:
    tracks = _tracks()
    for time in (1.0, 2.0, 3.0, 30.0, 31.0):
        _append(tracks, time, r0=time)
    back = [float(t) for t in range(1, 32)]
    _merge(tracks, back, [[100 + t for t in back]], _rows(0))
    assert [t for t, _ in _points(tracks, 0)] == back
    assert dict(_points(tracks, 0))[3.0] == 3.0
    assert dict(_points(tracks, 0))[4.0] == 104.0
    assert tracks.gaps() == []


def test_a_gap_that_the_collector_has_too_stays_a_gap() -> None:
    tracks = _tracks()
    for time in (1.0, 2.0, 3.0):
        _append(tracks, time, r0=time)
    times = [float(t) for t in range(1, 21)]
    _merge(tracks, times, [[math.nan if 5 < t < 15 else t for t in times]], _rows(0))
    _append(tracks, 21.0, r0=21.0)
    assert tracks.gaps() == [(5.0, 15.0)]
    assert len(_points(tracks, 0)) == 12


def test_only_points_newer_than_the_seam_are_appended() -> None:
    tracks = _tracks()
    for time in (8.0, 9.0, 10.0):
        _append(tracks, time, r0=1.0)
    _merge(tracks, [5.4, 8.4, 9.4, 10.4, 11.4, 12.4], [[2.0] * 6], _rows(0))
    assert _points(tracks, 0) == [(5.4, 2.0), (8.0, 1.0), (9.0, 1.0), (10.0, 1.0), (11.4, 2.0), (12.4, 2.0)]


def test_coarser_history_goes_in_front_without_gaps_between_its_points() -> None:
    tracks = _tracks()
    _append(tracks, 101.0, r0=1.0)
    _merge(tracks, [float(t) for t in range(0, 101, 10)], [[5.0] * 11], _rows(0), step=10.0)
    _append(tracks, 102.0, r0=1.0)
    assert tracks.gaps() == []
    assert len(_points(tracks, 0)) == 13


def test_a_row_that_joins_later_has_no_past() -> None:
    tracks = _tracks()
    _append(tracks, 1.0, r0=1.0)
    _append(tracks, 2.0, r0=1.0, r9=5.0)
    assert _points(tracks, 9) == [(2.0, 5.0)]
    assert tracks.track(8, "value")[0].size == 0
    assert tracks.track(0, "other")[0].size == 0


def test_a_row_given_to_another_series_starts_empty() -> None:
    tracks = _tracks()
    _append(tracks, 1.0, r0=1.0, r1=2.0)
    tracks.forget(0)
    _append(tracks, 2.0, r0=7.0, r1=2.0)
    assert _points(tracks, 0) == [(2.0, 7.0)]
    assert len(_points(tracks, 1)) == 2


def test_rows_with_new_numbers_keep_their_past() -> None:
    tracks = _tracks()
    _append(tracks, 1.0, r0=1.0, r1=2.0, r2=3.0)
    tracks.move({0: 1, 1: 0})
    _append(tracks, 2.0, r0=2.5, r1=1.5)
    assert _points(tracks, 1) == [(1.0, 1.0), (2.0, 1.5)]
    assert _points(tracks, 0) == [(1.0, 2.0), (2.0, 2.5)]
    assert _points(tracks, 2) == []


def test_what_is_older_than_keep_makes_room() -> None:
    tracks = _tracks(keep=100.0)
    for time in range(5_000):
        _append(tracks, float(time), r0=float(time))
    times = tracks.times
    assert times[-1] == 4999.0
    assert times[0] <= 4899.0
    assert len(tracks._times) <= tracks._full_capacity


def test_rows_that_come_and_go_do_not_take_room_for_ever() -> None:
    tracks = _tracks(keep=50.0)
    for time in range(2_000):
        tracks.append(float(time), _rows(time // 10, 100_000), (np.array([1.0, 2.0]),))
    assert len(tracks._values[0]) < 120
    assert len(_points(tracks, 100_000)) >= 50


def test_rows_over_the_bound_are_counted_and_the_others_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    tracks = _tracks(keep=100.0)
    monkeypatch.setattr(tracks_module, "MAX_CELLS", 3 * tracks._full_capacity)
    tracks.append(1.0, _rows(0, 1, 2, 3, 4), (np.arange(5.0),))
    assert tracks.untracked == 2
    assert _points(tracks, 2) == [(1.0, 2.0)]
    assert _points(tracks, 4) == []


class Slow:
    """The obvious way: points by row and time."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.points: dict[tuple[int, float], float] = {}
        self.known: set[int] = set()
        self.late: set[int] = set()

    def meet(self, rows: Iterable[int]) -> None:
        new = set(rows) - self.known
        self.known |= new
        if self.times:
            self.late |= new

    def append(self, time: float, values: dict[int, float]) -> None:
        if not self.times or time > self.times[-1]:
            self.meet(values)
            self.times.append(time)
            self.points.update(((row, time), value) for row, value in values.items())

    def merge(self, times: list[float], rows: list[int]) -> None:
        held = list(self.times)
        self.meet(rows)
        for row in self.late & set(rows):
            for time in held:
                nearest = min(times, key=lambda t: (abs(t - time), t))
                if abs(nearest - time) <= 1.0:
                    self.points.setdefault((row, time), -nearest)
        self.late -= set(rows)
        for time in times:
            before = [t for t in held if t <= time]
            after = [t for t in held if t >= time]
            near = min((abs(t - time) for t in held), default=math.inf) <= 0.5
            dense = bool(before and after) and after[0] - before[-1] <= 3.0
            if not (near or dense):
                self.times.append(time)
                self.points.update(((row, time), -time) for row in rows)
        self.times.sort()


STEPS = st.lists(
    st.tuples(st.sampled_from(["append", "merge"]), st.integers(0, 12), st.sets(st.integers(0, 4), min_size=1)), max_size=30
)


@settings(max_examples=200)
@given(STEPS)
def test_any_order_of_frames_and_backfills_gives_what_the_obvious_way_gives(steps: list[tuple[str, int, set[int]]]) -> None:
    fast, slow = _tracks(), Slow()
    now = 0.0
    for kind, jump, chosen in steps:
        rows = sorted(chosen)
        if kind == "append":
            now += jump
            fast.append(now, _rows(*rows), (np.array([now + row for row in rows], np.float64),))
            slow.append(now, {row: now + row for row in rows})
        else:
            times = [float(t) for t in range(max(0, int(now) - jump * 3), int(now) + 1)]
            _merge(fast, times, [[-t for t in times]] * len(rows), _rows(*rows))
            slow.merge(times, rows)
    for row in range(5):
        expected = [(t, slow.points[row, t]) for t in slow.times if (row, t) in slow.points]
        assert _points(fast, row) == expected
    axis: Floats = fast.times
    assert (np.diff(axis) > 0).all()


def test_a_row_that_joins_late_gets_its_past_at_the_times_that_are_held() -> None:
    tracks = _tracks()
    for time in (10.0, 11.0, 12.0):
        _append(tracks, time, r0=1.0)
    _append(tracks, 13.0, r0=1.0, r1=4.0)
    assert tracks.joined == {1}
    _merge(tracks, [10.0, 11.0, 12.0, 13.0], [[7.0, 8.0, 9.0, 10.0], [1.0, 2.0, 3.0, 99.0]], _rows(0, 1))
    assert _points(tracks, 1) == [(10.0, 1.0), (11.0, 2.0), (12.0, 3.0), (13.0, 4.0)]
    assert _points(tracks, 0) == [(10.0, 1.0), (11.0, 1.0), (12.0, 1.0), (13.0, 1.0)]
    assert tracks.joined == set()


def test_the_only_series_may_go_and_frames_without_any_follow() -> None:
    tracks = Tracks(("value",), 3600.0)
    tracks.append(1.0, np.array([3], np.int32), (np.array([5.0]),))
    tracks.forget(3)
    tracks.append(2.0, np.empty(0, np.int32), (np.empty(0),))
    tracks.append(3.0, np.array([3], np.int32), (np.array([7.0]),))
    assert tracks.track(3, "value")[1].tolist()[-1] == 7.0


def test_of_a_long_past_newer_points_take_each_others_place_until_they_are_a_step_apart() -> None:
    tracks = Tracks(("value",), 86_400.0, step=60.0)
    _merge(tracks, [60.0 * i for i in range(1, 11)], [[float(i) for i in range(1, 11)]], _rows(0), step=60.0)
    for second in range(601, 901):
        _append(tracks, float(second), r0=second)
    points = _points(tracks, 0)
    assert points[-1] == (900.0, 900.0)
    assert 13 <= len(points) <= 17
    assert not tracks.gaps()
    assert np.diff([time for time, _ in points[:-1]]).min() >= 59.0
