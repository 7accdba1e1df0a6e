"""Fresh samples in any order, sorted into series, and series into groups of equal times."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from collector.storage.history.pieces import Piece, Rows, matrix_filler
from monitor.query.history import Millis, Values

Refs = npt.NDArray[np.int32]

_SPREAD = np.uint64(0xBF58476D1CE4E5B9)
_SHIFT = np.uint64(29)


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """n samples: `refs` int32[n], `times` int64[n], `values` float64[n]. A histogram's value is its number in its pool."""

    refs: Refs
    times: Millis
    values: Values

    def __len__(self) -> int:
        return len(self.refs)

    def with_values(self, values: Values) -> Columns:
        """The same series and times with other values."""
        return Columns(self.refs, self.times, values)


class Equal(NamedTuple):
    """Series of one span with equal times: `refs` int64[S] rising, `times` int64[T], `places` int64[S, T] in the columns."""

    span: int
    refs: Rows
    times: Millis
    places: Rows


def sorted_columns(parts: Sequence[Columns]) -> tuple[Columns, int]:
    """All samples by series and time, and how many were replaced: of one series and millisecond the last given counts."""
    refs = np.concatenate([part.refs for part in parts])
    times = np.concatenate([part.times for part in parts])
    values = np.concatenate([part.values for part in parts])
    order = np.argsort(refs, kind="stable")
    refs, times = refs[order], times[order]
    same = refs[1:] == refs[:-1]
    if not ((times[1:] > times[:-1]) | ~same).all():
        again = np.lexsort((times, refs))
        refs, times, order = refs[again], times[again], order[again]
        kept = np.append((refs[1:] != refs[:-1]) | (times[1:] != times[:-1]), True)
        replaced = len(kept) - int(kept.sum())
        if replaced:
            refs, times, order = refs[kept], times[kept], order[kept]
    else:
        replaced = 0
    return Columns(refs, times, _same_bits(values, order)), replaced


def wanted_columns(columns: Columns, wanted: Rows) -> tuple[Columns, Rows]:
    """Of sorted columns the samples of the wanted refs (sorted), and where they stood."""
    begins = np.searchsorted(columns.refs, wanted, "left")
    ends = np.searchsorted(columns.refs, wanted, "right")
    counts = ends - begins
    index = np.repeat(begins - np.concatenate(([0], np.cumsum(counts)[:-1])), counts) + np.arange(counts.sum())
    return Columns(columns.refs[index], columns.times[index], _same_bits(columns.values, index)), index


def equal_times(columns: Columns, span: int, per_group: int) -> Iterator[Equal]:
    """Groups of sorted columns that share span, times and `ref // per_group`, in that order. `span`: milliseconds, 0 for one."""
    if not len(columns):
        return
    refs, times = columns.refs, columns.times
    spans = (times - 1) // span if span else np.zeros(len(times), np.int64)
    new = np.concatenate(([True], (refs[1:] != refs[:-1]) | (spans[1:] != spans[:-1])))
    begins = np.flatnonzero(new)
    counts = np.diff(np.append(begins, len(refs)))
    mixed = times.view(np.uint64) * _SPREAD
    mixed = (mixed ^ (mixed >> _SHIFT)) * _SPREAD
    hashes = np.add.reduceat(mixed ^ (mixed >> _SHIFT), begins)
    segment_refs = refs[begins].astype(np.int64)
    segment_spans, groups = spans[begins], segment_refs // per_group
    order = np.lexsort((segment_refs, hashes, counts, groups, segment_spans))
    keys = (segment_spans[order], groups[order], counts[order], hashes[order])
    changed = np.zeros(len(order) - 1, bool)
    for key in keys:
        changed |= key[1:] != key[:-1]
    bounds = [0, *(np.flatnonzero(changed) + 1).tolist(), len(order)]
    for first, behind in itertools.pairwise(bounds):
        members = order[first:behind]
        index = begins[members][:, np.newaxis] + np.arange(counts[members[0]])
        yield from _verified(Equal(int(segment_spans[members[0]]), segment_refs[members], times[index[0]], index), times)


def _verified(equal: Equal, times: Millis) -> Iterator[Equal]:
    """The group itself; one series at a time where two different times had one hash."""
    if (times[equal.places] == equal.times).all():
        yield equal
        return
    for ref, index in zip(equal.refs, equal.places, strict=True):
        yield Equal(equal.span, np.array([ref]), times[index], index[np.newaxis])


def pieces_of(columns: Columns, wanted: Rows) -> list[Piece]:
    """Sorted columns as pieces of the wanted series (sorted refs)."""
    found: list[Piece] = []
    for group in equal_times(columns, 0, 1 << 31):
        rows = np.searchsorted(wanted, group.refs)
        values = _same_bits(columns.values, group.places)
        shape, size = hash(group.times.tobytes()), len(group.times)
        found.append(Piece(rows, np.arange(len(rows)), group.times, shape, matrix_filler(values), size))
    return found


def _same_bits(values: Values, index: Rows) -> Values:
    """Rows of a column, bit for bit."""
    picked: Values = values.view(np.uint64)[index].view(np.float64)
    return picked
