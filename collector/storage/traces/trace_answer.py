"""One trace: all its spans, from however many batches and services, and the logs that carry its id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from collector.storage.traces.blocks import Held, bare_spans
from collector.storage.traces.log_search import find_logs
from collector.storage.traces.questions import LogSearch
from collector.storage.traces.reading import Part, Places, Reading
from collector.storage.traces.span_search import once, places_of
from collector.storage.traces.summary import hashes_of
from collector.storage.traces.telling import told_span
from monitor.model.spans import Spans, joined_spans
from monitor.topology.critical_path import arranged, critical_path
from monitor.wire.tracing import LogInfo, SpanInfo

MOST_LOGS = 1000


@dataclass(frozen=True, slots=True)
class TraceAnswer:
    """`spans` by start, `logs` by time. `total`: spans there are, of which `spans` may be the first ones only."""

    trace: str
    spans: list[SpanInfo]
    logs: list[LogInfo]
    total: int = 0
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class _Source:
    """Rows of one part at rising `places`; the first of them is number `at` of all."""

    part: Part
    held: Held
    places: Places
    at: int


def find_trace(
    reading: Reading, spans: Sequence[Part], logs: Sequence[Part], trace: npt.NDArray[np.uint64], limit: int
) -> TraceAnswer:
    """`trace` uint64[1, 2]; `spans` and `logs`: the parts of each kind."""
    text = f"{int(trace[0, 0]):016x}{int(trace[0, 1]):016x}"
    found, sources = _columns(reading, spans, trace)
    arrival = np.concatenate([np.empty(0, np.int64), *(one.held.order[one.places] for one in sources)])
    kept = once(found, arrival)
    order = kept[np.lexsort((found.kinds[kept], found.ids[kept], found.starts[kept]))][:limit]
    details = _details(reading, sources, order)
    readable = np.array([place for place in order.tolist() if place in details], np.int64)
    told = [told_span(found, place, details[place]) for place in readable.tolist()]
    about = find_logs(reading, logs, LogSearch(trace=text, limit=MOST_LOGS), 0)
    warnings = (f"Only its newest {MOST_LOGS:,} logs are told.",) if about.more else ()
    return TraceAnswer(text, drawn(bare_spans(found, readable), told), about.logs[::-1], len(kept), warnings)


def drawn(spans: Spans, told: list[SpanInfo]) -> list[SpanInfo]:
    """The same with where each is to be drawn, and what it has of the critical path."""
    if not told:
        return []
    laid, path = arranged(spans), {one.place: one.own / 1e9 for one in critical_path(spans)}
    zero = int(laid.starts.min())
    begins, ends = ((laid.starts - zero) / 1e9).tolist(), ((laid.ends - zero) / 1e9).tolist()
    moved, apart = ((laid.shifts != 0) | laid.cut).tolist(), laid.apart.tolist()
    return [
        msgspec.structs.replace(one, begin=begins[at], end=ends[at], moved=moved[at], apart=apart[at], own=path.get(at, -1.0))
        for at, one in enumerate(told)
    ]


def _columns(reading: Reading, parts: Sequence[Part], trace: npt.NDArray[np.uint64]) -> tuple[Spans, list[_Source]]:
    """Its spans without details, and where those of each part stand among them."""
    hashes, found, sources, at = hashes_of(trace), [], [], 0
    for part in parts:
        if part.summary is not None and not part.summary.may_hold_traces(hashes):
            continue
        held = reading.columns(part)
        if held is None or not len(places := places_of(held, trace)):
            continue
        assert isinstance(held.rows, Spans)
        found.append(bare_spans(held.rows, places))
        sources.append(_Source(part, held, places, at))
        at += len(places)
    return joined_spans(found), sources


def _details(reading: Reading, sources: Sequence[_Source], order: npt.NDArray[np.int64]) -> dict[int, bytes]:
    """By place among all spans, of those in `order`, whatever can be read."""
    found: dict[int, bytes] = {}
    for one in sources:
        wanted = np.sort(order[(order >= one.at) & (order < one.at + len(one.places))]) - one.at
        back = dict(zip(one.places[wanted].tolist(), (wanted + one.at).tolist(), strict=True))
        found |= {back[place]: detail for place, detail in reading.details(one.part, one.held, one.places[wanted])}
    return found
