"""Attributes off the wire: the short way says what the long one says."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from collector.receivers.otlp.attributes import Attributes, map_head, short_text, text_of
from collector.receivers.otlp.counters import OtlpCounters
from collector.receivers.otlp.schema import UnreadableError
from tests.collector.receivers.otlp.recording import pairs

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


def slow(data: bytes) -> Any:
    return Attributes(OtlpCounters())._decode(data)


@given(st.text(max_size=150), values)
@example("k" * 127, "v" * 125)
@example("k" * 128, "v" * 126)
@example("", "")
def test_an_attribute_is_what_was_sent(key: str, value: Any) -> None:
    (data,) = (pair.SerializeToString() for pair in pairs({key: value}))
    found = Attributes(OtlpCounters()).decoded(data)
    assert found == slow(data)
    assert msgspec.msgpack.decode(map_head(1) + found.packed) == {key[:128]: value}


@given(st.text("ab", max_size=3), st.text("ab", max_size=3), st.integers(0, 20), st.integers(0, 255))
def test_the_short_way_takes_nothing_else(key: str, text: str, place: int, byte: int) -> None:
    data = bytearray(pairs({key: text})[0].SerializeToString())
    data[place % len(data)] = byte
    quick = short_text(bytes(data))
    if quick is not None:
        assert quick == slow(bytes(data))


def test_bytes_that_are_no_attribute_are_unreadable() -> None:
    for data in (b"\xff", b"\x0a\x01\xff\x12\x03\x0a\x01a", b"\x0a\x05a"):
        with pytest.raises(UnreadableError):
            Attributes(OtlpCounters()).decoded(data)


@pytest.mark.parametrize(
    ("value", "text"), [(True, "true"), (1, "1"), (0.25, "0.25"), (b"\x01", "AQ=="), ({"a": [1]}, '{"a":[1]}'), (None, "")]
)
def test_values_have_a_text(value: Any, text: str) -> None:
    assert text_of(value) == text
