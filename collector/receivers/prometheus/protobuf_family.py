"""The families of a protobuf exposition, their metrics still encoded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from collector.protobuf.wire import Budget, ProtobufError, as_message, as_text, as_unsigned, fields, varint_at

COUNTER, GAUGE, SUMMARY, UNTYPED, HISTOGRAM, GAUGE_HISTOGRAM = range(6)
_TYPES = ("counter", "gauge", "summary", "unknown", "histogram", "gaugehistogram")


class Family(NamedTuple):
    """A family as it was sent: `type` is a number of `MetricType`."""

    name: str
    type: int
    help: str
    unit: str
    metrics: list[memoryview]

    @property
    def type_name(self) -> str:
        """What text calls the type."""
        return _TYPES[self.type] if self.type < len(_TYPES) else "unknown"


def families_of(body: memoryview, budget: Budget) -> Iterator[Family]:
    """Each with its length before it. Raises `ProtobufError`."""
    at = 0
    while at < len(body):
        size, at = varint_at(body, at)
        if size > len(body) - at:
            raise ProtobufError("the last family is cut off")
        name, kind, told, unit = "", COUNTER, "", ""
        metrics: list[memoryview] = []
        for number, wire, value, _ in fields(body[at : at + size], budget):
            if number == 1:
                name = as_text(value, wire)
            elif number == 2:
                told = as_text(value, wire)
            elif number == 3:
                kind = as_unsigned(value, wire)
            elif number == 4:
                metrics.append(as_message(value, wire))
            elif number == 5:
                unit = as_text(value, wire)
        at += size
        if not name:
            raise ProtobufError("a family has no name")
        yield Family(name, kind, told, unit, metrics)
