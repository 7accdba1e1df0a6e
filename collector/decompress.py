"""The one decompressor of the collector: it never makes more bytes than it was allowed."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import cramjam

_CHUNK, _PIECE = 256 * 1024, 64 * 1024
"""Bytes made and bytes read at a time."""
MOST_MEMBERS = 1000
"""Of one gzip body: senders write one, and each that is empty costs more than its twenty bytes."""


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
    made = members = at = 0
    inflater = zlib.decompressobj(window_bits)
    while at < len(data) or not inflater.eof:
        if inflater.eof:
            members += 1
            if not several:
                raise DecompressionError("bytes follow the end of the compressed data")
            if members >= MOST_MEMBERS:
                raise DecompressionError(f"the content is in more than {MOST_MEMBERS} pieces; send it in one")
            inflater = zlib.decompressobj(window_bits)
        # By pieces: what a member leaves over is copied, and must not be all that follows it.
        piece = data[at : at + _PIECE]
        try:
            part = inflater.decompress(piece, min(_CHUNK, limit - made + 1))
        except zlib.error as error:
            raise DecompressionError(f"broken compressed data: {error}") from None
        at += len(piece) - len(inflater.unconsumed_tail) - len(inflater.unused_data)
        made += len(part)
        if made > limit:
            raise TooLargeError(f"the content has more than {limit} bytes after decompression")
        parts.append(part)
        if not part and at >= len(data) and not inflater.eof:
            raise DecompressionError("the compressed data end too early")
    return b"".join(parts)


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
