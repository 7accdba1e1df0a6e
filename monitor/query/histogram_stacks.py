"""Many histograms at once: cells gathered into stacks, and stacks brought to common buckets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from monitor.query.histogram import NO_INDICES, Histogram, Indices, Layout, Stack
from monitor.query.history import Cells, Values

Positions = npt.NDArray[np.int64]

_LONG = 16
"""Steps from which a series is worth being gone through by itself."""


def stacks_of(cells: Cells | Sequence[Histogram | None]) -> list[tuple[Positions, Stack]]:
    """Histograms (None: there is none) as stacks, each with the positions of its rows, int64 rising. One stack holds all whose
    schema, zero bucket and bounds agree: a series gives one for nearly all its life. Cells of one stack cost no copy a cell.
    """
    one = _of_one_stack(cells)
    if one is not None:
        return [one]
    of_stack: dict[int, tuple[Stack, list[int], list[int]]] = {}
    for position, cell in enumerate(cells):  # a cell is an object: this gathers what belongs to the same matrix
        if cell is not None:
            stack: Stack = cell.stack
            _, positions, rows = of_stack.setdefault(id(stack), (stack, [], []))
            positions.append(position)
            rows.append(cell.row)
    alike: list[list[tuple[Positions, Stack]]] = []
    for stack, positions, rows in of_stack.values():
        part = (np.array(positions, np.int64), stack.take(np.array(rows, np.int64)))
        group = next((g for g in alike if g[0][1].layout.comparable(stack.layout)), None)
        if group is None:
            alike.append([part])
        else:
            group.append(part)
    return [_joined(group) for group in alike]


def parts_of(cells: Cells) -> Iterator[tuple[Positions, Stack]]:
    """The stacks of an array of any shape, with the positions of their rows in the flat array. Of [S, N] each series gives its
    own: the buckets of different series are not brought together, which would only cost.
    """
    if cells.ndim == 2 and cells.shape[1] >= _LONG:
        for row, of_series in enumerate(cells):
            for at, stack in stacks_of(of_series):
                yield row * cells.shape[1] + at, stack
    else:
        yield from stacks_of(cells.reshape(-1))


def restacked(cells: Cells) -> Cells:
    """The same histograms as rows of as few stacks as can be: much less memory than many that stand alone."""
    found: Cells = np.full(len(cells), None, object)
    for at, stack in stacks_of(cells):
        found[at] = stack.cells()
    return found


def _of_one_stack(cells: Cells | Sequence[Histogram | None]) -> tuple[Positions, Stack] | None:
    """What most arrays are: all their histograms rows of the same stack, one after the other. Gives a view where it can."""
    found = [cell for cell in cells if cell is not None]
    if not found:
        return None
    stack = found[0].stack
    rows = [cell.row for cell in found if cell.stack is stack]
    if len(rows) != len(found):
        return None
    at = np.arange(len(rows))
    if len(rows) != len(cells):
        at = np.array([position for position, cell in enumerate(cells) if cell is not None], np.int64)
    if rows == list(range(rows[0], rows[0] + len(rows))):
        return at, stack.take(slice(rows[0], rows[0] + len(rows)))
    return at, stack.take(np.array(rows, np.int64))


def _joined(parts: list[tuple[Positions, Stack]]) -> tuple[Positions, Stack]:
    if len(parts) == 1:
        return parts[0]
    layout = union([stack.layout for _, stack in parts])
    spread = [spread_to(stack, layout) for _, stack in parts]
    positions = np.concatenate([at for at, _ in parts])
    order = np.argsort(positions)
    whole = Stack(
        layout,
        np.concatenate([s.counts for s in spread])[order],
        np.concatenate([s.count for s in spread])[order],
        np.concatenate([s.sum for s in spread])[order],
        np.concatenate([s.hints for s in spread])[order],
    )
    return positions[order], whole


def union(layouts: Iterable[Layout]) -> Layout:
    """A layout with the buckets of all; they must be comparable."""
    first, *others = layouts
    if all(first.same(other) for other in others):
        return first
    negative, positive = [first.negative], [first.positive]
    for other in others:
        negative.append(other.negative)
        positive.append(other.positive)
    return Layout(first.schema, first.zero_threshold, _distinct(negative), _distinct(positive), first.custom_values)


def _distinct(arrays: list[Indices]) -> Indices:
    filled = [array for array in arrays if len(array)]
    found: Indices = np.unique(np.concatenate(filled)) if filled else NO_INDICES
    return found


def spread_to(stack: Stack, layout: Layout) -> Stack:
    """The same histograms in the columns of a layout that has all their buckets."""
    if stack.layout.same(layout):
        return stack
    counts: Values = np.zeros((len(stack), layout.width))
    counts[:, columns_in(stack.layout, layout)] = stack.counts
    return Stack(layout, counts, stack.count, stack.sum, stack.hints)


def columns_in(layout: Layout, wider: Layout) -> Positions:
    """For each column of a layout the column of the same bucket in a wider one."""
    negative = wider.zero - 1 - np.searchsorted(wider.negative, layout.negative[::-1])
    positive = wider.zero + 1 + np.searchsorted(wider.positive, layout.positive)
    return np.concatenate((negative, [wider.zero], positive)).astype(np.int64)
