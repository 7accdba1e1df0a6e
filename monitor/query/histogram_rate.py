"""How much histograms grew over windows of time, counter resets allowed for.

Sources: Prometheus, promql/functions.go (histogramRate) and model/histogram/float_histogram.go (DetectReset). A series whose
buckets stay comparable, as nearly all do, is a few array operations for all windows; where they change inside a window, that
window is worked out sample by sample.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from monitor.query.histogram import Hint, Histogram, Stack
from monitor.query.histogram_layout import common_bounds, fitting_thresholds, reduced, widened, with_bounds
from monitor.query.histogram_math import add, cell, empty_cells, equal, subtract
from monitor.query.histogram_stacks import Positions, spread_to, stacks_of, union
from monitor.query.history import Cells, Mask, Values


@dataclass(frozen=True, slots=True, eq=False)
class Increase:
    """What N windows gained. `cells`: gauge histograms, None for windows of fewer than two samples and where `mixed`: exponential
    and custom buckets in one. `first`: the count of each window's first histogram. `gauges`: a histogram in it is a gauge (of a
    counter's windows), `counters`: its first or last is none (of a gauge's). `subtracted`, `added`: custom bounds differed and
    were reconciled in that operation.
    """

    cells: Cells
    first: Values
    mixed: Mask
    gauges: Mask
    counters: Mask
    subtracted: Mask
    added: Mask


def increase(cells: Cells, starts: Positions, ends: Positions, counter: bool = True) -> Increase:
    """The gain within each window of one series' histograms, not yet extrapolated.

    `cells` object [T] without None; `starts`, `ends` int64 [N]: window n holds the cells `starts[n]` to `ends[n] - 1`.
    `counter` False: the plain difference of last and first, as `delta` has it.
    """
    masks = [np.zeros(len(starts), bool) for _ in range(5)]
    found = Increase(empty_cells(len(starts)), np.full(len(starts), np.nan), *masks)
    enough = np.flatnonzero(ends - starts >= 2)
    if not len(enough):
        return found
    stacks = stacks_of(cells)
    hints = np.zeros(len(cells), np.int8)
    counts = np.zeros(len(cells))
    part = np.zeros(len(cells), np.int64)
    for number, (at, stack) in enumerate(stacks):
        hints[at], counts[at], part[at] = stack.hints, stack.count, number
    first, last = starts[enough], ends[enough] - 1
    found.first[enough] = counts[first]
    gauges = np.concatenate(([0], np.cumsum(hints == Hint.GAUGE)))
    if counter:
        found.gauges[enough] = gauges[last + 1] > gauges[first]
    else:
        found.counters[enough] = (hints[first] != Hint.GAUGE) | (hints[last] != Hint.GAUGE)
    changes = np.concatenate(([0], np.cumsum(part[1:] != part[:-1])))
    even = changes[last] == changes[first]
    if even.any():
        _even_windows(found, stacks, enough[even], first[even], last[even], counter)
    for window in enough[~even].tolist():  # the buckets change inside: few windows of few series
        _uneven_window(found, window, cells[starts[window] : ends[window]], counter)
    return found


def _even_windows(
    found: Increase, stacks: list[tuple[Positions, Stack]], windows: Positions, first: Positions, last: Positions, counter: bool
) -> None:
    for at, stack in stacks:
        row_of = np.full(int(max(at[-1], last.max())) + 1, -1)
        row_of[at] = np.arange(len(at))
        mine = np.flatnonzero(row_of[first] >= 0)
        if not len(mine):
            continue
        low, high = row_of[first[mine]], row_of[last[mine]]
        grown = _difference(stack, low, high)
        if counter:
            reset = _resets_within(stack)
            if reset.any():
                _give_back(grown, stack, reset, low, high)
        found.cells[windows[mine]] = grown.cells()


def _difference(stack: Stack, low: Positions, high: Positions) -> Stack:
    counts = stack.counts[high]
    with np.errstate(invalid="ignore", over="ignore"):
        counts -= stack.counts[low]
        return Stack(
            stack.layout,
            counts,
            stack.count[high] - stack.count[low],
            stack.sum[high] - stack.sum[low],
            np.full(len(low), Hint.GAUGE, np.int8),
        )


def _give_back(grown: Stack, stack: Stack, reset: Mask, low: Positions, high: Positions) -> None:
    """Adds to each window what stood before each reset in it. Resets are rare: they alone are summed up."""
    rows = np.flatnonzero(reset)
    from_, to = np.searchsorted(rows, low, "right"), np.searchsorted(rows, high, "right")
    touched = from_ != to
    for gained, standing in ((grown.counts, stack.counts), (grown.count, stack.count), (grown.sum, stack.sum)):
        before = standing[rows - 1]
        running = np.concatenate((np.zeros_like(before[:1]), np.cumsum(before, axis=0)))
        gained[touched] += running[to[touched]] - running[from_[touched]]


def _resets_within(stack: Stack) -> Mask:
    """Where a row of a stack begins anew after the row before it, bool [T]; False for the first."""
    reset = np.zeros(len(stack), bool)
    fell = (stack.count[1:] < stack.count[:-1]) | (stack.counts[1:] < stack.counts[:-1]).any(axis=1)
    hints = stack.hints[1:]
    reset[1:] = (hints == Hint.RESET) | ((hints != Hint.NO_RESET) & fell)
    return reset


def resets(cells: Cells) -> Mask:
    """Where a histogram of one series (object [T], without None) began anew after the one before it; False for the first."""
    reset = np.zeros(len(cells), bool)
    stacks = stacks_of(cells)
    for at, stack in stacks:
        reset[at] = _resets_within(stack)
    if len(stacks) > 1:
        part = np.zeros(len(cells), np.int64)
        for number, (at, _) in enumerate(stacks):
            part[at] = number
        # A row's neighbour in its stack is not its neighbour in the series where another stack's rows stand between.
        for position in (np.flatnonzero(part[1:] != part[:-1]) + 1).tolist():
            reset[position] = is_reset(cells[position - 1], cells[position])
    return reset


def changes(cells: Cells) -> Mask:
    """Where a histogram of one series differs from the one before it; False for the first."""
    changed = np.zeros(len(cells), bool)
    changed[1:] = ~equal(cells[1:], cells[:-1])
    return changed


def is_reset(before: Histogram, after: Histogram) -> bool:
    """Whether a histogram cannot have grown out of the one before it (DetectReset)."""
    if after.hint in (Hint.RESET, Hint.NO_RESET):
        return after.hint == Hint.RESET
    old, new = before.alone(), after.alone()
    if after.count < before.count or old.layout.custom != new.layout.custom:
        return True
    if new.layout.custom:
        if not new.layout.comparable(old.layout):
            bounds = common_bounds(old.layout, new.layout)
            old, new = with_bounds(old, bounds), with_bounds(new, bounds)
    else:
        threshold = new.layout.zero_threshold
        if new.layout.schema > old.layout.schema or threshold < old.layout.zero_threshold:
            return True
        if fitting_thresholds(old, np.array([threshold]))[0] != threshold:
            return True
        old = reduced(widened(old, threshold), new.layout.schema)
    layout = union((old.layout, new.layout))
    return bool((spread_to(new, layout).counts < spread_to(old, layout).counts).any())


def _uneven_window(found: Increase, window: int, cells: Cells, counter: bool) -> None:
    first: Histogram | None = cells[0]
    if counter and is_reset(cells[0], cells[1]):
        first = None  # what its buckets were does not matter then
    kinds = {bool(histogram.layout.custom) for histogram in (cells[1:] if first is None else cells)}
    if len(kinds) > 1 if counter else cells[0].layout.custom != cells[-1].layout.custom:
        found.mixed[window] = True
        return
    grown = cell(cells[-1])
    schemas = [h.schema for h in (cells[1:] if first is None else cells)]
    if counter and not cells[-1].layout.custom and min(schemas) < cells[-1].schema:
        grown[0] = Histogram(reduced(cells[-1].alone(), min(schemas)))
    if first is not None:
        step = subtract(grown, cell(first))
        grown, found.subtracted[window] = step.cells, step.reconciled[0]
    if counter:
        before = first
        for after in cells[1:]:
            if before is not None and is_reset(before, after):
                step = add(grown, cell(before))
                grown = step.cells
                found.added[window] |= step.reconciled[0]
            before = after
    stack = grown[0].alone()
    found.cells[window] = Histogram(Stack(stack.layout, stack.counts, stack.count, stack.sum, np.array([Hint.GAUGE], np.int8)))
