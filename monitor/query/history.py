"""What a query asks of a history: matchers in, numpy blocks out. Every store, embedded, in memory or remote, answers this.

Times are int64 milliseconds since the epoch, as in Prometheus; a sample's value may be NaN (a number that is none) or the
staleness marker, a NaN of one bit pattern that ends a series.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from monitor.model.matchers import Matcher

Labels = tuple[tuple[str, str], ...]
"""Sorted by label name, names unique, no empty values; the metric's name is the label `__name__`, as it was sent."""

Millis = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Cells = npt.NDArray[np.object_]

STALE_BITS = 0x7FF0000000000002
"""Bits of the staleness marker (Prometheus, model/value/value.go, StaleNaN)."""
STALE = float(np.array([STALE_BITS], np.uint64).view(np.float64)[0])
"""The marker as a float. Copying it through float arithmetic may lose its bits: assign arrays, never compute with it."""


def stale_at(values: Values) -> Mask:
    """Where the staleness marker stands."""
    mask: Mask = np.ascontiguousarray(values).view(np.uint64) == STALE_BITS
    return mask


class Hints(msgspec.Struct, frozen=True):
    """What the evaluator will do with what it asks for, so that a store may answer from a coarser tier when that is exact.

    Milliseconds: `step` between evaluations (0: one instant), `range` of a range selector (0: an instant selector),
    `lookback` of an instant selector. `func`: name of the function directly round the selector, "" for none.
    `first`: time of the first evaluation (after offset and @). `max_samples`: a store may raise `TooManySamplesError`
    before it decodes more than that.
    """

    step: int = 0
    range: int = 0
    lookback: int = 300_000
    func: str = ""
    first: int = 0
    max_samples: int = 50_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """S series that share T timestamps.

    `times` int64[T], strictly rising. `values` float64[S, T]. `present` bool[S, T], or None when every series has a sample at
    every time; where it is False the value means nothing. `histograms` object[S, T] of `Histogram` or None: where a cell has
    one, `present` holds there and the float value means nothing; None when no series has any. `starts` int64[S, T]: since when a
    counter has counted what a sample says (milliseconds, its start timestamp), 0 where that is unknown; None when it is of all.
    """

    labels: tuple[Labels, ...]
    times: Millis
    values: Values
    present: Mask | None = None
    histograms: Cells | None = None
    starts: Millis | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Selected:
    """Samples of the series selected, each series in exactly one block. `resolution`: milliseconds between what was kept where it
    is coarser than what came in, 0 where nothing was lost for this query; the evaluator then looks back at least that far.
    """

    blocks: tuple[Block, ...]
    resolution: int = 0
    warnings: tuple[str, ...] = ()
    infos: tuple[str, ...] = ()


class Metadata(msgspec.Struct, frozen=True):
    """What is known of a metric: `type` counter, gauge, histogram, gaugehistogram, summary, info, stateset or unknown."""

    type: str = "unknown"
    help: str = ""
    unit: str = ""


class History(Protocol):
    """Samples by time. All calls may come from any thread. Spans are inclusive at both ends, in milliseconds.

    Matchers select by label; an absent label is "". A name is found as sent and in its PromQL spelling (dots as underscores).
    """

    def select(self, matchers: Sequence[Matcher], start: int, end: int, hints: Hints) -> Selected:
        """All samples in [start, end] of the series that meet all matchers."""

    def series(self, matchers: Sequence[Matcher], start: int, end: int, limit: int = 0) -> list[Labels]:
        """Series with samples in the span (a store may be generous about it), sorted; at most `limit` where that is not 0."""

    def label_names(self, matchers: Sequence[Matcher], start: int, end: int, limit: int = 0) -> list[str]:
        """Label names of those series, sorted."""

    def label_values(self, name: str, matchers: Sequence[Matcher], start: int, end: int, limit: int = 0) -> list[str]:
        """Values of one label, sorted."""

    def metadata(self) -> dict[str, Metadata]:
        """By metric name, of the metrics something is known of."""


class QueryError(Exception):
    """A query that cannot be answered. `kind` is Prometheus' errorType: bad_data, execution, timeout, canceled, internal."""

    kind = "execution"


class TooManySamplesError(QueryError):
    """The query would read more samples than it may; the message says how many and what to do."""


class TimeoutQueryError(QueryError):
    kind = "timeout"


class CanceledError(QueryError):
    kind = "canceled"


class ParseError(QueryError):
    """Text that is no PromQL. `start` and `end` are offsets into it (characters); `fix` a corrected text, "" for none."""

    kind = "bad_data"

    def __init__(self, message: str, text: str, start: int, end: int, fix: str = "") -> None:
        self.message, self.text, self.start, self.end, self.fix = message, text, start, end, fix
        self.line = text.count("\n", 0, start) + 1
        self.column = start - (text.rfind("\n", 0, start) + 1) + 1
        super().__init__(f"{self.line}:{self.column}: parse error: {message}")


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """S series at N evaluation times: the value of every expression. Shapes as in `Block`; `present` is always given."""

    labels: tuple[Labels, ...]
    times: Millis
    values: Values
    present: Mask
    histograms: Cells | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """A query's answer. `kind`: vector, matrix, scalar or string.

    A range query gives `matrix` (a series without any point left out). An instant query gives `matrix` with one time for a vector
    or scalar (scalar: one series without labels), `text` for a string, and `raw` for a range selector such as `up[5m]`.
    `resolution` in milliseconds as in `Selected`. `samples`: how many were read.
    """

    kind: str
    matrix: Matrix | None = None
    raw: tuple[Block, ...] = ()
    text: str = ""
    warnings: tuple[str, ...] = ()
    infos: tuple[str, ...] = ()
    resolution: int = 0
    samples: int = 0
    meta: dict[str, Any] | None = None
