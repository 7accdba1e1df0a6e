"""Spans and records made up for tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from monitor.model.logs import Logs
from monitor.model.spans import Spans, Status
from monitor.model.texts import TextTable


def packed(**details: Any) -> bytes:
    return msgspec.msgpack.encode(details)


def made_spans(
    each: Sequence[tuple[int, str, str]],
    errors: Sequence[int] = (),
    seconds: float | Sequence[float] = 0.01,
    details: Sequence[bytes] | None = None,
) -> Spans:
    """Spans of (trace id, service, operation); `errors` are places."""
    table, size = TextTable(), len(each)
    statuses = np.zeros(size, np.int8)
    statuses[list(errors)] = Status.ERROR
    small = np.zeros(size, np.int8)
    return Spans(
        services=np.array([table.place(service) for _, service, _ in each], np.int32),
        names=np.array([table.place(name) for _, _, name in each], np.int32),
        texts=table.texts(),
        traces=np.array([[7, trace] for trace, _, _ in each], np.uint64).reshape(size, 2),
        ids=np.arange(1, size + 1, dtype=np.uint64),
        parents=np.zeros(size, np.uint64),
        starts=np.full(size, 1_700_000_000 * 10**9, np.int64),
        durations=(np.broadcast_to(np.asarray(seconds, np.float64), size) * 1e9).astype(np.int64),
        kinds=small,
        statuses=statuses,
        peers=np.zeros(size, np.int32),
        peer_kinds=small,
        details=[packed()] * size if details is None else details,
    )


def made_logs(bodies: Sequence[str], services: Sequence[str], severities: Sequence[int], details: Sequence[bytes]) -> Logs:
    table, size = TextTable(), len(bodies)
    places = np.array([table.place(service) for service in services], np.int32)
    return Logs(
        table.texts(),
        np.zeros(size, np.int64),
        np.array(severities, np.int8),
        places,
        np.zeros((size, 2), np.uint64),
        np.zeros(size, np.uint64),
        bodies,
        details,
    )
