"""Putting a series together from its pieces: chunks, fresh columns, parts of several tiers, in the order they were written.

Series whose pieces have the same times, one after the other, are a family: one matrix, filled row by row. Where pieces overlap
the later written wins; since a family shares its times, that is a choice of columns and not of samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from collector.storage.history.codec import Filler, Picks, put
from monitor.query.history import Mask, Millis, Values

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """n series with T samples each. `rows` int64[n]: which of the wanted series they are; `which` int64[n]: their places in what
    `fill` reads. `shape`: equal where times are equal. `times` int64[T]. `width`: how many samples `fill` reads of a series, of
    which those `picks` names are meant; None for all T.
    """

    rows: Rows
    which: Rows
    times: Millis
    shape: int
    fill: Filler
    width: int
    picks: Picks = None

    def of_rows(self, some: Mask) -> Piece:
        """Some of its series."""
        return Piece(self.rows[some], self.which[some], self.times, self.shape, self.fill, self.width, self.picks)

    def between(self, begin: int, end: int) -> Piece:
        """Of its samples those in columns [begin, end)."""
        return self.picked(slice(begin, end), hash((self.shape, begin, end)))

    def picked(self, columns: slice | Rows, shape: int) -> Piece:
        """Some of its samples, in order; `shape`: what names their times from now on."""
        picks = columns if self.picks is None else _through(self.picks, columns)
        return Piece(self.rows, self.which, self.times[columns], shape, self.fill, self.width, picks)

    def write(self, out: Values, rows: Sequence[int], which: Sequence[int], begin: int) -> None:
        """Fill `out[rows, begin:]` with the series at `which`."""
        self.fill(out, rows, which, slice(begin, begin + len(self.times)), self.width, self.picks)


def _through(picks: slice | Rows, columns: slice | Rows) -> Rows:
    whole = np.arange(picks.start, picks.stop, picks.step or 1) if isinstance(picks, slice) else picks
    return whole[columns]


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

    def fill(out: Values, rows: Sequence[int], which: Sequence[int], columns: slice, _width: int, picks: Picks) -> None:
        put(out, rows, columns, values, which, picks)

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
