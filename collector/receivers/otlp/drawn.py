"""Distributions in the product's bins, as columns, and what many of them come to in one batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from collector.receivers.otlp.buckets import Buckets, binned_all
from monitor.model.batch import Floats, HistogramBatch, Ids
from monitor.model.series import KeySpace

Longs = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """n distributions: `series` int32[n], `times` and `sums` float64[n]; the i-th has the next `sizes[i]` of `bins` and `counts`,
    its bins rise.
    """

    series: Ids
    times: Floats
    sums: Floats
    sizes: Longs
    bins: Ids
    counts: Floats


def empty(series: Ids, times: Floats) -> Drawn:
    """Nothing was observed: what growth is counted from."""
    count = len(series)
    return Drawn(series, times, np.zeros(count), np.zeros(count, np.int64), np.empty(0, np.int32), np.empty(0))


def merged(owners: Longs, bins: Ids, counts: Floats, count: int) -> tuple[Longs, Ids, Floats]:
    """`sizes`, `bins` and `counts` of `count` owners. Entries are in order of owner and bin; equal ones become one."""
    if not len(bins):
        return np.zeros(count, np.int64), bins, counts
    head = np.empty(len(bins), np.bool_)
    head[0] = True
    np.logical_or(bins[1:] != bins[:-1], owners[1:] != owners[:-1], out=head[1:])
    if not head.all():
        heads = np.flatnonzero(head)
        owners, bins, counts = owners[heads], bins[heads], np.add.reduceat(counts, heads)
    return np.bincount(owners, minlength=count), bins, counts


def drawn_buckets(series: Sequence[int], times: Sequence[float], sums: Sequence[float], all_buckets: Sequence[Buckets]) -> Drawn:
    """Of exponential histograms."""
    owners, bins, counts = binned_all(all_buckets)
    order = np.lexsort((bins, owners))
    sizes, bins, counts = merged(owners[order], bins[order], counts[order], len(all_buckets))
    return Drawn(np.array(series, np.int32), np.array(times, np.float64), np.array(sums, np.float64), sizes, bins, counts)


def batch_of(parts: Sequence[Drawn], space: KeySpace) -> HistogramBatch | None:
    """All of them in order of time; None where there are none."""
    parts = [part for part in parts if len(part.series)]
    if not parts:
        return None
    series, times = np.concatenate([part.series for part in parts]), np.concatenate([part.times for part in parts])
    sums, sizes = np.concatenate([part.sums for part in parts]), np.concatenate([part.sizes for part in parts])
    bins, counts = np.concatenate([part.bins for part in parts]), np.concatenate([part.counts for part in parts])
    if (times[1:] < times[:-1]).any():
        order = np.argsort(times, kind="stable")
        begins = (np.cumsum(sizes) - sizes)[order]
        series, times, sums, sizes = series[order], times[order], sums[order], sizes[order]
        at = np.arange(len(bins)) + np.repeat(begins - (np.cumsum(sizes) - sizes), sizes)
        bins, counts = bins[at], counts[at]
    offsets = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
    return HistogramBatch(space, series, times, offsets, bins, counts, sums)
