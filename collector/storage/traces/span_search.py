"""Searching traces: the newest spans that meet a search, then the traces they belong to."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from collector.storage.traces.blocks import Held, bare_spans
from collector.storage.traces.details import RowTest
from collector.storage.traces.matching import Mask, matching
from collector.storage.traces.questions import FIRST, LAST, TraceSearch, nanoseconds, span_of, trace_text
from collector.storage.traces.reading import Part, Places, Reading
from collector.storage.traces.summary import hashes_of
from monitor.model.spans import Spans, Status, joined_spans
from monitor.wire.tracing import MAX_NAME, TraceSummary

Trace = tuple[int, int]
MOST_SERVICES = 64
"""Services one summary names."""
_SLICE = 1024


@dataclass(frozen=True, slots=True)
class Bounds:
    """A search in the columns' own units."""

    start: int
    end: int
    shortest: int
    longest: int

    @classmethod
    def of(cls, search: TraceSearch) -> Bounds:
        shortest = FIRST if search.shortest <= 0 else nanoseconds(search.shortest)
        longest = LAST if math.isinf(search.longest) else nanoseconds(search.longest)
        return cls(*span_of(search.start, search.end), shortest, longest)


def find_traces(reading: Reading, parts: Sequence[Part], search: TraceSearch) -> list[TraceSummary]:
    """At most `limit` traces, the one with the newest matching span first."""
    newest = _matching(reading, parts, search)
    wanted = heapq.nsmallest(search.limit, newest, key=lambda trace: (-newest[trace], trace))
    if not wanted:
        return []
    held = spans_of(reading, parts, np.array(wanted, np.uint64))
    told = {summary.trace: summary for summary in summaries(held)}
    return [told[text] for text in (trace_text(*trace) for trace in wanted) if text in told]


def spans_of(reading: Reading, parts: Sequence[Part], traces: npt.NDArray[np.uint64]) -> Spans:
    """All spans of the traces uint64[n, 2], without details; one that was sent twice is there once."""
    hashes = hashes_of(traces)
    found, orders = [], [np.empty(0, np.int64)]
    for part in parts:
        if part.summary is None or part.summary.may_hold_traces(hashes):
            held = reading.columns(part)
            if held is not None and len(places := places_of(held, traces)):
                found.append(bare_spans(_bare(held), places))
                orders.append(held.order[places])
    spans = joined_spans(found)
    return spans.take(once(spans, np.concatenate(orders)))


def places_of(held: Held, traces: npt.NDArray[np.uint64]) -> Places:
    """Rising places of the rows that belong to the traces."""
    have = held.rows.traces
    if len(traces) == 1:
        found: Places = np.flatnonzero((have[:, 1] == traces[0, 1]) & (have[:, 0] == traces[0, 0]))
        return found
    places = np.flatnonzero(np.isin(have[:, 1], traces[:, 1]))
    wanted = set(map(tuple, traces.tolist()))
    kept = [place for place, trace in zip(places.tolist(), have[places].tolist(), strict=True) if tuple(trace) in wanted]
    return np.array(kept, np.int64)


def once(spans: Spans, arrival: Places) -> Places:
    """Places, rising, of spans each of which is there once, as it came first: a sender that got no answer sends again."""
    order = np.lexsort((arrival, spans.kinds, spans.starts, spans.ids, spans.traces[:, 1], spans.traces[:, 0]))
    fresh = np.ones(len(order), np.bool_)
    same = np.ones(max(0, len(order) - 1), np.bool_)
    for column in (spans.kinds, spans.starts, spans.ids, spans.traces[:, 1], spans.traces[:, 0]):
        lined = column[order]
        same &= lined[1:] == lined[:-1]
    fresh[1:] = ~same
    found: Places = np.sort(order[fresh])
    return found


def summaries(spans: Spans) -> Iterator[TraceSummary]:
    """One of each trace among the spans, none of which is there twice."""
    order = np.lexsort((spans.kinds, spans.ids, spans.starts, spans.traces[:, 1], spans.traces[:, 0]))
    traces = spans.traces[order]
    fresh = np.ones(len(order), np.bool_)
    fresh[1:] = (traces[1:] != traces[:-1]).any(axis=1)
    edges = np.append(np.flatnonzero(fresh), len(order))
    for begin, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        rows = order[begin:end]
        starts, durations, texts = spans.starts[rows], spans.durations[rows], spans.texts
        root, is_root = _root(spans.ids[rows], spans.parents[rows])
        services = sorted(texts[place][:MAX_NAME] for place in np.unique(spans.services[rows]).tolist())
        first = int(starts[0])
        yield TraceSummary(
            trace=trace_text(*traces[begin].tolist()),
            service=texts[spans.services[rows[root]]][:MAX_NAME],
            operation=texts[spans.names[rows[root]]][:MAX_NAME],
            start=first / 1e9,
            duration=(_last_end(starts, durations) - first) / 1e9,
            spans=len(rows),
            errors=int((spans.statuses[rows] == Status.ERROR).sum()),
            services=tuple(services[:MOST_SERVICES]),
            rootless=not is_root,
        )


