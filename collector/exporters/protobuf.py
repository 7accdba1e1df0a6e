"""Families as delimited protobuf messages: the form in which a scraper gets native histograms.

Source: prometheus/client_model, io/prometheus/client/metrics.proto. Exemplars and start times are not given.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from collector.exporters.families import Family, FamilyKind, Sample
from collector.protobuf.histograms import encode_histogram
from collector.protobuf.wire import FIXED64, VARINT, Budget, bytes_field, double_field, fields, number_field, text_field, varint
from monitor.query.histogram import Histogram
from monitor.query.history import Labels

_KINDS: dict[FamilyKind, int] = {"counter": 0, "gauge": 1, "summary": 2, "unknown": 3, "info": 1, "histogram": 4}
_VALUES: dict[FamilyKind, int] = {"counter": 3, "gauge": 2, "info": 2, "unknown": 5}
"""The field of a metric that holds a plain value of this kind."""
_SUFFIX = {"counter": "_total", "info": "_info"}
_RENUMBERED = {1: 1, 2: 4, 3: 2, 4: 5, 5: 6, 6: 7, 7: 8, 8: 9, 9: 10, 10: 11, 11: 12, 12: 13, 13: 14}
"""Fields of a histogram in remote write and what they are in an exposition: the same parts, numbered otherwise."""
_NEGATIVE_SPAN, _POSITIVE_SPAN = 9, 12


def protobuf_pieces(families: Iterable[Family]) -> Iterator[bytes]:
    """A message a family, each behind its length."""
    for family in families:
        name = family.name + _SUFFIX.get(family.kind, "")
        head = text_field(1, name) + text_field(2, family.help) + number_field(3, _KINDS[family.kind])
        metrics = _metrics(family)
        message = b"".join((head, *(bytes_field(4, metric) for metric in metrics), text_field(5, family.unit)))
        yield varint(len(message)) + message


def _metrics(family: Family) -> Iterator[bytes]:
    kind = family.kind
    if kind not in ("histogram", "summary"):
        for _, labels, value in family.samples:
            if not isinstance(value, Histogram):
                yield _pairs(labels) + bytes_field(_VALUES[kind], double_field(1, value))
        return
    native = [sample for sample in family.samples if isinstance(sample[2], Histogram)]
    for _, labels, value in native:
        if isinstance(value, Histogram):
            yield _pairs(labels) + bytes_field(7, _native(value))
    parts = [sample for sample in family.samples if not isinstance(sample[2], Histogram)]
    for labels, samples in itertools.groupby(parts, key=_whose):  # they stand in this order
        made, field = (_classic, 7) if kind == "histogram" else (_summary, 4)
        yield _pairs(labels) + bytes_field(field, made(samples))


def _whose(sample: Sample) -> Labels:
    return tuple(pair for pair in sample[1] if pair[0] not in ("le", "quantile"))


def _pairs(labels: Labels) -> bytes:
    return b"".join(bytes_field(1, text_field(1, name) + text_field(2, value)) for name, value in labels)


def _native(histogram: Histogram) -> bytes:
    parts = []
    spans = False
    message = memoryview(encode_histogram(histogram, 0))
    for number, kind, value, _ in fields(message, Budget(1 << 20)):
        renumbered = _RENUMBERED.get(number)
        if renumbered is None:
            continue
        spans = spans or renumbered in (_NEGATIVE_SPAN, _POSITIVE_SPAN)
        if isinstance(value, int):
            parts.append(varint(renumbered << 3 | VARINT) + varint(value))
        elif kind == FIXED64:
            parts.append(varint(renumbered << 3 | FIXED64) + bytes(value))
        else:
            parts.append(bytes_field(renumbered, bytes(value)))
    if not spans:  # an empty span says that it is a native histogram although nothing was observed
        parts.append(bytes_field(_POSITIVE_SPAN, b"\x08\x00\x10\x00"))
    return b"".join(parts)


def _classic(samples: Iterable[Sample]) -> bytes:
    parts = []
    for suffix, labels, value in samples:
        number = value if isinstance(value, float) else 0.0
        if suffix == "_bucket":
            bound = double_field(2, float(dict(labels).get("le", "+Inf")))
            parts.append(bytes_field(3, _count(1, 4, number) + bound))
        elif suffix == "_count":
            parts.append(_count(1, 4, number))
        else:
            parts.append(double_field(2, number))
    return b"".join(parts)


def _summary(samples: Iterable[Sample]) -> bytes:
    parts = []
    for suffix, labels, value in samples:
        number = value if isinstance(value, float) else 0.0
        if suffix == "":
            parts.append(bytes_field(3, double_field(1, float(dict(labels)["quantile"])) + double_field(2, number)))
        elif suffix == "_count":
            parts.append(varint(1 << 3 | VARINT) + varint(max(0, int(number))) if number == number else b"")
        else:
            parts.append(double_field(2, number))
    return b"".join(parts)


def _count(whole: int, fraction: int, number: float) -> bytes:
    """A count, as a whole number where it is one."""
    if 0 <= number < 1 << 53 and number == int(number):
        return varint(whole << 3 | VARINT) + varint(int(number))
    return double_field(fraction, number)
