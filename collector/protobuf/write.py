"""The requests of Prometheus remote write, 1.0 and 2.0, to and from columns.

Sources: prometheus.io, "Prometheus Remote-Write 1.0" and "2.0" specifications; prompb/remote.proto and
prompb/io/prometheus/write/v2/types.proto. Exemplars are passed over.
"""

from __future__ import annotations

import numpy as np

from collector.protobuf.columns import DEFAULT_BOUNDS, MessageBounds, SeriesColumns, checked_labels, series_records
from collector.protobuf.timeseries import SAMPLE, Gathered, decode_series, encode_series
from collector.protobuf.wire import (
    Budget,
    ProtobufError,
    as_message,
    as_signed,
    as_text,
    as_unsigned,
    bytes_field,
    fields,
    number_field,
    packed,
    packed_list,
    text_field,
    varint,
)
from monitor.model.matchers import NAME_TAG
from monitor.query.history import Labels, Metadata

TYPES_V1 = ("unknown", "counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset")
"""By the number that 1.0 gives them; 2.0 has the same numbers."""


def encode_write_v1(columns: SeriesColumns) -> bytes:
    """`prometheus.WriteRequest`. Start timestamps have no place in it."""
    parts = [bytes_field(1, series) for series in encode_series(columns)]
    for name, known in columns.metadata.items():
        kind = TYPES_V1.index(known.type) if known.type in TYPES_V1 else 0
        about = number_field(1, kind) + text_field(2, name) + text_field(4, known.help) + text_field(5, known.unit)
        parts.append(bytes_field(3, about))
    return b"".join(parts)


def decode_write_v1(data: bytes, bounds: MessageBounds = DEFAULT_BOUNDS) -> SeriesColumns:
    """Raises `ProtobufError` for what is no such request or holds more than it may."""
    gathered = Gathered(bounds)
    for number, kind, value, _ in fields(memoryview(data), gathered.budget):
        if number == 1:
            decode_series(as_message(value, kind), gathered)
        elif number == 3:
            name, known = _metadata_v1(as_message(value, kind), gathered.budget)
            if len(gathered.metadata) >= bounds.series:
                raise ProtobufError(f"the message describes more than {bounds.series} metrics")
            gathered.metadata[name] = known
    return gathered.columns()


def _metadata_v1(data: memoryview, budget: Budget) -> tuple[str, Metadata]:
    kind_number, texts = 0, {2: "", 4: "", 5: ""}
    for number, kind, value, _ in fields(data, budget):
        if number == 1:
            kind_number = as_unsigned(value, kind)
        elif number in texts:
            texts[number] = as_text(value, kind)
    return texts[2], Metadata(_type_name(kind_number), texts[4], texts[5])


def _type_name(number: int) -> str:
    return TYPES_V1[number] if number < len(TYPES_V1) else "unknown"


class _Symbols:
    """Texts of a request, each once, with their numbers as they are written; the first is the empty one."""

    def __init__(self) -> None:
        self.refs = {"": b"\0"}

    def ref(self, text: str) -> bytes:
        found = self.refs.get(text)
        if found is None:
            found = self.refs[text] = varint(len(self.refs))
        return found

    def field(self, number: int, text: str) -> bytes:
        """A field that refers to a text, nothing for the empty one."""
        return varint(number << 3) + self.ref(text) if text else b""


def encode_write_v2(columns: SeriesColumns) -> bytes:
    """`io.prometheus.write.v2.Request`. A series with floats and histograms comes twice, as the specification wants it."""
    symbols = _Symbols()
    parts: list[bytes] = []
    for labels, (floats, drawn) in zip(columns.labels, series_records(columns, 2, 3, with_starts=True), strict=True):
        head = packed(1, b"".join([symbols.ref(text) for pair in labels for text in pair]))
        known = columns.metadata.get(_name_of(labels)) if columns.metadata else None
        tail = b""
        if known is not None:
            kind = TYPES_V1.index(known.type) if known.type in TYPES_V1 else 0
            tail = bytes_field(5, number_field(1, kind) + symbols.field(3, known.help) + symbols.field(4, known.unit))
        parts += [bytes_field(5, head + body + tail) for body in (floats, drawn) if body]
    # A text that is empty is still a symbol.
    texts = [bytes_field(4, text.encode("utf-8", "replace")) for text in symbols.refs]
    return b"".join((*texts, *parts))


def _name_of(labels: Labels) -> str:
    return next((value for name, value in labels if name == NAME_TAG), "")


def decode_write_v2(data: bytes, bounds: MessageBounds = DEFAULT_BOUNDS) -> SeriesColumns:
    """Raises `ProtobufError` for what is no such request or holds more than it may."""
    gathered = Gathered(bounds)
    symbols: list[str] = []
    series: list[memoryview] = []
    # Symbols may come after the series that refer to them.
    for number, kind, value, _ in fields(memoryview(data), gathered.budget):
        if number == 4:
            if len(symbols) >= bounds.symbols:
                raise ProtobufError(f"the message has more than {bounds.symbols} symbols")
            symbols.append(as_text(value, kind))
        elif number == 5:
            if len(series) >= bounds.series:
                raise ProtobufError(f"the message has more than {bounds.series} series; send it in parts")
            series.append(as_message(value, kind))
    if symbols and symbols[0]:
        raise ProtobufError("the first symbol is not the empty text")
    for each in series:
        _series_v2(each, symbols, gathered)
    return gathered.columns()


def _series_v2(data: memoryview, symbols: list[str], gathered: Gathered) -> None:
    gathered.one_more()
    refs: list[int] = []
    created, known = 0, None
    whole = np.frombuffer(data, np.uint8)
    at = 0
    while at < len(data):
        if data[at] == SAMPLE:
            at = gathered.samples(data, whole, at)
            continue
        number, kind, value, at = next(fields(data, gathered.budget, at))
        if number == 1:
            refs += packed_list(value, kind)
            if len(refs) > 2 * gathered.bounds.labels:
                raise ProtobufError(f"a series has more than {gathered.bounds.labels} labels")
        elif number == 3:
            gathered.histogram(as_message(value, kind))
        elif number == 5:
            known = _metadata_v2(as_message(value, kind), symbols, gathered.budget)
        elif number == 6:
            created = as_signed(value, kind)
    labels = _labels(refs, symbols)
    if known is not None:
        gathered.metadata[_name_of(labels)] = known
    gathered.ended(labels, created)


def _labels(refs: list[int], symbols: list[str]) -> Labels:
    if len(refs) % 2:
        raise ProtobufError("a label has a name without a value")
    texts = [_symbol(ref, symbols) for ref in refs]
    return checked_labels(list(zip(texts[::2], texts[1::2], strict=True)))


def _symbol(ref: int, symbols: list[str]) -> str:
    if not ref:
        return ""
    if ref >= len(symbols):
        raise ProtobufError(f"symbol {ref} is none of the {len(symbols)} there are")
    return symbols[ref]


def _metadata_v2(data: memoryview, symbols: list[str], budget: Budget) -> Metadata:
    numbers = {1: 0, 3: 0, 4: 0}
    for number, kind, value, _ in fields(data, budget):
        if number in numbers:
            numbers[number] = as_unsigned(value, kind)
    return Metadata(_type_name(numbers[1]), _symbol(numbers[3], symbols), _symbol(numbers[4], symbols))
