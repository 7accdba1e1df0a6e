"""Searching traces: the longest of those that meet a search, whenever within its time they were."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from collector.storage.traces.blocks import Held
from collector.storage.traces.details import RowTest
from collector.storage.traces.matching import Mask, matching
from collector.storage.traces.questions import FIRST, LAST, TraceSearch
from collector.storage.traces.reading import Part, Reading
from collector.storage.traces.span_search import Bounds, ends_of, mask_of, may_hold, spans_of, summaries
from monitor.model.spans import Spans
from monitor.wire.tracing import TraceSummary

MOST_SPANS = 4_000_000
MOST_TESTED = 1_000_000
MOST_TRACES = 1_000_000
"""Of one search: spans whose columns, and whose details are looked at, and traces whose lengths are compared."""
MARGIN = 600 * 1_000_000_000
"""Nanoseconds before and after the searched time within which the rest of a trace is looked for when lengths are compared."""


@dataclass(frozen=True, slots=True, eq=False)
class _Stretches:
    """Of traces uint64[n, 2] what one part holds: `begins` and `ends` int64[n], `hits` bool[n] where a span meets the search."""

    traces: npt.NDArray[np.uint64]
    begins: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    hits: Mask


def find_longest(reading: Reading, parts: Sequence[Part], search: TraceSearch) -> tuple[list[TraceSummary], tuple[str, ...]]:
    """At most `limit` traces with a matching span, the longest first, and a sentence where not all of them were looked at."""
    found, warnings = _looked(reading, parts, search)
    if not found:
        return [], warnings
    told = summaries(spans_of(reading, parts, _longest(found, search.limit)))
    return sorted(told, key=lambda trace: (-trace.duration, trace.trace)), warnings


def _looked(reading: Reading, parts: Sequence[Part], search: TraceSearch) -> tuple[list[_Stretches], tuple[str, ...]]:
    """The newest parts first, until the bounds of the work."""
    bounds, test = Bounds.of(search), RowTest(search.text, search.tags)
    low, high = max(FIRST + MARGIN, bounds.start) - MARGIN, min(LAST - MARGIN, bounds.end) + MARGIN
    found: list[_Stretches] = []
    spans = tested = traces = 0
    for part in sorted(parts, key=lambda one: one.last, reverse=True):
        if part.last < low:
            break
        if part.first > high:
            continue
        if spans >= MOST_SPANS or tested >= MOST_TESTED or traces >= MOST_TRACES:
            return found, (_stopped(spans, part.last),)
        held = reading.columns(part)
        if held is None:
            continue
        hits, read = _hits(reading, part, held, search, bounds, test)
        found.append(_stretches(held, hits))
        spans, tested, traces = spans + len(held), tested + read, traces + len(found[-1].begins)
    return found, ()


def _stopped(spans: int, last: int) -> str:
    until = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(last / 1e9))
    return f"The longest of the newest {spans:,} spans, back to {until}: a shorter time or a narrower search looks at all."


def _hits(reading: Reading, part: Part, held: Held, search: TraceSearch, bounds: Bounds, test: RowTest) -> tuple[Mask, int]:
    """bool[n] of the spans that meet the search, and of how many the details were looked at."""
    assert isinstance(held.rows, Spans)
    if part.last < bounds.start or part.first > bounds.end or not may_hold(part, search, bounds):
        return np.zeros(len(held), np.bool_), 0
    mask = mask_of(held.rows, search, bounds)
    if not test:
        return mask, 0
    hits = np.zeros(len(held), np.bool_)
    if not reading.may_hold(part, test):
        return hits, 0
    for places in matching(reading, part, held, mask, held.rows.starts, test, lambda: FIRST):
        hits[places] = True
    return hits, int(mask.sum())


def _stretches(held: Held, hits: Mask) -> _Stretches:
    """Spans of one trace lie together in large blocks; where they do not, a trace has several stretches."""
    spans = held.rows
    assert isinstance(spans, Spans)
    fresh = np.ones(len(spans), np.bool_)
    fresh[1:] = (spans.traces[1:] != spans.traces[:-1]).any(axis=1)
    edges = np.flatnonzero(fresh)
    return _Stretches(
        spans.traces[edges],
        np.minimum.reduceat(spans.starts, edges),
        np.maximum.reduceat(ends_of(spans.starts, spans.durations), edges),
        np.logical_or.reduceat(hits, edges),
    )


def _longest(found: Sequence[_Stretches], limit: int) -> npt.NDArray[np.uint64]:
    """uint64[m, 2]: the longest traces with a matching span, at most `limit`."""
    traces = np.concatenate([one.traces for one in found])
    order = np.lexsort((traces[:, 1], traces[:, 0]))
    traces = traces[order]
    fresh = np.ones(len(order), np.bool_)
    fresh[1:] = (traces[1:] != traces[:-1]).any(axis=1)
    edges = np.flatnonzero(fresh)
    begins = np.minimum.reduceat(np.concatenate([one.begins for one in found])[order], edges)
    ends = np.maximum.reduceat(np.concatenate([one.ends for one in found])[order], edges)
    hits = np.logical_or.reduceat(np.concatenate([one.hits for one in found])[order], edges)
    lengths = ends.astype(np.uint64) - begins.astype(np.uint64)  # also right where it is beyond int64
    which = np.flatnonzero(hits)
    if len(which) > limit:
        least = np.partition(lengths[which], len(which) - limit)[len(which) - limit]
        which = which[lengths[which] >= least]
    which = which[np.argsort(lengths[which].max() - lengths[which], kind="stable")] if len(which) else which
    chosen: npt.NDArray[np.uint64] = traces[edges[which[:limit]]]
    return chosen
