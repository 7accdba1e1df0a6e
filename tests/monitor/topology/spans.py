"""Spans for tests, from plain tuples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monitor.model.spans import PeerKind, SpanKind, Spans, Status
from monitor.model.texts import TextTable

BEGIN = 1_700_000_000


@dataclass(frozen=True)
class One:
    """A span; `start` in seconds after `BEGIN`."""

    service: str
    span: int
    parent: int = 0
    kind: SpanKind = SpanKind.SERVER
    name: str = "GET /"
    trace: int = 1
    start: float = 0.0
    seconds: float = 0.1
    error: bool = False
    peer: str = ""
    peer_kind: PeerKind = PeerKind.NONE


def spans_of(ones: Sequence[One]) -> Spans:
    table = TextTable()
    return Spans(
        traces=np.array([(0, one.trace) for one in ones], np.uint64).reshape(-1, 2),
        ids=np.array([one.span for one in ones], np.uint64),
        parents=np.array([one.parent for one in ones], np.uint64),
        starts=np.array([round((BEGIN + one.start) * 1000) * 1_000_000 for one in ones], np.int64),
        durations=np.array([round(one.seconds * 1e9) for one in ones], np.int64),
        services=np.array([table.place(one.service) for one in ones], np.int32),
        names=np.array([table.place(one.name) for one in ones], np.int32),
        kinds=np.array([one.kind for one in ones], np.int8),
        statuses=np.array([Status.ERROR if one.error else Status.UNSET for one in ones], np.int8),
        peers=np.array([table.place(one.peer) for one in ones], np.int32),
        peer_kinds=np.array([one.peer_kind for one in ones], np.int8),
        details=[b"\x80"] * len(ones),
        texts=table.texts(),
    )
