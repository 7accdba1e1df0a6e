"""Native histograms between samples, and what they gained over anchored and smoothed ranges.

Source: Prometheus, promql/functions.go (interpolateHistograms, correctForCounterResetsHistogram).
"""

from __future__ import annotations

from monitor.query.ast import Span
from monitor.query.histogram import Hint, Histogram
from monitor.query.histogram_math import add, cell, hinted, scale, subtract
from monitor.query.histogram_rate import is_reset
from monitor.query.history import Cells
from monitor.query.labelsets import name_of
from monitor.query.notes import ADDITION, SUBTRACTION, Notes
from monitor.query.ranges import Ranges


class _MixedError(Exception):
    """Exponential and custom buckets in one window."""


def interpolated(
    before: Histogram, after: Histogram, fraction: float, counter: bool, notes: Notes, span: Span
) -> Histogram | None:
    """The histogram that far on the way from one sample to the next; after a reset a counter is taken to have started from
    nothing. None where exponential and custom buckets meet.
    """
    if fraction <= 0:
        return before
    if fraction >= 1:
        return after
    if before.layout.custom != after.layout.custom:
        return None
    if counter and is_reset(before, after):
        return _only(scale(cell(after), fraction))
    step = subtract(cell(after), cell(before))
    if step.mixed[0]:
        return None
    if step.reconciled[0]:
        notes.reconciled_bounds(SUBTRACTION, span)
    whole = add(scale(step.cells, fraction), cell(before))
    if whole.reconciled[0]:
        notes.reconciled_bounds(ADDITION, span)
    return _only(whole.cells)


def histogram_gain(ranges: Ranges, row: int, window: int, first: int, last: int, counter: bool) -> Histogram | None:
    """What a window gained from its `first` to its `last` histogram (columns), a gauge; None where it cannot be told."""
    notes, span, name = ranges.notes, ranges.span, name_of(ranges.labels[row])
    points = ranges.cells[row, first : last + 1].tolist()
    times = ranges.histograms.times[first : last + 1].tolist()
    start, end = int(ranges.starts[window]), int(ranges.ends[window])
    if len({bool(point.layout.custom) for point in points}) > 1:
        notes.mixed_buckets(name, span)
        return None
    if counter and any(point.hint == Hint.GAUGE for point in points):
        notes.not_a_counter(name, span)
    smoothed = ranges.mode == "smoothed"
    left, right = points[0], points[-1]
    early = smoothed and times[0] < start and len(points) > 1
    if early:
        left = interpolated(points[0], points[1], (start - times[0]) / (times[1] - times[0]), counter, notes, span)
    if smoothed and times[-1] > end and len(points) > 1:
        right = interpolated(points[-2], points[-1], (end - times[-2]) / (times[-1] - times[-2]), counter, notes, span)
    if left is None or right is None:
        notes.mixed_buckets(name, span)
        return None
    if not counter and (left.hint != Hint.GAUGE or right.hint != Hint.GAUGE):
        notes.not_a_gauge(name, span)
    try:
        grown = _combined(right, left, SUBTRACTION, notes, span)
        if counter:
            spanned = early and is_reset(points[0], points[1])
            for lost in _before_resets(points, left, right, spanned):
                grown = _combined(grown, lost, ADDITION, notes, span)
    except _MixedError:
        notes.mixed_buckets(name, span)
        return None
    return _only(hinted(cell(grown), Hint.GAUGE))


def _before_resets(points: list[Histogram], left: Histogram, right: Histogram, spanned: bool) -> list[Histogram]:
    """What the histograms stood at before each reset. `spanned`: the left end was interpolated across one, which thereby counts
    already.
    """
    previous, inner = (points[1], points[2:-1]) if spanned else (left, points[1:-1])
    if len(points) < (3 if spanned else 2):
        return []
    lost = []
    for point in (*inner, right):
        if is_reset(previous, point):
            lost.append(previous)
        previous = point
    return lost


def _combined(left: Histogram, right: Histogram, operation: str, notes: Notes, span: Span) -> Histogram:
    found = (add if operation == ADDITION else subtract)(cell(left), cell(right))
    if found.mixed[0]:
        raise _MixedError
    if found.reconciled[0]:
        notes.reconciled_bounds(operation, span)
    return _only(found.cells)


def _only(cells: Cells) -> Histogram:
    found: Histogram = cells[0]
    return found
