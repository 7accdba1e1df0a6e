"""Both encodings say the same, and hostile bytes raise `DecodeError` and nothing else."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.wire import messages as m
from monitor.wire.codec import JSON, MAX_FROM_CLIENT, MSGPACK, Codec, DecodeError, EncodeError
from monitor.wire.messages import F64, I32, Request
from tests.monitor.wire.protocol_examples import EXAMPLES

CODECS = {name: Codec(name) for name in (MSGPACK, JSON)}
FLOATS = st.lists(st.floats(width=64), max_size=20)


def _column(values: list[float]) -> F64:
    return np.array(values, np.float64).view(F64)


def _sent(subprotocol: str, message: m.Message) -> bytes | str:
    data = CODECS[subprotocol].encode(message)
    return data.decode() if subprotocol == JSON else data


@given(FLOATS)
def test_a_binary_column_arrives_to_the_bit(values: list[float]) -> None:
    got = CODECS[MSGPACK].decode(_sent(MSGPACK, m.Frame(1, 0.0, (_column(values),))))
    assert isinstance(got, m.Frame)
    assert got.columns[0].tobytes() == _column(values).tobytes()


@given(FLOATS)
def test_a_text_column_arrives_equal_with_nan_for_what_is_no_number(values: list[float]) -> None:
    got = CODECS[JSON].decode(_sent(JSON, m.Frame(1, 0.0, (_column(values),))))
    assert isinstance(got, m.Frame)
    expected = [v if math.isfinite(v) else math.nan for v in values]
    assert np.array_equal(got.columns[0], expected, equal_nan=True)


@given(st.lists(st.integers(-(2**31), 2**31 - 1), max_size=20), st.sampled_from([MSGPACK, JSON]))
def test_rows_arrive_equal(rows: list[int], subprotocol: str) -> None:
    message = m.Frame(1, 0.0, (_column([0.0] * len(rows)),), np.array(rows, np.int32).view(I32))
    got = CODECS[subprotocol].decode(_sent(subprotocol, message))
    assert isinstance(got, m.Frame)
    assert got.rows is not None
    assert got.rows.tolist() == rows


def test_columns_are_encoded_whatever_their_memory_looks_like() -> None:
    wide = np.arange(6.0).reshape(2, 3)
    message = m.Frame(1, 0.0, (wide[:, 1].view(F64), wide[:, 2].astype(">f8").view(F64)))
    got = CODECS[MSGPACK].decode(_sent(MSGPACK, message))
    assert isinstance(got, m.Frame)
    assert [column.tolist() for column in got.columns] == [[1.0, 4.0], [2.0, 5.0]]


@pytest.mark.parametrize("subprotocol", [MSGPACK, JSON])
@pytest.mark.parametrize(
    "message",
    [
        m.Frame(1, 0.0, (_column([1.0]), _column([1.0, 2.0]))),
        m.Frame(1, 0.0, (_column([1.0]),), np.array([1, 2], np.int32).view(I32)),
        m.History(1, _column([1.0, 2.0]), np.array([7], np.int32).view(I32), (_column([1.0]),), 1.0),
        m.History(1, _column([2.0, 1.0]), np.array([7], np.int32).view(I32), (_column([1.0, 2.0]),), 1.0),
        m.History(1, _column([1.0]), np.array([7], np.int32).view(I32), (_column([1.0]),), 0.0),
    ],
)
def test_columns_that_do_not_fit_together_are_refused(subprotocol: str, message: m.Message) -> None:
    with pytest.raises(DecodeError):
        CODECS[subprotocol].decode(_sent(subprotocol, message))


def test_a_message_over_its_bound_is_refused_unread() -> None:
    with pytest.raises(DecodeError, match="over the bound"):
        CODECS[MSGPACK].decode_request(bytes(MAX_FROM_CLIENT + 1))


@pytest.mark.parametrize("number", [-1, 2**53, 2**63])
def test_an_id_that_is_not_exact_everywhere_is_refused(number: int) -> None:
    with pytest.raises(DecodeError, match="id"):
        CODECS[MSGPACK].decode_request(msgspec.msgpack.encode({"type": "status", "id": number}))


def test_text_where_binary_is_due_is_refused_and_the_other_way_round() -> None:
    with pytest.raises(DecodeError, match="binary"):
        CODECS[MSGPACK].decode_request('{"type":"status","id":1}')
    with pytest.raises(DecodeError, match="text"):
        CODECS[JSON].decode_request(b'{"type":"status","id":1}')


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xc1",
        b"\x83\xa4type\xa9subscribe\xa2id\x01\xa6fields\xdd\xff\xff\xff\xff",
        b"\x83\xa4type\xa5reply\xa2id\x01\xa6result" + b"\x91" * 100_000,
        b"\x83\xa4type\xa5reply\xa2id\x01\xa6result" + b"\x81\xa1a" * 100_000,
        b"\x83\xa4type\xa6status\xa2id\x01\xa1x" + b"\x91" * 100_000,
        b"\x82\xa4type\xa6status\xa2id\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00",
        b"\x82\xa4type\xa6st\xff\xfeus\xa2id\x01",
    ],
)
def test_known_tricks_raise_a_decode_error(raw: bytes) -> None:
    for decode in (CODECS[MSGPACK].decode, CODECS[MSGPACK].decode_request):
        with pytest.raises(DecodeError):
            decode(raw)


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_random_bytes_raise_a_decode_error_or_are_a_message(raw: bytes) -> None:
    _only_decode_errors(CODECS[MSGPACK], raw)


@settings(max_examples=300)
@given(st.text(max_size=200))
def test_random_text_raises_a_decode_error_or_is_a_message(text: str) -> None:
    _only_decode_errors(CODECS[JSON], text)


@settings(max_examples=600)
@given(st.sampled_from(sorted(EXAMPLES)), st.sampled_from([MSGPACK, JSON]), st.data())
def test_a_damaged_message_raises_a_decode_error_or_is_a_message(name: str, subprotocol: str, data: st.DataObject) -> None:
    raw = bytearray(CODECS[subprotocol].encode(EXAMPLES[name]))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
        raw = raw or bytearray(b"\x00")
    _only_decode_errors(CODECS[subprotocol], raw.decode(errors="surrogateescape") if subprotocol == JSON else bytes(raw))


def _only_decode_errors(codec: Codec, data: bytes | str) -> None:
    for decode in (codec.decode, codec.decode_request):
        try:
            message = decode(data)
        except DecodeError:
            continue
        if isinstance(message, Request):
            codec.encode(message)


def test_a_result_without_a_form_on_the_wire_is_an_encode_error() -> None:
    for codec in CODECS.values():
        with pytest.raises(EncodeError):
            codec.encode(m.Reply(1, "", object()))


def test_an_unknown_subprotocol_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown subprotocol"):
        Codec("lightship.v9")
