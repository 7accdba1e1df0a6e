"""Putting a series together from its pieces: chunks, fresh columns, parts of several tiers, in the order they were written.

Series whose pieces have the same times, one after the other, are a family: one matrix, filled row by row. Where pieces overlap
the later written wins; since a family shares its times, that is a choice of columns and not of samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from collector.storage.history.codec import Filler
from monitor.query.history import Millis, Values

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """n series with T samples each. `rows` int64[n]: which of the wanted series they are; `which` int64[n]: their places in what
    `fill` reads. `shape`: equal where times are equal. `times` int64[T]; `width`: columns that `fill` writes, of which
    those from `skip` on count (a deletion leaves pieces of pieces).
    """

    rows: Rows
    which: Rows
    times: Millis
    shape: int
    fill: Filler
    skip: int = 0
    width: int = 0

    def cut(self, rows: Rows, which: Rows, begin: int, end: int) -> Piece:
        """Some series of it, and of their samples those in columns [begin, end)."""
        width = self.width or len(self.times)
        shape = hash((self.shape, begin, end))
        return Piece(rows, which, self.times[begin:end], shape, self.fill, self.skip + begin, width)

    def write(self, out: Values, rows: Sequence[int], which: Sequence[int], begin: int) -> None:
        """Fill `out[rows, begin:]` with the series at `which`."""
        if not self.width:
            self.fill(out, rows, which, begin, begin + len(self.times))
            return
        whole = np.empty((len(rows), self.width))
        self.fill(whole, range(len(rows)), which, 0, self.width)
        out.view(np.uint64)[rows, begin : begin + len(self.times)] = whole.view(np.uint64)[
            :, self.skip : self.skip + len(self.times)
        ]


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """Series that share their times, all present. `rows` int64[S], `times` int64[T] strictly rising, `values` float64[S, T].
    `replaced`: samples that another of the same series and millisecond took the place of.
    """

    rows: Rows
    times: Millis
    values: Values
    replaced: int = 0


def matrix_filler(values: Values) -> Filler:
    """Fills from a matrix in memory, bit for bit."""

    def fill(out: Values, rows: Sequence[int], which: Sequence[int], begin: int, end: int) -> None:
        out.view(np.uint64)[rows, begin:end] = values.view(np.uint64)[which]

    return fill


def assemble(pieces: Sequence[Piece], count: int) -> list[Panel]:
    """The `count` wanted series of pieces, which stand in the order they were written; series without any are in no panel."""
    if not pieces:
        return []
    family, order = _families(pieces, count)
    layouts: list[list[Piece]] = [[] for _ in order]
    place = np.empty(count, np.int64)
    for rows in order:
        place[rows] = np.arange(len(rows))
    tasks: list[tuple[int, Piece, Rows, int]] = []
    taken = np.zeros(count, np.int64)
    for piece in pieces:
        families = family[piece.rows]
        depths = taken[piece.rows]
        taken[piece.rows] += 1
        for number, depth in _distinct(families, depths):
            if depth == len(layouts[number]):
                layouts[number].append(piece)
            here = np.flatnonzero((families == number) & (depths == depth))
            tasks.append((number, piece, here, depth))
    starts = [np.concatenate(([0], np.cumsum([len(p.times) for p in layout]))).tolist() for layout in layouts]
    matrices = [np.empty((len(rows), start[-1])) for rows, start in zip(order, starts, strict=True)]
    for number, piece, here, depth in tasks:
        piece.write(matrices[number], place[piece.rows[here]].tolist(), piece.which[here].tolist(), starts[number][depth])
    return [
        _panel(rows, [p.times for p in layout], matrix) for rows, layout, matrix in zip(order, layouts, matrices, strict=True)
    ]


def _families(pieces: Sequence[Piece], count: int) -> tuple[Rows, list[Rows]]:
    """Number of each series' family (those without pieces: beyond the last) and the series of each."""
    signature = np.zeros(count, np.uint64)
    for piece in pieces:
        signature[piece.rows] = signature[piece.rows] * np.uint64(0x9E3779B97F4A7C15) + np.uint64(piece.shape & (1 << 64) - 1 | 1)
    seen = np.zeros(count, bool)
    for piece in pieces:
        seen[piece.rows] = True
    rows = np.flatnonzero(seen)
    _, inverse = np.unique(signature[rows], return_inverse=True)
    family = np.full(count, -1, np.int64)
    family[rows] = inverse
    by_family = np.argsort(inverse, kind="stable")
    bounds = np.flatnonzero(np.diff(inverse[by_family])) + 1
    return family, np.split(rows[by_family], bounds) if len(rows) else []


def _distinct(families: Rows, depths: Rows) -> list[tuple[int, int]]:
    """The pairs of family and depth in a piece, depths rising; nearly always one."""
    if (families == families[0]).all() and (depths == depths[0]).all():
        return [(int(families[0]), int(depths[0]))]
    pairs = np.unique(np.stack((depths, families), axis=1), axis=0)
    return [(family, depth) for depth, family in pairs.tolist()]


def _panel(rows: Rows, parts: list[Millis], values: Values) -> Panel:
    times = parts[0] if len(parts) == 1 else np.concatenate(parts)
    if len(times) < 2 or (np.diff(times) > 0).all():
        return Panel(rows, times, values)
    order = np.argsort(times, kind="stable")
    last = np.append(np.diff(times[order]) > 0, True)
    kept = order[last]
    return Panel(rows, times[kept], values[:, kept], int((~last).sum()) * len(rows))
