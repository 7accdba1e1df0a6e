"""Where the time of a trace went: the spans that its root waited for, and how long for each itself.

Walked from the root's end backwards to whichever child was being waited for, as Uber's CRISP does (Zhang and others, USENIX ATC
2022), but so that overlapping children share the time between them and the parts add up to the root's duration exactly.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitor.model.spans import SpanKind, Spans

Longs = npt.NDArray[np.int64]
_JITTER = 100
"""A child may outlast its parent by the hundredth part of the parent and still be taken as waited for: clocks are read apart."""
_FARTHEST = 1 << 61
"""Nanoseconds: times are kept within this, so that sums stay in int64."""


@dataclass(frozen=True, slots=True, eq=False)
class Arranged:
    """Spans of one trace as they can be drawn, arrays of n. Times int64 nanoseconds.

    `parents`: the place of each span's parent, -1 where it is none of them. `starts` and `ends`: where a span lies, within its
    parent but for those that are `apart`. `shifts`: by how much it was moved there, for its clock and its parent's disagree.
    `cut`: it was told to begin or end a little outside. `apart`: its parent did not wait for it (it ends later, or begins
    after the parent's end, or takes a message from a queue).
    """

    parents: Longs
    starts: Longs
    ends: Longs
    shifts: Longs
    cut: npt.NDArray[np.bool_]
    apart: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class OnPath:
    """A span on the critical path: its `place` among the spans, `own` nanoseconds of the path that are its own, their `share`.

    `start` to `end`: the part of it that was waited for, nanoseconds. `moved`: it lies elsewhere than told, or was cut.
    """

    place: int
    start: int
    end: int
    own: int
    share: float
    moved: bool


def critical_path(spans: Spans) -> list[OnPath]:
    """Spans on the critical path of the first root of a trace, by start; what they have of their own adds up to its duration."""
    if not len(spans):
        return []
    laid = arranged(spans)
    root = root_of(spans, laid)
    children: dict[int, list[int]] = {}
    for place in np.flatnonzero((laid.parents >= 0) & ~laid.apart).tolist():
        children.setdefault(int(laid.parents[place]), []).append(place)
    starts, ends = laid.starts.tolist(), laid.ends.tolist()
    whole = ends[root] - starts[root]
    found, waiting = [], [(root, starts[root], ends[root])]
    while waiting:
        place, start, end = waiting.pop()
        own, inside = _walk(start, end, children.get(place, []), starts, ends)
        share = own / whole if whole else 0.0
        found.append(OnPath(place, start, end, own, share, bool(laid.shifts[place] or laid.cut[place])))
        waiting += inside
    return sorted(found, key=lambda one: (one.start, -one.end, one.place))


def arranged(spans: Spans) -> Arranged:
    """Where each span lies once clocks are made to agree. A service has one clock: what is moved takes its own children along."""
    count = len(spans)
    starts = np.clip(spans.starts, -_FARTHEST, _FARTHEST)
    lengths = np.clip(spans.durations, 0, _FARTHEST)
    parents = _parents(spans)
    laid = Arranged(
        parents, starts.copy(), starts + lengths, np.zeros(count, np.int64), np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    )
    for place in _downwards(parents):
        _put(place, int(parents[place]), spans, laid)
    return laid


def root_of(spans: Spans, laid: Arranged) -> int:
    """The place of the first span without a parent, or whose parent is not there."""
    tops = np.flatnonzero(laid.parents < 0)
    true_roots = tops[spans.parents[tops] == 0]
    among = true_roots if len(true_roots) else tops
    return int(among[np.lexsort((spans.ids[among], spans.starts[among]))[0]])


def _put(place: int, parent: int, spans: Spans, laid: Arranged) -> None:
    """Lays a span where it belongs, its parent being laid already."""
    begin, end = int(laid.starts[parent]), int(laid.ends[parent])
    start, length = int(laid.starts[place]), int(laid.ends[place] - laid.starts[place])
    jitter = (end - begin) // _JITTER
    queued = spans.kinds[place] == SpanKind.CONSUMER
    if spans.services[place] == spans.services[parent]:
        shift = int(laid.shifts[parent])
    elif queued or (begin - jitter <= start and start + length <= end + jitter):
        shift = 0
    elif length <= end - begin:  # it fits, so another clock is likelier than a child that was not waited for
        shift = begin + (end - begin - length) // 2 - start
    else:
        shift = max(0, begin - start)
    start += shift
    apart = bool(queued) or start + length > end + jitter or (start >= end and length > 0) or start > end
    low = max(start, begin)
    high = max(low, start + length if apart else min(start + length, end))
    laid.starts[place], laid.ends[place], laid.shifts[place] = low, high, shift
    laid.cut[place] = low != start or high != start + length
    laid.apart[place] = apart


def _parents(spans: Spans) -> Longs:
    """Places of parents; a loop of them is cut where it is entered, so that each span has a way up."""
    first: dict[int, int] = {}
    for place in np.argsort(spans.starts, kind="stable").tolist():
        first.setdefault(int(spans.ids[place]), place)
    parents = [first.get(parent, -1) if parent else -1 for parent in spans.parents.tolist()]
    state = [0] * len(parents)
    for place in range(len(parents)):
        way, at = [], place
        while at >= 0 and not state[at]:
            state[at] = 1
            way.append(at)
            at = parents[at]
        if at >= 0 and state[at] == 1:  # back on this very way
            parents[at] = -1
        for each in way:
            state[each] = 2
    return np.array(parents, np.int64)


def _downwards(parents: Longs) -> list[int]:
    """Places of those that have a parent, each after it."""
    children: dict[int, list[int]] = {}
    for place, parent in enumerate(parents.tolist()):
        children.setdefault(parent, []).append(place)
    order, waiting = [], children.get(-1, [])
    while waiting:
        below = [child for place in waiting for child in children.get(place, [])]
        order += below
        waiting = below
    return order


def _walk(
    start: int, end: int, children: list[int], starts: list[int], ends: list[int]
) -> tuple[int, list[tuple[int, int, int]]]:
    """From `end` back to `start`: what no child was waited for, and the children with the stretch that each was waited for."""
    own, now = 0, end
    inside: list[tuple[int, int, int]] = []
    earlier = sorted(children, key=lambda child: ends[child])
    running: list[tuple[int, int]] = []
    while now > start:
        while earlier and ends[earlier[-1]] >= now:
            child = earlier.pop()
            heapq.heappush(running, (starts[child], child))
        if running and running[0][0] < now:
            begin, child = heapq.heappop(running)
            inside.append((child, max(begin, start), now))
            now = max(begin, start)
        else:
            running.clear()
            back = max(ends[earlier[-1]] if earlier else start, start)
            own += now - back
            now = back
    return own, inside
