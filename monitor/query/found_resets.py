"""Selectors whose histograms are seen with the counter resets that comparing them finds: those under histogram_count,
histogram_sum and histogram_avg.

Source: Prometheus, promql/engine.go (detectHistogramStatsDecoding) and promql/histogram_stats_iterator.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from monitor.query.ast import Aggregate, Binary, Call, Expr, Selector, Subquery
from monitor.query.cells import there
from monitor.query.histogram_over_time import with_found_resets
from monitor.query.history import Block, Selected
from monitor.query.tree import children

_STATISTICS = frozenset(("histogram_avg", "histogram_count", "histogram_sum"))
_WHOLE = frozenset(("histogram_fraction", "histogram_quantile"))
_COMBINING = frozenset(("avg_over_time", "sum_over_time"))


def selectors_under_statistics(expr: Expr) -> frozenset[int]:
    """Ids of the selector nodes of a tree whose histograms are combined before the statistic is taken: only then it matters that
    resets contradict each other. A subquery or a function of whole histograms on the way makes them none.
    """
    return frozenset(_found(expr, wanted=False, combined=False))


def _found(expr: Expr, wanted: bool, combined: bool) -> Iterator[int]:
    if isinstance(expr, Selector):
        if wanted and combined:
            yield id(expr)
        return
    if isinstance(expr, Subquery):
        return
    if isinstance(expr, Call) and expr.func in _STATISTICS:
        wanted, combined = True, False
    elif isinstance(expr, Call) and expr.func in _WHOLE:
        wanted = False
    elif isinstance(expr, Aggregate | Binary) or (isinstance(expr, Call) and expr.func in _COMBINING):
        combined = True
    for child in children(expr):
        yield from _found(child, wanted, combined)


def with_resets(selected: Selected) -> Selected:
    """The same samples, each histogram's hint telling whether it began anew."""
    return replace(selected, blocks=tuple(_with_resets(block) for block in selected.blocks))


def _with_resets(block: Block) -> Block:
    if block.histograms is None:
        return block
    cells = block.histograms.copy()
    for row in range(len(cells)):
        places = np.flatnonzero(there(cells[row]))
        if len(places):
            cells[row, places] = with_found_resets(cells[row, places])
    return replace(block, histograms=cells)
