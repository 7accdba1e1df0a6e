"""Puts together what two sources answered: each time of a matrix, and each sample of a selection, from one of them only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from monitor.query.history import Block, Cells, Labels, Matrix, Millis, Selected


def joined_matrices(older: Matrix | None, newer: Matrix | None, times: Millis) -> Matrix:
    """One matrix over all times; the two have different ones of them. Series are sorted by their labels."""
    parts = [part for part in (older, newer) if part is not None]
    labels = sorted({each for part in parts for each in part.labels})
    rows = {each: row for row, each in enumerate(labels)}
    shape = (len(labels), len(times))
    values, present = np.zeros(shape), np.zeros(shape, np.bool_)
    cells: Cells | None = np.full(shape, None, object) if any(part.histograms is not None for part in parts) else None
    for part in parts:
        mine = np.array([rows[each] for each in part.labels], np.int64)
        columns = np.searchsorted(times, part.times)
        if len(mine):
            values[np.ix_(mine, columns)] = part.values
            present[np.ix_(mine, columns)] = part.present
            if cells is not None and part.histograms is not None:
                cells[np.ix_(mine, columns)] = part.histograms
    return Matrix(tuple(labels), times, values, present, cells)


def joined_selections(older: Sequence[Block], newer: Selected) -> Selected:
    """Samples of both, each series in one block. The older ones all come before the newer."""
    found: dict[Labels, list[Block]] = {}
    for block in (*older, *newer.blocks):
        for row, labels in enumerate(block.labels):
            found.setdefault(labels, []).append(_row(block, row))
    blocks = tuple(parts[0] if len(parts) == 1 else _one(labels, parts) for labels, parts in found.items())
    return Selected(blocks, newer.resolution, newer.warnings, newer.infos)


def _row(block: Block, row: int) -> Block:
    """One series with the times at which it has a sample."""
    kept = np.ones(len(block.times), np.bool_) if block.present is None else block.present[row]
    cells = None if block.histograms is None else block.histograms[row : row + 1, kept]
    starts = None if block.starts is None else block.starts[row : row + 1, kept]
    return Block((block.labels[row],), block.times[kept], block.values[row : row + 1, kept], None, cells, starts)


def _one(labels: Labels, parts: Sequence[Block]) -> Block:
    def told(block: Block) -> Cells:
        return np.full(block.values.shape, None, object) if block.histograms is None else block.histograms

    cells = np.concatenate([told(part) for part in parts], axis=1) if any(p.histograms is not None for p in parts) else None
    times = np.concatenate([part.times for part in parts])
    return Block((labels,), times, np.concatenate([part.values for part in parts], axis=1), None, cells)
