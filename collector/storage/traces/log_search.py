"""Searching logs: the newest that meet a search, or those that came in after an answer before."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from collector.storage.traces.details import RowTest
from collector.storage.traces.matching import Keys, Mask, matching
from collector.storage.traces.questions import FIRST, LogSearch, span_of, trace_number
from collector.storage.traces.reading import Part, Reading
from collector.storage.traces.summary import hashes_of
from collector.storage.traces.telling import told_logs
from monitor.model.logs import Logs
from monitor.wire.tracing import LogInfo

MOST_SKIPPED = 100_000
"""Records that are counted although they are not told."""


@dataclass(frozen=True, slots=True)
class LogAnswer:
    """`logs` newest first, or in order of arrival where `after` was asked.

    `cursor`: the next `after`. `more`: there are more than the limit. `skipped`: how many were, of those that came in since.
    """

    logs: list[LogInfo]
    cursor: int
    more: bool = False
    skipped: int = 0
    warnings: tuple[str, ...] = ()


def find_logs(reading: Reading, parts: Sequence[Part], search: LogSearch, highest: int) -> LogAnswer:
    """`highest`: the number of the row that was taken in last. Raises `ValueError` for an id that is none."""
    tailing, skipping = search.after > 0, search.after > 0 and search.skip
    best: list[tuple[int, int, int, int]] = []
    """Key, number, part and place of the `limit` + 1 best rows: a heap, the worst first."""
    traces = _ids(search.trace) if search.trace else None
    hashes = None if traces is None else hashes_of(traces)
    test = RowTest(search.text, search.tags)
    start, end = span_of(search.start, search.end)
    keep, seen = search.limit + (not skipping), 0

    def floor() -> int:
        return best[0][0] if len(best) == keep and not skipping else FIRST

    ordered = sorted(parts, key=lambda one: one.high if skipping else -one.low if tailing else one.last, reverse=True)
    for number, part in enumerate(ordered):
        if (-part.low if tailing else part.last) < floor() or seen > MOST_SKIPPED:
            break
        if part.last < start or part.first > end or part.high <= search.after:
            continue
        known = part.summary
        if known is not None and not known.may_hold_logs(search.service, search.severity):
            continue
        if known is not None and hashes is not None and not known.may_hold_traces(hashes):
            continue
        held = reading.columns(part) if reading.may_hold(part, test) else None
        if held is None:
            continue
        logs = held.rows
        assert isinstance(logs, Logs)
        mask = _mask(logs, search, start, end)
        if traces is not None:
            mask &= (logs.traces[:, None] == traces).all(axis=2).any(axis=1)
        if tailing:
            mask &= held.order > search.after
        keys: Keys = held.order if skipping else -held.order if tailing else logs.times
        for places in matching(reading, part, held, mask, keys, test, floor):
            seen += len(places)
            some = places[np.lexsort((-held.order[places], -keys[places]))][:keep]
            for place, key, order in zip(some.tolist(), keys[some].tolist(), held.order[some].tolist(), strict=True):
                entry = (key, order, number, place)
                if len(best) < keep:
                    heapq.heappush(best, entry)
                elif entry > best[0]:
                    heapq.heapreplace(best, entry)
                else:
                    break
    chosen = sorted(best, reverse=True)
    more = len(chosen) > search.limit
    chosen = chosen[: search.limit]
    told = dict(_told(reading, ordered, chosen))
    cursor = chosen[-1][1] if tailing and more else max(highest, search.after)
    if skipping:
        chosen.reverse()
    return LogAnswer([told[one] for one in chosen if one in told], cursor, more, seen - len(chosen) if skipping else 0)


def _ids(trace: str) -> npt.NDArray[np.uint64]:
    """uint64[n, 2] under which its records are: of 128 bits also the lower half, which is all that some loggers write."""
    whole = trace_number(trace)
    half = whole.copy()
    half[0, 0] = 0
    return np.concatenate([whole, half]) if whole.all() else whole


def _told(
    reading: Reading, parts: Sequence[Part], chosen: Sequence[tuple[int, int, int, int]]
) -> Iterator[tuple[tuple[int, int, int, int], LogInfo]]:
    """Each of the rows that could be read, told."""
    by_part: dict[int, dict[int, tuple[int, int, int, int]]] = {}
    for one in chosen:
        by_part.setdefault(one[2], {})[one[3]] = one
    for number, entries in by_part.items():
        held = reading.columns(parts[number])
        if held is not None:
            places = np.array(sorted(entries), np.int64)
            for place, info in told_logs(reading, parts[number], held, places):
                yield entries[place], info


def _mask(logs: Logs, search: LogSearch, start: int, end: int) -> Mask:
    """bool[n]: records that meet what columns tell."""
    mask: Mask = (logs.times >= start) & (logs.times <= end)
    if search.severity > 0:
        mask &= logs.severities >= search.severity
    if search.service:
        mask &= np.isin(logs.services, [place for place, text in enumerate(logs.texts) if text == search.service])
    return mask
