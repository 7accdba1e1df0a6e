"""Which blocks cannot hold a text: the stretches of four bytes that occur in a block, hashed into a fixed number of bits.

A text is in a block only if each of its stretches is. One hash, not several as of a Bloom filter: a text has many stretches,
and all of them are asked for. Blocks that are merged join their filters, for all have the same size.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from collector.storage.traces.codec import DamagedChunkError, unzipped, zipped

STRETCH = 4
_BITS = 19
_SIZE = 1 << _BITS
_FACTOR = np.uint32(0x9E3779B1)
"""Knuth's multiplicative hash, by the golden ratio."""
_TOO_FULL = 0.8
"""Share of bits beyond which a filter tells too little to be kept: details like random text have all stretches there are."""
Bits = npt.NDArray[np.bool_]


def bits_of(texts: Iterable[bytes]) -> Bits:
    """bool[524288] of byte strings; ASCII letters in any case."""
    bits = np.zeros(_SIZE, np.bool_)
    for text in texts:
        for places in _places(text.lower()):
            bits[places] = True
    return bits


def may_hold(bits: Bits, wanted: bytes) -> bool:
    """Whether the bytes, in any case, may be in what the filter is of; always true of fewer than four."""
    return all(bool(bits[places].all()) for places in _places(wanted.lower()))


def pack(bits: Bits) -> bytes:
    """b"" where it would tell too little."""
    return zipped(np.packbits(bits).tobytes()) if bits.mean() <= _TOO_FULL else b""


def unpack(blob: bytes) -> Bits:
    """Raises `DamagedChunkError`."""
    data = unzipped(blob)
    if len(data) != _SIZE // 8:
        raise DamagedChunkError("a filter of texts has another size than it should")
    return np.unpackbits(np.frombuffer(data, np.uint8)).astype(np.bool_)


def _places(data: bytes) -> Iterable[npt.NDArray[np.uint32]]:
    """Of each stretch its bit: four times every fourth, which are whole numbers of the data as it lies in memory."""
    for offset in range(min(STRETCH, len(data) - STRETCH + 1)):
        numbers = np.frombuffer(data, "<u4", (len(data) - offset) // STRETCH, offset)
        yield (numbers * _FACTOR) >> np.uint32(32 - _BITS)
