"""Classic histograms of a scrape as distributions: what was observed since the scrape before, in the product's own bins.

A bucket's count is spread by value between its bounds (`monitor.windows.spread`). The first bucket begins at 0 (one that ends at
or below 0 counts at its bound), and what lies above the highest bound counts at that bound.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from collector.receivers.prometheus.dictionary import ParsedSeries
from collector.receivers.prometheus.families import unit_of
from collector.receivers.prometheus.line import NUMBER, Labels
from monitor.model.batch import Floats, HistogramBatch, Ids
from monitor.model.series import KeySpace, Kind
from monitor.windows.bins import BIN_BITS, middles_of
from monitor.windows.spread import PLACES, explicit_bins, shares

_HALF = 1 << (BIN_BITS - 1)
Longs = npt.NDArray[np.int64]
Named = Callable[[ParsedSeries], int]
"""Gives a series the id of its distribution, -1 where it has none."""


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """g histograms of one layout with b buckets, one histogram after the other, each by rising bounds.

    `ids` int32[g]; `buckets` int64[b] and `sums` int64[g] positions of the samples, -1 where there is no sum; `firsts` int64[g]
    where each histogram's buckets begin; `group` int64[b]; `slot_of` int64[16 b]: which of s bins each point of each bucket falls
    into; `slot_group` int64[s] and `slot_bins` int32[s], by group and rising.
    """

    ids: Ids
    buckets: Longs
    sums: Longs
    firsts: Longs
    group: Longs
    slot_of: Longs
    slot_group: Longs
    slot_bins: Ids


class ClassicHistograms:
    """The histograms among the series of one target, and the last readings of their buckets."""

    def __init__(self) -> None:
        self._read = 0
        self._bucket: dict[int, tuple[int, float]] = {}
        """By the parser's id: which histogram, and the bound."""
        self._sum: dict[tuple[str, Labels], int] = {}
        self._keys: dict[tuple[str, Labels], int] = {}
        self._ids: list[int] = []
        self._source: Ids | None = None
        self._plan: _Plan | None = None
        self._last: Floats = np.empty(0)

    def forget(self) -> None:
        """Begin counting anew."""
        self._last = np.full(len(self._last), np.nan)

    def batch(
        self, space: KeySpace, series: list[ParsedSeries], source: Ids, values: Floats, times: Floats, named: Named
    ) -> HistogramBatch | None:
        """What was observed since the scrape before; None where it is nothing. `source` are the parser's ids of `values`."""
        self._learn(series, named)
        if source is not self._source:
            self._source, self._plan = source, self._planned(source)
            last = np.full(len(series), np.nan)
            stayed = source[source < len(self._last)]
            last[stayed] = self._last[stayed]
            self._last = last
        return self._counted(self._plan, space, source, values, times) if self._plan is not None else None

    def _learn(self, series: list[ParsedSeries], named: Named) -> None:
        for number in range(self._read, len(series)):
            name, labels, kind, _ = series[number]
            if kind is not Kind.COUNTER:
                continue
            if name.endswith("_sum"):
                self._sum[name.removesuffix("_sum"), labels] = number
            elif name.endswith("_bucket"):
                bound = next((value for label, value in labels if label == "le"), "")
                if NUMBER.fullmatch(bound) is None or bound.lower().endswith("nan"):
                    continue
                key = name.removesuffix("_bucket"), tuple(label for label in labels if label[0] != "le")
                group = self._keys.setdefault(key, len(self._ids))
                if group == len(self._ids):
                    self._ids.append(named(ParsedSeries(*key, Kind.DISTRIBUTION, unit_of(key[0], {}))))
                self._bucket[number] = group, float(bound)
        self._read = len(series)

    def _planned(self, source: Ids) -> _Plan | None:
        at = {number: position for position, number in enumerate(source.tolist())}
        found: dict[int, list[tuple[float, int]]] = {}
        for number, position in at.items():
            place = self._bucket.get(number)
            if place is not None and self._ids[place[0]] >= 0:
                found.setdefault(place[0], []).append((place[1], position))
        keys = list(self._keys)
        groups, taken = [], set()
        for group, buckets in found.items():
            bounds = sorted(bound for bound, _ in buckets)
            whole = len(bounds) > 1 and bounds[-1] == np.inf and np.isfinite(bounds[:-1]).all() and len({*bounds}) == len(bounds)
            if whole and self._ids[group] not in taken:
                taken.add(self._ids[group])
                groups.append((self._ids[group], sorted(buckets), at.get(self._sum.get(keys[group], -1), -1)))
        if not groups:
            return None
        sizes = np.array([len(buckets) for _, buckets, _ in groups], np.int64)
        group_of = np.repeat(np.arange(len(groups)), sizes)
        places = [explicit_bins(np.array([bound for bound, _ in buckets[:-1]])).ravel() for _, buckets, _ in groups]
        slots, slot_of = np.unique(np.repeat(group_of, PLACES) << BIN_BITS | np.concatenate(places) + _HALF, return_inverse=True)
        return _Plan(
            ids=np.array([series_id for series_id, _, _ in groups], np.int32),
            buckets=np.array([position for _, buckets, _ in groups for _, position in buckets], np.int64),
            sums=np.array([position for _, _, position in groups], np.int64),
            firsts=np.cumsum(sizes) - sizes,
            group=group_of,
            slot_of=slot_of.astype(np.int64),
            slot_group=slots >> BIN_BITS,
            slot_bins=((slots & (2 * _HALF - 1)) - _HALF).astype(np.int32),
        )

    def _counted(self, plan: _Plan, space: KeySpace, source: Ids, values: Floats, times: Floats) -> HistogramBatch | None:
        change, began_anew, known = self._changes(plan, source, values)
        inner = np.diff(change, prepend=0.0)
        inner[plan.firsts] = change[plan.firsts]
        # Buckets that are no running totals would count below zero.
        dealt = shares(np.where(inner > 0, inner, 0.0)).ravel()
        counts = np.bincount(plan.slot_of, dealt, len(plan.slot_group)).astype(np.float64)
        held = (counts > 0) & known[plan.slot_group]
        sizes = np.bincount(plan.slot_group[held], minlength=len(plan.ids))
        some = np.flatnonzero(sizes)
        if not len(some):
            self._sum_changes(plan, source, values, began_anew)
            return None
        sums = self._sum_changes(plan, source, values, began_anew)[some]
        bins, counted = plan.slot_bins[held], counts[held]
        offsets = np.concatenate(([0], np.cumsum(sizes[some]))).astype(np.int64)
        made = np.add.reduceat(middles_of(bins) * counted, offsets[:-1])
        last_bucket = plan.buckets[np.append(plan.firsts[1:], len(plan.buckets))[some] - 1]
        return HistogramBatch(
            space, plan.ids[some], times[last_bucket], offsets, bins, counted, np.where(np.isfinite(sums), sums, made)
        )

    def _changes(self, plan: _Plan, source: Ids, values: Floats) -> tuple[Floats, npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """How much each bucket grew; which histograms began to count anew; and of which the growth is known."""
        readings, numbers = values[plan.buckets], source[plan.buckets]
        readings = np.where(np.isfinite(readings), readings, np.nan)
        before = self._last[numbers]
        self._last[numbers] = readings
        known = ~np.logical_or.reduceat(np.isnan(readings) | np.isnan(before), plan.firsts)
        began_anew = np.logical_or.reduceat(readings < before, plan.firsts)
        return np.where(began_anew[plan.group], readings, readings - before), began_anew, known

    def _sum_changes(self, plan: _Plan, source: Ids, values: Floats, began_anew: npt.NDArray[np.bool_]) -> Floats:
        """How much each histogram's sum grew, NaN where nobody knows."""
        grown = np.full(len(plan.ids), np.nan)
        there = np.flatnonzero(plan.sums >= 0)
        readings, numbers = values[plan.sums[there]], source[plan.sums[there]]
        before = self._last[numbers]
        self._last[numbers] = readings
        grown[there] = np.where(began_anew[there], readings, readings - before)
        return grown
