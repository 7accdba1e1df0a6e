"""Writes protobuf expositions for tests, field by field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from collector.protobuf.wire import bytes_field, double_field, number_field, packed, text_field, varint, zigzag

COUNTER, GAUGE, SUMMARY, UNTYPED, HISTOGRAM, GAUGE_HISTOGRAM = range(6)
_FIELDS = {COUNTER: 3, GAUGE: 2, SUMMARY: 4, UNTYPED: 5, HISTOGRAM: 7, GAUGE_HISTOGRAM: 7}


def value(number: float) -> bytes:
    """A Counter, Gauge or Untyped."""
    return double_field(1, number)


def summary(count: int, total: float, quantiles: Mapping[float, float]) -> bytes:
    parts = [bytes_field(3, double_field(1, quantile) + double_field(2, held)) for quantile, held in quantiles.items()]
    return number_field(1, count) + double_field(2, total) + b"".join(parts)


def histogram(count: int, total: float, buckets: Mapping[float, int], native: bytes = b"") -> bytes:
    parts = [bytes_field(3, number_field(1, held) + double_field(2, bound)) for bound, held in buckets.items()]
    return number_field(1, count) + double_field(2, total) + b"".join(parts) + native


def native(schema: int, zero: int, spans: Sequence[tuple[int, int]], deltas: Sequence[int], threshold: float = 1e-128) -> bytes:
    """The native part of a histogram with positive buckets."""
    parts = [bytes_field(12, number_field(1, zigzag(offset)) + number_field(2, length)) for offset, length in spans]
    written = b"".join(varint(zigzag(delta)) for delta in deltas)
    return (
        number_field(5, zigzag(schema))
        + double_field(6, threshold)
        + number_field(7, zero)
        + b"".join(parts)
        + packed(13, written)
    )


def metric(kind: int, body: bytes, labels: Mapping[str, str] | None = None, time: int = 0) -> bytes:
    pairs = b"".join(bytes_field(1, text_field(1, name) + text_field(2, text)) for name, text in (labels or {}).items())
    return pairs + bytes_field(_FIELDS[kind], body) + number_field(6, time)


def family(name: str, kind: int, *metrics: bytes, unit: str = "") -> bytes:
    """With its length before it."""
    body = text_field(1, name) + text_field(2, "help") + number_field(3, kind) + text_field(5, unit)
    body += b"".join(bytes_field(4, held) for held in metrics)
    return varint(len(body)) + body
