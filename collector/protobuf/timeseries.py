"""The series of remote read and remote write 1.0: `{repeated Label labels = 1; repeated Sample samples = 2; repeated Exemplar
exemplars = 3; repeated Histogram histograms = 4}`. Exemplars are passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from collector.protobuf.columns import MessageBounds, SeriesColumns, checked_labels, series_records
from collector.protobuf.histograms import decode_histogram
from collector.protobuf.samples import SampleColumns
from collector.protobuf.wire import (
    LENGTH,
    Budget,
    Bytes,
    ProtobufError,
    as_message,
    as_text,
    bytes_field,
    fields,
    text_field,
    varint_at,
)
from monitor.query.histogram import Histogram
from monitor.query.history import Cells, Labels, Metadata, Millis

SAMPLE = 2 << 3 | LENGTH
"""Tag of a sample in a series: most of what messages hold, and it comes in runs."""


def label_fields(labels: Labels) -> bytes:
    """The labels of a series, encoded."""
    return b"".join(bytes_field(1, text_field(1, name) + text_field(2, value)) for name, value in labels)


def encode_series(columns: SeriesColumns) -> Iterator[bytes]:
    """Every series as its message, in order."""
    for labels, (floats, drawn) in zip(columns.labels, series_records(columns, 2, 4, with_starts=False), strict=True):
        yield label_fields(labels) + floats + drawn


class Gathered:
    """Series as they are read from a message, in columns at the end. Bounds hold over all of them."""

    def __init__(self, bounds: MessageBounds) -> None:
        self.bounds = bounds
        self.budget = Budget(bounds.fields)
        self.metadata: dict[str, Metadata] = {}
        self._samples = SampleColumns(bounds.samples)
        self._labels: list[Labels] = []
        self._ends: list[int] = []
        self._histograms: dict[int, Histogram] = {}
        self._started: list[tuple[int, int, int]] = []

    def one_more(self) -> None:
        """Raises `ProtobufError` past the bound on series."""
        if len(self._labels) >= self.bounds.series:
            raise ProtobufError(f"the message has more than {self.bounds.series} series; send it in parts")

    def samples(self, data: memoryview, whole: Bytes, at: int) -> int:
        """The sample field at `at` and those like it that follow; where they end. `whole` is `data` as an array."""
        length, begin = varint_at(data, at + 1)
        if length > len(data) - begin:
            raise ProtobufError("a sample reaches beyond the end of its series")
        self.budget.spend()
        if begin == at + 2:
            return self._samples.take(data, whole, begin, begin + length, SAMPLE, self.budget)
        # A length of more than one byte is allowed where it would do with one, but makes no runs.
        self._samples.one(data[begin : begin + length], self.budget)
        return begin + length

    def histogram(self, data: memoryview) -> None:
        time, histogram, start = decode_histogram(data, self.budget, self.bounds.buckets)
        self._histograms[self._samples.count] = histogram
        self._samples.add(time, 0.0, start)

    def ended(self, labels: Labels, created: int = 0) -> None:
        """The series has these labels; `created`: start timestamp of those of its samples that have none."""
        begin = self._ends[-1] if self._ends else 0
        if created:
            self._started.append((begin, self._samples.count, created))
        self._labels.append(labels)
        self._ends.append(self._samples.count)

    def columns(self) -> SeriesColumns:
        times, values, starts = self._samples.columns()
        for begin, end, created in self._started:
            part = starts[begin:end]
            part[part == 0] = created
        cells: Cells | None = None
        if self._histograms:
            cells = np.full(len(times), None, object)
            for place, histogram in self._histograms.items():
                cells[place] = histogram
        offsets = np.array([0, *self._ends], np.int64)
        kept: Millis | None = starts if starts.any() else None
        return _in_time_order(SeriesColumns(tuple(self._labels), offsets, times, values, cells, kept, self.metadata))


def _in_time_order(columns: SeriesColumns) -> SeriesColumns:
    """Samples of each series by time: senders should keep that order, and histograms stand apart from the floats."""
    falling = np.diff(columns.times) < 0
    edges = columns.offsets[1:-1]
    falling[edges[(edges > 0) & (edges < len(columns.times))] - 1] = False
    if not falling.any():
        return columns
    order = np.lexsort((columns.times, np.repeat(np.arange(len(columns.labels)), np.diff(columns.offsets))))
    return replace(
        columns,
        times=columns.times[order],
        values=columns.values[order],
        histograms=None if columns.histograms is None else columns.histograms[order],
        starts=None if columns.starts is None else columns.starts[order],
    )


def decode_series(data: memoryview, gathered: Gathered) -> None:
    """One series. Raises `ProtobufError`."""
    gathered.one_more()
    pairs: list[tuple[str, str]] = []
    whole = np.frombuffer(data, np.uint8)
    at = 0
    while at < len(data):
        if data[at] == SAMPLE:
            at = gathered.samples(data, whole, at)
            continue
        number, kind, value, at = next(fields(data, gathered.budget, at))
        if number == 1:
            if len(pairs) >= gathered.bounds.labels:
                raise ProtobufError(f"a series has more than {gathered.bounds.labels} labels")
            pairs.append(_label(as_message(value, kind), gathered.budget))
        elif number == 4:
            gathered.histogram(as_message(value, kind))
    gathered.ended(checked_labels(pairs))


def _label(data: memoryview, budget: Budget) -> tuple[str, str]:
    name = value = ""
    for number, kind, found, _ in fields(data, budget):
        if number == 1:
            name = as_text(found, kind)
        elif number == 2:
            value = as_text(found, kind)
    return name, value
