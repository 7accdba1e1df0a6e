"""Spans and logs to blobs and back.

Spans lie trace by trace, traces in the order of their first span: one trace is one stretch of details, its id stands once, and a
parent is a short way back. Logs lie in the order of their times. A few spans, which are merged soon, lie as they came.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from collector.storage.traces.codec import QUICK_BELOW, DamagedChunkError, chunks_of, pack_numbers, pack_rows, unpack_numbers
from monitor.model.logs import Logs
from monitor.model.spans import Spans

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """A block before it has a number: its columns, its details by chunks, and its filter of texts, b"" for none."""

    columns: bytes
    chunks: list[bytes]
    filter: bytes = b""


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """Spans or logs with the numbers they were taken in under: `order` int64[n], rising with arrival over both kinds.

    `edges` int64[chunks + 1]: rows at which chunks of details begin, the last one where they end; details may be left out.
    """

    rows: Spans | Logs
    order: Rows
    edges: Rows

    def __len__(self) -> int:
        return len(self.order)


def sorted_spans(spans: Spans) -> npt.NDArray[np.intp]:
    """Places of the spans: trace by trace, traces by their first span, within one by start."""
    first = np.lexsort((spans.starts, spans.traces[:, 1], spans.traces[:, 0]))
    traces = spans.traces[first]
    fresh = np.ones(len(first), np.bool_)
    fresh[1:] = (traces[1:] != traces[:-1]).any(axis=1)
    begins = spans.starts[first][fresh][np.cumsum(fresh) - 1]
    found: npt.NDArray[np.intp] = (
        first[np.argsort(begins, kind="stable")] if _apart(begins, fresh) else first[_joined(begins, fresh)]
    )
    return found


def _apart(begins: Rows, fresh: npt.NDArray[np.bool_]) -> bool:
    """Whether no two traces begin in the same nanosecond, so that sorting by that keeps each together."""
    return len(np.unique(begins[fresh])) == int(fresh.sum())


def _joined(begins: Rows, fresh: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    return np.lexsort((np.cumsum(fresh), begins))


def pack_spans(spans: Spans, order: Rows) -> tuple[Packed, Spans]:
    """The blobs, and the spans in the order they have there."""
    if len(spans) < QUICK_BELOW:
        return _pack_few(spans, order)
    places = sorted_spans(spans)
    spans, order = _trimmed(spans.take(places)), order[places]
    traces = spans.traces
    fresh = np.ones(len(spans), np.bool_)
    fresh[1:] = (traces[1:] != traces[:-1]).any(axis=1)
    begins = np.flatnonzero(fresh)
    back, far = _parents(spans)
    chunks = chunks_of(np.fromiter(map(len, spans.details), np.int64, len(spans)))
    columns: dict[str, npt.NDArray[Any]] = {
        "high": traces[begins, 0],
        "low": traces[begins, 1],
        "counts": np.diff(np.append(begins, len(spans))).astype(np.int32),
        "ids": spans.ids,
        "back": back,
        "far": far,
        "starts": spans.starts,
        "durations": spans.durations,
        "services": spans.services,
        "names": spans.names,
        "kinds": spans.kinds.astype(np.int16),
        "statuses": spans.statuses.astype(np.int16),
        "peers": spans.peers,
        "peer_kinds": spans.peer_kinds.astype(np.int16),
        "order": order,
        "edges": np.array([*(begin for begin, _ in chunks), len(spans)], np.int64),
    }
    blob = pack_numbers(columns, spans.texts, raw=("high", "low", "ids", "far"))
    return Packed(blob, [pack_rows(spans.details[begin:end]) for begin, end in chunks]), spans


def _pack_few(spans: Spans, order: Rows) -> tuple[Packed, Spans]:
    """Spans as they came: sorting them would cost more than it saves until they are merged."""
    if len(spans.texts) > 2 * len(spans):
        spans = _trimmed(spans)
    chunks = chunks_of(np.fromiter(map(len, spans.details), np.int64, len(spans)))
    columns: dict[str, npt.NDArray[Any]] = {
        "high": spans.traces[:, 0],
        "low": spans.traces[:, 1],
        "ids": spans.ids,
        "parents": spans.parents,
        "starts": spans.starts,
        "durations": spans.durations,
        "services": spans.services,
        "names": spans.names,
        "kinds": spans.kinds.astype(np.int16),
        "statuses": spans.statuses.astype(np.int16),
        "peers": spans.peers,
        "peer_kinds": spans.peer_kinds.astype(np.int16),
        "order": order,
        "edges": np.array([*(begin for begin, _ in chunks), len(spans)], np.int64),
    }
    return Packed(pack_numbers(columns, spans.texts), [pack_rows(spans.details[begin:end]) for begin, end in chunks]), spans


def unpack_spans(blob: bytes) -> Held:
    """Spans without details. Raises `DamagedChunkError`."""
    columns, texts = unpack_numbers(blob)
    try:
        traces, ids = np.stack((columns["high"], columns["low"]), axis=1), columns["ids"]
        if "parents" in columns:
            parents = columns["parents"]
        else:
            traces, back = np.repeat(traces, columns["counts"], axis=0), columns["back"]
            parents = np.where(back > 0, ids[np.clip(np.arange(len(ids)) - back + _MIDDLE, 0, max(0, len(ids) - 1))], 0)
            parents[back < 0] = columns["far"]
        spans = Spans(
            texts=texts,
            traces=traces,
            ids=ids,
            parents=parents.astype(np.uint64, copy=False),
            starts=columns["starts"],
            durations=columns["durations"],
            services=_places(columns["services"], texts),
            names=_places(columns["names"], texts),
            kinds=columns["kinds"].astype(np.int8),
            statuses=columns["statuses"].astype(np.int8),
            peers=_places(columns["peers"], texts),
            peer_kinds=columns["peer_kinds"].astype(np.int8),
            details=(),
        )
        return _checked(
            Held(spans, columns["order"], columns["edges"]), (traces, parents, spans.starts, spans.durations, spans.kinds)
        )
    except (KeyError, IndexError, ValueError) as error:
        raise DamagedChunkError(f"a block of spans does not fit together: {error}") from None


def pack_logs(logs: Logs, order: Rows) -> tuple[Packed, Logs]:
    """The blobs, and the logs in the order they have there. A row of details: the body's length, the body, the details."""
    places = np.lexsort((order, logs.times))
    logs, order = _trimmed(logs.take(places)), order[places]
    rows = [log_row(body, detail) for body, detail in zip(logs.bodies, logs.details, strict=True)]
    chunks = chunks_of(np.fromiter(map(len, rows), np.int64, len(rows)))
    with_trace: npt.NDArray[np.bool_] = np.asarray(logs.traces.any(axis=1))
    columns: dict[str, npt.NDArray[Any]] = {
        "times": logs.times,
        "severities": logs.severities.astype(np.int16),
        "services": logs.services,
        "traced": with_trace.astype(np.int16),
        "high": logs.traces[with_trace, 0],
        "low": logs.traces[with_trace, 1],
        "spans": logs.spans,
        "order": order,
        "edges": np.array([*(begin for begin, _ in chunks), len(logs)], np.int64),
    }
    blob = pack_numbers(columns, logs.texts, raw=("high", "low", "spans"))
    return Packed(blob, [pack_rows(rows[begin:end]) for begin, end in chunks]), logs


