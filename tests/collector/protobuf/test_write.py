"""Requests of remote write: what was encoded comes back, hostile ones cost little and raise nothing but the typed error."""

from __future__ import annotations

import contextlib
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.protobuf.columns import MessageBounds, SeriesColumns
from collector.protobuf.samples import sample_records
from collector.protobuf.timeseries import label_fields
from collector.protobuf.wire import ProtobufError, bytes_field, number_field, text_field, varints
from collector.protobuf.write import decode_write_v1, decode_write_v2, encode_write_v1, encode_write_v2
from monitor.query.history import STALE_BITS, Metadata
from tests.collector.protobuf.messages import FLOATS, TIMES, columns, slow_samples, told

NAMED = (("__name__", "up"), ("job", "api"))
SMALL = MessageBounds(series=20, samples=200, labels=5, symbols=50, buckets=50, fields=2000)


def one_series(times: list[int], values: list[float]) -> SeriesColumns:
    return SeriesColumns((NAMED,), np.array([0, len(times)]), np.array(times, np.int64), np.array(values))


@given(st.lists(st.tuples(TIMES, FLOATS, st.integers(-5, 2**60)), max_size=30))
def test_samples_of_a_column_are_those_written_one_by_one(samples: list[tuple[int, float, int]]) -> None:
    times, values, starts = (list(part) for part in zip(*samples, strict=True)) if samples else ([], [], [])
    made, at = sample_records(np.array(times, np.int64), np.array(values), np.array(starts, np.int64))
    assert made == slow_samples(times, values, starts)
    assert at[-1] == len(made)
    assert sample_records(np.array(times, np.int64), np.array(values))[0] == slow_samples(times, values)


@given(columns())
def test_what_1_0_was_given_comes_back(given_columns: SeriesColumns) -> None:
    assert told_unordered(decode_write_v1(encode_write_v1(given_columns))) == told_unordered(given_columns)


@given(columns(mixed=False, starts=True))
def test_what_2_0_was_given_comes_back(given_columns: SeriesColumns) -> None:
    kept = [each for each in told(given_columns) if each[1]]  # it has no series without samples
    assert told(decode_write_v2(encode_write_v2(given_columns))) == kept


@given(columns())
def test_a_series_with_both_kinds_of_samples_comes_twice_in_2_0(given_columns: SeriesColumns) -> None:
    expected = []
    for labels, samples in told(given_columns):
        floats = [sample for sample in samples if isinstance(sample[1], bytes)]
        drawn = [sample for sample in samples if not isinstance(sample[1], bytes)]
        expected += [(labels, part) for part in (floats, drawn) if part]
    assert told(decode_write_v2(encode_write_v2(given_columns))) == expected


def told_unordered(found: SeriesColumns) -> list[object]:
    """Samples of one time in any order: floats come before histograms in a message."""
    return [(labels, sorted(samples, key=repr)) for labels, samples in told(found)]


def test_a_staleness_marker_keeps_its_bits() -> None:
    written = one_series([1, 2], [1.0, 0.0])
    written.values.view(np.uint64)[1] = STALE_BITS
    for encode, decode in ((encode_write_v1, decode_write_v1), (encode_write_v2, decode_write_v2)):
        assert decode(encode(written)).values.view(np.uint64)[1] == STALE_BITS


def test_metadata_goes_along_in_both_versions() -> None:
    known = {"up": Metadata("gauge", "Whether it is up.", "1")}
    written = SeriesColumns((NAMED,), np.array([0, 1]), np.array([5]), np.array([1.0]), metadata=known)
    assert decode_write_v1(encode_write_v1(written)).metadata == known
    assert decode_write_v2(encode_write_v2(written)).metadata == known


def test_the_start_timestamp_of_a_series_goes_to_its_samples_that_have_none() -> None:
    symbols = b"".join(bytes_field(4, text.encode()) for text in ("", "__name__", "up"))
    samples = slow_samples([10, 20], [1.0, 2.0], [0, 15])
    series = bytes_field(5, bytes_field(1, b"\x01\x02") + samples + number_field(6, 7))
    found = decode_write_v2(symbols + series)
    assert found.starts is not None
    assert found.starts.tolist() == [7, 15]


def test_symbols_may_come_after_the_series() -> None:
    series = bytes_field(5, bytes_field(1, b"\x01\x02") + slow_samples([10], [1.0]))
    symbols = b"".join(bytes_field(4, text.encode()) for text in ("", "__name__", "up"))
    assert decode_write_v2(series + symbols).labels == ((("__name__", "up"),),)


def test_fields_nobody_knows_and_exemplars_are_passed_over() -> None:
    samples = number_field(9, 1) + bytes_field(3, b"\x0a\x00") + slow_samples([1, 2], [1, 2]) + bytes_field(77, b"x")
    message = bytes_field(1, label_fields(NAMED) + samples) + bytes_field(1000, b"later")
    assert told(decode_write_v1(message)) == told(one_series([1, 2], [1.0, 2.0]))


