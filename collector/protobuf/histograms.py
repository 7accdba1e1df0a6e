"""Native histograms as protobuf messages, integer and float: the same message in remote read, remote write 1.0 and 2.0.

Source: Prometheus, prompb/types.proto and prompb/io/prometheus/write/v2/types.proto (Histogram, BucketSpan). Buckets stand in
spans of consecutive indices, integer counts as differences to the bucket before.
"""

from __future__ import annotations

import numpy as np

from collector.protobuf.wire import (
    Budget,
    Longs,
    ProtobufError,
    as_double,
    as_message,
    as_signed,
    as_unsigned,
    as_zigzag,
    bytes_field,
    double_field,
    fields,
    number_field,
    packed,
    packed_doubles,
    packed_varints,
    unzigzag,
    varint,
    varints,
    zigzag,
    zigzags,
)
from monitor.query.histogram import NO_BUCKETS, Buckets, Hint, Histogram
from monitor.query.history import Values

_EXACT = float(1 << 53)
"""Up to here every whole number is a float."""
_MOST_INDEX = 1 << 30


def encode_histogram(histogram: Histogram, time: int, start: int = 0) -> bytes:
    """The message: integer counts where all are whole and add up, else floats. Buckets that count nothing are left out."""
    positive, negative = histogram.positive, histogram.negative
    whole = _whole(histogram, positive, negative)
    parts = [
        number_field(1, int(histogram.count)) or b"\x08\x00" if whole else double_field(2, histogram.count),
        double_field(3, histogram.sum),
        number_field(4, zigzag(histogram.schema)),
        double_field(5, histogram.zero_threshold),
        number_field(6, int(histogram.zero_count)) or b"\x30\x00" if whole else double_field(7, histogram.zero_count),
        _encode_buckets(negative, 8, whole),
        _encode_buckets(positive, 11, whole),
        number_field(14, int(histogram.hint)),
        number_field(15, time),
        packed(16, np.ascontiguousarray(histogram.custom_values, "<f8").tobytes()),
        number_field(17, start),
    ]
    return b"".join(parts)


def _whole(histogram: Histogram, positive: Buckets, negative: Buckets) -> bool:
    counts = np.concatenate((positive.counts, negative.counts, [histogram.zero_count, histogram.count]))
    if not bool(((counts == np.floor(counts)) & (counts >= 0) & (counts < _EXACT)).all()):
        return False
    # A NaN among the observations counts in no bucket; only then may an integer histogram's buckets not add up.
    return float(counts[:-1].sum()) == histogram.count or (np.isnan(histogram.sum) and counts[:-1].sum() <= histogram.count)


def _encode_buckets(buckets: Buckets, field: int, whole: bool) -> bytes:
    if not len(buckets.indices):
        return b""
    indices = buckets.indices.astype(np.int64)
    firsts = np.flatnonzero(np.diff(indices, prepend=indices[0] - 2) != 1)
    lengths = np.diff(np.append(firsts, len(indices)))
    ends = indices[firsts] + lengths
    offsets = np.concatenate((indices[firsts[:1]], indices[firsts[1:]] - ends[:-1]))
    spans = [
        bytes_field(field, number_field(1, zigzag(offset)) + number_field(2, length))
        for offset, length in zip(offsets.tolist(), lengths.tolist(), strict=True)
    ]
    if whole:
        deltas = buckets.counts.astype(np.int64)
        deltas[1:] -= deltas[:-1].copy()
        spans.append(packed(field + 1, varints(zigzags(deltas))))
    else:
        spans.append(packed(field + 2, np.ascontiguousarray(buckets.counts, "<f8").tobytes()))
    return b"".join(spans)


