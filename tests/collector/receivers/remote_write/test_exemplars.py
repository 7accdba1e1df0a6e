"""Exemplars that remote writers send, in either version: beside samples, and as series without any, as Prometheus does."""

from __future__ import annotations

import pytest

from collector.protobuf.wire import ProtobufError, bytes_field, double_field, number_field, text_field, varint
from collector.receivers.remote_write import RemoteWriteReceiver
from collector.receivers.remote_write.negotiation import Version
from monitor.model.exemplars import Exemplars, all_labels
from tests.collector.receivers.remote_write.recording import Recording

NOW = 1_700_000_000.0
T = int(NOW * 1000)
TRACE = "5b8efff798038103d269b633813fc60c"
Told = tuple[str, float, float, tuple[tuple[str, str], ...]]


def pairs(labels: dict[str, str]) -> bytes:
    return b"".join(bytes_field(1, text_field(1, name) + text_field(2, value)) for name, value in labels.items())


def exemplar_v1(value: float, time: int, **labels: str) -> bytes:
    return bytes_field(3, pairs(labels) + double_field(2, value) + number_field(3, time))


def series_v1(labels: dict[str, str], *fields: bytes) -> bytes:
    return bytes_field(1, pairs(labels) + b"".join(fields))


def sample(value: float, time: int) -> bytes:
    return bytes_field(2, double_field(1, value) + number_field(2, time))


def request_v2(series: list[tuple[list[int], bytes]], symbols: list[str]) -> bytes:
    told = b"".join(bytes_field(4, text.encode()) for text in symbols)
    return told + b"".join(bytes_field(5, bytes_field(1, b"".join(map(varint, refs))) + rest) for refs, rest in series)


def told(found: Exemplars | None) -> list[Told]:
    if found is None:
        return []
    rows = zip(found.ids, found.times, found.values, found.traces.tolist(), found.spans.tolist(), found.labels, strict=True)
    return [
        (found.space.keys[number].label(), time, value, all_labels(high << 64 | low, span, labels))
        for number, time, value, (high, low), span, labels in rows
    ]


def receiver() -> RemoteWriteReceiver:
    return RemoteWriteReceiver(Recording(), lambda: NOW, exemplars=lambda found: None)


def test_a_series_without_samples_brings_its_exemplar() -> None:
    body = series_v1({"__name__": "a_total", "job": "x"}, exemplar_v1(0.5, T, trace_id=TRACE, user="mira"))
    taken = receiver().take(body, Version.V1)
    assert told(taken.exemplars) == [('a_total{job="x"}', NOW, 0.5, (("trace_id", TRACE), ("user", "mira")))]
    assert taken.batches == []


def test_samples_beside_exemplars_are_taken_and_their_series_known_again() -> None:
    one = receiver()
    labels = {"__name__": "a", "job": "x"}
    for turn in range(2):
        taken = one.take(series_v1(labels, sample(1.0, T + turn), exemplar_v1(2.0, T + turn, id="x")), Version.V1)
        assert (taken.samples, len(told(taken.exemplars))) == (1, 1)
    assert one.take(series_v1(labels, sample(1.0, T + 2)), Version.V1).exemplars is None
    assert len(one._series.book.space) == 1


def test_version_two_names_labels_by_symbols() -> None:
    symbols = ["", "__name__", "h_bucket", "le", "1", "trace_id", TRACE]
    exemplar = bytes_field(4, bytes_field(1, varint(5) + varint(6)) + double_field(2, 0.75) + number_field(3, T))
    body = request_v2([([1, 2, 3, 4], sample(3.0, T) + exemplar)], symbols)
    taken = receiver().take(body, Version.V2)
    assert told(taken.exemplars) == [('h_bucket{le="1"}', NOW, 0.75, (("trace_id", TRACE),))]
    assert taken.samples == 1


def test_symbols_that_there_are_none_of_make_the_request_unreadable() -> None:
    exemplar = bytes_field(4, bytes_field(1, varint(1) + varint(9)) + double_field(2, 0.75))
    with pytest.raises(ProtobufError):
        receiver().take(request_v2([([1, 2], exemplar)], ["", "__name__", "a"]), Version.V2)


def test_labels_that_are_too_long_leave_their_exemplar_out_and_are_counted() -> None:
    one = receiver()
    body = series_v1({"__name__": "a"}, exemplar_v1(0.5, T, id="x" * 200), exemplar_v1(0.5, T, id="y"))
    assert told(one.take(body, Version.V1).exemplars) == [("a", NOW, 0.5, (("id", "y"),))]
    assert one.figures()["remote_write_in_refused_exemplars_total"] == 1


def test_an_exemplar_with_labels_without_end_is_no_exemplar() -> None:
    one = bytes_field(1, pairs({"__name__": "a"}) + bytes_field(3, pairs({f"l{number}": "" for number in range(100)})))
    with pytest.raises(ProtobufError):
        receiver().take(one, Version.V1)


def test_without_anybody_who_keeps_them_they_are_passed_over() -> None:
    one = RemoteWriteReceiver(Recording(), lambda: NOW)
    taken = one.take(series_v1({"__name__": "a"}, sample(1.0, T), exemplar_v1(2.0, T, id="x")), Version.V1)
    assert (taken.samples, taken.exemplars) == (1, None)