def _last_end(starts: npt.NDArray[np.int64], durations: npt.NDArray[np.int64]) -> int:
    return int(ends_of(starts, durations).max())


def ends_of(starts: npt.NDArray[np.int64], durations: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """int64[n], the last moment there is where a sender said something beyond it."""
    found: npt.NDArray[np.int64] = np.where(durations > LAST - np.maximum(starts, 0), LAST, starts + durations)
    return found


def _root(ids: npt.NDArray[np.uint64], parents: npt.NDArray[np.uint64]) -> tuple[int, bool]:
    """Of spans by start: the first without a parent, else the first whose parent is not among them; and whether it has none."""
    roots = np.flatnonzero(parents == 0)
    if len(roots):
        return int(roots[0]), True
    orphans = np.flatnonzero(~np.isin(parents, ids))
    return (int(orphans[0]) if len(orphans) else 0), False


def _matching(reading: Reading, parts: Sequence[Part], search: TraceSearch) -> dict[Trace, int]:
    """Traces by the start of their newest matching span: at least the `limit` newest of them."""
    bounds, test = Bounds.of(search), RowTest(search.text, search.tags)
    newest: dict[Trace, int] = {}
    floor = FIRST

    def least() -> int:
        return floor

    for part in sorted(parts, key=lambda one: one.last, reverse=True):
        if part.last < floor or part.last < bounds.start:
            break
        if part.first > bounds.end or not may_hold(part, search, bounds):
            continue
        held = reading.columns(part) if reading.may_hold(part, test) else None
        if held is None:
            continue
        spans = _bare(held)
        mask = mask_of(spans, search, bounds)
        for places in matching(reading, part, held, mask, spans.starts, test, least):
            floor = max(floor, _take(newest, spans, places, search.limit, floor))
    return newest


def may_hold(part: Part, search: TraceSearch, bounds: Bounds) -> bool:
    """Whether a span of it may meet what columns tell, as far as its summary tells."""
    return part.summary is None or part.summary.may_hold(search.service, search.operation, bounds.shortest, search.error)


def mask_of(spans: Spans, search: TraceSearch, bounds: Bounds) -> Mask:
    """bool[n]: spans that meet what columns tell."""
    mask: Mask = (spans.starts >= bounds.start) & (spans.starts <= bounds.end)
    if bounds.shortest > 0:
        mask &= spans.durations >= bounds.shortest
    if bounds.longest < LAST:
        mask &= spans.durations <= bounds.longest
    if search.error:
        mask &= spans.statuses == Status.ERROR
    for wanted, column in ((search.service, spans.services), (search.operation, spans.names)):
        if wanted:
            mask &= np.isin(column, [place for place, text in enumerate(spans.texts) if text == wanted])
    return mask


def _take(newest: dict[Trace, int], spans: Spans, places: Places, limit: int, floor: int) -> int:
    """Notes the traces of matching spans; the start of the `limit`-th newest trace."""
    starts = spans.starts[places]
    places = places[starts >= floor]
    places = places[np.argsort(-spans.starts[places], kind="stable")]
    fresh: set[Trace] = set()
    for begin in range(0, len(places), _SLICE):
        some = places[begin : begin + _SLICE]
        for (high, low), start in zip(spans.traces[some].tolist(), spans.starts[some].tolist(), strict=True):
            fresh.add((high, low))
            if newest.get((high, low), FIRST) < start:
                newest[high, low] = start
        rest = places[begin + _SLICE : begin + _SLICE + 1]
        if len(fresh) >= limit and len(rest) and spans.starts[rest[0]] < spans.starts[some[-1]]:
            break
    return heapq.nlargest(limit, newest.values())[-1] if len(newest) >= limit else FIRST


def _bare(held: Held) -> Spans:
    assert isinstance(held.rows, Spans)
    return held.rows
