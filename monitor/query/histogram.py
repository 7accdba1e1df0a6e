"""Native histograms as queries see them: a histogram is one row of a `Stack`, whose rows share their buckets.

A series' histograms are then one matrix, so that a rate or a quantile over all of them is a handful of array operations, and a
single histogram is merely a row number. Nothing here is ever changed in place: every operation gives a new stack.

Source: Prometheus, model/histogram (FloatHistogram). Schema -4 to 8: a bucket of index i holds (2^((i-1)/2^schema),
2^(i/2^schema)], its negative twin the mirror image, and [-zero_threshold, zero_threshold] is the zero bucket. Schema -53: custom
bounds, the bucket of index i holds (custom_values[i-1], custom_values[i]], below the first and above the last without end.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from monitor.query.history import Cells, Mask, Values
from monitor.query.notes import go_float
from monitor.windows.bins import SCALE, ZERO_INDEX

CUSTOM_SCHEMA = -53
MIN_SCHEMA, MAX_SCHEMA = -4, 8

Indices = npt.NDArray[np.int32]
ResetHints = npt.NDArray[np.int8]

NO_INDICES: Indices = np.zeros(0, np.int32)
NO_BOUNDS: Values = np.zeros(0)


class Hint(enum.IntEnum):
    """What is known of a counter reset before this histogram (CounterResetHint)."""

    UNKNOWN = 0
    RESET = 1
    NO_RESET = 2
    GAUGE = 3


class Buckets(NamedTuple):
    """Some buckets of one sign: `indices` int32 rising, `counts` float64."""

    indices: Indices
    counts: Values


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket by its bounds. In an exponential schema the bound nearer to zero is exclusive, the other inclusive."""

    lower: float
    upper: float
    lower_inclusive: bool
    upper_inclusive: bool
    count: float


NO_BUCKETS = Buckets(NO_INDICES, NO_BOUNDS)


@dataclass(frozen=True, eq=False)
class Layout:
    """Which buckets the columns of a stack are, in the order of their values: `negative` from its last index to its first,
    the zero bucket, `positive` from its first to its last. Indices rise in both arrays; a custom schema has positive ones only
    (its zero column stays 0).
    """

    schema: int
    zero_threshold: float = 0.0
    negative: Indices = field(default_factory=lambda: NO_INDICES)
    positive: Indices = field(default_factory=lambda: NO_INDICES)
    custom_values: Values = field(default_factory=lambda: NO_BOUNDS)

    @property
    def custom(self) -> bool:
        return self.schema == CUSTOM_SCHEMA

    @property
    def zero(self) -> int:
        """Column of the zero bucket."""
        return len(self.negative)

    @property
    def width(self) -> int:
        """How many columns: all buckets and the zero bucket."""
        return len(self.negative) + 1 + len(self.positive)

    def same(self, other: Layout) -> bool:
        """Whether columns of the two mean the same."""
        return self is other or (
            self.comparable(other)
            and np.array_equal(self.negative, other.negative)
            and np.array_equal(self.positive, other.positive)
        )

    def comparable(self, other: Layout) -> bool:
        """Whether buckets of one index mean the same in both, as the schema, the zero bucket and the bounds agree."""
        return (
            self.schema == other.schema
            and self.zero_threshold == other.zero_threshold
            and (self.custom_values is other.custom_values or np.array_equal(self.custom_values, other.custom_values))
        )

    @cached_property
    def whole_bounds(self) -> tuple[Values, Values]:
        """Lower and upper bound of each column as its schema has them, float64 [width], whatever the zero bucket covers."""
        positive = bounds_of(self.positive, self.schema, self.custom_values)
        negative = bounds_of(self.negative[::-1], self.schema, self.custom_values)
        lower = np.concatenate((-negative[1], [-self.zero_threshold], positive[0]))
        upper = np.concatenate((-negative[0], [self.zero_threshold], positive[1]))
        return lower, upper

    @cached_property
    def bounds(self) -> tuple[Values, Values]:
        """The same, but buckets that reach into the zero bucket end at its threshold."""
        lower, upper = (bound.copy() for bound in self.whole_bounds)
        if not self.custom:
            np.minimum(upper[: self.zero], -self.zero_threshold, out=upper[: self.zero])
            np.maximum(lower[self.zero + 1 :], self.zero_threshold, out=lower[self.zero + 1 :])
        return lower, upper