def test_samples_out_of_order_come_in_order() -> None:
    assert decode_write_v1(encode_write_v1(one_series([30, 10, 20], [3.0, 1.0, 2.0]))).times.tolist() == [10, 20, 30]


def test_the_fields_of_a_sample_may_come_in_any_order_and_be_left_out() -> None:
    backwards = bytes_field(2, number_field(2, 5) + b"\x09" + struct.pack("<d", 4.0))
    message = bytes_field(1, label_fields(NAMED) + bytes_field(2, b"") + backwards + b"\x12\x82\x00\x10\x06")
    found = decode_write_v1(message)
    assert (found.times.tolist(), found.values.tolist()) == ([0, 5, 6], [0.0, 4.0, 0.0])


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (bytes_field(1, label_fields(NAMED)) * 21, "more than 20 series"),
        (bytes_field(1, label_fields(NAMED) + slow_samples(range(201), [0.0] * 201)), "more than 200 samples"),
        (bytes_field(1, b"\x12\x00" * 201), "more than 200 samples"),
        (bytes_field(1, label_fields(tuple((f"l{n}", "v") for n in range(6)))), "more than 5 labels"),
        (bytes_field(1, label_fields((("a", "1"), ("a", "2")))), "'a' comes twice"),
        (bytes_field(1, bytes_field(1, text_field(2, "v"))), "has no name"),
        (bytes_field(1, b"\x12\x7f"), "beyond the end"),
        (bytes_field(1, b"\x10\x01" * 3000), "more fields than are allowed"),
        (bytes_field(1, bytes_field(1, b"\x0a\x01\xff")), "not UTF-8"),
        (bytes_field(1, bytes_field(4, bytes_field(11, b"\x10\xff\xff\xff\xff\x0f"))), "more than 50 buckets"),
        (bytes_field(1, bytes_field(4, bytes_field(12, b"\x02"))), "counts without buckets"),
    ],
)
def test_more_than_may_be_is_refused_in_1_0(message: bytes, why: str) -> None:
    with pytest.raises(ProtobufError, match=why):
        decode_write_v1(message, SMALL)


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (b"\x22\x00" * 51, "more than 50 symbols"),
        (bytes_field(4, b"x"), "not the empty text"),
        (bytes_field(5, b"") * 21, "more than 20 series"),
        (bytes_field(4, b"") + bytes_field(5, bytes_field(1, b"\x01\x02")), "symbol 1 is none of the 1"),
        (bytes_field(4, b"") + bytes_field(5, bytes_field(1, b"\x00")), "a name without a value"),
        (bytes_field(5, bytes_field(1, varints(np.zeros(2000, np.int64)))), "more than 5 labels"),
    ],
)
def test_more_than_may_be_is_refused_in_2_0(message: bytes, why: str) -> None:
    with pytest.raises(ProtobufError, match=why):
        decode_write_v2(message, SMALL)


@settings(max_examples=300)
@given(st.binary(max_size=200), st.sampled_from([decode_write_v1, decode_write_v2]))
def test_noise_raises_nothing_but_the_typed_error(data: bytes, decode: object) -> None:
    for message in (data, bytes_field(1, data), bytes_field(5, data), bytes_field(1, bytes_field(4, data))):
        with contextlib.suppress(ProtobufError):
            decode(message, SMALL)  # type: ignore[operator]


@settings(max_examples=200)
@given(columns(), st.data())
def test_a_damaged_request_raises_nothing_but_the_typed_error(written: SeriesColumns, data: st.DataObject) -> None:
    for encode, decode in ((encode_write_v1, decode_write_v1), (encode_write_v2, decode_write_v2)):
        message = bytearray(encode(written))
        for _ in range(data.draw(st.integers(1, 4))):
            if message:
                message[data.draw(st.integers(0, len(message) - 1))] = data.draw(st.integers(0, 255))
        cut = data.draw(st.integers(0, len(message)))
        for hurt in (bytes(message), bytes(message[:cut])):
            with contextlib.suppress(ProtobufError):
                decode(hurt)


def test_long_runs_of_samples_with_something_between_are_whole() -> None:
    times = list(range(1_700_000_000_000, 1_700_000_000_500))
    first, second = slow_samples(times[:300], [1.0] * 300), slow_samples(times[300:], [2.0] * 200)
    odd = slow_samples([5], [3.0])
    found = decode_write_v1(bytes_field(1, label_fields(NAMED) + first + odd + second))
    assert found.times.tolist() == [5, *times]
    assert found.values.tolist() == [3.0] + [1.0] * 300 + [2.0] * 200
