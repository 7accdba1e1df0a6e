"""From panels to the blocks a query gets: cut to the span asked for, those of nearly the same times in one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from collector.storage.history.histograms import HistogramPool
from collector.storage.history.pieces import Panel
from monitor.query.history import Block, Cells, Labels, Mask, Millis, Values

_COMPARED, _PROBES, _PATIENCE = 8, 16, 32
"""How many blocks a panel is compared with before it becomes one of its own, and by how many times first; and after how many
panels that were like none before the others are not compared any more.
"""


def blocks_of(
    floats: Sequence[Panel], histograms: Sequence[Panel], labels: Sequence[Labels], pool: HistogramPool, start: int, end: int
) -> list[Block]:
    """Blocks of the samples in [start, end]. Values of `histograms` are numbers of `pool`. `labels` by row."""
    floats = [panel for panel in (cut(panel, start, end) for panel in floats) if len(panel.times)]
    histograms = [panel for panel in (cut(panel, start, end) for panel in histograms) if len(panel.times)]
    if not histograms:
        return [group.block(labels) for group in grouped(floats)]
    with_histograms = np.zeros(len(labels), bool)
    for panel in histograms:
        with_histograms[panel.rows] = True
    of_both = [some for panel in floats if (some := _some_rows(panel, with_histograms[panel.rows])) is not None]
    others = [some for panel in floats if (some := _some_rows(panel, ~with_histograms[panel.rows])) is not None]
    beside = {int(row): (panel.times, panel.values[at]) for panel in of_both for at, row in enumerate(panel.rows)}
    blocks = [group.block(labels) for group in grouped(others)]
    for panel in histograms:
        alone = _some_rows(panel, np.array([int(row) not in beside for row in panel.rows]))
        if alone is not None:
            blocks.append(_histogram_block(alone, labels, pool))
        for at, row in enumerate(panel.rows.tolist()):
            if row in beside:
                blocks.append(_mixed(labels[row], panel.times, pool.cells(panel.values[at]), *beside[row]))
    return blocks


def cut(panel: Panel, start: int, end: int) -> Panel:
    """What of a panel lies in [start, end]: views."""
    begin = int(np.searchsorted(panel.times, start, "left"))
    behind = int(np.searchsorted(panel.times, end, "right"))
    return Panel(panel.rows, panel.times[begin:behind], panel.values[:, begin:behind])


@dataclass
class _Group:
    """Panels that become one block."""

    panels: list[Panel]
    times: Millis
    members: int = field(default=0)

    def block(self, labels: Sequence[Labels]) -> Block:
        if len(self.panels) == 1:
            only = self.panels[0]
            return Block(tuple(labels[row] for row in only.rows.tolist()), only.times, only.values)
        rows = np.concatenate([panel.rows for panel in self.panels])
        values: Values = np.zeros((len(rows), len(self.times)))
        present: Mask = np.zeros(values.shape, bool)
        begin = 0
        for panel in self.panels:
            columns = np.searchsorted(self.times, panel.times)
            behind = begin + len(panel.rows)
            values.view(np.uint64)[begin:behind, columns] = panel.values.view(np.uint64)
            present[begin:behind, columns] = True
            begin = behind
        return Block(tuple(labels[row] for row in rows.tolist()), self.times, values, present)


def grouped(panels: Sequence[Panel]) -> list[_Group]:
    """Panels put together where most times of the smaller are times of the larger and little room is wasted.

    Only panels in the same phase of the second are compared: targets are scraped each at a moment of its own.
    """
    groups: list[_Group] = []
    by_phase: dict[int, list[_Group]] = {}
    alone: dict[int, int] = {}
    for panel in sorted(panels, key=lambda one: -len(one.times)):
        phase = int(panel.times[-1]) % 1000
        near = by_phase.setdefault(phase, [])
        some = panel.times[:: -(-len(panel.times) // _PROBES)]
        for group in near[:_COMPARED] if alone.get(phase, 0) < _PATIENCE else ():
            if 2 * _held(some, group.times) < len(some):
                continue
            common = np.isin(panel.times, group.times, assume_unique=True).sum()
            if 2 * common >= len(group.times) and 2 * common >= len(panel.times):
                if common < len(panel.times):
                    group.times = np.union1d(group.times, panel.times)
                group.panels.append(panel)
                break
        else:
            group = _Group([panel], panel.times)
            near.append(group)
            alone[phase] = alone.get(phase, 0) + 1
            groups.append(group)
    return groups


def _held(some: Millis, times: Millis) -> int:
    """How many of some times are among others."""
    found = times[np.minimum(np.searchsorted(times, some), len(times) - 1)] == some
    return int(np.count_nonzero(found))


def _some_rows(panel: Panel, some: Mask) -> Panel | None:
    if some.all():
        return panel
    return Panel(panel.rows[some], panel.times, panel.values[some]) if some.any() else None


def _histogram_block(panel: Panel, labels: Sequence[Labels], pool: HistogramPool) -> Block:
    cells: Cells = np.empty(panel.values.shape, object)
    for at, numbers in enumerate(panel.values):  # a matrix a series
        cells[at] = pool.cells(numbers)
    names = tuple(labels[row] for row in panel.rows.tolist())
    return Block(names, panel.times, np.zeros(panel.values.shape), None, cells)


def _mixed(labels: Labels, times: Millis, cells: Cells, float_times: Millis, floats: Values) -> Block:
    """One series with floats (its staleness markers, usually) and histograms; of one moment the histogram counts."""
    union = np.union1d(times, float_times)
    values: Values = np.zeros((1, len(union)))
    both: Cells = np.full((1, len(union)), None, object)
    values.view(np.uint64)[0, np.searchsorted(union, float_times)] = floats.view(np.uint64)
    both[0, np.searchsorted(union, times)] = cells
    return Block((labels,), union, values, None, both)
