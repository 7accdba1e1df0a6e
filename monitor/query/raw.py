"""A range selector or subquery as the whole query: its samples as they are.

Source: Prometheus, promql/engine.go (matrixSelector, extendFloats, cleanupMetricLabels).
"""

from __future__ import annotations

import numpy as np

from monitor.query.ast import Selector, Subquery
from monitor.query.context import Frame, Run
from monitor.query.extended_rates import boundaries, reach
from monitor.query.function_ranges import range_ends, selected_range
from monitor.query.history import Block, Labels, QueryError
from monitor.query.labelsets import without_metadata
from monitor.query.ranges import Ranges, Samples, samples_of
from monitor.query.vectors import SAME_LABELS


def raw_blocks(run: Run, arg: Selector | Subquery, frame: Frame) -> tuple[Block, ...]:
    """Each series with samples in the window as a block, sorted by labels."""
    ends = range_ends(arg, frame)
    selected, flags = selected_range(run, arg, frame, ends, "")
    nameless = {labels for block in selected.blocks for labels, flag in zip(block.labels, flags, strict=False) if flag}
    found: list[Block] = []
    for block in selected.blocks:
        for samples in samples_of(block):
            if isinstance(arg, Selector) and arg.mode:
                found += _extended(run, arg, samples, frame)
            else:
                found += _inside(samples, int(ends[0]) - (arg.range or 0), int(ends[0]))
    named = [_renamed(block, block.labels[0] in nameless) for block in found]
    if len({block.labels for block in named}) < len(named):
        raise QueryError(SAME_LABELS)
    return tuple(sorted(named, key=lambda block: block.labels))


def _renamed(block: Block, nameless: bool) -> Block:
    labels: Labels = without_metadata(block.labels[0]) if nameless else block.labels[0]
    return Block((labels,), block.times, block.values, None, block.histograms)


def _inside(samples: Samples, start: int, end: int) -> list[Block]:
    inside = (samples.times > start) & (samples.times <= end)
    if not inside.any():
        return []
    found = []
    for row, labels in enumerate(samples.labels):
        cells = samples.cells[row : row + 1, inside] if samples.cells is not None else None
        found.append(Block((labels,), samples.times[inside], samples.values[row : row + 1, inside], None, cells))
    return found


def _extended(run: Run, arg: Selector, samples: Samples, frame: Frame) -> list[Block]:
    """Samples with values at both ends of the window, of the anchors or interpolated."""
    if samples.cells is not None:
        raise QueryError(f"{arg.mode} modifier is not supported with histograms")
    ends, millis = range_ends(arg, frame), arg.range or 0
    ranges = Ranges(
        samples, ends - millis, ends, frame.times, millis, run.notes, arg.span, run.check, arg.mode, run.limits.lookback
    )
    span = reach(ranges, ranges.floats)
    if not span.some[0]:
        return []
    start, end = int(ends[0]) - millis, int(ends[0])
    left, right = boundaries(ranges, ranges.floats, span, counter=False)
    within = np.arange(int(span.first[0]), int(span.last[0]) + 1)
    within = within[(samples.times[within] > start) & (samples.times[within] < end)]
    times = np.concatenate(([start], samples.times[within], [end]))
    return [
        Block((labels,), times, np.concatenate((left[row], samples.values[row, within], right[row]))[np.newaxis])
        for row, labels in enumerate(samples.labels)
    ]
