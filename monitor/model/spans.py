"""Spans of traces as columns."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from monitor.model.texts import Texts, told_together

Longs = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.int8]


class SpanKind(enum.IntEnum):
    """As OTLP numbers them."""

    UNSPECIFIED = 0
    INTERNAL = 1
    SERVER = 2
    CLIENT = 3
    PRODUCER = 4
    CONSUMER = 5


class Status(enum.IntEnum):
    """As OTLP numbers them."""

    UNSET = 0
    OK = 1
    ERROR = 2


class PeerKind(enum.IntEnum):
    """What a span speaks to, as its own attributes tell."""

    NONE = 0
    SERVICE = 1
    DATABASE = 2
    QUEUE = 3
    HOST = 4


@dataclass(frozen=True, slots=True, eq=False)
class Spans:
    """n spans in order of arrival. Columns of text are int32 places in `texts`, whose first is "".

    `traces` uint64[n, 2] (high, low), `ids` and `parents` uint64[n] (parent 0: a root), `starts` int64[n] nanoseconds since the
    epoch, `durations` int64[n] nanoseconds, none negative; `services`, `names` (the operation) and `peers` (what a client or
    producer speaks to) int32[n]; `kinds`, `statuses` and `peer_kinds` int8[n]. `details` one a span: MessagePack of a map with
    "attributes", "resource", "scope", "events", "links", "message", each left out where empty.
    """

    texts: Texts
    traces: Numbers
    ids: Numbers
    parents: Numbers
    starts: Longs
    durations: Longs
    services: Places
    names: Places
    kinds: Bytes
    statuses: Bytes
    peers: Places
    peer_kinds: Bytes
    details: Sequence[bytes]

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, which: npt.NDArray[Any]) -> Spans:
        """Those at the places of an int array, or where a bool array is true; `texts` stay whole."""
        places = np.flatnonzero(which) if which.dtype == np.bool_ else which
        columns: dict[str, Any] = {name: getattr(self, name)[places] for name in _COLUMNS}
        return replace(self, details=[self.details[place] for place in places.tolist()], **columns)


_COLUMNS = tuple(field.name for field in fields(Spans) if field.name not in ("texts", "details"))
_TEXT_COLUMNS = ("services", "names", "peers")


def no_spans() -> Spans:
    """None at all."""
    longs, numbers, places, small = np.empty(0, np.int64), np.empty(0, np.uint64), np.empty(0, np.int32), np.empty(0, np.int8)
    return Spans(
        ("",), np.empty((0, 2), np.uint64), numbers, numbers, longs, longs, places, places, small, small, places, small, ()
    )  # fmt: skip


def joined_spans(parts: Sequence[Spans]) -> Spans:
    """All of them, one after the other, over one table of texts."""
    if not parts:
        return no_spans()
    if len(parts) == 1:
        return parts[0]
    texts, moved = told_together([part.texts for part in parts])
    columns: dict[str, Any] = {
        name: np.concatenate(
            [
                places[getattr(part, name)] if name in _TEXT_COLUMNS else getattr(part, name)
                for part, places in zip(parts, moved, strict=True)
            ]
        )
        for name in _COLUMNS
    }
    return Spans(texts=texts, details=[each for part in parts for each in part.details], **columns)
