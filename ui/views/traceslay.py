"""One trace laid out: its tree, where each span lies once clocks agree, and what of it its root waited for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from monitor.model.spans import SpanKind, Spans, Status
from monitor.topology.critical_path import Arranged, arranged, critical_path
from monitor.wire import messages as m
from ui.views.view import Floats

KINDS = {kind.name.lower(): int(kind) for kind in SpanKind}
STATUSES = {status.name.lower(): int(status) for status in Status}
MAX_NS = 1 << 62
Stretch = tuple[float, float]


@dataclass(frozen=True, eq=False, slots=True)
class Laid:
    """n spans in the order of the tree, parents before their children and those by their start.

    `spans` as told; `depths` and `below` (spans that hang under each) int lists; `parents` places, -1 for none. `starts` and
    `ends` float64[n] shares of the whole, `length` seconds; `begin` seconds since the epoch. `shifts` seconds by which each was
    moved. `own`: stretches of the critical path (shares) that are each span's own, by place; `shares` of the path by place.
    `tops`: how many have no parent here.
    """

    spans: tuple[m.SpanInfo, ...]
    depths: list[int]
    below: list[int]
    parents: list[int]
    starts: Floats
    ends: Floats
    length: float
    begin: float
    shifts: Floats
    own: dict[int, tuple[Stretch, ...]] = field(default_factory=dict)
    shares: dict[int, float] = field(default_factory=dict)
    tops: int = 1

    def __len__(self) -> int:
        return len(self.spans)

    def children(self, place: int) -> range:
        """Places of all that hangs under a span."""
        return range(place + 1, place + 1 + self.below[place])


def columns_of(spans: Sequence[m.SpanInfo]) -> Spans:
    """Spans as they are told, as columns: an id that cannot be read is 0."""
    texts = {"": 0}

    def place(text: str) -> int:
        return texts.setdefault(text, len(texts))

    count = len(spans)
    services = np.fromiter((place(span.service) for span in spans), np.int32, count)
    names = np.fromiter((place(span.operation) for span in spans), np.int32, count)
    nothing = np.zeros(count, np.int32)
    return Spans(
        texts=tuple(texts),
        traces=np.zeros((count, 2), np.uint64),
        ids=np.fromiter((_number(span.span) for span in spans), np.uint64, count),
        parents=np.fromiter((_number(span.parent) for span in spans), np.uint64, count),
        starts=np.fromiter((max(-MAX_NS, min(MAX_NS, span.start_ns)) for span in spans), np.int64, count),
        durations=np.fromiter((_nanoseconds(span.duration) for span in spans), np.int64, count),
        services=services,
        names=names,
        kinds=np.fromiter((KINDS.get(span.kind, 0) for span in spans), np.int8, count),
        statuses=np.fromiter((STATUSES.get(span.status, 0) for span in spans), np.int8, count),
        peers=nothing,
        peer_kinds=np.zeros(count, np.int8),
        details=(b"",) * count,
    )


def _number(hexadecimal: str) -> int:
    try:
        return int(hexadecimal[-16:] or "0", 16)
    except ValueError:
        return 0


def _nanoseconds(seconds: float) -> int:
    return int(min(max(seconds, 0.0), MAX_NS / 1e9) * 1e9) if seconds == seconds else 0


def laid_out(told: Sequence[m.SpanInfo]) -> Laid | None:
    """A trace that can be drawn; None where there is no span."""
    if not told:
        return None
    spans = columns_of(told)
    where = arranged(spans)
    order, depths, below, parents = _tree(where)
    picked = np.array(order, np.int64)
    begin = int(where.starts.min())
    whole = max(1, int(where.ends.max()) - begin)
    own, shares = _own(spans, begin, whole, order)
    return Laid(
        spans=tuple(told[i] for i in order),
        depths=depths,
        below=below,
        parents=parents,
        starts=(where.starts[picked] - begin) / whole,
        ends=(where.ends[picked] - begin) / whole,
        length=whole / 1e9,
        begin=begin / 1e9,
        shifts=where.shifts[picked] / 1e9,
        own=own,
        shares=shares,
        tops=int((where.parents < 0).sum()),
    )


def _tree(where: Arranged) -> tuple[list[int], list[int], list[int], list[int]]:
    """The order down the tree, with depth, how many hang below and the parent's new place; without recursion."""
    children: dict[int, list[int]] = {}
    for place in np.lexsort((where.ends * -1, where.starts)).tolist():
        children.setdefault(int(where.parents[place]), []).append(place)
    order: list[int] = []
    depths: list[int] = []
    parents: list[int] = []
    waiting = [(place, 0, -1) for place in reversed(children.get(-1, []))]
    while waiting:
        place, depth, parent = waiting.pop()
        at = len(order)
        order.append(place)
        depths.append(depth)
        parents.append(parent)
        waiting += [(child, depth + 1, at) for child in reversed(children.get(place, []))]
    below = [0] * len(order)
    for at in range(len(order) - 1, 0, -1):
        if parents[at] >= 0:
            below[parents[at]] += below[at] + 1
    return order, depths, below, parents


def _own(spans: Spans, begin: int, whole: int, order: list[int]) -> tuple[dict[int, tuple[Stretch, ...]], dict[int, float]]:
    """Of each span on the critical path the stretches that no child of it was waited for: together they are the whole path."""
    path = critical_path(spans)
    at = {old: new for new, old in enumerate(order)}
    edges: list[tuple[int, int, int, int]] = []
    for depth, one in enumerate(path):
        edges.append((one.start, 1, depth, one.place))
        edges.append((one.end, 0, -depth, one.place))  # of those that end together the deepest first
    edges.sort()
    own: dict[int, list[Stretch]] = {}
    running: list[int] = []
    last = 0
    for moment, begins, _, place in edges:
        if running and moment > last:
            own.setdefault(at[running[-1]], []).append(((last - begin) / whole, (moment - begin) / whole))
        last = moment
        if begins:
            running.append(place)
        elif running and running[-1] == place:
            running.pop()
        elif place in running:
            running.remove(place)
    shares: dict[int, float] = {}
    for one in path:
        shares[at[one.place]] = shares.get(at[one.place], 0.0) + one.share
    return {place: tuple(parts) for place, parts in own.items()}, shares
