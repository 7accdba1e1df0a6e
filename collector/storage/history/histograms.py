"""Histograms as columns: packed for chunks, added up for coarser tiers, and handed to queries as rows of matrices.

A distribution comes as what was observed since the sample before (a delta) and is presented as a cumulative native histogram:
the running sum over what is read, counted from nothing at the first sample read. Only differences of it mean something, which
is all that rate, increase and quantiles of them use.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from collector.storage.history.codec import DamagedChunkError, compress, decompress_into
from monitor.query.histogram import Hint, Layout, Stack
from monitor.query.history import Cells, Values
from monitor.windows.bins import SCALE, ZERO_INDEX

Rows = npt.NDArray[np.int64]
Bins = npt.NDArray[np.int32]

PARTS = 5
_ROOM = np.int64(1 << 20)
_COUNTS = struct.Struct("<II")


class HistogramLayout(msgspec.Struct, frozen=True, array_like=True):
    """What bins mean. As in monitor/windows/bins.py for every schema: `index - 1 + ZERO_INDEX` for the positive bucket of a
    Prometheus index, the negative of that for its mirror image, 0 for the zero bucket. `bounds`: of schema -53. `delta`: each
    histogram counts since the one before. `gauge`: it counts what is there now.
    """

    schema: int = SCALE
    zero_threshold: float = 0.0
    bounds: tuple[float, ...] = ()
    delta: bool = True
    gauge: bool = False


DISTRIBUTION = HistogramLayout()
_encode_layout = msgspec.msgpack.Encoder().encode
_decode_layout = msgspec.msgpack.Decoder(HistogramLayout).decode


@dataclass(frozen=True, slots=True, eq=False)
class HistogramColumns:
    """n histograms of one layout: number i has `bins[offsets[i]:offsets[i + 1]]` (int32), their `counts` (float64), `sums[i]`."""

    layout: HistogramLayout
    offsets: Rows
    bins: Bins
    counts: Values
    sums: Values

    def __len__(self) -> int:
        return len(self.sums)

    def take(self, numbers: Rows) -> HistogramColumns:
        """Some of them, in that order."""
        lengths = self.offsets[numbers + 1] - self.offsets[numbers]
        offsets = np.concatenate(([0], np.cumsum(lengths)))
        index = np.repeat(self.offsets[numbers] - offsets[:-1], lengths) + np.arange(offsets[-1])
        return HistogramColumns(self.layout, offsets, self.bins[index], self.counts[index], self.sums[numbers])

    def totals(self) -> Values:
        """How many observations each counts."""
        totals: Values = np.concatenate(([0.0], np.cumsum(self.counts)))[self.offsets]
        return np.diff(totals)

    def summed(self, groups: Rows, count: int) -> HistogramColumns:
        """`count` histograms, each the sum of those whose group (int64[n], rising) is its number."""
        lengths = np.diff(self.offsets)
        keys = (np.repeat(groups, lengths) << np.int64(21)) | (self.bins.astype(np.int64) + _ROOM)
        found, inverse = np.unique(keys, return_inverse=True)
        counts = np.bincount(inverse, self.counts, len(found)).astype(np.float64)
        offsets = np.searchsorted(found >> np.int64(21), np.arange(count + 1))
        bins = ((found & np.int64((1 << 21) - 1)) - _ROOM).astype(np.int32)
        sums = np.bincount(groups, self.sums, count).astype(np.float64)
        return HistogramColumns(self.layout, offsets, bins, counts, sums)


def joined(parts: Sequence[HistogramColumns]) -> HistogramColumns:
    """All histograms of parts with one layout, one after the other."""
    if len(parts) == 1:
        return parts[0]
    bases = np.cumsum([0] + [len(part.bins) for part in parts])
    offsets = [part.offsets[:-1] + base for part, base in zip(parts, bases[:-1], strict=True)]
    return HistogramColumns(
        parts[0].layout,
        np.concatenate([*offsets, bases[-1:]]),
        np.concatenate([part.bins for part in parts]),
        np.concatenate([part.counts for part in parts]),
        np.concatenate([part.sums for part in parts]),
    )


class HistogramPool:
    """Histograms by number, so that series of them are put together as series of numbers are.

    A number is exact as a float up to 2^53.
    """

    def __init__(self) -> None:
        self._parts: dict[HistogramLayout, list[HistogramColumns]] = {}
        self._joined: dict[HistogramLayout, HistogramColumns] = {}
        self._layouts: list[HistogramLayout] = []

    def add(self, columns: HistogramColumns) -> int:
        """The number of the first of them; the others follow."""
        layout = columns.layout
        if layout not in self._parts:
            self._parts[layout] = []
            self._layouts.append(layout)
        place = sum(len(part) for part in self._parts[layout])
        self._parts[layout].append(columns)
        self._joined.pop(layout, None)
        return (self._layouts.index(layout) << 40) + place

    def by_layout(self, numbers: Values) -> list[tuple[npt.NDArray[np.int64], HistogramColumns]]:
        """Positions in `numbers` (float64[n]) and their histograms, a pair a layout."""
        whole = numbers.astype(np.int64)
        found = []
        for layout_number in np.unique(whole >> 40).tolist():
            layout = self._layouts[layout_number]
            if layout not in self._joined:
                self._joined[layout] = joined(self._parts[layout])
            here = np.flatnonzero((whole >> 40) == layout_number)
            found.append((here, self._joined[layout].take(whole[here] & ((1 << 40) - 1))))
        return found

    def cells(self, numbers: Values) -> Cells:
        """Histograms of one series by time, object[T]; deltas as running sums."""
        found: Cells = np.full(len(numbers), None, object)
        for places, columns in self.by_layout(numbers):
            found[places] = stack_of(columns).cells()
        return found


def stack_of(columns: HistogramColumns) -> Stack:
    """The histograms of one series, by time, over the buckets that any of them has."""
    layout, size = columns.layout, len(columns)
    bins = np.unique(np.append(columns.bins, np.int32(0)))
    rows = np.repeat(np.arange(size), np.diff(columns.offsets))
    flat = rows * len(bins) + np.searchsorted(bins, columns.bins)
    counts: Values = np.bincount(flat, columns.counts, size * len(bins)).astype(np.float64).reshape(size, len(bins))
    sums = columns.sums
    if layout.delta:
        counts, sums = np.cumsum(counts, axis=0), np.cumsum(sums)
    positive = (bins[bins > 0] - ZERO_INDEX + 1).astype(np.int32)
    negative = (-bins[bins < 0] - ZERO_INDEX + 1)[::-1].astype(np.int32)
    hints = np.full(size, Hint.GAUGE if layout.gauge else Hint.NO_RESET if layout.delta else Hint.UNKNOWN, np.int8)
    if layout.delta and size:
        hints[0] = Hint.UNKNOWN
    shape = Layout(layout.schema, layout.zero_threshold, negative, positive, np.array(layout.bounds))
    return Stack(shape, counts, counts.sum(axis=1), sums, hints)


def pack_columns(columns: HistogramColumns) -> list[bytes]:
    """What `codec.pack_histograms` takes: `PARTS` packed columns."""
    head = _COUNTS.pack(len(columns), len(columns.bins)) + _encode_layout(columns.layout)
    gaps = np.diff(columns.bins, prepend=np.int32(0))
    lengths = np.diff(columns.offsets).astype(np.uint32)
    return [head, _packed(lengths), _packed(gaps), _packed(columns.counts), _packed(columns.sums)]


def unpack_columns(parts: Sequence[bytes]) -> HistogramColumns:
    """The other way. Raises `DamagedChunkError`."""
    try:
        count, bins = _COUNTS.unpack_from(parts[0])
        layout = _decode_layout(parts[0][_COUNTS.size :])
    except (struct.error, ValueError, IndexError, msgspec.MsgspecError) as error:
        raise DamagedChunkError(f"a chunk of histograms cannot be read: {error}") from None
    lengths, gaps = np.empty(count, np.uint32), np.empty(bins, np.int32)
    counts, sums = np.empty(bins), np.empty(count)
    for part, column in zip(parts[1:], (lengths, gaps, counts, sums), strict=True):
        if len(column):
            decompress_into(part, column)
    offsets = np.concatenate(([0], np.cumsum(lengths, dtype=np.int64)))
    return HistogramColumns(layout, offsets, np.cumsum(gaps, dtype=np.int32), counts, sums)


def _packed(column: npt.NDArray[np.generic]) -> bytes:
    return compress(column) if len(column) else b""
