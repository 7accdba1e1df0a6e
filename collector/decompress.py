"""The one decompressor of the collector: it never makes more bytes than it was allowed."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import cramjam

_CHUNK = 256 * 1024


class DecompressionError(ValueError):
    """The bytes are not what their encoding says; the message says why."""


class TooLargeError(DecompressionError):
    """The content is longer than it may be."""


class UnknownEncodingError(DecompressionError):
    """An encoding that this collector does not read."""


def decompress(data: bytes, encoding: str, limit: int) -> bytes:
    """`data` decoded from `encoding` (a Content-Encoding: "", identity, gzip, deflate or snappy), at most `limit` bytes.

    Raises `TooLargeError` before more than `limit` bytes (and one chunk) were made, `UnknownEncodingError` for others,
    `DecompressionError` for broken or cut-off data.
    """
    decode = _DECODERS.get(encoding.strip().lower())
    if decode is None:
        known = ", ".join(name for name in _DECODERS if name)
        raise UnknownEncodingError(f"content encoding {encoding[:40]!r} is not one of {known}")
    return decode(data, limit)


def _identity(data: bytes, limit: int) -> bytes:
    if len(data) > limit:
        raise TooLargeError(f"the content has {len(data)} bytes, at most {limit} are allowed")
    return data


def _gzip(data: bytes, limit: int) -> bytes:
    return _inflate(data, limit, 16 + zlib.MAX_WBITS, several=True)


def _deflate(data: bytes, limit: int) -> bytes:
    # RFC 9110 means the zlib format; some senders mean raw deflate. The first two bytes tell (RFC 1950, section 2.2).
    is_zlib = len(data) >= 2 and data[0] & 0x0F == 8 and (data[0] << 8 | data[1]) % 31 == 0
    return _inflate(data, limit, zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS, several=False)


def _inflate(data: bytes, limit: int, window_bits: int, *, several: bool) -> bytes:
    """Inflate `data`; `several` members may follow one another (RFC 1952)."""
    parts: list[bytes] = []
    made = 0
    pending = data
    while True:
        inflater = zlib.decompressobj(window_bits)
        while not inflater.eof:
            try:
                part = inflater.decompress(pending, min(_CHUNK, limit - made + 1))
            except zlib.error as error:
                raise DecompressionError(f"broken compressed data: {error}") from None
            made += len(part)
            if made > limit:
                raise TooLargeError(f"the content has more than {limit} bytes after decompression")
            parts.append(part)
            pending = inflater.unconsumed_tail
            if not part and not pending and not inflater.eof:
                raise DecompressionError("the compressed data end too early")
        pending = inflater.unused_data
        if not pending:
            return b"".join(parts)
        if not several:
            raise DecompressionError("bytes follow the end of the compressed data")


def _snappy(data: bytes, limit: int) -> bytes:
    """The block format (remote write and read). Its length stands in front: it is checked before anything is allocated."""
    try:
        declared = cramjam.snappy.decompress_raw_len(data)
        if declared > limit:
            raise TooLargeError(f"the content has {declared} bytes after decompression, at most {limit} are allowed")
        return bytes(cramjam.snappy.decompress_raw(data))
    except cramjam.DecompressionError as error:
        raise DecompressionError(f"broken compressed data: {error}") from None


_DECODERS: dict[str, Callable[[bytes, int], bytes]] = {
    "": _identity,
    "identity": _identity,
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "snappy": _snappy,
}
ENCODINGS = ("gzip", "deflate")
"""What may be asked of a peer that serves an exposition, in order of preference: snappy blocks are for remote read and write."""