def bounds_of(indices: Indices, schema: int, custom_values: Values) -> tuple[Values, Values]:
    """Lower and upper bound of positive buckets; the last finite bucket of an exponential schema ends at the largest float."""
    if schema == CUSTOM_SCHEMA:
        padded = np.concatenate(([-np.inf], custom_values, [np.inf]))
        return padded[indices], padded[indices + 1]
    return _exponential_bound(indices.astype(np.int64) - 1, schema), _exponential_bound(indices.astype(np.int64), schema)


def _exponential_bound(indices: npt.NDArray[np.int64], schema: int) -> Values:
    """2^(index / 2^schema), exactly a power of two where it is one. Beyond the largest float: that float, then infinity."""
    if schema < 0:
        exponents = indices << -schema
        fractions: Values = np.zeros(indices.shape)
    else:
        exponents = indices >> schema
        fractions = (indices & ((1 << schema) - 1)) / (1 << schema)
    with np.errstate(over="ignore", under="ignore"):
        bounds: Values = np.ldexp(np.exp2(fractions), np.clip(exponents, -2000, 2000).astype(np.int32))
    edge = (exponents == 1024) & (fractions == 0)
    bounds[edge] = np.finfo(np.float64).max
    return bounds


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """T histograms over the same buckets. `counts` float64 [T, layout.width], each bucket's own count; `count` and `sum`
    float64 [T]; `hints` int8 [T] of `Hint`. A bucket that a histogram does not have counts 0.
    """

    layout: Layout
    counts: Values
    count: Values
    sum: Values
    hints: ResetHints

    def __len__(self) -> int:
        return len(self.count)

    def take(self, rows: npt.NDArray[np.int64] | Mask | slice) -> Stack:
        """Some rows, as numpy indexing takes them."""
        return Stack(self.layout, self.counts[rows], self.count[rows], self.sum[rows], self.hints[rows])

    def cells(self) -> Cells:
        """Its histograms, object [T]."""
        found: Cells = np.empty(len(self), object)
        # An object a histogram is what a cell is; each is two words that point here.
        found[:] = [Histogram(self, row) for row in range(len(self))]
        return found


