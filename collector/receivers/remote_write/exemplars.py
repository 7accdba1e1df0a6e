"""Exemplars of remote write: `prometheus.Exemplar` of 1.0 and `io.prometheus.write.v2.Exemplar`, to columns.

Prometheus sends them as series without samples; others beside the samples of their series.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from collector.protobuf.wire import Budget, ProtobufError, as_double, as_message, as_signed, as_text, fields, packed_list
from monitor.model.exemplars import MOST_AT_ONCE, ExemplarColumns, Exemplars, TooManyCharactersError
from monitor.model.series import KeySpace
from monitor.query.history import Labels

_MOST_LABELS = 64
"""Of one exemplar; they have 128 characters in all."""


class WrittenExemplar(NamedTuple):
    """`time` in milliseconds."""

    labels: tuple[tuple[str, str], ...]
    value: float
    time: int


class WrittenExemplars:
    """Those of one request, by the labels of their series. Beyond `MOST_AT_ONCE` they are left out."""

    def __init__(self) -> None:
        self._found: list[tuple[Labels, WrittenExemplar]] = []
        self.left_out = 0

    def put(self, series: Labels, told: Sequence[WrittenExemplar]) -> None:
        """Of one series."""
        room = max(0, MOST_AT_ONCE - len(self._found))
        self._found += [(series, each) for each in told[:room]]
        self.left_out += max(0, len(told) - room)

    def batch(self, space: KeySpace, id_of: Callable[[Labels], int]) -> Exemplars | None:
        """All of them, None where there are none. `id_of` gives ids of `space`, -1 for a series that cannot be had."""
        columns = ExemplarColumns()
        for labels, told in self._found:
            number = id_of(labels)
            try:
                if number >= 0:
                    columns.put(number, told.time / 1000, told.value, told.labels)
                self.left_out += number < 0
            except TooManyCharactersError:
                self.left_out += 1
        return columns.batch(space) if len(columns) else None


def exemplar_v1(data: memoryview, budget: Budget) -> WrittenExemplar:
    """`{repeated Label labels = 1; double value = 2; int64 timestamp = 3}`. Raises `ProtobufError`."""
    pairs: list[tuple[str, str]] = []
    value, time = math.nan, 0
    for number, kind, held, _ in fields(data, budget):
        if number == 1:
            pair = {inner: as_text(text, wire) for inner, wire, text, _ in fields(as_message(held, kind), budget)}
            pairs.append((pair.get(1, ""), pair.get(2, "")))
        elif number == 2:
            value = as_double(held, kind)
        elif number == 3:
            time = as_signed(held, kind)
    return _told(pairs, value, time)


def exemplar_v2(data: memoryview, symbol: Callable[[int], str], budget: Budget) -> WrittenExemplar:
    """`{repeated uint32 labels_refs = 1; double value = 2; int64 timestamp = 3}`. Raises `ProtobufError`."""
    refs: list[int] = []
    value, time = math.nan, 0
    for number, kind, held, _ in fields(data, budget):
        if number == 1:
            refs += packed_list(held, kind)
        elif number == 2:
            value = as_double(held, kind)
        elif number == 3:
            time = as_signed(held, kind)
    if len(refs) % 2 or len(refs) > 2 * _MOST_LABELS:
        raise ProtobufError("an exemplar's labels do not come in pairs, or are too many")
    texts = [symbol(ref) for ref in refs]
    return _told(list(zip(texts[::2], texts[1::2], strict=True)), value, time)


def _told(pairs: list[tuple[str, str]], value: float, time: int) -> WrittenExemplar:
    if len(pairs) > _MOST_LABELS:
        raise ProtobufError(f"an exemplar has more than {_MOST_LABELS} labels")
    return WrittenExemplar(tuple(pair for pair in pairs if pair[0]), value, time)
