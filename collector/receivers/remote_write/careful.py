"""Reads any series of a request, field by field: what is new, odd or damaged. What it read once, `quick` reads the next time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from collector.protobuf.columns import MessageBounds
from collector.protobuf.timeseries import SAMPLE, Gathered
from collector.protobuf.wire import Budget, ProtobufError, as_message, as_text, as_unsigned, fields, packed_list
from collector.protobuf.write import TYPES_V1
from collector.receivers.remote_write.exemplars import WrittenExemplar, exemplar_v1, exemplar_v2
from collector.receivers.remote_write.found import Found
from collector.receivers.remote_write.series import BadSeriesError, WrittenSeries, checked
from monitor.model.matchers import NAME_TAG
from monitor.query.history import Labels, Metadata

Pairs = list[tuple[str, str]]


class CarefulReader:
    """Series of one message. `series_v1` and `series_v2` take one each; `found` is what they came to."""

    def __init__(self, series: WrittenSeries, bounds: MessageBounds) -> None:
        self._series = series
        self._gathered = Gathered(bounds)
        self._labels: list[Labels | None] = []
        self._heads: list[tuple[int, bytes]] = []
        self._found = Found()

    @property
    def budget(self) -> Budget:
        return self._gathered.budget

    @property
    def count(self) -> int:
        """Series so far."""
        return len(self._labels)

    def series_v1(self, data: memoryview) -> None:
        """`prometheus.TimeSeries`. Raises `ProtobufError`."""
        gathered, pairs = self._begin(), Pairs()
        whole = np.frombuffer(data, np.uint8)
        at, head, plain = 0, -1, True
        exemplars: list[WrittenExemplar] = []
        while at < len(data):
            if data[at] == SAMPLE:
                head = at if head < 0 else head
                at = gathered.samples(data, whole, at)
                continue
            number, kind, value, at = next(fields(data, gathered.budget, at))
            plain = plain and (number == 1 if head < 0 else number == 3)
            if number == 1:
                self._room_for(len(pairs))
                pairs.append(_label(as_message(value, kind), gathered.budget))
            elif number == 3:
                exemplars.append(exemplar_v1(as_message(value, kind), gathered.budget))
            elif number == 4:
                gathered.histogram(as_message(value, kind))
        self._end(pairs, None, bytes(data[:head]) if plain and head > 0 else b"", exemplars)

    def series_v2(self, data: memoryview, symbols: list[str], key: bytes) -> None:
        """`io.prometheus.write.v2.TimeSeries`; `key`: what `quick` may know it by, b"" for none. Raises `ProtobufError`."""
        gathered = self._begin()
        whole = np.frombuffer(data, np.uint8)
        refs: list[int] = []
        known: Metadata | None = None
        exemplars: list[WrittenExemplar] = []
        at = 0
        while at < len(data):
            if data[at] == SAMPLE:
                at = gathered.samples(data, whole, at)
                continue
            number, kind, value, at = next(fields(data, gathered.budget, at))
            if number == 1:
                refs += packed_list(value, kind)
                self._room_for(len(refs) // 2)
            elif number == 3:
                gathered.histogram(as_message(value, kind))
            elif number == 4:
                told = as_message(value, kind)
                exemplars.append(exemplar_v2(told, lambda ref: symbol(ref, symbols), gathered.budget))
            elif number == 5:
                known = _metadata(as_message(value, kind), symbols, gathered.budget)
        if len(refs) % 2:
            raise ProtobufError("a label has a name without a value")
        texts = [symbol(ref, symbols) for ref in refs]
        self._end(list(zip(texts[::2], texts[1::2], strict=True)), known, key, exemplars)

    def metadata_v1(self, data: memoryview) -> None:
        """`prometheus.MetricMetadata`. Raises `ProtobufError`."""
        declared, texts = 0, {2: "", 4: "", 5: ""}
        for number, kind, value, _ in fields(data, self.budget):
            if number == 1:
                declared = as_unsigned(value, kind)
            elif number in texts:
                texts[number] = as_text(value, kind)
        known = Metadata(TYPES_V1[declared] if declared < len(TYPES_V1) else "unknown", texts[4], texts[5])
        self._series.describe(texts[2], known)

    def found(self) -> Found:
        """All that was read; the ids of series met for the first time are given out now."""
        columns, found = self._gathered.columns(), self._found
        numbers = np.full(len(self._labels), -1, np.int32)
        floats = np.ones(len(columns.times), np.bool_)
        if columns.histograms is not None:
            floats = np.array([each is None for each in columns.histograms], np.bool_)
        for place, labels in enumerate(self._labels):
            here = range(int(columns.offsets[place]), int(columns.offsets[place + 1]))
            if labels is None:
                continue
            try:
                if floats[here.start : here.stop].any():
                    numbers[place] = self._series.float_id(labels)
                if columns.histograms is not None and not floats[here.start : here.stop].all():
                    drawn = self._series.histogram_id(labels)
                    rows = [row for row in here if not floats[row]]
                    found.histograms += [(drawn, int(columns.times[row]), columns.histograms[row]) for row in rows]
            except BadSeriesError as error:
                found.refused.note(str(error), series=1, samples=len(here))
        ids = np.repeat(numbers, np.diff(columns.offsets))
        taken = floats & (ids >= 0)
        found.ids, found.times, found.values = ids[taken], columns.times[taken], columns.values[taken]
        for place, head in self._heads:
            if numbers[place] >= 0:
                self._series.quick[head] = int(numbers[place])
        return found

    def _begin(self) -> Gathered:
        self._gathered.one_more()
        return self._gathered

    def _room_for(self, labels: int) -> None:
        if labels >= self._gathered.bounds.labels + 1:
            raise ProtobufError(f"a series has more than {self._gathered.bounds.labels} labels")

    def _end(self, pairs: Pairs, known: Metadata | None, head: bytes, exemplars: Sequence[WrittenExemplar]) -> None:
        self._gathered.ended(())
        try:
            labels = checked(pairs)
        except BadSeriesError as error:
            self._labels.append(None)
            self._found.refused.note(str(error), series=1)
            return
        if known is not None:
            self._series.learn(dict(labels)[NAME_TAG], known)
        if exemplars:
            self._found.exemplars.put(labels, exemplars)
        if head:
            self._heads.append((len(self._labels), head))
        self._labels.append(labels)


def symbol(ref: int, symbols: list[str]) -> str:
    """Raises `ProtobufError` for a symbol that there is not."""
    if ref >= len(symbols) and ref:
        raise ProtobufError(f"symbol {ref} is none of the {len(symbols)} there are")
    return symbols[ref] if ref else ""


def _label(data: memoryview, budget: Budget) -> tuple[str, str]:
    name = value = ""
    for number, kind, found, _ in fields(data, budget):
        if number == 1:
            name = as_text(found, kind)
        elif number == 2:
            value = as_text(found, kind)
    return name, value


def _metadata(data: memoryview, symbols: list[str], budget: Budget) -> Metadata:
    numbers = {1: 0, 3: 0, 4: 0}
    for number, kind, value, _ in fields(data, budget):
        if number in numbers:
            numbers[number] = as_unsigned(value, kind)
    declared = TYPES_V1[numbers[1]] if numbers[1] < len(TYPES_V1) else "unknown"
    return Metadata(declared, symbol(numbers[3], symbols), symbol(numbers[4], symbols))
