"""The Histogram message of a protobuf exposition: classic buckets, a native histogram, or both."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from collector.protobuf.wire import (
    Budget,
    ProtobufError,
    as_double,
    as_message,
    as_unsigned,
    as_zigzag,
    fields,
    packed_doubles,
    packed_varints,
    unzigzag,
)
from collector.receivers.prometheus.exemplars import exemplar_in
from collector.receivers.prometheus.line import ExemplarText
from collector.receivers.prometheus.native import LEAST_SCHEMA, MOST_SCHEMA, NativeHistogram, Side

_MOST_INDEX = 1 << 20
"""Of a bucket: at the finest schema all doubles lie within a quarter of it."""


@dataclass(slots=True)
class HistogramMessage:
    """`buckets` are upper bounds and cumulative counts in the order sent; `bucket_exemplars` by their places in it, `exemplars`
    those of a native histogram.
    """

    count: float = 0.0
    sum: float = 0.0
    buckets: list[tuple[float, float]] = field(default_factory=list)
    native: NativeHistogram | None = None
    bucket_exemplars: dict[int, ExemplarText] = field(default_factory=dict)
    exemplars: list[ExemplarText] = field(default_factory=list)


@dataclass(slots=True)
class _Spans:
    """Buckets of one sign as they come in."""

    spans: list[tuple[int, int]] = field(default_factory=list)
    deltas: list[npt.NDArray[np.int64]] = field(default_factory=list)
    counts: list[npt.NDArray[np.float64]] = field(default_factory=list)
    size: int = 0

    def add(self, what: int, value: int | memoryview, wire: int, budget: Budget, most: int) -> None:
        if what == 1:
            self.deltas.append(unzigzag(packed_varints(value, wire)))
        elif what == 2:
            self.counts.append(packed_doubles(value, wire))
        else:
            offset = length = 0
            for number, inner, found, _ in fields(as_message(value, wire), budget):
                if number == 1:
                    offset = as_zigzag(found, inner)
                elif number == 2:
                    length = as_unsigned(found, inner)
            self.spans.append((offset, length))
            self.size += length
            if self.size > most:
                raise ProtobufError(f"a histogram has more than {most} buckets")

    def side(self) -> Side:
        pieces: list[npt.NDArray[np.int64]] = []
        following = 0
        for place, (offset, length) in enumerate(self.spans):
            first = following + offset
            if (place and offset < 0) or not -_MOST_INDEX < first < _MOST_INDEX:
                raise ProtobufError("buckets of a histogram overlap or lie beyond all numbers")
            pieces.append(np.arange(first, first + length, dtype=np.int64))
            following = first + length
        counts = np.concatenate(self.counts) if self.counts else np.empty(0)
        if self.deltas and not self.counts:
            counts = np.cumsum(np.concatenate(self.deltas)).astype(np.float64)
        if len(counts) != self.size or not bool((counts >= 0).all()):
            raise ProtobufError("the counts of a histogram are not those of its buckets, or below zero")
        return Side(np.concatenate(pieces) if pieces else np.empty(0, np.int64), counts)


def read_histogram(message: memoryview, budget: Budget, most_buckets: int) -> HistogramMessage:
    """The message; its histogram is native where it has a zero bucket or spans, be they empty. Raises `ProtobufError`."""
    found = HistogramMessage()
    whole: dict[int, float] = {}
    positive, negative = _Spans(), _Spans()
    schema = 0
    for number, wire, value, _ in fields(message, budget):
        if number in (1, 7):
            whole[number] = float(as_unsigned(value, wire))
        elif number in (2, 4, 6, 8):
            whole[number] = as_double(value, wire)
        elif number == 3:
            _bucket(as_message(value, wire), budget, found)
        elif number == 16:
            found.exemplars.append(exemplar_in(as_message(value, wire), budget))
        elif number == 5:
            schema = as_zigzag(value, wire)
        elif 9 <= number <= 14:
            (negative if number < 12 else positive).add((number - 9) % 3, value, wire, budget, most_buckets)
    found.count, found.sum = whole.get(4, 0.0) or whole.get(1, 0.0), whole.get(2, 0.0)
    zero_count, threshold = whole.get(8, 0.0) or whole.get(7, 0.0), whole.get(6, 0.0)
    if threshold > 0 or zero_count > 0 or positive.spans or negative.spans:
        if not LEAST_SCHEMA <= schema <= MOST_SCHEMA:
            raise ProtobufError(f"a histogram has the schema {schema}, which is none from {LEAST_SCHEMA} to {MOST_SCHEMA}")
        found.native = NativeHistogram(schema, found.count, found.sum, threshold, zero_count, positive.side(), negative.side())
    return found


def _bucket(message: memoryview, budget: Budget, found: HistogramMessage) -> None:
    whole: dict[int, float] = {}
    for number, wire, value, _ in fields(message, budget):
        if number == 1:
            whole[number] = float(as_unsigned(value, wire))
        elif number in (2, 4):
            whole[number] = as_double(value, wire)
        elif number == 3:
            found.bucket_exemplars[len(found.buckets)] = exemplar_in(as_message(value, wire), budget)
    found.buckets.append((whole.get(2, 0.0), whole.get(4, 0.0) or whole.get(1, 0.0)))
