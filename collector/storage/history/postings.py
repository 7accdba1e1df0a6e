"""Posting lists: for one label name and 65,536 refs, which value stands at which of them. Numpy throughout, one blob each."""

from __future__ import annotations

import struct
import zlib
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

SEGMENT_BITS = 16
SEGMENT = 1 << SEGMENT_BITS
"""Refs that one list is about: segment s holds [s * SEGMENT, (s + 1) * SEGMENT)."""
_HEAD = struct.Struct("<III")

Ids = npt.NDArray[np.uint32]
Places = npt.NDArray[np.uint16]
Mask = npt.NDArray[np.bool_]
Number = TypeVar("Number", bound=np.generic)


class DamagedListError(Exception):
    """A blob that is not the list it stands for."""


class Postings:
    """`ids` uint32[k], rising, of values. `ends` uint32[k]: value i stands at `places[ends[i - 1]:ends[i]]`, uint16, rising."""

    __slots__ = ("ends", "ids", "places")

    def __init__(self, ids: Ids, ends: npt.NDArray[np.uint32], places: Places) -> None:
        self.ids, self.ends, self.places = ids, ends, places

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return int(self.ids.nbytes + self.ends.nbytes + self.places.nbytes) + 200

    def of(self, ids: Ids) -> Places:
        """Where any of those values (rising) stands, in no order."""
        if not len(ids) or not len(self.ids):
            return self.places[:0]
        if len(ids) == 1:
            at = int(np.searchsorted(self.ids, ids[0]))
            if at == len(self.ids) or self.ids[at] != ids[0]:
                return self.places[:0]
            return self.places[int(self.ends[at - 1]) if at else 0 : int(self.ends[at])]
        return self.places[np.repeat(among(self.ids, ids), self.counts())]

    def counts(self) -> npt.NDArray[np.int64]:
        """How many series each value has."""
        counts: npt.NDArray[np.int64] = np.diff(self.ends, prepend=np.uint32(0)).astype(np.int64)
        return counts

    def column(self) -> Ids:
        """The value at each place, 0 where there is none: uint32[SEGMENT]."""
        column = np.zeros(SEGMENT, np.uint32)
        column[self.places] = np.repeat(self.ids, self.counts())
        return column

    def ids_among(self, chosen: Mask) -> Ids:
        """Values that stand at one of the places chosen (bool[SEGMENT])."""
        if not len(self.ids):
            return self.ids
        starts = np.concatenate((np.zeros(1, np.int64), self.ends[:-1].astype(np.int64)))
        return self.ids[np.logical_or.reduceat(chosen[self.places], starts)]

    def packed(self, name: int, segment: int) -> bytes:
        """The blob, which `read` takes back for the same name and segment only."""
        body = _HEAD.pack(0, len(self.ids), len(self.places)) + self.ids.tobytes() + self.ends.tobytes() + self.places.tobytes()
        return struct.pack("<I", _checksum(body[4:], name, segment)) + body[4:]


def distinct(values: npt.NDArray[Number]) -> npt.NDArray[Number]:
    """Each value once, rising. By sorting: numpy's own way is by hash, many times dearer for a million values."""
    if len(values) < 2:
        return values
    rising = np.sort(values)
    once: npt.NDArray[Number] = rising[np.concatenate((np.ones(1, np.bool_), rising[1:] != rising[:-1]))]
    return once


def standing_in(values: npt.NDArray[np.int64], rising: npt.NDArray[np.int64]) -> Mask:
    """Which values are among those that rise."""
    places = np.searchsorted(rising, values)
    found = places < len(rising)
    found[found] = rising[places[found]] == values[found]
    return found


EMPTY = Postings(np.empty(0, np.uint32), np.empty(0, np.uint32), np.empty(0, np.uint16))


def read(blob: bytes | None, name: int, segment: int) -> Postings:
    """Raises `DamagedListError` when the bytes are not what `packed` made for this name and segment."""
    if not isinstance(blob, bytes) or len(blob) < _HEAD.size or not (isinstance(name, int) and isinstance(segment, int)):
        raise DamagedListError("a posting list is cut short")
    checksum, values, places = _HEAD.unpack_from(blob)
    if len(blob) != _HEAD.size + 8 * values + 2 * places or _checksum(blob[4:], name, segment) != checksum:
        raise DamagedListError("a posting list does not match its checksum")
    at = _HEAD.size
    return Postings(
        np.frombuffer(blob, np.uint32, values, at),
        np.frombuffer(blob, np.uint32, values, at + 4 * values),
        np.frombuffer(blob, np.uint16, places, at + 8 * values),
    )


def build(ids: npt.NDArray[Any], places: npt.NDArray[Any]) -> Postings:
    """The list in which value `ids[i]` stands at `places[i]`."""
    order = np.lexsort((places, ids))
    ids, places = ids[order], places[order]
    first = np.flatnonzero(np.diff(ids, prepend=ids[0] ^ 1 if len(ids) else 0))
    ends = np.append(first[1:], len(ids)) if len(ids) else first
    return Postings(ids[first].astype(np.uint32), ends.astype(np.uint32), places.astype(np.uint16))


def changed(old: Postings, ids: npt.NDArray[Any], places: npt.NDArray[Any], gone: npt.NDArray[Any]) -> Postings:
    """`old` without the places `gone` and with value `ids[i]` at `places[i]`."""
    column = old.column()
    column[gone] = 0
    column[places] = ids
    held = np.flatnonzero(column)
    return build(column[held], held)


def among(values: Ids, wanted: Ids) -> Mask:
    """Which of `values` are in `wanted`; both rising."""
    if not len(wanted):
        return np.zeros(len(values), np.bool_)
    at = np.minimum(np.searchsorted(wanted, values), len(wanted) - 1)
    mask: Mask = wanted[at] == values
    return mask


def _checksum(body: bytes, name: int, segment: int) -> int:
    """Over the key too: a list must not answer for another."""
    return zlib.crc32(body, zlib.crc32(struct.pack("<qq", name, segment)))