class Histogram:
    """One native histogram: a row of a stack. `histogram_stacks.stacks_of` gives the stacks of many."""

    __slots__ = ("row", "stack")

    def __init__(self, stack: Stack, row: int = 0) -> None:
        self.stack, self.row = stack, row

    @classmethod
    def of(
        cls,
        schema: int = 0,
        count: float = 0.0,
        sum: float = 0.0,  # noqa: A002  # the field's word for it
        *,
        zero_threshold: float = 0.0,
        zero_count: float = 0.0,
        positive: Buckets = NO_BUCKETS,
        negative: Buckets = NO_BUCKETS,
        custom_values: Values = NO_BOUNDS,
        hint: Hint = Hint.UNKNOWN,
    ) -> Histogram:
        """A histogram of its parts. Raises `ValueError` for a schema that there is not or bounds that do not rise."""
        if schema != CUSTOM_SCHEMA and not MIN_SCHEMA <= schema <= MAX_SCHEMA:
            raise ValueError(f"schema {schema} is none of a native histogram: -4 to 8, or -53 for custom bounds")
        if len(custom_values) > 1 and not (np.diff(custom_values) > 0).all():
            raise ValueError("the custom bounds of a histogram must rise")
        layout = Layout(schema, zero_threshold, negative.indices, positive.indices, custom_values)
        counts = np.concatenate((negative.counts[::-1], [zero_count], positive.counts)).astype(np.float64)
        totals = (np.array([count], np.float64), np.array([sum], np.float64))
        return cls(Stack(layout, counts[np.newaxis], *totals, np.array([hint], np.int8)))

    @property
    def layout(self) -> Layout:
        return self.stack.layout

    @property
    def schema(self) -> int:
        return self.stack.layout.schema

    @property
    def zero_threshold(self) -> float:
        return self.stack.layout.zero_threshold

    @property
    def custom_values(self) -> Values:
        return self.stack.layout.custom_values

    @property
    def counts(self) -> Values:
        """Count of each of the layout's columns."""
        row: Values = self.stack.counts[self.row]
        return row

    @property
    def zero_count(self) -> float:
        return float(self.stack.counts[self.row, self.stack.layout.zero])

    @property
    def count(self) -> float:
        return float(self.stack.count[self.row])

    @property
    def sum(self) -> float:
        return float(self.stack.sum[self.row])

    @property
    def hint(self) -> Hint:
        return Hint(int(self.stack.hints[self.row]))

    @property
    def positive(self) -> Buckets:
        """Positive buckets that count something."""
        return _populated(self.layout.positive, self.counts[self.layout.zero + 1 :])

    @property
    def negative(self) -> Buckets:
        """Negative buckets that count something, by rising index."""
        return _populated(self.layout.negative, self.counts[: self.layout.zero][::-1])

    def alone(self) -> Stack:
        """A stack of this histogram only."""
        return self.stack.take(slice(self.row, self.row + 1))

    def buckets(self, whole: bool = False) -> Iterator[Bucket]:
        """Buckets that count something, in the order of their values; `whole`: with the part that the zero bucket covers."""
        lower, upper = self.layout.whole_bounds if whole else self.layout.bounds
        zero, custom = self.layout.zero, self.layout.custom
        for column in np.flatnonzero(self.counts).tolist():
            at_zero = column == zero
            yield Bucket(
                float(lower[column]),
                float(upper[column]),
                at_zero or (column < zero and not custom) or (custom and column == zero + 1 and self.layout.positive[0] == 0),
                at_zero or column > zero,
                float(self.counts[column]),
            )

    def __repr__(self) -> str:
        return f"Histogram({self})"

    def __str__(self) -> str:
        """As Prometheus writes it, which `count_values` makes a label of."""
        parts = [f"count:{go_float(self.count)}", f"sum:{go_float(self.sum)}"]
        for bucket in self.buckets(whole=True):
            opening, closing = "[" if bucket.lower_inclusive else "(", "]" if bucket.upper_inclusive else ")"
            bounds = f"{go_float(bucket.lower)},{go_float(bucket.upper)}"
            parts.append(f"{opening}{bounds}{closing}:{go_float(bucket.count)}")
        return "{" + ", ".join(parts) + "}"


def _populated(indices: Indices, counts: Values) -> Buckets:
    kept = counts != 0
    return Buckets(indices[kept], counts[kept])


def from_bins(
    bins: npt.NDArray[np.int32],
    counts: Values,
    count: float,
    total: float,
    hint: Hint = Hint.UNKNOWN,
) -> Histogram:
    """A histogram of the product's own bins (monitor/windows/bins.py): schema 6, whose indices count upper bounds, hence + 1. The
    `total` is the sum of what was observed.
    """
    order = np.argsort(bins)
    bins, counts = bins[order], counts[order]
    below, above = bins < 0, bins > 0
    return Histogram.of(
        SCALE,
        count,
        total,
        zero_count=float(counts[bins == 0].sum()),
        positive=Buckets((bins[above] - ZERO_INDEX + 1).astype(np.int32), counts[above]),
        negative=Buckets((-bins[below] - ZERO_INDEX + 1).astype(np.int32)[::-1], counts[below][::-1]),
    )
