"""Answers as tables: rows by value, the labels that differ in columns, those that all share named once; and histograms."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from monitor.model.matchers import NAME_TAG
from monitor.wire.messages import HistogramCell
from ui.views.axis import linear, logarithmic
from ui.views.format import plural, sanitise, value
from ui.views.queryanswers import Labels
from ui.views.querychart import Shown, full_name
from ui.views.querytext import shortened
from ui.views.queryview import HistogramView, TableRow, TableView
from ui.views.units import Family, Unit
from ui.views.view import Floats, Tick, Value

MOST_ROWS = 200
MOST_COLUMNS = 4
MOST_BARS = 40
MOST_HISTOGRAMS = 6
TAIL = 0.001
RANGE_HEADS = ("Last", "Min", "Max", "Mean")

Entry = tuple[Shown, int, Labels]
ColourOf = Callable[[int, Labels], str]
"""The colour of a series of the query in a slot, "" where it has no line of its own."""


def entries(shown: Iterable[Shown]) -> list[Entry]:
    """Every series of every answer: (query, row, labels)."""
    return [(one, row, labels) for one in shown if one.held is not None for row, labels in enumerate(one.held.labels)]


def label_columns(rows: Sequence[Labels]) -> tuple[list[str], str]:
    """Names of the labels that differ, those with the most values last, and the shared ones as `env=prod, region=eu`."""
    if not rows:
        return [], ""
    held = [dict(labels) for labels in rows]
    names = sorted({name for labels in held for name in labels}, key=lambda n: (n != NAME_TAG, n))
    values = {name: {labels.get(name, "") for labels in held} for name in names}
    shared = [n for n in names if len(values[n]) == 1]
    differing = [n for n in names if len(values[n]) > 1]
    words = ", ".join(
        sanitise(next(iter(values[n])), 80) if n == NAME_TAG else f"{sanitise(n, 40)}={sanitise(next(iter(values[n])), 80)}"
        for n in shared
    )
    return differing, words


def table(shown: list[Shown], heads: tuple[str, ...], at: str, colour_of: ColourOf, letters: bool) -> TableView:
    """The answers' series by their last value, largest first, those of one unit together; what has none is at the end."""
    found = entries(shown)
    columns, shared = label_columns([labels for _, _, labels in found])
    cut, columns = len(columns) - MOST_COLUMNS, columns[:MOST_COLUMNS]
    figures = [_figures(one, row, len(heads)) for one, row, _ in found]
    units = list(dict.fromkeys(one.unit for one, _, _ in found))  # what has another unit cannot be compared
    lasts = [figure[0] if math.isfinite(figure[0]) else -math.inf for figure in figures]
    order = sorted(range(len(found)), key=lambda i: (units.index(found[i][0].unit), -lasts[i]))
    rows = []
    for i in order[:MOST_ROWS]:
        one, _, labels = found[i]
        held = dict(labels)
        colour = colour_of(one.query.slot, labels)
        cells = tuple(sanitise(held.get(name, ""), 80) for name in columns)
        if columns and not any(cells):  # nothing tells it apart but what was asked
            cells = (shortened(one.query.running, 48), *cells[1:])
        shown_values = tuple(value(x, one.unit) for x in figures[i])
        name = full_name(labels) if labels else shortened(one.query.running, 48)
        rows.append(TableRow(one.query.letter, colour, cells, shown_values, name))
    total = sum(
        max(one.held.result.total, len(one.held.labels)) for one in shown if one.held is not None and one.held.result is not None
    )
    more = [f"and {plural(total - len(rows), 'other')}"] if total > len(rows) else []
    more += [f"{plural(cut, 'more label differs', 'more labels differ')}: point at a row"] if cut > 0 else []
    names = tuple("Metric" if n == NAME_TAG else sanitise(n, 40) for n in columns)
    return TableView(names or ("Series",) * bool(rows), heads, tuple(rows), shared, "; ".join(more), at, letters)


def _figures(one: Shown, row: int, count: int) -> tuple[float, ...]:
    """Last, least, greatest and mean; or the last alone."""
    assert one.held is not None
    values = one.held.rows[row]
    known = values[np.isfinite(values)]
    last = float(known[-1]) if len(known) else math.nan
    if count == 1:
        return (float(values[-1]) if len(values) else math.nan,)
    if not len(known):
        return (math.nan,) * 4
    return (last, float(known.min()), float(known.max()), float(known.mean()))


# ---------------------------------------------------------------- histograms


def histograms(one: Shown, inside: Unit, colour_of: ColourOf, names: Sequence[str]) -> list[HistogramView]:
    """Bars of the native histograms of an instant answer."""
    held = one.held
    if held is None or held.result is None:
        return []
    views = []
    for cell in held.result.histograms[:MOST_HISTOGRAMS]:
        if 0 <= cell.series < len(held.labels) and len(cell.counts) == len(cell.lower) == len(cell.upper):
            colour = colour_of(one.query.slot, held.labels[cell.series])
            views.append(histogram(cell, names[cell.series], colour or one.query.colour, one.unit, inside))
    return views


