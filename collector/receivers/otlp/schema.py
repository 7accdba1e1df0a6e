"""OTLP's own messages with attributes left packed: a point's attributes are then bytes, which a dictionary can look up at once.

On the wire a message within a message is a length and bytes, so `repeated KeyValue attributes` may be read as `repeated bytes`.
The rest of the schema is the published one. The classes are not in memory before the first request.
"""

from __future__ import annotations

from typing import Any

import numpy as np


class UnreadableError(ValueError):
    """A request that is not what it says it is; the message tells why."""


def _parsed(name: str, data: bytes) -> Any:
    from collector.receivers.otlp.messages import PACKED, DecodeError

    kind = PACKED[name]
    try:
        return kind.FromString(data)
    except DecodeError as error:
        raise UnreadableError(f"not a protobuf {kind.DESCRIPTOR.name}: {error}") from None


def metrics_request(data: bytes) -> Any:
    """`ExportMetricsServiceRequest`. Raises `UnreadableError`."""
    return _parsed("metrics", data)


def traces_request(data: bytes) -> Any:
    """`ExportTraceServiceRequest`. Raises `UnreadableError`."""
    return _parsed("traces", data)


def logs_request(data: bytes) -> Any:
    """`ExportLogsServiceRequest`. Raises `UnreadableError`."""
    return _parsed("logs", data)


def key_value(data: bytes) -> Any:
    """`KeyValue`, nothing in it packed. Raises `UnreadableError`."""
    from collector.receivers.otlp.messages import DecodeError, KeyValue

    try:
        return KeyValue.FromString(data)
    except DecodeError as error:
        raise UnreadableError(f"an attribute is not a protobuf KeyValue: {error}") from None


def histogram_numbers(point: Any) -> tuple[bytes, bytes]:
    """The bounds (float64) and counts (uint64) of an explicit histogram's point, little-endian, however they were sent: packed as
    a whole, in parts, or each by itself. Raises `UnreadableError`.
    """
    from collector.receivers.otlp.messages import DecodeError, HistogramDataPoint

    try:
        plain = HistogramDataPoint.FromString(point.SerializeToString())
    except DecodeError as error:
        raise UnreadableError(f"a histogram's point is not a protobuf HistogramDataPoint: {error}") from None
    return np.array(plain.explicit_bounds, "<f8").tobytes(), np.array(plain.bucket_counts, "<u8").tobytes()