def unpack_logs(blob: bytes) -> Held:
    """Logs without bodies and details. Raises `DamagedChunkError`."""
    columns, texts = unpack_numbers(blob)
    try:
        traced = columns["traced"] != 0
        traces = np.zeros((len(traced), 2), np.uint64)
        traces[traced, 0], traces[traced, 1] = columns["high"], columns["low"]
        logs = Logs(
            texts=texts,
            times=columns["times"],
            severities=columns["severities"].astype(np.int8),
            services=_places(columns["services"], texts),
            traces=traces,
            spans=columns["spans"],
            bodies=(),
            details=(),
        )
        return _checked(Held(logs, columns["order"], columns["edges"]), (traces, logs.times, logs.severities, logs.spans))
    except (KeyError, IndexError, ValueError) as error:
        raise DamagedChunkError(f"a block of logs does not fit together: {error}") from None


def log_row(body: str, detail: bytes) -> bytes:
    """Body and details as one byte string."""
    text = body.encode("utf-8", "replace")
    return len(text).to_bytes(4, "little") + text + detail


def log_parts(row: bytes) -> tuple[str, bytes]:
    """Body and details of `log_row`."""
    end = 4 + int.from_bytes(row[:4], "little")
    return row[4:end].decode("utf-8", "replace"), row[end:]


def bare_spans(spans: Spans, places: npt.NDArray[Any]) -> Spans:
    """Those at the places, without details."""
    return replace(spans, details=_Nothing(len(spans))).take(places)


class _Nothing(Sequence[bytes]):
    """No details, n times."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, place: Any) -> Any:
        return b""


_MIDDLE = 1 << 30
"""`back` of a row: this plus how many rows before it its parent stands, 0 for none, -1 where it is not in the block."""


def _parents(spans: Spans) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint64]]:
    """`back` int32[n], and the ids of the parents that are not in the block."""
    by_id = np.argsort(spans.ids, kind="stable")
    at = np.clip(np.searchsorted(spans.ids, spans.parents, sorter=by_id), 0, max(0, len(by_id) - 1))
    found = by_id[at]
    known = spans.ids[found] == spans.parents
    back = np.where(known, np.arange(len(found)) - found + _MIDDLE, -1)
    back[spans.parents == 0] = 0
    return back.astype(np.int32), spans.parents[back < 0]


def _trimmed(rows: Any) -> Any:
    """The same rows over a table of only the texts they use."""
    names = [name for name in ("services", "names", "peers") if hasattr(rows, name)]
    used = np.unique(np.concatenate([np.zeros(1, np.int32), *(getattr(rows, name) for name in names)]))
    changed = {name: np.searchsorted(used, getattr(rows, name)).astype(np.int32) for name in names}
    return replace(rows, texts=tuple(rows.texts[place] for place in used.tolist()), **changed)


def clean(text: str) -> str:
    """The text with what has no form in UTF-8 replaced."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def _places(column: npt.NDArray[Any], texts: Sequence[str]) -> npt.NDArray[np.int32]:
    if len(column) and (column.min() < 0 or column.max() >= len(texts)):
        raise DamagedChunkError("a block names texts it has not")
    return column


def _checked(held: Held, columns: Sequence[npt.NDArray[Any]]) -> Held:
    edges, count = held.edges, len(held.order)
    if (
        {len(column) for column in columns} != {count}
        or not len(edges)
        or edges[0]
        or edges[-1] != count
        or (np.diff(edges) < 0).any()
    ):
        raise DamagedChunkError("columns of one block differ in length")
    return held
