"""Histogram counts of one slot at cells, each cell once: how they are kept lean, put together and cut."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from monitor.model.batch import Floats, Ids
from monitor.windows.fold import WEIGHT_GRAIN, summed
from monitor.windows.totals import Bools

BLOCK_BITS = 4
BLOCK = 1 << BLOCK_BITS
"""Neighbouring bins that are kept together; a cell's number is that of its block times 16 and its place."""


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Counts at distinct cells; `counts` None: one each, as nearly all are."""

    cells: Ids
    counts: Floats | None

    @property
    def weights(self) -> Floats | float:
        return 1.0 if self.counts is None else self.counts


def lean(cells: Ids, counts: Floats) -> list[Counts]:
    ones = counts == 1.0
    if ones.all():
        return [Counts(cells, None)]
    several = Counts(cells[~ones], counts[~ones])
    return [Counts(cells[ones], None), several] if ones.any() else [several]


def merged(parts: Iterable[Counts]) -> list[Counts]:
    every = list(parts)
    if not every:
        return []
    cells = np.concatenate([part.cells for part in every])
    counts = np.concatenate([np.ones(len(part.cells)) if part.counts is None else part.counts for part in every])
    distinct, places = np.unique(cells, return_inverse=True)
    return lean(distinct.astype(np.int32), summed(places, counts, len(distinct)))


def without(counts: Counts, gone: Bools) -> Counts:
    keep = ~gone[counts.cells >> BLOCK_BITS]
    return Counts(counts.cells[keep], None if counts.counts is None else counts.counts[keep])


def between(slots: dict[int, list[Counts]], begin: int, end: int, step: int) -> Iterator[int]:
    """Slots in [begin, end), without walking through more time than there are slots."""
    if (end - begin) // step > len(slots):
        return iter([slot for slot in slots if begin <= slot < end])
    return (slot for slot in range(begin, end, step) if slot in slots)


def ranks_of(fraction: float, sizes: Floats) -> Floats:
    """The nearest rank of a fraction among each number of observations, in the histogram's grain and never 0."""
    # 0.07 * 100 is a little more than 7 in a float64: a whole rank must not be rounded up to the next.
    grains = np.ceil(fraction * sizes * WEIGHT_GRAIN * (1 - 1e-15))
    ranks: Floats = np.maximum(grains, 1.0) / WEIGHT_GRAIN
    return ranks
