"""What rows did over a span of time: dense totals, and the sparse parts of one slot that are added to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitor.model.batch import Floats, Ids
from monitor.model.series import Kind
from monitor.model.table import lengthened

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Some rows in one slot; `rows` ascending, each once. What is None is told by the sums.

    `counts` None: one observation each, which is then also least, greatest and last. `mins` None: nobody asks for
    extremes and last values of these rows (counters and sets). Most series send one sample a slot, so most of what is
    kept is a row number and a value.
    """

    rows: Ids
    sums: Floats
    counts: Floats | None = None
    mins: Floats | None = None
    maxs: Floats | None = None
    lasts: Floats | None = None
    extremes: bool = True

    def told(self, name: str) -> Floats:
        """`counts`, `sums`, `mins`, `maxs` or `lasts` of each row."""
        column: Floats | None = getattr(self, name)
        if column is not None:
            return column
        return np.ones(len(self.rows)) if name == "counts" else self.sums

    def without(self, gone: Bools) -> Part | None:
        """The part without the rows marked in `gone`; None when nothing is left."""
        drop = gone[self.rows]
        if not drop.any():
            return self
        if drop.all():
            return None
        keep = ~drop
        counts, mins, maxs, lasts = (
            None if column is None else column[keep] for column in (self.counts, self.mins, self.maxs, self.lasts)
        )
        return Part(self.rows[keep], self.sums[keep], counts, mins, maxs, lasts, self.extremes)


def parts_of(
    rows: Ids, kinds: npt.NDArray[np.int8], counts: Floats, sums: Floats, mins: Floats, maxs: Floats, lasts: Floats
) -> list[Part]:
    """The entries of one slot as parts, each in its leanest form. Rows ascending and unique; `kinds` is one an entry."""
    # Slots that end in a staleness marker are kept whole whatever their kind, since only there the last value is told.
    spread = (kinds == Kind.GAUGE) | (kinds == Kind.DISTRIBUTION) | np.isnan(lasts)
    single = (counts == 1.0) & ((lasts == sums) | ~spread)
    parts = []
    for which, bare, extremes in (
        (spread & single, True, True),
        (~spread & single, True, False),
        (~spread & ~single, False, False),
    ):
        if which.any():
            parts.append(Part(rows[which], sums[which], None if bare else counts[which], extremes=extremes))
    whole = spread & ~single
    if whole.any():
        parts.append(Part(rows[whole], sums[whole], counts[whole], mins[whole], maxs[whole], lasts[whole]))
    return parts


class Totals:
    """Count, sum, least and greatest of every row, dense. Arrays may be shorter than the table: rows beyond have nothing."""

    __slots__ = ("counts", "maxs", "mins", "sums")

    def __init__(self, capacity: int) -> None:
        self.counts: Floats = np.zeros(capacity)
        self.sums: Floats = np.zeros(capacity)
        self.mins: Floats = np.full(capacity, np.inf)
        self.maxs: Floats = np.full(capacity, -np.inf)

    def __len__(self) -> int:
        return len(self.counts)

    def grow(self, capacity: int) -> None:
        if capacity > len(self.counts):
            self.counts = lengthened(self.counts, capacity, 0.0)
            self.sums = lengthened(self.sums, capacity, 0.0)
            self.mins = lengthened(self.mins, capacity, np.inf)
            self.maxs = lengthened(self.maxs, capacity, -np.inf)

    def copy(self) -> Totals:
        copied = Totals.__new__(Totals)
        copied.counts, copied.sums = self.counts.copy(), self.sums.copy()
        copied.mins, copied.maxs = self.mins.copy(), self.maxs.copy()
        return copied

    def add(self, part: Part) -> None:
        """Takes in a part whose rows are all below the capacity."""
        rows, sums = part.rows, part.sums
        np.add.at(self.sums, rows, sums)
        if part.counts is None:
            np.add.at(self.counts, rows, 1.0)
        else:
            np.add.at(self.counts, rows, part.counts)
        if part.extremes:
            np.minimum.at(self.mins, rows, sums if part.mins is None else part.mins)
            np.maximum.at(self.maxs, rows, sums if part.maxs is None else part.maxs)

    def merge(self, other: Totals) -> None:
        """Takes in other totals; grows to their length."""
        self.grow(len(other))
        size = len(other)
        self.counts[:size] += other.counts
        self.sums[:size] += other.sums
        np.minimum(self.mins[:size], other.mins, out=self.mins[:size])
        np.maximum(self.maxs[:size], other.maxs, out=self.maxs[:size])

    def clear(self, rows: Ids) -> None:
        """These rows had nothing."""
        rows = rows[rows < len(self.counts)]
        self.counts[rows] = 0.0
        self.sums[rows] = 0.0
        self.mins[rows] = np.inf
        self.maxs[rows] = -np.inf
