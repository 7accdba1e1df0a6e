"""The last hour of any field over any window, read from the slots: what a chart is filled with when it opens."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitor.model.batch import Floats, Ids
from monitor.model.series import Kind
from monitor.windows.bins import middles_of
from monitor.windows.columns import FIELDS_ANSWERED, FieldError, Store, whole_window
from monitor.windows.counts import ranks_of
from monitor.windows.fold import Longs
from monitor.windows.frame import PRIMARY, History, quantile_of
from monitor.windows.rings import FINE, KEPT, SPAN, TEN, floor_to
from monitor.windows.totals import Part

MAX_STEPS = 3600
ROWS_AT_ONCE = 512

Matrix = npt.NDArray[np.float64]
_Hit = tuple[int, Part, Ids, npt.NDArray[np.intp]]
"""Number of the slot, one of its parts, places of the wanted rows that occur in it, and where in the part they are."""


@dataclass(frozen=True, slots=True, eq=False)
class Axis:
    """Slots of the past in order of time and, for each step end, which of them its window spans: [lows, highs)."""

    starts: Longs
    ends: Longs
    lows: npt.NDArray[np.intp]
    highs: npt.NDArray[np.intp]
    whole: npt.NDArray[np.bool_]
    """False where the window reaches back beyond what is kept."""

    @property
    def covered(self) -> Floats:
        return (self.ends - self.starts[self.lows]).astype(np.float64)


class Recent:
    """History from the rings, the histograms' slots and the members' log."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def history(self, rows: Ids, field: str, window: float, start: float, end: float, step: float) -> History:
        """As `Engine.history`."""
        if field not in FIELDS_ANSWERED and quantile_of(field) is None:
            raise FieldError(f"no field {field!r}; fields are {', '.join(FIELDS_ANSWERED)} and quantiles such as p99.9")
        if not step > 0:
            raise FieldError(f"the step is {step:g} s; it must be above 0")
        now = self._store.rings.now
        rows = np.asarray(rows, np.int32)
        if now is None or not start < end:
            return History(rows, np.empty(0), np.empty((len(rows), 0)), float(math.ceil(step)), field, window)
        axis, interval, length = self._axis(now, start, end, step, window)
        values = np.full((len(rows), len(axis.ends)), np.nan)
        inside = np.flatnonzero((rows >= 0) & (rows < self._store.table.capacity))
        live = inside[self._store.table.kinds[rows[inside]] >= 0] if len(axis.ends) else inside[:0]
        for begin in range(0, len(live), ROWS_AT_ONCE):
            some = live[begin : begin + ROWS_AT_ONCE]
            values[some] = _Reading(self._store, rows[some], axis).field(field)
        return History(rows, axis.ends.astype(np.float64), values, float(interval), field, float(length))

    def _axis(self, now: int, start: float, end: float, step: float, window: float) -> tuple[Axis, int, int]:
        fine_from, oldest = floor_to(now - FINE, TEN), floor_to(now - KEPT, TEN)
        start = max(start, floor_to(now - SPAN, TEN))
        interval = math.ceil(min(step, SPAN))
        if start < fine_from:
            interval = -(-interval // TEN) * TEN
        length = whole_window(window or interval)
        ends = np.arange(floor_to(math.floor(start), interval) + interval, min(math.floor(end), now) + 1, interval)[-MAX_STEPS:]
        starts = np.concatenate((np.arange(oldest, fine_from, TEN), np.arange(fine_from, now)))
        begins = ends - length
        if length > FINE:
            begins -= begins % TEN
        lows = np.maximum(np.searchsorted(starts, begins, side="right") - 1, 0)
        whole = (begins >= oldest) | (oldest <= self._store.rings.first)
        return Axis(starts, ends, lows, np.searchsorted(starts, ends), whole), interval, length


class _Reading:
    """Matrices [rows, slots] of what some rows did, made when needed, and fields [rows, steps] from them."""

    def __init__(self, store: Store, rows: Ids, axis: Axis) -> None:
        self._store = store
        self._rows = rows
        self._axis = axis
        self._places = np.full(store.table.capacity, -1, np.int32)
        # A row may be asked for twice: the first place is read, and copied at the end.
        self._unique, self._copies = np.unique(rows, return_inverse=True)
        self._places[self._unique] = np.arange(len(self._unique))
        self._kinds = store.table.kinds[self._unique]
        self._known: dict[str, Matrix] = {}
        self._found: list[_Hit] = []
        self._hits_from = len(axis.starts)

    def field(self, name: str) -> Matrix:
        if name == "value":
            values = np.full((len(self._unique), len(self._axis.ends)), np.nan)
            for kind, primary in PRIMARY.items():
                mine = self._kinds == kind
                if mine.any():
                    values[mine] = self._answer(primary)[mine]
        else:
            values = self._answer(name)
        return values[self._copies]

    def _answer(self, name: str) -> Matrix:
        fraction = quantile_of(name)
        if fraction is not None:
            values = self._quantile(fraction)
        elif name == "last":
            return self._spread(self._last())
        elif name == "age":
            return self._age()
        elif name == "unique":
            values = self._uniques()
        else:
            values = self._summed(name)
        return np.where(self._axis.whole, values, np.nan)

    def _summed(self, name: str) -> Matrix:
        counts = self._over("counts")
        some = counts > 0
        if name == "count":
            return counts
        if name in ("min", "max"):
            return self._spread(np.where(some, self._over(name + "s"), np.nan))
        distribution = (self._kinds == Kind.DISTRIBUTION)[:, None]
        counter = (self._kinds == Kind.COUNTER)[:, None]
        is_set = (self._kinds == Kind.SET)[:, None]
        if name in ("rate", "per_minute"):
            amount = np.where(counter, self._summed("sum"), np.where(distribution, counts, np.nan)) / self._axis.covered
            return amount * 60.0 if name == "per_minute" else amount
        sums = self._over("sums")
        if name == "mean":
            return np.where(some & ~is_set, sums / counts, np.nan)
        speaks = some | distribution
        if np.any(counter & ~speaks):
            speaks |= counter & ~np.isnan(self._last())
        return np.where(speaks & ~is_set, sums, np.nan)

    def _spread(self, values: Matrix) -> Matrix:
        """NaN for the kinds that have no extremes and no last value."""
        kept = (self._kinds == Kind.GAUGE) | (self._kinds == Kind.DISTRIBUTION)
        return np.where(kept[:, None], values, np.nan)

    # ------------------------------------------------------------------ from slots

    def _over(self, name: str) -> Matrix:
        """A sum, least or greatest over each step's window."""
        fill, act = {"counts": (0.0, np.add), "sums": (0.0, np.add), "mins": (np.inf, np.minimum), "maxs": (-np.inf, np.maximum)}[
            name
        ]
        slots = self._slots(name, fill, act)
        borders = np.stack((self._axis.lows, self._axis.highs), axis=1).ravel()
        padded = np.concatenate((slots, np.full((len(slots), 1), fill)), axis=1)
        answer: Matrix = act.reduceat(padded, borders, axis=1)[:, ::2]
        return answer

    def _slots(self, name: str, fill: float, act: np.ufunc) -> Matrix:
        if name not in self._known:
            matrix = np.full((len(self._axis.starts), len(self._unique)), fill)
            first = int(self._axis.lows[0])
            for number, part, places, hit in self._hits(first):
                act.at(matrix[number], places, part.told(name)[hit])
            self._known[name] = np.ascontiguousarray(matrix.T)
        return self._known[name]

    def _hits(self, first: int) -> list[_Hit]:
        """The parts of slots from `first` on in which wanted rows occur. Found once for the earliest slot asked for."""
        if first < self._hits_from:
            self._found, self._hits_from = self._search(first, self._hits_from) + self._found, first
        return [hit for hit in self._found if hit[0] >= first]

    def _search(self, first: int, end: int) -> list[_Hit]:
        rings = self._store.rings
        fine_from = floor_to((rings.now or 0) - FINE, TEN)
        found: list[_Hit] = []
        for number, start in enumerate(self._axis.starts[first:end].tolist(), first):
            for part in (rings.seconds if start >= fine_from else rings.tens).get(start, ()):
                if len(self._unique) * 8 < len(part.rows):
                    where = np.searchsorted(part.rows, self._unique)
                    where[where == len(part.rows)] = 0
                    hit = where[part.rows[where] == self._unique]
                else:
                    hit = np.flatnonzero(self._places[part.rows] >= 0)
                if len(hit):
                    found.append((number, part, self._places[part.rows[hit]], hit))
        return found

    def _lasts(self) -> tuple[Matrix, Matrix]:
        """The last value of each slot (NaN: a marker, or nothing) and 1 where the slot said anything."""
        if "lasts" not in self._known:
            lasts = np.full((len(self._unique), len(self._axis.starts)), np.nan)
            said = np.zeros(lasts.shape)
            for number, part, places, hit in reversed(self._hits(0)):
                # Late parts follow a slot's first one and do not displace what it said.
                lasts[places, number] = part.told("lasts")[hit]
                said[places, number] = 1.0
            self._known["lasts"], self._known["said"] = lasts, said
        return self._known["lasts"], self._known["said"]

    def _latest(self) -> npt.NDArray[np.intp]:
        """[rows, steps]: the latest slot before each step's end that said anything, -1 for none."""
        said = self._lasts()[1]
        numbers = np.where(said > 0, np.arange(said.shape[1]), -1)
        latest = np.maximum.accumulate(numbers, axis=1)[:, self._axis.highs - 1]
        return latest.astype(np.intp)

    def _last(self) -> Matrix:
        latest = self._latest()
        values = np.take_along_axis(self._lasts()[0], np.maximum(latest, 0), axis=1)
        return np.where(latest >= 0, values, self._store.rings.carried[self._unique][:, None])

    def _age(self) -> Matrix:
        """To the slot: since the end of the latest slot that said anything."""
        latest = self._latest()
        slot_ends = np.append(self._axis.starts[1:], self._store.rings.now or 0)
        return np.where(latest >= 0, self._axis.ends - slot_ends[np.maximum(latest, 0)], np.nan)

    # ------------------------------------------------------------------ from histograms and sets

    def _quantile(self, fraction: float) -> Matrix:
        values = np.full((len(self._unique), len(self._axis.ends)), np.nan)
        owners, slots, bins, weights = self._store.histograms.entries(self._places, self._axis.starts)
        order = np.argsort(owners, kind="stable")
        borders = np.searchsorted(owners[order], np.arange(len(self._unique) + 1))
        for place in range(len(self._unique)):
            mine = order[borders[place] : borders[place + 1]]
            if len(mine):
                values[place] = self._quantile_of_row(fraction, slots[mine], bins[mine], weights[mine])
        clamped: Matrix = np.clip(values, self._over("mins"), self._over("maxs"))
        return clamped

    def _quantile_of_row(self, fraction: float, slots: Ids, bins: Ids, weights: Floats) -> Floats:
        distinct, places = np.unique(bins, return_inverse=True)
        counts = np.zeros((len(self._axis.starts) + 1, len(distinct)))
        np.add.at(counts, (slots + 1, places), weights)
        up_to = np.cumsum(counts, axis=0)
        # Counts are exact in a float64 (see `fold`), so a difference of sums is as good as a sum.
        within = np.cumsum(up_to[self._axis.highs] - up_to[self._axis.lows], axis=1)
        sizes = within[:, -1]
        ranks = ranks_of(fraction, sizes)
        found = np.minimum(np.count_nonzero(within < ranks[:, None], axis=1), len(distinct) - 1)
        return np.where(sizes > 0, middles_of(distinct[found].astype(np.int32)), np.nan)

    def _uniques(self) -> Matrix:
        values = np.full((len(self._unique), len(self._axis.ends)), np.nan)
        begins = self._axis.starts[self._axis.lows]
        for place in np.flatnonzero(self._kinds == Kind.SET).tolist():
            values[place] = self._store.sets.log.unique(int(self._unique[place]), begins, self._axis.ends)
        return values
