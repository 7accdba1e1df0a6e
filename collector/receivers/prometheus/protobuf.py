"""From a protobuf exposition (io.prometheus.client.MetricFamily, each with its length before it) to columns.

Source: prometheus/client_model, io/prometheus/client/metrics.proto. Families become the series that text would name
(`_bucket`, `_sum`, `_count`, quantiles); native histograms come beside them, under the family's name.
"""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from collector.protobuf.wire import (
    Budget,
    ProtobufError,
    as_double,
    as_message,
    as_signed,
    as_text,
    as_unsigned,
    bytes_field,
    fields,
)
from collector.receivers.prometheus.dictionary import SPARE, ParsedSeries
from collector.receivers.prometheus.exemplars import ParsedExemplar, exemplar_in
from collector.receivers.prometheus.exposition_parser import Samples
from collector.receivers.prometheus.families import unit_of
from collector.receivers.prometheus.limits import ExpositionError, ExpositionLimits, LimitError
from collector.receivers.prometheus.line import ExemplarText, Labels, shortened
from collector.receivers.prometheus.native import NativeHistogram, NativeSample
from collector.receivers.prometheus.protobuf_family import (
    COUNTER,
    GAUGE,
    HISTOGRAM,
    SUMMARY,
    UNTYPED,
    Family,
    families_of,
)
from collector.receivers.prometheus.protobuf_histogram import HistogramMessage, read_histogram
from monitor.model.batch import Ids
from monitor.model.series import Kind
from monitor.query.history import Metadata

_FIELDS_A_SAMPLE = 40
_LABEL_TAG = 1 << 3 | 2
_DOUBLE_TAG = 1 << 3 | 1
_DOUBLE = struct.Struct("<d")
_VALUES = {2: GAUGE, 3: COUNTER, 4: SUMMARY, 5: UNTYPED, 7: HISTOGRAM}
"""Which field of a Metric holds what."""


class _Reading(NamedTuple):
    """One sample: what its series is called beside the family (suffix, further label), and its value."""

    suffix: str
    label: tuple[str, float] | None
    value: float
    counts: bool
    exemplar: ExemplarText | None = None


class ProtobufParser:
    """`Parser` of protobuf; it remembers the target's series."""

    def __init__(self, limits: ExpositionLimits | None = None) -> None:
        self.limits = limits or ExpositionLimits()
        self.generation = 0
        self.gauge_histograms = 0
        """Native histograms that are no counters: there is nothing they observed since the last one."""
        self._ids = np.empty(0, np.int32)
        self._forget()

    def _forget(self) -> None:
        self.series: list[ParsedSeries] = []
        self._known: dict[tuple[str, bytes, str, float | None], int] = {}
        self._by_key: dict[tuple[str, Labels], int] = {}
        self._types: dict[str, int] = {}
        self.described: dict[str, Metadata] = {}
        """What the last answer says of each family."""
        self._taken: dict[str, Metadata] = {}

    def parse(self, body: bytes) -> Samples:
        """The samples of one answer. Raises `ExpositionError` and nothing else; then nothing of the answer counts."""
        if len(body) > self.limits.body_bytes:
            raise LimitError(f"the answer is longer than {self.limits.body_bytes} bytes")
        try:
            budget = Budget(_FIELDS_A_SAMPLE * self.limits.samples)
            families = list(families_of(memoryview(body), budget))
            if len(self._known) > SPARE + 4 * len(self._ids) or any(
                self._types.get(of.name, of.type) != of.type for of in families
            ):
                self._forget()
                self.generation += 1
            self.described = {of.name: Metadata(of.type_name, of.help, of.unit) for of in families}
            return self._samples(families, budget)
        except ProtobufError as error:
            raise ExpositionError(f"no protobuf exposition: {error}") from None

    def take_described(self) -> dict[str, Metadata]:
        """See `Parser`."""
        news = {name: said for name, said in self.described.items() if self._taken.get(name) != said}
        self._taken = self.described
        return news

    def _samples(self, families: list[Family], budget: Budget) -> Samples:
        ids: list[int] = []
        values: list[float] = []
        times: list[float] = []
        native: list[NativeSample] = []
        exemplars: list[ParsedExemplar] = []
        for family in families:
            self._types[family.name] = family.type
            for metric in family.metrics:
                labels, time, kind, message = _metric(metric, budget)
                if message is None:
                    continue
                found: NativeHistogram | None = None
                if kind == HISTOGRAM:
                    whole = read_histogram(message, budget, self.limits.samples)
                    readings, found = _histogram(whole, family.type == HISTOGRAM), whole.native
                else:
                    readings = _simple(message, kind, budget)
                for reading in readings:
                    ids.append(self._id(family, labels, reading))
                    values.append(reading.value)
                    times.append(time)
                    if reading.exemplar is not None:
                        exemplars.append(ParsedExemplar(ids[-1], reading.exemplar))
                if len(ids) > self.limits.samples:
                    raise LimitError(f"the answer has more than {self.limits.samples} samples")
                if found is not None and family.type == HISTOGRAM:
                    native.append(NativeSample(self._native_id(family, labels), time, found))
                    exemplars += [ParsedExemplar(native[-1].series, each) for each in whole.exemplars]
                elif found is not None:
                    self.gauge_histograms += 1
        return replace(self._columns(ids, values, times, native), exemplars=tuple(exemplars))

    def _columns(self, ids: list[int], values: list[float], times: list[float], native: list[NativeSample]) -> Samples:
        found = np.array(ids, np.int32)
        unique, first = np.unique(found, return_index=True)
        keep = slice(None) if len(unique) == len(found) else np.sort(first)
        held: Ids = found[keep]
        if np.array_equal(held, self._ids):
            held = self._ids
        self._ids = held
        stamps = np.array(times, np.float64)[keep]
        single = {sample.series: sample for sample in reversed(native)}
        return Samples(
            held,
            np.array(values, np.float64)[keep],
            None if bool(np.isnan(stamps).all()) else stamps,
            len(found) - len(held) + len(native) - len(single),
            tuple(single.values()),
        )

    def _id(self, family: Family, labels: bytes, reading: _Reading) -> int:
        key = family.name, labels, reading.suffix, reading.label[1] if reading.label is not None else None
        known = self._known.get(key)
        if known is None:
            further = (reading.label[0], _written(reading.label[1])) if reading.label is not None else None
            kind = Kind.COUNTER if reading.counts else Kind.GAUGE
            known = self._known[key] = self._add(family, labels, family.name + reading.suffix, further, kind)
        return known

    def _native_id(self, family: Family, labels: bytes) -> int:
        key = family.name, labels, "", None
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._add(family, labels, family.name, None, Kind.DISTRIBUTION)
        return known

    def _add(self, family: Family, encoded: bytes, name: str, further: tuple[str, str] | None, kind: Kind) -> int:
        pairs = _labels(encoded, self.limits)
        if further is not None:
            pairs.append(further)
        labels = tuple(sorted(pair for pair in pairs if pair[1]))
        if not name or len(name) > self.limits.name_length:
            raise LimitError(f"the name {shortened(name)} is empty or has more than {self.limits.name_length} characters")
        if len(dict(pairs)) < len(pairs) or any(not label or label == "__name__" for label, _ in pairs):
            raise ExpositionError(f"a label of {shortened(name)} stands twice or has no name")
        found = self._by_key.get((name, labels))
        if found is None:
            found = self._by_key[name, labels] = len(self.series)
            self.series.append(ParsedSeries(name, labels, kind, unit_of(name, {family.name: family.unit} if family.unit else {})))
        return found


