"""Numbers and fields, against values from protobuf's own description and against Python's numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.protobuf.wire import (
    LENGTH,
    Budget,
    ProtobufError,
    as_message,
    as_signed,
    as_zigzag,
    bytes_field,
    fields,
    number_field,
    packed_varints,
    text_field,
    unzigzag,
    varint,
    varint_at,
    varints,
    zigzag,
    zigzags,
)

LONGS = st.integers(-(2**63), 2**63 - 1)


def test_numbers_are_those_of_the_description() -> None:
    assert varint(150) == b"\x96\x01"
    assert varint(-2) == b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"
    assert text_field(2, "testing") == b"\x12\x07testing"
    assert [zigzag(number) for number in (0, -1, 1, -2, 2**31 - 1, -(2**31))] == [0, 1, 2, 3, 2**32 - 2, 2**32 - 1]


@given(LONGS)
def test_a_number_comes_back(number: int) -> None:
    assert as_signed(varint_at(memoryview(varint(number)), 0)[0], 0) == number
    assert as_zigzag(zigzag(number), 0) == number


@given(st.lists(LONGS, max_size=30))
def test_a_column_of_numbers_is_its_numbers_one_by_one(numbers: list[int]) -> None:
    column = np.array(numbers, np.int64)
    data = varints(column)
    assert data == b"".join(varint(number) for number in numbers)
    assert packed_varints(memoryview(data), LENGTH).view(np.int64).tolist() == numbers
    zigzagged = packed_varints(memoryview(varints(zigzags(column))), LENGTH)
    assert unzigzag(zigzagged).tolist() == numbers


def test_fields_come_in_order_and_know_where_they_end() -> None:
    data = memoryview(number_field(1, 7) + bytes_field(15, b"ab") + b"\x21" + bytes(8) + b"\x2d" + bytes(4))
    read = [(number, kind, end) for number, kind, _, end in fields(data, Budget(10))]
    assert read == [(1, 0, 2), (15, 2, 6), (4, 1, 15), (5, 5, 20)]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\x0a\x05ab", "beyond the end"),
        (b"\x09\x00", "beyond the end"),
        (b"\x08\xff", "cut off"),
        (b"\x08" + b"\xff" * 10 + b"\x01", "too long"),
        (b"\x0b", "wire type 3"),
        (b"\x00\x00", "field number 0"),
        (b"\x0a" + b"\xff" * 9 + b"\x01", "beyond the end"),
    ],
)
def test_what_is_no_message_is_told_so(data: bytes, why: str) -> None:
    with pytest.raises(ProtobufError, match=why):
        list(fields(memoryview(data), Budget(100)))


def test_a_message_of_nothing_but_fields_ends_at_the_budget() -> None:
    with pytest.raises(ProtobufError, match="more fields than are allowed"):
        list(fields(memoryview(b"\x08\x00" * 1000), Budget(999)))


def test_a_field_of_another_type_is_refused() -> None:
    with pytest.raises(ProtobufError, match="another type"):
        as_message(5, 0)
