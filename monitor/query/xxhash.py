"""xxHash64 of a series' labels, as Prometheus hashes them: limit_ratio picks the same series there and here.

Sources: Y. Collet, xxHash fast digest algorithm (XXH64, seed 0); Prometheus, model/labels/labels_stringlabels.go.
"""

from __future__ import annotations

from monitor.query.history import Labels

_MASK = (1 << 64) - 1
_PRIME_1 = 0x9E3779B185EBCA87
_PRIME_2 = 0xC2B2AE3D27D4EB4F
_PRIME_3 = 0x165667B19E3779F9
_PRIME_4 = 0x85EBCA77C2B2AE63
_PRIME_5 = 0x27D4EB2F165667C5


def hash_of(labels: Labels) -> int:
    """64 bits."""
    return xxhash64(b"".join(_sized(text) for pair in labels for text in pair))


def _sized(text: str) -> bytes:
    """A string behind its length: a byte, or 255 and three bytes."""
    data = text.encode("utf-8", "surrogatepass")
    size = len(data)
    return (bytes((size,)) if size < 255 else b"\xff" + size.to_bytes(3, "little")) + data


def xxhash64(data: bytes) -> int:
    """The digest with seed 0."""
    place, size = 0, len(data)
    if size >= 32:
        lanes = [(_PRIME_1 + _PRIME_2) & _MASK, _PRIME_2, 0, -_PRIME_1 & _MASK]
        while place + 32 <= size:
            lanes = [_round(lane, _word(data, place + 8 * number, 8)) for number, lane in enumerate(lanes)]
            place += 32
        found = sum(_rotated(lane, bits) for lane, bits in zip(lanes, (1, 7, 12, 18), strict=True)) & _MASK
        for lane in lanes:
            found = ((found ^ _round(0, lane)) * _PRIME_1 + _PRIME_4) & _MASK
    else:
        found = _PRIME_5
    found = (found + size) & _MASK
    while place + 8 <= size:
        found = (_rotated(found ^ _round(0, _word(data, place, 8)), 27) * _PRIME_1 + _PRIME_4) & _MASK
        place += 8
    if size - place >= 4:
        found = (_rotated(found ^ (_word(data, place, 4) * _PRIME_1 & _MASK), 23) * _PRIME_2 + _PRIME_3) & _MASK
        place += 4
    for byte in data[place:]:
        found = (_rotated(found ^ (byte * _PRIME_5 & _MASK), 11) * _PRIME_1) & _MASK
    found = (found ^ (found >> 33)) * _PRIME_2 & _MASK
    found = (found ^ (found >> 29)) * _PRIME_3 & _MASK
    return found ^ (found >> 32)


def _word(data: bytes, place: int, size: int) -> int:
    return int.from_bytes(data[place : place + size], "little")


def _rotated(value: int, bits: int) -> int:
    return ((value << bits) | (value >> (64 - bits))) & _MASK


def _round(lane: int, word: int) -> int:
    return _rotated((lane + word * _PRIME_2) & _MASK, 31) * _PRIME_1 & _MASK
