"""Exemplars of OTLP's points: which series each belongs to, and what it says (metrics data model, "Exemplars")."""

from __future__ import annotations

import math
import struct
from bisect import bisect_left
from collections.abc import Iterable

from collector.protobuf.wire import Budget, ProtobufError, as_double, as_message, fields
from collector.receivers.otlp.attributes import Attributes, text_of
from collector.receivers.otlp.schema import UnreadableError
from monitor.model.batch import Ids
from monitor.model.exemplars import SPAN, TRACE, ExemplarColumns, Exemplars, bounded
from monitor.model.series import KeySpace

_TIME, _DOUBLE, _SPAN, _TRACE, _INT, _ATTRIBUTE = 2, 3, 4, 5, 6, 7
_SPAN_SIZE, _TRACE_SIZE = 8, 16
_SIGNED, _UNSIGNED = struct.Struct("<q"), struct.Struct("<Q")
_MARKS = bytes((_SPAN << 3 | 2, _SPAN_SIZE)), bytes((_TRACE << 3 | 2, _TRACE_SIZE))
"""How the span and the trace of an exemplar begin on the wire."""
_MOST_FIELDS = 200
_ROOM = 128 - len(TRACE) - len(SPAN) - 2 * _TRACE_SIZE - 2 * _SPAN_SIZE
"""Characters for attributes beside the trace and span of an exemplar."""


def may_hold(data: bytes) -> bool:
    """Whether a request may hold an exemplar with a trace: a look over its bytes instead of one at each of its points."""
    return all(mark in data for mark in _MARKS)


class PointExemplars:
    """The exemplars of one request. `now`: the time of those that have none."""

    def __init__(self, attributes: Attributes, now: float) -> None:
        self._attributes, self._now = attributes, now
        self._columns = ExemplarColumns()

    def of_series(self, series: int, packed: Iterable[bytes]) -> None:
        """Those of a point of this id. Raises `UnreadableError`."""
        if series >= 0:
            for data in packed:
                time, value, trace, span, labels = self._read(data)
                if trace or labels:
                    self._columns.put(series, time, value, labels, trace, span)

    def of_histogram(self, buckets: Ids, bounds: tuple[float, ...], packed: Iterable[bytes]) -> None:
        """Those of a histogram, each with the bucket that it fell into: `buckets` are ids, one more than there are bounds.

        Raises `UnreadableError`.
        """
        for data in packed:
            time, value, trace, span, labels = self._read(data)
            if trace or labels:
                self._columns.put(int(buckets[bisect_left(bounds, value)]), time, value, labels, trace, span)

    def batch(self, space: KeySpace) -> Exemplars | None:
        """All of them; None where there are none."""
        return self._columns.batch(space) if len(self._columns) else None

    def _read(self, data: bytes) -> tuple[float, float, int, int, list[tuple[str, str]]]:
        """Time in seconds, value, trace, span and the attributes that the point itself does not have."""
        time, value, trace, span = 0, math.nan, 0, 0
        attributes: list[tuple[str, str]] = []
        try:
            for number, wire, held, _ in fields(memoryview(data), Budget(_MOST_FIELDS)):
                if number == _DOUBLE:
                    value = as_double(held, wire)
                elif number == _INT and isinstance(held, memoryview) and len(held) == _SIGNED.size:
                    value = float(_SIGNED.unpack(held)[0])
                elif number == _TIME and isinstance(held, memoryview) and len(held) == _UNSIGNED.size:
                    time = _UNSIGNED.unpack(held)[0]
                elif number == _TRACE and len(identity := as_message(held, wire)) == _TRACE_SIZE:
                    trace = int.from_bytes(identity, "big")
                elif number == _SPAN and len(identity := as_message(held, wire)) == _SPAN_SIZE:
                    span = int.from_bytes(identity, "big")
                elif number == _ATTRIBUTE:
                    found = self._attributes.decoded(bytes(as_message(held, wire)))
                    attributes.append((found.key, text_of(found.value)))
        except ProtobufError as error:
            raise UnreadableError(f"an exemplar is not a protobuf Exemplar: {error}") from None
        return time / 1e9 or self._now, value, trace, span, bounded(attributes, _ROOM) if attributes else attributes
