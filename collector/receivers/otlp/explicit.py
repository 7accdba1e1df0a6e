"""The points of explicit histograms, many at once: classic counters as they came, and what was observed since the point before.

The rules are those of `sums`. Of the points of one histogram in one request the earlier is taken first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from collector.receivers.otlp.columns import seconds
from collector.receivers.otlp.counters import LeftOut
from collector.receivers.otlp.drawn import Drawn, empty, merged
from collector.receivers.otlp.layouts import Bools, Layout, Rows
from collector.receivers.otlp.limits import MOST_OF_ONE
from collector.receivers.otlp.sums import GAP, STEP, Samples
from monitor.model.batch import Floats, Ids
from monitor.windows.bins import bins_of
from monitor.windows.spread import PLACES, shares

_TOO_MANY = f"more than {MOST_OF_ONE} points of one histogram in one request"
_NOT_ADDED_UP = "a histogram whose buckets do not add up to its count"
_NO_SUM = "a histogram whose sum is not a finite number"


Told = tuple[int, bytes, int, float, int, int, float, float, bool]
"""A point: its row; its counts, uint64 little-endian, b"" where it says that its series ended; its count, sum, time, start; the
least and the greatest observation, NaN where not told; and whether it is a delta.
"""
_AT_ONCE = 256
"""Points whose bins are found at once: what is in between stays in the processor's cache."""


