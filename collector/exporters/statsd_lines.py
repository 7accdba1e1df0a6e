"""A tick as StatsD or DogStatsD lines: what counters grew by, gauges, distributions by their bins, sets by their members.

Sources: etsy/statsd, docs/metric_types.md; Datadog's DogStatsD datagram format; the tags of Graphite 1.1 (`name;tag=value`),
which plain StatsD servers pass on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np

from monitor.model.series import Kind, SeriesInfo
from monitor.windows.bins import middles_of
from monitor.windows.frame import Delta

Protocol = Literal["statsd", "dogstatsd"]
_NOT_NAME = re.compile(r"[:|@#,;\s\x00-\x1f\x7f]")
_NOT_TAG = re.compile(r"[,|#;\s\x00-\x1f\x7f]")
_LEAST_RATE = 1e-9


class Head(NamedTuple):
    """What stands before the colon and behind the last bar; `times`: what its values are multiplied by."""

    name: str
    kind: Kind
    type: str
    tail: str
    times: float = 1.0


def head_of(info: SeriesInfo, tags: Mapping[str, str], protocol: Protocol) -> Head:
    """How a series is written. Characters that the format uses itself become underscores; `tags` win over its own."""
    name = _NOT_NAME.sub("_", info.key.name)
    told = [
        (_NOT_TAG.sub("_", tag).replace(":", "_"), _NOT_TAG.sub("_", value))
        for tag, value in {**dict(info.key.tags), **tags}.items()
    ]
    if protocol == "dogstatsd":
        kinds = {Kind.GAUGE: "g", Kind.COUNTER: "c", Kind.DISTRIBUTION: "d", Kind.SET: "s"}
        tail = "|#" + ",".join(f"{tag}:{value}" if value else tag for tag, value in told) if told else ""
        return Head(name, info.kind, kinds[info.kind], tail)
    name += "".join(f";{tag.replace('=', '_')}={value.replace(':', '_') or '_'}" for tag, value in told)
    timed = info.unit in ("s", "ms")
    kinds = {Kind.GAUGE: "g", Kind.COUNTER: "c", Kind.DISTRIBUTION: "ms" if timed else "h", Kind.SET: "s"}
    return Head(name, info.kind, kinds[info.kind], "", 1000.0 if info.kind == Kind.DISTRIBUTION and info.unit == "s" else 1.0)


def lines_of(delta: Delta, heads: Mapping[int, Head]) -> Iterator[str]:
    """Lines of the rows that have a head; one a series, or one a bin or member. A line may be two that belong together."""
    yield from _plain(delta, heads)
    yield from _distributions(delta, heads)
    for row, hashed in zip(delta.set_rows.tolist(), delta.set_hashes.tolist(), strict=True):
        head = heads.get(row)
        if head is not None and head.kind == Kind.SET:
            yield f"{head.name}:{hashed:.0f}|{head.type}{head.tail}"


def _plain(delta: Delta, heads: Mapping[int, Head]) -> Iterator[str]:
    rows, places = np.unique(delta.rows, return_inverse=True)
    sums = np.bincount(places, delta.sums, len(rows)).tolist()
    order = np.lexsort((delta.last_times, delta.seconds))
    newest = np.empty(len(rows))
    newest[places[order]] = delta.lasts[order]  # of a row's seconds the last wins
    for row, total, last in zip(rows.tolist(), sums, newest.tolist(), strict=True):
        head = heads.get(row)
        if head is None:
            continue
        if head.kind == Kind.COUNTER and total and np.isfinite(total):
            yield f"{head.name}:{_number(total)}|{head.type}{head.tail}"
        elif head.kind == Kind.GAUGE and np.isfinite(last):
            line = f"{head.name}:{_number(last)}|{head.type}{head.tail}"
            # A sign means a change, so what is below zero is put there from zero.
            yield f"{head.name}:0|{head.type}{head.tail}\n{line}" if last < 0 else line


def _distributions(delta: Delta, heads: Mapping[int, Head]) -> Iterator[str]:
    if not len(delta.hist_rows):
        return
    order = np.lexsort((delta.hist_bins, delta.hist_rows))
    rows, bins, counts = delta.hist_rows[order], delta.hist_bins[order], delta.hist_counts[order]
    first = np.ones(len(rows), np.bool_)
    first[1:] = (rows[1:] != rows[:-1]) | (bins[1:] != bins[:-1])
    starts = np.flatnonzero(first)
    counts = np.add.reduceat(counts, starts)
    rows, middles = rows[starts], middles_of(bins[starts])
    for row, value, count in zip(rows.tolist(), middles.tolist(), counts.tolist(), strict=True):
        head = heads.get(row)
        if head is None or count <= 0 or not np.isfinite(value):
            continue
        shown = _number(float(f"{value * head.times:.6g}"))
        for rate in _rates(count):
            yield f"{head.name}:{shown}|{head.type}{rate}{head.tail}"


def _rates(count: float) -> Iterable[str]:
    """Sample rates, the values of which stand for so many observations together."""
    if count < 1:
        return ()  # a rate above 1 there is not
    return ("",) if count == 1 else (f"|@{max(_LEAST_RATE, 1 / count):.17g}",)


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def datagrams(lines: Iterable[str], most: int) -> list[bytes]:
    """The lines in datagrams of at most so many bytes; a line that is longer goes by itself."""
    found: list[bytes] = []
    held: list[bytes] = []
    size = 0
    for line in lines:
        data = line.encode("utf-8", "replace")
        if held and size + len(data) + 1 > most:
            found.append(b"\n".join(held))
            held, size = [], 0
        held.append(data)
        size += len(data) + 1
    if held:
        found.append(b"\n".join(held))
    return found


def batches_of(found: Sequence[bytes], most: int) -> Iterator[Sequence[bytes]]:
    """So many datagrams at a time."""
    for begin in range(0, len(found), most):
        yield found[begin : begin + most]
