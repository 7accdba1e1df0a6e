"""Remote read's messages: queries as they were asked, answers as the history has them."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.protobuf.columns import MessageBounds, SeriesColumns, columns_of
from collector.protobuf.read import (
    ReadQuery,
    ReadRequest,
    decode_read_request,
    decode_read_response,
    encode_read_request,
    encode_read_response,
)
from collector.protobuf.wire import ProtobufError, bytes_field, number_field
from monitor.model.matchers import Matcher
from monitor.query.history import Block, Hints
from tests.collector.protobuf.messages import columns
from tests.collector.protobuf.test_write import told_unordered

MATCHERS = st.builds(Matcher, st.text(max_size=5), st.sampled_from(["=", "!=", "=~", "!~"]), st.text(max_size=5)).filter(
    lambda matcher: (matcher.name + matcher.value).isprintable()
)
LONGS = st.integers(-(2**63), 2**63 - 1)


@given(st.lists(st.tuples(LONGS, LONGS, st.lists(MATCHERS, max_size=4)), max_size=4))
def test_a_request_comes_back(asked: list[tuple[int, int, list[Matcher]]]) -> None:
    queries = tuple(
        ReadQuery(start, end, tuple(matchers), Hints(step=15, range=60, func="rate", first=start))
        for start, end, matchers in asked
    )
    request = ReadRequest(queries, (1, 0))
    assert decode_read_request(encode_read_request(request)) == request


def test_a_request_says_whether_it_takes_samples() -> None:
    assert ReadRequest(()).takes_samples
    assert ReadRequest((), (1, 0)).takes_samples
    assert not ReadRequest((), (1,)).takes_samples


@given(st.lists(columns(), max_size=3))
def test_a_response_comes_back(results: list[SeriesColumns]) -> None:
    found = decode_read_response(encode_read_response(results))
    assert [told_unordered(each) for each in found] == [told_unordered(each) for each in results]


def test_a_selection_becomes_series_by_label_without_its_holes() -> None:
    whole = Block(((("a", "2"),), (("a", "1"),)), np.array([10, 20]), np.array([[1.0, 2.0], [3.0, 4.0]]))
    holes = np.array([[True, False, True]])
    other = Block(((("a", "0"),),), np.array([1, 2, 3]), np.array([[5.0, 6.0, 7.0]]), holes)
    found = columns_of([whole, other])
    assert [dict(labels)["a"] for labels in found.labels] == ["0", "1", "2"]
    assert found.offsets.tolist() == [0, 2, 4, 6]
    assert found.times.tolist() == [1, 3, 10, 20, 10, 20]
    assert found.values.tolist() == [5.0, 7.0, 3.0, 4.0, 1.0, 2.0]


def test_no_selection_is_no_series() -> None:
    assert encode_read_response([columns_of([])]) == bytes_field(1, b"")


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (bytes_field(1, b"") * 3, "more than 2 queries"),
        (bytes_field(1, bytes_field(3, b"") * 4), "more than 3 matchers"),
        (bytes_field(1, bytes_field(3, number_field(1, 4))), "matcher type 4"),
        (b"\x10\x00" * 200, "more response types"),
    ],
)
def test_more_than_may_be_asked_is_refused(message: bytes, why: str) -> None:
    with pytest.raises(ProtobufError, match=why):
        decode_read_request(message, MessageBounds(queries=2, matchers=3))


@given(st.binary(max_size=100))
def test_noise_raises_nothing_but_the_typed_error(data: bytes) -> None:
    for message in (data, bytes_field(1, data), bytes_field(1, bytes_field(1, data))):
        with contextlib.suppress(ProtobufError):
            decode_read_request(message)
        with contextlib.suppress(ProtobufError):
            decode_read_response(message)
