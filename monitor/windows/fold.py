"""Points into entries: what each series did in each second, aggregated by columns."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from monitor.model.batch import Floats, Ids
from monitor.model.series import Kind
from monitor.windows.bins import bins_of
from monitor.windows.frame import Delta

Longs = npt.NDArray[np.int64]

WEIGHT_GRAIN = 1024.0
"""Histogram counts are multiples of 1/1024, so that adding and taking away stay exact in a float64."""

DENSE_LIMIT = 1 << 22


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """n accepted points in order of arrival: rows int32, times and values float64, weights float64."""

    rows: Ids
    times: Floats
    values: Floats
    weights: Floats

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, which: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> Points:
        return Points(self.rows[which], self.times[which], self.values[which], self.weights[which])


def fold(points: Points, kinds: npt.NDArray[np.int8], time: float) -> Delta:
    """The delta of these points, without `added` and `gone`. `kinds` is the kind of each row of the table.

    Entries are ordered by second, then row. The last value of an entry is that of the greatest time, of equal times the
    one that arrived last. NaN values (staleness markers) count as nothing but may be the last.
    """
    if not len(points):
        return empty_delta(time)
    if np.any(points.times[1:] < points.times[:-1]):
        points = points.take(np.argsort(points.times, kind="stable"))
    seconds = np.floor(points.times).astype(np.int64)
    first = int(seconds[0])
    capacity = len(kinds)
    codes, places = group((seconds - first) * capacity + points.rows, (int(seconds[-1]) - first + 1) * capacity)
    entries = _scalars(points, kinds, codes % capacity, places, time)
    entries = replace(entries, seconds=codes // capacity + first)
    kind = kinds[points.rows]
    entries = _with_bins(entries, points, places, np.flatnonzero(kind == Kind.DISTRIBUTION))
    return _with_members(entries, points, places, np.flatnonzero(kind == Kind.SET))


def group(codes: Longs, size: int) -> tuple[Longs, Longs]:
    """Distinct codes ascending, and for each code its place among them; codes are in [0, size)."""
    if size > max(4 * len(codes), 65_536) or size > DENSE_LIMIT:
        distinct, places = np.unique(codes, return_inverse=True)
        return distinct, places
    present = np.zeros(size, np.bool_)
    present[codes] = True
    distinct = np.flatnonzero(present)
    order = np.empty(size, np.int64)
    order[distinct] = np.arange(len(distinct))
    return distinct, order[codes]


def summed(places: Longs, weights: Floats, size: int) -> Floats:
    """Sum of the weights at each of `size` places, float64."""
    return np.bincount(places, weights, size).astype(np.float64, copy=False)


def _scalars(points: Points, kinds: npt.NDArray[np.int8], rows: Longs, places: Longs, time: float) -> Delta:
    size = len(rows)
    said = ~np.isnan(points.values)
    told, values, weights = (places, points.values, points.weights) if said.all() else (
        places[said], points.values[said], points.weights[said])  # fmt: skip
    if len(rows) and np.any(kinds[rows] == Kind.SET):
        values = np.where(kinds[rows][told] == Kind.SET, 0.0, values)
    mins, maxs = np.full(size, np.inf), np.full(size, -np.inf)
    np.minimum.at(mins, told, values)
    np.maximum.at(maxs, told, values)
    lasts, last_times = np.empty(size), np.empty(size)
    # Of places that occur more than once the last assignment stays, and the points are in order of time.
    lasts[places] = points.values
    last_times[places] = points.times
    sums = summed(told, values * weights, size)
    return replace(
        empty_delta(time),
        rows=rows.astype(np.int32),
        counts=summed(told, weights, size),
        sums=sums,
        mins=mins,
        maxs=maxs,
        lasts=lasts,
        last_times=last_times,
    )


def _with_bins(entries: Delta, points: Points, places: Longs, which: npt.NDArray[np.intp]) -> Delta:
    if not len(which):
        return entries
    bins = bins_of(points.values[which]).astype(np.int64)
    lowest, span = int(bins.min()), int(bins.max() - bins.min()) + 1
    codes, slots = group(places[which] * span + (bins - lowest), len(entries.rows) * span)
    owners = codes // span
    weights = np.rint(points.weights[which] * WEIGHT_GRAIN) / WEIGHT_GRAIN
    return replace(
        entries,
        hist_rows=entries.rows[owners],
        hist_seconds=entries.seconds[owners],
        hist_bins=(codes % span + lowest).astype(np.int32),
        hist_counts=summed(slots, np.maximum(weights, 1 / WEIGHT_GRAIN), len(codes)),
    )


def _with_members(entries: Delta, points: Points, places: Longs, which: npt.NDArray[np.intp]) -> Delta:
    if not len(which):
        return entries
    owners, hashes = places[which], points.values[which]
    order = np.lexsort((hashes, owners))
    owners, hashes = owners[order], hashes[order]
    new = np.ones(len(order), np.bool_)
    new[1:] = (owners[1:] != owners[:-1]) | (hashes[1:] != hashes[:-1])
    owners, hashes = owners[new], hashes[new]
    return replace(entries, set_rows=entries.rows[owners], set_seconds=entries.seconds[owners], set_hashes=hashes)


def empty_delta(time: float) -> Delta:
    """A delta in which nothing came in."""
    ids, longs, floats = np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, np.float64)
    return Delta(
        time=time,
        added=(),
        gone=ids,
        rows=ids,
        seconds=longs,
        counts=floats,
        sums=floats,
        mins=floats,
        maxs=floats,
        lasts=floats,
        last_times=floats,
        hist_rows=ids,
        hist_seconds=longs,
        hist_bins=ids,
        hist_counts=floats,
        set_rows=ids,
        set_seconds=longs,
        set_hashes=floats,
    )


_COLUMNS = tuple(field.name for field in fields(Delta) if field.name not in ("time", "added", "gone"))


def joined(first: Delta, second: Delta) -> Delta:
    """Both deltas' entries, the second's after the first's; time, `added` and `gone` are the first's."""
    columns: dict[str, Any] = {name: np.concatenate([getattr(first, name), getattr(second, name)]) for name in _COLUMNS}
    return replace(first, **columns)
