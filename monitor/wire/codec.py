"""Messages to bytes and back, in MessagePack or JSON; hostile bytes only ever raise `DecodeError`."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from monitor.wire.messages import F64, I32, ClientMessage, Frame, History, Message, QueryResult, Request, ServerMessage

MSGPACK = "lightship.v1"
JSON = "lightship.v1+json"
SUBPROTOCOLS = (MSGPACK, JSON)
MAX_FROM_CLIENT = 1 << 20
"""Bytes of one message of a client; a rule file is the largest."""
MAX_FROM_SERVER = 64 << 20
"""Bytes of one message of a collector; the history of a large query is the largest."""
MAX_ID = (1 << 53) - 1
"""Largest request number: exact in a float64, so that clients in JavaScript may count too."""


class DecodeError(ValueError):
    """A message that cannot be read; the text says why."""


class EncodeError(ValueError):
    """A message that cannot be written (a result holds something the wire has no form for)."""


class Codec:
    """One of the two encodings. Keeps its encoders and decoders; give each thread its own."""

    def __init__(self, subprotocol: str = MSGPACK) -> None:
        """Raises `ValueError` when the subprotocol is neither of `SUBPROTOCOLS`."""
        if subprotocol not in SUBPROTOCOLS:
            raise ValueError(f"unknown subprotocol {subprotocol!r}; this side speaks {' and '.join(SUBPROTOCOLS)}")
        self.subprotocol = subprotocol
        self.text = subprotocol == JSON
        self._encoder: msgspec.msgpack.Encoder | msgspec.json.Encoder
        self._client: msgspec.msgpack.Decoder[Any] | msgspec.json.Decoder[Any]
        self._server: msgspec.msgpack.Decoder[Any] | msgspec.json.Decoder[Any]
        if self.text:
            self._encoder = msgspec.json.Encoder(enc_hook=_to_list)
            self._client = msgspec.json.Decoder(ClientMessage)
            self._server = msgspec.json.Decoder(ServerMessage, dec_hook=_from_list)
        else:
            self._encoder = msgspec.msgpack.Encoder(enc_hook=_to_bytes)
            self._client = msgspec.msgpack.Decoder(ClientMessage)
            self._server = msgspec.msgpack.Decoder(ServerMessage, dec_hook=_from_bytes)

    def encode(self, message: Message) -> bytes:
        """The message as bytes (UTF-8 when the codec is JSON). Raises `EncodeError`."""
        try:
            return self._encoder.encode(message)
        except (TypeError, ValueError, OverflowError, RecursionError, NotImplementedError, msgspec.MsgspecError) as error:
            raise EncodeError(f"{type(message).__name__} cannot be encoded: {error}") from None

    def decode_request(self, data: bytes | str) -> Request:
        """What a client sent. Raises `DecodeError`, and nothing else, on anything that is not a request within bounds."""
        message = self._decode(self._client, data, MAX_FROM_CLIENT)
        assert isinstance(message, Request)
        if not 0 <= message.id <= MAX_ID:
            raise DecodeError(f"id must be a whole number from 0 to {MAX_ID}")
        return message

    def decode(self, data: bytes | str) -> Message:
        """What a collector sent. Raises `DecodeError`, and nothing else, on anything else."""
        message = self._decode(self._server, data, MAX_FROM_SERVER)
        if isinstance(message, Frame):
            _check_frame(message)
        elif isinstance(message, History):
            _check_history(message)
        elif isinstance(message, QueryResult):
            _check_result(message)
        return message

    def _decode(self, decoder: Any, data: bytes | str, bound: int) -> Message:
        if len(data) > bound:
            raise DecodeError(f"message of {len(data)} bytes is over the bound of {bound}")
        if isinstance(data, str) is not self.text:
            raise DecodeError(f"{self.subprotocol} travels in {'text' if self.text else 'binary'} messages")
        try:
            message: Message = decoder.decode(data)
        except RecursionError:
            raise DecodeError("message is nested too deeply") from None
        except (msgspec.MsgspecError, ValueError, TypeError, OverflowError, MemoryError) as error:
            raise DecodeError(f"not a message of {self.subprotocol}: {str(error)[:300]}") from None
        return message


def _to_bytes(value: Any) -> Any:
    if isinstance(value, F64):
        return np.ascontiguousarray(value, "<f8").tobytes()
    if isinstance(value, I32):
        return np.ascontiguousarray(value, "<i4").tobytes()
    return _to_list(value)


def _to_list(value: Any) -> Any:
    """Columns of the JSON form, and arrays and numpy numbers within a result in either form."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise NotImplementedError(f"{type(value).__name__} has no form on the wire")


def _from_bytes(kind: type, value: Any) -> npt.NDArray[Any]:
    if not isinstance(value, bytes):
        raise ValueError(f"expected a column as bytes, got {type(value).__name__}")
    width = 8 if kind is F64 else 4
    if len(value) % width:
        raise ValueError(f"a column of {len(value)} bytes is not a multiple of {width}")
    return np.frombuffer(value, "<f8").view(F64) if kind is F64 else np.frombuffer(value, "<i4").view(I32)


def _from_list(kind: type, value: Any) -> npt.NDArray[Any]:
    if not isinstance(value, list):
        raise ValueError(f"expected a column as a list, got {type(value).__name__}")
    if kind is F64:
        if not all(v is None or type(v) is float or type(v) is int for v in value):
            raise ValueError("a column of numbers holds something else")
        return np.array([np.nan if v is None else float(v) for v in value], np.float64).view(F64)
    if not all(type(v) is int and -(1 << 31) <= v < 1 << 31 for v in value):
        raise ValueError("a column of int32 holds something else")
    return np.array(value, np.int32).view(I32)


def _check_frame(frame: Frame) -> None:
    sizes = {len(column) for column in frame.columns}
    if frame.rows is not None:
        sizes.add(len(frame.rows))
    if len(sizes) > 1:
        raise DecodeError(f"columns of one frame differ in length: {sorted(sizes)}")
    if not np.isfinite(frame.time):
        raise DecodeError("a frame's time must be finite")


def _check_result(result: QueryResult) -> None:
    if len(result.values) != len(result.labels) * len(result.times):
        raise DecodeError(f"{len(result.labels)} series at {len(result.times)} times need as many values")
    if not (np.isfinite(result.times).all() and (np.diff(result.times) > 0).all()):
        raise DecodeError("the times of an answer must be finite and rising")
    for cell in result.histograms:
        if not 0 <= cell.series < len(result.labels) or not len(cell.lower) == len(cell.upper) == len(cell.counts):
            raise DecodeError("a histogram of an answer does not fit it")


def _check_history(history: History) -> None:
    cells = len(history.rows) * len(history.times)
    if any(len(column) != cells for column in history.columns):
        raise DecodeError(f"a history of {len(history.rows)} rows and {len(history.times)} times needs columns of {cells}")
    times = history.times
    if not (np.isfinite(times).all() and (np.diff(times) > 0).all()):
        raise DecodeError("the times of a history must be finite and rising")
    if not (np.isfinite(history.step) and history.step > 0):
        raise DecodeError("the step of a history must be above zero")
