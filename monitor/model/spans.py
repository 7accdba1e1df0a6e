"""Spans of traces as columns."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
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

    `counts` float64[n]: how many spans each stands for, more than 1 where others were left out by chance on the way here; left
    empty, each is one. `states` int32[n]: the `tracestate` it came with (W3C Trace Context); left empty, none had one. Stores
    keep neither.
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
    counts: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    states: Places = field(default_factory=lambda: np.empty(0, np.int32))

    def __post_init__(self) -> None:
        if not len(self.counts):
            object.__setattr__(self, "counts", np.ones(len(self.ids)))
        if not len(self.states):
            object.__setattr__(self, "states", np.zeros(len(self.ids), np.int32))

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, which: npt.NDArray[Any]) -> Spans:
        """Those at the places of an int array, or where a bool array is true; `texts` stay whole."""
        places = np.flatnonzero(which) if which.dtype == np.bool_ else which
        columns: dict[str, Any] = {name: getattr(self, name)[places] for name in _COLUMNS}
        return replace(self, details=[self.details[place] for place in places.tolist()], **columns)


_COLUMNS = tuple(each.name for each in fields(Spans) if each.name not in ("texts", "details"))
TEXT_COLUMNS = ("services", "names", "peers", "states")
"""Those that are places in `texts`."""


def no_spans() -> Spans:
    """None at all."""
    longs, numbers, places, small = np.empty(0, np.int64), np.empty(0, np.uint64), np.empty(0, np.int32), np.empty(0, np.int8)
    return Spans(
        ("",), np.empty((0, 2), np.uint64), numbers, numbers, longs, longs, places, places, small, small, places, small, ()
    )  # fmt: skip


def with_own_texts(spans: Spans) -> Spans:
    """The spans over a table of just their own texts."""
    columns = [getattr(spans, name) for name in TEXT_COLUMNS]
    used, moved = np.unique(np.concatenate((np.zeros(1, np.int32), *columns)), return_inverse=True)
    places = moved.astype(np.int32)[1:].reshape(len(columns), len(spans))
    texts = tuple(spans.texts[place] for place in used.tolist())
    changed: dict[str, Any] = dict(zip(TEXT_COLUMNS, places, strict=True))
    return replace(spans, texts=texts, **changed)


def without_states(spans: Spans) -> Spans:
    """The spans as a store takes them: what senders told of sampling is not among their texts."""
    if not spans.states.any():
        return spans
    return with_own_texts(replace(spans, states=np.zeros(len(spans), np.int32)))


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
                places[getattr(part, name)] if name in TEXT_COLUMNS else getattr(part, name)
                for part, places in zip(parts, moved, strict=True)
            ]
        )
        for name in _COLUMNS
    }
    return Spans(texts=texts, details=[each for part in parts for each in part.details], **columns)