class _Side:
    """Spans and counts of the buckets of one sign as they come in."""

    def __init__(self) -> None:
        self.spans: list[tuple[int, int]] = []
        self.deltas: list[Longs] = []
        self.counts: list[Values] = []
        self.size = 0

    def buckets(self) -> Buckets:
        if not self.spans:
            if self.deltas or self.counts:
                raise ProtobufError("a histogram has counts without buckets")
            return NO_BUCKETS
        counts = np.cumsum(np.concatenate(self.deltas)).astype(np.float64) if self.deltas else np.empty(0)
        if self.counts:
            counts = np.concatenate(self.counts)
        if len(counts) != self.size:
            raise ProtobufError(f"a histogram has {len(counts)} counts for {self.size} buckets")
        pieces, following = [], 0
        for place, (offset, length) in enumerate(self.spans):
            if place and offset < 0:
                raise ProtobufError("buckets of a histogram overlap")
            first = following + offset
            if not -_MOST_INDEX < first < _MOST_INDEX:
                raise ProtobufError("a histogram has a bucket beyond all numbers")
            pieces.append(np.arange(first, first + length, dtype=np.int32))
            following = first + length
        return Buckets(np.concatenate(pieces), counts)


def decode_histogram(data: memoryview, budget: Budget, most_buckets: int) -> tuple[int, Histogram, int]:
    """Its time, the histogram, and since when it has counted (0: unknown). Raises `ProtobufError`."""
    numbers: dict[int, float] = {}
    negative, positive, bounds = _Side(), _Side(), np.empty(0)
    for number, kind, value, _ in fields(data, budget):
        if number in (1, 6, 14):
            numbers[number] = as_unsigned(value, kind)
        elif number in (2, 3, 5, 7):
            numbers[number] = as_double(value, kind)
        elif number == 4:
            numbers[number] = as_zigzag(value, kind)
        elif number in (15, 17):
            numbers[number] = as_signed(value, kind)
        elif number == 16:
            bounds = np.concatenate((bounds, packed_doubles(value, kind)))
        elif 8 <= number <= 13:
            _take_buckets(positive if number > 10 else negative, (number - 8) % 3, value, kind, budget)
        if positive.size + negative.size + len(bounds) > most_buckets:
            raise ProtobufError(f"a histogram has more than {most_buckets} buckets")
    hint = int(numbers.get(14, 0))
    try:
        histogram = Histogram.of(
            int(numbers.get(4, 0)),
            float(numbers.get(1, numbers.get(2, 0.0))),
            float(numbers.get(3, 0.0)),
            zero_threshold=float(numbers.get(5, 0.0)),
            zero_count=float(numbers.get(6, numbers.get(7, 0.0))),
            positive=_of_layout(positive.buckets(), int(numbers.get(4, 0)), len(bounds)),
            negative=negative.buckets(),
            custom_values=bounds,
            hint=Hint(hint) if hint <= Hint.GAUGE else Hint.UNKNOWN,
        )
    except ProtobufError:
        raise
    except ValueError as error:
        raise ProtobufError(str(error)) from None
    return int(numbers.get(15, 0)), histogram, int(numbers.get(17, 0))


def _of_layout(buckets: Buckets, schema: int, bounds: int) -> Buckets:
    if schema == -53 and len(buckets.indices) and not (buckets.indices[0] >= 0 and buckets.indices[-1] <= bounds):
        raise ProtobufError("a histogram has a bucket without a bound of its own")
    return buckets


def _take_buckets(side: _Side, what: int, value: int | memoryview, kind: int, budget: Budget) -> None:
    if what == 1:
        side.deltas.append(unzigzag(packed_varints(value, kind)))
    elif what == 2:
        side.counts.append(packed_doubles(value, kind))
    else:
        offset = length = 0
        for number, inner, found, _ in fields(as_message(value, kind), budget):
            if number == 1:
                offset = as_zigzag(found, inner)
            elif number == 2:
                length = as_unsigned(found, inner)
        side.spans.append((offset, length))
        side.size += length


def histogram_record(histogram: Histogram, time: int, field: int, start: int = 0) -> bytes:
    """The message as a field of its series."""
    body = encode_histogram(histogram, time, start)
    return varint(field << 3 | 2) + varint(len(body)) + body