class Points:
    """The points that one request has of one layout."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._points: list[Told] = []
        self.put = self._points.append

    def end(self, row: int, time: int) -> None:
        """Its series says nothing from there on."""
        self.put((row, b"", 0, 0.0, time, 0, np.nan, np.nan, False))

    def columns(self, now: float, left_out: LeftOut) -> list[Columns]:
        """What of them is sound, in rounds that have each row at most once; they are taken one after the other."""
        all_rows, buckets, counts, all_sums, all_times, starts, lows, highs, delta = zip(*self._points, strict=True)
        rows, times, sums = np.array(all_rows, np.int64), seconds(all_times, now), np.array(all_sums)
        size = self.layout.size
        none = bytes(8 * size)
        ended = np.array([not each for each in buckets], np.bool_)
        joined = b"".join([each or none for each in buckets] if ended.any() else buckets)
        whole = np.frombuffer(joined, "<u8").reshape(len(rows), size)
        state = np.empty((len(rows), size + self.layout.has_sum))
        state[:, :size] = whole
        if self.layout.has_sum:
            state[:, size] = sums
        # Numbers of 64 bits come round to the count again; those that float64 adds up do not.
        added_up = (whole.sum(axis=1) == np.array(counts, np.uint64)) & (state[:, :size].sum(axis=1) < 2.0**63)
        good = added_up & np.isfinite(sums)
        if not good.all():
            left_out.add_some(_NOT_ADDED_UP, int(np.count_nonzero(~added_up)))
            left_out.add_some(_NO_SUM, int(np.count_nonzero(added_up & ~good)))
        columns = Columns(rows, state, times, seconds(starts, 0.0), _finite(lows), _finite(highs), np.array(delta), ended)
        columns = columns if good.all() else columns.chosen(good)
        if self.layout.unique(columns.rows):
            return [columns]
        turns = _turns(columns.rows, columns.times)
        left_out.add_some(_TOO_MANY, int(np.count_nonzero(turns >= MOST_OF_ONE)))
        return [columns.chosen(turns == turn) for turn in range(min(int(turns.max()) + 1, MOST_OF_ONE))]


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """n points: `rows` int64[n], `state` float64[n, size or size + 1], the others [n]."""

    rows: Rows
    state: Floats
    times: Floats
    starts: Floats
    lows: Floats
    highs: Floats
    delta: Bools
    ended: Bools

    def chosen(self, which: Bools) -> Columns:
        """Some of them."""
        if which.all():
            return self
        return Columns(
            self.rows[which],
            self.state[which],
            self.times[which],
            self.starts[which],
            self.lows[which],
            self.highs[which],
            self.delta[which],
            self.ended[which],
        )


class Explicit:
    """What the points of one request come to. `since` and `call` as in `Sums`."""

    def __init__(self, since: float, call: int) -> None:
        self._since, self._call = since, call
        self._readings: list[Samples] = []
        self._increments: list[Samples] = []
        self.drawn: list[Drawn] = []
        self._undos: list[Callable[[], int]] = []

    def take(self, points: Points, now: float, left_out: LeftOut) -> None:
        """All points of one layout. `now`: the time of those that have none."""
        for columns in points.columns(now, left_out):
            ended, delta = columns.ended, columns.delta & ~columns.ended
            if ended.any():
                self._end(points.layout, columns.chosen(ended))
            if delta.any():
                self._delta(points.layout, columns.chosen(delta))
            if not (ended | delta).all():
                self._cumulative(points.layout, columns.chosen(~(ended | delta)))

    def _end(self, layout: Layout, at: Columns) -> None:
        rows = at.rows
        self._undos.append(
            layout.put(rows, self._call, layout.last[rows], np.zeros(len(rows), np.bool_), layout.time[rows], layout.start[rows])
        )

    def _cumulative(self, layout: Layout, at: Columns) -> None:
        readings = at  # what is not newer is kept, but counts nothing
        newer = at.times > layout.time[at.rows]
        if not newer.all():
            at = at.chosen(newer)
        rows, state, times, starts = at.rows, at.state, at.times, at.starts
        known, last, when = layout.known[rows], layout.last[rows], layout.time[rows]
        anew = (starts > layout.start[rows]) & (starts >= when) & (starts < times)
        whole = anew & (known | (when > -np.inf) | (starts >= self._since))
        fallen = known & (state[:, : layout.size] < last[:, : layout.size]).any(axis=1)
        # Where the counts do not show that counting began anew, zeros do.
        zero = whole & ~fallen
        if zero.any():
            began = np.maximum(starts, when + STEP)[zero]
            self._read(layout, rows[zero], np.zeros((len(began), state.shape[1])), began)
            self.drawn.append(empty(layout.series[rows[zero]], began))
        self._read(layout, readings.rows, readings.state, readings.times)
        told = known | whole
        if not told.all():
            self.drawn.append(empty(layout.series[rows[~told]], times[~told]))
        grown = np.where((known & ~whole & ~fallen)[:, None], state - last, state)
        self._grown(layout, at.chosen(told), grown[told] if not told.all() else grown, times[told])
        self._undos.append(layout.put(rows, self._call, state, np.ones(len(rows), np.bool_), times, starts))

    def _delta(self, layout: Layout, at: Columns) -> None:
        rows, times, starts = at.rows, at.times, at.starts
        total = np.where(layout.known[rows][:, None], layout.last[rows], 0.0)
        when = layout.time[rows]
        late = times <= when
        begun = np.where((starts > 0) & (starts < times), starts, np.where(np.isneginf(when), times - GAP, np.inf))
        standing = ~late & np.isfinite(begun) & (begun - when > GAP)
        if standing.any():
            self._read(layout, rows[standing], total[standing], begun[standing])
            self.drawn.append(empty(layout.series[rows[standing]], begun[standing]))
        placed = np.where(late, when + STEP, times)
        total += at.state
        self._read(layout, rows, total, placed)
        self._grown(layout, at, at.state, placed)
        self._undos.append(layout.put(rows, self._call, total, np.ones(len(rows), np.bool_), placed, starts))

    def _read(self, layout: Layout, rows: Rows, state: Floats, times: Floats) -> None:
        self._readings.append(_samples(layout, rows, state, times))

    def _grown(self, layout: Layout, at: Columns, grown: Floats, placed: Floats) -> None:
        """What was observed: for the windows at its own time, as a distribution where it was placed."""
        self._increments.append(_samples(layout, at.rows, grown, at.times))
        sums = grown[:, layout.size] if layout.has_sum else np.zeros(len(grown))
        series = layout.series[at.rows]
        for begin in range(0, len(grown), _AT_ONCE):
            some = slice(begin, begin + _AT_ONCE)
            found = _dealt(layout, at.rows[some], at.lows[some], at.highs[some], grown[some])
            self.drawn.append(Drawn(series[some], placed[some], sums[some], *found))

    def undo(self) -> int:
        """Take all of it back where nothing was built upon it; how many points something was built upon."""
        return sum(undo() for undo in reversed(self._undos))

    def readings(self) -> Samples:
        """Of the classic series, for the history."""
        return Samples.joined(*self._readings, _NONE)

    def increments(self) -> Samples:
        """Of the classic series, for the windows."""
        return Samples.joined(*self._increments, _NONE)


_NONE = Samples(np.empty(0, np.int32), np.empty(0), np.empty(0))


def _samples(layout: Layout, rows: Rows, state: Floats, times: Floats) -> Samples:
    ids = layout.ids[rows]
    return Samples(ids.ravel(), layout.classic(state).ravel(), np.repeat(times, ids.shape[1]))


_MIDDLES = (np.arange(PLACES) + 0.5) / PLACES
_SHARES = shares(np.arange(PLACES, dtype=np.float64))
"""[PLACES, PLACES]: how fewer observations than there are places are dealt out; of more, each place has the same and these."""
_FILLED = [*(np.flatnonzero(row) for row in _SHARES), np.arange(PLACES)]
"""The places that so many fill, and at last all of them."""
_FILLED_SIZES = np.array([len(places) for places in _FILLED])
_FILLED_STARTS = np.cumsum(_FILLED_SIZES) - _FILLED_SIZES
_FILLED_PLACES = np.concatenate(_FILLED)


def _dealt(layout: Layout, rows: Rows, least: Floats, greatest: Floats, grown: Floats) -> tuple[Rows, Ids, Floats]:
    """Sizes, bins and counts of what was observed, in whole observations; where there is no bound all of it is at its mean."""
    size, count = layout.size, len(grown)
    if size == 1:
        some = np.flatnonzero(grown[:, 0] > 0)
        means = grown[some, 1] / grown[some, 0] if layout.has_sum else np.zeros(len(some))
        return merged(some, bins_of(np.nan_to_num(means, posinf=0.0, neginf=0.0)), grown[some, 0], count)
    owners, buckets = np.nonzero(grown[:, :size] > 0)
    observed = grown[owners, buckets]
    rounds = np.floor(observed / PLACES)
    rest = (observed - rounds * PLACES).astype(np.int64)
    filled = np.where(rounds == 0, rest, PLACES)
    sizes = _FILLED_SIZES[filled]
    bucket = np.repeat(np.arange(len(owners)), sizes)
    places = _FILLED_PLACES[np.arange(len(bucket)) + (_FILLED_STARTS[filled] - (np.cumsum(sizes) - sizes))[bucket]]
    counts = rounds[bucket] + _SHARES.reshape(-1)[(rest * PLACES)[bucket] + places]
    all_bins, all_lows, all_highs = layout.stacked()
    flat = layout.shape[rows[owners]] * layout.size + buckets
    bins: Ids = all_bins.reshape(-1)[(flat * PLACES)[bucket] + places]
    lows, highs = all_lows.reshape(-1)[flat], all_highs.reshape(-1)[flat]
    cut = (least[owners] > lows) | (greatest[owners] < highs)
    if cut.any():
        entries = np.flatnonzero(cut[bucket])
        lows, highs = _tight(lows, highs, least[owners], greatest[owners])
        owner, part = bucket[entries], _MIDDLES[places[entries]]
        bins[entries] = bins_of(lows[owner] * (1 - part) + highs[owner] * part)
    return merged(owners[bucket], bins, counts, count)


def _tight(lows: Floats, highs: Floats, least: Floats, greatest: Floats) -> tuple[Floats, Floats]:
    """Buckets held to the least and greatest observation, as `explicit_bins` holds them."""
    tight_lows, tight_highs = np.fmax(lows, least), np.fmin(highs, greatest)
    sound = tight_lows <= tight_highs
    lows, highs = np.where(sound, tight_lows, lows), np.where(sound, tight_highs, highs)
    lows = np.where(np.isinf(lows), np.minimum(0.0, highs), lows)
    return lows, np.where(np.isinf(highs), lows, highs)


def _finite(told: Sequence[float]) -> Floats:
    column = np.array(told, np.float64)
    column[np.isinf(column)] = np.nan
    return column


def _turns(rows: Rows, times: Floats) -> Rows:
    """Of each point how many points of its row come before it, in order of time and of arrival."""
    turns = np.empty(len(rows), np.int64)
    order = np.lexsort((times, rows))
    places = np.arange(len(rows))
    first = np.append(True, rows[order][1:] != rows[order][:-1])
    turns[order] = places - np.maximum.accumulate(np.where(first, places, 0))
    return turns