def histogram(cell: HistogramCell, name: str, colour: str, unit: Unit, inside: Unit) -> HistogramView:
    """One histogram: its buckets brought together to as many bars as can be told apart."""
    edges, counts, log = bars(cell)
    median, high = quantile(cell, 0.5), quantile(cell, 0.99)
    ticks = _ticks(edges, inside, log)
    marks = []
    for word, x in (("p50", median), ("p99", high)):
        place = math.log10(x * inside.factor) if log and x > 0 else x * inside.factor
        if math.isfinite(place):
            marks.append(Tick(place, word))
    shift = math.log10(inside.factor) if log else 0.0
    scaled = edges + shift if log else edges * inside.factor
    return HistogramView(
        sanitise(name, 80),
        colour,
        value(cell.count, unit),
        value(cell.sum, _sum_unit(inside, unit)),
        value(median, inside),
        value(high, inside),
        scaled,
        counts,
        ticks,
        tuple(marks),
        log,
    )


def _sum_unit(inside: Unit, unit: Unit) -> Unit:
    """Of a rate the sum is over time too."""
    if not unit.per or inside.word:
        return inside
    return Unit(word=f"s{unit.per}", factor=inside.factor) if inside.family is Family.DURATION else inside.each(unit.per)


def _ticks(edges: Floats, inside: Unit, log: bool) -> tuple[Tick, ...]:
    if len(edges) < 2:
        return ()
    if log:
        low, high = 10.0 ** float(edges[0]) * inside.factor, 10.0 ** float(edges[-1]) * inside.factor
        if math.log10(high / low) < 0.7:
            _, ticks = linear(low, high, inside, 4)
            return tuple(Tick(math.log10(t.at), t.label) for t in ticks if low <= t.at <= high and t.at > 0)
        return tuple(t for t in logarithmic(low, high, inside, 5)[1] if math.log10(low) <= t.at <= math.log10(high))
    return tuple(linear(float(edges[0]) * inside.factor, float(edges[-1]) * inside.factor, inside, 5)[1])


def bars(cell: HistogramCell, most: int = MOST_BARS) -> tuple[Floats, Floats, bool]:
    """Edges float64[n + 1] (log10 where all buckets lie above zero), counts float64[n], and whether the edges are logarithms."""
    lower, upper, counts = _without_tails(*_populated(cell))
    if not len(counts):
        return np.empty(0), np.empty(0), False
    log = bool((lower > 0).all() and np.isfinite(upper).all())
    if log:
        lower, upper = np.log10(lower), np.log10(upper)
    else:
        finite = np.concatenate((lower[np.isfinite(lower)], upper[np.isfinite(upper)]))
        least, greatest = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
        lower, upper = np.maximum(lower, least), np.minimum(upper, greatest)
    low, high = float(lower.min()), float(upper.max())
    if not high > low:
        return np.array([low, low + 1e-9]), np.array([counts.sum()]), log
    width = max(float(np.median(upper - lower)), (high - low) / most)
    edges = np.linspace(low, high, max(1, min(most, math.ceil((high - low) / width - 1e-9))) + 1)
    return edges, _spread(lower, upper, counts, edges), log


def _without_tails(lower: Floats, upper: Floats, counts: Floats) -> tuple[Floats, Floats, Floats]:
    """Without the outermost buckets that together hold less than a thousandth: they would take the room of the others."""
    total = float(counts.sum()) if len(counts) else 0.0
    below, above = np.cumsum(counts), np.cumsum(counts[::-1])[::-1]
    kept = (below > TAIL * total) & (above > TAIL * total)
    return (lower[kept], upper[kept], counts[kept]) if kept.any() else (lower, upper, counts)


def _populated(cell: HistogramCell) -> tuple[Floats, Floats, Floats]:
    kept = (cell.counts > 0) & np.isfinite(cell.counts)
    return np.asarray(cell.lower[kept]), np.asarray(cell.upper[kept]), np.asarray(cell.counts[kept])


def _spread(lower: Floats, upper: Floats, counts: Floats, edges: Floats) -> Floats:
    """Counts over other edges: each bucket gives to each bar by how much of it lies there."""
    wide = np.maximum(upper - lower, 1e-12)
    shares = np.clip(np.minimum(upper[:, None], edges[None, 1:]) - np.maximum(lower[:, None], edges[None, :-1]), 0.0, None)
    spread: Floats = (shares / wide[:, None] * counts[:, None]).sum(0)
    return spread


def quantile(cell: HistogramCell, share: float) -> float:
    """The value below which that share of the observations lies: within a bucket by its logarithm where it is positive."""
    lower, upper, counts = _populated(cell)
    total = float(counts.sum())
    if not total:
        return math.nan
    rank = share * total
    reached = np.cumsum(counts)
    at = min(int(reached.searchsorted(rank)), len(counts) - 1)
    part = (rank - (float(reached[at]) - float(counts[at]))) / float(counts[at])
    low, high = float(lower[at]), float(upper[at])
    if low > 0 and math.isfinite(high):
        return float(low * (high / low) ** part)
    if math.isfinite(low) and math.isfinite(high):
        return low + (high - low) * part
    return low if math.isfinite(low) else high


def figures_words(view: HistogramView) -> tuple[tuple[str, Value], ...]:
    """What stands beside the bars, what matters most first: the last give way where there is little room."""
    return (("p50", view.median), ("p99", view.high), ("count", view.count), ("sum", view.total))