def _metric(metric: memoryview, budget: Budget) -> tuple[bytes, float, int, memoryview | None]:
    """Its labels still encoded, its time in seconds (NaN: none), what it is and the message that says the value."""
    # Nearly all begin with their labels, each shorter than 128 bytes.
    data = bytes(metric)
    at, end = 0, len(data)
    while at + 1 < end and data[at] == _LABEL_TAG and data[at + 1] < 0x80:
        at += 2 + data[at + 1]
    if at > end:
        raise ProtobufError("a label is cut off")
    labels, time, kind = [data[:at]], np.nan, UNTYPED
    message: memoryview | None = None
    for number, wire, value, _ in fields(metric, budget, at):
        if number == 1:
            pair = bytes(as_message(value, wire))
            labels.append(bytes_field(1, pair))
        elif number == 6:
            time = as_signed(value, wire) / 1000.0
        elif number in _VALUES:
            kind, message = _VALUES[number], as_message(value, wire)
    return b"".join(labels), time, kind, message


def _labels(encoded: bytes, limits: ExpositionLimits) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for _, of, pair, _ in fields(memoryview(encoded), Budget(len(encoded))):
        name = text = ""
        for number, wire, value, _ in fields(as_message(pair, of), Budget(100)):
            if number == 1:
                name = as_text(value, wire)
            elif number == 2:
                text = as_text(value, wire)
        if len(name) > limits.name_length or len(text) > limits.value_length:
            raise LimitError(f"label {shortened(name)} is over its length")
        pairs.append((name, text))
        if len(pairs) > limits.labels:
            raise LimitError(f"a series has more than {limits.labels} labels")
    return pairs


def _simple(message: memoryview, kind: int, budget: Budget) -> list[_Reading]:
    if kind == SUMMARY:
        return _summary(message, budget)
    value = 0.0
    exemplar: ExemplarText | None = None
    if len(message) == 9 and message[0] == _DOUBLE_TAG:
        value = _DOUBLE.unpack_from(message, 1)[0]
    else:
        for number, wire, found, _ in fields(message, budget):
            if number == 1:
                value = as_double(found, wire)
            elif number == 2 and kind == COUNTER:
                exemplar = exemplar_in(as_message(found, wire), budget)
    return [_Reading("", None, value, kind == COUNTER, exemplar)]


def _summary(message: memoryview, budget: Budget) -> list[_Reading]:
    count = total = 0.0
    readings: list[_Reading] = []
    for number, wire, value, _ in fields(message, budget):
        if number == 1:
            count = float(as_unsigned(value, wire))
        elif number == 2:
            total = as_double(value, wire)
        elif number == 3:
            quantile = reading = 0.0
            for inner, inner_wire, found, _ in fields(as_message(value, wire), budget):
                if inner == 1:
                    quantile = as_double(found, inner_wire)
                elif inner == 2:
                    reading = as_double(found, inner_wire)
            readings.append(_Reading("", ("quantile", quantile), reading, False))
    return [*readings, _Reading("_sum", None, total, True), _Reading("_count", None, count, True)]


def _histogram(histogram: HistogramMessage, counts: bool) -> list[_Reading]:
    told = histogram.bucket_exemplars
    readings = [
        _Reading("_bucket", ("le", bound), count, counts, told.get(place))
        for place, (bound, count) in enumerate(histogram.buckets)
    ]
    if (not histogram.buckets and histogram.native is None) or (histogram.buckets and histogram.buckets[-1][0] != np.inf):
        readings.append(_Reading("_bucket", ("le", np.inf), histogram.count, counts))  # it may be left out
    return [*readings, _Reading("_sum", None, histogram.sum, counts), _Reading("_count", None, histogram.count, counts)]


def _written(number: float) -> str:
    """A bound or quantile as OpenMetrics writes it."""
    return "+Inf" if number == np.inf else "-Inf" if number == -np.inf else repr(number)
